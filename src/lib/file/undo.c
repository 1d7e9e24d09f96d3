/* SPDX-License-Identifier: MIT
 * file/undo.c: what a file held before it is changed in place. */
#include "file/undo.h"

#include "base/bytes.h"
#include "base/io.h"
#include "file/lockfile.h"
#include "file/temp.h"
#include "file/traits.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAGIC "wimtrust undo 1\n"
#define HEADER_LEN 40
#define RANGE_LEN 16
#define DIGEST_LEN 32
/* Far above any hive's changed pages; bounds what a reader allocates. */
#define UNDO_MAX ((uint64_t)1 << 30)
#define RANGES_MAX ((uint64_t)1 << 22)
/* What is cut off and kept: far above the room that Windows leaves behind a
 * hive's last bin. What an interrupted writer left behind a WIM may be of any
 * length. */
#define CUT_MAX ((uint64_t)16 << 20)

static void undo_name(const char *name, char dst[WT_TEMP_NAME_MAX])
{
	wt_temp_name(name, "-undo", dst);
}

static bool digest(const uint8_t *data, size_t len, uint8_t dst[DIGEST_LEN])
{
	return EVP_Digest(data, len, dst, NULL, EVP_sha256(), NULL) == 1;
}

void wt_undo_free(struct wt_undo *undo)
{
	if (!undo)
		return;
	free(undo->ranges);
	free(undo->buffer);
	free(undo);
}

/* Points the ranges into the buffer, whose head they were read from or are
 * about to be written to. */
static void ranges_place(struct wt_undo *undo)
{
	uint8_t *at = undo->buffer + HEADER_LEN + RANGE_LEN * undo->range_count;

	for (size_t i = 0; i < undo->range_count; i++) {
		struct wt_undo_range *range = &undo->ranges[i];

		range->new_len = range->offset < undo->new_len ? range->len : 0;
		range->old_data = at;
		range->new_data = at + range->len;
		at += range->len + range->new_len;
	}
}

/* The part of an extent that replaces bytes. */
static uint64_t replaced_len(
	const struct wt_patch *patch, const struct wt_extent *extent)
{
	if (extent->offset >= patch->old_len)
		return 0;
	if (extent->len > patch->old_len - extent->offset)
		return patch->old_len - extent->offset;
	return extent->len;
}

/* What the patch cuts off, as far as that is kept. */
static uint64_t cut_len(const struct wt_patch *patch)
{
	uint64_t len = patch->new_len < patch->old_len
			       ? patch->old_len - patch->new_len
			       : 0;

	return len <= CUT_MAX ? len : 0;
}

/* Finds the ranges and how long the undo file will be. */
static enum wt_status ranges_collect(struct wt_undo *undo,
	const struct wt_patch *patch, const char *object, struct wt_error *err)
{
	uint64_t total = 0;

	/* One more for what is cut off, and none is no size. */
	undo->ranges = calloc(patch->extent_count + 2, sizeof(*undo->ranges));
	if (!undo->ranges)
		return wt_fail_memory(err);
	for (size_t i = 0; i < patch->extent_count; i++) {
		uint64_t len = replaced_len(patch, &patch->extents[i]);

		if (len == 0)
			continue;
		undo->ranges[undo->range_count].offset =
			patch->extents[i].offset;
		undo->ranges[undo->range_count++].len = len;
		total += len;
		if (total > UNDO_MAX / 4)
			break;
	}
	if (undo->range_count == 0 || undo->range_count > RANGES_MAX ||
		total > UNDO_MAX / 4)
		return wt_fail(err, WT_ERR_FILE, "bad-patch", object,
			"cannot be changed in place: the change replaces "
			"%llu bytes",
			(unsigned long long)total);
	undo->buffer_len = 2 * (size_t)total;
	if (cut_len(patch) > 0) {
		undo->ranges[undo->range_count].offset = patch->new_len;
		undo->ranges[undo->range_count++].len = cut_len(patch);
		undo->buffer_len += (size_t)cut_len(patch);
	}
	undo->buffer_len +=
		HEADER_LEN + RANGE_LEN * undo->range_count + DIGEST_LEN;
	return WT_OK;
}

