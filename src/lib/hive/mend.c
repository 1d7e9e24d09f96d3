/* SPDX-License-Identifier: MIT
 * hive/mend.c: the logs of a hive are read and applied in a child. */
#include "hive/log.h"
#include "hive/map.h"

#include <sys/stat.h>
#include <unistd.h>

/* Logs may make a hive longer by this much. Together they are no longer. */
#define MORE_MAX ((uint64_t)192 << 20)

/* The child's result. Hostile input may control the child, so every bit
 * pattern is a valid value of each member. */
struct answer {
	uint64_t entry_count, len;
	unsigned is_stopped, has_long_log;
};

struct work {
	const struct wt_hive_files *files;
	int fd;		       /* for the hive that is made; -1: none is */
	struct answer *answer; /* shared */
};

static enum wt_status state_in_child(void *arg, struct wt_error *err)
{
	const struct work *work = arg;
	struct wt_hive_state state = {0};
	enum wt_status ret = wt_replay_state(work->files, &state, err);

	work->answer->entry_count = state.log_entry_count;
	work->answer->len = state.log_len;
	work->answer->has_long_log = state.has_long_log;
	return ret;
}

static enum wt_status replay_in_child(void *arg, struct wt_error *err)
{
	const struct work *work = arg;
	bool is_stopped = false;
	enum wt_status ret =
		wt_replay_apply(work->files, work->fd, &is_stopped, err);

	work->answer->is_stopped = is_stopped;
	return ret;
}

static enum wt_status discard_in_child(void *arg, struct wt_error *err)
{
	const struct work *work = arg;

	return wt_replay_discard(work->files, work->fd, err);
}

/* The child can read the hive and its logs, and write the new hive. */
static enum wt_status work_run(
	const struct work *work, wt_child_fn *fn, struct wt_error *err)
{
	const struct wt_hive_files *files = work->files;
	const int fds[] = {work->fd, files->log_fds[0], files->log_fds[1],
		files->log_fds[2]};
	const struct wt_sandbox sandbox = {.fds = fds,
		.fd_count = sizeof(fds) / sizeof(fds[0]),
		.read_fd = files->hive_fd};
	struct wt_child child = {0};
	uint64_t len = 0;
	enum wt_status ret =
		wt_hive_file_len(files->hive_fd, files->object, &len, err);

	if (ret != WT_OK)
		return ret;
	child = wt_hive_child(len, MORE_MAX, files->object, files->cancel);
	child.sandbox = &sandbox;
	return wt_child_run(&child, fn, (void *)(uintptr_t)work, err);
}

/* Runs fn in a child for its answer and, with ret_fd, a new hive. */
static enum wt_status answer_get(const struct wt_hive_files *files,
	wt_child_fn *fn, struct answer *ret_answer, int *ret_fd,
	struct wt_error *err)
{
	struct work work = {.files = files, .fd = -1};
	enum wt_status ret = WT_OK;

	work.answer = wt_shared_new(sizeof(*work.answer));
	if (!work.answer)
		return wt_fail_memory(err);
	if (ret_fd)
		ret = wt_io_memory_file(
			"wimtrust-hive", files->object, &work.fd, err);
	if (ret == WT_OK)
		ret = work_run(&work, fn, err);
	if (ret == WT_OK && ret_answer)
		*ret_answer = *work.answer;
	if (ret == WT_OK && ret_fd)
		*ret_fd = work.fd;
	else if (work.fd >= 0)
		close(work.fd);
	wt_shared_free(work.answer, sizeof(*work.answer));
	return ret;
}

/* Nearly every hive is clean, and its logs do not matter. The parent finds that
 * out from the base block alone, 512 bytes that it reads field by field. */
enum wt_status wt_hive_state(const struct wt_hive_files *files,
	struct wt_hive_state *ret_state, struct wt_error *err)
{
	struct wt_hive_files alone = *files;
	struct wt_hive_state state = {0};
	struct answer answer = {0};
	bool has_logs = false;
	enum wt_status ret = WT_OK;

	for (size_t i = 0; i < 3; i++) {
		has_logs |= alone.log_fds[i] >= 0;
		alone.log_fds[i] = -1;
	}
	ret = wt_replay_state(&alone, &state, err);
	if (ret == WT_OK && state.is_dirty && has_logs) {
		ret = answer_get(files, state_in_child, &answer, NULL, err);
		state.log_entry_count = answer.entry_count;
		state.log_len = answer.len;
		state.has_usable_log = answer.entry_count > 0;
		state.has_long_log |= answer.has_long_log != 0;
	}
	if (ret == WT_OK)
		*ret_state = state;
	return ret;
}

enum wt_status wt_hive_replay(const struct wt_hive_files *files, int *ret_fd,
	bool *ret_stopped, struct wt_error *err)
{
	struct answer answer = {0};
	enum wt_status ret =
		answer_get(files, replay_in_child, &answer, ret_fd, err);

	if (ret == WT_OK)
		*ret_stopped = answer.is_stopped != 0;
	return ret;
}

enum wt_status wt_hive_discard_logs(
	const struct wt_hive_files *files, int *ret_fd, struct wt_error *err)
{
	return answer_get(files, discard_in_child, NULL, ret_fd, err);
}
