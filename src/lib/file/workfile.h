/* SPDX-License-Identifier: MIT
 * file/workfile.h: how a file is locked, patched and published. */
#ifndef WT_FILE_WORKFILE_H
#define WT_FILE_WORKFILE_H

#include "base/error.h"

#include <sys/types.h>

/**
 * A file that is open for this run. The path was resolved once: a symbolic
 * link leads to its file, and the folder and the name in it are kept, so that
 * everything later goes to the same place.
 */
struct wt_workfile {
	char *path; /**< of the file itself, no link at its end */
	int dir_fd; /**< the folder it stands in */
	char *name; /**< in that folder */
	/** For reading; a copy in memory when the file is being changed in
	 *  place or was left so. Do not open path to read a hive. */
	int fd;
	dev_t dev; /**< with ino: which file it is, also where fd is a copy */
	ino_t ino;
	uint64_t len;	  /**< bytes, under the lock when there is one */
	int64_t mtime_ns; /**< last change of fd when it was opened */
	bool is_locked;
	/** It is locked by the lock file beside it (lockfile.h). */
	bool has_lock_file;
	int lock_fd;	/**< of the lock file, -1 when there is none */
	char note[384]; /**< what recovery did, in a sentence, or "" */
};

/**
 * Opens path to read it. No lock is taken and none is waited for. When an
 * undo file says that a writer was interrupted, the file's state is told in
 * ret_file->note, and what is read is the old state or the new one whole.
 *
 * @param dir_fd  -1; or the open folder in which the last part of path is the
 *                file itself, not a link: the rest of path is for messages
 */
enum wt_status wt_workfile_open(const char *path, int dir_fd,
	struct wt_workfile **ret_file, struct wt_error *err);

/**
 * Opens path to change it: takes the lock that wimlib takes (flock), looks
 * that the path still leads to the locked file, rolls an interrupted append
 * back, and removes what killed runs left beside it.
 *
 * @param dir_fd        as above
 * @param wait_seconds  how long another writer is waited for
 * @return WT_ERR_FILE: not-found, permission, read-only-file (with the
 *         remedy), locked (with the holder's pid), hard-linked
 */
enum wt_status wt_workfile_lock(const char *path, int dir_fd,
	unsigned wait_seconds, const volatile sig_atomic_t *cancel,
	struct wt_workfile **ret_file, struct wt_error *err);

/** What to do about EPERM of a folder. */
#define WT_FIXED_FOLDER_HINT                                                   \
	"lsattr -d shows whether the folder is immutable, which chattr -i "    \
	"takes away; or write another file with -o FILE"

/**
 * Is the folder marked append-only, so that files in it can be made but
 * neither renamed nor removed? Nothing may be made there then, since it would
 * stay.
 *
 * @param object  the file that the folder is looked at for
 * @return WT_ERR_FILE: immutable
 */
enum wt_status wt_workfile_folder_check(
	int dir_fd, const char *object, struct wt_error *err);

/**
 * Is the file marked so that nobody may change or replace it, not even root?
 *
 * @return WT_ERR_FILE: immutable
 */
enum wt_status wt_workfile_fixed_check(
	const struct wt_workfile *file, struct wt_error *err);

/**
 * Has the locked file still its name? Another program may have replaced it
 * meanwhile, and what is written into it is seen by nobody then.
 *
 * @return WT_ERR_FILE: changed
 */
enum wt_status wt_workfile_named_check(
	const struct wt_workfile *file, struct wt_error *err);

/**
 * Closes the locked file itself, for where it cannot be replaced while it is
 * open. A lock file beside it keeps other runs away from then on.
 */
enum wt_status wt_workfile_let_go(
	struct wt_workfile *file, struct wt_error *err);

/** Unlocks and closes; NULL allowed. */
void wt_workfile_close(struct wt_workfile *file);

/** Bytes in another file that belong at offset in this one. */
struct wt_extent {
	uint64_t offset, len;
	int src_fd;
	uint64_t src_offset;
};

/**
 * What a finished edit changes in a file: extents in ascending order that do
 * not overlap. Up to old_len they replace bytes; beyond it they are new. A
 * new_len below old_len cuts bytes off that mean nothing: what an interrupted
 * writer left behind the end, or the room that Windows leaves behind the last
 * bin of a hive.
 */
struct wt_patch {
	uint64_t old_len, new_len;
	struct wt_extent *extents;
	size_t extent_count;
};

/**
 * The patch that turns file into what new_fd holds, in pages.
 *
 * @param ret_patch  free its extents with free()
 */
