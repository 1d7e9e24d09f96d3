/* SPDX-License-Identifier: MIT
 * hivefile.h: a hive read or written while the caller waits. */
#ifndef WT_HIVEFILE_H
#define WT_HIVEFILE_H

#include <unistd.h>

#include "hive/hive.h"

static inline enum wt_status hive_read_now(int hive_fd, const char *object,
	const volatile sig_atomic_t *cancel,
	struct wt_hive_content **ret_content, struct wt_error *err)
{
	struct wt_hive_reading *reading = NULL;
	enum wt_status ret =
		wt_hive_read_start(hive_fd, object, cancel, &reading, err);

	return ret == WT_OK ? wt_hive_read_finish(reading, ret_content, err)
			    : ret;
}

static inline enum wt_status hive_write_now(int hive_fd, const char *object,
	const struct wt_hive_change *changes, size_t change_count,
	const volatile sig_atomic_t *cancel, int *ret_fd, struct wt_error *err)
{
	struct wt_hive_writing *writing = NULL;
	int fd = -1;
	enum wt_status ret = wt_hive_write_start(
		hive_fd, object, changes, change_count, cancel, &writing, err);

	if (ret == WT_OK)
		ret = wt_hive_write_bytes(writing, &fd, err);
	ret = wt_hive_write_end(writing, ret, err);
	if (ret == WT_OK)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	return ret;
}

#endif
