/* SPDX-License-Identifier: MIT
 * wim/append/patch.c: what has to be written to a WIM so that it holds new
 * hives. */
#include "base/digest.h"
#include "wim/append/append.h"
#include "wim/append/reuse.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum wt_status check_puts(const struct wt_wim *wim,
	const struct wt_wim_put *puts, size_t put_count, const char *object,
	struct wt_error *err)
{
	assert(put_count > 0);
	if (!wim->info.is_ordered) {
		wt_fail(err, WT_ERR_WIM, "wim-unsupported", object,
			"its tables are in an order that cannot be appended "
			"to");
		wt_error_hint(err, "write it again first: wimlib-imagex "
				   "optimize");
		return WT_ERR_WIM;
	}
	for (size_t i = 0; i < put_count; i++) {
		const struct wt_wim_image *image = &wim->images[puts[i].image];

		if (image->hive_path[0] == '\0')
			return wt_fail(err, WT_ERR_IMAGE, "no-hive", object,
				"image %d has no SOFTWARE hive", image->index);
	}
	return WT_OK;
}

/* Mount where it was asked for or may work, else update. */
static enum wt_status put_all(const struct wt_wim_append *append,
	enum wt_access access, struct wt_wim_patch *patch, struct wt_error *err)
{
	struct wt_error mount_error = {0};
	bool cannot_mount = false;
	enum wt_status ret = WT_OK;

	patch->access = WT_ACCESS_UPDATE;
	if (access == WT_ACCESS_UPDATE)
		return wt_wim_update(append, err);
	ret = wt_wim_mount(
		append, access == WT_ACCESS_MOUNT, &cannot_mount, &mount_error);
	if (ret == WT_OK) {
		patch->access = WT_ACCESS_MOUNT;
		return WT_OK;
	}
	if (access == WT_ACCESS_MOUNT || !cannot_mount) {
		if (err)
			*err = mount_error;
		if (cannot_mount && mount_error.hint[0] == '\0')
			wt_error_hint(err, "--access update needs no mount");
		return ret;
	}
	snprintf(patch->access_reason, sizeof(patch->access_reason), "%.159s",
		mount_error.reason);
	return wt_wim_update(append, err);
}

/* Hashes the new hives, and tells the child that waits for it. */
static enum wt_status hash(const struct wt_wim_append *append,
	uint8_t (*told)[WT_SHA1_LEN], int ready_fd, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	for (size_t i = 0; ret == WT_OK && i < append->put_count; i++)
		ret = wt_digest_sha1(append->puts[i].hive_fd, 0, WT_DIGEST_REST,
			append->object, append->options->cancel,
			append->sha1s[i], err);
	if (ret != WT_OK)
		return ret;
	memcpy(told, append->sha1s, append->put_count * sizeof(*told));
	/* An empty pipe takes a byte at once. */
	if (write(ready_fd, "", 1) != 1)
		return wt_fail_errno(err, WT_ERR_FILE, "write-failed",
			append->object, "cannot pass on the hashes of hives");
	return WT_OK;
}

/* A copy of what a child has written to shared memory, which is freed in either
 * case: later children, which parse, are judged by it. */
static void *kept(void *shared, size_t len)
{
	void *copy = malloc(len);

	if (copy)
		memcpy(copy, shared, len);
	wt_shared_free(shared, len);
	return copy;
}

/* Adds what can be without wimlib, and keeps where that is. The hives are
 * hashed meanwhile, by this process: no child may choose what it is judged
 * by. */
static enum wt_status reuse(struct wt_wim_append *append, struct wt_error *err)
{
	size_t len = append->put_count * sizeof(*append->placed);
	size_t told_len = append->put_count * sizeof(*append->sha1s);
	uint8_t(*told)[WT_SHA1_LEN] = wt_shared_new(told_len);
	struct wt_child_job *job = NULL;
	int pipe_fds[2] = {-1, -1};
	enum wt_status ret = WT_OK;

