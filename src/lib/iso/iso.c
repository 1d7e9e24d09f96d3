/* SPDX-License-Identifier: MIT
 * iso/iso.c: the boot image in an image of a disc, read in a child. */
#include "iso/iso.h"

#include "base/bytes.h"
#include "base/child.h"
#include "base/io.h"
#include "iso/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SECTOR_LEN 2048
#define FIRST_SECTOR 16
#define MEMORY_MAX ((uint64_t)256 * 1024 * 1024)
/* A slow stick needs minutes. A parser that runs for an hour hangs. */
#define SECONDS_MAX 3600

bool wt_iso_is(int fd)
{
	char id[5] = "";
	size_t len = 0;

	if (wt_io_read_some(fd, id, sizeof(id), FIRST_SECTOR * SECTOR_LEN + 1,
		    NULL, &len, NULL) != WT_OK ||
		len != sizeof(id))
		return false;
	return memcmp(id, "CD001", 5) == 0 || memcmp(id, "BEA01", 5) == 0;
}

int64_t wt_iso_read_at(
	struct wt_iso_work *work, void *dst, size_t len, uint64_t offset)
{
	size_t got = 0;

	if (offset >= work->len)
		len = 0;
	else if (len > work->len - offset)
		len = (size_t)(work->len - offset);
	errno = ENODATA;
	if (len == 0 || wt_io_read(work->fd, dst, len, offset) != 0) {
		/* The disc is too short: that is not a fault of the file
		 * system. */
		work->read_errno = errno == ENODATA ? 0 : errno;
		return -1;
	}
	got = len;
	return (int64_t)got;
}

enum wt_status wt_iso_fail(
	const struct wt_iso_work *work, const char *what, struct wt_error *err)
{
	if (work->read_errno) {
		errno = work->read_errno;
		return wt_fail_errno(err, WT_ERR_FILE, "read-failed",
			work->object, "cannot be read");
	}
	wt_fail(err, WT_ERR_WIM, "iso-damaged", work->object,
		"is damaged or cut off: %s", what);
	wt_error_hint(err, "download or copy it again, and compare its "
			   "checksum");
	return WT_ERR_WIM;
}

enum wt_status wt_iso_announce(
	struct wt_iso_work *work, int64_t len, struct wt_error *err)
{
	if (len < 0 || (uint64_t)len > work->len)
		return wt_iso_fail(work,
			"its " WT_ISO_MEMBER " would be longer than all of it",
			err);
	atomic_store(&work->told->total, (uint64_t)len);
	return WT_OK;
}

enum wt_status wt_iso_write(struct wt_iso_work *work, const void *src,
	size_t len, uint64_t offset, struct wt_error *err)
{
	uint64_t total = atomic_load(&work->told->total);
	enum wt_status ret = WT_OK;

	if (offset > total || len > total - offset)
		return wt_iso_fail(work,
			"its " WT_ISO_MEMBER " is longer than it says", err);
	ret = wt_io_write_all(work->out_fd, src, len, offset,
		"the folder for temporary files", err);
	if (ret == WT_OK)
		atomic_store(&work->told->done, offset + len);
	else
		wt_error_hint(err, "TMPDIR names another folder, with room "
				   "for the boot image");
	return ret;
}

/* How long the disc says to be, at offset 80 of ISO 9660's first descriptor;
 * 0 when it has none. */
static uint64_t volume_len(struct wt_iso_work *work)
{
	uint8_t start[84] = {0};

	if (wt_iso_read_at(work, start, sizeof(start),
		    (uint64_t)FIRST_SECTOR * SECTOR_LEN) !=
			(int64_t)sizeof(start) ||
		memcmp(start + 1, "CD001", 5) != 0)
		return 0;
	return (uint64_t)wt_get32(start + 80) * SECTOR_LEN;
}

/* In the child. Hides what both libraries print. */
static enum wt_status extract(void *arg, struct wt_error *err)
{
	static wt_iso_reader *const readers[] = {
		wt_iso_read_udf, wt_iso_read_9660};
	struct wt_iso_work *work = arg;
	enum wt_status ret = WT_OK;
	bool is_found = false;
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null_fd >= 0)
		(void)dup2(null_fd, STDERR_FILENO);
	for (size_t i = 0; ret == WT_OK && !is_found && i < 2; i++)
		ret = readers[i](work, &is_found, err);
	if (ret != WT_OK || is_found)
		return ret;
	if (volume_len(work) > work->len)
		return wt_iso_fail(work, "it says that it is longer", err);
	wt_fail(err, WT_ERR_IMAGE, "iso-no-boot-wim", work->object,
		"is an ISO image without " WT_ISO_MEMBER);
	wt_error_hint(err, "is it the media of Windows, Windows PE or "
			   "Configuration Manager?");
	return WT_ERR_IMAGE;
}

/* For wt_child_finish(). */
struct ticking {
	const struct wt_iso_options *options;
	const struct wt_iso_told *told;
};

static void tick(void *ctx)
{
	const struct ticking *ticking = ctx;

	if (ticking->options->progress)
		ticking->options->progress(ticking->options->progress_ctx,
			"extract", atomic_load(&ticking->told->done),
			atomic_load(&ticking->told->total));
}

enum wt_status wt_iso_extract(int fd, int out_fd,
	const struct wt_iso_options *options, uint64_t *ret_len,
	struct wt_error *err)
{
	struct wt_iso_work work = {
		.fd = fd, .out_fd = out_fd, .object = options->object};
	struct wt_child how = {
		.limits = {.memory_len = MEMORY_MAX, .seconds = SECONDS_MAX},
		.object = options->object,
		.died_status = WT_ERR_WIM,
		.died_code = "iso-crash",
		.cancel = options->cancel};
	const struct wt_sandbox sandbox = {
		.fds = &out_fd, .fd_count = 1, .read_fd = fd, .writes = true};
	struct ticking ticking = {.options = options};
	struct wt_child_job *job = NULL;
	enum wt_status ret = WT_OK;
	struct stat st = {0};

	if (fstat(fd, &st) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "read-failed",
			options->object, "cannot be read");
	work.len = (uint64_t)st.st_size;
	how.limits.file_len = work.len;
	how.sandbox = &sandbox;
	work.told = wt_shared_new(sizeof(*work.told));
	if (!work.told)
		return wt_fail_memory(err);
	ticking.told = work.told;
	ret = wt_child_start(&how, extract, &work, &job, err);
	if (ret == WT_OK)
		ret = wt_child_finish(job, tick, &ticking, err);
	/* What the child says of it may be a lie. */
	if (ret == WT_OK && fstat(out_fd, &st) != 0)
		ret = wt_fail_errno(err, WT_ERR_FILE, "read-failed",
			options->object,
			"its " WT_ISO_MEMBER " cannot be read");
	if (ret == WT_OK)
		*ret_len = (uint64_t)st.st_size;
	wt_shared_free(work.told, sizeof(*work.told));
	return ret;
}
