/* SPDX-License-Identifier: MIT
 * hive/children.c: the subkeys of a key, and whether Windows would find them.
 */
#include "hive/children.h"

#include <stdlib.h>
#include <string.h>

/* Flags of a key that is volatile (1), is a hive's root (2), or leads
 * elsewhere: a symbolic link (0x10), a predefined handle (0x40). */
#define FLAGS_ELSEWHERE 0x53u

/* The name in an "lf" list is the first four characters, where they are
 * Latin; what is 0 says nothing. */
static bool hint_is_right(const uint8_t *hint, const struct wt_hive_name *name)
{
	for (size_t i = 0; i < 4 && hint[i] != 0; i++)
		if (i >= name->units ||
			wt_hive_unit_upper(hint[i]) != name->at[i])
			return false;
	return true;
}

/* Compares the hashes of one list with the names of the subkeys from *next
 * on; the walk over the tree found the lists sound. */
static void hashes_check(const struct wt_hive_raw *raw, uint32_t list,
	struct wt_hive_children *children, size_t *next)
{
	const uint8_t *cell = wt_hive_cell(raw, list, 4, NULL);
	size_t count = wt_get16(cell + 2);

	if (memcmp(cell, "ri", 2) == 0) {
		for (size_t i = 0; i < count; i++)
			hashes_check(raw, wt_get32(cell + 4 + 4 * i), children,
				next);
		return;
	}
	children->has_li_list |= memcmp(cell, "li", 2) == 0;
	for (size_t i = 0; i < count; i++) {
		struct wt_hive_child *child = &children->at[(*next)++];
		const uint8_t *hash = cell + 4 + 8 * i + 4;

		if (memcmp(cell, "lh", 2) == 0)
			child->is_hash_right = wt_get32(hash) ==
					       wt_hive_name_hash(&child->name);
		else
			child->is_hash_right =
				memcmp(cell, "lf", 2) != 0 ||
				hint_is_right(hash, &child->name);
		/* Whoever wrote it knew the capitals; we do not. */
		for (size_t j = 0; j < child->name.units; j++)
			if (!wt_hive_unit_is_known(child->name.at[j]))
				child->is_hash_right = true;
	}
}

/* The order of two names rests on Windows' table of capitals: where they
 * first differ in units that are not known here, nothing is said. */
static bool is_order_known(
	const struct wt_hive_name *left, const struct wt_hive_name *right)
{
	for (size_t i = 0; i < left->units && i < right->units; i++)
		if (left->at[i] != right->at[i])
			/* Latin letters have none beyond Latin-1. */
			return wt_hive_unit_is_known(left->at[i]) ||
			       wt_hive_unit_is_known(right->at[i]);
	return true;
}

static bool is_less(
	const struct wt_hive_name *left, const struct wt_hive_name *right)
{
	return !is_order_known(left, right) ||
	       wt_hive_name_compare(left, right) < 0;
}

static void order_check(struct wt_hive_children *children)
{
	struct wt_hive_child *at = children->at;
	size_t extreme = 0;

	for (size_t i = 0; i < children->count; i++) {
		at[i].is_in_order =
			i == 0 || is_less(&at[extreme].name, &at[i].name);
		if (i == 0 || wt_hive_name_compare(
				      &at[i].name, &at[extreme].name) > 0)
			extreme = i;
	}
	for (size_t i = children->count; i-- > 0;) {
		bool is_last = i + 1 == children->count;

		at[i].is_in_order &=
			is_last || is_less(&at[i].name, &at[extreme].name);
		if (is_last || wt_hive_name_compare(
				       &at[i].name, &at[extreme].name) < 0)
			extreme = i;
	}
}

enum wt_status wt_hive_children_open(struct wt_hive_children *ret_children,
	const struct wt_hive_raw *raw, uint32_t parent, struct wt_error *err)
{
	struct wt_hive_children children = {0};
	uint32_t *keys = NULL;
	size_t units = 0, used = 0, next = 0;
	enum wt_status ret =
		wt_hive_subkeys(raw, parent, &keys, &children.count, err);

	if (ret != WT_OK)
		return ret;
	/* The walk over the tree found all these keys sound. */
	for (size_t i = 0; i < children.count; i++)
		units += wt_get16(wt_hive_key(raw, keys[i]) + WT_NK_NAME_LEN);
	children.at = calloc(children.count + 1, sizeof(*children.at));
	children.units = calloc(units + 1, sizeof(*children.units));
	if (!children.at || !children.units) {
		free(keys);
		wt_hive_children_close(&children);
		return wt_fail_memory(err);
	}
	for (size_t i = 0; i < children.count; i++) {
		children.at[i].key = keys[i];
		children.at[i].name = wt_hive_key_name(
			wt_hive_key(raw, keys[i]), children.units + used);
		used += children.at[i].name.units;
	}
	free(keys);
	if (children.count > 0)
		hashes_check(raw,
			wt_get32(wt_hive_key(raw, parent) + WT_NK_SUBKEYS),
			&children, &next);
	order_check(&children);
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

size_t wt_hive_children_find(const struct wt_hive_children *children,
	const struct wt_hive_name *name, size_t *ret_index)
{
	size_t found = 0;

	for (size_t i = 0; i < children->count; i++)
		if (wt_hive_name_compare(&children->at[i].name, name) == 0 &&
			found++ == 0)
			*ret_index = i;
	return found;
}

bool wt_hive_children_has_place(const struct wt_hive_children *children,
	const struct wt_hive_name *name)
{
	bool is_past = false;

	for (size_t i = 0; i < children->count; i++) {
		bool is_greater =
			wt_hive_name_compare(&children->at[i].name, name) > 0;

		if (is_past && !is_greater)
			return false;
		is_past = is_greater;
	}
	return true;
}

const char *wt_hive_child_fault(const struct wt_hive_raw *raw,
	const struct wt_hive_children *children, uint32_t parent, size_t index)
{
	const struct wt_hive_child *child = &children->at[index];
	const uint8_t *node = wt_hive_key(raw, child->key);

	if (!child->is_in_order)
		return "its list is not in order, or has it twice";
	if (!child->is_hash_right)
		return "its hash is wrong";
	if (wt_get16(node + WT_NK_FLAGS) & FLAGS_ELSEWHERE)
		return "its flags make it a link or a volatile key";
	if (wt_get32(node + WT_NK_PARENT) != parent)
		return "it names another key as its parent";
	return NULL;
}
