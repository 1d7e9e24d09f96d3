/* SPDX-License-Identifier: MIT
 * target/hives.c: the hives of the chosen images, mended and read. */
#include "target/target.h"

#include "base/child.h"
#include "base/io.h"
#include "target/folder.h"
#include "target/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum wt_status wt_target_list_hives(
	struct wt_target *target, struct wt_error *err)
{
	const struct wt_report *report = target->report;

	target->hives = calloc(report->image_count, sizeof(*target->hives));
	if (!target->hives)
		return wt_fail_memory(err);
	for (size_t i = 0; i < report->image_count; i++) {
		if (wt_report_image(report, i)->is_chosen)
			target->hives[target->hive_count++] =
				(struct wt_target_hive){
					.image = i, .fd = -1, .new_fd = -1};
		else if (target->wim)
			wt_wim_fds_close(&target->wim->images[i].hive_fd, 1);
	}
	return WT_OK;
}

_Static_assert(WT_HIVE_FILE_MAX == WT_HIVE_MAX, "one limit for hives");

static enum wt_status hive_dirty(const char *object,
	const struct wt_hive_state *state, struct wt_error *err)
{
	if (!state->has_usable_log) {
		wt_fail(err, WT_ERR_HIVE, "hive-dirty", object,
			"was not closed cleanly, and no transaction log beside "
			"it fits");
		wt_error_hint(err, "let Windows load it once, or take it as it "
				   "is with --discard-logs");
		return WT_ERR_HIVE;
	}
	wt_fail(err, WT_ERR_HIVE, "hive-dirty", object,
		"was not closed cleanly: its transaction logs hold %llu "
		"entries (%llu bytes) that it lacks",
		(unsigned long long)state->log_entry_count,
		(unsigned long long)state->log_len);
	wt_error_hint(err, "--replay-logs applies them first, --discard-logs "
			   "discards them");
	return WT_ERR_HIVE;
}

static void dirty_show(struct wt_report *report, const char *object,
	const struct wt_hive_state *state)
{
	if (state->has_usable_log)
		wt_report_warn(report, "hive-dirty",
			"%s: its transaction logs hold %llu entries that it "
			"lacks; --replay-logs shows it with them",
			object, (unsigned long long)state->log_entry_count);
	else
		wt_report_warn(report, "hive-dirty",
			"%s: was not closed cleanly, and no transaction log "
			"beside it fits; it is shown as it is",
			object);
}

static enum wt_status logs_replay(struct wt_report *report,
	struct wt_target_hive *hive, const struct wt_hive_files *files,
	const struct wt_hive_state *state, struct wt_error *err)
{
	bool is_stopped = false;
	enum wt_status ret = wt_hive_replay(files, &hive->fd, &is_stopped, err);

	hive->is_mended = ret == WT_OK;
	if (ret == WT_OK)
		wt_report_warn(report, "logs-replayed",
			"%s: %llu of the entries in its transaction logs were "
			"applied first%s",
			files->object,
			(unsigned long long)state->log_entry_count,
			is_stopped ? "; newer ones were left out: one before "
				     "them is damaged, missing, or there twice"
				   : "");
	return ret;
}

static enum wt_status logs_discard(struct wt_report *report,
	struct wt_target_hive *hive, const struct wt_hive_files *files,
	const struct wt_hive_state *state, struct wt_error *err)
{
	enum wt_status ret = wt_hive_discard_logs(files, &hive->fd, err);

	hive->is_mended = ret == WT_OK;
	if (ret == WT_OK)
		wt_report_warn(report, "logs-discarded",
			"%s: %llu entries (%llu bytes) of its transaction logs "
			"are discarded",
			files->object,
			(unsigned long long)state->log_entry_count,
			(unsigned long long)state->log_len);
	return ret;
}

/* A dirty hive lacks what its logs hold. Readers show what it has, writers
 * are told to decide. */
static enum wt_status dirty_hive_mend(struct wt_target *target,
	struct wt_target_hive *hive, const struct wt_hive_files *files,
	struct wt_error *err)
{
	const struct wt_options *options = target->options;
	struct wt_report *report = target->report;
	struct wt_hive_state state = {0};
	enum wt_status ret = wt_hive_state(files, &state, err);

