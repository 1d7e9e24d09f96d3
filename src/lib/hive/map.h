/* SPDX-License-Identifier: MIT
 * hive/map.h: hives as mapped files, and the child that works on them. */
#ifndef WT_HIVE_MAP_H
#define WT_HIVE_MAP_H

#include "base/child.h"
#include "base/io.h"
#include "hive/check.h"

/** A file in memory. */
struct wt_hive_map {
	uint8_t *data;
	size_t len;
};

/**
 * Maps a whole file. Only a child may touch the bytes of a file that others
 * can shorten: that would end it with SIGBUS.
 *
 * @param is_shared  writes go to the file; else it is read-only
 */
enum wt_status wt_hive_map_open(struct wt_hive_map *ret_map, int fd,
	bool is_shared, const char *object, struct wt_error *err);
void wt_hive_map_close(struct wt_hive_map *map);

/** The length of the file in bytes. */
enum wt_status wt_hive_file_len(
	int fd, const char *object, uint64_t *ret_len, struct wt_error *err);

/** What it may do: read hive_fd, and write what leads to *own_fd, which is
 *  borrowed. */
struct wt_sandbox wt_hive_sandbox(int hive_fd, const int *own_fd);

/** How a child is run on a hive of hive_len bytes that adds new_len. */
struct wt_child wt_hive_child(uint64_t hive_len, uint64_t new_len,
	const char *object, const volatile sig_atomic_t *cancel);

#endif
