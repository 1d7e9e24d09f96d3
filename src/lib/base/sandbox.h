/* SPDX-License-Identifier: MIT
 * base/sandbox.h: what a process that parses hostile input may still do. */
#ifndef WT_BASE_SANDBOX_H
#define WT_BASE_SANDBOX_H

#include <wimtrust/wimtrust.h>

/**
 * What a kind of child needs. All zero: it works on the descriptors that it
 * has, in memory.
 */
struct wt_sandbox {
	/** The descriptors that it keeps, in any order; -1 is none. All others
	 *  are closed, and standard input, output and error lead to /dev/null
	 *  (error is kept under a sanitizer). */
	const int *fds;
	size_t fd_count;
	/** One more, which may only be read from now on; 0: none. */
	int read_fd;
	/** A file or folder that it opens by name; NULL for none. A descriptor
	 *  that it leads to (/proc/self/fd/N) is kept, and may only be read. */
	const char *read_path;
	/** A file or folder that it changes, with all that is in it; NULL for
	 *  none. A descriptor that it leads to is kept. */
	const char *write_path;
	/** It opens files in memory for writing. write_path implies it. */
	bool writes;
	/** It starts children, which inherit its sandbox. */
	bool forks;
	/** It mounts, or unmounts: only what a mount never needs is taken. */
	bool mounts;
};

/** Where a locked process leaves the number of the call that ended it. */
struct wt_sandbox_denied {
	volatile sig_atomic_t call; /**< -1: none */
};

/**
 * Locks this process in, for good. It must have one thread. A process that is
 * locked in already stays as it is.
 *
 * @param alive_fd  one more descriptor that is kept
 * @param denied  in memory that the parent sees; gets the number of a system
 *                call that the locks forbid, which ends the process
 * @return the locks that are in force, enum wt_lock bits
 */
unsigned wt_sandbox_enter(const struct wt_sandbox *sandbox, int alive_fd,
	struct wt_sandbox_denied *denied);

/** The name of a system call, "socket"; "?" when it has none here. */
void wt_sandbox_call_name(int call, char ret_name[32]);

#endif
