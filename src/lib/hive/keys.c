/* SPDX-License-Identifier: MIT
 * hive/keys.c: the subkeys of a key are listed, found and listed anew. */
#include "hive/keys.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* As many subkeys stand in one list before Windows splits it: an "lf" or "lh"
 * list of more would not fit a page. */
#define LIST_MAX 507u

static enum wt_status bad_security(
	const struct wt_hive_editor *editor, uint32_t key, struct wt_error *err)
{
	return wt_fail(err, WT_ERR_HIVE, "hive-bad-security",
		editor->raw.object,
		"the security descriptor of the key at offset 0x%" PRIx32
		" is malformed; the registry hive is damaged",
		key + WT_HIVE_PAGE);
}

/* The security descriptor at offset; NULL when it is none. */
static uint8_t *security_get(
	const struct wt_hive_editor *editor, uint32_t offset)
{
	size_t len = 0;
	uint8_t *cell =
		wt_hive_cell(&editor->raw, offset, WT_SK_HEAD_LEN, &len);

	if (!cell || memcmp(cell, "sk", 2) != 0 ||
		wt_get32(cell + WT_SK_HEAD_LEN - 4) > len - WT_SK_HEAD_LEN)
		return NULL;
	return cell;
}

static int by_name(const void *left, const void *right)
{
	return wt_hive_name_compare(&((const struct wt_hive_child *)left)->name,
		&((const struct wt_hive_child *)right)->name);
}

/* Lists of other programs are not always in order. */
static void children_sort(struct wt_hive_children *children)
{
	for (size_t i = 1; i < children->count; i++) {
		if (by_name(&children->at[i - 1], &children->at[i]) > 0) {
			qsort(children->at, children->count,
				sizeof(*children->at), by_name);
			return;
		}
	}
}

enum wt_status wt_hive_children_open(struct wt_hive_children *ret_children,
	const struct wt_hive_editor *editor, uint32_t parent,
	struct wt_error *err)
{
	struct wt_hive_children children = {.parent = parent};
	uint32_t *keys = NULL;
	size_t units = 0;
	size_t used = 0;
	enum wt_status ret = wt_hive_subkeys(
		&editor->raw, parent, &keys, &children.count, err);

	if (ret != WT_OK)
		return ret;
	/* The walk over the tree found all these keys sound. */
	for (size_t i = 0; i < children.count; i++)
		units += wt_get16(
			wt_hive_key(&editor->raw, keys[i]) + WT_NK_NAME_LEN);
	children.room = children.count;
	children.sorted = children.count;
	children.at = calloc(children.count + 1, sizeof(*children.at));
	children.units = calloc(units + 1, sizeof(*children.units));
	if (!children.at || !children.units) {
		ret = wt_fail_memory(err);
		goto out;
	}
	for (size_t i = 0; i < children.count; i++) {
		const uint8_t *node = wt_hive_key(&editor->raw, keys[i]);

		children.at[i].key = keys[i];
		children.at[i].name = wt_hive_name_stored(node + WT_NK_NAME,
			wt_get16(node + WT_NK_NAME_LEN),
			wt_get16(node + WT_NK_FLAGS) & WT_NK_FLAG_ASCII,
			children.units + used);
		used += children.at[i].name.units;
	}
	children_sort(&children);
out:
	free(keys);
	if (ret != WT_OK) {
		wt_hive_children_close(&children);
		return ret;
	}
	*ret_children = children;
	return WT_OK;
}

void wt_hive_children_close(struct wt_hive_children *children)
{
	free(children->at);
	free(children->units);
	children->at = NULL;
	children->units = NULL;
}

