/* SPDX-License-Identifier: MIT
 * testfile.h: what many tests share. */
#ifndef WT_TESTFILE_H
#define WT_TESTFILE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wimtrust/wimtrust.h>

struct bytes {
	uint8_t *data; /* free() it */
	size_t len;
};

/* A whole file. Ends the test program if it cannot be read: the path is ours.
 */
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

/* A whole open file; free() it. */
static inline uint8_t *contents(int fd, size_t *ret_len)
{
	struct stat st = {0};
	uint8_t *data = NULL;

	if (fstat(fd, &st) == 0)
		data = malloc((size_t)st.st_size + 1);
	if (!data || pread(fd, data, (size_t)st.st_size, 0) != st.st_size) {
		perror("contents");
		exit(1);
	}
	*ret_len = (size_t)st.st_size;
	return data;
}

/* Names in a folder, but for "." and "..". */
static inline size_t names_count(const char *path)
{
	DIR *dir = opendir(path);
	size_t count = 0;

	if (!dir) {
		perror(path);
		exit(1);
	}
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

/* Says what the error was, where a bare comparison would give a number. */
#define assert_ok(call, err)                                                   \
	do {                                                                   \
		if ((call) != WT_OK)                                           \
			fail_msg("%s: %s: %s", (err)->code, (err)->object,     \
				(err)->reason);                                \
	} while (0)

#endif
