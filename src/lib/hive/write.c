/* SPDX-License-Identifier: MIT
 * hive/write.c: writes a changed copy of a hive, by hivex in a child. */
#include "hive/write.h"
#include "hive/hivex.h"
#include "hive/map.h"
#include "hive/same.h"
#include "hive/tidy.h"

#include <errno.h>
#include <hivex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REG_BINARY ((hive_type)3)

/* What a change takes besides its value: a key, a value, and what stays free
 * at the end of bins. */
#define CHANGE_LEN 4096

/* Subkeys that a store may have already, for the lists that are copied. */
#define OLD_KEYS 1000

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

/* In the child: the old hive, the changes, and hivex. */
struct writer {
	const struct wt_hive_raw *before;
	const struct wt_hive_tasks *tasks;
	hive_h *hive;
	struct wt_error *err;
};

/* errno must be what hivex left. */
static enum wt_status hivex_failed(
	const struct writer *writer, const char *what)
{
	return wt_hivex_failed(writer->before, true, what, writer->err);
}

static enum wt_status blob_set(const struct writer *writer, hive_node_h node,
	const struct wt_hive_change *change)
{
	/* hivex only reads what value points to. */
	const hive_set_value value = {.key = (char *)(uintptr_t)("Blob"),
		.t = REG_BINARY,
		.len = change->blob_len,
		.value = (char *)(uintptr_t)change->blob};

	return hivex_node_set_value(writer->hive, node, &value, 0) == 0
		       ? WT_OK
		       : hivex_failed(writer, "cannot set a value");
}

/* The key Certificates, made with those above it where they are missing. */
static enum wt_status store_open(const struct writer *writer,
	const struct wt_hive_store *store, hive_node_h *ret_node)
{
	hive_node_h node = hivex_root(writer->hive);

	for (size_t i = 0; node != 0 && i < store->step_count; i++) {
		const char *name = store->steps[i].text;
		hive_node_h child = 0;

		errno = 0;
		child = hivex_node_get_child(writer->hive, node, name);
		/* Another store may have been made the way for. */
		if (child == 0 && (errno == 0 || errno == HIVEX_NO_KEY) &&
			store->steps[i].key == WT_HIVE_NONE)
			child = hivex_node_add_child(writer->hive, node, name);
		node = child;
	}
	*ret_node = node;
	return node != 0 ? WT_OK
			 : hivex_failed(writer, "cannot open or make a store");
}

/* What is there is found by its place in the list, which is the raw one's: no
 * name has to be understood for that. */
static enum wt_status store_write(
	const struct writer *writer, const struct wt_hive_store *store)
{
	hive_node_h node = 0;
	hive_node_h *nodes = NULL;
	enum wt_status ret = store_open(writer, store, &node);

	if (ret != WT_OK)
		return ret;
	nodes = hivex_node_children(writer->hive, node);
	if (!nodes)
		return hivex_failed(writer, "cannot read a store");
	/* New keys from the last on: each is put before the one before it,
	 * which hivex finds at once. */
	for (size_t i = store->task_count; ret == WT_OK && i-- > 0;) {
		const struct wt_hive_task *task = &store->tasks[i];
		hive_node_h key = 0;

		if (task->is_done || !task->change->blob)
			continue;
		key = task->key != WT_HIVE_NONE
			      ? nodes[task->index]
			      : hivex_node_add_child(
					writer->hive, node, task->change->key);
		ret = key != 0 ? blob_set(writer, key, task->change)
			       : hivex_failed(writer, "cannot make a key");
	}
	for (size_t i = 0; ret == WT_OK && i < store->task_count; i++) {
		const struct wt_hive_task *task = &store->tasks[i];

		if (!task->is_done && !task->change->blob &&
			hivex_node_delete_child(
				writer->hive, nodes[task->index]) != 0)
			ret = hivex_failed(writer, "cannot remove a key");
	}
	free(nodes);
	return ret;
}

static bool is_store_done(const struct wt_hive_store *store)
{
	for (size_t i = 0; i < store->task_count; i++)
		if (!store->tasks[i].is_done)
			return false;
	return true;
}

static enum wt_status hive_write(struct writer *writer, int fd, int out_fd)
{
	enum wt_status ret = wt_hivex_ready(writer->err);
	char path[32] = "";

