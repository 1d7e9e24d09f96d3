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

/**
 * Upper case, unit by unit: ASCII and Latin-1. Further scripts stay as they
 * are; a list with a name in one that has case is read, not written anew.
 */
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
 * The upper-case units of a stored name.
 *
 * @param is_ascii  one byte for each character; else UTF-16LE
 * @param units     room for len units
 */
struct wt_hive_name wt_hive_name_stored(
	const uint8_t *data, size_t len, bool is_ascii, uint16_t *units);

#endif
