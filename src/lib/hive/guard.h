/* SPDX-License-Identifier: MIT
 * hive/guard.h: what hivex would make something else of is refused beforehand.
 */
#ifndef WT_HIVE_GUARD_H
#define WT_HIVE_GUARD_H

#include "hive/tasks.h"

/*
 * hivex trusts what it is given. These are the shapes that it was seen to
 * write wrongly, or that Windows would not find; each has a code of its own.
 * All return WT_OK or WT_ERR_HIVE.
 */

/** hive-bad-name: a name that is to be made is plain ASCII. */
enum wt_status wt_hive_guard_name(
	const struct wt_hive_raw *raw, const char *text, struct wt_error *err);

/** hive-duplicate-key, hive-hidden-key: a key on the way is there once, and
 *  where Windows looks for it. */
enum wt_status wt_hive_guard_way(const struct wt_hive_raw *raw,
	const struct wt_hive_children *children, uint32_t parent, size_t index,
	size_t count, const char *text, struct wt_error *err);

/** hive-hidden-key: no key has the name of one that is to be removed. */
enum wt_status wt_hive_guard_gone(
	const struct wt_hive_raw *raw, const char *text, struct wt_error *err);

/** hive-bad-security, hive-foreign-name, hive-hidden-key: a key can be made
 *  below parent. */
enum wt_status wt_hive_guard_new(const struct wt_hive_raw *raw,
	const struct wt_hive_children *children, uint32_t parent,
	const struct wt_hive_name *name, const char *text,
	struct wt_error *err);

/**
 * As wt_hive_guard_way(), for a key whose value is set or that is removed
 * with all below it, and hive-bad-key, hive-bad-value, hive-li-list,
 * hive-other-big-value, hive-shared-cell.
 */
enum wt_status wt_hive_guard_old(const struct wt_hive_raw *raw,
	const struct wt_hive_children *children, uint32_t parent,
	const struct wt_hive_task *task, size_t count, struct wt_error *err);

/** hive-full: not too many new keys in a store. */
enum wt_status wt_hive_guard_store(const struct wt_hive_raw *raw,
	const struct wt_hive_store *store, struct wt_error *err);

/** hive-bad-security: the counts of the descriptors that removed keys use. */
enum wt_status wt_hive_guard_security(const struct wt_hive_raw *raw,
	const struct wt_hive_tasks *tasks, struct wt_error *err);

#endif
