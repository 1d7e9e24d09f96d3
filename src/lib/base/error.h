/* SPDX-License-Identifier: MIT
 * base/error.h: fills a struct wt_error where a failure is found. */
#ifndef WT_BASE_ERROR_H
#define WT_BASE_ERROR_H

#include <wimtrust/wimtrust.h>

#define WT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/**
 * Fills err (NULL allowed) and returns status, so that a failing function can
 * say `return wt_fail(...)`. object may be NULL.
 */
enum wt_status wt_fail(struct wt_error *err, enum wt_status status,
	const char *code, const char *object, const char *fmt, ...)
	WT_PRINTF(5, 6);

/**
 * The same for a failed system call: errno is read first, kept as the native
 * code, and its text follows the formatted one after ": ".
 */
enum wt_status wt_fail_errno(struct wt_error *err, enum wt_status status,
	const char *code, const char *object, const char *fmt, ...)
	WT_PRINTF(5, 6);

/** Out of memory, the one failure without an object. */
enum wt_status wt_fail_memory(struct wt_error *err);

/** Adds the native code of another library. Returns err->status. */
enum wt_status wt_error_native(
	struct wt_error *err, enum wt_domain domain, int native);

/** Adds the remedy. Keeps one that stands there already. */
void wt_error_hint(struct wt_error *err, const char *fmt, ...) WT_PRINTF(2, 3);

/** 0, or the number that a signal handler or another thread put into *cancel,
 *  which may be NULL. */
int wt_cancel_number(const volatile sig_atomic_t *cancel);

/** WT_INTERRUPTED with the signal's number when *cancel is set, else WT_OK.
 *  Long work asks this between steps. */
enum wt_status wt_cancelled(
	const volatile sig_atomic_t *cancel, struct wt_error *err);

/**
 * Sets the hint to text, in which FILE is the file: its path stands there
 * instead, unless a shell would take it for something else.
 */
void wt_error_hint_file(
	struct wt_error *err, const char *text, const char *path);

#endif
