/* SPDX-License-Identifier: MIT
 * hive/tidy.c: cells that hivex leaves without use are given back. */
#include "hive/tidy.h"

#include <stdlib.h>
#include <string.h>

static void cell_free(const struct wt_hive_raw *raw, uint32_t offset)
{
	uint8_t *cell = wt_hive_cell(raw, offset, 0, NULL);

	if (cell && wt_get32(cell - 4) & 0x80000000u)
		wt_put32(cell - 4, 0u - wt_get32(cell - 4));
}

/* hivex may have put something new there. */
static void unused_free(void *ctx, uint32_t offset)
{
	const struct wt_hive_raw *raw = ctx;

	if (offset < raw->base.bins_len && !wt_hive_bit(raw->once, offset) &&
		!wt_hive_bit(raw->security, offset))
		cell_free(raw, offset);
}

/* Lists without keys go, as Windows lets them go. */
static void lists_tidy(struct wt_hive_raw *raw, uint32_t key)
{
	uint8_t *node = wt_hive_key(raw, key);
	uint32_t list = node ? wt_get32(node + WT_NK_SUBKEYS) : WT_HIVE_NONE;
	size_t len = 0, count = 0, kept = 0;
	uint8_t *cell = wt_hive_cell(raw, list, 4, &len);

	if (!cell)
		return;
	if (memcmp(cell, "ri", 2) == 0)
		count = wt_get16(cell + 2);
	for (size_t i = 0; i < count && i < (len - 4) / 4; i++) {
		uint32_t offset = wt_get32(cell + 4 + 4 * i);
		const uint8_t *leaf = wt_hive_cell(raw, offset, 4, NULL);

		if (leaf && wt_get16(leaf + 2) == 0)
			cell_free(raw, offset);
		else
			wt_put32(cell + 4 + 4 * kept++, offset);
	}
	if (count > 0)
		wt_put16(cell + 2, (uint32_t)kept);
	if (wt_get32(node + WT_NK_SUBKEY_COUNT) > 0)
		return;
	unused_free(raw, list);
	wt_put32(node + WT_NK_SUBKEYS, WT_HIVE_NONE);
}

/* hivex gives back the head of a long value, not its segments. */
static void segments_tidy(const struct wt_hive_raw *before,
	struct wt_hive_raw *after, uint32_t key)
{
	const uint8_t *node = wt_hive_key(before, key);
	size_t count = wt_get32(node + WT_NK_VALUE_COUNT);
	const uint8_t *list =
		wt_hive_cell(before, wt_get32(node + WT_NK_VALUES), 0, NULL);

	/* The guards found the values sound. */
	for (size_t i = 0; list && i < count; i++) {
		const uint8_t *value =
			wt_hive_value(before, wt_get32(list + 4 * i));

		if (value && wt_hive_value_is_big(before, value))
			wt_hive_data_cells(before, value, unused_free, after);
	}
}

static bool has_big_value(const struct wt_hive_raw *raw, uint32_t key)
{
	const uint8_t *node = wt_hive_key(raw, key);
	size_t count = wt_get32(node + WT_NK_VALUE_COUNT);
	const uint8_t *list =
		wt_hive_cell(raw, wt_get32(node + WT_NK_VALUES), 0, NULL);

	for (size_t i = 0; list && i < count; i++) {
		const uint8_t *value =
			wt_hive_value(raw, wt_get32(list + 4 * i));

		if (value && wt_hive_value_is_big(raw, value))
			return true;
	}
	return false;
}

/* The same for all keys below a removed one. */
static enum wt_status tree_tidy(const struct wt_hive_raw *before,
	struct wt_hive_raw *after, uint32_t key, struct wt_error *err)
{
	struct wt_hive_offsets stack = {0};
	enum wt_status ret = WT_OK;

	if (!wt_hive_offsets_add(&stack, key))
		return wt_fail_memory(err);
	while (ret == WT_OK && stack.count > 0) {
		uint32_t at = stack.at[--stack.count];

		segments_tidy(before, after, at);
		ret = wt_hive_subkeys_add(before, at, &stack, err);
	}
	free(stack.at);
	return ret;
}

bool wt_hive_needs_tidy(
	const struct wt_hive_raw *before, const struct wt_hive_tasks *tasks)
{
	for (size_t i = 0; i < tasks->store_count; i++)
		for (size_t j = 0; j < tasks->stores[i].task_count; j++) {
			const struct wt_hive_task *task =
				&tasks->stores[i].tasks[j];

			if (!task->is_done && task->key != WT_HIVE_NONE &&
				(!task->change->blob ||
					has_big_value(before, task->key)))
				return true;
		}
	return false;
}

enum wt_status wt_hive_tidy(const struct wt_hive_raw *before,
	struct wt_hive_raw *after, const struct wt_hive_tasks *tasks,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	for (size_t i = 0; i < tasks->store_count; i++) {
		const struct wt_hive_store *store = &tasks->stores[i];
		uint32_t key = store->steps[store->step_count - 1].key;

		for (size_t j = 0; ret == WT_OK && j < store->task_count; j++) {
			const struct wt_hive_task *task = &store->tasks[j];

			if (task->is_done || task->key == WT_HIVE_NONE)
				continue;
			if (task->change->blob)
				segments_tidy(before, after, task->key);
			else
				ret = tree_tidy(before, after, task->key, err);
		}
		if (key != WT_HIVE_NONE)
			lists_tidy(after, key);
	}
	return ret;
}
