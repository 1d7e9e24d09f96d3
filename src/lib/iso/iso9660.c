/* SPDX-License-Identifier: MIT
 * iso/iso9660.c: the boot image on a disc's ISO 9660 file system, plain or
 * with Joliet or Rock Ridge, by libarchive. */
#include "iso/iso.h"
#include "iso/reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

/* The disc as the library asks for it. */
struct disc {
	struct wt_iso_work *work;
	uint64_t at;
	uint8_t *buf; /* WT_ISO_STEP */
};

static ssize_t disc_read(
	struct archive *archive, void *ctx, const void **ret_buf)
{
	struct disc *disc = ctx;
	int64_t got = 0;

	*ret_buf = disc->buf;
	if (disc->at >= disc->work->len)
		return 0;
	got = wt_iso_read_at(disc->work, disc->buf, WT_ISO_STEP, disc->at);
	if (got < 0) {
		archive_set_error(archive, EIO, "cannot be read");
		return -1;
	}
	disc->at += (uint64_t)got;
	return (ssize_t)got;
}

static int64_t disc_seek(
	struct archive *archive, void *ctx, int64_t offset, int whence)
{
	struct disc *disc = ctx;
	int64_t base = whence == SEEK_SET   ? 0
		       : whence == SEEK_CUR ? (int64_t)disc->at
					    : (int64_t)disc->work->len;

	if (offset < -base || offset > (int64_t)disc->work->len - base) {
		archive_set_error(archive, EINVAL, "is cut off");
		return ARCHIVE_FATAL;
	}
	disc->at = (uint64_t)(base + offset);
	return base + offset;
}

static int64_t disc_skip(struct archive *archive, void *ctx, int64_t count)
{
	struct disc *disc = ctx;

	(void)archive;
	if (count < 0 || (uint64_t)count > disc->work->len - disc->at)
		return 0;
	disc->at += (uint64_t)count;
	return count;
}

static struct archive *disc_open(struct disc *disc)
{
	struct archive *archive = archive_read_new();

	if (!archive)
		return NULL;
	archive_read_support_filter_none(archive);
	archive_read_support_format_iso9660(archive);
	archive_read_set_callback_data(archive, disc);
	archive_read_set_read_callback(archive, disc_read);
	archive_read_set_seek_callback(archive, disc_seek);
	archive_read_set_skip_callback(archive, disc_skip);
	if (archive_read_open1(archive) == ARCHIVE_OK)
		return archive;
	archive_read_free(archive);
	return NULL;
}

static enum wt_status file_copy(struct wt_iso_work *work,
	struct archive *archive, struct archive_entry *entry,
	struct wt_error *err)
{
	enum wt_status ret =
		wt_iso_announce(work, archive_entry_size(entry), err);
	uint64_t total = atomic_load(&work->told->total), done = 0;
	int status = ARCHIVE_OK;

	while (ret == WT_OK) {
		const void *part = NULL;
		size_t len = 0;
		int64_t offset = 0;

		status = archive_read_data_block(archive, &part, &len, &offset);
		if (status == ARCHIVE_EOF)
			break;
		if (status < ARCHIVE_WARN || offset < 0)
			return wt_iso_fail(
				work, "its boot image cannot be read", err);
		ret = wt_iso_write(work, part, len, (uint64_t)offset, err);
		done = (uint64_t)offset + len;
	}
	if (ret == WT_OK && done != total)
		ret = wt_iso_fail(work, "its boot image is incomplete", err);
	return ret;
}

static bool is_boot_image(struct archive_entry *entry)
{
	const char *path = archive_entry_pathname(entry);

	return path && archive_entry_filetype(entry) == AE_IFREG &&
	       strcasecmp(path, WT_ISO_MEMBER) == 0;
}

enum wt_status wt_iso_read_9660(
	struct wt_iso_work *work, bool *ret_is_found, struct wt_error *err)
{
	struct disc disc = {.work = work, .buf = malloc(WT_ISO_STEP)};
	struct archive *archive = disc.buf ? disc_open(&disc) : NULL;
	struct archive_entry *entry = NULL;
	enum wt_status ret = disc.buf ? WT_OK : wt_fail_memory(err);

	*ret_is_found = false;
	for (size_t i = 0; archive && i < WT_ISO_ENTRIES_MAX; i++) {
		int status = archive_read_next_header(archive, &entry);

		if (status == ARCHIVE_EOF || status < ARCHIVE_WARN)
			break;
		if (!is_boot_image(entry))
			continue;
		*ret_is_found = true;
		ret = file_copy(work, archive, entry, err);
		break;
	}
	if (ret == WT_OK && !*ret_is_found && work->read_errno)
		ret = wt_iso_fail(work, "", err);
	archive_read_free(archive);
	free(disc.buf);
	return ret;
}
