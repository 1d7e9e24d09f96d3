/* SPDX-License-Identifier: MIT
 * test_escape.c: who took a child over outlives calls that are forbidden, for
 * the signal of these can be caught. One after another, it tries all that leads
 * out of a sandbox. */
#include "base/child.h"
#include "base/io.h"
#include "kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PROGRAM (-1000) /* stands for the number of the program */
#define TARGET_FD (-1001)
#define TEXT(text) ((long)(uintptr_t)(text))
#define NAMESPACE(flag)                                                        \
	{                                                                      \
		#flag, SYS_clone,                                              \
		{                                                              \
			(flag) | SIGCHLD                                       \
		}                                                              \
	}

static char room[4096]; /* for what a call writes */
static struct iovec vector = {room, 8};
static const struct rlimit limit = {16, 16};
static char *const no_words[] = {NULL};

/* Each fails, whatever the kind of child. None does harm where it works. */
static const struct call {
	const char *name;
	long number, args[6];
} calls[] = {
	{"io_uring_setup", SYS_io_uring_setup, {1, TEXT(room)}},
	{"process_vm_readv", SYS_process_vm_readv,
		{PROGRAM, TEXT(&vector), 1, TEXT(&vector), 1}},
	{"process_vm_writev", SYS_process_vm_writev,
		{PROGRAM, TEXT(&vector), 1, TEXT(&vector), 1}},
	{"process_madvise", SYS_process_madvise,
		{0, TEXT(&vector), 1, MADV_COLD}},
	{"kcmp", SYS_kcmp, {PROGRAM, PROGRAM, 0, 1, 1}},
	{"ptrace", SYS_ptrace, {PTRACE_SEIZE, PROGRAM}},
	{"openat2", SYS_openat2, {AT_FDCWD, TEXT("/"), TEXT(room), 24}},
	{"name_to_handle_at", SYS_name_to_handle_at,
		{AT_FDCWD, TEXT("/"), TEXT(room), TEXT(room + 256)}},
	{"open_by_handle_at", SYS_open_by_handle_at, {3, TEXT(room), 0}},
	{"bpf", SYS_bpf, {BPF_MAP_CREATE, TEXT(room), 72}},
	{"userfaultfd", SYS_userfaultfd, {1}},
	{"perf_event_open", SYS_perf_event_open, {TEXT(room), 0, -1, -1}},
	{"keyctl", SYS_keyctl, {0, -3, 1}},
	{"add_key", SYS_add_key,
		{TEXT("user"), TEXT("wimtrust"), TEXT("x"), 1, -1}},
	{"memory map", SYS_prctl, {PR_SET_MM, PR_SET_MM_BRK, 0}},
	{"dumpable", SYS_prctl, {PR_SET_DUMPABLE, 1}},
	{"live longer", SYS_prctl, {PR_SET_PDEATHSIG, 0}},
	{"subreaper", SYS_prctl, {PR_SET_CHILD_SUBREAPER, 1}},
	{"tracer", SYS_prctl, {PR_SET_PTRACER, -1}},
	{"sendmsg", SYS_sendmsg, {3, TEXT(room), 0}},
	{"sendto", SYS_sendto, {3, TEXT(room), 1}},
	{"socket", SYS_socket, {AF_UNIX, SOCK_STREAM}},
	{"netlink", SYS_socket, {AF_NETLINK, SOCK_RAW}},
	{"packet", SYS_socket, {AF_PACKET, SOCK_RAW}},
	{"type into the terminal", SYS_ioctl, {0, TIOCSTI, TEXT("x")}},
	{"own the terminal", SYS_ioctl, {0, TIOCSCTTY, 1}},
	{"asynchronous", SYS_ioctl, {TARGET_FD, FIOASYNC, TEXT(&limit)}},
	{"clone a file", SYS_ioctl, {TARGET_FD, 0x40049409, TARGET_FD}},
	{"setsid", SYS_setsid, {0}},
	{"setpgid", SYS_setpgid, {0, 0}},
	{"kill all", SYS_kill, {-1, 0}},
	{"kill", SYS_kill, {PROGRAM, SIGWINCH}},
	{"tkill", SYS_tkill, {PROGRAM, SIGWINCH}},
	{"tgkill", SYS_tgkill, {PROGRAM, PROGRAM, SIGWINCH}},
	{"queue a signal", SYS_rt_sigqueueinfo,
		{PROGRAM, SIGWINCH, TEXT(room)}},
	{"limits of the program", SYS_prlimit64,
		{PROGRAM, RLIMIT_NOFILE, TEXT(&limit)}},
	{"affinity of the program", SYS_sched_setaffinity,
		{PROGRAM, 8, TEXT(room)}},
	{"priority of the program", SYS_setpriority, {0, PROGRAM, 19}},
	{"migrate the program", SYS_migrate_pages,
		{PROGRAM, 64, TEXT(room), TEXT(room)}},
	{"setuid", SYS_setresuid, {0, 0, 0}},
	{"setgid", SYS_setresgid, {0, 0, 0}},
	{"setgroups", SYS_setgroups, {0, 0}},
	{"setns", SYS_setns, {3, 0}},
	{"chroot", SYS_chroot, {TEXT("/")}},
	{"mount", SYS_mount,
		{TEXT("none"), TEXT("/nowhere"), TEXT("tmpfs"), 0, 0}},
	{"umount", SYS_umount2, {TEXT("/nowhere"), MNT_DETACH}},
	{"fsopen", SYS_fsopen, {TEXT("tmpfs"), 0}},
	{"open_tree", SYS_open_tree, {AT_FDCWD, TEXT("/"), 0}},
	NAMESPACE(CLONE_NEWUSER),
	NAMESPACE(CLONE_NEWNS),
	NAMESPACE(CLONE_NEWPID),
	NAMESPACE(CLONE_NEWNET),
	NAMESPACE(CLONE_PARENT),
	NAMESPACE(CLONE_PTRACE),
	{"clone3", SYS_clone3, {TEXT(room), 88}},
	{"F_SETOWN", SYS_fcntl, {TARGET_FD, F_SETOWN, PROGRAM}},
	{"F_SETSIG", SYS_fcntl, {TARGET_FD, F_SETSIG, SIGKILL}},
	{"F_SETLEASE", SYS_fcntl, {TARGET_FD, F_SETLEASE, F_RDLCK}},
	{"F_NOTIFY", SYS_fcntl, {TARGET_FD, F_NOTIFY, 1}},
	{"F_SETPIPE_SZ", SYS_fcntl, {TARGET_FD, F_SETPIPE_SZ, 1 << 20}},
	{"a command with high bits", SYS_fcntl,
		{TARGET_FD, (long)(1ULL << 32 | F_SETOWN), PROGRAM}},
	{"fchmod", SYS_fchmod, {TARGET_FD, 0777}},
	{"fchmodat", SYS_fchmodat, {AT_FDCWD, TEXT(kind_target), 0777}},
	{"fchown", SYS_fchown, {TARGET_FD, -1, -1}},
	{"fchownat", SYS_fchownat, {AT_FDCWD, TEXT(kind_target), -1, -1}},
	{"utimensat", SYS_utimensat, {AT_FDCWD, TEXT(kind_target), 0}},
	{"truncate", SYS_truncate, {TEXT(kind_target), 0}},
	{"fsetxattr", SYS_fsetxattr,
		{TARGET_FD, TEXT("user.x"), TEXT("x"), 1, 0}},
	{"linkat", SYS_linkat,
		{AT_FDCWD, TEXT(kind_target), AT_FDCWD, TEXT("/tmp/wt-link"),
			0}},
	{"symlinkat", SYS_symlinkat, {TEXT("x"), AT_FDCWD, TEXT("/nowhere/x")}},
	{"mkdirat", SYS_mkdirat, {AT_FDCWD, TEXT("/tmp/wt-made"), 0700}},
	{"mknodat", SYS_mknodat, {AT_FDCWD, TEXT("/tmp/wt-made"), 0600, 0}},
	{"unlinkat", SYS_unlinkat, {AT_FDCWD, TEXT(kind_target), 0}},
	{"own memory", SYS_openat,
		{AT_FDCWD, TEXT("/proc/self/mem"), O_RDONLY}},
	{"own environment", SYS_openat,
		{AT_FDCWD, TEXT("/proc/self/environ"), O_RDONLY}},
	{"write TARGET", SYS_openat, {AT_FDCWD, TEXT(kind_target), O_WRONLY}},
	{"no access mode", SYS_openat, {AT_FDCWD, TEXT(kind_target), 3}},
	{"a file without a name", SYS_openat,
		{AT_FDCWD, TEXT("/tmp"), O_TMPFILE | O_RDWR, 0600}},
	{"cut on opening", SYS_openat,
		{AT_FDCWD, TEXT(kind_target), O_RDONLY | O_TRUNC}},
	{"shmget", SYS_shmget, {0x7774, 4096, 0600}},
	{"msgget", SYS_msgget, {0x7774, 0600}},
	{"mq_open", SYS_mq_open, {TEXT("wt"), O_RDONLY, 0600, 0}},
	{"inotify_init1", SYS_inotify_init1, {0}},
	{"fanotify_init", SYS_fanotify_init, {0, 0}},
	{"syslog", SYS_syslog, {10}},
	{"adjtimex", SYS_adjtimex, {TEXT(room)}},
	{"personality", SYS_personality, {0xFFFFFFFF}},
	{"acct", SYS_acct, {TEXT("/nowhere")}},
	{"swapon", SYS_swapon, {TEXT("/nowhere"), 0}},
	{"init_module", SYS_init_module, {TEXT(room), 8, TEXT("")}},
	{"reboot", SYS_reboot, {0, 0, 0}},
	{"seccomp", SYS_seccomp, {2, 0, TEXT(room)}},
	{"unshare", SYS_unshare, {CLONE_NEWUSER}},
};
#define CALL_COUNT (sizeof(calls) / sizeof(calls[0]))