static enum wt_status ranges_fill(struct wt_undo *undo, int fd,
	const struct wt_patch *patch, const char *object, struct wt_error *err)
{
	const struct wt_extent *extent = patch->extents;
	uint8_t *head = undo->buffer;

	memcpy(head, MAGIC, 16);
	wt_put64(head + 16, undo->old_len);
	wt_put64(head + 24, undo->new_len);
	wt_put64(head + 32, undo->range_count);
	ranges_place(undo);
	for (size_t i = 0; i < undo->range_count; i++) {
		const struct wt_undo_range *range = &undo->ranges[i];
		uint8_t *entry = head + HEADER_LEN + RANGE_LEN * i;
		uint8_t *data = head + (range->old_data - head);
		size_t len = (size_t)range->len;

		wt_put64(entry, range->offset);
		wt_put64(entry + 8, len);
		/* Each is an extent's, but for the one that is cut off. */
		while (range->new_len > 0 &&
			(extent->offset != range->offset || extent->len == 0))
			extent++;
		if (wt_io_read(fd, data, len, range->offset) != 0 ||
			(range->new_len > 0 &&
				wt_io_read(extent->src_fd, data + len, len,
					extent->src_offset) != 0))
			return wt_io_fail(err, object,
				"cannot read what will be replaced");
	}
	if (!digest(head, undo->buffer_len - DIGEST_LEN,
		    head + undo->buffer_len - DIGEST_LEN))
		return wt_fail_memory(err);
	return WT_OK;
}

enum wt_status wt_undo_new(int fd, const struct wt_patch *patch,
	const char *object, struct wt_undo **ret_undo, struct wt_error *err)
{
	struct wt_undo *undo = calloc(1, sizeof(*undo));
	enum wt_status ret = WT_OK;

	if (!undo)
		return wt_fail_memory(err);
	undo->old_len = patch->old_len;
	undo->new_len = patch->new_len;
	ret = ranges_collect(undo, patch, object, err);
	if (ret != WT_OK)
		goto out;
	undo->buffer = malloc(undo->buffer_len);
	if (!undo->buffer) {
		ret = wt_fail_memory(err);
		goto out;
	}
	ret = ranges_fill(undo, fd, patch, object, err);
	if (ret != WT_OK)
		goto out;
	*ret_undo = undo;
	undo = NULL; /* the caller's now */
out:
	wt_undo_free(undo);
	return ret;
}

/* A reader may be trying the lock at this moment. */
static int lock_as_live(int fd)
{
	for (int i = 0; i < 100; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		wt_io_sleep_ms(10);
	}
	return -1;
}

enum wt_status wt_undo_write(const struct wt_undo *undo, int dir_fd,
	const char *name, const struct stat *file, const char *object,
	int *ret_fd, struct wt_error *err)
{
	char own_name[WT_TEMP_NAME_MAX];
	int fd = -1;

	undo_name(name, own_name);
	fd = wt_io_open(
		dir_fd, own_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0) {
		wt_io_fail(err, object,
			"cannot make the undo file %s beside it", own_name);
		wt_error_hint(err,
			errno == EPERM ? WT_FIXED_FOLDER_HINT
				       : "run it as a user who may write into "
					 "that folder, or write another "
					 "file with -o FILE");
		return WT_ERR_FILE;
	}
	/* Best effort: who may read the file should be able to read what it
	 * held, and its owner to roll it back. */
	if (lock_as_live(fd) != 0 ||
		(file->st_uid != geteuid() &&
			fchown(fd, file->st_uid, (gid_t)-1) != 0 &&
			!wt_traits_is_cannot(errno)) ||
		(fchown(fd, (uid_t)-1, file->st_gid) != 0 &&
			!wt_traits_is_cannot(errno)) ||
		(fchmod(fd, file->st_mode & 0644) != 0 &&
			!wt_traits_is_cannot(errno)) ||
		wt_io_write(fd, undo->buffer, undo->buffer_len, 0) != 0 ||
		wt_io_sync(fd) != 0 || wt_traits_sync_folder(dir_fd) != 0) {
		wt_io_fail(err, object,
			"cannot write the undo file %s beside it", own_name);
		unlinkat(dir_fd, own_name, 0);
		close(fd);
		return WT_ERR_FILE;
	}
	/* Others have to read it; a lock file says that we live. */
	if (wt_traits_is_locked_out(dir_fd, own_name))
		(void)flock(fd, LOCK_UN);
	*ret_fd = fd;
	return WT_OK;
}

