/* SPDX-License-Identifier: MIT
 * savefile.c: writes a small new file, whole or not at all. */
#include "savefile.h"

#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREATE_TRIES 16

/* How often a wait for a pipe looks whether it is cancelled. */
#define LOOK_MS 50

static enum wt_status fail_save(
	const struct cli_save *save, const char *what, struct wt_error *err)
{
	return wt_fail_errno(
		err, WT_ERR_FILE, "output", save->path, "%s", what);
}

enum wt_status cli_save_open(
	const char *path, struct cli_save *ret_save, struct wt_error *err)
{
	const char *slash = strrchr(path, '/');
	struct cli_save save = {
		.path = path,
		.name = slash ? slash + 1 : path,
		.dir_fd = -1,
	};
	char *folder = strndup(path, (size_t)(save.name - path));

	if (!folder)
		return wt_fail_memory(err);
	save.dir_fd =
		open(slash ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (save.dir_fd < 0)
		return fail_save(&save, "cannot be created", err);
	*ret_save = save;
	return WT_OK;
}

void cli_save_close(struct cli_save *save)
{
	if (save->dir_fd >= 0)
		close(save->dir_fd);
	save->dir_fd = -1;
}

/* A descriptor that does not block is waited for. */
static enum wt_status write_all(const struct cli_save *save, int fd,
	const char *data, size_t len, const volatile sig_atomic_t *cancel,
	struct wt_error *err)
{
	struct pollfd writable = {.fd = fd, .events = POLLOUT};

	while (len > 0) {
		ssize_t done = write(fd, data, len);

		if (done < 0 && errno != EINTR && errno != EAGAIN)
			return fail_save(save, "cannot be written", err);
		if (done < 0) {
			enum wt_status ret = wt_cancelled(cancel, err);

			if (ret != WT_OK)
				return ret;
			poll(&writable, 1, LOOK_MS);
			continue;
		}
		data += done;
		len -= (size_t)done;
	}
	return WT_OK;
}

static enum wt_status write_through(const struct cli_save *save,
	const void *data, size_t len, const volatile sig_atomic_t *cancel,
	struct wt_error *err)
{
	const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = openat(save->dir_fd, save->name, flags);
	enum wt_status ret = WT_OK;
	struct stat st = {0};

	/* A FIFO that nobody reads yet. */
	while (fd < 0 && (errno == ENXIO || errno == EINTR)) {
		ret = wt_cancelled(cancel, err);
		if (ret != WT_OK)
			return ret;
		poll(NULL, 0, LOOK_MS);
		fd = openat(save->dir_fd, save->name, flags);
	}
	if (fd < 0)
		return fail_save(save, "cannot be opened", err);
	/* Looked at again: it may lead to somebody's file by now. */
	if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode)) {
		close(fd);
		return wt_fail(err, WT_ERR_FILE, "output", save->path,
			"was exchanged while it was opened");
	}
	ret = write_all(save, fd, data, len, cancel, err);
	if (close(fd) != 0 && ret == WT_OK)
		ret = fail_save(save, "cannot be written", err);
	return ret;
}

/* Takes the name for the finished file at temp. */
static enum wt_status publish(const struct cli_save *save, const char *temp,
	bool force, struct wt_error *err)
{
	int dir = save->dir_fd;

	if (force) {
		if (renameat(dir, temp, dir, save->name) == 0)
			return WT_OK;
	} else if (linkat(dir, temp, dir, save->name, 0) == 0) {
		unlinkat(dir, temp, 0);
		return WT_OK;
	} else if (errno == EEXIST) {
		wt_fail(err, WT_ERR_FILE, "output-exists", save->path,
			"exists");
		wt_error_hint(err, "--force replaces it");
		return WT_ERR_FILE;
	} else if (faccessat(dir, save->name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
		   renameat(dir, temp, dir, save->name) == 0) {
		/* No hard links here, as on FAT: the gap between the look and
		 * the rename is what is left. */
		return WT_OK;
	}
	return fail_save(save, "cannot be written", err);
}

/* Makes a file beside the one that is meant; its name goes to temp. */
static int temp_create(const struct cli_save *save, char *temp, size_t size)
{
	uint64_t random = 0;
	int fd = -1;

	for (int i = 0; fd < 0 && i < CREATE_TRIES; i++) {
		if (getrandom(&random, sizeof(random), 0) !=
			(ssize_t)sizeof(random))
			return -1;
		snprintf(temp, size, ".%.200s.%08x", save->name,
			(unsigned)random);
		fd = openat(save->dir_fd, temp,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
		if (fd < 0 && errno != EEXIST)
			return -1;
	}
	return fd;
}

enum wt_status cli_save_file(const struct cli_save *save, const void *data,
	size_t len, bool force, const volatile sig_atomic_t *cancel,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	mode_t mask = umask(077);
	char temp[256] = "";
	struct stat st = {0};
	int fd = -1;

	umask(mask);
	if (fstatat(save->dir_fd, save->name, &st, 0) == 0 &&
		!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return write_through(save, data, len, cancel, err);
	fd = temp_create(save, temp, sizeof(temp));
	if (fd < 0)
		return fail_save(save, "cannot be created", err);
	ret = write_all(save, fd, data, len, NULL, err);
	/* Not everywhere are there modes; where there are none, nobody misses
	 * one. */
	(void)fchmod(fd, 0666 & ~mask);
	if (ret == WT_OK && fsync(fd) != 0)
		ret = fail_save(save, "cannot be written", err);
	if (close(fd) != 0 && ret == WT_OK)
		ret = fail_save(save, "cannot be written", err);
	if (ret == WT_OK)
		ret = publish(save, temp, force, err);
	if (ret != WT_OK)
		unlinkat(save->dir_fd, temp, 0);
	return ret;
}

/* The file of an earlier run has a JSON object. Any other was named by mistake:
 * the target, a certificate, a backup. */
static enum wt_status check_replaced(
	const struct cli_save *save, struct wt_error *err)
{
	int fd = openat(save->dir_fd, save->name,
		O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char first = '{';
	ssize_t done = fd < 0 ? -1 : read(fd, &first, 1);
	int number = errno;

	if (fd >= 0)
		close(fd);
	errno = number;
	if (done < 0)
		return fail_save(save, "cannot be read, to be replaced", err);
	if (first == '{')
		return WT_OK;
	return wt_fail(err, WT_ERR_FILE, "output", save->path,
		"exists, and is not JSON: it is not replaced");
}

enum wt_status cli_save_probe(const struct cli_save *save, struct wt_error *err)
{
	struct stat st = {0};
	bool is_there = fstatat(save->dir_fd, save->name, &st, 0) == 0;

	/* A device or a pipe is written to where it is. */
	if (is_there && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return WT_OK;
	if (is_there && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return fail_save(save, "cannot be created", err);
	}
	if (faccessat(save->dir_fd, ".", W_OK | X_OK, 0) != 0)
		return fail_save(save, "cannot be created", err);
	return is_there ? check_replaced(save, err) : WT_OK;
}