static struct shared {
	pid_t program;
	atomic_int starts, tries;
	char won[256]; /* the name of what worked */
	int works[CALL_COUNT];
} *shared;

static bool is_trying, is_unlocked;
static int attacker;
static char *memory_of_program, *fds_of_program;

/* The call fails, and the attacker goes on. */
static void on_denied(int number, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	(void)number;
	(void)info;
#if defined(__x86_64__)
	at->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
	at->uc_mcontext.regs[0] = (unsigned long)-EPERM;
#else
	(void)at;
	_exit(1);
#endif
}

static long value_of(long arg)
{
	if (arg == PROGRAM)
		return shared->program;
	return arg == TARGET_FD ? kind_victim_fd : arg;
}

/* A process that a call has made is no attacker. */
static long call_try(const struct call *call)
{
	pid_t self = getpid();
	long ret = 0;

	memset(room, 0, sizeof(room));
	ret = syscall(call->number, value_of(call->args[0]),
		value_of(call->args[1]), value_of(call->args[2]),
		value_of(call->args[3]), value_of(call->args[4]),
		value_of(call->args[5]));
	if (call->number == SYS_clone && getpid() != self)
		_exit(0);
	return ret;
}

static void won(const char *name)
{
	if (shared->won[0] == '\0')
		snprintf(shared->won, sizeof(shared->won), "%s", name);
}

