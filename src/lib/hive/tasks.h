/* SPDX-License-Identifier: MIT
 * hive/tasks.h: what changes mean for one hive, and whether hivex may make
 * them. */
#ifndef WT_HIVE_TASKS_H
#define WT_HIVE_TASKS_H

#include "hive/children.h"
#include "hive/hive.h"

/** The deepest place, a store and its key Certificates. */
#define WT_HIVE_STEPS_MAX 5

/** The longest name of a step, and its end. */
#define WT_HIVE_STEP_SIZE 32

/** One change, and what it finds. */
struct wt_hive_task {
	const struct wt_hive_change *change;
	struct wt_hive_name name; /**< of the key, upper case */
	uint32_t key;		  /**< its offset; WT_HIVE_NONE: not there */
	size_t index;		  /**< among the subkeys of Certificates */
	bool is_done;		  /**< the hive has it already */
};

/** All tasks of one place and store. */
struct wt_hive_store {
	struct wt_hive_step {
		char text[WT_HIVE_STEP_SIZE];
		uint16_t units[WT_HIVE_STEP_SIZE];
		struct wt_hive_name name;
		uint32_t key;	    /**< WT_HIVE_NONE: to be made */
	} steps[WT_HIVE_STEPS_MAX]; /**< from below the root on */
	size_t step_count;
	struct wt_hive_task *tasks; /**< by name, none twice */
	size_t task_count;
	bool is_to_be_made; /**< a task sets a value */
};

struct wt_hive_tasks {
	struct wt_hive_store *stores;
	size_t store_count;
	struct wt_hive_task *tasks;
	uint16_t *units;
	bool is_done; /**< all of them are: nothing is to be written */
};

/** The steps to the certificates of a place and store; nothing is looked up. */
void wt_hive_store_steps(struct wt_hive_store *store, enum wt_hive_place place,
	enum wt_store which);

/** The task that names this key, or NULL. */
struct wt_hive_task *wt_hive_task_find(
	const struct wt_hive_store *store, const struct wt_hive_name *name);

/** Is the value at this node called Blob? */
bool wt_hive_value_is_blob(const uint8_t *value);

/** Is the data of this value in several segments? */
bool wt_hive_value_is_big(const struct wt_hive_raw *raw, const uint8_t *value);

/**
 * Looks up what the changes name, and refuses what hivex would make something
 * else of.
 *
 * @param raw      opened with WT_HIVE_WITH_OWNERS
 * @param changes  borrowed; of two to one key the later counts
 * @return WT_ERR_HIVE: hive-bad-name, hive-bad-security, hive-bad-value,
 *         hive-big-value, hive-duplicate-key, hive-foreign-name, hive-full,
 *         hive-hidden-key,
 *         hive-li-list, hive-other-big-value, hive-shared-cell,
 *         hive-bad-key, hive-bad-list
 */
enum wt_status wt_hive_tasks_open(struct wt_hive_tasks *ret_tasks,
	const struct wt_hive_raw *raw, const struct wt_hive_change *changes,
	size_t change_count, struct wt_error *err);
void wt_hive_tasks_close(struct wt_hive_tasks *tasks);

#endif
