/* SPDX-License-Identifier: MIT
 * base/make_filters.c: a program of the build. It prints the filters of system
 * calls that filter.h declares, as libseccomp makes them, in C. */
#include "base/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void fail(void)
{
	fputs("make_filters: libseccomp refuses, or the disk\n", stderr);
	exit(1);
}

static void check(int error)
{
	if (error != 0)
		fail();
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

static void add_all(
	scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	/* Negative: this architecture has no such call. */
	for (size_t i = 0; i < count; i++)
		if (calls[i] >= 0)
			check(seccomp_rule_add(filter, action, calls[i], 0));
}

/* Files are opened for reading, unless some are to be changed. */
static void add_open(scmp_filter_ctx filter, bool writes)
{
	const uint64_t mask =
		writes ? O_ACCMODE : O_ACCMODE | O_CREAT | O_TRUNC;

	/* The C library opens by openat() only. The fourth access mode opens
	 * any file for ioctl(), and Landlock does not see it. */
	for (uint64_t mode = O_RDONLY; mode <= (writes ? O_RDWR : O_RDONLY);
		mode++)
		check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat),
			1, SCMP_A2(SCMP_CMP_MASKED_EQ, mask, mode)));
}

/* Descriptors and locks of its own. With F_SETOWN, F_SETSIG or F_SETLEASE it
 * could send a signal to any process of the same user. */
static void add_fcntl(scmp_filter_ctx filter)
{
	static const uint64_t more[] = {F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
		F_DUPFD_CLOEXEC, F_GET_SEALS};

	/* From F_DUPFD to F_SETLKW. */
	check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
		SCMP_A1(SCMP_CMP_LE, F_SETLKW, 0)));
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl),
			1, SCMP_A1(SCMP_CMP_EQ, more[i], 0)));
}

/* Threads, and children where they are needed. clone3() hides its flags in
 * memory: it is said to be missing, and the C library takes clone(). */
static void add_clone(scmp_filter_ctx filter, bool forks)
{
	const uint64_t thread = CLONE_VM | CLONE_THREAD;
	const uint64_t spaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID |
				CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
				CLONE_NEWCGROUP | CLONE_PTRACE | CLONE_PARENT;

	check(seccomp_rule_add(
		filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
	check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		SCMP_A0(SCMP_CMP_MASKED_EQ, thread | spaces, thread)));
	if (forks)
		check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone),
			1, SCMP_A0(SCMP_CMP_MASKED_EQ, spaces, 0)));
}

/* Only for itself: its own limits may be read, abort() may end it, a child
 * that it starts may ask to die with it. */
static void add_own(scmp_filter_ctx filter)
{
	check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		SCMP_A0(SCMP_CMP_EQ, WT_FILTER_OWN_PID, 0)));
	check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
		SCMP_A2(SCMP_CMP_EQ, 0, 0)));
	check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2,
		SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG, 0),
		SCMP_A1(SCMP_CMP_EQ, SIGKILL, 0)));
	check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
		SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0)));
	/* The C library names its memory; it bears a no. */
	check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl),
		1, SCMP_A0(SCMP_CMP_EQ, 0x53564d41, 0)));
	/* Is this a terminal? No. */
	check(seccomp_rule_add(
		filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0));
}

/* Of children of its own. No number tells these from others, so it kills none:
 * they end with it. */
static void add_children(scmp_filter_ctx filter)
{
	ADD_ALL(filter, SCMP_ACT_ALLOW, forking);
	check(seccomp_rule_add(
		filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(kill), 0));
	check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
		SCMP_A0(SCMP_CMP_EQ, 0, 0)));
}

/* Of files below write_path. Sets the times of open ones only. */
static void add_changes(scmp_filter_ctx filter)
{
	ADD_ALL(filter, SCMP_ACT_ALLOW, changing);
	check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(utimensat), 1,
		SCMP_A1(SCMP_CMP_EQ, 0, 0)));
}

static void add_rules(scmp_filter_ctx filter, unsigned number)
{
	bool forks = number & WT_FILTER_FORKS;

	ADD_ALL(filter, SCMP_ACT_ALLOW, always);
	add_open(filter, number & (WT_FILTER_WRITES | WT_FILTER_CHANGES));
	add_fcntl(filter);
	add_clone(filter, forks);
	add_own(filter);
	if (forks)
		add_children(filter);
	if (number & WT_FILTER_CHANGES)
		add_changes(filter);
}

static void print(scmp_filter_ctx filter, unsigned number)
{
	FILE *file = tmpfile();
	struct sock_filter line = {0};

	if (!file || seccomp_export_bpf(filter, fileno(file)) != 0)
		fail();
	rewind(file);
	printf("static struct sock_filter filter_%u[] = {\n", number);
	while (fread(&line, sizeof(line), 1, file) == 1)
		printf("\t{0x%02x, %u, %u, 0x%08x},\n", line.code, line.jt,
			line.jf, line.k);
	puts("};\n");
	check(ferror(file));
	fclose(file);
}

static void make(unsigned number)
{
	bool mounts = number == WT_FILTER_MOUNTS;
	scmp_filter_ctx filter =
		seccomp_init(mounts ? SCMP_ACT_ALLOW : SCMP_ACT_TRAP);

	/* The kernel runs a new filter once for every call number. A binary
	 * tree makes that cheap; with a list it was most of the cost. */
	check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2));
	if (mounts)
		ADD_ALL(filter, SCMP_ACT_TRAP, never);
	else
		add_rules(filter, number);
	print(filter, number);
	seccomp_release(filter);
}

int main(void)
{
	puts("/* make_filters.c has made this. */\n"
	     "#include \"base/filter.h\"\n");
	for (unsigned i = 0; i < WT_FILTER_COUNT; i++)
		make(i);
	puts("struct sock_fprog wt_filters[WT_FILTER_COUNT] = {");
	for (unsigned i = 0; i < WT_FILTER_COUNT; i++)
		printf("\t{sizeof(filter_%u) / sizeof(filter_%u[0]), "
		       "filter_%u},\n",
			i, i, i);
	puts("};");
	check(fflush(stdout));
	return 0;
}
