/* SPDX-License-Identifier: MIT
 * test_sandbox.c: what somebody who took a child over could do with it: each
 * kind of child tries it, in the parser's place, and is refused. */
#include "base/child.h"
#include "base/io.h"
#include "kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char beside[64], ran[64];

/* What the children tell. */
struct shared {
	pid_t program; /* whose children they are, or theirs */
	_Atomic int starts, tries, wins;
	_Atomic int forks_wanted;
	_Atomic int child, is_seen, beats;
	char bytes[8];
};

static struct shared *shared;

static bool opens(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC, 0600) >= 0;
}

static bool read_secret(void)
{
	return opens("/etc/shadow", O_RDONLY) || opens("/etc/passwd", O_RDONLY);
}

static bool list_folder(void)
{
	return opens("/", O_RDONLY | O_DIRECTORY);
}

static bool change_target(void)
{
	return opens(kind_target, O_WRONLY);
}

static bool write_beside(void)
{
	return opens(beside, O_WRONLY | O_CREAT);
}

static bool link_beside(void)
{
	return symlink("/etc/passwd", beside) == 0 ||
	       link(kind_target, beside) == 0;
}

static bool rename_target(void)
{
	return rename(kind_target, beside) == 0;
}

static bool connect_out(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = 9};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd >= 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

static bool local_socket(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0;
}

static bool run_shell(void)
{
	char command[128];

	snprintf(command, sizeof(command), "echo ran >%s", ran);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	return false;
}

static bool start_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid > 0 && !shared->forks_wanted;
}

static bool trace_program(void)
{
	return ptrace(PTRACE_SEIZE, shared->program, NULL, NULL) == 0;
}

static bool write_program(void)
{
	struct iovec own = {shared->bytes, 8};

	return syscall(SYS_process_vm_writev, shared->program, &own, 1, &own, 1,
		       0) > 0;
}

static bool signal_program(void)
{
	return kill(shared->program, SIGWINCH) == 0 ||
	       syscall(SYS_tgkill, shared->program, shared->program,
		       SIGWINCH) == 0;
}

/* The writer of a pipe may choose the signal that its reader gets. */
static bool signal_by_fcntl(void)
{
	int pipe_fds[2];

	return pipe2(pipe_fds, O_CLOEXEC) == 0 &&
	       fcntl(pipe_fds[0], F_SETOWN, shared->program) == 0 &&
	       fcntl(pipe_fds[0], F_SETSIG, SIGWINCH) == 0 &&
	       fcntl(pipe_fds[0], F_SETFL, O_ASYNC) == 0;
}

static bool leave_group(void)
{
	return setsid() >= 0;
}

static bool start_sibling(void)
{
	long pid = syscall(
		SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool live_longer(void)
{
	return prctl(PR_SET_PDEATHSIG, 0) == 0;
}

static bool change_mode(void)
{
	return fchmod(kind_victim_fd, 0777) == 0;
}

static bool change_times(void)
{
	return utimensat(AT_FDCWD, kind_target, NULL, 0) == 0;
}

static bool truncate_target(void)
{
	return truncate(kind_target, 0) == 0;
}

static bool mount_something(void)
{
	return mount("none", kind_folder, "tmpfs", 0, NULL) == 0;
}

static bool own_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWNS) == 0;
}

static bool change_other_fd(void)
{
	return pwrite(kind_victim_fd, "!", 1, 0) == 1 ||
	       ftruncate(kind_victim_fd, 0) == 0;
}

static bool read_memory_of_root(void)
{
	return opens("/proc/1/environ", O_RDONLY) ||
	       opens("/dev/mem", O_RDONLY);
}

static bool use_io_uring(void)
{
	char params[256] = "";

	return syscall(SYS_io_uring_setup, 1, params) >= 0;
}

static bool get_privileges_back(void)
{
	return geteuid() != 0 && setuid(0) == 0;
}

