/* SPDX-License-Identifier: MIT
 * base/io.c: whole reads and writes, syncing, and what their failures mean. */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define COPY_BUFFER_LEN ((size_t)1 << 20)

/* Reads to len or to the end of the file. */
static int read_some(
	int fd, void *dst, size_t len, uint64_t offset, size_t *ret_len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t got = pread(fd, (uint8_t *)dst + done, len - done,
			(off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*ret_len = done;
	return 0;
}

int wt_io_read(int fd, void *dst, size_t len, uint64_t offset)
{
	size_t got = 0;

	if (read_some(fd, dst, len, offset, &got) != 0)
		return -1;
	if (got < len) {
		errno = ENODATA;
		return -1;
	}
	return 0;
}

int wt_io_write(int fd, const void *src, size_t len, uint64_t offset)
{
	const uint8_t *at = src;

	while (len > 0) {
		ssize_t put = pwrite(fd, at, len, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		if (put == 0) {
			errno = EIO;
			return -1;
		}
		at += put;
		len -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

enum wt_status wt_io_read_some(int fd, void *dst, size_t len, uint64_t offset,
	const char *object, size_t *ret_len, struct wt_error *err)
{
	if (read_some(fd, dst, len, offset, ret_len) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "read-failed", object,
			"cannot be read at byte %llu",
			(unsigned long long)offset);
	return WT_OK;
}

enum wt_status wt_io_read_all(int fd, void *dst, size_t len, uint64_t offset,
	const char *object, struct wt_error *err)
{
	size_t got = 0;
	enum wt_status ret =
		wt_io_read_some(fd, dst, len, offset, object, &got, err);

	if (ret == WT_OK && got < len)
		ret = wt_io_fail_short(offset + got, object, err);
	return ret;
}

enum wt_status wt_io_fail_short(
	uint64_t len, const char *object, struct wt_error *err)
{
	return wt_fail(err, WT_ERR_FILE, "read-failed", object,
		"ends at %llu bytes: it became shorter while it was read",
		(unsigned long long)len);
}

enum wt_status wt_io_write_all(int fd, const void *src, size_t len,
	uint64_t offset, const char *object, struct wt_error *err)
{
	if (wt_io_write(fd, src, len, offset) == 0)
		return WT_OK;
	return wt_fail_errno(err, WT_ERR_FILE,
		errno == ENOSPC || errno == EDQUOT ? "no-space"
						   : "write-failed",
		object, "cannot be written");
}

enum wt_status wt_io_memory_file(
	const char *name, const char *object, int *ret_fd, struct wt_error *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "no-memory", object,
			"cannot make a file in memory");
	*ret_fd = fd;
	return WT_OK;
}

bool wt_io_is_in_memory(int fd)
{
	static const char name[] = "/memfd:";
	char path[32] = "", target[sizeof(name)] = "";
	struct stat found = {0};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fstat(fd, &found) == 0 && found.st_nlink == 0 &&
	       readlink(path, target, sizeof(name) - 1) > 0 &&
	       strcmp(target, name) == 0;
}

int wt_io_sync(int fd)
{
	int ret = 0;

	do {
		ret = fsync(fd);
	} while (ret != 0 && errno == EINTR);
	return ret;
}

int wt_io_truncate(int fd, uint64_t len)
{
	int ret = 0;

	do {
		ret = ftruncate(fd, (off_t)len);
	} while (ret != 0 && errno == EINTR);
	return ret;
}

int wt_io_open(int dir_fd, const char *name, int flags, mode_t mode)
{
	int fd = -1;

	do {
		fd = openat(dir_fd, name,
			flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, mode);
	} while (fd < 0 && errno == EINTR);
	/* O_NONBLOCK has no effect on files, but a child would inherit it. */
	if (fd >= 0 && (flags & O_PATH) == 0)
		(void)fcntl(fd, F_SETFL, flags & O_APPEND);
	return fd;
}

int wt_io_open_resolved(const char *path, int flags)
{
	const struct open_how how = {
		.flags = (unsigned)(flags | O_DIRECTORY | O_CLOEXEC),
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = -1;

	do {
		fd = (int)syscall(
			SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	} while (fd < 0 && errno == EINTR);
	/* Old kernels, and old sandboxes, which say EPERM. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = wt_io_open(AT_FDCWD, path, flags | O_DIRECTORY, 0);
	return fd;
}

int wt_io_copy(int src_fd, uint64_t src_offset, int dst_fd, uint64_t dst_offset,
	uint64_t len, const volatile sig_atomic_t *cancel)
{
	size_t buffer_len =
		len < COPY_BUFFER_LEN ? (size_t)len : COPY_BUFFER_LEN;
	uint8_t *buffer = NULL;
	int saved = 0;
	int ret = 0;

	if (len == 0)
		return 0;
	buffer = malloc(buffer_len);
	if (!buffer)
		return -1;
	for (uint64_t done = 0; ret == 0 && done < len;) {
		size_t part = buffer_len;

		if (part > len - done)
			part = (size_t)(len - done);
		if (wt_cancel_number(cancel) != 0) {
			errno = EINTR;
			ret = -1;
			break;
		}
		ret = wt_io_read(src_fd, buffer, part, src_offset + done);
		if (ret == 0)
			ret = wt_io_write(
				dst_fd, buffer, part, dst_offset + done);
		done += part;
	}
	saved = errno;
	free(buffer);
	errno = saved;
	return ret;
}

/* The stable word and the remedy for an errno. */
static const char *fail_code(int native, const char **ret_hint)
{
	*ret_hint = NULL;
	switch (native) {
	case ENOSPC:
		*ret_hint = "make room on that file system";
		return "no-space";
	case EDQUOT:
		*ret_hint = "make room within the disk quota, or have it "
			    "raised";
		return "no-space";
	case EACCES:
	case EPERM:
		return "permission";
	case EROFS:
		*ret_hint = "name a place that can be written with -o FILE, "
			    "or mount it read-write";
		return "read-only-file-system";
	case ENOENT:
	case ENOTDIR:
		return "not-found";
	case ENOMEM:
		return "no-memory";
	case ENAMETOOLONG:
		*ret_hint = "use a shorter name, or a folder with a shorter "
			    "path";
		return "name-too-long";
	case EFBIG:
		*ret_hint = "raise the limit of a file's length (ulimit -f); "
			    "FAT has none over 4 GB";
		return "file-too-long";
	default:
		return "io-error";
	}
}

enum wt_status wt_io_fail(
	struct wt_error *err, const char *object, const char *fmt, ...)
{
	int saved = errno;
	const char *hint = NULL;
	const char *code = fail_code(saved, &hint);
	char what[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	errno = saved;
	if (saved == ENODATA)
		return wt_fail(err, WT_ERR_FILE, code, object,
			"%s: the file became shorter in the meantime", what);
	wt_fail_errno(err, WT_ERR_FILE, code, object, "%s", what);
	if (hint)
		wt_error_hint(err, "%s", hint);
	return WT_ERR_FILE;
}

const char *wt_io_size_text(uint64_t len, char dst[32])
{
	static const char *const units[] = {"kB", "MB", "GB", "TB"};
	double value = (double)len / 1000;
	size_t unit = 0;

	while (value >= 999.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1000;
		unit++;
	}
	snprintf(dst, 32, "%.1f %s", value, units[unit]);
	return dst;
}

int wt_io_stat(int dir_fd, const char *name, struct stat *ret_found)
{
	struct statx asked = {0};

	/* What stat() answers next is then the server's. */
	(void)statx(dir_fd, name,
		AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC,
		STATX_MTIME, &asked);
	if (name[0] == '\0')
		return fstat(dir_fd, ret_found);
	return fstatat(dir_fd, name, ret_found, AT_SYMLINK_NOFOLLOW);
}

int64_t wt_io_mtime_ns(const struct stat *file)
{
	return (int64_t)file->st_mtim.tv_sec * 1000000000 +
	       file->st_mtim.tv_nsec;
}

bool wt_io_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool wt_io_is_named(int fd, int dir_fd, const char *name)
{
	struct stat by_fd = {0};
	struct stat by_name = {0};

	return fstat(fd, &by_fd) == 0 &&
	       fstatat(dir_fd, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
	       wt_io_is_same(&by_fd, &by_name);
}

int wt_io_random_name(char *dst, size_t len)
{
	ssize_t got = 0;

	do {
		got = getrandom(dst, len, 0);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)len)
		return -1;
	for (size_t i = 0; i < len; i++)
		dst[i] = WT_IO_NAME_LETTERS[dst[i] & 31];
	return 0;
}

int64_t wt_io_now_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void wt_io_sleep_ms(unsigned ms)
{
	struct timespec time = {
		.tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	nanosleep(&time, NULL);
}
