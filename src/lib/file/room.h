/* SPDX-License-Identifier: MIT
 * file/room.h: how much may still be written to a file system. */
#ifndef WT_FILE_ROOM_H
#define WT_FILE_ROOM_H

#include "base/error.h"

#include <sys/vfs.h>

struct wt_room {
	uint64_t free_len; /**< bytes that this process may still write */
	uint64_t unit_len; /**< what files are given at a time */
};

/** Room for two sizes as texts. */
struct wt_room_texts {
	char need[32];
	char free[32];
};

/**
 * What a file system's numbers mean.
 *
 * f_bavail is what anybody may use, and what df shows. On ext4 root may also
 * use the blocks that are reserved for root, which f_bfree counts; but f_bfree
 * counts as well what ext4 keeps from everyone for its own extents: a fiftieth
 * of the clusters, at most 4,096. It does not say how many, so that on a disk
 * of less than 800 MB some of root's blocks are left out here. Elsewhere
 * f_bfree tells nothing about root: on Btrfs it is what no file has, which
 * nobody may be able to use.
 *
 * Source: fs/ext4/super.c and balloc.c of Linux, ext4_statfs() and
 * ext4_has_free_clusters().
 *
 * @param is_root  root of the machine, not only of a user namespace
 */
struct wt_room wt_room_read(const struct statfs *fs, bool is_root);

/**
 * Looks at the file system of an open file or folder.
 *
 * @return false when it does not say: then writing will
 */
bool wt_room_look(int fd, struct wt_room *ret_room);

/** What a new file of that length takes at most: whole units, and one for
 *  what the file system notes about it. */
uint64_t wt_room_of_file(const struct wt_room *room, uint64_t len);

/** Both sizes, so that they differ. */
struct wt_room_texts wt_room_texts(const struct wt_room *room, uint64_t need);

#endif
