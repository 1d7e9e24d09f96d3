/* SPDX-License-Identifier: MIT
 * wim/lib.c: how wimlib is called, always in a child process. */
#include "wim/lib.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Metadata that claims to be huge fails to be allocated; LZMS needs about
 * ten times a chunk of up to 64 MiB for each of a few threads. Bytes. */
#define MEMORY_MAX ((uint64_t)8 << 30)

struct job {
	wt_child_fn *fn;
	void *arg;
	const char *object;
};

const char *wt_wim_object(
	const char *path, const struct wt_wim_options *options)
{
	return options->object ? options->object : path;
}

const char *wt_wim_library_version(void)
{
	return wimlib_get_version_string();
}

unsigned wt_wim_threads(const struct wt_wim_options *options)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned threads = options->threads;

	if (threads == 0)
		threads = online > 0 ? (unsigned)online : 1;
	return threads > WT_WIM_THREADS_MAX ? WT_WIM_THREADS_MAX : threads;
}

static enum wt_status job_run(void *arg, struct wt_error *err)
{
	const struct job *job = arg;
	int code = 0;

	wimlib_set_print_errors(false);
	/* Names are resolved by us, and then used as they are stored: in a
	 * case-insensitive mode wimlib would take the first that fits. */
	code = wimlib_global_init(WIMLIB_INIT_FLAG_ASSUME_UTF8 |
				  WIMLIB_INIT_FLAG_DEFAULT_CASE_SENSITIVE);
	if (code != 0)
		return wt_wim_fail(
			err, code, job->object, "cannot start wimlib");
	return job->fn(job->arg, err);
}

/* What a child is at. */
enum { STEP_NONE, STEP_CHECK, STEP_WRITE };

/* In the child. The parent may see one of the three members before the others,
 * which does not matter for a progress line. */
static void tell(
	struct wt_wim_told *told, int step, uint64_t done, uint64_t total)
{
	atomic_store(&told->total, total);
	atomic_store(&told->done, done);
	atomic_store(&told->step, step);
}

void wt_wim_tell_written(
	const struct wt_wim_options *options, uint64_t done, uint64_t total)
{
	if (options->told)
		tell(options->told, STEP_WRITE, done, total);
}

/* In the parent. Hostile input may control the child. */
static void pass_on(void *ctx)
{
	static const char *const names[] = {
		[STEP_CHECK] = "check", [STEP_WRITE] = "write"};
	const struct wt_wim_options *options = ctx;
	struct wt_wim_told *told = options->told;
	int step = atomic_load(&told->step);

	if (step == STEP_CHECK || step == STEP_WRITE)
		options->progress(options->progress_ctx, names[step],
			atomic_load(&told->done), atomic_load(&told->total));
}

enum wt_status wt_wim_child_start(const char *object, unsigned seconds,
	const struct wt_wim_options *options, const struct wt_sandbox *sandbox,
	wt_child_fn *fn, void *arg, struct wt_child_job **ret_job,
	struct wt_error *err)
{
	const struct wt_child child = {
		.limits.memory_len = MEMORY_MAX,
		.limits.seconds = seconds,
		.object = object,
		.died_status = WT_ERR_WIM,
		.died_code = "wim-crash",
		.cancel = options->cancel,
		.sandbox = sandbox,
	};
	/* The child has its own copy of this. */
	struct job job = {.fn = fn, .arg = arg, .object = object};

	return wt_child_start(&child, job_run, &job, ret_job, err);
}

enum wt_status wt_wim_child_run(const char *object, unsigned seconds,
	const struct wt_wim_options *options, const struct wt_sandbox *sandbox,
	wt_child_fn *fn, void *arg, struct wt_error *err)
{
	struct wt_child_job *running = NULL;
	enum wt_status ret = WT_OK;

	if (options->told)
		atomic_store(&options->told->step, STEP_NONE);
	ret = wt_wim_child_start(
		object, seconds, options, sandbox, fn, arg, &running, err);
	if (ret != WT_OK)
		return ret;
	return wt_child_finish(running,
		options->told && options->progress ? pass_on : NULL,
		(void *)(uintptr_t)options, err);
}

struct meaning {
	enum wimlib_error_code code;
	enum wt_status status;
	const char *word;
	const char *hint;
};

static const char hint_copy[] = "copy or download the file again";

