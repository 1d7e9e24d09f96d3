/* SPDX-License-Identifier: MIT
 * file/lockfile.h: a lock beside a file that itself is not locked.
 *
 * The lock file of NAME is ".NAME.wimtrust-lock". It is held by a flock on it
 * and stands only as long; one whose lock is free was left by a killed run. A
 * writer takes it for the moment in which it locks NAME itself, unless it knows
 * how locks work there; for the moment in which NAME has to be closed to be
 * replaced; and for the whole run where a lock on NAME would keep the run's own
 * children out. */
#ifndef WT_FILE_LOCKFILE_H
#define WT_FILE_LOCKFILE_H

#include "base/error.h"

#include <sys/stat.h>

/**
 * Makes the lock file of name, or takes over one that was left.
 *
 * @param ret_fd      for wt_lockfile_drop()
 * @param ret_holder  with WT_NO: the lock file, for wt_lock_holder()
 * @return WT_OK; WT_NO when another run has it; WT_ERR_FILE with errno set
 */
enum wt_status wt_lockfile_take(
	int dir_fd, const char *name, int *ret_fd, struct stat *ret_holder);

/** Does a lock keep others from reading here, our own children too? Tried on
 *  the lock file, which the caller has. */
bool wt_lockfile_is_mandatory(int dir_fd, const char *name, int fd);

/** Removes the lock file and closes fd; nothing when fd is -1. */
void wt_lockfile_drop(int dir_fd, const char *name, int fd);

/**
 * Has another run the lock file of name? One that was left is removed.
 *
 * @param file        of name: a stranger's lock file is not believed
 * @param ret_holder  of the lock file, for wt_lock_holder(), when it is held
 */
bool wt_lockfile_is_held(int dir_fd, const char *name, const struct stat *file,
	struct stat *ret_holder);

#endif
