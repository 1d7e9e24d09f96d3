/* SPDX-License-Identifier: MIT
 * fuzz_iso.c: images of discs. A disc is mostly empty, so the input is parts of
 * it, each a sector's number, a length in bytes (both 16 bits, little-endian)
 * and as many bytes; tests/support/make-iso-seeds makes such files of discs. */
#include "base/bytes.h"
#include "fuzz.h"
#include "iso/iso.h"
#include "iso/reader.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR_LEN 2048u
#define SECTORS_MAX 4096u

static int disc_new(const uint8_t *data, size_t len)
{
	int fd = memfd_create("disc", MFD_CLOEXEC);

	FUZZ_REQUIRE(fd >= 0);
	while (len >= 4) {
		off_t at = (off_t)(wt_get16(data) % SECTORS_MAX * SECTOR_LEN);
		size_t part = wt_get16(data + 2);

		data += 4;
		len -= 4;
		if (part > len)
			part = len;
		FUZZ_REQUIRE(pwrite(fd, data, part, at) == (ssize_t)part);
		data += part;
		len -= part;
	}
	return fd;
}

/* What a reader finds is as long as it said, and no longer than the disc. */
static void disc_read(wt_iso_reader *reader, int fd, uint64_t len)
{
	struct wt_iso_told told = {0};
	struct wt_iso_work work = {.fd = fd,
		.len = len,
		.out_fd = memfd_create("boot.wim", MFD_CLOEXEC),
		.object = "fuzz",
		.told = &told};
	struct wt_error err = {0};
	struct stat st = {0};
	bool is_found = false;
	enum wt_status ret = reader(&work, &is_found, &err);

	FUZZ_REQUIRE(work.out_fd >= 0 && fstat(work.out_fd, &st) == 0);
	FUZZ_REQUIRE((uint64_t)st.st_size <= len);
	if (ret != WT_OK) {
		FUZZ_REQUIRE(ret == WT_ERR_WIM && err.status == ret);
		FUZZ_REQUIRE(strcmp(err.code, "iso-damaged") == 0);
	} else if (is_found) {
		FUZZ_REQUIRE((uint64_t)st.st_size == atomic_load(&told.total));
	} else {
		FUZZ_REQUIRE(st.st_size == 0);
	}
	close(work.out_fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = disc_new(data, len);
	struct stat st = {0};

	FUZZ_REQUIRE(fstat(fd, &st) == 0);
	(void)wt_iso_is(fd);
	disc_read(wt_iso_read_udf, fd, (uint64_t)st.st_size);
	disc_read(wt_iso_read_9660, fd, (uint64_t)st.st_size);
	close(fd);
	return 0;
}
