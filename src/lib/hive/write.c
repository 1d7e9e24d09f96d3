/* SPDX-License-Identifier: MIT
 * hive/write.c: writes a changed copy of a hive, in a child. */
#include "hive/edit.h"
#include "hive/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a change takes besides its value: a key, a value, lists, and what
 * stays free at the end of bins. */
#define CHANGE_LEN 1024

/* Room for the lists of large stores, which are written anew. */
#define SPARE_LEN (1 << 20)

struct wt_hive_writing {
	int hive_fd;
	int out_fd;
	uint64_t hive_len;
	uint64_t new_len;
	char object[sizeof(((struct wt_error *)NULL)->object)];
	struct wt_child_job *job;
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
static enum wt_status changes_sort(const struct wt_hive_writing *writing,
	struct wt_hive_change **ret_changes, struct wt_error *err)
{
	size_t count = writing->change_count;
	const struct wt_hive_change **order = calloc(count + 1, sizeof(*order));
	struct wt_hive_change *changes = calloc(count + 1, sizeof(*changes));

	if (!order || !changes) {
		free(order);
		free(changes);
		return wt_fail_memory(err);
	}
	for (size_t i = 0; i < count; i++)
		order[i] = &writing->changes[i];
	qsort(order, count, sizeof(*order), by_place_and_store);
	for (size_t i = 0; i < count; i++)
		changes[i] = *order[i];
	free(order);
	*ret_changes = changes;
	return WT_OK;
}

/* Makes the output as long as it may become, and maps it. Pages that are not
 * written to take no memory. */
static enum wt_status out_map(const struct wt_hive_writing *writing,
	struct wt_hive_map *ret_map, struct wt_error *err)
{
	uint64_t len = writing->hive_len + writing->hive_len / 4 +
		       2 * writing->new_len + SPARE_LEN;
	enum wt_status ret = WT_OK;

	if (ftruncate(writing->out_fd, (off_t)len) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "write-failed",
			writing->object,
			"cannot write the registry hive into memory");
	ret = wt_hive_map_open(
		ret_map, writing->out_fd, true, writing->object, err);
	if (ret == WT_OK)
		ret = wt_io_read_all(writing->hive_fd, ret_map->data,
			(size_t)writing->hive_len, 0, writing->object, err);
	return ret;
}

static enum wt_status write_in_child(void *arg, struct wt_error *err)
{
	const struct wt_hive_writing *writing = arg;
	struct wt_hive_editor editor = {0};
	struct wt_hive_change *changes = NULL;
	struct wt_hive_map map = {0};
	enum wt_status ret = out_map(writing, &map, err);

	if (ret == WT_OK)
		ret = wt_hive_editor_open(&editor, map.data,
			(size_t)writing->hive_len, map.len, writing->object,
			err);
	if (ret == WT_OK)
		ret = changes_sort(writing, &changes, err);
	if (ret == WT_OK)
		ret = wt_hive_edit(
			&editor, changes, writing->change_count, err);
	if (ret == WT_OK) {
		uint64_t len =
			editor.is_changed ? editor.raw.len : writing->hive_len;

		wt_hive_editor_finish(&editor);
		/* Whatever stood behind the last bin goes with a change. */
		if (ftruncate(writing->out_fd, (off_t)len) != 0)
			ret = wt_fail_errno(err, WT_ERR_FILE, "write-failed",
				writing->object,
				"cannot write the registry hive into memory");
	}
	free(changes);
	wt_hive_editor_close(&editor);
	wt_hive_map_close(&map);
	return ret;
}

static void writing_free(struct wt_hive_writing *writing)
{
	if (writing->out_fd >= 0)
		close(writing->out_fd);
	free(writing);
}

static enum wt_status writing_start(struct wt_hive_writing *writing,
	const volatile sig_atomic_t *cancel, struct wt_error *err)
{
	struct wt_child child = {0};
	enum wt_status ret = wt_hive_file_len(
		writing->hive_fd, writing->object, &writing->hive_len, err);

	for (size_t i = 0; i < writing->change_count; i++)
		writing->new_len += writing->changes[i].blob_len + CHANGE_LEN;
	if (ret == WT_OK)
		ret = wt_io_memory_file("wimtrust-hive", writing->object,
			&writing->out_fd, err);
	if (ret != WT_OK)
		return ret;
	child = wt_hive_child(
		writing->hive_len, writing->new_len, writing->object, cancel);
	return wt_child_start(
		&child, write_in_child, writing, &writing->job, err);
}

enum wt_status wt_hive_write_start(int hive_fd, const char *object,
	const struct wt_hive_change *changes, size_t change_count,
	const volatile sig_atomic_t *cancel,
	struct wt_hive_writing **ret_writing, struct wt_error *err)
{
	struct wt_hive_writing *writing = calloc(1, sizeof(*writing));
	enum wt_status ret = WT_OK;

	if (!writing)
		return wt_fail_memory(err);
	writing->hive_fd = hive_fd;
	writing->out_fd = -1;
	writing->changes = changes;
	writing->change_count = change_count;
	snprintf(writing->object, sizeof(writing->object), "%s", object);
	ret = writing_start(writing, cancel, err);
	if (ret != WT_OK) {
		writing_free(writing);
		return ret;
	}
	*ret_writing = writing;
	return WT_OK;
}

enum wt_status wt_hive_write_finish(
	struct wt_hive_writing *writing, int *ret_fd, struct wt_error *err)
{
	enum wt_status ret = wt_child_finish(writing->job, NULL, NULL, err);

	if (ret == WT_OK) {
		*ret_fd = writing->out_fd;
		writing->out_fd = -1; /* the caller's now */
	}
	writing_free(writing);
	return ret;
}

void wt_hive_write_stop(struct wt_hive_writing *writing)
{
	if (!writing)
		return;
	wt_child_stop(writing->job);
	writing_free(writing);
}

enum wt_status wt_hive_write(int hive_fd, const char *object,
	const struct wt_hive_change *changes, size_t change_count,
	const volatile sig_atomic_t *cancel, int *ret_fd, struct wt_error *err)
{
	struct wt_hive_writing *writing = NULL;
	enum wt_status ret = wt_hive_write_start(
		hive_fd, object, changes, change_count, cancel, &writing, err);

	return ret == WT_OK ? wt_hive_write_finish(writing, ret_fd, err) : ret;
}