int wt_undo_remove(int dir_fd, const char *name)
{
	char own_name[WT_TEMP_NAME_MAX];

	undo_name(name, own_name);
	if (unlinkat(dir_fd, own_name, 0) != 0 && errno != ENOENT)
		return -1;
	return wt_traits_sync_folder(dir_fd);
}

/* Checks every field of a read buffer. 0: it was never finished, so that the
 * file was never touched; -1: out of memory. */
static int undo_parse(struct wt_undo *undo)
{
	uint8_t sum[DIGEST_LEN];
	const uint8_t *head = undo->buffer;
	uint64_t count = 0;
	uint64_t total = 0;
	uint64_t end = 0;
	size_t body_len = 0;

	if (undo->buffer_len < HEADER_LEN + RANGE_LEN + DIGEST_LEN ||
		memcmp(head, MAGIC, 16) != 0)
		return 0;
	body_len = undo->buffer_len - DIGEST_LEN;
	if (!digest(head, body_len, sum))
		return -1;
	if (memcmp(sum, head + body_len, DIGEST_LEN) != 0)
		return 0;
	undo->old_len = wt_get64(head + 16);
	undo->new_len = wt_get64(head + 24);
	count = wt_get64(head + 32);
	if (count == 0 || count > (body_len - HEADER_LEN) / RANGE_LEN)
		return 0;
	undo->ranges = calloc((size_t)count, sizeof(*undo->ranges));
	if (!undo->ranges)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *entry = head + HEADER_LEN + RANGE_LEN * i;
		uint64_t offset = wt_get64(entry);
		uint64_t len = wt_get64(entry + 8);

		if (len == 0 || len > UNDO_MAX || offset < end ||
			offset > INT64_MAX - len)
			return 0;
		end = offset + len;
		total += offset < undo->new_len ? 2 * len : len;
		if (total > UNDO_MAX ||
			(offset < undo->new_len && end > undo->new_len))
			return 0;
		undo->ranges[i].offset = offset;
		undo->ranges[i].len = len;
	}
	if (HEADER_LEN + RANGE_LEN * count + total != body_len)
		return 0;
	undo->range_count = (size_t)count;
	ranges_place(undo);
	return end <= undo->old_len && undo->old_len <= INT64_MAX &&
	       undo->new_len <= INT64_MAX;
}

/* An undo file decides what its file will hold. So whoever may write it has to
 * be someone who may write the file as well. Where there are modes, that is a
 * file of ours, of the file's owner or of root, open to nobody else. Where a
 * file system shows one mode for everything (NTFS, FAT, drive mounts), it is no
 * more open than the file, whoever may write there at all. */
static enum wt_status foreign_check(const struct stat *found,
	const struct stat *file, const char *name, const char *object,
	struct wt_error *err)
{
	mode_t open_to = found->st_mode & 0022;
	static const char open[] =
		"may be written by users who may not write the file";
	const char *why = NULL;

	if (S_ISLNK(found->st_mode))
		why = "is a symbolic link";
	else if (!S_ISREG(found->st_mode))
		why = "is not a plain file";
	else if (found->st_nlink > 1)
		why = "has a second name";
	else if ((open_to & ~file->st_mode) != 0 ||
		 ((open_to & 0020) != 0 && found->st_gid != file->st_gid))
		why = open;
	if (why) {
		wt_fail(err, WT_ERR_FILE, "undo-foreign", object,
			"the undo file %s beside it %s", name, why);
		wt_error_hint(err, "%s",
			why == open
				? "look at it: if a run of wimtrust was "
				  "interrupted and nobody else wrote into it, "
				  "take their rights away (chmod go-w) and run "
				  "wimtrust again; remove it only if wimtrust "
				  "did not make it"
				: "look at it, and remove it only if wimtrust "
				  "did not make it");
		return WT_ERR_FILE;
	}
	if (found->st_uid == geteuid() || found->st_uid == file->st_uid ||
		found->st_uid == 0)
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "undo-foreign", object,
		"the undo file %s beside it belongs to user %u", name,
		(unsigned)found->st_uid);
	/* Root gives it to the file's owner, who may have changed since. */
	wt_error_hint(err, "if that user's run was interrupted, let that user "
			   "run wimtrust again to restore the file; if the "
			   "file was that user's then, give it back (chown) or "
			   "give the undo file to its owner now; remove the "
			   "undo file only if wimtrust did not make it");
	return WT_ERR_FILE;
}

