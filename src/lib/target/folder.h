/* SPDX-License-Identifier: MIT
 * target/folder.h: finds the hive in a folder that holds a Windows tree. */
#ifndef WT_TARGET_FOLDER_H
#define WT_TARGET_FOLDER_H

#include "base/error.h"

/**
 * Finds Windows/System32/config/SOFTWARE below folder, in any case.
 *
 * @param ret_path    the hive's path as stored, folder included; wt_free()
 * @param ret_dir_fd  the folder "config", reached without passing any link;
 *                    the caller closes it. The hive is to be opened in it, by
 *                    the last part of ret_path and O_NOFOLLOW, since what
 *                    ret_path leads to may be another file by then.
 * @return WT_ERR_IMAGE: no-hive, hive-path-link, hive-path-ambiguous;
 *         WT_ERR_FILE when a folder cannot be read
 */
enum wt_status wt_folder_find_hive(const char *folder, char **ret_path,
	int *ret_dir_fd, struct wt_error *err);

/**
 * Opens the transaction logs beside a hive, .LOG, .LOG1, .LOG2 in
 * any case.
 *
 * @param dir_fd   the hive's folder
 * @param name     the hive's name in it
 * @param ret_fds  -1 where there is none or it is empty
 */
enum wt_status wt_folder_open_logs(
	int dir_fd, const char *name, int ret_fds[3], struct wt_error *err);

#endif
