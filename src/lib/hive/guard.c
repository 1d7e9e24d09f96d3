/* SPDX-License-Identifier: MIT
 * hive/guard.c: what hivex would make something else of is refused beforehand.
 */
#include "hive/guard.h"
#include "hive/hivex.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* For each new key hivex copies the list that holds it. */
#define NEW_KEYS_MAX 2000

/* Windows has no deeper keys, and hivex calls itself for each level. */
#define DEPTH_MAX 512

enum wt_status wt_hive_guard_name(
	const struct wt_hive_raw *raw, const char *text, struct wt_error *err)
{
	bool is_good = text[0] != '\0' && strlen(text) <= WT_HIVE_NAME_MAX;

	for (const char *at = text; *at != '\0'; at++)
		is_good = is_good && *at > ' ' && *at <= '~' && *at != '\\';
	return is_good ? WT_OK
		       : wt_fail(err, WT_ERR_HIVE, "hive-bad-name", raw->object,
				 "wimtrust does not make this key: %s", text);
}

static enum wt_status hidden(const struct wt_hive_raw *raw, const char *text,
	const char *why, struct wt_error *err)
{
	wt_fail(err, WT_ERR_HIVE, "hive-hidden-key", raw->object,
		"Windows may not find the key %s: %s", text, why);
	wt_error_hint(err, "take the hive from an intact copy of the image");
	return WT_ERR_HIVE;
}

enum wt_status wt_hive_guard_gone(
	const struct wt_hive_raw *raw, const char *text, struct wt_error *err)
{
	return hidden(raw, text, "no key has exactly that name", err);
}

enum wt_status wt_hive_guard_way(const struct wt_hive_raw *raw,
	const struct wt_hive_children *children, uint32_t parent, size_t index,
	size_t count, const char *text, struct wt_error *err)
{
	const char *fault = NULL;

	if (count > 1) {
		wt_fail(err, WT_ERR_HIVE, "hive-duplicate-key", raw->object,
			"the key %s is there %zu times below one key; the "
			"registry hive is damaged",
			text, count);
		wt_error_hint(
			err, "take the hive from an intact copy of the image");
		return WT_ERR_HIVE;
	}
	fault = wt_hive_child_fault(raw, children, parent, index);
	return fault ? hidden(raw, text, fault, err) : WT_OK;
}

static enum wt_status bad_security(const struct wt_hive_raw *raw,
	const char *which, uint32_t offset, struct wt_error *err)
{
	return wt_fail(err, WT_ERR_HIVE, "hive-bad-security", raw->object,
		"the security descriptor %s offset 0x%" PRIx32
		" is malformed or miscounted; the registry hive is damaged",
		which, offset + WT_HIVE_PAGE);
}

/* The security descriptor at offset; NULL if there is none. */
static const uint8_t *security_get(
	const struct wt_hive_raw *raw, uint32_t offset)
{
	size_t len = 0;
	const uint8_t *cell = wt_hive_cell(raw, offset, WT_SK_HEAD_LEN, &len);

	if (!cell || memcmp(cell, "sk", 2) != 0 ||
		wt_get32(cell + WT_SK_LEN) > len - WT_SK_HEAD_LEN)
		return NULL;
	return cell;
}

enum wt_status wt_hive_guard_new(const struct wt_hive_raw *raw,
	const struct wt_hive_children *children, uint32_t parent,
	const struct wt_hive_name *name, const char *text, struct wt_error *err)
{
	const uint8_t *security = security_get(
		raw, wt_get32(wt_hive_key(raw, parent) + WT_NK_SECURITY));
	uint32_t references =
		security ? wt_get32(security + WT_SK_REFERENCES) : 0;

	if (references == 0 || references > INT32_MAX)
		return bad_security(raw, "of the key at", parent, err);
	/* hivex compares the new name with each of them. */
	for (size_t i = 0; i < children->count; i++)
		if (!wt_hive_name_is_utf8(&children->at[i].name))
			return wt_hivex_foreign(raw, children->at[i].key, err);
	if (!wt_hive_children_has_place(children, name))
		return hidden(
			raw, text, "the keys beside it are not in order", err);
	return WT_OK;
}

/* What hivex frees with a key, and what it writes again. */
struct cells {
	const struct wt_hive_raw *raw;
	bool is_missing, is_shared;
};

static void cell_visit(void *ctx, uint32_t offset)
{
	struct cells *cells = ctx;

	if (!wt_hive_cell(cells->raw, offset, 0, NULL))
		cells->is_missing = true;
	else if (wt_hive_bit(cells->raw->twice, offset) ||
		 wt_hive_bit(cells->raw->security, offset))
		cells->is_shared = true;
}

