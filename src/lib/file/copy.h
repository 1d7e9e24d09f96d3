/* SPDX-License-Identifier: MIT
 * file/copy.h: what copy.c, copy_publish.c and backup.c share. */
#ifndef WT_FILE_COPY_H
#define WT_FILE_COPY_H

#include "base/child.h"
#include "file/temp.h"
#include "file/traits.h"
#include "file/workfile.h"

#include <stdatomic.h>
#include <sys/stat.h>

struct wt_copy {
	struct wt_workfile *file; /**< borrowed */
	const struct wt_publish *publish;
	struct stat source;   /**< of file when the copy was begun */
	char *folder;	      /**< where it will be published */
	int dir_fd;	      /**< of folder */
	char *name;	      /**< final name in it */
	char *path;	      /**< of that, for messages */
	int replaced_fd;      /**< what stands there now, or -1 */
	struct stat replaced; /**< of replaced_fd */
	bool is_itself;	      /**< it is file that will be replaced */

	struct wt_traits traits; /**< of folder */

	int lock_fd; /**< of a lock file beside an output, or -1 */

	int fd; /**< private, locked; -1 before it exists */
	char temp_name[WT_TEMP_NAME_MAX];
	char *temp_path;

	struct wt_child_job *job; /**< copies; NULL when none does */
	_Atomic uint64_t *done;	  /**< bytes copied; shared with it */
};

/** Stops copying and removes the private file; keeps nothing else open.
 *  NULL allowed. */
void wt_copy_free(struct wt_copy *copy);

/**
 * May file have a backup under its name plus suffix?
 *
 * @return WT_ERR_USAGE: bad-suffix; WT_ERR_FILE: name-too-long
 */
enum wt_status wt_backup_suffix_check(const struct wt_workfile *file,
	const char *suffix, struct wt_error *err);

/**
 * Keeps what copy will replace under its name plus suffix; what stood there
 * goes, in one step.
 *
 * @param ret_is_new  the name did not lead to the same file before
 */
enum wt_status wt_backup_make(
	struct wt_copy *copy, bool *ret_is_new, struct wt_error *err);

/** Takes a backup back whose file has stayed where it was. */
void wt_backup_drop(struct wt_copy *copy);

#endif
