/* SPDX-License-Identifier: MIT
 * fuzz_wim_chunks.c: chunks of a compressed resource that says anything.
 *
 * The first four bytes are its decompressed length. */
#include "fuzz.h"
#include "wim/chunks.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK_LEN 32768

/* A file in memory that holds the resource and nothing else. */
static void file_write(const uint8_t *data, size_t len, char path[32])
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("resource", MFD_CLOEXEC);
	FUZZ_REQUIRE(fd >= 0 && ftruncate(fd, (off_t)len) == 0 &&
		     pwrite(fd, data, len, 0) == (ssize_t)len);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wt_wim_chunks chunks = {.chunk_len = CHUNK_LEN};
	char path[32] = "";
	size_t count = 0;

	if (len < 4)
		return 0;
	chunks.data_len = wt_get32(data) % WT_HIVE_MAX + 1;
	chunks.place.len = len - 4;
	count = wt_wim_chunk_count(chunks.data_len, CHUNK_LEN);
	file_write(data + 4, len - 4, path);
	if (wt_wim_chunks_open(&chunks, path)) {
		for (size_t i = 0; i < count + 2; i++) {
			size_t room = wt_wim_chunk_data_len(&chunks, i);
			uint8_t *chunk = malloc(room + 1);
			size_t chunk_len = 0;

			if (wt_wim_chunk_read(&chunks, i, chunk, &chunk_len))
				FUZZ_REQUIRE(
					chunk_len > 0 && chunk_len <= room);
			free(chunk);
		}
	}
	wt_wim_chunks_close(&chunks);
	return 0;
}