/* Nothing needs this offset, but hivex frees the cell there. Without a cell it
 * stops with an assertion. */
static void stale_visit(struct cells *cells, uint32_t offset)
{
	cells->is_missing |= offset != WT_HIVE_NONE;
}

static void value_visit(struct cells *cells, const uint8_t *value)
{
	uint32_t len = wt_get32(value + WT_VK_DATA_LEN);
	uint32_t data = wt_get32(value + WT_VK_DATA);
	bool is_inline = len & WT_VK_INLINE;

	if (!is_inline && len == 0)
		stale_visit(cells, data);
	if (is_inline ? (len & ~WT_VK_INLINE) > 4
		      : len > 0 && !wt_hive_value_is_big(cells->raw, value) &&
				!wt_hive_cell(cells->raw, data, len, NULL))
		cells->is_missing = true;
}

static enum wt_status big_value(const struct wt_hive_raw *raw,
	const uint8_t *value, const char *text, struct wt_error *err)
{
	wt_fail(err, WT_ERR_HIVE, "hive-other-big-value", raw->object,
		"the key %s has another value, of %" PRIu32
		" bytes, which would be damaged by setting its certificate",
		text, wt_get32(value + WT_VK_DATA_LEN));
	wt_error_hint(err, "remove the certificate, then add it again: that "
			   "removes the other value, too");
	return WT_ERR_HIVE;
}

/* The values of a key are sound, and its alone. */
static enum wt_status key_guard(const struct wt_hive_raw *raw, uint32_t key,
	bool is_set, const char *text, struct wt_error *err)
{
	const uint8_t *node = wt_hive_key(raw, key);
	size_t count = wt_get32(node + WT_NK_VALUE_COUNT);
	struct cells cells = {.raw = raw};
	const uint8_t *list = NULL;
	size_t len = 0, blobs = 0;

	wt_hive_key_cells(raw, key, cell_visit, &cells);
	if (wt_get16(node + WT_NK_CLASS_LEN) == 0 && !is_set)
		stale_visit(&cells, wt_get32(node + WT_NK_CLASS));
	list = wt_hive_cell(raw, wt_get32(node + WT_NK_VALUES), 0, &len);
	cells.is_missing |= count > 0 && (!list || count > len / 4);
	for (size_t i = 0; !cells.is_missing && i < count; i++) {
		const uint8_t *value =
			wt_hive_value(raw, wt_get32(list + 4 * i));

		if (!value) {
			cells.is_missing = true;
			break;
		}
		value_visit(&cells, value);
		if (wt_hive_value_is_blob(value))
			blobs++;
		else if (is_set && wt_hive_value_is_big(raw, value))
			return big_value(raw, value, text, err);
	}
	if (cells.is_missing || (is_set && blobs > 1))
		return wt_fail(err, WT_ERR_HIVE, "hive-bad-value", raw->object,
			"the values of the key at offset 0x%" PRIx32
			" are malformed; the registry hive is damaged",
			key + WT_HIVE_PAGE);
	if (cells.is_shared)
		return wt_fail(err, WT_ERR_HIVE, "hive-shared-cell",
			raw->object,
			"values of the key %s, or of one below it, are used "
			"elsewhere too; the registry hive is damaged",
			text);
	return WT_OK;
}

/* A key that is to be removed, and all below it. */
static enum wt_status tree_guard(const struct wt_hive_raw *raw, uint32_t key,
	unsigned depth, const char *text, struct wt_error *err)
{
	uint32_t *keys = NULL;
	size_t count = 0;
	enum wt_status ret = WT_OK;

	if (depth > DEPTH_MAX)
		return wt_fail(err, WT_ERR_HIVE, "hive-bad-key", raw->object,
			"the key at offset 0x%" PRIx32
			" is too deep to be removed",
			key + WT_HIVE_PAGE);
	if (!security_get(
		    raw, wt_get32(wt_hive_key(raw, key) + WT_NK_SECURITY)))
		return bad_security(raw, "of the key at", key, err);
	ret = key_guard(raw, key, false, text, err);
	if (ret == WT_OK)
		ret = wt_hive_subkeys(raw, key, &keys, &count, err);
	for (size_t i = 0; ret == WT_OK && i < count; i++)
		ret = tree_guard(raw, keys[i], depth + 1, text, err);
	free(keys);
	return ret;
}

