/* SPDX-License-Identifier: MIT
 * add_remove.c: add and remove: plan, apply, verify, publish. */
#include "cases.h"
#include "plan.h"
#include "target/target.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One hive on its way: its changes, and the child that works on it. */
struct hive_edit {
	struct wt_changes changes;
	struct wt_hive_writing *writing;
	bool is_changed; /* and let go, in a dry run */
};

/* What differs between add and remove: how a hive's changes are found. */
struct edit {
	const struct wt_plan *plan;
	const struct wt_selectors *selectors;
	struct hive_edit *hives; /* as many as the target has */
};

static enum wt_status hive_plan(const struct edit *edit,
	const struct wt_target *target, size_t i, struct wt_error *err)
{
	const struct wt_target_hive *hive = &target->hives[i];
	struct wt_changes *changes = &edit->hives[i].changes;

	if (edit->plan)
		return wt_plan_add(edit->plan, target, hive, changes, err);
	return wt_plan_remove(edit->selectors, target, hive, changes, err);
}

static enum wt_status hive_write_start(const struct edit *edit,
	const struct wt_target *target, size_t i, struct wt_error *err)
{
	const struct wt_target_hive *hive = &target->hives[i];
	struct hive_edit *own = &edit->hives[i];
	char object[sizeof(err->object)] = "";
	enum wt_status ret = hive_plan(edit, target, i, err);

	if (ret != WT_OK || own->changes.count == 0)
		return ret;
	wt_target_hive_object(target, hive, object, sizeof(object));
	return wt_hive_write_start(hive->fd, object, own->changes.changes,
		own->changes.count, target->options->cancel, &own->writing,
		err);
}

/* The verdict on it; without one, when something has failed already. */
static enum wt_status hive_write_end(const struct edit *edit, size_t i,
	enum wt_status ret, struct wt_error *err)
{
	struct wt_hive_writing *writing = edit->hives[i].writing;

	edit->hives[i].writing = NULL; /* freed by the next call */
	return wt_hive_write_end(writing, ret, err);
}

/* What the hive becomes. The last one of a turn is still being checked then,
 * beside what comes next; more of them would take processes and descriptors
 * that a container may not have. */
static enum wt_status hive_write_bytes(const struct edit *edit,
	const struct wt_target *target, size_t i, struct wt_error *err)
{
	struct wt_target_hive *hive = &target->hives[i];
	struct wt_hive_writing *writing = edit->hives[i].writing;
	char object[sizeof(err->object)] = "";
	enum wt_status ret = WT_OK;

	wt_target_hive_object(target, hive, object, sizeof(object));
	/* Only its logs were applied or discarded. */
	if (!writing && hive->is_mended) {
		hive->new_fd = fcntl(hive->fd, F_DUPFD_CLOEXEC, 3);
		if (hive->new_fd < 0)
			ret = wt_fail_errno(err, WT_ERR_FILE, "no-memory",
				object, "cannot keep the hive");
	}
	if (!writing)
		return ret;
	ret = wt_hive_write_bytes(writing, &hive->new_fd, err);
	return i + 1 < target->end ? hive_write_end(edit, i, ret, err) : ret;
}

/* Plans and writes the hives whose turn it is, several at a time. */
static enum wt_status turn_write(const struct edit *edit,
	const struct wt_target *target, struct wt_error *err)
{
	size_t first = target->first, end = target->end;
	enum wt_status ret = WT_OK;

	for (size_t i = first; ret == WT_OK && i < end + WT_HIVES_AT_ONCE;
		i++) {
		if (i >= first + WT_HIVES_AT_ONCE)
			ret = hive_write_bytes(
				edit, target, i - WT_HIVES_AT_ONCE, err);
		if (ret == WT_OK && i < end)
			ret = hive_write_start(edit, target, i, err);
	}
	return ret;
}

/* The verdict on all: none is in work afterwards. */
static enum wt_status hives_write_end(const struct edit *edit,
	const struct wt_target *target, enum wt_status ret,
	struct wt_error *err)
{
	for (size_t i = 0; i < target->hive_count; i++)
		ret = hive_write_end(edit, i, ret, err);
	return ret;
}

/* What each hive becomes. */
static enum wt_status hives_write(
	const struct edit *edit, struct wt_target *target, struct wt_error *err)
{
	enum wt_status ret = turn_write(edit, target, err);

	while (ret == WT_OK && target->end < target->hive_count) {
		ret = hives_write_end(edit, target, ret, err);
		for (size_t i = target->first;
			target->options->dry_run && i < target->end; i++) {
			edit->hives[i].is_changed =
				target->hives[i].new_fd >= 0;
			wt_wim_fds_close(&target->hives[i].new_fd, 1);
		}
		if (ret == WT_OK)
			ret = wt_target_next_hives(target, err);
		if (ret == WT_OK)
			ret = turn_write(edit, target, err);
	}
	return ret;
}

