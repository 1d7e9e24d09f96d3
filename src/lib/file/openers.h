/* SPDX-License-Identifier: MIT
 * file/openers.h: who else has a file open or locked.
 *
 * `wimlib-imagex update` reads a WIM's header when it opens it and takes the
 * lock only when it writes: what another program published in between, it
 * overwrites without a look. A writer of ours therefore waits, holding the
 * lock, until nobody else has the file open: such a program then finds the
 * lock taken and gives up, or opens the file anew later.
 *
 * What this does not cover: a program that keeps the file open longer than we
 * wait, or opens it through another machine (NFS, SMB); a file of another
 * user (the kernel grants leases to the owner and to root only); file systems
 * without leases; and programs that replace the file without any lock, as
 * wimlib does when it rebuilds. */
#ifndef WT_FILE_OPENERS_H
#define WT_FILE_OPENERS_H

#include "base/error.h"

#include <sys/stat.h>

/** How long a stale writer is waited for, in milliseconds. */
#define WT_OPENERS_WAIT_MS 2000

/** How long where nothing can be done while the file is open elsewhere. */
#define WT_OPENERS_PATIENCE_MS 10000

/** Who has a file open, this process's descriptor left out. */
enum wt_openers {
	WT_OPENERS_NONE,
	WT_OPENERS_SOME,
	WT_OPENERS_UNKNOWN, /**< no leases here */
};

/**
 * Takes a write lease: granted only when no other open file leads to the same
 * inode, this process included; as long as it is held, who opens the file
 * waits. Hold it for a few system calls at most.
 *
 * @return 0; -1 with errno EAGAIN when somebody has it open, another errno
 *         when there are no leases to be had here
 */
int wt_lease_take(int fd);
void wt_lease_drop(int fd);

/**
 * Waits until fd is the only open file on its inode, until max_ms have passed,
 * *cancel is set, or leases turn out not to work.
 *
 * @param keep_lease  hold the lease on return if there are no others
 */
enum wt_openers wt_openers_wait(int fd, bool keep_lease, int64_t max_ms,
	const volatile sig_atomic_t *cancel);

/**
 * Who holds the flock on a file, "process 123 (wimtrust)" or "another
 * process". Returns dst.
 */
const char *wt_lock_holder(const struct stat *file, char dst[96]);

#endif
