/* SPDX-License-Identifier: MIT
 * child.h: runs work on untrusted input in a process of its own. */
#ifndef WT_CHILD_H
#define WT_CHILD_H

#include "error.h"

/** What the child may use; 0 means no limit of that kind. */
struct wt_child_limits {
	uint64_t memory_len; /**< address space, bytes (not under asan) */
	uint64_t file_len;   /**< longest file it may write, bytes */
	unsigned seconds;    /**< wall time, then it is killed */
};

/** How the child is run, and what is said when it dies. */
struct wt_child {
	struct wt_child_limits limits;
	const char *object;	    /**< named in messages */
	enum wt_status died_status; /**< its crash, abort or time-out */
	const char *died_code;	    /**< stable word for it */
	const volatile sig_atomic_t *cancel; /**< NULL, or not 0 to stop */
};

typedef enum wt_status wt_child_fn(void *arg, struct wt_error *err);

/**
 * Runs fn(arg) in a forked child and gives its status and error back.
 *
 * The child is a copy of this process: what fn writes to ordinary memory is
 * lost with it. Results go through file descriptors that were open before
 * (memfd_create), or memory from wt_shared_new(). SIGINT, SIGTERM and SIGHUP
 * do not reach fn; the child is killed when *cancel becomes a signal's number
 * (then WT_INTERRUPTED), when time is up, or when this process dies.
 */
enum wt_status wt_child_run(const struct wt_child *how, wt_child_fn *fn,
	void *arg, struct wt_error *err);

/** Zeroed memory that a child shares with its parent; NULL when there is
 *  none. Free with wt_shared_free() and the same length. */
void *wt_shared_new(size_t len);
void wt_shared_free(void *shared, size_t len);

/** WT_INTERRUPTED with the signal's number when *cancel is set, else WT_OK.
 *  Long work asks this between steps. cancel may be NULL. */
enum wt_status wt_cancelled(
	const volatile sig_atomic_t *cancel, struct wt_error *err);

#endif