struct wt_hive_child *wt_hive_children_find(
	const struct wt_hive_children *children,
	const struct wt_hive_name *name, size_t *ret_count)
{
	size_t low = 0;
	size_t high = children->sorted;
	size_t end = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (wt_hive_name_compare(&children->at[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < children->sorted; end++)
		if (wt_hive_name_compare(&children->at[end].name, name) != 0)
			break;
	*ret_count = end - low;
	return children->at + low;
}

/* A key without values or subkeys, its security that of its parent. */
static enum wt_status key_new(struct wt_hive_editor *editor, uint32_t parent,
	const char *text, uint32_t *ret_key, struct wt_error *err)
{
	const uint8_t *above = wt_hive_key(&editor->raw, parent);
	uint32_t security = wt_get32(above + WT_NK_SECURITY);
	uint8_t *descriptor = security_get(editor, security);
	uint32_t references = 0;
	size_t name_len = strlen(text);
	uint8_t *node = NULL;
	enum wt_status ret = WT_OK;

	if (!descriptor)
		return bad_security(editor, parent, err);
	references = wt_get32(descriptor + WT_SK_REFERENCES);
	if (references == 0 || references == UINT32_MAX)
		return bad_security(editor, parent, err);
	ret = wt_hive_cell_new(editor, WT_NK_NAME + name_len, ret_key, err);
	if (ret != WT_OK)
		return ret;
	wt_put32(descriptor + WT_SK_REFERENCES, references + 1);
	node = wt_hive_cell(&editor->raw, *ret_key, 0, NULL);
	memcpy(node, "nk", 2);
	wt_put16(node + WT_NK_FLAGS, WT_NK_FLAG_ASCII);
	wt_put64(node + WT_NK_TIME, editor->time);
	wt_put32(node + WT_NK_PARENT, parent);
	wt_put32(node + WT_NK_SUBKEYS, WT_HIVE_NONE);
	wt_put32(node + WT_NK_VOLATILE_SUBKEYS, WT_HIVE_NONE);
	wt_put32(node + WT_NK_VALUES, WT_HIVE_NONE);
	wt_put32(node + WT_NK_SECURITY, security);
	wt_put32(node + WT_NK_CLASS, WT_HIVE_NONE);
	wt_put16(node + WT_NK_NAME_LEN, (uint32_t)name_len);
	memcpy(node + WT_NK_NAME, text, name_len);
	return WT_OK;
}

enum wt_status wt_hive_children_add(struct wt_hive_children *children,
	struct wt_hive_editor *editor, const char *text,
	const struct wt_hive_name *name, uint32_t *ret_key,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	for (const char *at = text; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~' || *at == '\\')
			return wt_fail(err, WT_ERR_HIVE, "hive-bad-name",
				editor->raw.object,
				"a key of that name is not made here: %s",
				text);
	if (children->count == children->room) {
		size_t room = 2 * children->room + 16;
		struct wt_hive_child *at =
			realloc(children->at, room * sizeof(*at));

		if (!at)
			return wt_fail_memory(err);
		children->at = at;
		children->room = room;
	}
	ret = key_new(editor, children->parent, text, ret_key, err);
	if (ret != WT_OK)
		return ret;
	children->at[children->count++] =
		(struct wt_hive_child){.name = *name, .key = *ret_key};
	children->is_changed = true;
	return WT_OK;
}

/* One key less uses this descriptor. The last one takes it out of the ring;
 * where the ring is broken, or where more keys than it counts have used it,
 * the descriptor stays in it with a count of 1, which harms nobody. */
static void security_release(struct wt_hive_editor *editor, uint32_t offset)
{
	uint8_t *cell = security_get(editor, offset);
	uint8_t *next = NULL;
	uint8_t *previous = NULL;
	uint32_t references = 0;

	if (!cell)
		return;
	references = wt_get32(cell + WT_SK_REFERENCES);
	if (references > 1) {
		wt_put32(cell + WT_SK_REFERENCES, references - 1);
		return;
	}
	next = security_get(editor, wt_get32(cell + WT_SK_NEXT));
	previous = security_get(editor, wt_get32(cell + WT_SK_PREVIOUS));
	if (references == 0 || wt_hive_bit(editor->raw.twice, offset) ||
		!next || !previous || next == cell || previous == cell ||
		wt_get32(next + WT_SK_PREVIOUS) != offset ||
		wt_get32(previous + WT_SK_NEXT) != offset)
		return;
	wt_put32(next + WT_SK_PREVIOUS, wt_get32(cell + WT_SK_PREVIOUS));
	wt_put32(previous + WT_SK_NEXT, wt_get32(cell + WT_SK_NEXT));
	wt_put32(cell - 4, 0u - wt_get32(cell - 4));
	wt_hive_bit_clear(editor->raw.used, offset);
}

static void cell_free(void *ctx, uint32_t offset)
{
	wt_hive_cell_free(ctx, offset);
}

/* Gives back the cells of the list of subkeys at offset. */
static void list_free(struct wt_hive_editor *editor, uint32_t offset)
{
	size_t len = 0;
	const uint8_t *cell = wt_hive_cell(&editor->raw, offset, 4, &len);

	if (!cell)
		return;
	for (size_t i = 0; memcmp(cell, "ri", 2) == 0 &&
			   i < wt_get16(cell + 2) && i < (len - 4) / 4;
		i++)
		wt_hive_cell_free(editor, wt_get32(cell + 4 + 4 * i));
	wt_hive_cell_free(editor, offset);
}

/* key_free() calls itself for the keys below; the depth of a hive is not
 * bounded, so deeper than Windows allows is refused. */
#define DEPTH_MAX 512

static enum wt_status key_free(struct wt_hive_editor *editor, uint32_t key,
	unsigned depth, struct wt_error *err)
{
	uint8_t *node = wt_hive_key(&editor->raw, key);
	uint32_t *keys = NULL;
	size_t count = 0;
	enum wt_status ret = WT_OK;

	if (!node || depth > DEPTH_MAX)
		return wt_fail(err, WT_ERR_HIVE, "hive-bad-key",
			editor->raw.object,
			"the key at offset 0x%" PRIx32
			" stands too deep to be removed",
			key + WT_HIVE_PAGE);
	ret = wt_hive_subkeys(&editor->raw, key, &keys, &count, err);
	for (size_t i = 0; ret == WT_OK && i < count; i++)
		ret = key_free(editor, keys[i], depth + 1, err);
	free(keys);
	if (ret != WT_OK)
		return ret;
	if (count > 0)
		list_free(editor, wt_get32(node + WT_NK_SUBKEYS));
	security_release(editor, wt_get32(node + WT_NK_SECURITY));
	wt_hive_key_cells(&editor->raw, key, cell_free, editor);
	wt_hive_cell_free(editor, key);
	return WT_OK;
}

enum wt_status wt_hive_children_remove(struct wt_hive_children *children,
	struct wt_hive_editor *editor, struct wt_hive_child *child,
	struct wt_error *err)
{
	enum wt_status ret = key_free(editor, child->key, 0, err);

	child->key = WT_HIVE_NONE;
	children->is_changed = true;
	editor->is_changed = true;
	return ret;
}

/* One list of count subkeys. From version 1.5 on Windows writes hashes. */
static enum wt_status list_new(struct wt_hive_editor *editor,
	const struct wt_hive_child *children, size_t count,
	uint32_t *ret_offset, struct wt_error *err)
{
	bool has_hashes = editor->raw.base.minor >= 5;
	uint8_t *cell = NULL;
	enum wt_status ret =
		wt_hive_cell_new(editor, 4 + 8 * count, ret_offset, err);

	if (ret != WT_OK)
		return ret;
	cell = wt_hive_cell(&editor->raw, *ret_offset, 0, NULL);
	memcpy(cell, has_hashes ? "lh" : "lf", 2);
	wt_put16(cell + 2, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		uint8_t *at = cell + 4 + 8 * i;
		const uint8_t *node =
			wt_hive_key(&editor->raw, children[i].key);
		size_t name_len = wt_get16(node + WT_NK_NAME_LEN);

		wt_put32(at, children[i].key);
		if (has_hashes)
			wt_put32(at + 4, wt_hive_name_hash(&children[i].name));
		else if (wt_get16(node + WT_NK_FLAGS) & WT_NK_FLAG_ASCII)
			memcpy(at + 4, node + WT_NK_NAME,
				name_len < 4 ? name_len : 4);
	}
	return WT_OK;
}

/* The list of subkeys of a key, split where it is long. */
static enum wt_status lists_new(struct wt_hive_editor *editor,
	const struct wt_hive_child *children, size_t count,
	uint32_t *ret_offset, struct wt_error *err)
{
	size_t lists = (count + LIST_MAX - 1) / LIST_MAX;
	enum wt_status ret = WT_OK;
	uint32_t root = 0;

	if (lists == 1)
		return list_new(editor, children, count, ret_offset, err);
	if (lists > UINT16_MAX)
		return wt_fail(err, WT_ERR_HIVE, "hive-full",
			editor->raw.object, "a key cannot hold %zu subkeys",
			count);
	ret = wt_hive_cell_new(editor, 4 + 4 * lists, &root, err);
	if (ret != WT_OK)
		return ret;
	memcpy(wt_hive_cell(&editor->raw, root, 0, NULL), "ri", 2);
	wt_put16(
		wt_hive_cell(&editor->raw, root, 0, NULL) + 2, (uint32_t)lists);
	for (size_t i = 0; ret == WT_OK && i < lists; i++) {
		size_t first = i * LIST_MAX;
		size_t rest = count - first;
		uint32_t list = 0;

		ret = list_new(editor, children + first,
			rest < LIST_MAX ? rest : LIST_MAX, &list, err);
		wt_put32(wt_hive_cell(&editor->raw, root, 0, NULL) + 4 + 4 * i,
			list);
	}
	*ret_offset = root;
	return ret;
}

/* The order and the hash of a name rest on Windows' own table of upper case.
 * A list with a name that this module cannot tell the upper case of is not
 * written anew: guessed wrong, Windows would no longer find the key. */
static enum wt_status order_known(const struct wt_hive_children *children,
	const struct wt_hive_editor *editor, struct wt_error *err)
{
	for (size_t i = 0; i < children->count; i++)
		for (size_t j = 0; j < children->at[i].name.units; j++) {
			if (wt_hive_unit_is_known(children->at[i].name.at[j]))
				continue;
			wt_fail(err, WT_ERR_HIVE, "hive-foreign-name",
				editor->raw.object,
				"the key at offset 0x%" PRIx32
				" has subkeys in a script whose order is not "
				"known here",
				children->parent + WT_HIVE_PAGE);
			wt_error_hint(err, "change this hive on Windows");
			return WT_ERR_HIVE;
		}
	return WT_OK;
}

enum wt_status wt_hive_children_write(struct wt_hive_children *children,
	struct wt_hive_editor *editor, struct wt_error *err)
{
	uint8_t *parent = wt_hive_key(&editor->raw, children->parent);
	uint32_t list = WT_HIVE_NONE;
	size_t longest = wt_get16(parent + WT_NK_SUBKEY_NAME_MAX);
	size_t count = 0;
	enum wt_status ret = WT_OK;

	if (!children->is_changed)
		return WT_OK;
	for (size_t i = 0; i < children->count; i++) {
		if (children->at[i].key == WT_HIVE_NONE)
			continue;
		if (2 * children->at[i].name.units > longest)
			longest = 2 * children->at[i].name.units;
		children->at[count++] = children->at[i];
	}
	children->count = count;
	children_sort(children);
	children->sorted = count;
	ret = order_known(children, editor, err);
	if (ret != WT_OK)
		return ret;
	if (count > 0)
		ret = lists_new(editor, children->at, count, &list, err);
	if (ret != WT_OK)
		return ret;
	if (wt_get32(parent + WT_NK_SUBKEY_COUNT) > 0)
		list_free(editor, wt_get32(parent + WT_NK_SUBKEYS));
	wt_put32(parent + WT_NK_SUBKEY_COUNT, (uint32_t)count);
	wt_put32(parent + WT_NK_SUBKEYS, list);
	/* The upper half holds flags from Windows Vista on. */
	wt_put16(parent + WT_NK_SUBKEY_NAME_MAX, (uint32_t)longest);
	children->is_changed = false;
	return WT_OK;
}
