/* SPDX-License-Identifier: MIT
 * diff.c: what one target trusts that another does not. */
#include "cases.h"
#include "cert/cert.h"
#include "side.h"
#include "target/target.h"

#include <stdlib.h>
#include <string.h>

/* An image of each side; one of them may be missing. */
struct pair {
	const struct wt_image *old_image, *new_image;
};

struct diff {
	const struct wt_report *old_side, *new_side;
	bool is_by_trust; /* one side is certificates alone */
	struct pair *pairs;
	size_t count;
	struct wt_report *report;
	bool is_different;
};

static int by_store(const void *left, const void *right)
{
	const struct wt_entry *const *one = left, *const *other = right;

	return wt_side_compare(*one, *other, false);
}

static int by_trust(const void *left, const void *right)
{
	const struct wt_entry *const *one = left, *const *other = right;

	return wt_side_compare(*one, *other, true);
}

/* The entries of an image, in the order of what they are. */
static const struct wt_entry **entries_sort(
	const struct diff *diff, const struct wt_image *image)
{
	size_t count = image ? image->entry_count : 0;
	const struct wt_entry **entries = calloc(count + 1, sizeof(*entries));

	for (size_t i = 0; entries && i < count; i++)
		entries[i] = wt_image_entry(image, i);
	if (entries && count > 0)
		qsort(entries, count, sizeof(*entries),
			diff->is_by_trust ? by_trust : by_store);
	return entries;
}

static enum wt_status say(struct diff *diff, size_t index,
	const struct wt_entry *entry, enum wt_action action,
	struct wt_error *err)
{
	struct wt_entry said = *entry;

	said.action = action;
	memset(&said.problem, 0, sizeof(said.problem));
	if (action == WT_ACTION_REPLACED)
		wt_fail(&said.problem, WT_NO, "other-properties", entry->key,
			"%s in %s",
			entry->handle ? "has other limits than"
				      : "cannot be read, other than",
			diff->old_side->target);
	diff->is_different = true;
	return wt_report_add_entry(diff->report, index, &said, err);
}

/* Goes through both sides in step; equal entries of one side follow each other
 * and share their fate. */
static enum wt_status pair_compare(struct diff *diff, size_t index,
	const struct wt_entry **olds, const struct wt_entry **news,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	while (ret == WT_OK && (*olds || *news)) {
		const struct wt_entry *old_entry = *olds, *new_entry = *news;
		int order = !old_entry	 ? 1
			    : !new_entry ? -1
					 : wt_side_compare(old_entry, new_entry,
						   diff->is_by_trust);

		if (order < 0) {
			ret = say(
				diff, index, old_entry, WT_ACTION_REMOVED, err);
			olds++;
			continue;
		}
		if (order > 0) {
			ret = say(diff, index, new_entry, WT_ACTION_ADDED, err);
			news++;
			continue;
		}
		if (wt_side_values_differ(old_entry, new_entry))
			ret = say(diff, index, new_entry, WT_ACTION_REPLACED,
				err);
		while (*olds &&
			!wt_side_compare(*olds, old_entry, diff->is_by_trust))
			olds++;
		while (*news &&
			!wt_side_compare(*news, old_entry, diff->is_by_trust))
			news++;
	}
	return ret;
}

static enum wt_status image_compare(
	struct diff *diff, size_t index, struct wt_error *err)
{
	const struct pair *pair = &diff->pairs[index];
	const struct wt_image *like =
		pair->new_image && pair->new_image->index > 0 ? pair->new_image
		: pair->old_image			      ? pair->old_image
							      : pair->new_image;
	struct wt_image *image = wt_report_edit_image(diff->report, index);
	const struct wt_entry **olds = entries_sort(diff, pair->old_image);
	const struct wt_entry **news = entries_sort(diff, pair->new_image);
	enum wt_status ret = WT_OK;

	*image = *like;
	image->is_chosen = true;
	image->entry_count = 0;
	image->chain_count = 0;
	if (!olds || !news)
		ret = wt_fail_memory(err);
	else
		ret = pair_compare(diff, index, olds, news, err);
	free(olds);
	free(news);
	return ret;
}

