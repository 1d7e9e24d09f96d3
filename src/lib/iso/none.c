/* SPDX-License-Identifier: MIT
 * iso/none.c: a build without the libraries that read discs. */
#include "iso/iso.h"

bool wt_iso_is(int fd)
{
	(void)fd;
	return false;
}

enum wt_status wt_iso_extract(int fd, int out_fd,
	const struct wt_iso_options *options, uint64_t *ret_len,
	struct wt_error *err)
{
	(void)fd;
	(void)out_fd;
	(void)ret_len;
	return wt_fail(err, WT_ERR_IMAGE, "iso-no-boot-wim", options->object,
		"is an ISO image, which this build does not read");
}
