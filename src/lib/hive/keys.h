/* SPDX-License-Identifier: MIT
 * hive/keys.h: the subkeys of a key are listed, found and listed anew. */
#ifndef WT_HIVE_KEYS_H
#define WT_HIVE_KEYS_H

#include "hive/cell.h"
#include "hive/name.h"

struct wt_hive_child {
	struct wt_hive_name name; /**< upper case, within units */
	uint32_t key;		  /**< WT_HIVE_NONE: to be left out */
};

/** The subkeys of a key: those that stood there, sorted, then new ones. */
struct wt_hive_children {
	uint32_t parent;
	struct wt_hive_child *at;
	size_t count, room;
	size_t sorted; /**< of count, how many are in order */
	uint16_t *units;
	bool is_changed;
};

/** Reads the subkeys of parent; names too. */
enum wt_status wt_hive_children_open(struct wt_hive_children *ret_children,
	const struct wt_hive_editor *editor, uint32_t parent,
	struct wt_error *err);
void wt_hive_children_close(struct wt_hive_children *children);

/** The first of *ret_count sorted subkeys of that name. */
struct wt_hive_child *wt_hive_children_find(
	const struct wt_hive_children *children,
	const struct wt_hive_name *name, size_t *ret_count);

/**
 * Makes a key below the parent. It comes into the parent's list with
 * wt_hive_children_write().
 *
 * @param text  its name: ASCII
 * @param name  the same in upper case; must outlive children
 */
enum wt_status wt_hive_children_add(struct wt_hive_children *children,
	struct wt_hive_editor *editor, const char *text,
	const struct wt_hive_name *name, uint32_t *ret_key,
	struct wt_error *err);

/** Gives the key's cells back, and those of all keys below it, and leaves it
 *  out of the list. */
enum wt_status wt_hive_children_remove(struct wt_hive_children *children,
	struct wt_hive_editor *editor, struct wt_hive_child *child,
	struct wt_error *err);

/** Writes the parent's list of subkeys anew when it changed. */
enum wt_status wt_hive_children_write(struct wt_hive_children *children,
	struct wt_hive_editor *editor, struct wt_error *err);

#endif
