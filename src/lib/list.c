/* SPDX-License-Identifier: MIT
 * list.c: list and info: what the images hold. */
#include "cases.h"
#include "entry.h"

static enum wt_status hive_list(struct wt_target *target,
	const struct wt_target_hive *hive, const void *ctx,
	struct wt_error *err)
{
	enum wt_store store = target->options->store;
	enum wt_status ret = WT_OK;

	(void)ctx;
	for (size_t i = 0; ret == WT_OK && i < hive->content->entry_count;
		i++) {
		const struct wt_hive_entry *from = &hive->content->entries[i];
		struct wt_entry entry = {0};

		if (store != WT_STORE_AUTO && store != from->store)
			continue;
		ret = wt_entry_describe(target, hive, from, &entry, err);
		if (ret == WT_OK)
			ret = wt_report_add_entry(
				target->report, hive->image, &entry, err);
	}
	return ret;
}

enum wt_status wt_case_list(const char *target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	return wt_target_look(target, options, report, hive_list, NULL, err);
}

/* An image without a hive, or with one that cannot be used, is what info is
 * there to show: only then is it no error. */
static bool is_shown_by_info(
	const struct wt_report *report, enum wt_status status)
{
	return report->kind == WT_TARGET_WIM && status == WT_ERR_IMAGE;
}

enum wt_status wt_case_info(const char *target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	struct wt_error failure = {0};
	enum wt_status ret = wt_target_look(
		target, options, report, hive_list, NULL, &failure);

	if (ret != WT_OK && options->image_count == 0 &&
		is_shown_by_info(report, ret)) {
		wt_report_warn(report, failure.code, "%s: %s", failure.object,
			failure.reason);
		return WT_OK;
	}
	if (ret != WT_OK && err)
		*err = failure;
	return ret;
}
