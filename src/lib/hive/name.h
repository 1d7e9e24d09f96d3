/* SPDX-License-Identifier: MIT
 * hive/name.h: names of keys, compared as Windows compares them. */
#ifndef WT_HIVE_NAME_H
#define WT_HIVE_NAME_H

#include "base/error.h"

/** The longest name of a key, in UTF-16 units. */
#define WT_HIVE_NAME_MAX 255

/** A name in upper case. */
struct wt_hive_name {
	const uint16_t *at;
	size_t units;
};

/** Upper case, unit by unit: ASCII and Latin-1. Further scripts stay as they
 *  are: of two names in one that has case the order is not known. */
uint16_t wt_hive_unit_upper(uint16_t unit);

/** Is the upper case of this unit known: Latin-1, or a script without case? */
bool wt_hive_unit_is_known(uint16_t unit);

/** Below, equal to or above 0, as a list of subkeys is ordered. */
int wt_hive_name_compare(
	const struct wt_hive_name *left, const struct wt_hive_name *right);

/** The hash of an upper-case name in an "lh" list. */
uint32_t wt_hive_name_hash(const struct wt_hive_name *name);

/**
 * The upper-case units of UTF-8 text.
 *
 * @param units  room for WT_HIVE_NAME_MAX
 * @return false when text is no UTF-8, empty, or too long
 */
bool wt_hive_name_from_utf8(
	const char *text, uint16_t *units, struct wt_hive_name *ret_name);

/**
 * The upper-case units of a key node's name.
 *
 * @param node   from its signature on, checked
 * @param units  room for as many as its name has bytes
 */
struct wt_hive_name wt_hive_key_name(const uint8_t *node, uint16_t *units);

/** The same for a value's, for which 65,535 are room enough. */
struct wt_hive_name wt_hive_value_name(const uint8_t *value, uint16_t *units);

/** False when half a surrogate is in the name: Windows takes it, UTF-8 cannot
 *  say it. */
bool wt_hive_name_is_utf8(const struct wt_hive_name *name);

#endif
