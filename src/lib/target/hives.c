/* SPDX-License-Identifier: MIT
 * target/hives.c: the hives of the chosen images, mended and read. */
#include "target/target.h"

#include "target/folder.h"
#include "target/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum wt_status hives_new(struct wt_target *target, struct wt_error *err)
{
	const struct wt_report *report = target->report;

	target->hives = calloc(report->image_count, sizeof(*target->hives));
	if (!target->hives)
		return wt_fail_memory(err);
	for (size_t i = 0; i < report->image_count; i++)
		if (report->images[i].is_chosen)
			target->hives[target->hive_count++] =
				(struct wt_target_hive){
					.image = i, .fd = -1, .new_fd = -1};
	return WT_OK;
}

static enum wt_status hive_dirty(const char *object,
	const struct wt_hive_state *state, struct wt_error *err)
{
	wt_fail(err, WT_ERR_HIVE, "hive-dirty", object,
		"was not closed cleanly: its transaction logs hold %llu "
		"entries (%llu bytes) that it lacks",
		(unsigned long long)state->log_entry_count,
		(unsigned long long)state->log_len);
	if (state->has_usable_log)
		wt_error_hint(err, "--replay-logs applies them first, "
				   "--discard-logs gives them up");
	else
		wt_error_hint(err, "no usable log stands beside it; "
				   "--discard-logs takes the hive as it is");
	return WT_ERR_HIVE;
}

/* A dirty hive lacks what its logs hold. Readers show what it has, writers
 * are told to decide. */
static enum wt_status hive_mend(struct wt_target *target,
	struct wt_target_hive *hive, const struct wt_hive_files *files,
	struct wt_error *err)
{
	const struct wt_options *options = target->options;
	struct wt_report *report = target->report;
	struct wt_hive_state state = {0};
	bool is_stopped = false;
	enum wt_status ret = wt_hive_state(files, &state, err);

	hive->fd = files->hive_fd;
	if (ret != WT_OK || !state.is_dirty)
		return ret;
	wt_report_image(report, hive->image)->is_dirty = true;
	if (options->replay_logs && state.has_usable_log) {
		ret = wt_hive_replay(files, &hive->fd, &is_stopped, err);
		if (ret == WT_OK)
			wt_report_warn(report, "logs-replayed",
				"%s: %llu entries of its transaction logs "
				"were applied first%s",
				files->object,
				(unsigned long long)state.log_entry_count,
				is_stopped ? "; a damaged one ended that early"
					   : "");
	} else if (options->discard_logs) {
		ret = wt_hive_discard_logs(files, &hive->fd, err);
		if (ret == WT_OK)
			wt_report_warn(report, "logs-discarded",
				"%s: %llu entries (%llu bytes) of its "
				"transaction logs are given up",
				files->object,
				(unsigned long long)state.log_entry_count,
				(unsigned long long)state.log_len);
	} else if (target->is_writing) {
		return hive_dirty(files->object, &state, err);
	} else {
		wt_report_warn(report, "hive-dirty",
			"%s: its transaction logs hold %llu entries that it "
			"lacks; --replay-logs shows it with them",
			files->object,
			(unsigned long long)state.log_entry_count);
		return WT_OK;
	}
	hive->is_mended = ret == WT_OK;
	return ret;
}

void wt_target_hive_object(const struct wt_target *target,
	const struct wt_target_hive *hive, char *text, size_t size)
{
	const struct wt_report *report = target->report;
	int index = report->images[hive->image].index;

	if (target->kind == WT_TARGET_WIM)
		snprintf(text, size, "%s: image %d: SOFTWARE", report->target,
			index);
	else
		snprintf(text, size, "%s", target->file->path);
}

/* While the hive is looked through, its hash is checked; and one that is not
 * what its image says has that wrong with it, whatever else was found. */
static enum wt_status hive_open(struct wt_target *target,
	struct wt_target_hive *hive, const struct wt_hive_files *given,
	struct wt_error *err)
{
	struct wt_hive_files files = *given;
	char object[sizeof(err->object)] = "";
	struct wt_error damage = {0};
	enum wt_status ret = WT_OK;

