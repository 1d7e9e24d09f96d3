/* SPDX-License-Identifier: MIT
 * base/sandbox.c: what a process that parses hostile input may still do. */
#include "base/sandbox.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

/* Memory, the descriptors that are there, time, and its own end. */
static const int always[] = {
	SCMP_SYS(access),
	SCMP_SYS(brk),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(close),
	SCMP_SYS(copy_file_range),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(fadvise64),
	SCMP_SYS(fallocate),
	SCMP_SYS(fdatasync),
	SCMP_SYS(flock),
	SCMP_SYS(fstat),
	SCMP_SYS(fstatfs),
	SCMP_SYS(fsync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(futex),
	SCMP_SYS(getdents64),
	SCMP_SYS(getegid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getpid),
	SCMP_SYS(getppid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(getuid),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(membarrier),
	SCMP_SYS(memfd_create),
	SCMP_SYS(mmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(nanosleep),
	SCMP_SYS(newfstatat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(pread64),
	SCMP_SYS(preadv),
	SCMP_SYS(pwrite64),
	SCMP_SYS(pwritev),
	SCMP_SYS(read),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(readv),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sendfile),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(stat),
	SCMP_SYS(statx),
	SCMP_SYS(sysinfo),
	SCMP_SYS(time), /* by the C library, where there is no vDSO */
	SCMP_SYS(uname),
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* Of those that change files below write_path. Calls that change the mode, the
 * owner or the times of a path are not here, because Landlock does not see
 * them; neither is truncate(), which it does not see before Linux 6.2. */
static const int changing[] = {
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
};

/* Of those that start and look after children of their own. */
static const int forking[] = {
	SCMP_SYS(fork),
	SCMP_SYS(pidfd_open),
	SCMP_SYS(pipe2),
	SCMP_SYS(setrlimit),
	SCMP_SYS(vfork),
};

/* What no mount needs. */
static const int never[] = {
	SCMP_SYS(acct),
	SCMP_SYS(add_key),
	SCMP_SYS(bpf),
	SCMP_SYS(delete_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(init_module),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(ioperm),
	SCMP_SYS(iopl),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(kexec_load),
	SCMP_SYS(keyctl),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(pivot_root),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(ptrace),
	SCMP_SYS(reboot),
	SCMP_SYS(request_key),
	SCMP_SYS(setns),
	SCMP_SYS(swapoff),
	SCMP_SYS(swapon),
	SCMP_SYS(userfaultfd),
};

#define ADD_ALL(filter, action, calls)                                         \
	add_all(filter, action, calls, sizeof(calls) / sizeof((calls)[0]))

static bool add_all(
	scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	bool is_added = true;

	/* Negative: this architecture has no such call. */
	for (size_t i = 0; i < count; i++)
		is_added &= calls[i] < 0 ||
			    seccomp_rule_add(filter, action, calls[i], 0) == 0;
	return is_added;
}

/* Files are opened for reading, unless some are to be changed. */
static bool add_open(scmp_filter_ctx filter, bool writes)
{
	const uint64_t mask =
		writes ? O_ACCMODE : O_ACCMODE | O_CREAT | O_TRUNC;
	bool is_added = true;

	/* The C library opens by openat() only. The fourth access mode opens
	 * any file for ioctl(), and Landlock does not see it. */
	for (uint64_t mode = O_RDONLY; mode <= (writes ? O_RDWR : O_RDONLY);
		mode++)
		is_added &=
			seccomp_rule_add(filter, SCMP_ACT_ALLOW,
				SCMP_SYS(openat), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, mask, mode)) == 0;
	return is_added;
}

/* Descriptors and locks of its own. With F_SETOWN, F_SETSIG or F_SETLEASE it
 * could send a signal to any process of the same user. */
static bool add_fcntl(scmp_filter_ctx filter)
{
	static const uint64_t more[] = {F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
		F_DUPFD_CLOEXEC, F_GET_SEALS};
	bool is_added =
		/* From F_DUPFD to F_SETLKW. */
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
			SCMP_A1(SCMP_CMP_LE, F_SETLKW, 0)) == 0;

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		is_added &= seccomp_rule_add(filter, SCMP_ACT_ALLOW,
				    SCMP_SYS(fcntl), 1,
				    SCMP_A1(SCMP_CMP_EQ, more[i], 0)) == 0;
	return is_added;
}

/* Sets the times of open files only. */
static bool add_times(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(utimensat), 1,
		       SCMP_A1(SCMP_CMP_EQ, 0, 0)) == 0;
}

/* Threads, and children where they are needed. clone3() hides its flags in
 * memory: it is said to be missing, and the C library takes clone(). */
static bool add_clone(scmp_filter_ctx filter, bool forks)
{
	const uint64_t thread = CLONE_VM | CLONE_THREAD;
	const uint64_t spaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID |
				CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
				CLONE_NEWCGROUP | CLONE_PTRACE | CLONE_PARENT;

	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
		       SCMP_SYS(clone3), 0) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		       SCMP_A0(SCMP_CMP_MASKED_EQ, thread | spaces, thread)) ==
		       0 &&
	       (!forks ||
		       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone),
			       1, SCMP_A0(SCMP_CMP_MASKED_EQ, spaces, 0)) == 0);
}

