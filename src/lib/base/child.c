/* SPDX-License-Identifier: MIT
 * base/child.c: runs work on untrusted input in a process of its own. */
#include "base/child.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WT_ADDRESS_SANITIZER 1
#endif
#endif

/* How often the parent looks whether it was cancelled. */
#define POLL_MS 50

/* How long a killed child may take to go, and then the processes that it has
 * started: they are killed with it. */
#define GONE_MS 1500

/* The heap that a child begins with: more than the metadata of a boot image
 * takes. malloc() takes from it what is not longer than both together. */
#define HEAP_LEN ((int)24 << 20)
#define HEAP_ROOM ((int)1 << 20)

/* Written by the child, read by the parent once the child has ended. Hostile
 * input may control the child, so every bit pattern is a valid value. */
struct outcome {
	unsigned is_done;
	enum wt_status status;
	struct wt_error err;
	struct wt_sandbox_denied denied;
	unsigned locks;
};

/* In a child: its end of the pipe that its parent reads. */
static int told_fd = -1;

static void limit_set(int resource, uint64_t len)
{
	struct rlimit limit = {0};

	if (len == 0 || getrlimit((__rlimit_resource_t)resource, &limit) != 0)
		return;
	if (limit.rlim_max != RLIM_INFINITY && len > limit.rlim_max)
		len = limit.rlim_max;
	limit.rlim_cur = limit.rlim_max = len;
	setrlimit((__rlimit_resource_t)resource, &limit);
}

/* What children take memory for is thousands of small pieces, or large ones
 * that are used once: to get it page by page would be a good part of their
 * time. So their heap is made of large pages where the system has them; what
 * is not used of it costs nothing but addresses. */
static void heap_use_large_pages(void)
{
#if defined(__GLIBC__) && !defined(WT_ADDRESS_SANITIZER)
	size_t page_len = (size_t)sysconf(_SC_PAGESIZE);
	char *heap = NULL;

	mallopt(M_MMAP_THRESHOLD, HEAP_LEN + HEAP_ROOM);
	mallopt(M_TRIM_THRESHOLD, HEAP_LEN + HEAP_ROOM);
	heap = malloc(HEAP_LEN);
	if (heap) {
		size_t before = page_len - (uintptr_t)heap % page_len;

		madvise(heap + before, HEAP_LEN - page_len - before,
			MADV_HUGEPAGE);
	}
	/* It stays in the heap, and is given out piece by piece. */
	free(heap);
#endif
}

/* What such a heap keeps of freed memory. */
static void heap_trim(void)
{
#if defined(__GLIBC__) && !defined(WT_ADDRESS_SANITIZER)
	malloc_trim(0);
#endif
}

static void child_enter(const struct wt_child *how, pid_t parent,
	struct outcome *outcome, int alive_fd)
{
	const struct wt_child_limits *limits = &how->limits;

