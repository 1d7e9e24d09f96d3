/* SPDX-License-Identifier: MIT
 * iso/udf.c: the boot image on a disc's UDF file system, by libudfread. */
#include "iso/reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <udfread/blockinput.h>
#include <udfread/udfread.h>

/* The library's view of the disc comes first, so that one pointer leads to
 * both. */
struct disc {
	struct udfread_block_input input;
	struct wt_iso_work *work;
};

static int disc_read(struct udfread_block_input *input, uint32_t lba, void *buf,
	uint32_t count, int flags)
{
	struct disc *disc = (struct disc *)(void *)input;
	int64_t got = wt_iso_read_at(disc->work, buf,
		(size_t)count * UDF_BLOCK_SIZE, (uint64_t)lba * UDF_BLOCK_SIZE);

	(void)flags;
	/* Half a block does not count. */
	return got < UDF_BLOCK_SIZE ? -1 : (int)(got / UDF_BLOCK_SIZE);
}

static uint32_t disc_size(struct udfread_block_input *input)
{
	const struct disc *disc = (const struct disc *)(void *)input;
	uint64_t count = disc->work->len / UDF_BLOCK_SIZE;

	return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

/* The only entry of that name, case aside, and that kind. */
static bool find_entry(UDFDIR *dir, const char *name, unsigned type,
	char *ret_name, size_t size)
{
	struct udfread_dirent entry = {0};
	size_t count = 0;

	for (size_t i = 0; i < WT_ISO_ENTRIES_MAX; i++) {
		if (!udfread_readdir(dir, &entry))
			break;
		if (entry.d_type != type || !entry.d_name ||
			strcasecmp(entry.d_name, name) != 0 ||
			strlen(entry.d_name) >= size)
			continue;
		strcpy(ret_name, entry.d_name);
		count++;
	}
	return count == 1;
}

static enum wt_status file_copy(
	struct wt_iso_work *work, UDFFILE *file, struct wt_error *err)
{
	uint8_t *buf = malloc(WT_ISO_STEP);
	int64_t len = udfread_file_size(file);
	enum wt_status ret =
		buf ? wt_iso_announce(work, len, err) : wt_fail_memory(err);

	for (int64_t at = 0; ret == WT_OK && at < len;) {
		ssize_t got = udfread_file_read(file, buf, WT_ISO_STEP);

		if (got <= 0)
			ret = wt_iso_fail(
				work, "its boot image cannot be read", err);
		else
			ret = wt_iso_write(
				work, buf, (size_t)got, (uint64_t)at, err);
		at += got;
	}
	free(buf);
	return ret;
}

static UDFFILE *file_find(udfread *udf)
{
	char folder[16] = "", name[16] = "";
	UDFDIR *root = udfread_opendir(udf, "/"), *sources = NULL;
	UDFFILE *file = NULL;

	if (root &&
		find_entry(root, "sources", UDF_DT_DIR, folder, sizeof(folder)))
		sources = udfread_opendir_at(root, folder);
	if (sources &&
		find_entry(sources, "boot.wim", UDF_DT_REG, name, sizeof(name)))
		file = udfread_file_openat(sources, name);
	if (sources)
		udfread_closedir(sources);
	if (root)
		udfread_closedir(root);
	return file;
}

enum wt_status wt_iso_read_udf(
	struct wt_iso_work *work, bool *ret_is_found, struct wt_error *err)
{
	struct disc disc = {
		.input = {.read = disc_read, .size = disc_size}, .work = work};
	udfread *udf = udfread_init();
	UDFFILE *file = NULL;
	enum wt_status ret = WT_OK;

	*ret_is_found = false;
	if (!udf)
		return wt_fail_memory(err);
	if (udfread_open_input(udf, &disc.input) == 0)
		file = file_find(udf);
	if (file) {
		*ret_is_found = true;
		ret = file_copy(work, file, err);
		udfread_file_close(file);
	} else if (work->read_errno) {
		ret = wt_iso_fail(work, "", err);
	}
	udfread_close(udf);
	return ret;
}