/* A placeholder in a compiled filter: seccomp_enter() replaces it by the
 * number of its process. No process has this number. */
#define OWN_PID 0x7F5A3C1E

/* Only for itself: its own limits may be read, abort() may end it, a child
 * that it starts may ask to die with it. */
static bool add_own(scmp_filter_ctx filter, bool forks)
{
	bool is_added =
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			SCMP_A0(SCMP_CMP_EQ, OWN_PID, 0)) == 0 &&
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
			SCMP_A2(SCMP_CMP_EQ, 0, 0)) == 0 &&
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2,
			SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG, 0),
			SCMP_A1(SCMP_CMP_EQ, SIGKILL, 0)) == 0 &&
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
			SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0)) == 0 &&
		/* The C library names its memory; it bears a no. */
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL),
			SCMP_SYS(prctl), 1,
			SCMP_A0(SCMP_CMP_EQ, 0x53564d41, 0)) == 0 &&
		/* Is this a terminal? No. */
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY),
			SCMP_SYS(ioctl), 0) == 0;

	if (!is_added || !forks)
		return is_added;
	/* No number tells its own children from others, so it kills none: they
	 * end with it. */
	return ADD_ALL(filter, SCMP_ACT_ALLOW, forking) &&
	       seccomp_rule_add(
		       filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(kill), 0) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
		       SCMP_A0(SCMP_CMP_EQ, 0, 0)) == 0;
}

/* NULL when there is no memory. */
static scmp_filter_ctx filter_make(const struct wt_sandbox *sandbox)
{
	bool changes = sandbox->write_path != NULL;
	scmp_filter_ctx filter =
		seccomp_init(sandbox->mounts ? SCMP_ACT_ALLOW : SCMP_ACT_TRAP);
	bool is_made = filter != NULL;

	/* The kernel runs a new filter once for every call number. A binary
	 * tree makes that cheap; with a list it was most of the cost. */
	if (is_made)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (is_made && sandbox->mounts)
		is_made = ADD_ALL(filter, SCMP_ACT_TRAP, never);
	else if (is_made)
		is_made = ADD_ALL(filter, SCMP_ACT_ALLOW, always) &&
			  add_open(filter, changes || sandbox->writes) &&
			  add_fcntl(filter) &&
			  add_clone(filter, sandbox->forks) &&
			  add_own(filter, sandbox->forks) &&
			  (!changes ||
				  (ADD_ALL(filter, SCMP_ACT_ALLOW, changing) &&
					  add_times(filter)));
	if (is_made)
		return filter;
	seccomp_release(filter);
	return NULL;
}

/* The filter in the kernel's format; NULL if there is no memory. */
static struct sock_fprog *program_make(const struct wt_sandbox *sandbox)
{
	scmp_filter_ctx filter = filter_make(sandbox);
	struct sock_fprog *program = calloc(1, sizeof(*program));
	int fd = memfd_create("wimtrust-filter", MFD_CLOEXEC);
	struct stat st = {0};
	bool is_made = false;