	if (ret != WT_OK)
		return ret;
	wt_report_edit_image(report, hive->image)->is_dirty = true;
	if (state.has_long_log)
		wt_report_warn(report, "hive-bad-log",
			"%s: a transaction log beside it is longer than any "
			"that Windows writes (%llu MB), and was ignored",
			files->object,
			(unsigned long long)(WT_HIVE_LOG_MAX >> 20));
	if (options->replay_logs && state.has_usable_log)
		return logs_replay(report, hive, files, &state, err);
	if (options->discard_logs)
		return logs_discard(report, hive, files, &state, err);
	if (target->is_writing)
		return hive_dirty(files->object, &state, err);
	dirty_show(report, files->object, &state);
	return WT_OK;
}

/* The logs of a clean hive are old, whatever they hold: they are not even taken
 * out. */
static enum wt_status hive_mend(struct wt_target *target,
	struct wt_target_hive *hive, struct wt_hive_files *files,
	struct wt_error *err)
{
	struct wt_hive_state state = {0};
	enum wt_status ret = wt_hive_state(files, &state, err);

	hive->fd = files->hive_fd;
	if (ret != WT_OK || !state.is_dirty)
		return ret;
	files->are_logs_ours = target->wim != NULL;
	for (size_t i = 0; target->wim && i < WT_HIVE_LOGS; i++)
		files->has_long_log |=
			target->wim->images[hive->image].log_lens[i] >
			WT_HIVE_LOG_MAX;
	if (target->wim)
		ret = wt_wim_extract_logs(target->wim_path, target->wim,
			(int)hive->image, WT_HIVE_LOG_MAX, &target->wim_options,
			files->log_fds, err);
	else
		ret = wt_folder_open_logs(target->file->dir_fd,
			target->file->name, files->log_fds, err);
	if (ret == WT_OK)
		ret = dirty_hive_mend(target, hive, files, err);
	wt_wim_fds_close(files->log_fds, WT_HIVE_LOGS);
	return ret;
}

void wt_target_hive_object(const struct wt_target *target,
	const struct wt_target_hive *hive, char *text, size_t size)
{
	const struct wt_report *report = target->report;
	int index = wt_report_image(report, hive->image)->index;

	if (target->kind == WT_TARGET_WIM)
		snprintf(text, size, "%s: image %d: SOFTWARE", report->target,
			index);
	else
		snprintf(text, size, "%s", target->file->path);
}

/* While the hive is looked through, its hash is checked; and one that is not
 * what its image says has that wrong with it, whatever else was found. What
 * hive_fd leads to is the target's, or is closed. */
static enum wt_status hive_open(struct wt_target *target,
	struct wt_target_hive *hive, int hive_fd, struct wt_error *err)
{
	char object[sizeof(err->object)] = "";
	struct wt_hive_files files = {.hive_fd = hive_fd,
		.log_fds = {-1, -1, -1},
		.object = object,
		.cancel = target->options->cancel};
	struct wt_error damage = {0};
	enum wt_status ret = WT_OK;

	wt_target_hive_object(target, hive, object, sizeof(object));
	ret = hive_mend(target, hive, &files, err);
	if (ret == WT_OK)
		ret = wt_hive_read_start(hive->fd, object,
			target->options->cancel, &hive->reading, err);
	if (target->wim &&
		wt_wim_hive_check(&target->wim->images[hive->image], hive_fd,
			object, target->options->cancel, &damage) != WT_OK)
		ret = wt_fail_as(err, &damage);
	if (hive->fd != hive_fd)
		close(hive_fd);
	return ret;
}

static enum wt_status hive_read(struct wt_target *target,
	struct wt_target_hive *hive, struct wt_error *err)
{
	struct wt_hive_reading *reading = hive->reading;
	char object[sizeof(err->object)] = "";
	enum wt_status ret = WT_OK;

	hive->reading = NULL; /* freed by the next call */
	ret = wt_hive_read_finish(reading, &hive->content, err);
	if (ret != WT_OK)
		return ret;
	wt_report_edit_image(target->report, hive->image)->key_count =
		hive->content->key_count;
	if (hive->content->fault[0] != '\0') {
		wt_target_hive_object(target, hive, object, sizeof(object));
		wt_report_warn(target->report, "hive-hidden-key",
			"%s: Windows may not find %s", object,
			hive->content->fault);
	}
	return WT_OK;
}

