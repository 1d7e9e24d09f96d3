/* SPDX-License-Identifier: MIT
 * iso/iso.h: the boot image in an image of a disc (ISO), UDF or ISO 9660. */
#ifndef WT_ISO_ISO_H
#define WT_ISO_ISO_H

#include "base/error.h"

/** Where the boot image is, in any case. */
#define WT_ISO_MEMBER "sources/boot.wim"

/** How an image of a disc is read. */
struct wt_iso_options {
	const char *object; /**< names it in messages */
	const volatile sig_atomic_t *cancel;
	void (*progress)(
		void *ctx, const char *what, uint64_t done, uint64_t total);
	void *progress_ctx;
};

/**
 * Is the file an image of a disc? Told by the descriptors from sector 16 on,
 * of ISO 9660 ("CD001") or UDF ("BEA01"). Always false in a build without
 * the libraries that read them.
 */
bool wt_iso_is(int fd);

/**
 * Writes the boot image in it to a file, in a child with limits: the UDF side
 * is asked first, which is the one that Windows reads, then ISO 9660.
 *
 * @param out_fd   an empty file
 * @param ret_len  its length in bytes
 * @return WT_ERR_IMAGE (iso-no-boot-wim), WT_ERR_WIM (iso-damaged,
 *         iso-crash), WT_ERR_FILE (read-failed, no-space, write-failed),
 *         WT_INTERRUPTED
 */
enum wt_status wt_iso_extract(int fd, int out_fd,
	const struct wt_iso_options *options, uint64_t *ret_len,
	struct wt_error *err);

#endif
