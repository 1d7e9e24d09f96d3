/* SPDX-License-Identifier: MIT
 * savefile.c: writes a small new file, whole or not at all. */
#include "savefile.h"

#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum wt_status write_all(int fd, const char *path, const char *data,
	size_t len, struct wt_error *err)
{
	while (len > 0) {
		ssize_t done = write(fd, data, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return wt_fail_errno(err, WT_ERR_FILE, "output", path,
				"cannot be written");
		data += done;
		len -= (size_t)done;
	}
	return WT_OK;
}

static enum wt_status write_through(
	const char *path, const void *data, size_t len, struct wt_error *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	enum wt_status status = WT_OK;
	struct stat st = {0};

	if (fd < 0)
		return wt_fail_errno(
			err, WT_ERR_FILE, "output", path, "cannot be opened");
	/* Looked at again: it may lead to somebody's file by now. */
	if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode)) {
		close(fd);
		return wt_fail(err, WT_ERR_FILE, "output", path,
			"was exchanged while it was opened");
	}
	status = write_all(fd, path, data, len, err);
	if (close(fd) != 0 && !status)
		status = wt_fail_errno(
			err, WT_ERR_FILE, "output", path, "cannot be written");
	return status;
}

/* Takes path for the finished file at temp. */
static enum wt_status publish(
	const char *temp, const char *path, bool force, struct wt_error *err)
{
	if (force) {
		if (rename(temp, path) == 0)
			return WT_OK;
	} else if (link(temp, path) == 0) {
		unlink(temp);
		return WT_OK;
	} else if (errno == EEXIST) {
		wt_fail(err, WT_ERR_FILE, "output-exists", path, "exists");
		wt_error_hint(err, "--force replaces it");
		return WT_ERR_FILE;
	} else if (errno == EPERM || errno == EOPNOTSUPP) {
		/* No hard links here, as on FAT: the gap between the look and
		 * the rename is what is left. */
		if (access(path, F_OK) != 0 && rename(temp, path) == 0)
			return WT_OK;
	}
	return wt_fail_errno(
		err, WT_ERR_FILE, "output", path, "cannot be written");
}

enum wt_status cli_save_file(const char *path, const void *data, size_t len,
	bool force, struct wt_error *err)
{
	char *temp = cli_alloc(strlen(path) + sizeof(".XXXXXX"), 1);
	mode_t mask = umask(077);
	enum wt_status status = WT_OK;
	struct stat st = {0};
	int fd = -1;

	umask(mask);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) &&
		!S_ISDIR(st.st_mode)) {
		free(temp);
		return write_through(path, data, len, err);
	}
	sprintf(temp, "%s.XXXXXX", path);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0) {
		status = wt_fail_errno(
			err, WT_ERR_FILE, "output", path, "cannot be created");
		free(temp);
		return status;
	}
	status = write_all(fd, path, data, len, err);
	if (!status && (fchmod(fd, 0666 & ~mask) != 0 || fsync(fd) != 0))
		status = wt_fail_errno(
			err, WT_ERR_FILE, "output", path, "cannot be written");
	if (close(fd) != 0 && !status)
		status = wt_fail_errno(
			err, WT_ERR_FILE, "output", path, "cannot be written");
	if (!status)
		status = publish(temp, path, force, err);
	if (status)
		unlink(temp);
	free(temp);
	return status;
}
