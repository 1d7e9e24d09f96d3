/* SPDX-License-Identifier: MIT
 * hive_write.c: writes a changed copy of a hive, in a child. */
#include "hive_edit.h"
#include "hive_map.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a change takes besides its value: a key, a value, lists, and what
 * stays free at the end of bins. */
#define CHANGE_LEN 1024

/* Room for the lists of large stores, which are written anew. */
#define SPARE_LEN (1 << 20)

struct writer {
	int hive_fd;
	int out_fd;
	uint64_t hive_len;
	uint64_t new_len;
	const char *object;
	const struct wt_hive_change *changes;
	size_t change_count;
};

static int by_place_and_store(const void *left, const void *right)
{
	const struct wt_hive_change *const *a = left;
	const struct wt_hive_change *const *b = right;

	if ((*a)->place != (*b)->place)
		return (int)(*a)->place - (int)(*b)->place;
	if ((*a)->store != (*b)->store)
		return (int)(*a)->store - (int)(*b)->store;
	/* The order in which they were given decides between two that name
	 * the same key. */
	return *a < *b ? -1 : *a > *b;
}

/* The changes of one place and store together. */
static enum wt_status changes_sort(const struct writer *writer,
	struct wt_hive_change **ret_changes, struct wt_error *err)
{
	size_t count = writer->change_count;
	const struct wt_hive_change **order = calloc(count + 1, sizeof(*order));
	struct wt_hive_change *changes = calloc(count + 1, sizeof(*changes));

	if (!order || !changes) {
		free(order);
		free(changes);
		return wt_fail_memory(err);
	}
	for (size_t i = 0; i < count; i++)
		order[i] = &writer->changes[i];
	qsort(order, count, sizeof(*order), by_place_and_store);
	for (size_t i = 0; i < count; i++)
		changes[i] = *order[i];
	free(order);
	*ret_changes = changes;
	return WT_OK;
}

/* Makes the output as long as it may become, and maps it. Pages that are not
 * written to take no memory. */
static enum wt_status out_map(const struct writer *writer,
	struct wt_hive_map *ret_map, struct wt_error *err)
{
	uint64_t len = writer->hive_len + writer->hive_len / 4 +
		       2 * writer->new_len + SPARE_LEN;
	enum wt_status ret = WT_OK;

	if (ftruncate(writer->out_fd, (off_t)len) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "write-failed",
			writer->object,
			"cannot write the registry hive into memory");
	ret = wt_hive_map_open(
		ret_map, writer->out_fd, true, writer->object, err);
	if (ret == WT_OK)
		ret = wt_hive_read_all(writer->hive_fd, ret_map->data,
			(size_t)writer->hive_len, 0, writer->object, err);
	return ret;
}

static enum wt_status write_in_child(void *arg, struct wt_error *err)
{
	const struct writer *writer = arg;
	struct wt_hive_editor editor = {0};
	struct wt_hive_change *changes = NULL;
	struct wt_hive_map map = {0};
	enum wt_status ret = out_map(writer, &map, err);

	if (ret == WT_OK)
		ret = wt_hive_editor_open(&editor, map.data,
			(size_t)writer->hive_len, map.len, writer->object, err);
	if (ret == WT_OK)
		ret = changes_sort(writer, &changes, err);
	if (ret == WT_OK)
		ret = wt_hive_edit(&editor, changes, writer->change_count, err);
	if (ret == WT_OK) {
		uint64_t len =
			editor.is_changed ? editor.raw.len : writer->hive_len;

		wt_hive_editor_finish(&editor);
		/* Whatever stood behind the last bin goes with a change. */
		if (ftruncate(writer->out_fd, (off_t)len) != 0)
			ret = wt_fail_errno(err, WT_ERR_FILE, "write-failed",
				writer->object,
				"cannot write the registry hive into memory");
	}
	free(changes);
	wt_hive_editor_close(&editor);
	wt_hive_map_close(&map);
	return ret;
}

enum wt_status wt_hive_write(int hive_fd, const char *object,
	const struct wt_hive_change *changes, size_t change_count,
	const volatile sig_atomic_t *cancel, int *ret_fd, struct wt_error *err)
{
	struct writer writer = {.hive_fd = hive_fd,
		.out_fd = -1,
		.object = object,
		.changes = changes,
		.change_count = change_count};
	struct wt_child child = {0};
	enum wt_status ret =
		wt_hive_file_len(hive_fd, object, &writer.hive_len, err);

	for (size_t i = 0; i < change_count; i++)
		writer.new_len += changes[i].blob_len + CHANGE_LEN;
	if (ret == WT_OK)
		ret = wt_hive_memfd(
			"wimtrust-hive", object, &writer.out_fd, err);
	if (ret != WT_OK)
		return ret;
	child = wt_hive_child(writer.hive_len, writer.new_len, object, cancel);
	ret = wt_child_run(&child, write_in_child, &writer, err);
	if (ret != WT_OK) {
		close(writer.out_fd);
		return ret;
	}
	*ret_fd = writer.out_fd;
	return WT_OK;
}