	wt_target_hive_object(target, hive, object, sizeof(object));
	files.object = object;
	ret = hive_mend(target, hive, &files, err);
	if (ret == WT_OK)
		ret = wt_hive_read_start(hive->fd, object,
			target->options->cancel, &hive->reading, err);
	if (!target->wim || wt_wim_hive_check(&target->wim->images[hive->image],
				    files.hive_fd, object,
				    target->options->cancel, &damage) == WT_OK)
		return ret;
	if (err)
		*err = damage;
	return damage.status;
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
	wt_report_image(target->report, hive->image)->key_count =
		hive->content->key_count;
	if (hive->content->fault[0] != '\0') {
		wt_target_hive_object(target, hive, object, sizeof(object));
		wt_report_warn(target->report, "hive-hidden-key",
			"%s: Windows may not find %s", object,
			hive->content->fault);
	}
	return WT_OK;
}

/* Takes over those hives that were read with the WIM, and extracts the rest.
 * @param images  as many as there are hives, to work in */
static enum wt_status wim_hives_get(struct wt_target *target, int *images,
	struct wt_wim_hive *hives, struct wt_error *err)
{
	size_t count = 0;
	enum wt_status ret = WT_OK;

	for (size_t i = 0; i < target->hive_count; i++) {
		size_t image = target->hives[i].image;

		if (!target->wim_hives || target->wim_hives[image].hive_fd < 0)
			images[count++] = (int)image;
	}
	if (count > 0)
		ret = wt_wim_extract(target->wim_path, target->wim, images,
			count, &target->wim_options, hives, err);
	if (ret != WT_OK)
		return ret;
	/* From the end on, so that each is moved but once. */
	for (size_t i = target->hive_count; i-- > 0;) {
		size_t image = target->hives[i].image;
		struct wt_wim_hive *from = NULL;

		if (count > 0 && images[count - 1] == (int)image)
			from = &hives[--count];
		else
			from = &target->wim_hives[image];
		if (from == &hives[i])
			continue;
		hives[i] = *from;
		*from = (struct wt_wim_hive){-1, {-1, -1, -1}};
	}
	return WT_OK;
}

/* Several at a time. What is taken out of from is the target's. */
static enum wt_status wim_hives_read(struct wt_target *target,
	struct wt_wim_hive *from, struct wt_error *err)
{
	size_t count = target->hive_count;
	enum wt_status ret = WT_OK;

	for (size_t i = 0; ret == WT_OK && i < count + WT_HIVES_AT_ONCE; i++) {
		struct wt_hive_files files = {0};

		if (i >= WT_HIVES_AT_ONCE)
			ret = hive_read(target,
				&target->hives[i - WT_HIVES_AT_ONCE], err);
		if (ret != WT_OK || i >= count)
			continue;
		files.hive_fd = from[i].hive_fd;
		memcpy(files.log_fds, from[i].log_fds, sizeof(files.log_fds));
		ret = hive_open(target, &target->hives[i], &files, err);
		if (target->hives[i].fd == from[i].hive_fd)
			from[i].hive_fd = -1;
	}
	return ret;
}

static enum wt_status wim_hives_open(
	struct wt_target *target, struct wt_error *err)
{
	struct wt_wim_hive *from = calloc(target->hive_count, sizeof(*from));
	int *images = calloc(target->hive_count, sizeof(*images));
	enum wt_status ret = WT_OK;

	if (!from || !images) {
		ret = wt_fail_memory(err);
		goto out;
	}
	ret = wim_hives_get(target, images, from, err);
	if (ret != WT_OK)
		goto out;
	ret = wim_hives_read(target, from, err);
	wt_wim_hives_close(from, target->hive_count);
out:
	free(from);
	free(images);
	return ret;
}

static enum wt_status bare_hive_open(
	struct wt_target *target, struct wt_error *err)
{
	struct wt_hive_files files = {.hive_fd = target->file->fd};
	enum wt_status ret = wt_folder_open_logs(
		target->file->dir_fd, target->file->name, files.log_fds, err);

	wt_report_image(target->report, 0)->hive_len = target->file->len;
	if (ret == WT_OK)
		ret = hive_open(target, &target->hives[0], &files, err);
	if (ret == WT_OK)
		ret = hive_read(target, &target->hives[0], err);
	for (size_t i = 0; i < WT_HIVE_LOGS; i++)
		if (files.log_fds[i] >= 0)
			close(files.log_fds[i]);
	return ret;
}

enum wt_status wt_target_read_hives(
	struct wt_target *target, struct wt_error *err)
{
	enum wt_status ret = hives_new(target, err);

	if (ret != WT_OK)
		return ret;
	if (target->kind == WT_TARGET_WIM)
		return wim_hives_open(target, err);
	return bare_hive_open(target, err);
}