/* Everything is worked out beside the target; only the last step changes it,
 * and the verification comes before it. */
static enum wt_status target_edit(
	const struct edit *edit, struct wt_target *target, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	struct wt_report *report = target->report;
	bool is_changed_any = false, is_to_write = false, is_to_publish = false;
	enum wt_status ret = hives_write(edit, target, err);

	for (size_t i = 0; i < target->hive_count; i++)
		is_changed_any |= target->hives[i].new_fd >= 0 ||
				  (edit->hives && edit->hives[i].is_changed);
	/* Only a WIM has holes that a rebuild drops. */
	is_changed_any |= target->wim && target->wim->info.has_wrong_boot;
	is_to_write = is_changed_any || options->output ||
		      (options->rebuild && report->kind == WT_TARGET_WIM);
	is_to_publish = is_to_write && !options->dry_run;
	if (ret == WT_OK && is_to_publish)
		ret = wt_target_prepare(target, err);
	/* Nothing takes effect before all hives are right. */
	ret = hives_write_end(edit, target, ret, err);
	if (ret == WT_OK && is_to_publish)
		ret = wt_target_publish(target, err);
	wt_target_warn_boot(target, ret == WT_OK && is_to_publish);
	if (ret == WT_OK && options->dry_run)
		report->is_changed |= is_to_write;
	if (ret != WT_OK) {
		ret = wt_target_why(target, ret, err);
		report->output = report->backup = NULL;
		report->access_why = report->commit_why = NULL;
		report->access = WT_ACCESS_AUTO;
		report->commit = WT_COMMIT_AUTO;
	}
	return ret;
}

/* The image that repairs Windows trusts what its own stores hold. */
static void warn_winre(struct wt_report *report)
{
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		if (image->is_chosen && image->winre_path)
			wt_report_warn(report, "winre-unchanged",
				"%s: image %d holds Windows RE (%s), which has "
				"its own stores and is not changed",
				report->target, image->index,
				image->winre_path);
	}
}

static enum wt_status edit_run(struct edit *edit, const char *path,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	struct wt_target *target = NULL;
	enum wt_status ret = WT_OK;

	if (options->rebuild && options->commit == WT_COMMIT_APPEND &&
		!options->output) {
		wt_fail(err, WT_ERR_USAGE, "rebuild-append", path,
			"cannot be rebuilt by appending to it");
		wt_error_hint(err, "leave out --commit append, or --rebuild");
		return WT_ERR_USAGE;
	}
	ret = wt_target_open(
		path, true, NULL, NULL, options, report, &target, err);
	if (ret != WT_OK)
		return ret;
	warn_winre(report);
	edit->hives = calloc(target->hive_count + 1, sizeof(*edit->hives));
	ret = edit->hives ? target_edit(edit, target, err)
			  : wt_fail_memory(err);
	for (size_t i = 0; edit->hives && i < target->hive_count; i++)
		free(edit->hives[i].changes.changes);
	free(edit->hives);
	wt_target_close(target);
	return ret;
}

enum wt_status wt_case_add(const char *target, const struct wt_cert_list *certs,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	struct wt_plan plan = {0};
	struct edit edit = {.plan = &plan};
	enum wt_status ret =
		wt_report_text(report, target, &report->target, err);

	if (ret == WT_OK)
		ret = wt_plan_make(certs, options, report, &plan, err);
	if (ret != WT_OK)
		return ret;
	ret = edit_run(&edit, target, options, report, err);
	wt_plan_free(&plan);
	return ret;
}

enum wt_status wt_case_remove(const char *target,
	const char *const *thumbprints, size_t thumbprint_count,
	const struct wt_cert_list *certs, const struct wt_options *options,
	struct wt_report *report, struct wt_error *err)
{
	struct wt_selectors selectors = {0};
	struct edit edit = {.selectors = &selectors};
	enum wt_status ret =
		wt_report_text(report, target, &report->target, err);

	if (ret == WT_OK)
		ret = wt_selectors_make(
			thumbprints, thumbprint_count, certs, &selectors, err);
	if (ret != WT_OK)
		return ret;
	ret = edit_run(&edit, target, options, report, err);
	if (ret == WT_OK)
		ret = wt_selectors_missing(&selectors, options, report, err);
	wt_selectors_free(&selectors);
	return ret;
}