static const struct attack {
	const char *name;
	bool (*try)(void);
	bool works_for_root; /* without locks, to show that the test can fail */
} attacks[] = {
	{"read_secret", read_secret, true},
	{"list_folder", list_folder, true},
	{"change_target", change_target, true},
	{"write_beside", write_beside, true},
	{"link_beside", link_beside, true},
	{"rename_target", rename_target, true},
	{"connect_out", connect_out, true},
	{"local_socket", local_socket, true},
	{"run_shell", run_shell, false},
	{"start_process", start_process, true},
	{"trace_program", trace_program, false},
	{"write_program", write_program, true},
	{"signal_program", signal_program, true},
	{"leave_group", leave_group, true},
	{"start_sibling", start_sibling, true},
	{"live_longer", live_longer, true},
	{"change_mode", change_mode, true},
	{"change_times", change_times, true},
	{"truncate_target", truncate_target, true},
	{"signal_by_fcntl", signal_by_fcntl, true},
	{"mount_something", mount_something, false},
	{"own_namespace", own_namespace, false},
	{"change_other_fd", change_other_fd, true},
	{"read_memory_of_root", read_memory_of_root, false},
	{"use_io_uring", use_io_uring, false},
	{"get_privileges_back", get_privileges_back, false},
};
#define ATTACK_COUNT (sizeof(attacks) / sizeof(attacks[0]))

static const struct attack *attack; /* the one that is tried; NULL: none */
static int attacker; /* the child that tries it; those before it work */
static bool locks_are_left_out;
static bool stops; /* and answers no more */

unsigned __real_wt_sandbox_enter(const struct wt_sandbox *sandbox, int alive_fd,
	struct wt_sandbox_denied *denied);

unsigned __wrap_wt_sandbox_enter(const struct wt_sandbox *sandbox, int alive_fd,
	struct wt_sandbox_denied *denied)
{
	unsigned locks = 0;

	if (stops)
		raise(SIGSTOP);
	if (!locks_are_left_out)
		locks = __real_wt_sandbox_enter(sandbox, alive_fd, denied);
	if (attack && !sandbox->mounts &&
		atomic_fetch_add(&shared->starts, 1) == attacker) {
		atomic_store(&shared->forks_wanted, sandbox->forks);
		atomic_fetch_add(&shared->tries, 1);
		if (attack->try())
			atomic_fetch_add(&shared->wins, 1);
	}
	return locks;
}

static void clean(void)
{
	unlink(kind_target);
	unlink(beside);
	unlink(ran);
}

/* Has one child of a kind try one attack.
 * @return false when the kind starts fewer children */
static bool is_refused_by(const struct kind *kind, int child)
{
	const char *name = attack->name;

	attacker = child;
	atomic_store(&shared->starts, 0);
	atomic_store(&shared->tries, 0);
	atomic_store(&shared->wins, 0);
	kind->run();
	if (shared->wins != 0 || access(ran, F_OK) == 0)
		fail_msg("%s in child %d of %s: it works", name, child,
			kind->name);
	clean();
	return shared->tries == 1;
}

static void each_kind_refuses_each_attack(void **state)
{
	(void)state;
	for (size_t i = 0; i < ATTACK_COUNT; i++) {
		for (size_t k = 0; k < kind_count; k++) {
			int child = 0;

			attack = &attacks[i];
			while (is_refused_by(&kinds[k], child))
				child++;
			attack = NULL;
			if (child < kinds[k].starts_min)
				fail_msg("%s starts %d children only",
					kinds[k].name, child);
		}
	}
}

static void a_child_that_stops_is_given_up(void **state)
{
	(void)state;
	stops = true;
	assert_int_equal(wt_locks(), 0);
	stops = false;
	assert_int_not_equal(wt_locks(), 0);
}

