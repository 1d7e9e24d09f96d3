/* SPDX-License-Identifier: MIT
 * faultfs.c: preloaded; fails, kills at, and records file-system calls.
 *
 * Looks at calls that change something below the folders in WT_FAULT_DIRS
 * (separated by colons, as realpath() gives them), in every process that
 * inherits the environment.
 *
 * WT_FAULT_STATE names a file of 64 bytes that all of them share:
 *
 *   offset  size  meaning
 *   0       4     calls so far
 *   4       4     the call that is meant, from 1
 *   8       4     errno that it fails with
 *   12      4     0 nothing, 1 that call fails, 2 it and all after it fail,
 *                 3 it writes only half, 4 the program is killed before it,
 *                 5 the program is killed after it, 6 it writes a byte that
 *                 is not the one it was given, 7 the program is stopped
 *                 before it, 8 the child that calls is, but not the program
 *   16      32    name of the function that was meant
 *   48      4     pid of the first process, which is the program
 *
 * WT_FAULT_UNSHARE: set, nobody gets a namespace of his own.
 *
 * WT_FAULT_LOG names a file that gets a record of each call that succeeded:
 *
 *   offset  size  meaning
 *   0       1     C create, D create folder, W write, T truncate, S sync,
 *                 R rename, L link, U unlink
 *   1       7     zero
 *   8       8     inode
 *   16      8     offset of a write, length of a truncate
 *   24      8     length n of the first data: what was written, or a path
 *   32      8     length m of the second: the new path
 *   40      n+m   both */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	ONCE = 1,
	ALWAYS,
	SHORT,
	KILL_BEFORE,
	KILL_AFTER,
	FLIP,
	STOP,
	STOP_CHILD
};

struct shared {
	_Atomic uint32_t calls;
	uint32_t at;
	int32_t native;
	uint32_t mode;
	char name[32];
	/* The program itself, which starts before its children. */
	_Atomic int32_t program;
	char unused[12];
};

struct record {
	char op;
	char unused[7];
	uint64_t inode, offset, first_len, second_len;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct shared *shared;
static int log_fd = -1;
static const char *dirs;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void start(void)
{
	const char *state = getenv("WT_FAULT_STATE");
	const char *log = getenv("WT_FAULT_LOG");
	int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
	int fd = -1;

	dirs = getenv("WT_FAULT_DIRS");
	if (state)
		fd = real_open(state, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			MAP_SHARED, fd, 0);
		close(fd);
		if (shared == MAP_FAILED)
			shared = NULL;
	}
	if (shared) {
		int32_t none = 0;

		atomic_compare_exchange_strong(
			&shared->program, &none, getpid());
	}
	/* Descriptors far above those of the program and its children. */
	if (log)
		fd = real_open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (log && fd >= 0) {
		log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
		close(fd);
	}
}

__attribute__((constructor)) static void begin(void)
{
	pthread_once(&once, start);
}

/* The program and this process, which may be a child of it. */
static void die(void)
{
	kill(shared->program, SIGKILL);
	raise(SIGKILL);
}

static bool is_below(const char *path)
{
	const char *at = dirs;

	while (at && *at != '\0') {
		size_t len = strcspn(at, ":");

		if (strncmp(path, at, len) == 0 &&
			(path[len] == '/' || path[len] == '\0'))
			return true;
		at += len + (at[len] == ':');
	}
	return false;
}

static bool fd_path(int fd, char path[PATH_MAX])
{
	char link[40];
	ssize_t len = 0;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_MAX - 1);
	if (len <= 0)
		return false;
	path[len] = '\0';
	return true;
}

/* "/proc/self/fd/3/name": a name in an open folder. */
static bool name_in_fd(const char **name, int *ret_fd)
{
	int len = 0;

	if (sscanf(*name, "/proc/self/fd/%d/%n", ret_fd, &len) != 1 || len == 0)
		return false;
	*name += len;
	return true;
}

