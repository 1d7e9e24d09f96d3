/* SPDX-License-Identifier: MIT
 * hive/tasks.c: what changes mean for one hive, and which key each finds. */
#include "hive/tasks.h"
#include "hive/guard.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOB_NAME "Blob"
#define REG_BINARY 3u

void wt_hive_store_steps(struct wt_hive_store *store, enum wt_hive_place place,
	enum wt_store which)
{
	const char *rest = wt_hive_place_path(place);

	store->step_count = 0;
	for (int behind = 0; behind < 3;) {
		struct wt_hive_step *step = &store->steps[store->step_count++];
		size_t len = strcspn(rest, "\\");

		memcpy(step->text, rest, len);
		step->text[len] = '\0';
		wt_hive_name_from_utf8(step->text, step->units, &step->name);
		step->key = WT_HIVE_NONE;
		if (rest[len] == '\\')
			rest += len + 1;
		else
			rest = behind++ == 0 ? wt_store_name(which)
					     : "Certificates";
	}
}

struct wt_hive_task *wt_hive_task_find(
	const struct wt_hive_store *store, const struct wt_hive_name *name)
{
	size_t low = 0;
	size_t high = store->task_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct wt_hive_task *task = &store->tasks[middle];
		int order = wt_hive_name_compare(&task->name, name);

		if (order == 0)
			return task;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool wt_hive_value_is_blob(const uint8_t *value)
{
	const uint8_t *name = value + WT_VK_NAME;
	size_t len = wt_get16(value + WT_VK_NAME_LEN);
	char text[sizeof(BLOB_NAME)] = "";
	bool is_ascii = wt_get16(value + WT_VK_FLAGS) & WT_VK_FLAG_ASCII;

	if (len != (is_ascii ? 1 : 2) * strlen(BLOB_NAME))
		return false;
	for (size_t i = 0; i < strlen(BLOB_NAME); i++) {
		if (!is_ascii && name[2 * i + 1] != 0)
			return false;
		text[i] = (char)name[is_ascii ? i : 2 * i];
	}
	return strcasecmp(text, BLOB_NAME) == 0;
}

bool wt_hive_value_is_big(const struct wt_hive_raw *raw, const uint8_t *value)
{
	uint32_t len = wt_get32(value + WT_VK_DATA_LEN);
	const uint8_t *data =
		wt_hive_cell(raw, wt_get32(value + WT_VK_DATA), 8, NULL);

	return !(len & WT_VK_INLINE) && len > WT_HIVE_CELL_DATA_MAX && data &&
	       memcmp(data, "db", 2) == 0;
}

/* Does the key hold this Blob, once, already? */
static bool blob_is_there(
	const struct wt_hive_raw *raw, const struct wt_hive_task *task)
{
	const uint8_t *node = wt_hive_key(raw, task->key);
	size_t count = wt_get32(node + WT_NK_VALUE_COUNT);
	size_t len = task->change->blob_len;
	const uint8_t *found = NULL;
	const uint8_t *list = NULL;
	size_t list_len = 0;
	uint32_t old_len = 0;

	list = wt_hive_cell(raw, wt_get32(node + WT_NK_VALUES), 0, &list_len);
	if (!list || count > list_len / 4)
		return false;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *value =
			wt_hive_value(raw, wt_get32(list + 4 * i));

		if (!value || (found && wt_hive_value_is_blob(value)))
			return false;
		if (wt_hive_value_is_blob(value))
			found = value;
	}
	if (!found || wt_get32(found + WT_VK_TYPE) != REG_BINARY)
		return false;
	old_len = wt_get32(found + WT_VK_DATA_LEN);
	if ((old_len & ~WT_VK_INLINE) != len)
		return false;
	if (old_len & WT_VK_INLINE)
		return len <= 4 &&
		       memcmp(found + WT_VK_DATA, task->change->blob, len) == 0;
	list = wt_hive_cell(raw, wt_get32(found + WT_VK_DATA), len, NULL);
	return list && memcmp(list, task->change->blob, len) == 0;
}

