/* SPDX-License-Identifier: MIT
 * test_hive_failures.c: each call that hives are read and changed with fails
 * in turn. The child's work is done in this process, so that nothing that it
 * leaves behind goes unseen. */
#include "base/child.h"
#include "hivefile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <hivex.h>
#include <iconv.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define OLD "0123456789ABCDEF0123456789ABCDEF01234567"

static unsigned calls;
static unsigned fail_at; /* 0: none fails */
static int fail_native;
static const char *failed;

static bool is_failing(const char *name)
{
	if (fail_at == 0 || ++calls != fail_at)
		return false;
	failed = name;
	errno = fail_native;
	return true;
}

#define WRAP(type, name, failure, params, args)                                \
	type __real_##name params;                                             \
	type __wrap_##name params;                                             \
	type __wrap_##name params                                              \
	{                                                                      \
		if (is_failing(#name))                                         \
			return failure;                                        \
		return __real_##name args;                                     \
	}

WRAP(void *, malloc, NULL, (size_t len), (len))
WRAP(void *, calloc, NULL, (size_t count, size_t len), (count, len))
WRAP(void *, realloc, NULL, (void *data, size_t len), (data, len))
WRAP(void *, mmap64, MAP_FAILED,
	(void *at, size_t len, int protect, int flags, int fd, off_t offset),
	(at, len, protect, flags, fd, offset))
WRAP(int, fstat64, -1, (int fd, struct stat *dst), (fd, dst))
WRAP(int, ftruncate64, -1, (int fd, off_t len), (fd, len))
WRAP(int, memfd_create, -1, (const char *name, unsigned flags), (name, flags))
WRAP(ssize_t, pread64, -1, (int fd, void *dst, size_t len, off_t offset),
	(fd, dst, len, offset))
WRAP(ssize_t, pwrite64, -1, (int fd, const void *src, size_t len, off_t offset),
	(fd, src, len, offset))
WRAP(hive_h *, hivex_open, NULL, (const char *path, int flags), (path, flags))
WRAP(hive_node_h, hivex_root, 0, (hive_h * hive), (hive))
WRAP(hive_node_h, hivex_node_get_child, 0,
	(hive_h * hive, hive_node_h node, const char *name), (hive, node, name))
WRAP(hive_node_h *, hivex_node_children, NULL,
	(hive_h * hive, hive_node_h node), (hive, node))
WRAP(char *, hivex_node_name, NULL, (hive_h * hive, hive_node_h node),
	(hive, node))
WRAP(hive_value_h, hivex_node_get_value, 0,
	(hive_h * hive, hive_node_h node, const char *name), (hive, node, name))
WRAP(char *, hivex_value_value, NULL,
	(hive_h * hive, hive_value_h value, hive_type *type, size_t *len),
	(hive, value, type, len))
WRAP(hive_node_h, hivex_node_add_child, 0,
	(hive_h * hive, hive_node_h node, const char *name), (hive, node, name))
WRAP(int, hivex_node_set_value, -1,
	(hive_h * hive, hive_node_h node, const hive_set_value *value,
		int flags),
	(hive, node, value, flags))
WRAP(int, hivex_node_delete_child, -1, (hive_h * hive, hive_node_h node),
	(hive, node))
WRAP(int, hivex_commit, -1, (hive_h * hive, const char *path, int flags),
	(hive, path, flags))
WRAP(iconv_t, iconv_open, (iconv_t)-1, (const char *to, const char *from),
	(to, from))

enum wt_status __wrap_wt_child_run(const struct wt_child *how, wt_child_fn *fn,
	void *arg, struct wt_error *err)
{
	(void)how;
	return fn(arg, err);
}

/* The child's work is done where it would be started. */
static struct {
	enum wt_status status;
	struct wt_error err;
} child;

enum wt_status __wrap_wt_child_start(const struct wt_child *how,
	wt_child_fn *fn, void *arg, struct wt_child_job **ret_job,
	struct wt_error *err)
{
	(void)how;
	(void)err;
	memset(&child, 0, sizeof(child));
	child.status = fn(arg, &child.err);
	*ret_job = NULL;
	return WT_OK;
}

/* So that all of it is done before its end is asked for. */
bool __wrap_wt_child_told(struct wt_child_job *job)
{
	(void)job;
	return false;
}

enum wt_status __wrap_wt_child_finish(struct wt_child_job *job,
	void (*tick)(void *ctx), void *tick_ctx, struct wt_error *err)
{
	(void)job;
	(void)tick;
	(void)tick_ctx;
	if (child.status != WT_OK && err)
		*err = child.err;
	return child.status;
}

struct job {
	const char *name;
	const char *hive;
	const char *logs[3];
	enum wt_status (*run)(const struct wt_hive_files *files, int *ret_fd,
		void **ret_out, struct wt_error *err);
};

static enum wt_status run_read(const struct wt_hive_files *files, int *ret_fd,
	void **ret_out, struct wt_error *err)
{
	struct wt_hive_content *content = NULL;
	enum wt_status ret = hive_read_now(
		files->hive_fd, files->object, NULL, &content, err);

	(void)ret_fd;
	*ret_out = content;
	if (ret == WT_OK)
		wt_hive_content_free(content);
	return ret;
}

static enum wt_status run_write(const struct wt_hive_files *files, int *ret_fd,
	void **ret_out, struct wt_error *err)
{
	static const uint8_t blob[6000] = "blob";
	static const struct wt_hive_change changes[] = {
		{.store = WT_STORE_DISALLOWED,
			.key = OLD,
			.blob = blob,
			.blob_len = sizeof(blob)},
		{.store = WT_STORE_ROOT,
			.key = OLD,
			.blob = blob,
			.blob_len = 5000},
		{.store = WT_STORE_ROOT,
			.key = "FFFFFFFFFFFFFFFFFFFF"
			       "FFFFFFFFFFFFFFFFFFFF"},
	};

	(void)ret_out;
	return hive_write_now(
		files->hive_fd, files->object, changes, 3, NULL, ret_fd, err);
}

static enum wt_status run_replay(const struct wt_hive_files *files, int *ret_fd,
	void **ret_out, struct wt_error *err)
{
	bool is_stopped = false;

	(void)ret_out;
	return wt_hive_replay(files, ret_fd, &is_stopped, err);
}

static enum wt_status run_discard(const struct wt_hive_files *files,
	int *ret_fd, void **ret_out, struct wt_error *err)
{
	(void)ret_out;
	return wt_hive_discard_logs(files, ret_fd, err);
}

static enum wt_status run_state(const struct wt_hive_files *files, int *ret_fd,
	void **ret_out, struct wt_error *err)
{
	struct wt_hive_state state = {0};

	(void)ret_fd;
	(void)ret_out;
	return wt_hive_state(files, &state, err);
}

static const struct job jobs[] = {
	{"read", "bad/odd-more-values", {0}, run_read},
	{"read a padded file", "bad/odd-garbage-behind", {0}, run_read},
	{"write", "bad/odd-big-blob", {0}, run_write},
	{"write a padded file", "bad/odd-zeros-behind", {0}, run_write},
	{"state", "dirty/new-two-logs",
		{NULL, "dirty/new-two-logs.LOG1", "dirty/new-two-logs.LOG2"},
		run_state},
	{"replay", "dirty/new-two-logs",
		{NULL, "dirty/new-two-logs.LOG1", "dirty/new-two-logs.LOG2"},
		run_replay},
	{"replay the old format", "dirty/old", {NULL, "dirty/old.LOG1", NULL},
		run_replay},
	{"discard", "dirty/unflushed", {NULL, "dirty/unflushed.LOG1", NULL},
		run_discard},
};

static int file_open(const char *name)
{
	char path[4096] = "";

	if (!name)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", WT_HIVES, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static unsigned fd_count(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

/* The codes of failures that are not the fault of the hive, and of a lack of
 * iconv. */
static struct {
	const char *call, *code;
	int native;	/* 0: any */
	unsigned count; /* how often it was met */
} named[] = {
	{"hivex_node_add_child", "hive-not-written", EIO, 0},
	{"hivex_node_set_value", "hive-not-written", EIO, 0},
	{"hivex_node_delete_child", "hive-not-written", EIO, 0},
	{"iconv_open", "no-iconv", 0, 0},
};
#define NAMED_COUNT (sizeof(named) / sizeof(named[0]))

static void code_check(const struct wt_error *err)
{
	for (size_t i = 0; i < NAMED_COUNT; i++) {
		if (strcmp(named[i].call, failed) != 0 ||
			(named[i].native != 0 &&
				named[i].native != fail_native))
			continue;
		assert_string_equal(err->code, named[i].code);
		named[i].count++;
	}
}

/* One run in which call n fails. Returns whether it was reached. */
static bool run_failing(const struct job *job,
	const struct wt_hive_files *files, unsigned n, int native)
{
	struct wt_error err = {0};
	unsigned before = fd_count();
	enum wt_status status = WT_OK;
	void *out = NULL;
	bool is_hit = false;
	int fd = -1;

	calls = 0;
	failed = "";
	fail_native = native;
	fail_at = n;
	status = job->run(files, &fd, &out, &err);
	fail_at = 0;
	is_hit = calls >= n;
	if (is_hit == (status == WT_OK))
		fail_msg("%s: call %u, %s: %s %s", job->name, n, failed,
			is_hit ? "success" : err.code, err.reason);
	if (is_hit) {
		assert_int_equal(err.status, status);
		assert_true(err.code[0] != '\0' && err.reason[0] != '\0');
		code_check(&err);
		assert_int_equal(fd, -1);
		assert_null(out);
	}
	if (fd >= 0)
		close(fd);
	if (fd_count() != before)
		fail_msg("%s: call %u, %s: a file stays open", job->name, n,
			failed);
	return is_hit;
}

static void every_call_fails_in_turn(void **state)
{
	static const int natives[] = {ENOMEM, EIO};

	(void)state;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		struct wt_hive_files files = {.object = "hive"};
		unsigned n = 1;

		files.hive_fd = file_open(jobs[i].hive);
		assert_true(files.hive_fd >= 0);
		for (int j = 0; j < 3; j++)
			files.log_fds[j] = file_open(jobs[i].logs[j]);
		/* Loads the tables of conversions, which may fail. */
		assert_false(run_failing(&jobs[i], &files, UINT_MAX, EIO));
		for (size_t j = 0; j < 2; j++) {
			n = 1;
			while (run_failing(&jobs[i], &files, n, natives[j]))
				n++;
		}
		/* A sweep in which no call failed proves nothing. */
		assert_in_range(n, 5, 10000);
		for (int j = 0; j < 3; j++)
			if (files.log_fds[j] >= 0)
				close(files.log_fds[j]);
		close(files.hive_fd);
	}
	for (size_t i = 0; i < NAMED_COUNT; i++)
		if (named[i].count == 0)
			fail_msg("%s was never met", named[i].call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_fails_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
