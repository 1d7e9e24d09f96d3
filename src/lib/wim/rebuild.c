/* SPDX-License-Identifier: MIT
 * wim/rebuild.c: a WIM rebuilt, or restored as it was. */
#include "wim/header.h"
#include "wim/lib.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct rebuilding {
	const char *path;
	const char *new_path;
	const char *object;
	const struct wt_wim_options *options;
	bool has_integrity_table;
};

static enum wt_status rebuild_in_child(void *arg, struct wt_error *err)
{
	const struct rebuilding *rebuilding = arg;
	enum wt_status ret = WT_OK;
	WIMStruct *wim = NULL;
	int flags = WIMLIB_WRITE_FLAG_RETAIN_GUID;
	int code = 0;

	/* A damaged file never gets a fresh integrity table. */
	ret = wt_wim_open(rebuilding->path,
		WIMLIB_OPEN_FLAG_ERROR_IF_SPLIT |
			(rebuilding->has_integrity_table
					? WIMLIB_OPEN_FLAG_CHECK_INTEGRITY
					: 0),
		rebuilding->options, &wim, err);
	if (ret != WT_OK)
		return ret;
	flags |= rebuilding->has_integrity_table
			 ? WIMLIB_WRITE_FLAG_CHECK_INTEGRITY
			 : WIMLIB_WRITE_FLAG_NO_CHECK_INTEGRITY;
	errno = 0;
	code = wimlib_write(wim, rebuilding->new_path, WIMLIB_ALL_IMAGES, flags,
		rebuilding->options->threads);
	if (code != 0)
		ret = wt_wim_fail(
			err, code, rebuilding->object, "cannot rebuild it");
	wimlib_free(wim);
	return ret;
}

static enum wt_status read_header(const char *path, const char *object,
	struct wt_wim_header *header, struct wt_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum wt_status ret = WT_OK;

	if (fd < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "open-failed", object,
			"cannot open it");
	ret = wt_wim_header_read(fd, object, header, NULL, NULL, err);
	close(fd);
	return ret;
}

enum wt_status wt_wim_rebuild(const char *path, const char *new_path,
	const struct wt_wim_options *options, struct wt_error *err)
{
	struct wt_wim_header header = {0};
	struct rebuilding rebuilding = {
		.path = path,
		.new_path = new_path,
		.object = wt_wim_object(path, options),
		.options = options,
	};
	const struct wt_sandbox sandbox = {
		.read_path = path, .write_path = new_path};
	enum wt_status ret = WT_OK;
	int fd = -1;

	ret = read_header(path, rebuilding.object, &header, err);
	if (ret != WT_OK)
		return ret;
	rebuilding.has_integrity_table = header.integrity.len > 0;
	/* Landlock knows files, not names: the child may write to one that is
	 * there. */
	fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "open-failed",
			rebuilding.object, "cannot rebuild it");
	close(fd);
	ret = wt_wim_child_run(rebuilding.object, 0, options, &sandbox,
		rebuild_in_child, &rebuilding, err);
	if (ret != WT_OK)
		unlink(new_path);
	return ret;
}

enum wt_status wt_wim_mend_boot(int fd, const char *object,
	const struct wt_wim *wim, uint8_t ret_header[WT_WIM_HEADER_LEN],
	struct wt_error *err)
{
	struct wt_wim_header header = {0};
	enum wt_status ret =
		wt_wim_header_read(fd, object, &header, ret_header, NULL, err);

	if (ret == WT_OK)
		memcpy(ret_header + WT_WIM_BOOT_METADATA_OFFSET,
			wim->boot_metadata, sizeof(wim->boot_metadata));
	return ret;
}

enum wt_status wt_wim_repair(int fd, const char *object,
	uint8_t ret_header[WT_WIM_HEADER_LEN], uint64_t *ret_used_len,
	struct wt_error *err)
{
	uint8_t bytes[WT_WIM_HEADER_LEN] = {0};
	struct wt_wim_header header = {0};
	enum wt_status ret = WT_OK;

	ret = wt_wim_header_read(fd, object, &header, bytes, NULL, err);
	if (ret != WT_OK)
		return ret;
	if ((header.flags & WT_WIM_FLAG_WRITE_IN_PROGRESS) == 0)
		return wt_fail(err, WT_ERR_WIM, "wim-not-interrupted", object,
			"no program was interrupted while it wrote to it; "
			"there is nothing to repair");
	if (header.is_pipable)
		return wt_fail(err, WT_ERR_WIM, "wim-pipable", object,
			"is an interrupted pipable WIM, which cannot be "
			"repaired");
	bytes[WT_WIM_FLAGS_OFFSET] &= (uint8_t)~WT_WIM_FLAG_WRITE_IN_PROGRESS;
	for (size_t i = 0; i < sizeof(bytes); i++)
		ret_header[i] = bytes[i];
	*ret_used_len = header.used_len;
	return WT_OK;
}
