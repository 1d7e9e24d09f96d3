/* SPDX-License-Identifier: MIT
 * file/undo.h: what a file held before it is changed in place.
 *
 * The undo file is beside its file, as ".NAME.wimtrust-undo", from before
 * the first byte is written until the last one is on the disk. It holds what
 * the change replaces, before and after, and what it cuts off; what it appends
 * needs no more than the old length. All integers are little-endian.
 *
 *   offset   size  meaning
 *   0        16    "wimtrust undo 1\n"
 *   16       8     length of the file before
 *   24       8     length of the file after
 *   32       8     number of ranges n, 1 or more
 *   40       16 n  for each range its offset (8) and length (8), ascending
 *   40+16n   ...   for each range its bytes before, then its bytes after,
 *                  which a range behind the length after does not have
 *   end-32   32    SHA-256 of everything before it
 */
#ifndef WT_FILE_UNDO_H
#define WT_FILE_UNDO_H

#include "file/workfile.h"

#include <sys/stat.h>

/** What a disk writes whole or not at all. */
#define WT_SECTOR_LEN 512

struct wt_undo_range {
	uint64_t offset, len;
	uint64_t new_len;		    /**< len, or 0 when it is cut off */
	const uint8_t *old_data, *new_data; /**< within the undo's buffer */
};

struct wt_undo {
	uint64_t old_len, new_len;
	size_t range_count;
	struct wt_undo_range *ranges;
	uint8_t *buffer; /**< the undo file's content */
	size_t buffer_len;
};

/** How a file looks, compared with the undo file beside it. What
 *  stands behind the length after means nothing. */
enum wt_undo_state {
	WT_UNDO_OLD,	 /**< as before, perhaps with a tail */
	WT_UNDO_NEW,	 /**< changed whole, perhaps not yet cut */
	WT_UNDO_TORN,	 /**< some sectors as before, some as after */
	WT_UNDO_FOREIGN, /**< some other program has written it since */
};

/**
 * Takes from fd what the patch will replace.
 *
 * @param ret_undo  free with wt_undo_free()
 */
enum wt_status wt_undo_new(int fd, const struct wt_patch *patch,
	const char *object, struct wt_undo **ret_undo, struct wt_error *err);
void wt_undo_free(struct wt_undo *undo);

/**
 * Writes the undo file and syncs it and its folder.
 *
 * @param file    of NAME: the undo file gets its owner and mode
 * @param ret_fd  locked as a sign that the writer lives; the caller closes it
 */
enum wt_status wt_undo_write(const struct wt_undo *undo, int dir_fd,
	const char *name, const struct stat *file, const char *object,
	int *ret_fd, struct wt_error *err);

/**
 * Reads the undo file of NAME when there is one.
 *
 * @param ret_undo     NULL when there is none; when there is one that was
 *                     not finished, an undo without ranges
 * @param ret_is_live  a writer is at work at this moment
 * @return WT_ERR_FILE: undo-foreign when it is not ours to believe
 */
enum wt_status wt_undo_read(int dir_fd, const char *name,
	const struct stat *file, const char *object, struct wt_undo **ret_undo,
	bool *ret_is_live, struct wt_error *err);

/** Removes the undo file and syncs the folder; 0 or -1. */
int wt_undo_remove(int dir_fd, const char *name);

/** Compares a file of file_len bytes with an undo; 0 or -1 with errno. */
int wt_undo_compare(const struct wt_undo *undo, int fd, uint64_t file_len,
	enum wt_undo_state *ret_state);

/** Writes back the old bytes, syncs, cuts to the old length, syncs. */
int wt_undo_restore(const struct wt_undo *undo, int fd);

/** The state before, read from fd and the undo, as a memfd; -1 with errno.
 *  What was too long to be kept and may be cut off already is zeros. */
int wt_undo_old_state(const struct wt_undo *undo, int fd);

#endif