static bool name_path(int dir_fd, const char *name, char path[PATH_MAX])
{
	char dir[PATH_MAX];

	if (name[0] == '/' && !name_in_fd(&name, &dir_fd)) {
		snprintf(path, PATH_MAX, "%s", name);
		return true;
	}
	if (dir_fd == AT_FDCWD) {
		if (!getcwd(dir, sizeof(dir)))
			return false;
	} else if (!fd_path(dir_fd, dir)) {
		return false;
	}
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX;
}

static bool is_watched(int dir_fd, const char *name)
{
	char path[PATH_MAX];
	int saved = errno;
	bool is_it = false;

	pthread_once(&once, start);
	if (dirs)
		is_it = (name ? name_path(dir_fd, name, path)
			      : fd_path(dir_fd, path)) &&
			is_below(path);
	errno = saved;
	return is_it;
}

/* 0: go on; ONCE: fail with errno; SHORT: do half. */
static int meet(const char *name, bool *ret_kill)
{
	uint32_t n = 0;

	*ret_kill = false;
	if (!shared || shared->mode == 0) {
		if (shared)
			atomic_fetch_add(&shared->calls, 1);
		return 0;
	}
	n = atomic_fetch_add(&shared->calls, 1) + 1;
	if (shared->mode == STOP_CHILD && shared->program == getpid())
		return 0;
	if (n < shared->at || (n > shared->at && shared->mode != ALWAYS))
		return 0;
	if (n == shared->at)
		snprintf(shared->name, sizeof(shared->name), "%s", name);
	if (shared->mode == KILL_BEFORE)
		die();
	if (shared->mode == STOP) {
		if (shared->program != getpid())
			kill(shared->program, SIGSTOP);
		raise(SIGSTOP);
	}
	if (shared->mode == STOP_CHILD)
		raise(SIGSTOP);
	if (shared->mode == KILL_AFTER)
		*ret_kill = true;
	if (shared->mode == SHORT || shared->mode == FLIP)
		return (int)shared->mode;
	if (shared->mode == ONCE || shared->mode == ALWAYS) {
		errno = shared->native;
		return ONCE;
	}
	return 0;
}

static void note(char op, uint64_t inode, uint64_t offset, const void *first,
	size_t first_len, const char *second)
{
	struct record record = {.op = op,
		.inode = inode,
		.offset = offset,
		.first_len = first_len,
		.second_len = second ? strlen(second) : 0};
	struct iovec parts[3] = {
		{&record, sizeof(record)},
		{(void *)(uintptr_t)first, first_len},
		{(void *)(uintptr_t)second, record.second_len},
	};
	int saved = errno;

	if (log_fd >= 0 && writev(log_fd, parts, 3) < 0)
		abort();
	errno = saved;
}

static uint64_t inode_of(int fd)
{
	struct stat found = {0};
	int saved = errno;

	fstat(fd, &found);
	errno = saved;
	return found.st_ino;
}

static void note_names(char op, int from_fd, const char *from, int to_fd,
	const char *to, uint64_t inode)
{
	char from_path[PATH_MAX] = "";
	char to_path[PATH_MAX] = "";

	name_path(from_fd, from, from_path);
	if (to)
		name_path(to_fd, to, to_path);
	note(op, inode, 0, from_path, strlen(from_path), to ? to_path : NULL);
}

static void note_opened(
	bool is_new, int flags, int dir_fd, const char *name, uint64_t inode)
{
	if (is_new)
		note_names('C', dir_fd, name, 0, NULL, inode);
	else if ((flags & O_TRUNC) != 0)
		note('T', inode, 0, NULL, 0, NULL);
}

/* The frame of each wrapper: count, fail or kill, do it, record it. */
#define AROUND(name, is_it, failure, call, success, record_it)                 \
	do {                                                                   \
		bool is_killed = false;                                        \
		__typeof__(call) result;                                       \
		if (!(is_it))                                                  \
			return call;                                           \
		if (meet(name, &is_killed) == ONCE)                            \
			return failure;                                        \
		result = call;                                                 \
		if (success)                                                   \
			record_it;                                             \
		if (is_killed)                                                 \
			die();                                                 \
		return result;                                                 \
	} while (0)

