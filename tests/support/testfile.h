/* SPDX-License-Identifier: MIT
 * testfile.h: what the tests of the certificate modules share. */
#ifndef WT_TESTFILE_H
#define WT_TESTFILE_H

#include <stdio.h>
#include <stdlib.h>

#include <wimtrust/wimtrust.h>

struct bytes {
	uint8_t *data; /* free() it */
	size_t len;
};

/* A whole file, or the end of the test program: its path is in our hands. */
static inline struct bytes bytes_read(const char *path)
{
	struct bytes bytes = {0};
	FILE *file = fopen(path, "rb");
	long len = 0;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (len = ftell(file)) < 0) {
		perror(path);
		exit(1);
	}
	rewind(file);
	bytes.len = (size_t)len;
	bytes.data = malloc(bytes.len + 1);
	if (!bytes.data || fread(bytes.data, 1, bytes.len, file) != bytes.len) {
		perror(path);
		exit(1);
	}
	fclose(file);
	return bytes;
}

/* Says what the error was, where a bare comparison would give a number. */
#define assert_ok(call, err)                                                   \
	do {                                                                   \
		if ((call) != WT_OK)                                           \
			fail_msg("%s: %s: %s", (err)->code, (err)->object,     \
				(err)->reason);                                \
	} while (0)

#endif
