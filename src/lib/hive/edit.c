/* SPDX-License-Identifier: MIT
 * hive/edit.c: keys and values of a hive in memory are changed. */
#include "hive/edit.h"
#include "hive/keys.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOB_NAME "Blob"
#define REG_BINARY 3u

static enum wt_status bad_value(
	const struct wt_hive_editor *editor, uint32_t key, struct wt_error *err)
{
	return wt_fail(err, WT_ERR_HIVE, "hive-bad-value", editor->raw.object,
		"the values of the key at offset 0x%" PRIx32
		" are malformed; the registry hive is damaged",
		key + WT_HIVE_PAGE);
}

static bool value_is_blob(const uint8_t *value)
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

/* Where in the key's list of values the one called Blob stands; the count of
 * values when there is none. */
static enum wt_status blob_find(const struct wt_hive_editor *editor,
	uint32_t key, size_t *ret_index, struct wt_error *err)
{
	const uint8_t *node = wt_hive_key(&editor->raw, key);
	size_t count = wt_get32(node + WT_NK_VALUE_COUNT);
	const uint8_t *list = NULL;
	size_t len = 0;

	*ret_index = count;
	if (count == 0)
		return WT_OK;
	list = wt_hive_cell(
		&editor->raw, wt_get32(node + WT_NK_VALUES), 4, &len);
	if (!list || count > len / 4)
		return bad_value(editor, key, err);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *value =
			wt_hive_value(&editor->raw, wt_get32(list + 4 * i));

		if (!value)
			return bad_value(editor, key, err);
		if (*ret_index == count && value_is_blob(value))
			*ret_index = i;
	}
	return WT_OK;
}

/* Does the value hold this already? */
static bool value_equals(const struct wt_hive_editor *editor,
	const uint8_t *value, const uint8_t *data, size_t len)
{
	uint32_t old_len = wt_get32(value + WT_VK_DATA_LEN);
	const uint8_t *old = value + WT_VK_DATA;

	if ((old_len & ~WT_VK_INLINE) != len ||
		wt_get32(value + WT_VK_TYPE) != REG_BINARY)
		return false;
	if (!(old_len & WT_VK_INLINE))
		old = wt_hive_cell(
			&editor->raw, wt_get32(value + WT_VK_DATA), len, NULL);
	else if (len > 4)
		return false;
	return old && memcmp(old, data, len) == 0;
}

/* Fills the length and data of a value; what stood there is not given back. */
static enum wt_status data_put(struct wt_hive_editor *editor, uint32_t value,
	const uint8_t *data, size_t len, struct wt_error *err)
{
	uint8_t *cell = NULL;
	uint32_t offset = 0;
	uint8_t small[4] = {0};
	enum wt_status ret = WT_OK;

	if (len > sizeof(small)) {
		ret = wt_hive_cell_new(editor, len, &offset, err);
		if (ret != WT_OK)
			return ret;
		memcpy(wt_hive_cell(&editor->raw, offset, len, NULL), data,
			len);
	} else {
		memcpy(small, data, len);
		offset = wt_get32(small);
	}
	cell = wt_hive_value(&editor->raw, value);
	wt_put32(cell + WT_VK_DATA_LEN,
		(uint32_t)len | (len > sizeof(small) ? 0 : WT_VK_INLINE));
	wt_put32(cell + WT_VK_DATA, offset);
	wt_put32(cell + WT_VK_TYPE, REG_BINARY);
	editor->is_changed = true;
	return WT_OK;
}

static enum wt_status value_new(struct wt_hive_editor *editor,
	const uint8_t *data, size_t len, uint32_t *ret_value,
	struct wt_error *err)
{
	enum wt_status ret = wt_hive_cell_new(
		editor, WT_VK_NAME + strlen(BLOB_NAME), ret_value, err);
	uint8_t *cell = NULL;

	if (ret != WT_OK)
		return ret;
	cell = wt_hive_cell(&editor->raw, *ret_value, 0, NULL);
	memcpy(cell, "vk", 2);
	wt_put16(cell + WT_VK_NAME_LEN, (uint32_t)strlen(BLOB_NAME));
	wt_put16(cell + WT_VK_FLAGS, WT_VK_FLAG_ASCII);
	memcpy(cell + WT_VK_NAME, BLOB_NAME, strlen(BLOB_NAME));
	return data_put(editor, *ret_value, data, len, err);
}

static void cell_free(void *ctx, uint32_t offset)
{
	wt_hive_cell_free(ctx, offset);
}

/* Puts value at index into the key's list of values, which becomes a new one
 * of its own: the old one may be shared or full. */
