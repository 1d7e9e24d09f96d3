/* SPDX-License-Identifier: MIT
 * base/sandbox.c: what a process that parses hostile input may still do. */
#include "base/sandbox.h"
#include "base/filter.h"
#include "base/io.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* "nobody" on every Linux: the kernel's own overflow user. */
#define NOBODY 65534

/* Sanitizers make calls of their own. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SECCOMP false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define HAS_SECCOMP false
#endif
#endif
#ifndef HAS_SECCOMP
#define HAS_SECCOMP true
#endif

/* Newer than the oldest headers that this is built with. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define ACCESS_IOCTL_DEV (1ULL << 15)
#define ACCESS_NET (3ULL)
#define SCOPED (3ULL)

/* struct landlock_ruleset_attr as of version 6, whatever the headers have. */
struct ruleset {
	uint64_t access_fs;
	uint64_t access_net;
	uint64_t scoped;
};

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_FILE_CHANGE                                                     \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define ACCESS_FOLDER_CHANGE                                                   \
	(LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |      \
		LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)
/* All that version 1 knows: bits 0 to 12. */
#define ACCESS_FIRST ((1ULL << 13) - 1)

/* How long each version's struct is, and what it can take away. */
static struct ruleset ruleset_of(long version, size_t *ret_len)
{
	struct ruleset rules = {.access_fs = ACCESS_FIRST};

	*ret_len = sizeof(rules.access_fs);
	if (version >= 2)
		rules.access_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		rules.access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= 4) {
		rules.access_net = ACCESS_NET;
		*ret_len = 2 * sizeof(uint64_t);
	}
	if (version >= 5)
		rules.access_fs |= ACCESS_IOCTL_DEV;
	if (version >= 6) {
		rules.scoped = SCOPED;
		*ret_len = sizeof(rules);
	}
	return rules;
}

static bool rule_add(int rules_fd, const struct ruleset *rules,
	const char *path, bool writes)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = ACCESS_READ};
	struct stat st = {0};
	bool is_added = false;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0 || fstat(rule.parent_fd, &st) != 0)
		goto out;
	if (writes)
		rule.allowed_access |=
			ACCESS_FILE_CHANGE | ACCESS_FOLDER_CHANGE;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &=
			LANDLOCK_ACCESS_FS_READ_FILE | ACCESS_FILE_CHANGE;
	rule.allowed_access &= rules->access_fs;
	is_added = syscall(SYS_landlock_add_rule, rules_fd,
			   LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
out:
	if (rule.parent_fd >= 0)
		close(rule.parent_fd);
	return is_added;
}

/* No file by name but those that the sandbox names. */
static bool landlock_enter(const struct wt_sandbox *sandbox)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset rules = {0};
	size_t len = 0;
	bool is_on = false;
	int fd = -1;

	if (version < 1)
		return false;
	rules = ruleset_of(version, &len);
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, len, 0);
	if (fd < 0)
		return false;
	/* libxml2 prints to standard error, which is turned to it; a root
	 * without devices has none, and needs no rule. */
	is_on = (rule_add(fd, &rules, "/dev/null", true) || errno == ENOENT) &&
		(!sandbox->read_path ||
			rule_add(fd, &rules, sandbox->read_path, false)) &&
		(!sandbox->write_path ||
			rule_add(fd, &rules, sandbox->write_path, true)) &&
		syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	close(fd);
	return is_on;
}

/* A FUSE file system may serve nobody but the user who mounted it, root too,
 * and answers fstat() of an open file to others with EACCES. */
static bool is_on_fuse(int fd)
{
	struct statfs fs = {0};

	return fd >= 0 && fstatfs(fd, &fs) == 0 &&
	       (unsigned long)fs.f_type == FUSE_SUPER_MAGIC;
}

static bool needs_user(const struct wt_sandbox *sandbox)
{
	if (sandbox->read_fd > 0 && is_on_fuse(sandbox->read_fd))
		return true;
	for (size_t i = 0; i < sandbox->fd_count; i++)
		if (is_on_fuse(sandbox->fds[i]))
			return true;
	return false;
}

/*
 * Gives up what root has. Who opens files by name keeps the user, and the two
 * capabilities that let root open a file whose mode says no.
 */
static unsigned privileges_drop(const struct wt_sandbox *sandbox)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	bool has_paths = sandbox->read_path || sandbox->write_path;
	unsigned locks = 0;

	if (geteuid() == 0 && has_paths)
		none[0].effective = none[0].permitted =
			1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;
	/* A user namespace may not map the user nobody. */
	else if (geteuid() == 0 && !needs_user(sandbox) &&
		 setgroups(0, NULL) == 0 &&
		 setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
		 setresuid(NOBODY, NOBODY, NOBODY) == 0)
		locks |= WT_LOCK_USER;
	if (syscall(SYS_capset, &header, none) == 0 &&
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		locks |= WT_LOCK_PRIVILEGES;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return locks;
}

