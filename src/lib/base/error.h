/* SPDX-License-Identifier: MIT
 * base/error.h: errors, and what only the library asks of them. */
#ifndef WT_BASE_ERROR_H
#define WT_BASE_ERROR_H

#include <wimtrust/error.h>

/** 0, or the number that a signal handler or another thread put into *cancel,
 *  which may be NULL. */
int wt_cancel_number(const volatile sig_atomic_t *cancel);

/** Copies an error from a process that hostile input may control: every text
 *  ends within its array, and status and domain are known values. */
void wt_error_copy(struct wt_error *err, const struct wt_error *from);

/** Fails as another call did: copies why to err (NULL allowed), and returns its
 *  status. */
enum wt_status wt_fail_as(struct wt_error *err, const struct wt_error *why);

/** A pointer that function needs is NULL (bad-argument). */
enum wt_status wt_fail_argument(struct wt_error *err, const char *function);

/**
 * Sets the hint to text, with path in place of FILE unless a shell would
 * read path as something else.
 */
void wt_error_hint_file(
	struct wt_error *err, const char *text, const char *path);

#endif