static enum wt_status list_put(struct wt_hive_editor *editor, uint32_t key,
	size_t index, uint32_t value, struct wt_error *err)
{
	uint8_t *node = wt_hive_key(&editor->raw, key);
	size_t old_count = wt_get32(node + WT_NK_VALUE_COUNT);
	size_t count = index < old_count ? old_count : old_count + 1;
	uint32_t old = wt_get32(node + WT_NK_VALUES);
	uint32_t list = 0;
	uint8_t *cell = NULL;
	enum wt_status ret = wt_hive_cell_new(editor, 4 * count, &list, err);

	if (ret != WT_OK)
		return ret;
	cell = wt_hive_cell(&editor->raw, list, 0, NULL);
	if (old_count > 0)
		memcpy(cell, wt_hive_cell(&editor->raw, old, 0, NULL),
			4 * old_count);
	wt_put32(cell + 4 * index, value);
	if (old_count > 0)
		wt_hive_cell_free(editor, old);
	wt_put32(node + WT_NK_VALUE_COUNT, (uint32_t)count);
	wt_put32(node + WT_NK_VALUES, list);
	return WT_OK;
}

static void raise_to(uint8_t *at, size_t value)
{
	if (wt_get32(at) < value)
		wt_put32(at, (uint32_t)value);
}

static enum wt_status blob_set(struct wt_hive_editor *editor, uint32_t key,
	const uint8_t *blob, size_t len, struct wt_error *err)
{
	uint8_t *node = wt_hive_key(&editor->raw, key);
	uint32_t list = wt_get32(node + WT_NK_VALUES);
	size_t index = 0;
	uint32_t value = 0;
	bool is_there = false;
	enum wt_status ret = blob_find(editor, key, &index, err);

	if (ret != WT_OK)
		return ret;
	is_there = index < wt_get32(node + WT_NK_VALUE_COUNT);
	if (is_there) {
		value = wt_get32(
			wt_hive_cell(&editor->raw, list, 0, NULL) + 4 * index);
		if (value_equals(editor, wt_hive_value(&editor->raw, value),
			    blob, len))
			return WT_OK;
	}
	if (is_there && wt_hive_cell_is_own(editor, list) &&
		wt_hive_cell_is_own(editor, value)) {
		wt_hive_data_cells(&editor->raw,
			wt_hive_value(&editor->raw, value), cell_free, editor);
		ret = data_put(editor, value, blob, len, err);
	} else {
		ret = value_new(editor, blob, len, &value, err);
		if (ret == WT_OK)
			ret = list_put(editor, key, index, value, err);
	}
	wt_put64(node + WT_NK_TIME, editor->time);
	raise_to(node + WT_NK_VALUE_NAME_MAX, 2 * strlen(BLOB_NAME));
	raise_to(node + WT_NK_VALUE_DATA_MAX, len);
	return ret;
}

/* The key called text below parent, made when it is not there, unless
 * is_sought: then *ret_key is WT_HIVE_NONE. */
static enum wt_status step(struct wt_hive_editor *editor, uint32_t parent,
	const char *text, bool is_sought, uint32_t *ret_key,
	struct wt_error *err)
{
	struct wt_hive_children children = {0};
	uint16_t units[WT_HIVE_NAME_MAX] = {0};
	struct wt_hive_name name = {0};
	const struct wt_hive_child *child = NULL;
	size_t count = 0;
	enum wt_status ret =
		wt_hive_children_open(&children, editor, parent, err);

	if (ret != WT_OK)
		return ret;
	wt_hive_name_from_utf8(text, units, &name);
	child = wt_hive_children_find(&children, &name, &count);
	if (count > 1) {
		ret = wt_fail(err, WT_ERR_HIVE, "hive-duplicate-key",
			editor->raw.object,
			"the key %s stands %zu times below one key; the "
			"registry hive is damaged",
			text, count);
	} else if (count == 1) {
		*ret_key = child->key;
	} else if (is_sought) {
		*ret_key = WT_HIVE_NONE;
	} else {
		ret = wt_hive_children_add(
			&children, editor, text, &name, ret_key, err);
		if (ret == WT_OK)
			ret = wt_hive_children_write(&children, editor, err);
	}
	wt_hive_children_close(&children);
	return ret;
}

/* The key Certificates of a store. */
static enum wt_status store_find(struct wt_hive_editor *editor,
	const struct wt_hive_change *change, bool is_sought, uint32_t *ret_key,
	struct wt_error *err)
{
	const char *rest = wt_hive_place_path(change->place);
	uint32_t key = editor->raw.base.root;
	enum wt_status ret = WT_OK;
	char name[64] = "";

	while (ret == WT_OK && key != WT_HIVE_NONE && *rest != '\0') {
		size_t len = strcspn(rest, "\\");

		memcpy(name, rest, len);
		name[len] = '\0';
		rest += len + (rest[len] == '\\');
		ret = step(editor, key, name, is_sought, &key, err);
	}
	if (ret == WT_OK && key != WT_HIVE_NONE)
		ret = step(editor, key, wt_store_name(change->store), is_sought,
			&key, err);
	if (ret == WT_OK && key != WT_HIVE_NONE)
		ret = step(editor, key, "Certificates", is_sought, &key, err);
	*ret_key = key;
	return ret;
}

