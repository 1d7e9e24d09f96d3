/* SPDX-License-Identifier: MIT
 * hive/cell.h: cells of a hive in memory are taken and given back. */
#ifndef WT_HIVE_CELL_H
#define WT_HIVE_CELL_H

#include "hive/check.h"

/** A stretch of bins that is free. */
struct wt_hive_room {
	uint32_t offset, len;
};

/** A hive that is being changed. */
struct wt_hive_editor {
	struct wt_hive_raw raw;
	size_t capacity;	    /**< bytes that raw.data may grow to */
	struct wt_hive_room *rooms; /**< free cells, the longest first */
	size_t room_count, next_room;
	struct wt_hive_room now; /**< where the next cell goes */
	uint64_t time;		 /**< FILETIME of the change */
	bool is_changed;
};

/**
 * Checks the hive at data and gets it ready for changes.
 *
 * @param data      capacity bytes that can be written to, of which len are
 *                  the hive; must outlive the editor
 * @param capacity  how long the hive may become
 */
enum wt_status wt_hive_editor_open(struct wt_hive_editor *ret_editor,
	uint8_t *data, size_t len, size_t capacity, const char *object,
	struct wt_error *err);
void wt_hive_editor_close(struct wt_hive_editor *editor);

/** Sequence numbers, times, length and checksum, when anything changed. */
void wt_hive_editor_finish(struct wt_hive_editor *editor);

/**
 * A zeroed cell with room for len bytes of contents.
 *
 * @return WT_ERR_HIVE: hive-full
 */
enum wt_status wt_hive_cell_new(struct wt_hive_editor *editor, size_t len,
	uint32_t *ret_offset, struct wt_error *err);

/** May the cell be changed or given back: does one thing alone lead to it? */
bool wt_hive_cell_is_own(const struct wt_hive_editor *editor, uint32_t offset);

/** Gives a cell back. One that more than one thing leads to stays. */
void wt_hive_cell_free(struct wt_hive_editor *editor, uint32_t offset);

#endif
