/* SPDX-License-Identifier: MIT
 * cert/file.h: certificates from files, folders and standard input. */
#ifndef WT_CERT_FILE_H
#define WT_CERT_FILE_H

#include "cert/kind.h"

/**
 * What wt_cert_list_read() does for one open file. The descriptor may be a
 * pipe; it is not closed.
 */
enum wt_status wt_cert_file_read_fd(struct wt_cert_list *list, int fd,
	const char *object, struct wt_error *err);

#endif
