/* SPDX-License-Identifier: MIT
 * wim/lib.h: how wimlib is called, always in a child process. */
#ifndef WT_WIM_LIB_H
#define WT_WIM_LIB_H

#include "base/child.h"
#include "base/io.h"
#include "wim/wim.h"

#include <wimlib.h>

/** The name of the WIM in messages. */
const char *wt_wim_object(
	const char *path, const struct wt_wim_options *options);

/** More threads or processes gain nothing for one WIM's hives. */
#define WT_WIM_THREADS_MAX 8

/** How many threads or processes share work: 1 to WT_WIM_THREADS_MAX. */
unsigned wt_wim_threads(const struct wt_wim_options *options);

/**
 * Runs fn in a child that has wimlib ready.
 *
 * @param seconds  0: no limit of time
 * @param sandbox  what fn opens, changes or starts; borrowed for the call
 */
enum wt_status wt_wim_child_run(const char *object, unsigned seconds,
	const struct wt_wim_options *options, const struct wt_sandbox *sandbox,
	wt_child_fn *fn, void *arg, struct wt_error *err);

/** The same beside what its caller does; see wt_child_start(). */
enum wt_status wt_wim_child_start(const char *object, unsigned seconds,
	const struct wt_wim_options *options, const struct wt_sandbox *sandbox,
	wt_child_fn *fn, void *arg, struct wt_child_job **ret_job,
	struct wt_error *err);

/**
 * A wimlib_* function failed: the reason and remedy in words.
 *
 * @param doing  what was tried, "cannot read image 1"
 */
enum wt_status wt_wim_fail(struct wt_error *err, int code, const char *object,
	const char *fmt, ...) WT_PRINTF(4, 5);

/** Tells what a child has written, for progress; total 0: not known. */
void wt_wim_tell_written(
	const struct wt_wim_options *options, uint64_t done, uint64_t total);

/** Opens a WIM. To be called in a child, which need not free it: taking
 *  thousands of files' names apart again takes longer than to end without.
 *  flags: WIMLIB_OPEN_FLAG_*. */
enum wt_status wt_wim_open(const char *path, int flags,
	const struct wt_wim_options *options, WIMStruct **ret_wim,
	struct wt_error *err);

#endif