/* A copy in memory: a file may not be there to be mapped, be cut off by others,
 * or have a sector that cannot be read. */
static enum wt_status bare_hive_take(
	struct wt_target *target, int *ret_fd, struct wt_error *err)
{
	const struct wt_workfile *file = target->file;
	enum wt_status ret = WT_OK;
	int fd = -1;

	if (file->len > WT_HIVE_FILE_MAX)
		return wt_fail(err, WT_ERR_HIVE, "hive-too-large", file->path,
			"has %llu bytes; more than %llu are not read",
			(unsigned long long)file->len,
			(unsigned long long)WT_HIVE_FILE_MAX);
	ret = wt_io_memory_file("hive", file->path, &fd, err);
	if (ret != WT_OK)
		return ret;
	if (wt_io_copy(file->fd, 0, fd, 0, file->len,
		    target->options->cancel) != 0) {
		if (errno == ENODATA)
			wt_fail(err, WT_ERR_FILE, "changed", file->path,
				"became shorter while it was read");
		else
			wt_io_fail(err, file->path, "cannot be read");
		ret = wt_cancelled(target->options->cancel, err);
		close(fd);
		return ret == WT_OK ? WT_ERR_FILE : ret;
	}
	*ret_fd = fd;
	return WT_OK;
}

static enum wt_status bare_hive_open(
	struct wt_target *target, struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	int fd = -1;

	wt_report_edit_image(target->report, 0)->hive_len = target->file->len;
	ret = bare_hive_take(target, &fd, err);
	if (ret == WT_OK)
		ret = hive_open(target, &target->hives[0], fd, err);
	if (ret == WT_OK)
		ret = hive_read(target, &target->hives[0], err);
	return ret;
}

/* Takes those hives of the turn out that were not read with the WIM. */
static enum wt_status wim_hives_extract(
	struct wt_target *target, struct wt_error *err)
{
	size_t count = 0, room = target->end - target->first;
	int *images = calloc(room, sizeof(*images));
	int *fds = calloc(room, sizeof(*fds));
	enum wt_status ret = WT_OK;

	if (!images || !fds) {
		ret = wt_fail_memory(err);
		goto out;
	}
	for (size_t i = target->first; i < target->end; i++)
		if (target->wim->images[target->hives[i].image].hive_fd < 0)
			images[count++] = (int)target->hives[i].image;
	if (count > 0)
		ret = wt_wim_extract(target->wim_path, target->wim, images,
			count, &target->wim_options, fds, err);
	for (size_t i = 0; ret == WT_OK && i < count; i++)
		target->wim->images[images[i]].hive_fd = fds[i];
out:
	free(images);
	free(fds);
	return ret;
}

/* How many times its length a hive takes while it is changed: as it was, as it
 * becomes, and what is worked out in between. */
#define STAGES 3
/* Of 64 MB, what is left for processes and their tables. */
#define HIVES_SLACK ((uint64_t)40 << 20)

static uint64_t fd_len(int fd)
{
	struct stat found = {0};

	return fd >= 0 && fstat(fd, &found) == 0 ? (uint64_t)found.st_size : 0;
}

/* Its logs may have made a hive longer: then others have to wait. */
static size_t turn_cut(struct wt_target *target, size_t i)
{
	uint64_t len = target->wim->images[target->hives[i].image].hive_len;
	uint64_t new_len = fd_len(target->hives[i].fd);
	uint64_t more = new_len > len ? STAGES * (new_len - len) : 0;

	if (more > target->room)
		target->end = i + 1;
	else
		target->room -= more;
	return target->end;
}

static enum wt_status wim_hives_open(
	struct wt_target *target, struct wt_error *err)
{
	size_t first = target->first, end = target->end;
	enum wt_status ret = wim_hives_extract(target, err);

