/* SPDX-License-Identifier: MIT
 * mannerfs.c: gives a folder the manners of another file system, by FUSE.
 *
 *   mannerfs ROOT MANNER,MANNER... MOUNTPOINT [option of FUSE...]
 *
 * A manner is CALL=ANSWER. The answer is an errno by its name, such as EPERM,
 * or "silent", which does nothing and says that it did. Calls:
 *
 *   link, symlink, chmod, chown, utimens, xattr, fallocate, copy-range, seek,
 *   flock, folder-sync (fsync of a folder), rename-flags (renameat2)
 *
 * and these, which take other answers:
 *
 *   rename-over-open=lose    it fails, and the file that was there loses its
 *                            name when the last one closes it; until then it
 *                            can be seen and not opened (SMB)
 *   rename-over-open=refuse  it fails, and nothing else happens
 *   flock=kernel             as anywhere, without asking this program
 *   flock=mandatory          a lock keeps all other descriptors, and all other
 *                            processes, from reading and writing (SMB)
 *   flock=writable           who cannot write gets no exclusive lock (NFS)
 *   remove-open=rename       a file that is open gets another name when it is
 *                            removed, and goes when it is closed
 *   mode=OCTAL               of everything, whatever was set
 *   mmap=none, inodes=odd    each name of a file has its own number
 *   grain=SECONDS            of times
 *   bad-sector=N             of each file, the 512 bytes at N cannot be read
 *   flip=N                   a bit of byte N is turned over on its way to the
 *                            disk; what was written stays in the page cache */
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SILENT (-1)
#define PATH_LEN (2 * PATH_MAX)

enum over_open { OVER_WORKS, OVER_REFUSED, OVER_LOSES };
enum locks { LOCKS_OWN, LOCKS_KERNEL, LOCKS_MANDATORY, LOCKS_WRITABLE };

/* What a call answers: 0, SILENT or an errno. */
static struct {
	int link, symlink, chmod, chown, utimens, xattr, fallocate;
	int copy_range, seek, flock, folder_sync, rename_flags;
	enum over_open over_open;
	enum locks locks;
	bool has_no_mmap, has_odd_inodes, renames_open;
	unsigned mode, grain;
	off_t bad_sector, flip; /* 0: none */
} manners;

static char root[PATH_MAX];

static const struct {
	const char *name;
	int *answer;
} calls[] = {
	{"link", &manners.link},
	{"symlink", &manners.symlink},
	{"chmod", &manners.chmod},
	{"chown", &manners.chown},
	{"utimens", &manners.utimens},
	{"xattr", &manners.xattr},
	{"fallocate", &manners.fallocate},
	{"copy-range", &manners.copy_range},
	{"seek", &manners.seek},
	{"flock", &manners.flock},
	{"folder-sync", &manners.folder_sync},
	{"rename-flags", &manners.rename_flags},
};

static const struct {
	const char *name;
	int answer;
} answers[] = {
	{"silent", SILENT},
	{"EACCES", EACCES},
	{"EBADF", EBADF},
	{"EINVAL", EINVAL},
	{"EIO", EIO},
	{"ENOLCK", ENOLCK},
	{"ENOSYS", ENOSYS},
	{"ENOTSUP", ENOTSUP},
	{"EPERM", EPERM},
};

/* A file that somebody has open. */
struct opened {
	int fd;
	dev_t dev;
	ino_t ino;
	char *doomed; /* the name that goes when the last one closes it */
	bool is_locked;
	pid_t locked_by;
	struct opened *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct opened *all_opened;

static struct opened *opened_of(const struct fuse_file_info *info)
{
	return (struct opened *)(uintptr_t)info->fh;
}

static void real_path(const char *path, char dst[PATH_LEN])
{
	snprintf(dst, PATH_LEN, "%s%s", root, path);
}

static int answer(long result)
{
	return result < 0 ? -errno : 0;
}

/* The first open file of an inode that is doomed, or any. Under the lock. */
static struct opened *opened_find(const struct stat *file, bool is_doomed)
{
	struct opened *one = all_opened;