static int open_common(int dir_fd, const char *name, int flags, mode_t mode)
{
	int (*real)(int, const char *, int, ...) = dlsym(RTLD_NEXT, "openat");
	struct stat found;
	bool is_new = false;

	if ((flags & O_CREAT) == 0 && (flags & O_TRUNC) == 0)
		return real(dir_fd, name, flags, mode);
	is_new = fstatat(dir_fd, name, &found, 0) != 0;
	AROUND("open", is_watched(dir_fd, name), -1,
		real(dir_fd, name, flags, mode), result >= 0,
		note_opened(is_new, flags, dir_fd, name, inode_of(result)));
}

#define OPEN_MODE(flags, mode)                                                 \
	mode_t mode = 0;                                                       \
	if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {                          \
		va_list args;                                                  \
		va_start(args, flags);                                         \
		mode = va_arg(args, mode_t);                                   \
		va_end(args);                                                  \
	}

int openat(int dir_fd, const char *name, int flags, ...)
{
	OPEN_MODE(flags, mode)
	return open_common(dir_fd, name, flags, mode);
}

int openat64(int dir_fd, const char *name, int flags, ...)
{
	OPEN_MODE(flags, mode)
	return open_common(dir_fd, name, flags, mode);
}

int open(const char *name, int flags, ...)
{
	OPEN_MODE(flags, mode)
	return open_common(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
	OPEN_MODE(flags, mode)
	return open_common(AT_FDCWD, name, flags, mode);
}

/* A copy of what is written, with one byte in its middle changed. There is one
 * copy, and this holds it for the leak checker. */
static uint8_t *volatile flipped_copy;

static void *flipped(const void *src, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	if (!copy)
		abort();
	memcpy(copy, src, len);
	copy[len / 2] ^= 1;
	flipped_copy = copy;
	return copy;
}

static ssize_t pwrite_common(int fd, const void *src, size_t len, off_t offset)
{
	ssize_t (*real)(int, const void *, size_t, off_t) =
		dlsym(RTLD_NEXT, "pwrite");
	bool is_killed = false;
	ssize_t put = 0;
	int met = 0;

	if (!is_watched(fd, NULL))
		return real(fd, src, len, offset);
	met = meet("pwrite", &is_killed);
	if (met == ONCE)
		return -1;
	if (met == FLIP)
		src = flipped(src, len);
	put = real(fd, src, met == SHORT && len > 1 ? len / 2 : len, offset);
	if (put > 0)
		note('W', inode_of(fd), (uint64_t)offset, src, (size_t)put,
			NULL);
	if (is_killed)
		die();
	return put;
}

ssize_t pwrite(int fd, const void *src, size_t len, off_t offset)
{
	return pwrite_common(fd, src, len, offset);
}

ssize_t pwrite64(int fd, const void *src, size_t len, off_t offset)
{
	return pwrite_common(fd, src, len, offset);
}

ssize_t write(int fd, const void *src, size_t len)
{
	ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
	bool is_killed = false;
	off_t offset = 0;
	ssize_t put = 0;
	int met = 0;

	if (!is_watched(fd, NULL))
		return real(fd, src, len);
	met = meet("write", &is_killed);
	if (met == ONCE)
		return -1;
	if (met == FLIP)
		src = flipped(src, len);
	offset = lseek(fd, 0, SEEK_CUR);
	put = real(fd, src, met == SHORT && len > 1 ? len / 2 : len);
	if (put > 0)
		note('W', inode_of(fd), (uint64_t)offset, src, (size_t)put,
			NULL);
	if (is_killed)
		die();
	return put;
}

ssize_t copy_file_range(int src, off64_t *src_at, int dst, off64_t *dst_at,
	size_t len, unsigned flags)
{
	ssize_t (*real)(int, off64_t *, int, off64_t *, size_t, unsigned) =
		dlsym(RTLD_NEXT, "copy_file_range");
	off64_t from = src_at ? *src_at : 0;
	off64_t to = dst_at ? *dst_at : 0;
	bool is_killed = false;
	ssize_t put = 0;
	int met = 0;

	if (!is_watched(dst, NULL))
		return real(src, src_at, dst, dst_at, len, flags);
	met = meet("copy_file_range", &is_killed);
	if (met == ONCE)
		return -1;
	put = real(src, src_at, dst, dst_at,
		met == SHORT && len > 1 ? len / 2 : len, flags);
	if (put > 0 && log_fd >= 0) {
		char *data = malloc((size_t)put);

		if (!data || pread(src, data, (size_t)put, from) != put)
			abort();
		note('W', inode_of(dst), (uint64_t)to, data, (size_t)put, NULL);
		free(data);
	}
	if (is_killed)
		die();
	return put;
}

/* Writes nothing that could be recorded: it shares blocks. */
int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
	va_list args;
	void *arg = NULL;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == FICLONE && is_watched(fd, NULL)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return real(fd, request, arg);
}

