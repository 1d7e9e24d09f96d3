/* SPDX-License-Identifier: MIT
 * base/child.h: runs work on untrusted input in a process of its own. */
#ifndef WT_BASE_CHILD_H
#define WT_BASE_CHILD_H

#include "base/sandbox.h"

/** What the child may use; 0 means no limit of that kind. */
struct wt_child_limits {
	uint64_t memory_len; /**< address space, bytes (not under asan) */
	uint64_t file_len;   /**< longest file it may write, bytes */
	unsigned seconds;    /**< wall time, then it is killed */
};

/** How to run the child, and what to report when it dies. */
struct wt_child {
	struct wt_child_limits limits;
	const char *object;	    /**< named in messages */
	enum wt_status died_status; /**< its crash, abort or time-out */
	const char *died_code;	    /**< stable word for it */
	const volatile sig_atomic_t *cancel; /**< NULL, or not 0 to stop */
	/** fn becomes another program (exec), whose exit status 0 is WT_OK. */
	bool is_program;
	/** What it may still do; NULL: what this process may. */
	const struct wt_sandbox *sandbox;
};

typedef enum wt_status wt_child_fn(void *arg, struct wt_error *err);

/**
 * Runs fn(arg) in a forked child and gives its status and error back.
 *
 * The child is a copy of this process: what fn writes to ordinary memory is
 * lost with it. Results go through file descriptors that were open before
 * (memfd_create), or memory from wt_shared_new(). SIGINT, SIGTERM and SIGHUP
 * do not reach fn; the child is killed when *cancel becomes a signal's number
 * (then WT_INTERRUPTED), when time is up, or when this process dies. What it
 * has started and not waited for is to die with it (PR_SET_PDEATHSIG, as the
 * children of this module do), and is waited for.
 *
 * No wait is without end. A killed process that the kernel does not let go
 * (it waits for a file system that does not answer) is left to itself after a
 * few seconds.
 */
enum wt_status wt_child_run(const struct wt_child *how, wt_child_fn *fn,
	void *arg, struct wt_error *err);

/** A child that works while its parent does something else. */
struct wt_child_job;

/**
 * As wt_child_run(), but returns once the child is started. A process of its
 * own rather than a thread: this one forks, and what a thread holds at that
 * moment, the fork would hold for ever.
 *
 * @param how  copied; object and cancel are borrowed until the job has ended
 * @param ret_job  give it to wt_child_finish() or wt_child_stop()
 */
enum wt_status wt_child_start(const struct wt_child *how, wt_child_fn *fn,
	void *arg, struct wt_child_job **ret_job, struct wt_error *err);

/** Has the child ended? Waits for that, ms milliseconds at most. */
bool wt_child_wait(struct wt_child_job *job, int ms);

/**
 * In a child: tells the parent, once, that what it waits for is there. The
 * child goes on. It first gives freed memory back to the system, because both
 * work from here on. Does nothing in a process that is not a child.
 */
void wt_child_tell(void);

/**
 * Waits for wt_child_tell(), or for the child's end.
 *
 * @return false: it has ended, its time is up, or it was cancelled;
 *         wt_child_finish() says which
 */
bool wt_child_told(struct wt_child_job *job);

/** Waits for the end of the child and of all that it has started, calling tick
 * (NULL for none) now and then. The job is freed in either case. */
enum wt_status wt_child_finish(struct wt_child_job *job,
	void (*tick)(void *ctx), void *tick_ctx, struct wt_error *err);

/** Kills the child, waits for its end and for that of all it has started, and
 *  frees the job; NULL allowed. */
void wt_child_stop(struct wt_child_job *job);

/**
 * The end of a job beside which something else was done: wt_child_finish()
 * when that went well, wt_child_stop() when it failed.
 *
 * @param job  freed; NULL allowed
 * @param ret  how the other work ended
 * @return ret, or the job's status when ret is WT_OK
 */
enum wt_status wt_child_end(
	struct wt_child_job *job, enum wt_status ret, struct wt_error *err);

/** Zeroed memory that a child shares with its parent; NULL when there is
 *  none. Free with wt_shared_free() and the same length. */
void *wt_shared_new(size_t len);
void wt_shared_free(void *shared, size_t len);

#endif