	static const int ignored[] = {
		SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	/* Ignored, as by some daemons and whatever they start, it would keep
	 * libraries from learning how programs ended that they ran. */
	signal(SIGCHLD, SIG_DFL);
	limit_set(RLIMIT_CORE, 1);
#ifndef WT_ADDRESS_SANITIZER
	limit_set(RLIMIT_AS, limits->memory_len);
#endif
	limit_set(RLIMIT_FSIZE, limits->file_len);
	if (how->sandbox)
		outcome->locks = wt_sandbox_enter(
			how->sandbox, alive_fd, &outcome->denied);
	/* After the sandbox: who becomes another user loses it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The parent may have died before the line above took effect. */
	if (getppid() != parent)
		_exit(1);
	heap_use_large_pages();
}

static int64_t now_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct wt_child_job {
	struct wt_child how;
	struct outcome *outcome;
	int64_t end_ms; /* when its time is up */
	pid_t pid;
	int pid_fd; /* -1 where the kernel has none */
	bool has_ended;
	int status; /* as waitpid() gives it, once it has ended */
	/* Reads a byte when the child tells, and the end when it and all that
	 * it has started are gone. */
	int alive_fd;
};

/* A locked child has a group of its own, which nothing that it starts can
 * leave. Its number is taken until the child is waited for. */
static void group_kill(const struct wt_child_job *job)
{
	if (job->how.sandbox)
		kill(-job->pid, SIGKILL);
}

bool wt_child_wait(struct wt_child_job *job, int ms)
{
	struct pollfd end = {.fd = job->pid_fd, .events = POLLIN};
	siginfo_t info = {0};
	pid_t ended = 0;

	if (job->has_ended)
		return true;
	/* Without a pidfd this is a plain sleep between two looks. */
	poll(&end, 1, job->pid_fd < 0 && ms > 2 ? 2 : ms);
	if (waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
			0 &&
		info.si_pid == job->pid)
		group_kill(job);
	ended = waitpid(job->pid, &job->status, WNOHANG);
	/* A caller that ignores SIGCHLD has let its number go already. */
	job->has_ended = ended == job->pid || (ended < 0 && errno != EINTR);
	return job->has_ended;
}

static void job_kill(struct wt_child_job *job)
{
	int64_t end_ms = now_ms() + GONE_MS;

	if (wt_child_wait(job, 0))
		return;
	kill(job->pid, SIGKILL);
	group_kill(job);
	job->status = SIGKILL;
	while (!wt_child_wait(job, POLL_MS) && now_ms() < end_ms)
		continue;
}

static bool is_time_up(const struct wt_child_job *job)
{
	return job->how.limits.seconds > 0 && now_ms() > job->end_ms;
}

/* Waits for the job to end; kills it when cancelled or late. Returns whether
 * its time was up. */
static bool job_wait(
	struct wt_child_job *job, void (*tick)(void *ctx), void *tick_ctx)
{
	while (!wt_child_wait(job, POLL_MS)) {
		bool is_late = is_time_up(job);

		if (is_late || wt_cancel_number(job->how.cancel) != 0) {
			job_kill(job);
			return is_late;
		}
		if (tick)
			tick(tick_ctx);
	}
	return false;
}

/* What comes through the pipe within ms: 1 a byte, 0 its end, -1 nothing. */
static int pipe_wait(const struct wt_child_job *job, int64_t ms)
{
	struct pollfd pipe = {.fd = job->alive_fd, .events = POLLIN};
	char byte = 0;

	return poll(&pipe, 1, (int)ms) > 0 ? (int)read(job->alive_fd, &byte, 1)
					   : -1;
}

void wt_child_tell(void)
{
	heap_trim();
	/* The pipe is empty, and its other end is there as long as a parent
	 * is. */
	if (told_fd >= 0 && write(told_fd, "", 1) != 1)
		_exit(1);
}

bool wt_child_told(struct wt_child_job *job)
{
	int got = -1;

	while (got < 0 && !is_time_up(job) &&
		wt_cancel_number(job->how.cancel) == 0) {
		got = pipe_wait(job, POLL_MS);
		/* Without what it has started, which may hold the pipe. */
		if (got < 0 && wt_child_wait(job, 0))
			got = 0;
	}
	return got > 0;
}

/* What the child has started may have files locked or mounted until it is
 * gone as well. */
static void descendants_wait(const struct wt_child_job *job)
{
	int64_t end_ms = now_ms() + GONE_MS;
	int64_t left_ms = GONE_MS;

	while (left_ms > 0 && pipe_wait(job, left_ms) != 0)
		left_ms = end_ms - now_ms();
}

static void job_free(struct wt_child_job *job)
{
	if (job->alive_fd >= 0)
		close(job->alive_fd);
	if (job->pid_fd >= 0)
		close(job->pid_fd);
	wt_shared_free(job->outcome, sizeof(*job->outcome));
	free(job);
}

static enum wt_status fail_denied(
	const struct wt_child *how, int call, struct wt_error *err)
{
	char name[32] = "";

	wt_sandbox_call_name(call, name);
	wt_fail(err, how->died_status, "sandbox", how->object,
		"working on it was ended: it made a system call that its "
		"sandbox forbids (%s)",
		name);
	wt_error_hint(err, "the file may be an attack; if you trust it, "
			   "report this");
	return how->died_status;
}

/* What the machine did to it, not the file that it worked on: *ret_hint is
 * NULL for anything else. */
static const char *machine_fault(
	int number, const char **ret_code, const char **ret_hint)
{
	*ret_hint = NULL;
	if (number == SIGKILL) {
		*ret_code = "no-memory";
		*ret_hint = "free memory, or give the container more";
		return "the system does that when memory is short";
	}
	if (number == SIGBUS) {
		*ret_code = "io-error";
		*ret_hint = "look at the disk of TMPDIR: dmesg names what "
			    "failed";
		return "a file that it had in memory could not be read";
	}
	return "it is malformed in a way that no check found";
}

static enum wt_status child_died(const struct wt_child *how, int status,
	bool is_late, struct wt_error *err)
{
	enum wt_status ret = how->died_status;
	const char *code = how->died_code;
	const char *why = NULL, *hint = NULL;

	if (is_late)
		return wt_fail(err, how->died_status, how->died_code,
			how->object, "gave no answer within %u seconds",
			how->limits.seconds);
	if (!WIFSIGNALED(status))
		return wt_fail(err, how->died_status, how->died_code,
			how->object, "reading it ended with status %d",
			WEXITSTATUS(status));
	why = machine_fault(WTERMSIG(status), &code, &hint);
	if (hint)
		ret = WT_ERR_FILE;
	wt_fail(err, ret, code, how->object,
		"working on it was ended by signal %d (%s); %s",
		WTERMSIG(status), strsignal(WTERMSIG(status)), why);
	wt_error_native(err, WT_DOMAIN_SIGNAL, WTERMSIG(status));
	if (hint)
		wt_error_hint(err, "%s", hint);
	return ret;
}

static enum wt_status job_new(const struct wt_child *how, int *ret_alive_fd,
	struct wt_child_job **ret_job, struct wt_error *err)
{
	struct wt_child_job *job = calloc(1, sizeof(*job));
	int alive[2] = {-1, -1};

