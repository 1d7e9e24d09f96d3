/* SPDX-License-Identifier: MIT
 * iso/reader.h: the two ways to read a disc; called in a child. */
#ifndef WT_ISO_READER_H
#define WT_ISO_READER_H

#include "base/error.h"

#include <stdatomic.h>

/** Folders and discs with more entries are not searched to their end. */
#define WT_ISO_ENTRIES_MAX 200000
/** Bytes that are read and written at a time. */
#define WT_ISO_STEP ((size_t)1024 * 1024)

/** What the child tells while it works. */
struct wt_iso_told {
	_Atomic uint64_t done, total;
};

/** A disc that is read, and where its boot image goes. */
struct wt_iso_work {
	int fd;
	uint64_t len; /**< of the disc, bytes */
	int out_fd;
	const char *object;
	struct wt_iso_told *told; /**< shared with the parent */
	int read_errno;		  /**< why the disc could not be read, or 0 */
};

/**
 * Looks for the boot image on one of the disc's file systems and writes it
 * out.
 *
 * @param ret_is_found  false when there is no such file system, or no boot
 *                      image on it; then WT_OK is returned
 * @return WT_ERR_WIM (iso-damaged), WT_ERR_FILE
 */
typedef enum wt_status wt_iso_reader(
	struct wt_iso_work *work, bool *ret_is_found, struct wt_error *err);

wt_iso_reader wt_iso_read_udf;
wt_iso_reader wt_iso_read_9660;

/** Fills a buffer from the disc; counts what is behind its end as read_errno
 *  ENODATA. @return how many bytes, -1 on failure */
int64_t wt_iso_read_at(
	struct wt_iso_work *work, void *dst, size_t len, uint64_t offset);

/** Refuses a length that no file on this disc can have, and tells it. */
enum wt_status wt_iso_announce(
	struct wt_iso_work *work, int64_t len, struct wt_error *err);

/** Writes a part of the boot image. */
enum wt_status wt_iso_write(struct wt_iso_work *work, const void *src,
	size_t len, uint64_t offset, struct wt_error *err);

/** Fills err: the disc could not be read, or is damaged. */
enum wt_status wt_iso_fail(
	const struct wt_iso_work *work, const char *what, struct wt_error *err);

#endif
