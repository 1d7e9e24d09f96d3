/* SPDX-License-Identifier: MIT
 * target/choose.c: which images of a report are meant. */
#include "target/choose.h"

#include "base/error.h"
#include "target/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How much of a hint the list of images may take. */
#define HINT_LEN 300

static bool number_of(const char *text, long *ret_number)
{
	char *end = NULL;

	errno = 0;
	*ret_number = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0';
}

/* "its images are: 1 (Windows PE), 2 (Windows Setup)"; of many only those
 * that a line has room for. */
static void images_hint(const struct wt_report *report, struct wt_error *err)
{
	char text[HINT_LEN] = "";
	size_t used = 0;
	size_t shown = 0;

	for (; shown < report->image_count; shown++) {
		const struct wt_image *image = wt_report_image(report, shown);
		char one[HINT_LEN] = "";
		int len = snprintf(one, sizeof(one), "%s%d (%s)",
			shown > 0 ? ", " : "", image->index, image->name);

		if (len < 0 || (size_t)len >= sizeof(text) - used)
			break;
		memcpy(text + used, one, (size_t)len + 1);
		used += (size_t)len;
	}
	if (report->image_count == 0)
		wt_error_hint(err, "it holds no images at all");
	else if (shown == 0)
		wt_error_hint(err,
			"it has %zu images; wimtrust info lists them",
			report->image_count);
	else if (shown < report->image_count)
		wt_error_hint(err,
			"its images are: %s and %zu more, which wimtrust info "
			"lists",
			text, report->image_count - shown);
	else
		wt_error_hint(err, "its images are: %s", text);
}

static enum wt_status no_such(const struct wt_report *report,
	const char *selector, const char *reason, struct wt_error *err)
{
	wt_fail(err, WT_ERR_IMAGE, "no-such-image", report->target,
		"%s: \"%s\"", reason, selector);
	if (report->kind != WT_TARGET_WIM)
		wt_error_hint(err, "a hive has no images; leave out --image");
	else
		images_hint(report, err);
	return WT_ERR_IMAGE;
}

/* "boot", or a name. */
static bool is_named(const char *selector, const char *name, bool is_boot)
{
	return strcasecmp(selector, "boot") == 0
		       ? is_boot
		       : strcasecmp(name, selector) == 0;
}

bool wt_image_may_be_meant(const char *const *selectors, size_t selector_count,
	int index, const char *name, bool is_boot)
{
	long number = 0;

	for (size_t i = 0; i < selector_count; i++)
		if (strcasecmp(selectors[i], "all") == 0 ||
			is_named(selectors[i], name, is_boot) ||
			(number_of(selectors[i], &number) && number == index))
			return true;
	return selector_count == 0;
}

/* The image that one selector means, which is not "all". */
static enum wt_status image_find(const struct wt_report *report,
	const char *selector, size_t *ret_index, struct wt_error *err)
{
	bool is_boot = strcasecmp(selector, "boot") == 0;
	size_t count = 0;
	long number = 0;

	if (number_of(selector, &number)) {
		for (size_t i = 0; i < report->image_count; i++)
			if (wt_report_image(report, i)->index == number) {
				*ret_index = i;
				return WT_OK;
			}
	}
	/* A number that no image has may be a name: "2022". */
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		if (is_named(selector, image->name, image->is_boot)) {
			*ret_index = i;
			count++;
		}
	}
	if (count == 0)
		return no_such(report, selector,
			is_boot ? "has no boot index set" : "has no image",
			err);
	if (count > 1)
		return no_such(report, selector,
			"has more than one image of that name", err);
	return WT_OK;
}

static enum wt_status no_hive(
	const struct wt_report *report, int index, struct wt_error *err)
{
	if (index > 0)
		wt_fail(err, WT_ERR_IMAGE, "no-hive", report->target,
			"image %d holds no Windows/System32/config/SOFTWARE",
			index);
	else
		wt_fail(err, WT_ERR_IMAGE, "no-hive", report->target,
			"no image in it holds "
			"Windows/System32/config/SOFTWARE");
	wt_error_hint(err, "is this a boot image? wimtrust info shows what "
			   "its images hold");
	return WT_ERR_IMAGE;
}

static enum wt_status image_choose(struct wt_report *report, size_t index,
	bool is_asked_for, struct wt_error *err)
{
	struct wt_image *image = wt_report_edit_image(report, index);

	if (image->problem.status != WT_OK)
		return wt_fail_as(err, &image->problem);
	if (image->hive_path[0] != '\0')
		image->is_chosen = true;
	else if (is_asked_for)
		return no_hive(report, image->index, err);
	return WT_OK;
}

enum wt_status wt_images_choose(struct wt_report *report,
	const char *const *selectors, size_t selector_count,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	size_t chosen_count = 0;

	for (size_t i = 0; ret == WT_OK && i < selector_count; i++) {
		bool is_all = strcasecmp(selectors[i], "all") == 0;
		size_t from = 0, to = report->image_count;

		if (!is_all) {
			ret = image_find(report, selectors[i], &from, err);
			to = from + 1;
		}
		for (size_t j = from; ret == WT_OK && j < to; j++)
			ret = image_choose(report, j, true, err);
	}
	for (size_t j = 0; ret == WT_OK && j < report->image_count; j++) {
		if (selector_count == 0)
			ret = image_choose(report, j, false, err);
		chosen_count += wt_report_image(report, j)->is_chosen;
	}
	if (ret == WT_OK && chosen_count == 0)
		return no_hive(report, 0, err);
	return ret;
}