enum wt_status wt_hive_guard_old(const struct wt_hive_raw *raw,
	const struct wt_hive_children *children, uint32_t parent,
	const struct wt_hive_task *task, size_t count, struct wt_error *err)
{
	const char *text = task->change->key;
	enum wt_status ret = wt_hive_guard_way(
		raw, children, parent, task->index, count, text, err);

	if (ret != WT_OK)
		return ret;
	if (task->change->blob)
		return key_guard(raw, task->key, true, text, err);
	if (children->has_li_list) {
		wt_fail(err, WT_ERR_HIVE, "hive-li-list", raw->object,
			"the key %s is in a list of the kind that Windows NT "
			"wrote, from which hivex cannot remove a key",
			text);
		wt_error_hint(err, "remove it on Windows: reg load, reg "
				   "delete, reg unload");
		return WT_ERR_HIVE;
	}
	return tree_guard(raw, task->key, 0, text, err);
}

enum wt_status wt_hive_guard_store(const struct wt_hive_raw *raw,
	const struct wt_hive_store *store, struct wt_error *err)
{
	size_t count = 0;

	for (size_t i = 0; i < store->task_count; i++)
		count += store->tasks[i].key == WT_HIVE_NONE &&
			 !store->tasks[i].is_done;
	if (count <= NEW_KEYS_MAX)
		return WT_OK;
	wt_fail(err, WT_ERR_HIVE, "hive-full", raw->object,
		"%zu new certificates for the store %s are too many for one "
		"call, which takes %d",
		count, store->steps[store->step_count - 2].text, NEW_KEYS_MAX);
	wt_error_hint(err, "add them in several calls");
	return WT_ERR_HIVE;
}

/* Adds to counts how many keys use each descriptor, from key down; counts has
 * a place for every 8 bytes of bins. */
static enum wt_status users_count(const struct wt_hive_raw *raw, uint32_t key,
	uint32_t *counts, struct wt_error *err)
{
	struct wt_hive_offsets stack = {0};
	enum wt_status ret = WT_OK;

	if (!wt_hive_offsets_add(&stack, key))
		return wt_fail_memory(err);
	while (ret == WT_OK && stack.count > 0) {
		uint32_t at = stack.at[--stack.count];
		uint32_t security =
			wt_get32(wt_hive_key(raw, at) + WT_NK_SECURITY);

		if (security_get(raw, security))
			counts[security / 8]++;
		ret = wt_hive_subkeys_add(raw, at, &stack, err);
	}
	free(stack.at);
	return ret;
}

/* hivex gives a descriptor back with the last key that it counts. */
static bool is_count_right(const struct wt_hive_raw *raw, uint32_t offset,
	uint32_t users, uint32_t removed)
{
	const uint8_t *cell = security_get(raw, offset);
	uint32_t references = wt_get32(cell + WT_SK_REFERENCES);
	uint32_t next = wt_get32(cell + WT_SK_NEXT);
	uint32_t previous = wt_get32(cell + WT_SK_PREVIOUS);
	const uint8_t *behind = security_get(raw, next);
	const uint8_t *before = security_get(raw, previous);

	if (references > removed)
		return true;
	/* It goes: nobody else may need it, and its ring must be sound. */
	return references == removed && users == removed && behind && before &&
	       next != offset && previous != offset &&
	       wt_get32(behind + WT_SK_PREVIOUS) == offset &&
	       wt_get32(before + WT_SK_NEXT) == offset;
}

enum wt_status wt_hive_guard_security(const struct wt_hive_raw *raw,
	const struct wt_hive_tasks *tasks, struct wt_error *err)
{
	size_t places = raw->base.bins_len / 8;
	uint32_t *users = NULL, *removed = NULL;
	enum wt_status ret = WT_OK;
	bool is_any = false;

	for (size_t i = 0; i < tasks->store_count; i++)
		for (size_t j = 0; j < tasks->stores[i].task_count; j++)
			is_any |= !tasks->stores[i].tasks[j].change->blob &&
				  !tasks->stores[i].tasks[j].is_done;
	if (!is_any)
		return WT_OK;
	users = calloc(places, sizeof(*users));
	removed = calloc(places, sizeof(*removed));
	if (!users || !removed) {
		ret = wt_fail_memory(err);
		goto out;
	}
	ret = users_count(raw, raw->base.root, users, err);
	for (size_t i = 0; i < tasks->store_count; i++) {
		const struct wt_hive_store *store = &tasks->stores[i];

		for (size_t j = 0; ret == WT_OK && j < store->task_count; j++)
			if (!store->tasks[j].change->blob &&
				!store->tasks[j].is_done)
				ret = users_count(
					raw, store->tasks[j].key, removed, err);
	}
	for (size_t i = 0; ret == WT_OK && i < places; i++)
		if (removed[i] > 0 && !is_count_right(raw, (uint32_t)(8 * i),
					      users[i], removed[i]))
			ret = bad_security(raw, "at", (uint32_t)(8 * i), err);
out:
	free(users);
	free(removed);
	return ret;
}