	if (ret != WT_OK)
		return ret;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	writer->hive = hivex_open(path, HIVEX_OPEN_WRITE);
	if (!writer->hive)
		return hivex_failed(writer, "cannot open the registry hive");
	for (size_t i = 0; ret == WT_OK && i < writer->tasks->store_count; i++)
		if (!is_store_done(&writer->tasks->stores[i]))
			ret = store_write(writer, &writer->tasks->stores[i]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", out_fd);
	if (ret == WT_OK && hivex_commit(writer->hive, path, 0) != 0)
		ret = hivex_failed(writer, "cannot write the registry hive");
	hivex_close(writer->hive);
	return ret;
}

/* The raw checks once more. It is not the user's hive that is damaged here. */
static enum wt_status result_open(struct wt_hive_raw *ret_after,
	const struct wt_hive_map *map, const char *object, struct wt_error *err)
{
	struct wt_error cause = {0};
	enum wt_status ret = wt_hive_raw_open(ret_after, map->data, map->len,
		WT_HIVE_WITH_OWNERS, object, &cause);

	if (ret == WT_ERR_HIVE) {
		wt_fail(err, ret, "hive-verify", object,
			"hivex wrote a hive that is not sound (%s); it was "
			"thrown away",
			cause.code);
		wt_error_hint(err, "nothing was written; please report it, "
				   "with the hive if you can");
	} else if (err) {
		*err = cause;
	}
	return ret;
}

/* Did hivex write a sound hive with the right content? The parent, where there
 * is one, goes on with the bytes as soon as they are the last ones. */
static enum wt_status result_check(const struct wt_hive_raw *before,
	const struct wt_hive_tasks *tasks, int out_fd, struct wt_error *err)
{
	struct wt_hive_map map = {0};
	struct wt_hive_raw after = {0};
	enum wt_status ret =
		wt_hive_map_open(&map, out_fd, true, before->object, err);

	if (ret != WT_OK)
		return ret;
	/* Windows keeps two checksums for itself, which hivex does not know. */
	if (map.len >= WT_HIVE_PAGE)
		wt_put32(map.data + WT_BASE_CHECKSUM,
			wt_hive_checksum(map.data));
	if (wt_hive_needs_tidy(before, tasks)) {
		ret = result_open(&after, &map, before->object, err);
		if (ret != WT_OK)
			goto out;
		ret = wt_hive_tidy(before, &after, tasks, err);
		wt_hive_raw_close(&after);
		if (ret != WT_OK)
			goto out;
	}
	wt_child_tell();
	ret = result_open(&after, &map, before->object, err);
	if (ret == WT_OK)
		ret = wt_hive_same(before, &after, tasks, err);
out:
	wt_hive_raw_close(&after);
	wt_hive_map_close(&map);
	return ret;
}

enum wt_status wt_hive_write_here(int hive_fd, int out_fd, const char *object,
	const struct wt_hive_change *changes, size_t change_count,
	struct wt_error *err)
{
	struct wt_hive_tasks tasks = {0};
	struct wt_hive_raw before = {0};
	struct wt_hive_map map = {0};
	struct writer writer = {.before = &before, .tasks = &tasks, .err = err};
	int copy = -1;
	enum wt_status ret =
		wt_hive_map_open(&map, hive_fd, false, object, err);

	if (ret == WT_OK)
		ret = wt_hive_raw_open(&before, map.data, map.len,
			WT_HIVE_WITH_OWNERS, object, err);
	if (ret == WT_OK)
		ret = wt_hive_tasks_open(
			&tasks, &before, changes, change_count, err);
	if (ret != WT_OK)
		goto out;
	if (tasks.is_done) {
		ret = wt_io_write_all(
			out_fd, map.data, map.len, 0, object, err);
		goto out;
	}
	/* A change drops what was after the last bin. */
	ret = wt_hivex_copy(&before, hive_fd, map.len, &copy, err);
	if (ret == WT_OK)
		ret = hive_write(&writer, copy < 0 ? hive_fd : copy, out_fd);
	if (ret == WT_OK)
		ret = result_check(&before, &tasks, out_fd, err);
out:
	if (copy >= 0)
		close(copy);
	wt_hive_tasks_close(&tasks);
	wt_hive_raw_close(&before);
	wt_hive_map_close(&map);
	return ret;
}

static enum wt_status write_in_child(void *arg, struct wt_error *err)
{
	const struct wt_hive_writing *writing = arg;

	return wt_hive_write_here(writing->hive_fd, writing->out_fd,
		writing->object, writing->changes, writing->change_count, err);
}

static enum wt_status writing_start(struct wt_hive_writing *writing,
	const volatile sig_atomic_t *cancel, struct wt_error *err)
{
	struct wt_sandbox sandbox = {0};
	struct wt_child child = {0};
	enum wt_status ret = wt_hive_file_len(
		writing->hive_fd, writing->object, &writing->hive_len, err);

	for (size_t i = 0; i < writing->change_count; i++)
		writing->new_len += writing->changes[i].blob_len + CHANGE_LEN;
	/* hivex copies the list of a store for each new key in it. */
	writing->new_len += (uint64_t)writing->change_count *
			    (writing->change_count + OLD_KEYS) * 8;
	if (ret == WT_OK)
		ret = wt_io_memory_file("wimtrust-hive", writing->object,
			&writing->out_fd, err);
	if (ret != WT_OK)
		return ret;
	child = wt_hive_child(
		writing->hive_len, writing->new_len, writing->object, cancel);
	sandbox = wt_hive_sandbox(writing->hive_fd, &writing->out_fd);
	child.sandbox = &sandbox;
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
	if (ret != WT_OK)
		return wt_hive_write_end(writing, ret, err);
	*ret_writing = writing;
	return WT_OK;
}

enum wt_status wt_hive_write_bytes(
	struct wt_hive_writing *writing, int *ret_fd, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	/* It ends without a word when it has failed or changed nothing. */
	if (!wt_child_told(writing->job)) {
		ret = wt_child_finish(writing->job, NULL, NULL, err);
		writing->job = NULL;
	}
	if (ret != WT_OK)
		return ret;
	*ret_fd = writing->out_fd;
	writing->out_fd = -1; /* the caller's now */
	return WT_OK;
}

enum wt_status wt_hive_write_end(struct wt_hive_writing *writing,
	enum wt_status ret, struct wt_error *err)
{
	if (!writing)
		return ret;
	ret = wt_child_end(writing->job, ret, err);
	if (writing->out_fd >= 0)
		close(writing->out_fd);
	free(writing);
	return ret;
}