	while (one && (one->dev != file->st_dev || one->ino != file->st_ino ||
			      (is_doomed && !one->doomed)))
		one = one->next;
	return one;
}

static bool is_open(const char *real, bool is_doomed)
{
	struct stat found = {0};
	bool is_it = false;

	if (lstat(real, &found) != 0)
		return false;
	pthread_mutex_lock(&lock);
	is_it = opened_find(&found, is_doomed) != NULL;
	pthread_mutex_unlock(&lock);
	return is_it;
}

static int opened_add(int fd, struct fuse_file_info *info)
{
	struct opened *one = calloc(1, sizeof(*one));
	struct stat found = {0};

	if (!one || fstat(fd, &found) != 0) {
		free(one);
		close(fd);
		return -ENOMEM;
	}
	one->fd = fd;
	one->dev = found.st_dev;
	one->ino = found.st_ino;
	pthread_mutex_lock(&lock);
	one->next = all_opened;
	all_opened = one;
	pthread_mutex_unlock(&lock);
	info->fh = (uintptr_t)one;
	info->direct_io = manners.has_no_mmap;
	return 0;
}

static void doom(const char *real)
{
	struct opened *one = NULL;
	struct stat found = {0};

	if (lstat(real, &found) != 0)
		return;
	pthread_mutex_lock(&lock);
	one = opened_find(&found, false);
	if (one && !one->doomed)
		one->doomed = strdup(real);
	pthread_mutex_unlock(&lock);
}

/* May this one read and write, as far as the locks of others go? */
static bool is_locked_out(const struct opened *me)
{
	pid_t pid = fuse_get_context()->pid;
	bool is_out = false;

	if (manners.locks != LOCKS_MANDATORY)
		return false;
	pthread_mutex_lock(&lock);
	for (struct opened *one = all_opened; one; one = one->next)
		if (one->is_locked && one->dev == me->dev &&
			one->ino == me->ino &&
			(one != me || one->locked_by != pid))
			is_out = true;
	pthread_mutex_unlock(&lock);
	return is_out;
}

static void *on_init(struct fuse_conn_info *connection, struct fuse_config *how)
{
	/* Otherwise each new time of the file empties the cache. */
	if (manners.flip > 0)
		connection->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA;
	how->use_ino = !manners.has_odd_inodes;
	how->hard_remove = !manners.renames_open;
	return NULL;
}

static int on_getattr(
	const char *path, struct stat *st, struct fuse_file_info *info)
{
	char real[PATH_LEN];
	int ret = 0;

	real_path(path, real);
	ret = answer(info ? fstat(opened_of(info)->fd, st) : lstat(real, st));
	if (manners.mode != 0)
		st->st_mode = (st->st_mode & S_IFMT) | manners.mode;
	if (manners.grain != 0) {
		st->st_mtim.tv_nsec = 0;
		st->st_mtim.tv_sec -= st->st_mtim.tv_sec % manners.grain;
	}
	return ret;
}

static int on_readlink(const char *path, char *dst, size_t len)
{
	char real[PATH_LEN];
	ssize_t got = 0;

	real_path(path, real);
	got = readlink(real, dst, len - 1);
	if (got < 0)
		return -errno;
	dst[got] = '\0';
	return 0;
}

static int on_mkdir(const char *path, mode_t mode)
{
	char real[PATH_LEN];

	real_path(path, real);
	return answer(mkdir(real, mode));
}

static int on_unlink(const char *path)
{
	char real[PATH_LEN];

	real_path(path, real);
	return answer(unlink(real));
}

static int on_rmdir(const char *path)
{
	char real[PATH_LEN];

	real_path(path, real);
	return answer(rmdir(real));
}

static int on_symlink(const char *target, const char *path)
{
	char real[PATH_LEN];

	if (manners.symlink != 0)
		return -manners.symlink;
	real_path(path, real);
	return answer(symlink(target, real));
}

static int on_rename(const char *from, const char *to, unsigned flags)
{
	char real_from[PATH_LEN], real_to[PATH_LEN];

	real_path(from, real_from);
	real_path(to, real_to);
	if (flags != 0 && manners.rename_flags != 0)
		return -manners.rename_flags;
	if (manners.over_open != OVER_WORKS && is_open(real_to, false)) {
		if (manners.over_open == OVER_LOSES)
			doom(real_to);
		return -EACCES;
	}
	return answer(renameat2(AT_FDCWD, real_from, AT_FDCWD, real_to, flags));
}

static int on_link(const char *from, const char *to)
{
	char real_from[PATH_LEN], real_to[PATH_LEN];

	if (manners.link != 0)
		return -manners.link;
	real_path(from, real_from);
	real_path(to, real_to);
	return answer(link(real_from, real_to));
}

static int on_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
	char real[PATH_LEN];