static enum wt_status undo_load(struct wt_undo *undo, int fd,
	const struct stat *found, const char *object, struct wt_error *err)
{
	int sound = 0;

	if ((uint64_t)found->st_size > UNDO_MAX + RANGES_MAX * RANGE_LEN)
		return WT_OK;
	undo->buffer_len = (size_t)found->st_size;
	undo->buffer = malloc(undo->buffer_len + 1);
	if (!undo->buffer)
		return wt_fail_memory(err);
	if (wt_io_read(fd, undo->buffer, undo->buffer_len, 0) != 0) {
		/* It became shorter while it was read: its writer is taking it
		 * back. */
		if (errno == ENODATA)
			return WT_OK;
		return wt_io_fail(err, object, "cannot read its undo file");
	}
	sound = undo_parse(undo);
	if (sound < 0)
		return wt_fail_memory(err);
	if (sound == 0)
		undo->range_count = 0;
	return WT_OK;
}

enum wt_status wt_undo_read(int dir_fd, const char *name,
	const struct stat *file, const char *object, struct wt_undo **ret_undo,
	bool *ret_is_live, struct wt_error *err)
{
	char own_name[WT_TEMP_NAME_MAX];
	struct wt_undo *undo = NULL;
	enum wt_status ret = WT_OK;
	struct stat holder = {0};
	struct stat found = {0}, named = {0};
	int fd = -1;

	undo_name(name, own_name);
	*ret_undo = NULL;
	*ret_is_live = false;
	fd = wt_io_open(dir_fd, own_name, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0 && errno == ENOENT)
		return WT_OK;
	if (fd < 0 && errno == ELOOP)
		found.st_mode = S_IFLNK;
	else if (fd < 0 || fstat(fd, &found) != 0)
		ret = wt_io_fail(
			err, object, "cannot read its undo file %s", own_name);
	if (ret == WT_OK)
		ret = foreign_check(&found, file, own_name, object, err);
	if (ret != WT_OK)
		goto out;
	undo = calloc(1, sizeof(*undo));
	if (!undo) {
		ret = wt_fail_memory(err);
		goto out;
	}
	*ret_is_live = flock(fd, LOCK_SH | LOCK_NB) != 0 ||
		       wt_lockfile_is_held(dir_fd, name, file, &holder);
	/* Its run may have removed it since, which ended well then. */
	if (wt_io_stat(dir_fd, own_name, &named) != 0 && errno == ENOENT)
		goto out;
	ret = undo_load(undo, fd, &found, object, err);
	if (ret != WT_OK)
		goto out;
	*ret_undo = undo;
	undo = NULL; /* the caller's now */
out:
	wt_undo_free(undo);
	if (fd >= 0)
		close(fd);
	return ret;
}

/* What one range of the file holds. Torn as well as foreign bytes show in
 * sectors, since a disk writes these whole. */
static void range_compare(const struct wt_undo_range *range,
	const uint8_t *data, bool *is_old, bool *is_new, bool *is_known)
{
	uint64_t at = 0;

	while (at < range->len) {
		/* Sectors of the disk, not of the range. */
		uint64_t part =
			WT_SECTOR_LEN - (range->offset + at) % WT_SECTOR_LEN;
		bool sector_old = false;
		bool sector_new = false;

		if (part > range->len - at)
			part = range->len - at;
		sector_old = memcmp(data + at, range->old_data + at,
				     (size_t)part) == 0;
		sector_new = memcmp(data + at, range->new_data + at,
				     (size_t)part) == 0;
		*is_old = *is_old && sector_old;
		*is_new = *is_new && sector_new;
		*is_known = *is_known && (sector_old || sector_new);
		at += part;
	}
}