/* Without the locks most of it works: the attacks are real. */
static void without_locks_the_attacks_work(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	locks_are_left_out = true;
	for (size_t i = 0; i < ATTACK_COUNT; i++) {
		if (!attacks[i].works_for_root)
			continue;
		attack = &attacks[i];
		attacker = 0;
		atomic_store(&shared->starts, 0);
		atomic_store(&shared->wins, 0);
		kinds[0].run();
		attack = NULL;
		if (shared->wins == 0)
			fail_msg("%s does nothing", attacks[i].name);
		clean();
	}
}

static enum wt_status wait_to_be_seen(void *arg, struct wt_error *err)
{
	(void)arg;
	(void)err;
	shared->child = getpid();
	while (!shared->is_seen)
		wt_io_sleep_ms(5);
	return WT_OK;
}

/* What /proc says of a child that is locked in. */
static void status_read(const struct wt_sandbox *sandbox, char text[4096])
{
	const struct wt_child how = {.object = "x.wim",
		.died_status = WT_ERR_WIM,
		.died_code = "wim-crash",
		.sandbox = sandbox};
	struct wt_child_job *job = NULL;
	char path[64] = "";
	ssize_t len = 0;
	int fd = -1;

	shared->child = 0;
	shared->is_seen = 0;
	assert_int_equal(
		wt_child_start(&how, wait_to_be_seen, NULL, &job, NULL), WT_OK);
	while (shared->child == 0)
		wt_io_sleep_ms(5);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)shared->child);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = read(fd, text, 4095);
	close(fd);
	shared->is_seen = 1;
	assert_int_equal(wt_child_finish(job, NULL, NULL, NULL), WT_OK);
	assert_true(len > 0);
	text[len] = '\0';
}

/* A locked child has none of the rights of root, except to open files if it
 * opens them by name. */
static void a_child_of_root_is_none(void **state)
{
	const struct wt_sandbox in_memory = {0};
	const struct wt_sandbox with_path = {.read_path = kind_folder};
	bool is_root = geteuid() == 0;
	char text[4096] = "";

	(void)state;
	status_read(&in_memory, text);
	assert_non_null(strstr(text, "\nCapEff:\t0000000000000000\n"));
	assert_non_null(strstr(text, "\nCapPrm:\t0000000000000000\n"));
	assert_non_null(strstr(text, "\nNoNewPrivs:\t1\n"));
	assert_null(strstr(text, "\nUid:\t0\t"));
	status_read(&with_path, text);
	assert_non_null(
		strstr(text, is_root ? "\nCapPrm:\t0000000000000006\n"
				     : "\nCapPrm:\t0000000000000000\n"));
	assert_non_null(strstr(text, "\nNoNewPrivs:\t1\n"));
}

/* Starts a process that closes its descriptors, so that nobody sees when it
 * ends, and counts. */
static enum wt_status leave_one_behind(void *arg, struct wt_error *err)
{
	pid_t pid = fork();

	(void)arg;
	(void)err;
	if (pid != 0)
		return pid > 0 ? WT_OK : WT_ERR_FILE;
	for (int fd = 0; fd < 64; fd++)
		close(fd);
	for (;;) {
		shared->beats++;
		wt_io_sleep_ms(1);
	}
}

static void what_a_child_started_ends_with_it(void **state)
{
	static const struct wt_sandbox sandbox = {.forks = true};
	const struct wt_child how = {.object = "x.wim",
		.died_status = WT_ERR_WIM,
		.died_code = "wim-crash",
		.sandbox = &sandbox};
	struct wt_child_job *job = NULL;
	int beats = 0;

	(void)state;
	for (int is_stopped = 0; is_stopped < 2; is_stopped++) {
		shared->beats = 0;
		assert_int_equal(wt_child_start(&how, leave_one_behind, NULL,
					 &job, NULL),
			WT_OK);
		while (shared->beats == 0)
			wt_io_sleep_ms(1);
		if (is_stopped)
			wt_child_stop(job);
		else
			assert_int_equal(
				wt_child_finish(job, NULL, NULL, NULL), WT_OK);
		wt_io_sleep_ms(20);
		beats = shared->beats;
		wt_io_sleep_ms(50);
		assert_int_equal(shared->beats, beats);
	}
}