static size_t chosen_count(
	const struct wt_report *side, const struct wt_image **ret_last)
{
	size_t count = 0;

	for (size_t i = 0; i < side->image_count; i++) {
		if (!wt_report_image(side, i)->is_chosen)
			continue;
		*ret_last = wt_report_image(side, i);
		count++;
	}
	return count;
}

/* One chosen image a side is one pair, whatever their numbers. */
static bool pair_singles(struct diff *diff)
{
	struct pair pair = {NULL, NULL};

	if (chosen_count(diff->old_side, &pair.old_image) != 1 ||
		chosen_count(diff->new_side, &pair.new_image) != 1)
		return false;
	diff->pairs[diff->count++] = pair;
	return true;
}

/* Images of the same number belong together; a hive or certificates count
 * against each image of a WIM. */
static void pair_images(struct diff *diff, bool are_images_named)
{
	const struct wt_report *olds = diff->old_side, *news = diff->new_side;
	bool is_old_led =
		news->kind != WT_TARGET_WIM && olds->kind == WT_TARGET_WIM;

	if (are_images_named && pair_singles(diff))
		return;
	for (size_t i = 0; !is_old_led && i < news->image_count; i++) {
		const struct wt_image *image = wt_report_image(news, i);

		if (image->is_chosen)
			diff->pairs[diff->count++] = (struct pair){
				wt_side_image(olds, image->index), image};
	}
	if (olds->kind != WT_TARGET_WIM)
		return;
	for (size_t i = 0; i < olds->image_count; i++) {
		const struct wt_image *image = wt_report_image(olds, i);
		const struct wt_image *other =
			wt_side_image(news, image->index);

		if (image->is_chosen && (is_old_led || !other))
			diff->pairs[diff->count++] =
				(struct pair){image, other};
	}
}

/* What the report says of NEW itself; OLD's report belongs to it. */
static enum wt_status sides_report(struct diff *diff, struct wt_error *err)
{
	struct wt_report *report = diff->report;
	const struct wt_report *from = diff->new_side;

	report->target = from->target;
	report->kind = from->kind;
	report->member = from->member;
	report->size_before = from->size_before;
	memcpy(report->sha256_before, from->sha256_before,
		sizeof(report->sha256_before));
	report->compression = from->compression;
	report->guid = from->guid;
	report->chunk_len = from->chunk_len;
	report->boot_index = from->boot_index;
	report->has_integrity_table = from->has_integrity_table;
	report->is_interrupted = from->is_interrupted;
	report->is_pipable = from->is_pipable;
	report->is_solid = from->is_solid;
	report->hole_len = from->hole_len;
	report->unused_len = from->unused_len;
	report->other = diff->old_side;
	wt_side_warn(diff->old_side, report);
	wt_side_warn(from, report);
	return wt_report_add_images(report, diff->count, err);
}

static enum wt_status result(const struct diff *diff, struct wt_error *err)
{
	if (!diff->is_different)
		return WT_OK;
	return wt_fail(err, WT_NO, "different", diff->report->target,
		"does not hold the same certificates as %s",
		diff->old_side->target);
}

static void side_free(void *side)
{
	wt_report_free(side);
}

enum wt_status wt_case_diff(const char *old_target, const char *new_target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	struct wt_report *old_side = NULL, *new_side = NULL;
	struct diff diff = {.report = report};
	enum wt_status ret = wt_side_read(old_target, options, &old_side, err);

	if (ret == WT_OK)
		ret = wt_report_keep(report, old_side, side_free, err);
	if (ret == WT_OK)
		ret = wt_side_read(new_target, options, &new_side, err);
	if (ret == WT_OK)
		ret = wt_report_keep(report, new_side, side_free, err);
	if (ret != WT_OK)
		return ret;
	diff.old_side = old_side;
	diff.new_side = new_side;
	diff.is_by_trust = old_side->kind == WT_TARGET_CERTS ||
			   new_side->kind == WT_TARGET_CERTS;
	diff.pairs = calloc(old_side->image_count + new_side->image_count + 1,
		sizeof(*diff.pairs));
	if (!diff.pairs)
		return wt_fail_memory(err);
	pair_images(&diff, options->image_count > 0);
	ret = sides_report(&diff, err);
	for (size_t i = 0; ret == WT_OK && i < diff.count; i++)
		ret = image_compare(&diff, i, err);
	free(diff.pairs);
	return ret == WT_OK ? result(&diff, err) : ret;
}