int wt_undo_compare(const struct wt_undo *undo, int fd, uint64_t file_len,
	enum wt_undo_state *ret_state)
{
	bool is_old = file_len >= undo->old_len;
	bool is_new = file_len >= undo->new_len;
	bool is_known = true;

	/* No step of a change makes the file shorter than both. */
	if (!is_old && !is_new) {
		*ret_state = WT_UNDO_FOREIGN;
		return 0;
	}
	for (size_t i = 0; i < undo->range_count; i++) {
		const struct wt_undo_range *range = &undo->ranges[i];
		uint8_t *data = NULL;

		/* Cut off already, or the bytes there mean nothing. */
		if (range->new_len == 0 && file_len < undo->old_len)
			continue;
		data = malloc((size_t)range->len);
		if (!data)
			return -1;
		if (wt_io_read(fd, data, (size_t)range->len, range->offset) !=
			0) {
			free(data);
			return -1;
		}
		if (range->new_len > 0)
			range_compare(range, data, &is_old, &is_new, &is_known);
		else if (memcmp(data, range->old_data, (size_t)range->len) != 0)
			is_old = false;
		free(data);
	}
	/* Where the change replaces bytes by the same ones, only the length
	 * can tell: being new needs all of it, and old is always safe. */
	if (is_old)
		*ret_state = WT_UNDO_OLD;
	else if (is_new)
		*ret_state = WT_UNDO_NEW;
	else if (is_known)
		*ret_state = WT_UNDO_TORN;
	else
		*ret_state = WT_UNDO_FOREIGN;
	return 0;
}

static int range_is_old(const struct wt_undo_range *range, int fd)
{
	uint8_t *data = malloc((size_t)range->len);
	int ret = -1;

	if (data &&
		wt_io_read(fd, data, (size_t)range->len, range->offset) == 0)
		ret = memcmp(data, range->old_data, (size_t)range->len) == 0;
	/* Cut off by the change: to be written. */
	else if (data && errno == ENODATA)
		ret = 0;
	free(data);
	return ret;
}

int wt_undo_restore(const struct wt_undo *undo, int fd)
{
	for (size_t i = 0; i < undo->range_count; i++) {
		const struct wt_undo_range *range = &undo->ranges[i];
		int is_old = range_is_old(range, fd);

		/* What was never changed is not written: on a full disk that
		 * copies on write there would be no room for it. */
		if (is_old < 0 ||
			(is_old == 0 && wt_io_write(fd, range->old_data,
						(size_t)range->len,
						range->offset) != 0))
			return -1;
	}
	/* The old head has to be on the disk before what the new one points
	 * to goes. */
	if (wt_io_sync(fd) != 0 || wt_io_truncate(fd, undo->old_len) != 0)
		return -1;
	return wt_io_sync(fd);
}

int wt_undo_old_state(const struct wt_undo *undo, int fd)
{
	int memory_fd = -1;
	uint64_t copy_len = undo->old_len;
	int saved = 0;

	if (wt_io_memory_file("wimtrust-old-state", NULL, &memory_fd, NULL) !=
		WT_OK)
		return -1;
	/* What is cut off may go at this moment; what was kept of it comes from
	 * the undo. */
	if (undo->new_len < copy_len)
		copy_len = undo->new_len;
	if (wt_io_copy(fd, 0, memory_fd, 0, copy_len, NULL) != 0 ||
		wt_io_truncate(memory_fd, undo->old_len) != 0)
		goto fail;
	for (size_t i = 0; i < undo->range_count; i++) {
		const struct wt_undo_range *range = &undo->ranges[i];

		if (wt_io_write(memory_fd, range->old_data, (size_t)range->len,
			    range->offset) != 0)
			goto fail;
	}
	return memory_fd;
fail:
	saved = errno;
	close(memory_fd);
	errno = saved;
	return -1;
}