/* Looks one key up. */
static enum wt_status task_look_up(const struct wt_hive_raw *raw,
	const struct wt_hive_store *store,
	const struct wt_hive_children *children, struct wt_hive_task *task,
	struct wt_error *err)
{
	uint32_t parent = store->steps[store->step_count - 1].key;
	size_t count =
		wt_hive_children_find(children, &task->name, &task->index);

	if (count == 0)
		return task->change->blob
			       ? wt_hive_guard_new(raw, children, parent,
					 &task->name, task->change->key, err)
			       : wt_hive_guard_gone(
					 raw, task->change->key, err);
	task->key = children->at[task->index].key;
	task->is_done =
		count == 1 && task->change->blob && blob_is_there(raw, task);
	return task->is_done ? WT_OK
			     : wt_hive_guard_old(
				       raw, children, parent, task, count, err);
}

/* Goes down to Certificates as far as the keys are there. */
static enum wt_status store_look_up(const struct wt_hive_raw *raw,
	struct wt_hive_store *store, struct wt_error *err)
{
	uint32_t key = raw->base.root;
	enum wt_status ret = WT_OK;

	for (size_t i = 0; ret == WT_OK && i < store->step_count; i++) {
		struct wt_hive_step *step = &store->steps[i];
		struct wt_hive_children children = {0};
		size_t index = 0, count = 0;

		ret = wt_hive_children_open(&children, raw, key, err);
		if (ret != WT_OK)
			return ret;
		count = wt_hive_children_find(&children, &step->name, &index);
		if (count > 0)
			ret = wt_hive_guard_way(raw, &children, key, index,
				count, step->text, err);
		else if (store->is_to_be_made)
			ret = wt_hive_guard_new(raw, &children, key,
				&step->name, step->text, err);
		if (count > 0)
			step->key = key = children.at[index].key;
		wt_hive_children_close(&children);
		if (count == 0)
			break;
	}
	return ret;
}

static enum wt_status tasks_look_up(const struct wt_hive_raw *raw,
	struct wt_hive_store *store, struct wt_error *err)
{
	struct wt_hive_children children = {0};
	uint32_t key = WT_HIVE_NONE;
	enum wt_status ret = store_look_up(raw, store, err);

	if (ret != WT_OK)
		return ret;
	key = store->steps[store->step_count - 1].key;
	if (key != WT_HIVE_NONE)
		ret = wt_hive_children_open(&children, raw, key, err);
	for (size_t i = 0; ret == WT_OK && i < store->task_count; i++) {
		struct wt_hive_task *task = &store->tasks[i];

		if (key != WT_HIVE_NONE)
			ret = task_look_up(raw, store, &children, task, err);
		else if (!task->change->blob)
			ret = wt_hive_guard_gone(raw, task->change->key, err);
		/* A new key's name, wherever it is to be made. */
		if (ret == WT_OK && !task->is_done && task->key == WT_HIVE_NONE)
			ret = wt_hive_guard_name(raw, task->change->key, err);
	}
	if (ret == WT_OK)
		ret = wt_hive_guard_store(raw, store, err);
	wt_hive_children_close(&children);
	return ret;
}

static int by_store_and_name(const void *left, const void *right)
{
	const struct wt_hive_task *a = left;
	const struct wt_hive_task *b = right;
	int order = (int)a->change->place - (int)b->change->place;

	if (order == 0)
		order = (int)a->change->store - (int)b->change->store;
	if (order == 0)
		order = wt_hive_name_compare(&a->name, &b->name);
	/* The later of two that name the same key comes first. */
	return order ? order : a->change < b->change ? 1 : -1;
}

/* The changes, sorted, none for a key that a later one names; and as many
 * stores as they name. */
