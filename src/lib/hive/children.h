/* SPDX-License-Identifier: MIT
 * hive/children.h: the subkeys of a key, and whether Windows would find them.
 */
#ifndef WT_HIVE_CHILDREN_H
#define WT_HIVE_CHILDREN_H

#include "hive/check.h"
#include "hive/name.h"

struct wt_hive_child {
	struct wt_hive_name name; /**< upper case, within units */
	uint32_t key;		  /**< offset of its key node */
	bool is_in_order;	  /**< greater than all before it, less than
				       all behind it */
	bool is_hash_right;	  /**< and so is the hint of an "lf" list */
};

/** The subkeys of a key in the order of its lists. */
struct wt_hive_children {
	struct wt_hive_child *at;
	size_t count;
	uint16_t *units;
	bool has_li_list; /**< a list without hashes, as Windows NT has */
};

/** Reads the subkeys of parent. Free with wt_hive_children_close(). */
enum wt_status wt_hive_children_open(struct wt_hive_children *ret_children,
	const struct wt_hive_raw *raw, uint32_t parent, struct wt_error *err);
void wt_hive_children_close(struct wt_hive_children *children);

/** How many subkeys have that name; *ret_index is the first one's. */
size_t wt_hive_children_find(const struct wt_hive_children *children,
	const struct wt_hive_name *name, size_t *ret_index);

/** Is there a place for a new subkey of that name, where all before it are
 *  less and all behind it are greater? */
bool wt_hive_children_has_place(const struct wt_hive_children *children,
	const struct wt_hive_name *name);

/**
 * Why Windows may not find a subkey or find another one for it. Windows
 * searches lists by order and by hash, follows keys that are links, and gives
 * up on keys with other parents. Sources: the format's specification, and
 * CmCheckRegistry as its users see it.
 *
 * @return static text for "the key X: ..."; NULL when nothing is wrong
 */
const char *wt_hive_child_fault(const struct wt_hive_raw *raw,
	const struct wt_hive_children *children, uint32_t parent, size_t index);

#endif