	if (!filter || !program || fd < 0 ||
		seccomp_export_bpf(filter, fd) != 0 || fstat(fd, &st) != 0)
		goto out;
	program->filter = malloc((size_t)st.st_size);
	program->len =
		(unsigned short)((size_t)st.st_size / sizeof(*program->filter));
	is_made =
		program->filter &&
		pread(fd, program->filter, (size_t)st.st_size, 0) == st.st_size;
out:
	if (fd >= 0)
		close(fd);
	seccomp_release(filter);
	if (is_made)
		return program;
	if (program)
		free(program->filter);
	free(program);
	return NULL;
}

/* One filter for each kind of process. Making one takes as long as starting a
 * process, so it is kept. */
static _Atomic(struct sock_fprog *) programs[16];

static struct sock_fprog *program_get(const struct wt_sandbox *sandbox)
{
	size_t kind = (size_t)sandbox->mounts << 3 |
		      (size_t)sandbox->forks << 2 |
		      (size_t)(sandbox->write_path != NULL) << 1 |
		      (size_t)sandbox->writes;
	struct sock_fprog *program = atomic_load(&programs[kind]);
	struct sock_fprog *other = NULL;

	if (program)
		return program;
	program = program_make(sandbox);
	if (!program || atomic_compare_exchange_strong(
				&programs[kind], &other, program))
		return program;
	/* Another thread was faster. */
	free(program->filter);
	free(program);
	return other;
}

void wt_sandbox_compile(const struct wt_sandbox *sandbox)
{
	if (HAS_SECCOMP)
		(void)program_get(sandbox);
}

static bool seccomp_enter(const struct wt_sandbox *sandbox)
{
	struct sock_fprog *program = program_get(sandbox);

	if (!program)
		return false;
	for (size_t i = 0; i < program->len; i++)
		if (BPF_CLASS(program->filter[i].code) == BPF_JMP &&
			program->filter[i].k == OWN_PID)
			program->filter[i].k = (uint32_t)getpid();
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == 0;
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
	int fd = -1;

	if (path && sscanf(path, "/proc/self/fd/%d", &fd) != 1)
		fd = -1;
	return fd;
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

static int int_order(const void *left, const void *right)
{
	int a = *(const int *)left;
	int b = *(const int *)right;

	return (a > b) - (a < b);
}

/* Closes every descriptor but those that are named. */
static void fds_close(const struct wt_sandbox *sandbox, int alive_fd)
{
	int more[] = {alive_fd, fd_of(sandbox->read_path),
		fd_of(sandbox->write_path),
		sandbox->read_fd > 0 ? sandbox->read_fd : -1};
	size_t more_count = sizeof(more) / sizeof(more[0]);
	size_t count = more_count + sandbox->fd_count;
	int *kept = calloc(count, sizeof(*kept));
	unsigned next = 0;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	make_read_only(more[1]);
	make_read_only(more[3]);
	if (!kept)
		_exit(1);
	memcpy(kept, more, sizeof(more));
	if (sandbox->fd_count > 0)
		memcpy(kept + more_count, sandbox->fds,
			sandbox->fd_count * sizeof(*kept));
	qsort(kept, count, sizeof(*kept), int_order);
	/* Who started the program with one of the three closed has a file
	 * there, maybe. */
	for (int fd = 0; fd <= (HAS_SECCOMP ? 2 : 1); fd++)
		if (!bsearch(&fd, kept, count, sizeof(*kept), int_order))
			dup2(null_fd, fd);
	next = 3;
	for (size_t i = 0; i < count; i++) {
		if (kept[i] < (int)next)
			continue;
		if (kept[i] > (int)next)
			syscall(SYS_close_range, next, kept[i] - 1, 0);
		next = (unsigned)kept[i] + 1;
	}
	syscall(SYS_close_range, next, ~0u, 0);
	free(kept);
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
	if (sandbox->prepare)
		sandbox->prepare();
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
