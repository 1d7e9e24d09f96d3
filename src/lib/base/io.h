/* SPDX-License-Identifier: MIT
 * base/io.h: whole reads and writes, syncing, and what their failures mean. */
#ifndef WT_BASE_IO_H
#define WT_BASE_IO_H

#include "base/error.h"

#include <sys/stat.h>

#define WT_IO_NAME_LETTERS "abcdefghijklmnopqrstuvwxyz234567"

/* The functions that return int give 0, or -1 with errno set. */

/** Reads len bytes at offset; errno is ENODATA when the file ends before. */
int wt_io_read(int fd, void *dst, size_t len, uint64_t offset);

/** Writes all len bytes at offset. */
int wt_io_write(int fd, const void *src, size_t len, uint64_t offset);

/**
 * Reads len bytes at offset, or as many as there are before the end of the
 * file. Returns WT_ERR_FILE (read-failed).
 *
 * @param ret_len  how many bytes were read
 */
enum wt_status wt_io_read_some(int fd, void *dst, size_t len, uint64_t offset,
	const char *object, size_t *ret_len, struct wt_error *err);

/** Reads exactly len bytes at offset. Returns WT_ERR_FILE (read-failed), also
 *  when the file ends before. */
enum wt_status wt_io_read_all(int fd, void *dst, size_t len, uint64_t offset,
	const char *object, struct wt_error *err);

/** Says that a file ended at len bytes, before it should. Returns WT_ERR_FILE
 *  (read-failed). */
enum wt_status wt_io_fail_short(
	uint64_t len, const char *object, struct wt_error *err);

/** Writes exactly len bytes at offset. Returns WT_ERR_FILE (no-space or
 *  write-failed). */
enum wt_status wt_io_write_all(int fd, const void *src, size_t len,
	uint64_t offset, const char *object, struct wt_error *err);

/**
 * Makes a file in memory. Returns WT_ERR_FILE (no-memory).
 *
 * @param name    shows in /proc only
 * @param object  what the file is for
 */
enum wt_status wt_io_memory_file(const char *name, const char *object,
	int *ret_fd, struct wt_error *err);

/** Did wt_io_memory_file() make the file? A user's file on a tmpfs is also in
 *  memory, but is not meant. */
bool wt_io_is_in_memory(int fd);

/** fsync, repeated when a signal came in between. */
int wt_io_sync(int fd);

int wt_io_truncate(int fd, uint64_t len);

/** openat that never waits for a FIFO or a lease, and is not inherited. The
 *  descriptor blocks as usual. EAGAIN: another process holds a lease. */
int wt_io_open(int dir_fd, const char *name, int flags, mode_t mode);

/** Opens a folder by a path that was resolved before: none of its parts may
 *  have become a link since (ELOOP), where the kernel can tell (5.6). */
int wt_io_open_resolved(const char *path, int flags);

/**
 * Copies len bytes between files that do not overlap, with a buffer of its
 * own. errno is ENODATA when src ends before, EINTR when *cancel was set.
 */
int wt_io_copy(int src_fd, uint64_t src_offset, int dst_fd, uint64_t dst_offset,
	uint64_t len, const volatile sig_atomic_t *cancel);

/**
 * Fills err from errno: no-space (ENOSPC, EDQUOT), permission,
 * read-only-file-system, not-found, no-memory, file-too-long or io-error, with
 * the remedy where there is one. Returns WT_ERR_FILE.
 */
enum wt_status wt_io_fail(struct wt_error *err, const char *object,
	const char *fmt, ...) WT_PRINTF(3, 4);

/** Are both the same file, whatever its names are? */
bool wt_io_is_same(const struct stat *a, const struct stat *b);

/** Does the name in the folder lead to the open file? Links are not followed.
 */
bool wt_io_is_named(int fd, int dir_fd, const char *name);

/** Writes len letters of WT_IO_NAME_LETTERS that nobody can guess, without a
 *  NUL. */
int wt_io_random_name(char *dst, size_t len);

/** "1.5 GB", for messages. Returns dst. */
const char *wt_io_size_text(uint64_t len, char dst[32]);

/**
 * stat() that asks the server. Otherwise the kernel may answer from its cache,
 * and cifs makes up times there until it has asked.
 *
 * @param name  in dir_fd, a link is not followed; "" for dir_fd itself
 * @return 0, or -1 with errno set
 */
int wt_io_stat(int dir_fd, const char *name, struct stat *ret_found);

/** When a file was last changed, in nanoseconds since 1970. */
int64_t wt_io_mtime_ns(const struct stat *file);

/** Milliseconds of a clock that never goes back. */
int64_t wt_io_now_ms(void);

/** Sleeps; a signal may end it early. */
void wt_io_sleep_ms(unsigned ms);

#endif
