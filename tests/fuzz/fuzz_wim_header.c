/* SPDX-License-Identifier: MIT
 * fuzz_wim_header.c: the checks of a WIM's header and integrity table. */
#include "wim/header.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static void require_inside(const struct wt_wim_resource *resource, uint64_t len)
{
	if (resource->len == 0)
		return;
	FUZZ_REQUIRE(resource->offset >= WT_WIM_HEADER_LEN);
	FUZZ_REQUIRE(resource->offset <= len);
	FUZZ_REQUIRE(resource->len <= len - resource->offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct wt_wim_header header = {0};
	struct wt_wim_extent chunk = {0};
	struct wt_error err = {0};
	uint64_t file_len = 0;
	uint64_t sum_at = 0;

	FUZZ_REQUIRE(fd >= 0);
	FUZZ_REQUIRE(write(fd, data, len) == (ssize_t)len);
	if (wt_wim_header_read(fd, "fuzz", &header, NULL, &file_len, &err) !=
		WT_OK) {
		FUZZ_REQUIRE(err.status == WT_ERR_WIM && err.code[0] != '\0');
		goto out;
	}
	FUZZ_REQUIRE(file_len == len);
	FUZZ_REQUIRE(header.used_len <= len);
	FUZZ_REQUIRE(header.image_count <= WT_WIM_IMAGES_MAX);
	FUZZ_REQUIRE(header.boot_index <= header.image_count);
	require_inside(&header.blob_table, len);
	require_inside(&header.xml, len);
	require_inside(&header.boot_metadata, len);
	require_inside(&header.integrity, len);
	if (wt_wim_last_chunk(fd, &header, "fuzz", &chunk, &sum_at, &err) ==
			WT_OK &&
		chunk.len > 0) {
		FUZZ_REQUIRE(chunk.offset + chunk.len <= len);
		FUZZ_REQUIRE(sum_at + WT_SHA1_LEN <= len);
	}
out:
	close(fd);
	return 0;
}