enum wt_status wt_workfile_diff(const struct wt_workfile *file, int new_fd,
	struct wt_patch *ret_patch, struct wt_error *err);

/** Looks at a finished file before it is published. path leads to it through
 *  its descriptor, whatever has its name by now, and is not for messages.
 *  Changed in place, it is not yet cut to its new length. */
typedef enum wt_status wt_verify_fn(
	void *ctx, const char *path, struct wt_error *err);

/** How the new file is published. */
struct wt_publish {
	const char *output; /**< write here and leave the file; NULL: itself */
	bool force;	    /**< output may exist */
	bool is_backup;	    /**< output is a backup, in the file's folder */
	const char *backup_suffix; /**< keep the old file so; NULL: do not */
	/** Writes path anew to new_path, which does not exist yet; NULL when
	 *  the patched copy is published as it is. Only for a copy. */
	enum wt_status (*rebuild)(void *ctx, const char *path,
		const char *new_path, struct wt_error *err);
	void *rebuild_ctx;
	wt_verify_fn *verify;
	void *verify_ctx;
	const volatile sig_atomic_t *cancel;
	void (*progress)(
		void *ctx, const char *what, uint64_t done, uint64_t total);
	void *progress_ctx;
};

/** A private copy beside the place where it will be published. */
struct wt_copy;

/**
 * Begins to copy file in the background (FICLONE, else copy_file_range, else
 * read and write). Owner, mode and extended attributes are set before data.
 * The file has to be locked, unless there is an output.
 *
 * @param publish   borrowed until the copy is published or abandoned
 * @param room_len  bytes that will be needed beyond the file's own length
 * @return WT_ERR_FILE: no-space (with numbers), output-exists, permission,
 *         hard-linked (unless there is an output), not-a-file;
 *         WT_ERR_USAGE: output-is-target
 */
enum wt_status wt_copy_begin(struct wt_workfile *file,
	const struct wt_publish *publish, uint64_t room_len,
	struct wt_copy **ret_copy, struct wt_error *err);

/**
 * Waits for the copy, applies the patch, verifies, syncs, and renames it to
 * its place. On any failure the copy is removed and the place is as it was.
 * The copy is freed in either case.
 *
 * @return WT_ERR_FILE: no-space, changed (another program wrote or replaced
 *         the file meanwhile), output-exists, io-error; what verify or
 *         rebuild say; WT_INTERRUPTED
 */
enum wt_status wt_copy_publish(struct wt_copy *copy,
	const struct wt_patch *patch, struct wt_error *err);

/** Gives a begun copy up and removes it; NULL allowed. */
void wt_copy_abandon(struct wt_copy *copy);

/**
 * Applies the patch to the locked file itself, guarded by an undo file: what
 * lies beyond old_len is written and synced first, then what it replaces.
 * Failing or interrupted before the end, the file is as it was, at the latest
 * after the next run; so it is when another file has its name by then
 * (changed). publish->output, force and rebuild are not looked at. A backup is
 * a whole copy.
 *
 * @return as wt_copy_publish(); permission, with the remedy, when the file or
 *         its folder may not be written
 */
enum wt_status wt_workfile_patch(struct wt_workfile *file,
	const struct wt_patch *patch, const struct wt_publish *publish,
	struct wt_error *err);

/**
 * A private folder for a run's temporary files, 0700, with a lock that dies
 * with the process and its children.
 *
 * @param parent      NULL for $TMPDIR, or /tmp
 * @param ret_folder  free with wt_run_folder_free()
 */
struct wt_run_folder;
enum wt_status wt_run_folder_new(const char *parent,
	struct wt_run_folder **ret_folder, struct wt_error *err);
const char *wt_run_folder_path(const struct wt_run_folder *folder);

/**
 * Can wimlib and this library work in the folder? wimlib locks a file and
 * writes to it by another descriptor; a patch is read after its file was
 * removed.
 *
 * @return WT_ERR_FILE: temp-locks, temp-removes
 */
enum wt_status wt_run_folder_try(
	const struct wt_run_folder *folder, struct wt_error *err);

/**
 * Is there room in the folder for files of these lengths?
 *
 * @return WT_ERR_FILE: no-space
 */
enum wt_status wt_run_folder_check_room(const struct wt_run_folder *folder,
	const uint64_t *file_lens, size_t file_count, struct wt_error *err);
void wt_run_folder_free(struct wt_run_folder *folder);

/**
 * Removes the run folders in parent that killed runs of the same user left,
 * with what is mounted in them. What cannot be removed stays, and is no
 * error. Reads the folder once.
 */
void wt_run_folder_sweep(const char *parent);

#endif
