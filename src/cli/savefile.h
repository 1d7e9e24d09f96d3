/* SPDX-License-Identifier: MIT
 * savefile.h: writes a small new file, whole or not at all. */
#ifndef CLI_SAVEFILE_H
#define CLI_SAVEFILE_H

#include "base/error.h"

/** An existing file is replaced with force only; a device or a pipe is
 *  written to as it is. */
enum wt_status cli_save_file(const char *path, const void *data, size_t len,
	bool force, struct wt_error *err);

#endif
