/* SPDX-License-Identifier: MIT
 * file/room.c: how much may still be written to a file system. */
#include "file/room.h"

#include "base/io.h"

#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The most that ext4 keeps from everyone, in clusters. */
#define EXT4_KEPT_MAX ((uint64_t)4096)

struct wt_room wt_room_read(const struct statfs *fs, bool is_root)
{
	/* What a container sees of its host's ext4 is an overlay, as a rule. */
	bool is_ext4 = (unsigned long)fs->f_type == EXT4_SUPER_MAGIC ||
		       (unsigned long)fs->f_type == OVERLAYFS_SUPER_MAGIC;
	uint64_t unit_len =
		(uint64_t)(fs->f_frsize > 0 ? fs->f_frsize : fs->f_bsize);
	uint64_t blocks = fs->f_bavail;

	if (is_root && is_ext4 && fs->f_bfree > blocks + EXT4_KEPT_MAX)
		blocks = fs->f_bfree - EXT4_KEPT_MAX;
	if (unit_len == 0)
		unit_len = 4096;
	return (struct wt_room){
		.free_len = blocks > UINT64_MAX / unit_len ? UINT64_MAX
							   : blocks * unit_len,
		.unit_len = unit_len,
	};
}

/* In a user namespace root is somebody else. */
static bool is_real_root(void)
{
	FILE *map = geteuid() == 0 ? fopen("/proc/self/uid_map", "re") : NULL;
	unsigned inside = 1, outside = 1;
	bool is_it = false;

	if (!map)
		return false;
	is_it = fscanf(map, "%u %u", &inside, &outside) == 2 && inside == 0 &&
		outside == 0;
	fclose(map);
	return is_it;
}

bool wt_room_look(int fd, struct wt_room *ret_room)
{
	struct statfs fs = {0};

	if (fstatfs(fd, &fs) != 0 || fs.f_blocks == 0)
		return false;
	*ret_room = wt_room_read(&fs, is_real_root());
	return true;
}

uint64_t wt_room_of_file(const struct wt_room *room, uint64_t len)
{
	uint64_t units = len / room->unit_len + (len % room->unit_len > 0) + 1;

	return units > UINT64_MAX / room->unit_len ? UINT64_MAX
						   : units * room->unit_len;
}

struct wt_room_texts wt_room_texts(const struct wt_room *room, uint64_t need)
{
	struct wt_room_texts texts = {0};

	wt_io_size_text(need, texts.need);
	wt_io_size_text(room->free_len, texts.free);
	if (strcmp(texts.need, texts.free) != 0)
		return texts;
	snprintf(texts.need, sizeof(texts.need), "%" PRIu64 " bytes", need);
	snprintf(texts.free, sizeof(texts.free), "%" PRIu64 " bytes",
		room->free_len);
	return texts;
}
