/* SPDX-License-Identifier: MIT
 * file/temp.h: names of temporary files, and removing what killed runs left.
 *
 * Whoever makes a temporary file or folder holds a flock on it for as long as
 * it is in use. The lock dies with the process, so that a free lock means
 * that nobody uses it any more. Where a lock would keep our own children out,
 * the lock file of NAME is held instead (lockfile.h). */
#ifndef WT_FILE_TEMP_H
#define WT_FILE_TEMP_H

#include "base/error.h"

#include <sys/stat.h>

#define WT_TEMP_NAME_MAX 256

/**
 * ".NAME.wimtrust" + suffix, NAME shortened (and then told apart by a hash)
 * where the whole would be too long for a folder.
 */
void wt_temp_name(
	const char *name, const char *suffix, char dst[WT_TEMP_NAME_MAX]);

/**
 * Creates ".NAME.wimtrust-XXXXXXXX" in a folder, a name that cannot be
 * guessed, exclusively, for nobody but us (0600, folders 0700), and locks it.
 *
 * @param is_folder  a folder instead of a file
 * @param ret_name   its name in dir_fd
 * @return open and locked descriptor, or -1 with errno set
 */
int wt_temp_create(int dir_fd, const char *name, bool is_folder,
	char ret_name[WT_TEMP_NAME_MAX]);

/**
 * Opens a temporary file or folder, and locks it if no run uses it any more.
 *
 * @return open and locked descriptor, or -1 with errno set: EWOULDBLOCK when a
 *         run uses it, ENOENT when it has gone, EPERM when no run uses it and
 *         we may not take it
 */
int wt_temp_claim(int dir_fd, const char *name, struct stat *ret_found);

/** The name of the only file that a temporary folder of NAME ever holds. */
void wt_temp_inner_name(const char *name, char dst[WT_TEMP_NAME_MAX]);

/**
 * Removes a temporary folder that wt_temp_create() made, and that file. Not
 * whatever it holds: who owns the folder around could have given its name to
 * another one.
 *
 * @param folder_name  its name in dir_fd
 * @param folder_fd    itself, open
 * @param name         NAME
 * @return 0, or -1 with errno set when it stays
 */
int wt_temp_folder_remove(
	int dir_fd, const char *folder_name, int folder_fd, const char *name);

/** A name of that kind that nothing has at present; 0 or -1. */
int wt_temp_unused_name(
	int dir_fd, const char *name, char ret_name[WT_TEMP_NAME_MAX]);

/**
 * Finds what a killed run of ours left beside the file NAME, which has gone: on
 * file systems that lose a file when another one cannot be renamed to it, this
 * is the finished one.
 *
 * @param dir_fd  open for reading
 */
bool wt_temp_find(
	int dir_fd, const char *name, char ret_name[WT_TEMP_NAME_MAX]);

/**
 * Removes what killed runs left beside the file NAME: temporary files and
 * folders whose lock is free and that belong to us or to the file's owner,
 * and second links to the file itself under such a name.
 *
 * @param dir_fd  open for reading
 * @param file    of NAME
 * @return how many were removed
 */
unsigned wt_temp_sweep(int dir_fd, const char *name, const struct stat *file);

#endif