static int put_locks_back(void **state)
{
	(void)state;
	locks_are_left_out = false;
	return 0;
}

static enum wt_status open_socket(void *arg, struct wt_error *err)
{
	(void)arg;
	(void)err;
	socket(AF_INET, SOCK_STREAM, 0);
	return WT_OK;
}

static void a_forbidden_call_is_named(void **state)
{
	static const struct wt_sandbox in_memory;
	const struct wt_child how = {.object = "x.wim",
		.died_status = WT_ERR_WIM,
		.died_code = "wim-crash",
		.sandbox = &in_memory};
	struct wt_error err = {0};

	(void)state;
	assert_int_equal(
		wt_child_run(&how, open_socket, NULL, &err), WT_ERR_WIM);
	assert_string_equal(err.code, "sandbox");
	assert_non_null(strstr(err.reason, "(socket)"));
}

static enum wt_status open_socket_in_child(void *arg, struct wt_error *err)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit((int)open_socket(arg, err));
	waitpid(pid, NULL, 0);
	return WT_OK;
}

/* Work that goes on without it hides nothing. */
static void a_forbidden_call_of_a_helper_is_named(void **state)
{
	static const struct wt_sandbox sandbox = {.forks = true};
	const struct wt_child how = {.object = "x.wim",
		.died_status = WT_ERR_WIM,
		.died_code = "wim-crash",
		.sandbox = &sandbox};
	struct wt_error err = {0};

	(void)state;
	assert_int_equal(wt_child_run(&how, open_socket_in_child, NULL, &err),
		WT_ERR_WIM);
	assert_string_equal(err.code, "sandbox");
	assert_non_null(strstr(err.reason, "(socket)"));
}

/* Where the kernel maps no vDSO, the C library asks it for the time. */
static enum wt_status ask_for_the_time(void *arg, struct wt_error *err)
{
	struct timespec now;
	struct timeval then;

	(void)arg;
	(void)err;
#ifdef SYS_time
	syscall(SYS_time, NULL);
#endif
	syscall(SYS_gettimeofday, &then, NULL);
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	return WT_OK;
}

static void the_time_may_be_asked_for(void **state)
{
	static const struct wt_sandbox in_memory;
	const struct wt_child how = {.object = "x.wim",
		.died_status = WT_ERR_WIM,
		.died_code = "wim-crash",
		.sandbox = &in_memory};
	struct wt_error err = {0};

	(void)state;
	if (wt_child_run(&how, ask_for_the_time, NULL, &err) != WT_OK)
		fail_msg("%s", err.reason);
}

static int set_up(void **state)
{
	(void)state;
	/* The program shows no sign of a signal that reaches it. */
	signal(SIGWINCH, SIG_IGN);
	shared = wt_shared_new(sizeof(*shared));
	if (!shared || !kinds_begin())
		return -1;
	shared->program = getpid();
	snprintf(beside, sizeof(beside), "%s/beside", kind_folder);
	snprintf(ran, sizeof(ran), "%s/ran", kind_folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	clean();
	wt_shared_free(shared, sizeof(*shared));
	return kinds_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_refuses_each_attack),
		cmocka_unit_test_teardown(
			without_locks_the_attacks_work, put_locks_back),
		cmocka_unit_test(what_a_child_started_ends_with_it),
		cmocka_unit_test(a_forbidden_call_is_named),
		cmocka_unit_test(a_forbidden_call_of_a_helper_is_named),
		cmocka_unit_test(the_time_may_be_asked_for),
		cmocka_unit_test(a_child_of_root_is_none),
		cmocka_unit_test(a_child_that_stops_is_given_up),
	};
	const unsigned all =
		WT_LOCK_PRIVILEGES | WT_LOCK_LANDLOCK | WT_LOCK_SECCOMP;

	if ((wt_locks() & all) != all) {
		puts("this kernel, container or sanitizer lacks a lock: "
		     "skipped");
		return 77;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
