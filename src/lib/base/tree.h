/* SPDX-License-Identifier: MIT
 * base/tree.h: removes folders, and what is mounted in them. */
#ifndef WT_BASE_TREE_H
#define WT_BASE_TREE_H

/**
 * Removes a folder with all that is in it. Links are removed, not followed;
 * what is mounted in it is unmounted first.
 *
 * @param path  of the folder when something may be mounted in it, else NULL
 * @return 0, or -1 with errno set when something stays
 */
int wt_tree_remove(int dir_fd, const char *name, const char *path);

/** Removes a mount without asking who serves it; none is no failure. */
void wt_unmount(const char *mount_point);

#endif
