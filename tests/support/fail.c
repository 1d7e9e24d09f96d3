/* SPDX-License-Identifier: MIT
 * fail.c: makes the n-th system or memory call of our own objects fail.
 *
 * With _FILE_OFFSET_BITS=64 glibc's headers turn open() into open64() and so
 * on; these are the names that the linker sees. */
#include "fail.h"

#include "base/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static atomic_bool is_armed;
static atomic_uint calls;
static unsigned fail_at;
static enum fail_mode fail_mode;
static int fail_native;
static _Atomic(const char *) failed = "";
/* Of this process and its children, which count on by themselves. */
static atomic_uint *failures;

void fail_arm(unsigned n, enum fail_mode mode, int native)
{
	fail_at = n;
	fail_mode = mode;
	fail_native = native;
	atomic_store(&calls, 0);
	atomic_store(&failed, "");
	if (!failures)
		failures = wt_shared_new(sizeof(*failures));
	if (!failures)
		abort();
	atomic_store(failures, 0);
	atomic_store(&is_armed, true);
}

bool fail_disarm(void)
{
	atomic_store(&is_armed, false);
	return atomic_load(&calls) >= fail_at;
}

unsigned fail_count(void)
{
	return atomic_load(failures);
}

const char *fail_name(void)
{
	return atomic_load(&failed);
}

/* Is this call the one? */
static bool is_hit(const char *name)
{
	unsigned n = 0;

	if (!atomic_load(&is_armed))
		return false;
	n = atomic_fetch_add(&calls, 1) + 1;
	if (n == fail_at || (n > fail_at && fail_mode == FAIL_ALWAYS)) {
		atomic_store(&failed, name);
		atomic_fetch_add(failures, 1);
		return true;
	}
	return false;
}

static bool is_failing(const char *name)
{
	if (!is_hit(name) || fail_mode == FAIL_SHORT)
		return false;
	errno = fail_native;
	return true;
}

/* Declares the real function and defines the wrapper around it. */
#define WRAP(type, name, failure, params, args)                                \
	type __real_##name params;                                             \
	type __wrap_##name params;                                             \
	type __wrap_##name params                                              \
	{                                                                      \
		if (is_failing(#name))                                         \
			return failure;                                        \
		return __real_##name args;                                     \
	}

/* For those that may do half of it. */
#define WRAP_SHORT(name, params, args)                                         \
	ssize_t __real_##name params;                                          \
	ssize_t __wrap_##name params;                                          \
	ssize_t __wrap_##name params                                           \
	{                                                                      \
		if (is_hit(#name)) {                                           \
			if (fail_mode != FAIL_SHORT) {                         \
				errno = fail_native;                           \
				return -1;                                     \
			}                                                      \
			if (len > 1)                                           \
				len /= 2;                                      \
		}                                                              \
		return __real_##name args;                                     \
	}

WRAP(void *, malloc, NULL, (size_t len), (len))
WRAP(void *, calloc, NULL, (size_t count, size_t len), (count, len))
WRAP(void *, realloc, NULL, (void *data, size_t len), (data, len))
WRAP(char *, strdup, NULL, (const char *text), (text))
WRAP(char *, strndup, NULL, (const char *text, size_t len), (text, len))
WRAP(char *, realpath, NULL, (const char *path, char *dst), (path, dst))
WRAP(char *, mkdtemp, NULL, (char *path), (path))
WRAP(DIR *, fdopendir, NULL, (int fd), (fd))
WRAP(int, stat64, -1, (const char *path, struct stat *dst), (path, dst))
WRAP(int, fstat64, -1, (int fd, struct stat *dst), (fd, dst))
WRAP(int, fstatat64, -1,
	(int fd, const char *name, struct stat *dst, int flags),
	(fd, name, dst, flags))
WRAP(int, fstatfs64, -1, (int fd, struct statfs *dst), (fd, dst))
WRAP(int, flock, -1, (int fd, int how), (fd, how))
WRAP(int, fsync, -1, (int fd), (fd))
WRAP(int, ftruncate64, -1, (int fd, off_t len), (fd, len))
WRAP(int, fchmod, -1, (int fd, mode_t mode), (fd, mode))
WRAP(int, fchown, -1, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP(int, futimens, -1, (int fd, const struct timespec *times), (fd, times))
WRAP(int, renameat, -1, (int a, const char *from, int b, const char *to),
	(a, from, b, to))
WRAP(int, renameat2, -1,
	(int a, const char *from, int b, const char *to, unsigned flags),
	(a, from, b, to, flags))
WRAP(int, linkat, -1,
	(int a, const char *from, int b, const char *to, int flags),
	(a, from, b, to, flags))
WRAP(int, unlinkat, -1, (int fd, const char *name, int flags),
	(fd, name, flags))
WRAP(int, mkdirat, -1, (int fd, const char *name, mode_t mode),
	(fd, name, mode))
WRAP(int, memfd_create, -1, (const char *name, unsigned flags), (name, flags))
WRAP(ssize_t, getrandom, -1, (void *dst, size_t len, unsigned flags),
	(dst, len, flags))
WRAP(ssize_t, flistxattr, -1, (int fd, char *dst, size_t len), (fd, dst, len))
WRAP(ssize_t, fgetxattr, -1, (int fd, const char *name, void *dst, size_t len),
	(fd, name, dst, len))
WRAP(int, fsetxattr, -1,
	(int fd, const char *name, const void *src, size_t len, int flags),
	(fd, name, src, len, flags))
WRAP(off_t, lseek64, -1, (int fd, off_t offset, int whence),
	(fd, offset, whence))
WRAP_SHORT(read, (int fd, void *dst, size_t len), (fd, dst, len))
WRAP_SHORT(pread64, (int fd, void *dst, size_t len, off_t offset),
	(fd, dst, len, offset))
WRAP_SHORT(pwrite64, (int fd, const void *src, size_t len, off_t offset),
	(fd, src, len, offset))
WRAP_SHORT(copy_file_range,
	(int src, off_t *src_at, int dst, off_t *dst_at, size_t len,
		unsigned flags),
	(src, src_at, dst, dst_at, len, flags))

int __wrap_asprintf(char **ret_text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **ret_text, const char *format, ...)
{
	va_list args;
	int len = 0;

	if (is_failing("asprintf"))
		return -1;
	va_start(args, format);
	len = vasprintf(ret_text, format, args);
	va_end(args);
	return len;
}

int __real_openat64(int fd, const char *name, int flags, mode_t mode);
int __wrap_openat64(int fd, const char *name, int flags, ...);
int __wrap_openat64(int fd, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (is_failing("openat"))
		return -1;
	if ((flags & O_CREAT) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return __real_openat64(fd, name, flags, mode);
}

int __real_open64(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (is_failing("open"))
		return -1;
	if ((flags & O_CREAT) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return __real_open64(path, flags, mode);
}

typedef int scan_filter(const struct dirent64 *);
typedef int scan_compare(const struct dirent64 **, const struct dirent64 **);

WRAP(int, scandir64, -1,
	(const char *path, struct dirent64 ***ret_entries, scan_filter *filter,
		scan_compare *compare),
	(path, ret_entries, filter, compare))
