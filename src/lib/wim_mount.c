/* SPDX-License-Identifier: MIT
 * wim_mount.c: puts hives into a skeleton through wimlib's FUSE mount. */
#include "wim_append.h"

enum wt_status wt_wim_mount(const struct wt_wim_append *append,
	bool *ret_cannot_mount, struct wt_error *err)
{
	*ret_cannot_mount = true;
	return wt_fail(err, WT_ERR_FILE, "mount-failed", append->object,
		"mounting is not there yet");
}