/* A key is set or removed; of several that Windows takes for one, all are. */
static enum wt_status change_apply(struct wt_hive_editor *editor,
	struct wt_hive_children *children, const struct wt_hive_change *change,
	const struct wt_hive_name *name, struct wt_error *err)
{
	size_t count = 0;
	struct wt_hive_child *child =
		wt_hive_children_find(children, name, &count);
	enum wt_status ret = WT_OK;
	uint32_t key = 0;

	for (size_t i = 0; ret == WT_OK && i < count; i++) {
		if (child[i].key == WT_HIVE_NONE)
			continue;
		ret = change->blob
			      ? blob_set(editor, child[i].key, change->blob,
					change->blob_len, err)
			      : wt_hive_children_remove(
					children, editor, &child[i], err);
	}
	if (ret != WT_OK || count > 0 || !change->blob)
		return ret;
	ret = wt_hive_children_add(
		children, editor, change->key, name, &key, err);
	if (ret == WT_OK)
		ret = blob_set(
			editor, key, change->blob, change->blob_len, err);
	return ret;
}

/* One change with its name in upper case. */
struct named {
	const struct wt_hive_change *change;
	struct wt_hive_name name;
};

static int by_name_then_order(const void *left, const void *right)
{
	const struct named *a = left;
	const struct named *b = right;
	int order = wt_hive_name_compare(&a->name, &b->name);

	if (order != 0)
		return order;
	return a->change < b->change ? -1 : a->change > b->change;
}

/* The changes of one store, in the order of their names. */
static enum wt_status store_names(const struct wt_hive_editor *editor,
	const struct wt_hive_change *changes, size_t count,
	struct named **ret_named, uint16_t **ret_units, struct wt_error *err)
{
	struct named *named = calloc(count, sizeof(*named));
	uint16_t *units = NULL;
	size_t total = 0;
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		total += strlen(changes[i].key);
	/* UTF-8 has at least as many bytes as UTF-16 has units. The last name
	 * is given room for the longest there is. */
	units = calloc(total + WT_HIVE_NAME_MAX, sizeof(*units));
	*ret_named = named;
	*ret_units = units;
	if (!named || !units)
		return wt_fail_memory(err);
	for (size_t i = 0; i < count; i++) {
		named[i].change = &changes[i];
		if (!wt_hive_name_from_utf8(
			    changes[i].key, units + used, &named[i].name))
			return wt_fail(err, WT_ERR_HIVE, "hive-bad-name",
				editor->raw.object,
				"this is no name of a key: %s", changes[i].key);
		used += named[i].name.units;
	}
	qsort(named, count, sizeof(*named), by_name_then_order);
	return WT_OK;
}

static enum wt_status store_edit(struct wt_hive_editor *editor,
	const struct wt_hive_change *changes, size_t count,
	struct wt_error *err)
{
	struct wt_hive_children children = {0};
	struct named *named = NULL;
	uint16_t *units = NULL;
	bool is_sought = true;
	uint32_t key = 0;
	enum wt_status ret = WT_OK;

	for (size_t i = 0; i < count; i++)
		is_sought = is_sought && !changes[i].blob;
	ret = store_find(editor, changes, is_sought, &key, err);
	if (ret != WT_OK || key == WT_HIVE_NONE)
		return ret;
	ret = store_names(editor, changes, count, &named, &units, err);
	if (ret == WT_OK)
		ret = wt_hive_children_open(&children, editor, key, err);
	for (size_t i = 0; ret == WT_OK && i < count; i++) {
		if (i + 1 < count && wt_hive_name_compare(&named[i].name,
					     &named[i + 1].name) == 0)
			continue;
		ret = change_apply(editor, &children, named[i].change,
			&named[i].name, err);
	}
	if (ret == WT_OK)
		ret = wt_hive_children_write(&children, editor, err);
	wt_hive_children_close(&children);
	free(named);
	free(units);
	return ret;
}

enum wt_status wt_hive_edit(struct wt_hive_editor *editor,
	const struct wt_hive_change *changes, size_t change_count,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	size_t end = 0;

	for (size_t i = 0; i < change_count; i++)
		if (changes[i].blob && changes[i].blob_len > WT_BLOB_MAX)
			return wt_fail(err, WT_ERR_HIVE, "hive-big-value",
				editor->raw.object,
				"a value of %zu bytes is too long; a registry "
				"hive takes %d",
				changes[i].blob_len, WT_BLOB_MAX);
	for (size_t i = 0; ret == WT_OK && i < change_count; i = end) {
		for (end = i + 1; end < change_count; end++)
			if (changes[end].place != changes[i].place ||
				changes[end].store != changes[i].store)
				break;
		ret = store_edit(editor, changes + i, end - i, err);
	}
	return ret;
}