	(void)info;
	if (manners.chmod != 0)
		return manners.chmod == SILENT ? 0 : -manners.chmod;
	real_path(path, real);
	return answer(chmod(real, mode));
}

static int on_chown(
	const char *path, uid_t uid, gid_t gid, struct fuse_file_info *info)
{
	char real[PATH_LEN];

	(void)info;
	if (manners.chown != 0)
		return manners.chown == SILENT ? 0 : -manners.chown;
	real_path(path, real);
	return answer(lchown(real, uid, gid));
}

static int on_truncate(const char *path, off_t len, struct fuse_file_info *info)
{
	char real[PATH_LEN];

	real_path(path, real);
	return answer(info ? ftruncate(opened_of(info)->fd, len)
			   : truncate(real, len));
}

static int on_open(const char *path, struct fuse_file_info *info)
{
	char real[PATH_LEN];
	int fd = -1;

	real_path(path, real);
	if (is_open(real, true))
		return -ENOENT;
	fd = open(real, info->flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW));
	return fd < 0 ? -errno : opened_add(fd, info);
}

static int on_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	char real[PATH_LEN];
	int fd = -1;

	real_path(path, real);
	if (is_open(real, true))
		return -EACCES;
	fd = open(real, info->flags, mode);
	return fd < 0 ? -errno : opened_add(fd, info);
}

static int on_read(const char *path, char *dst, size_t len, off_t offset,
	struct fuse_file_info *info)
{
	ssize_t got = 0;

	(void)path;
	if (is_locked_out(opened_of(info)))
		return -EACCES;
	if (manners.bad_sector > 0 && offset < manners.bad_sector + 512 &&
		offset + (off_t)len > manners.bad_sector)
		return -EIO;
	got = pread(opened_of(info)->fd, dst, len, offset);
	return got < 0 ? -errno : (int)got;
}

static int on_write(const char *path, const char *src, size_t len, off_t offset,
	struct fuse_file_info *info)
{
	ssize_t put = 0;

	(void)path;
	if (is_locked_out(opened_of(info)))
		return -EACCES;
	put = pwrite(opened_of(info)->fd, src, len, offset);
	if (put > 0 && manners.flip >= offset && manners.flip < offset + put &&
		manners.flip > 0) {
		char byte = (char)(src[manners.flip - offset] ^ 1);

		if (pwrite(opened_of(info)->fd, &byte, 1, manners.flip) != 1)
			return -EIO;
	}
	return put < 0 ? -errno : (int)put;
}

static int on_statfs(const char *path, struct statvfs *fs)
{
	char real[PATH_LEN];

	real_path(path, real);
	return answer(statvfs(real, fs));
}

static int on_release(const char *path, struct fuse_file_info *info)
{
	struct opened *me = opened_of(info);
	struct opened *other = NULL;
	struct stat found = {0};

	(void)path;
	pthread_mutex_lock(&lock);
	for (struct opened **at = &all_opened; *at; at = &(*at)->next)
		if (*at == me) {
			*at = me->next;
			break;
		}
	if (me->doomed && lstat(me->doomed, &found) == 0 &&
		found.st_dev == me->dev && found.st_ino == me->ino) {
		other = opened_find(&found, false);
		if (!other)
			unlink(me->doomed);
		else if (!other->doomed)
			other->doomed = strdup(me->doomed);
	}
	pthread_mutex_unlock(&lock);
	close(me->fd);
	free(me->doomed);
	free(me);
	return 0;
}