	if (!job)
		return wt_fail_memory(err);
	job->how = *how;
	job->end_ms = now_ms() + (int64_t)how->limits.seconds * 1000;
	job->alive_fd = job->pid_fd = -1;
	job->outcome = wt_shared_new(sizeof(*job->outcome));
	if (!job->outcome) {
		job_free(job);
		return wt_fail_memory(err);
	}
	job->outcome->denied.call = -1;
	if (pipe2(alive, O_CLOEXEC) != 0) {
		wt_fail_errno(err, WT_ERR_FILE, "no-process", how->object,
			"cannot make a pipe to a process");
		job_free(job);
		return WT_ERR_FILE;
	}
	job->alive_fd = alive[0];
	*ret_alive_fd = alive[1];
	*ret_job = job;
	return WT_OK;
}

enum wt_status wt_child_start(const struct wt_child *how, wt_child_fn *fn,
	void *arg, struct wt_child_job **ret_job, struct wt_error *err)
{
	struct wt_child_job *job = NULL;
	pid_t parent = getpid();
	int alive_fd = -1;
	enum wt_status ret = wt_cancelled(how->cancel, err);

	if (ret == WT_OK)
		ret = job_new(how, &alive_fd, &job, err);
	if (ret != WT_OK || !job)
		return ret;
	job->pid = fork();
	if (job->pid == 0) {
		/* alive_fd is closed by the end of the last process that has
		 * it. */
		close(job->alive_fd);
		child_enter(how, parent, job->outcome, alive_fd);
		told_fd = alive_fd;
		job->outcome->status = fn(arg, &job->outcome->err);
		job->outcome->is_done = true;
		_exit(0);
	}
	if (job->pid < 0)
		ret = wt_fail_errno(err, WT_ERR_FILE, "no-process", how->object,
			"cannot start a process");
	close(alive_fd);
	if (ret != WT_OK) {
		job_free(job);
		return ret;
	}
	job->pid_fd = (int)syscall(SYS_pidfd_open, job->pid, 0);
	*ret_job = job;
	return WT_OK;
}

enum wt_status wt_child_finish(struct wt_child_job *job,
	void (*tick)(void *ctx), void *tick_ctx, struct wt_error *err)
{
	bool is_late = job_wait(job, tick, tick_ctx);
	enum wt_status ret = wt_cancelled(job->how.cancel, err);
	struct outcome outcome = {0};

	descendants_wait(job);
	/* A child that was taken over may say anything, but only once. */
	memcpy(&outcome, job->outcome, sizeof(outcome));
	if ((unsigned)outcome.status > WT_INTERRUPTED)
		outcome.is_done = false;
	/* Also when it goes on without a child of its own that was ended. */
	if (ret == WT_OK && outcome.denied.call >= 0) {
		ret = fail_denied(&job->how, outcome.denied.call, err);
	} else if (ret == WT_OK && !outcome.is_done) {
		if (!job->how.is_program || is_late || job->status != 0)
			ret = child_died(&job->how, job->status, is_late, err);
	} else if (ret == WT_OK) {
		ret = outcome.status;
		if (ret != WT_OK && err) {
			wt_error_copy(err, &outcome.err);
			err->status = ret;
		}
	}
	job_free(job);
	return ret;
}

void wt_child_stop(struct wt_child_job *job)
{
	if (!job)
		return;
	job_kill(job);
	descendants_wait(job);
	job_free(job);
}

enum wt_status wt_child_end(
	struct wt_child_job *job, enum wt_status ret, struct wt_error *err)
{
	if (job && ret == WT_OK)
		return wt_child_finish(job, NULL, NULL, err);
	wt_child_stop(job);
	return ret;
}

enum wt_status wt_child_run(const struct wt_child *how, wt_child_fn *fn,
	void *arg, struct wt_error *err)
{
	struct wt_child_job *job = NULL;
	enum wt_status ret = wt_child_start(how, fn, arg, &job, err);

	return ret == WT_OK ? wt_child_finish(job, NULL, NULL, err) : ret;
}

/* It does nothing, and no signal of the user's ends the wait; but a busy
 * machine may be some seconds late. */
#define LOCKS_SECONDS 10

static enum wt_status do_nothing(void *arg, struct wt_error *err)
{
	(void)arg;
	(void)err;
	return WT_OK;
}

unsigned wt_locks(void)
{
	static const struct wt_sandbox in_memory;
	const struct wt_child how = {
		.limits = {.seconds = LOCKS_SECONDS}, .sandbox = &in_memory};
	struct wt_child_job *job = NULL;
	unsigned locks = 0;

	if (wt_child_start(&how, do_nothing, NULL, &job, NULL) != WT_OK)
		return 0;
	(void)job_wait(job, NULL, NULL);
	locks = job->outcome->is_done ? job->outcome->locks : 0;
	job_free(job);
	return locks;
}

void *wt_shared_new(size_t len)
{
	void *shared = mmap(NULL, len, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return shared == MAP_FAILED ? NULL : shared;
}

void wt_shared_free(void *shared, size_t len)
{
	if (shared)
		munmap(shared, len);
}
