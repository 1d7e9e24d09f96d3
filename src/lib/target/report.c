/* SPDX-License-Identifier: MIT
 * target/report.c: fills the report that a call gives back. */
#include "target/report.h"

#include "base/buf.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Something that is freed with the report. */
struct owned {
	struct owned *next;
	void *data;
	void (*free_data)(void *data);
};

/* The public part comes first, so that one pointer leads to both. */
struct image {
	struct wt_image shown;
	struct wt_entry *entries;
	struct wt_chain_link *chain;
};

struct report {
	struct wt_report shown;
	struct image *images;
	struct wt_warning *warnings;
	struct owned *owned;
};

static struct report *report_of(struct wt_report *shown)
{
	return (struct report *)(void *)shown;
}

enum wt_status wt_report_new(
	struct wt_report **ret_report, struct wt_error *err)
{
	struct report *report = NULL;

	if (!(ret_report))
		return wt_fail_argument(err, __func__);
	report = calloc(1, sizeof(*report));
	if (!report)
		return wt_fail_memory(err);
	*ret_report = &report->shown;
	return WT_OK;
}

void wt_report_clear(struct wt_report *shown)
{
	struct report *report = report_of(shown);

	for (size_t i = 0; i < shown->image_count; i++) {
		free(report->images[i].entries);
		free(report->images[i].chain);
	}
	free(report->images);
	free(report->warnings);
	report->images = NULL;
	report->warnings = NULL;
	memset(shown, 0, sizeof(*shown));
}

void wt_report_free(struct wt_report *shown)
{
	struct report *report = report_of(shown);

	if (!report)
		return;
	wt_report_clear(shown);
	while (report->owned) {
		struct owned *owned = report->owned;

		report->owned = owned->next;
		owned->free_data(owned->data);
		free(owned);
	}
	free(report);
}

enum wt_status wt_report_keep(struct wt_report *shown, void *data,
	void (*free_data)(void *data), struct wt_error *err)
{
	struct owned *owned = NULL;

	if (!data)
		return WT_OK;
	owned = malloc(sizeof(*owned));
	if (!owned) {
		free_data(data);
		return wt_fail_memory(err);
	}
	owned->next = report_of(shown)->owned;
	owned->data = data;
	owned->free_data = free_data;
	report_of(shown)->owned = owned;
	return WT_OK;
}

enum wt_status wt_report_text(struct wt_report *report, const char *text,
	const char **ret_text, struct wt_error *err)
{
	char *copy = strdup(text);
	enum wt_status ret = copy ? wt_report_keep(report, copy, free, err)
				  : wt_fail_memory(err);

	if (ret == WT_OK)
		*ret_text = copy;
	return ret;
}

enum wt_status wt_report_add_images(
	struct wt_report *report, size_t count, struct wt_error *err)
{
	struct image *images = calloc(count, sizeof(*images));

	if (!images)
		return wt_fail_memory(err);
	for (size_t i = 0; i < count; i++) {
		struct wt_image *shown = &images[i].shown;

		shown->name = shown->description = "";
		shown->arch = shown->version = "";
		shown->hive_path = "";
	}
	report_of(report)->images = images;
	report->image_count = count;
	return WT_OK;
}

struct wt_image *wt_report_edit_image(struct wt_report *report, size_t index)
{
	return &report_of(report)->images[index].shown;
}

const struct wt_image *wt_report_image(
	const struct wt_report *report, size_t index)
{
	const struct report *whole =
		(const struct report *)(const void *)report;

	if (!report || index >= report->image_count)
		return NULL;
	return &whole->images[index].shown;
}

const struct wt_warning *wt_report_warning(
	const struct wt_report *report, size_t index)
{
	const struct report *whole =
		(const struct report *)(const void *)report;

	if (!report || index >= report->warning_count)
		return NULL;
	return &whole->warnings[index];
}

const struct wt_entry *wt_image_entry(
	const struct wt_image *image, size_t index)
{
	const struct image *whole = (const struct image *)(const void *)image;

	if (!image || index >= image->entry_count)
		return NULL;
	return &whole->entries[index];
}

const struct wt_chain_link *wt_image_link(
	const struct wt_image *image, size_t index)
{
	const struct image *whole = (const struct image *)(const void *)image;

	if (!image || index >= image->chain_count)
		return NULL;
	return &whole->chain[index];
}

enum wt_status wt_report_add_entry(struct wt_report *report, size_t image,
	const struct wt_entry *entry, struct wt_error *err)
{
	struct image *to = &report_of(report)->images[image];
	struct wt_entry *entries = NULL;
	const char *key = NULL;
	enum wt_status ret = wt_report_text(report, entry->key, &key, err);

	if (ret != WT_OK)
		return ret;
	entries = wt_array_grow(
		to->entries, to->shown.entry_count, sizeof(*entries));
	if (!entries)
		return wt_fail_memory(err);
	to->entries = entries;
	entries[to->shown.entry_count] = *entry;
	entries[to->shown.entry_count++].key = key;
	return WT_OK;
}

enum wt_status wt_report_add_link(struct wt_report *report, size_t image,
	const struct wt_chain_link *from, struct wt_error *err)
{
	struct image *to = &report_of(report)->images[image];
	struct wt_chain_link *chain = NULL;
	struct wt_chain_link link = *from;
	enum wt_status ret =
		wt_report_text(report, from->source, &link.source, err);

	if (ret != WT_OK)
		return ret;
	chain = wt_array_grow(to->chain, to->shown.chain_count, sizeof(*chain));
	if (!chain)
		return wt_fail_memory(err);
	to->chain = chain;
	chain[to->shown.chain_count++] = link;
	return WT_OK;
}

void wt_report_warn(
	struct wt_report *shown, const char *code, const char *fmt, ...)
{
	struct report *report = report_of(shown);
	struct wt_warning *warnings = NULL;
	struct wt_warning warning = {0};
	char *text = NULL;
	va_list args;
	int len = 0;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0 || wt_report_keep(shown, text, free, NULL) != WT_OK)
		return;
	warning.text = text;
	if (wt_report_text(shown, code, &warning.code, NULL) != WT_OK)
		return;
	warnings = wt_array_grow(
		report->warnings, shown->warning_count, sizeof(*warnings));
	if (!warnings)
		return;
	report->warnings = warnings;
	warnings[shown->warning_count++] = warning;
}

void wt_report_warn_once(
	struct wt_report *report, const char *code, const char *text)
{
	for (size_t i = 0; i < report->warning_count; i++)
		if (strcmp(wt_report_warning(report, i)->text, text) == 0)
			return;
	wt_report_warn(report, code, "%s", text);
}