static int on_fsync(const char *path, int is_data, struct fuse_file_info *info)
{
	(void)path;
	(void)is_data;
	return answer(fsync(opened_of(info)->fd));
}

static int on_fsyncdir(
	const char *path, int is_data, struct fuse_file_info *info)
{
	(void)path;
	(void)is_data;
	(void)info;
	return -manners.folder_sync;
}

static int on_setxattr(const char *path, const char *name, const char *value,
	size_t len, int flags)
{
	char real[PATH_LEN];

	if (manners.xattr != 0)
		return -manners.xattr;
	real_path(path, real);
	return answer(lsetxattr(real, name, value, len, flags));
}

static int on_getxattr(
	const char *path, const char *name, char *value, size_t len)
{
	char real[PATH_LEN];
	ssize_t got = 0;

	if (manners.xattr != 0)
		return -manners.xattr;
	real_path(path, real);
	got = lgetxattr(real, name, value, len);
	return got < 0 ? -errno : (int)got;
}

static int on_listxattr(const char *path, char *names, size_t len)
{
	char real[PATH_LEN];
	ssize_t got = 0;

	if (manners.xattr != 0)
		return -manners.xattr;
	real_path(path, real);
	got = llistxattr(real, names, len);
	return got < 0 ? -errno : (int)got;
}

static int on_removexattr(const char *path, const char *name)
{
	char real[PATH_LEN];

	if (manners.xattr != 0)
		return -manners.xattr;
	real_path(path, real);
	return answer(lremovexattr(real, name));
}

static int on_readdir(const char *path, void *dst, fuse_fill_dir_t fill,
	off_t offset, struct fuse_file_info *info, enum fuse_readdir_flags how)
{
	char real[PATH_LEN];
	DIR *dir = NULL;

	(void)offset;
	(void)info;
	(void)how;
	real_path(path, real);
	dir = opendir(real);
	if (!dir)
		return -errno;
	for (;;) {
		const struct dirent *entry = readdir(dir);

		if (!entry || fill(dst, entry->d_name, NULL, 0, 0) != 0)
			break;
	}
	closedir(dir);
	return 0;
}

static int on_utimens(const char *path, const struct timespec times[2],
	struct fuse_file_info *info)
{
	char real[PATH_LEN];

	(void)info;
	if (manners.utimens != 0)
		return manners.utimens == SILENT ? 0 : -manners.utimens;
	real_path(path, real);
	return answer(utimensat(AT_FDCWD, real, times, AT_SYMLINK_NOFOLLOW));
}