static enum wt_status tasks_sort(struct wt_hive_tasks *tasks,
	const struct wt_hive_raw *raw, const struct wt_hive_change *changes,
	size_t count, struct wt_error *err)
{
	size_t used = 0, kept = 0;

	for (size_t i = 0; i < count; i++)
		used += strlen(changes[i].key);
	tasks->tasks = calloc(count + 1, sizeof(*tasks->tasks));
	tasks->stores = calloc(count + 1, sizeof(*tasks->stores));
	/* UTF-8 has at least as many bytes as UTF-16 has units. The last name
	 * is given room for the longest there is. */
	tasks->units = calloc(used + WT_HIVE_NAME_MAX, sizeof(*tasks->units));
	if (!tasks->tasks || !tasks->stores || !tasks->units)
		return wt_fail_memory(err);
	used = 0;
	for (size_t i = 0; i < count; i++) {
		struct wt_hive_task *task = &tasks->tasks[i];

		*task = (struct wt_hive_task){
			.change = &changes[i], .key = WT_HIVE_NONE};
		if (!wt_hive_name_from_utf8(
			    changes[i].key, tasks->units + used, &task->name))
			return wt_hive_guard_name(raw, changes[i].key, err);
		used += task->name.units;
	}
	qsort(tasks->tasks, count, sizeof(*tasks->tasks), by_store_and_name);
	for (size_t i = 0; i < count; i++) {
		const struct wt_hive_task *task = &tasks->tasks[i];
		struct wt_hive_store *store =
			&tasks->stores[tasks->store_count];

		if (kept == 0 ||
			task->change->place !=
				tasks->tasks[kept - 1].change->place ||
			task->change->store !=
				tasks->tasks[kept - 1].change->store) {
			wt_hive_store_steps(store, task->change->place,
				task->change->store);
			store->tasks = &tasks->tasks[kept];
			tasks->store_count++;
		} else if (wt_hive_name_compare(&tasks->tasks[kept - 1].name,
				   &task->name) == 0) {
			continue;
		}
		tasks->tasks[kept++] = *task;
		store = &tasks->stores[tasks->store_count - 1];
		store->task_count++;
		store->is_to_be_made |= task->change->blob != NULL;
	}
	return WT_OK;
}

enum wt_status wt_hive_tasks_open(struct wt_hive_tasks *ret_tasks,
	const struct wt_hive_raw *raw, const struct wt_hive_change *changes,
	size_t change_count, struct wt_error *err)
{
	struct wt_hive_tasks tasks = {.is_done = true};
	enum wt_status ret = WT_OK;

	for (size_t i = 0; i < change_count; i++)
		if (changes[i].blob && changes[i].blob_len > WT_BLOB_MAX)
			return wt_fail(err, WT_ERR_HIVE, "hive-big-value",
				raw->object,
				"a value of %zu bytes is too long; a registry "
				"hive takes %d",
				changes[i].blob_len, WT_BLOB_MAX);
	ret = tasks_sort(&tasks, raw, changes, change_count, err);
	for (size_t i = 0; ret == WT_OK && i < tasks.store_count; i++)
		ret = tasks_look_up(raw, &tasks.stores[i], err);
	if (ret == WT_OK)
		ret = wt_hive_guard_security(raw, &tasks, err);
	for (size_t i = 0; i < tasks.store_count; i++)
		for (size_t j = 0; j < tasks.stores[i].task_count; j++)
			tasks.is_done &= tasks.stores[i].tasks[j].is_done;
	if (ret != WT_OK)
		wt_hive_tasks_close(&tasks);
	else
		*ret_tasks = tasks;
	return ret;
}

void wt_hive_tasks_close(struct wt_hive_tasks *tasks)
{
	free(tasks->stores);
	free(tasks->tasks);
	free(tasks->units);
	tasks->stores = NULL;
	tasks->tasks = NULL;
	tasks->units = NULL;
}