	append->placed = wt_shared_new(len);
	if (!append->placed || !told)
		ret = wt_fail_memory(err);
	else if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		ret = wt_fail_errno(err, WT_ERR_FILE, "no-memory",
			append->object, "cannot make a pipe");
	if (ret == WT_OK)
		ret = wt_wim_reuse_start(append, told, pipe_fds[0], &job, err);
	if (ret == WT_OK)
		ret = hash(append, told, pipe_fds[1], err);
	ret = wt_child_end(job, ret, err);
	wt_wim_fds_close(pipe_fds, 2);
	wt_shared_free(told, told_len);
	append->placed = append->placed ? kept(append->placed, len) : NULL;
	if (ret == WT_OK && !append->placed)
		ret = wt_fail_memory(err);
	return ret;
}

/* Puts the hives into the skeleton and reads them back. Those that were put
 * there before wimlib runs are read back meanwhile. */
static enum wt_status put_and_verify(struct wt_wim_append *append,
	enum wt_access access, struct wt_wim_patch *patch, struct wt_error *err)
{
	struct wt_child_job *placed = NULL;
	enum wt_status ret = reuse(append, err);

	if (ret == WT_OK)
		ret = wt_wim_verify_placed(append, &placed, err);
	if (ret == WT_OK)
		ret = put_all(append, access, patch, err);
	if (ret == WT_OK)
		ret = wt_wim_skeleton_check(append->skeleton, append->path,
			append->wim, append->options, &patch->new_len, err);
	if (ret == WT_OK)
		ret = wt_wim_verify(append, err);
	return wt_child_end(placed, ret, err);
}

struct wt_sandbox wt_wim_append_sandbox(const struct wt_wim_append *append)
{
	bool is_any_parked = false;

	/* wimlib opens the hives by name, also those that are open. */
	for (size_t i = 0; i < append->put_count; i++)
		is_any_parked |= append->puts[i].is_parked;
	return (struct wt_sandbox){
		.fds = append->fds,
		.fd_count = append->fd_count,
		.read_path = append->path,
		.write_path = is_any_parked ? append->options->temp_folder
					    : append->skeleton->path,
		.forks = true,
	};
}

static enum wt_status append_begin(struct wt_wim_append *append,
	struct wt_wim_skeleton *skeleton, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	/* One more, for what a single child gets besides. */
	append->fds = calloc(append->put_count * 2 + 2, sizeof(*append->fds));
	append->sha1s = calloc(append->put_count, sizeof(*append->sha1s));
	if (!append->sha1s || !append->fds)
		return wt_fail_memory(err);
	for (size_t i = 0; i < append->put_count; i++) {
		append->fds[append->fd_count++] = append->puts[i].hive_fd;
		append->fds[append->fd_count++] = append->puts[i].old_fd;
	}
	ret = wt_wim_skeleton_new(
		append->path, append->wim, append->options, skeleton, err);
	append->fds[append->fd_count++] = skeleton->fd;
	return ret;
}

static void append_end(struct wt_wim_append *append)
{
	free(append->fds);
	free(append->placed);
	free(append->sha1s);
}

enum wt_status wt_wim_make_patch(const char *path, const struct wt_wim *wim,
	const struct wt_wim_put *puts, size_t put_count, enum wt_access access,
	const struct wt_wim_options *options, struct wt_wim_patch *ret_patch,
	struct wt_error *err)
{
	const char *object = wt_wim_object(path, options);
	struct wt_wim_skeleton skeleton = {.fd = -1};
	struct wt_wim_patch patch = {
		.old_len = wim->info.len,
		.tail_offset = wim->info.used_len,
	};
	struct wt_wim_append append = {
		.path = path,
		.skeleton = &skeleton,
		.wim = wim,
		.puts = puts,
		.put_count = put_count,
		.object = object,
		.options = options,
	};
	enum wt_status ret = wt_wim_check_writable(&wim->info, object, err);

	if (ret == WT_OK)
		ret = check_puts(wim, puts, put_count, object, err);
	if (ret == WT_OK)
		ret = append_begin(&append, &skeleton, err);
	if (ret == WT_OK)
		ret = put_and_verify(&append, access, &patch, err);
	if (ret == WT_OK) {
		patch.fd = skeleton.fd;
		skeleton.fd = -1; /* the caller's now, inside the patch */
		*ret_patch = patch;
	}
	wt_wim_skeleton_free(&skeleton);
	append_end(&append);
	return ret;
}