static const struct meaning meanings[] = {
	{WIMLIB_ERR_NOT_A_WIM_FILE, WT_ERR_WIM, "wim-not-a-wim", NULL},
	{WIMLIB_ERR_IS_SPLIT_WIM, WT_ERR_WIM, "wim-split",
		"join the parts first: wimlib-imagex join"},
	{WIMLIB_ERR_SPLIT_INVALID, WT_ERR_WIM, "wim-split",
		"join the parts first: wimlib-imagex join"},
	{WIMLIB_ERR_WIM_IS_ENCRYPTED, WT_ERR_WIM, "wim-encrypted",
		"decrypt the .esd first"},
	{WIMLIB_ERR_UNKNOWN_VERSION, WT_ERR_WIM, "wim-unsupported", NULL},
	{WIMLIB_ERR_UNSUPPORTED, WT_ERR_WIM, "wim-unsupported", NULL},
	{WIMLIB_ERR_INTEGRITY, WT_ERR_WIM, "wim-integrity", hint_copy},
	{WIMLIB_ERR_INVALID_INTEGRITY_TABLE, WT_ERR_WIM, "wim-integrity",
		hint_copy},
	{WIMLIB_ERR_UNEXPECTED_END_OF_FILE, WT_ERR_WIM, "wim-truncated",
		hint_copy},
	{WIMLIB_ERR_WIM_IS_INCOMPLETE, WT_ERR_WIM, "wim-truncated", hint_copy},
	{WIMLIB_ERR_NOMEM, WT_ERR_FILE, "no-memory",
		"free memory, or raise the limit (ulimit -v); where there is "
		"enough, the file asks for more than any real one"},
	{WIMLIB_ERR_WRITE, WT_ERR_FILE, "write-failed", NULL},
	{WIMLIB_ERR_READ, WT_ERR_FILE, "read-failed", NULL},
	{WIMLIB_ERR_OPEN, WT_ERR_FILE, "open-failed", NULL},
	{WIMLIB_ERR_NO_FILENAME, WT_ERR_FILE, "open-failed",
		"its file system forgets the names of open files, as rclone's "
		"does: write to a local disk with -o FILE, or use --commit "
		"append without --rebuild"},
	{WIMLIB_ERR_MKDIR, WT_ERR_FILE, "write-failed", NULL},
	{WIMLIB_ERR_ALREADY_LOCKED, WT_ERR_FILE, "locked", NULL},
	{WIMLIB_ERR_FUSE, WT_ERR_FILE, "mount-failed", NULL},
	{WIMLIB_ERR_NOT_A_MOUNTPOINT, WT_ERR_FILE, "mount-failed", NULL},
};

enum wt_status wt_wim_fail(struct wt_error *err, int code, const char *object,
	const char *fmt, ...)
{
	struct meaning meaning = {0, WT_ERR_WIM, "wim-damaged", hint_copy};
	int system_error = errno;
	bool has_errno = false;
	char doing[256] = "";
	va_list args;

	va_start(args, fmt);
	vsnprintf(doing, sizeof(doing), fmt, args);
	va_end(args);
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if ((int)meanings[i].code == code)
			meaning = meanings[i];
	/* wimlib tells what failed; only errno tells why a file failed. */
	has_errno = meaning.status == WT_ERR_FILE && system_error != 0;
	if (has_errno && system_error == ENOSPC)
		meaning.word = "no-space";
	wt_fail(err, meaning.status, meaning.word, object, "%s: %s%s%s", doing,
		wimlib_get_error_string((enum wimlib_error_code)code),
		has_errno ? ": " : "", has_errno ? strerror(system_error) : "");
	wt_error_native(err, WT_DOMAIN_WIMLIB, code);
	if (meaning.hint)
		wt_error_hint(err, "%s", meaning.hint);
	return meaning.status;
}

static enum wimlib_progress_status on_progress(enum wimlib_progress_msg msg,
	union wimlib_progress_info *info, void *ctx)
{
	struct wt_wim_told *told = ctx;

	if (msg == WIMLIB_PROGRESS_MSG_VERIFY_INTEGRITY)
		tell(told, STEP_CHECK, info->integrity.completed_bytes,
			info->integrity.total_bytes);
	else if (msg == WIMLIB_PROGRESS_MSG_WRITE_STREAMS)
		tell(told, STEP_WRITE, info->write_streams.completed_bytes,
			info->write_streams.total_bytes);
	return WIMLIB_PROGRESS_STATUS_CONTINUE;
}

/* libxml2 prints what it finds in malformed XML. */
static int silence(void)
{
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (saved >= 0 && null_fd >= 0)
		dup2(null_fd, STDERR_FILENO);
	if (null_fd >= 0)
		close(null_fd);
	return saved;
}

static void restore(int saved)
{
	if (saved < 0)
		return;
	dup2(saved, STDERR_FILENO);
	close(saved);
}

enum wt_status wt_wim_open(const char *path, int flags,
	const struct wt_wim_options *options, WIMStruct **ret_wim,
	struct wt_error *err)
{
	wimlib_progress_func_t progress = NULL;
	WIMStruct *wim = NULL;
	int saved_stderr = -1;
	int system_error = 0;
	int code = 0;

	if (options->told)
		progress = on_progress;
	saved_stderr = silence();
	errno = 0;
	code = wimlib_open_wim_with_progress(
		path, flags, &wim, progress, options->told);
	system_error = errno;
	restore(saved_stderr);
	errno = system_error;
	if (code != 0)
		return wt_wim_fail(err, code, wt_wim_object(path, options),
			"cannot open it");
	*ret_wim = wim;
	return WT_OK;
}