static bool seccomp_enter(const struct wt_sandbox *sandbox)
{
	struct sock_fprog *filter =
		&wt_filters[(sandbox->writes ? WT_FILTER_WRITES : 0) |
			    (sandbox->write_path ? WT_FILTER_CHANGES : 0) |
			    (sandbox->forks ? WT_FILTER_FORKS : 0)];

	if (sandbox->mounts)
		filter = &wt_filters[WT_FILTER_MOUNTS];
	for (size_t i = 0; i < filter->len; i++)
		if (BPF_CLASS(filter->filter[i].code) == BPF_JMP &&
			filter->filter[i].k == WT_FILTER_OWN_PID)
			filter->filter[i].k = (uint32_t)getpid();
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) == 0;
}

/* Of this process: a handler has no other way to know. */
static struct wt_sandbox_denied *denied_here;

static void on_denied(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	if (denied_here)
		denied_here->call = info->si_syscall;
	_exit(1);
}

/* The descriptor that a path in /proc leads to; -1: it is another path. */
static int fd_of(const char *path)
{
	static const char folder[] = "/proc/self/fd/";
	size_t len = sizeof(folder) - 1;

	if (!path || strncmp(path, folder, len) != 0 ||
		!isdigit((unsigned char)path[len]))
		return -1;
	return (int)strtol(path + len, NULL, 10);
}

/* What the descriptor leads to can be read through it from now on, and not
 * written. Where the file cannot be opened again it stays as it is. */
static void make_read_only(int fd)
{
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
	char path[32] = "";
	int again = -1;

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (again >= 0) {
		/* Landlock lets a file in memory be opened once more. */
		if (wt_io_is_in_memory(fd))
			(void)fchmod(fd, 0444);
		dup3(again, fd, O_CLOEXEC);
		close(again);
	}
}

/* The lowest of these descriptors from least on, if it is below other. */
static unsigned fd_lowest(
	const int *fds, size_t count, unsigned least, unsigned other)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0 && (unsigned)fds[i] >= least &&
			(unsigned)fds[i] < other)
			other = (unsigned)fds[i];
	return other;
}

/* Closes every descriptor but those that are named. They are few, and memory
 * that a child takes costs more than a look at each. */
static void fds_close(const struct wt_sandbox *sandbox, int alive_fd)
{
	const int more[] = {alive_fd, fd_of(sandbox->read_path),
		fd_of(sandbox->write_path),
		sandbox->read_fd > 0 ? sandbox->read_fd : -1};
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned kept = 0;

	make_read_only(more[1]);
	make_read_only(more[3]);
	for (unsigned fd = 0; kept != UINT_MAX; fd = kept + 1) {
		kept = fd_lowest(
			more, sizeof(more) / sizeof(more[0]), fd, UINT_MAX);
		kept = fd_lowest(sandbox->fds, sandbox->fd_count, fd, kept);
		/* Who started the program with one of the three closed has a
		 * file there, maybe. */
		for (; fd < kept && fd <= STDERR_FILENO; fd++)
			if (fd != STDERR_FILENO || HAS_SECCOMP)
				dup2(null_fd, (int)fd);
		if (fd < kept)
			syscall(SYS_close_range, fd, kept - 1, 0);
	}
}

unsigned wt_sandbox_enter(const struct wt_sandbox *sandbox, int alive_fd,
	struct wt_sandbox_denied *denied)
{
	struct sigaction action = {
		.sa_sigaction = on_denied, .sa_flags = SA_SIGINFO};
	unsigned locks = 0;

	/* A child of one that is locked in. */
	if (denied_here)
		return 0;
	denied_here = denied;
	/* The processes that it starts cannot leave this group, so its parent
	 * can end them all at once. */
	if (!sandbox->mounts)
		setpgid(0, 0);
	sigaction(SIGSYS, &action, NULL);
	/* Who is not root mounts through a set-uid program, which no lock
	 * may come before. */
	if (sandbox->mounts)
		return geteuid() == 0 && HAS_SECCOMP && seccomp_enter(sandbox)
			       ? WT_LOCK_SECCOMP
			       : 0;
	fds_close(sandbox, alive_fd);
	locks = privileges_drop(sandbox);
	if ((locks & WT_LOCK_PRIVILEGES) && landlock_enter(sandbox))
		locks |= WT_LOCK_LANDLOCK;
	if ((locks & WT_LOCK_PRIVILEGES) && HAS_SECCOMP &&
		seccomp_enter(sandbox))
		locks |= WT_LOCK_SECCOMP;
	return locks;
}

const char *wt_lock_name(enum wt_lock lock)
{
	switch (lock) {
	case WT_LOCK_PRIVILEGES:
		return "privileges";
	case WT_LOCK_USER:
		return "user";
	case WT_LOCK_LANDLOCK:
		return "landlock";
	case WT_LOCK_SECCOMP:
		return "seccomp";
	}
	return NULL;
}

void wt_sandbox_call_name(int call, char ret_name[32])
{
	char *name =
		seccomp_syscall_resolve_num_arch(seccomp_arch_native(), call);

	snprintf(ret_name, 32, "%s", name ? name : "?");
	free(name);
}
