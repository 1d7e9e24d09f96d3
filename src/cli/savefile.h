/* SPDX-License-Identifier: MIT
 * savefile.h: writes a small new file, whole or not at all. */
#ifndef CLI_SAVEFILE_H
#define CLI_SAVEFILE_H

#include <wimtrust/wimtrust.h>

/** Where a file is to go: its folder, open, and its name in there. */
struct cli_save {
	const char *path; /**< as it was given */
	const char *name; /**< its last part */
	int dir_fd;	  /**< -1 when there is none */
};

/** Opens the folder: what takes its place later is not written to. */
enum wt_status cli_save_open(
	const char *path, struct cli_save *ret_save, struct wt_error *err);
void cli_save_close(struct cli_save *save);

/** An existing file is replaced with force only; a device or a pipe is
 *  written to as it is, and waited for until *cancel is set. */
enum wt_status cli_save_file(const struct cli_save *save, const void *data,
	size_t len, bool force, const volatile sig_atomic_t *cancel,
	struct wt_error *err);

/** Could JSON be saved there? It replaces JSON and nothing else. Asked before
 *  the work that it tells of, and again after it. */
enum wt_status cli_save_probe(
	const struct cli_save *save, struct wt_error *err);

#endif