static int on_flock(const char *path, struct fuse_file_info *info, int how)
{
	struct opened *me = opened_of(info);

	(void)path;
	if (manners.flock != 0)
		return -manners.flock;
	if (manners.locks == LOCKS_WRITABLE && (how & LOCK_EX) != 0 &&
		(fcntl(me->fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (flock(me->fd, how | LOCK_NB) != 0)
		return -errno;
	pthread_mutex_lock(&lock);
	me->is_locked = (how & LOCK_EX) != 0;
	me->locked_by = fuse_get_context()->pid;
	pthread_mutex_unlock(&lock);
	return 0;
}

static int on_access(const char *path, int how)
{
	char real[PATH_LEN];

	real_path(path, real);
	return answer(access(real, how));
}

static int on_fallocate(const char *path, int how, off_t offset, off_t len,
	struct fuse_file_info *info)
{
	(void)path;
	if (manners.fallocate != 0)
		return -manners.fallocate;
	return answer(fallocate(opened_of(info)->fd, how, offset, len));
}

static ssize_t on_copy_range(const char *from, struct fuse_file_info *src,
	off_t src_at, const char *to, struct fuse_file_info *dst, off_t dst_at,
	size_t len, int flags)
{
	ssize_t done = 0;

	(void)from;
	(void)to;
	if (manners.copy_range != 0)
		return -manners.copy_range;
	done = copy_file_range(opened_of(src)->fd, &src_at, opened_of(dst)->fd,
		&dst_at, len, (unsigned)flags);
	return done < 0 ? -errno : done;
}

static off_t on_lseek(
	const char *path, off_t offset, int whence, struct fuse_file_info *info)
{
	off_t found = 0;

	(void)path;
	if (manners.seek != 0)
		return -manners.seek;
	found = lseek(opened_of(info)->fd, offset, whence);
	return found < 0 ? -errno : found;
}

static struct fuse_operations operations = {
	.init = on_init,
	.getattr = on_getattr,
	.readlink = on_readlink,
	.mkdir = on_mkdir,
	.unlink = on_unlink,
	.rmdir = on_rmdir,
	.symlink = on_symlink,
	.rename = on_rename,
	.link = on_link,
	.chmod = on_chmod,
	.chown = on_chown,
	.truncate = on_truncate,
	.open = on_open,
	.create = on_create,
	.read = on_read,
	.write = on_write,
	.statfs = on_statfs,
	.release = on_release,
	.fsync = on_fsync,
	.fsyncdir = on_fsyncdir,
	.setxattr = on_setxattr,
	.getxattr = on_getxattr,
	.listxattr = on_listxattr,
	.removexattr = on_removexattr,
	.readdir = on_readdir,
	.utimens = on_utimens,
	.flock = on_flock,
	.access = on_access,
	.fallocate = on_fallocate,
	.copy_file_range = on_copy_range,
	.lseek = on_lseek,
};

/* The manners that take other answers than the calls do. */
static bool special_set(const char *name, const char *value)
{
	char text[64];

	snprintf(text, sizeof(text), "%s=%s", name, value);
	if (strcmp(text, "rename-over-open=lose") == 0)
		manners.over_open = OVER_LOSES;
	else if (strcmp(text, "rename-over-open=refuse") == 0)
		manners.over_open = OVER_REFUSED;
	else if (strcmp(text, "flock=kernel") == 0)
		manners.locks = LOCKS_KERNEL;
	else if (strcmp(text, "flock=mandatory") == 0)
		manners.locks = LOCKS_MANDATORY;
	else if (strcmp(text, "flock=writable") == 0)
		manners.locks = LOCKS_WRITABLE;
	else if (strcmp(text, "remove-open=rename") == 0)
		manners.renames_open = true;
	else if (strcmp(text, "mmap=none") == 0)
		manners.has_no_mmap = true;
	else if (strcmp(text, "inodes=odd") == 0)
		manners.has_odd_inodes = true;
	else if (strcmp(name, "mode") == 0)
		manners.mode = (unsigned)strtoul(value, NULL, 8);
	else if (strcmp(name, "grain") == 0)
		manners.grain = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(name, "bad-sector") == 0)
		manners.bad_sector = strtol(value, NULL, 10);
	else if (strcmp(name, "flip") == 0)
		manners.flip = strtol(value, NULL, 10);
	else
		return false;
	return true;
}

static bool manner_set(const char *name, const char *value)
{
	if (special_set(name, value))
		return true;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		for (size_t j = 0; j < sizeof(answers) / sizeof(answers[0]);
			j++)
			if (strcmp(name, calls[i].name) == 0 &&
				strcmp(value, answers[j].name) == 0) {
				*calls[i].answer = answers[j].answer;
				return true;
			}
	return false;
}

static void manners_read(char *text)
{
	for (char *word = strtok(text, ","); word; word = strtok(NULL, ",")) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		if (!value || !manner_set(word, value)) {
			fprintf(stderr, "mannerfs: %s: no such manner\n", word);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc < 4 || !realpath(argv[1], root)) {
		fprintf(stderr, "usage: mannerfs ROOT MANNER,... MOUNTPOINT\n");
		return 2;
	}
	manners_read(argv[2]);
	if (manners.locks == LOCKS_KERNEL)
		operations.flock = NULL;
	umask(0);
	argv[2] = argv[0];
	return fuse_main(argc - 2, argv + 2, &operations, NULL);
}
