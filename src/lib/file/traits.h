/* SPDX-License-Identifier: MIT
 * file/traits.h: what the file system of a place can do, found by trying it. */
#ifndef WT_FILE_TRAITS_H
#define WT_FILE_TRAITS_H

#include "file/temp.h"

/** Some file systems close a file a moment after close() has returned. */
#define WT_CLOSE_MS 100

/** What happens when a file is renamed over one that somebody has open. */
enum wt_rename_over_open {
	WT_RENAME_WORKS,   /**< the file that was there lives on, nameless */
	WT_RENAME_REFUSED, /**< nothing happens (drive mounts of WSL) */
	/** The rename fails, and the file that was there loses its name when
	 *  it is closed: neither is left (SMB). */
	WT_RENAME_LOSES,
};

/** All zero: as on a disk of Linux. */
struct wt_traits {
	enum wt_rename_over_open rename_over_open;
	/** A lock keeps other descriptors and other processes from reading and
	 *  writing, our children too (SMB): see lockfile.h. */
	bool has_mandatory_locks;
	bool has_no_modes;	/**< chmod fails, or changes nothing */
	bool has_no_owners;	/**< chown fails */
	bool has_no_attributes; /**< extended attributes cannot be listed */
};

/**
 * Does errno say that the file system of this place knows no such call, or
 * that it never allows it here? What may also be a matter of permission is
 * for where the call was one of several ways.
 */
bool wt_traits_is_cannot(int native);

/**
 * Creates a private file as wt_temp_create() does, and tries on it what the
 * file system of its folder can do. The file is empty afterwards.
 *
 * @return open and locked descriptor, or -1 with errno set
 */
int wt_traits_temp_create(int dir_fd, const char *name,
	char ret_name[WT_TEMP_NAME_MAX], struct wt_traits *ret_traits);

/** Is this folder on a file system of Linux's own disks or memory? There locks
 *  are known, and are no matter of a server, a driver or a mount's options. */
bool wt_traits_is_plain(int dir_fd);

/**
 * Does a server give the leases on this file (SMB)? Then one that is refused
 * says that the server gave none, as after a link was made, and nothing of who
 * else has the file open. The server knows that, and refuses the rename.
 */
bool wt_traits_has_server_leases(int fd);

/** Is a file that the caller has locked, and which is not empty, closed to
 *  other descriptors? */
bool wt_traits_is_locked_out(int dir_fd, const char *name);

/** fsync of a folder; file systems that know no such thing are content. */
int wt_traits_sync_folder(int fd);

/**
 * Renames from over to, a file that nobody of ours has open. Where a failed
 * rename may cost the file that is there, it is tried again for a while, and
 * at once when that file has gone.
 *
 * @param old         what to led to before; NULL: nothing
 * @param ret_is_old  set on failure: to still leads to that file
 * @return 0, or -1 with errno set
 */
int wt_traits_rename_over(const struct wt_traits *traits, int dir_fd,
	const char *from, const char *to, const struct stat *old,
	bool *ret_is_old);

#endif