/* What takes more than one call. */
static void try_more(void)
{
	int program_fd = (int)syscall(SYS_pidfd_open, shared->program, 0);
	int file = memfd_create("program", 0);
	char before[sizeof(shared->won)] = "";

	if (program_fd >= 0 &&
		(syscall(SYS_pidfd_getfd, program_fd, 0, 0) >= 0 ||
			syscall(SYS_pidfd_send_signal, program_fd, SIGWINCH,
				NULL, 0) == 0))
		won("pidfd");
	/* Where it works it does not come back. */
	(void)!write(file, "#!/bin/true\n", 12);
	snprintf(before, sizeof(before), "%s", shared->won);
	won("a program");
	syscall(SYS_execve, "/bin/true", no_words, no_words);
	syscall(SYS_execveat, file, "", no_words, no_words, AT_EMPTY_PATH);
	memcpy(shared->won, before, sizeof(before));
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
		won("being traced");
	if (open(memory_of_program, O_RDWR) >= 0)
		won("the program's memory");
	if (open(fds_of_program, O_RDONLY) >= 0)
		won("the program's descriptor");
	/* Whoever gets much memory gets it for himself. */
	(void)mmap(NULL, (size_t)1 << 46, PROT_READ,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* What was given to be read is not written through its name in /proc. */
static void try_again(void)
{
	int flags = fcntl(kind_victim_fd, F_GETFL);
	char path[32] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", kind_victim_fd);
	if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY &&
		open(path, O_RDWR) >= 0)
		won("a descriptor opened again");
}

#if defined(__x86_64__)
/* These have numbers of their own; the filter ends who makes them. */
static void try_other_numbers(void)
{
	long ret = 20; /* getpid() of 32 bits */

	if (syscall(0x40000000 | SYS_getpid) > 0)
		won("x32");
	__asm__ volatile("int $0x80" : "+a"(ret) : : "memory");
	if (ret > 0)
		won("32 bits");
}
#else
static void try_other_numbers(void)
{
}
#endif

static void escape(void)
{
	struct sigaction action = {
		.sa_sigaction = on_denied, .sa_flags = SA_SIGINFO};

	atomic_fetch_add(&shared->tries, 1);
	sigaction(SIGSYS, &action, NULL);
	try_again();
	for (size_t i = 0; i < CALL_COUNT; i++) {
		if (call_try(&calls[i]) < 0)
			continue;
		shared->works[i] = 1;
		won(calls[i].name);
	}
	if (is_unlocked)
		_exit(0);
	try_more();
	try_other_numbers();
	_exit(0);
}

unsigned __real_wt_sandbox_enter(const struct wt_sandbox *sandbox, int alive_fd,
	struct wt_sandbox_denied *denied);

unsigned __wrap_wt_sandbox_enter(const struct wt_sandbox *sandbox, int alive_fd,
	struct wt_sandbox_denied *denied)
{
	unsigned locks = __real_wt_sandbox_enter(sandbox, alive_fd, denied);

	if (is_trying && atomic_fetch_add(&shared->starts, 1) == attacker)
		escape();
	return locks;
}

static void no_child_of_any_kind_escapes(void **state)
{
	(void)state;
	for (size_t k = 0; k < kind_count; k++) {
		for (attacker = 0;; attacker++) {
			shared->starts = shared->tries = 0;
			is_trying = true;
			kinds[k].run();
			is_trying = false;
			if (shared->won[0] != '\0')
				fail_msg("%s in child %d of %s: it works",
					shared->won, attacker, kinds[k].name);
			if (shared->tries == 0)
				break;
		}
		assert_true(attacker > 0);
	}
}

/* Without locks root may do much of it: the list is a real one. */
static void without_locks_many_work(void **state)
{
	pid_t pid = 0;
	int count = 0;

	(void)state;
	if (geteuid() != 0)
		skip();
	memset(shared->works, 0, sizeof(shared->works));
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		kind_victim_fd =
			open(kind_target, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		is_unlocked = true;
		escape();
	}
	waitpid(pid, NULL, 0);
	shared->won[0] = '\0';
	for (size_t i = 0; i < CALL_COUNT; i++)
		count += shared->works[i];
	if (count < 30)
		fail_msg("%d calls work", count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_child_of_any_kind_escapes),
		cmocka_unit_test(without_locks_many_work),
	};
	const unsigned all =
		WT_LOCK_PRIVILEGES | WT_LOCK_LANDLOCK | WT_LOCK_SECCOMP;
	int ret = 1;

	if ((wt_locks() & all) != all) {
		puts("this kernel, container or sanitizer lacks a lock: "
		     "skipped");
		return 77;
	}
	signal(SIGWINCH, SIG_IGN);
	shared = wt_shared_new(sizeof(*shared));
	if (!shared || !kinds_begin())
		return 1;
	shared->program = getpid();
	if (asprintf(&memory_of_program, "/proc/%d/mem", (int)getpid()) > 0 &&
		asprintf(&fds_of_program, "/proc/%d/fd/0", (int)getpid()) > 0)
		ret = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir("/tmp/wt-made");
	unlink("/tmp/wt-made");
	unlink("/tmp/wt-link");
	kinds_end();
	return ret;
}