static int truncate_common(int fd, off_t len)
{
	int (*real)(int, off_t) = dlsym(RTLD_NEXT, "ftruncate");

	AROUND("ftruncate", is_watched(fd, NULL), -1, real(fd, len),
		result == 0,
		note('T', inode_of(fd), (uint64_t)len, NULL, 0, NULL));
}

int ftruncate(int fd, off_t len)
{
	return truncate_common(fd, len);
}

int ftruncate64(int fd, off_t len)
{
	return truncate_common(fd, len);
}

int fsync(int fd)
{
	AROUND("fsync", is_watched(fd, NULL), -1, REAL(fsync)(fd), result == 0,
		note('S', inode_of(fd), 0, NULL, 0, NULL));
}

int fdatasync(int fd)
{
	AROUND("fdatasync", is_watched(fd, NULL), -1, REAL(fdatasync)(fd),
		result == 0, note('S', inode_of(fd), 0, NULL, 0, NULL));
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	AROUND("rename", is_watched(b, to), -1,
		REAL(renameat2)(a, from, b, to, flags), result == 0,
		note_names('R', a, from, b, to, 0));
}

int renameat(int a, const char *from, int b, const char *to)
{
	AROUND("rename", is_watched(b, to), -1, REAL(renameat)(a, from, b, to),
		result == 0, note_names('R', a, from, b, to, 0));
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int linkat(int a, const char *from, int b, const char *to, int flags)
{
	AROUND("link", is_watched(b, to), -1,
		REAL(linkat)(a, from, b, to, flags), result == 0,
		note_names('L', a, from, b, to, 0));
}

int unlinkat(int fd, const char *name, int flags)
{
	AROUND("unlink", is_watched(fd, name), -1,
		REAL(unlinkat)(fd, name, flags), result == 0,
		note_names('U', fd, name, 0, NULL, 0));
}

int unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int mkdirat(int fd, const char *name, mode_t mode)
{
	AROUND("mkdir", is_watched(fd, name), -1, REAL(mkdirat)(fd, name, mode),
		result == 0, note_names('D', fd, name, 0, NULL, 0));
}

int fchmod(int fd, mode_t mode)
{
	AROUND("fchmod", is_watched(fd, NULL), -1, REAL(fchmod)(fd, mode),
		false, (void)0);
}

int fchown(int fd, uid_t uid, gid_t gid)
{
	AROUND("fchown", is_watched(fd, NULL), -1, REAL(fchown)(fd, uid, gid),
		false, (void)0);
}

int unshare(int flags)
{
	if (getenv("WT_FAULT_UNSHARE")) {
		errno = EPERM;
		return -1;
	}
	return REAL(unshare)(flags);
}
