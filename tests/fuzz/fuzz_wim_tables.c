/* SPDX-License-Identifier: MIT
 * fuzz_wim_tables.c: blob and integrity tables of a WIM and of its skeleton.
 *
 * offset size meaning
 *      0    2 entries of the old blob table
 *      2    2 entries of the new one
 *      4    2 length of each integrity table
 *      6    2 length of what both files begin with, behind their headers
 *      8    . that: the old blob table, one byte for XML, an integrity table;
 *             then the new ones, which only the skeleton has */
#include "fuzz.h"
#include "wim/append/tables.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEAD_LEN 8

static int file_new(const uint8_t *data, size_t len, uint64_t table_at,
	uint64_t table_len, uint64_t sums_len)
{
	static const uint8_t magic[8] = "MSWIM\0\0";
	uint8_t header[WT_WIM_HEADER_LEN] = {0};
	const struct wt_wim_resource resources[] = {
		{.offset = table_at,
			.len = table_len,
			.original_len = table_len},
		{.offset = table_at + table_len, .len = 1, .original_len = 1},
		{.offset = table_at + table_len + 1,
			.len = sums_len,
			.original_len = sums_len},
	};
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	memcpy(header, magic, sizeof(magic));
	wt_put32(header + 8, WT_WIM_HEADER_LEN);
	wt_put32(header + 12, 0x10d00);
	wt_put32(header + 20, 32768);
	wt_put32(header + 40, 1 | 1 << 16);
	wt_wim_resource_put(header + WT_WIM_BLOB_TABLE_OFFSET, &resources[0]);
	wt_wim_resource_put(header + WT_WIM_XML_OFFSET, &resources[1]);
	wt_wim_resource_put(header + 124, &resources[2]);
	FUZZ_REQUIRE(fd >= 0);
	FUZZ_REQUIRE(write(fd, header, sizeof(header)) == sizeof(header));
	FUZZ_REQUIRE(write(fd, data, len) == (ssize_t)len);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t sha1[1][WT_SHA1_LEN] = {"a hive of its own..."};
	struct wt_wim_put put = {.image = 0};
	struct wt_wim_skeleton skeleton = {.path = "skeleton"};
	struct wt_wim_append append = {.skeleton = &skeleton,
		.object = "fuzz",
		.puts = &put,
		.put_count = 1,
		.sha1s = sha1};
	struct wt_error err = {0};
	struct wt_wim *wim = NULL;
	uint64_t old_len = 0, new_len = 0, sums_len = 0, old_end = 0;
	char path[32] = "";
	int old_fd = -1;

	if (len < HEAD_LEN)
		return 0;
	old_len = (uint64_t)(data[0] | data[1] << 8) * WT_WIM_BLOB_LEN;
	new_len = (uint64_t)(data[2] | data[3] << 8) * WT_WIM_BLOB_LEN;
	sums_len = (uint64_t)(data[4] | data[5] << 8);
	old_end = (uint64_t)(data[6] | data[7] << 8);
	if (old_end > len - HEAD_LEN)
		old_end = len - HEAD_LEN;
	wim = calloc(1, sizeof(*wim) + sizeof(wim->images[0]));
	FUZZ_REQUIRE(wim);
	append.wim = wim;
	skeleton.len = WT_WIM_HEADER_LEN + old_end;
	skeleton.fd = file_new(data + HEAD_LEN, len - HEAD_LEN,
		WT_WIM_HEADER_LEN + old_end, new_len, sums_len);
	old_fd = file_new(
		data + HEAD_LEN, old_end, WT_WIM_HEADER_LEN, old_len, sums_len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", old_fd);
	append.path = path;
	if (wt_wim_tables_check(&append, &err) != WT_OK)
		FUZZ_REQUIRE(
			err.status == WT_ERR_WIM || err.status == WT_ERR_FILE);
	close(skeleton.fd);
	close(old_fd);
	free(wim);
	return 0;
}