	for (size_t i = first; ret == WT_OK && i < end + WT_HIVES_AT_ONCE;
		i++) {
		int *fd = NULL;

		if (i >= first + WT_HIVES_AT_ONCE)
			ret = hive_read(target,
				&target->hives[i - WT_HIVES_AT_ONCE], err);
		if (ret != WT_OK || i >= end)
			continue;
		fd = &target->wim->images[target->hives[i].image].hive_fd;
		ret = hive_open(target, &target->hives[i], *fd, err);
		*fd = -1; /* the hive's now */
		end = turn_cut(target, i);
	}
	return ret;
}

static uint64_t hive_len(
	const struct wt_target *target, const struct wt_target_hive *hive)
{
	return target->wim ? target->wim->images[hive->image].hive_len
			   : target->file->len;
}

/* Those that were read with the WIM, and wait for their turn. */
static uint64_t waiting_len(
	const struct wt_target *target, const struct wt_target_hive *hive)
{
	return target->wim && target->wim->images[hive->image].hive_fd >= 0
		       ? hive_len(target, hive)
		       : 0;
}

/* A changed hive goes from memory into a file; it is unlinked with the run's
 * folder. */
static enum wt_status hive_park(struct wt_target *target,
	struct wt_target_hive *hive, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	char *path = NULL;
	enum wt_status ret = WT_OK;
	int fd = -1;

	if (!target->temp_folder)
		ret = wt_run_folder_new(
			options->temp_parent, &target->temp_folder, err);
	if (ret != WT_OK)
		return ret;
	if (asprintf(&path, "%s/hive-%zu",
		    wt_run_folder_path(target->temp_folder), hive->image) < 0)
		return wt_fail_memory(err);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || wt_io_copy(hive->new_fd, 0, fd, 0, fd_len(hive->new_fd),
			      options->cancel) != 0) {
		wt_io_fail(err, path, "a changed hive cannot be kept there");
		ret = wt_cancelled(options->cancel, err);
		ret = ret == WT_OK ? WT_ERR_FILE : ret;
	}
	if (ret == WT_OK) {
		close(hive->new_fd);
		hive->new_fd = fd;
		hive->is_parked = true;
	} else if (fd >= 0) {
		close(fd);
	}
	free(path);
	return ret;
}

static void hive_let_go(struct wt_target_hive *hive)
{
	wt_wim_fds_close(&hive->fd, 1);
	wt_hive_content_free(hive->content);
	hive->content = NULL;
}

/* How many of the next hives memory has room for: one at least. Changed ones
 * go to a file when there is none otherwise. */
static enum wt_status turn_choose(
	struct wt_target *target, struct wt_error *err)
{
	uint64_t longest = 0, kept = 0, waiting = 0, sum = 0, room = 0;
	enum wt_status ret = WT_OK;

	for (size_t i = 0; i < target->hive_count; i++) {
		struct wt_target_hive *hive = &target->hives[i];
		uint64_t len = hive_len(target, hive);

		longest = len > longest ? len : longest;
		waiting += waiting_len(target, hive);
		if (hive->new_fd >= 0 && !hive->is_parked)
			kept += fd_len(hive->new_fd);
	}
	room = STAGES * longest + HIVES_SLACK;
	while (target->end < target->hive_count) {
		struct wt_target_hive *hive = &target->hives[target->end];
		uint64_t len = hive_len(target, hive);

		waiting -= waiting_len(target, hive);
		if (target->end == target->first &&
			STAGES * len + waiting + kept > room) {
			for (size_t i = 0; ret == WT_OK && i < target->first;
				i++)
				if (target->hives[i].new_fd >= 0 &&
					!target->hives[i].is_parked)
					ret = hive_park(
						target, &target->hives[i], err);
			kept = 0;
		} else if (target->end > target->first &&
			   STAGES * (sum + len) + waiting + kept > room) {
			break;
		}
		if (ret != WT_OK)
			break;
		sum += len;
		target->end++;
	}
	sum = STAGES * sum + waiting + kept;
	target->room = room > sum ? room - sum : 0;
	return ret;
}

enum wt_status wt_target_next_hives(
	struct wt_target *target, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	for (size_t i = target->first; i < target->end; i++)
		hive_let_go(&target->hives[i]);
	target->first = target->end;
	ret = turn_choose(target, err);
	if (ret != WT_OK || target->first == target->end)
		return ret;
	return target->kind == WT_TARGET_WIM ? wim_hives_open(target, err)
					     : bare_hive_open(target, err);
}
