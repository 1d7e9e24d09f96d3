/* SPDX-License-Identifier: MIT
 * cmd_info.c: what a target is and what it holds. */
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>
#include <string.h>

enum wt_status cmd_info(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	return wt_target_info(
		request->operands[0], &request->options, outcome->report, err);
}

static void print_wim(const struct wt_report *report)
{
	char size[CLI_SIZE_MAX] = "", how[64] = "not compressed";

	if (report->member)
		cli_line(stdout,
			"  media      ISO image; all below is about its %s",
			report->member);
	if (report->chunk_len > 0 && report->compression)
		snprintf(how, sizeof(how), "%s in chunks of %u kB",
			report->compression,
			(unsigned)(report->chunk_len / 1024));
	cli_line(stdout, "  kind       WIM, %s%s%s", how,
		report->is_solid ? ", solid" : "",
		report->is_pipable ? ", pipable" : "");
	cli_line(stdout, "  size       %s (%llu bytes)",
		cli_text_size(size, report->size_before),
		(unsigned long long)report->size_before);
	cli_line(stdout, "  GUID       %s", report->guid ? report->guid : "");
	cli_line(stdout, "  integrity  %s",
		report->has_integrity_table ? "table present" : "no table");
	if (report->boot_index > 0)
		cli_line(stdout, "  boots      image %d", report->boot_index);
	else
		cli_line(stdout, "  boots      no image");
	if (report->is_interrupted)
		cli_line(stdout, "  writing    interrupted; add or remove with "
				 "--repair undoes it");
	if (report->unused_len > 0)
		cli_line(stdout,
			"  holes      %s; add or remove with --rebuild removes "
			"them",
			cli_text_size(size, report->unused_len));
	if (report->hole_len > 0)
		cli_line(stdout, "  behind     %llu unused bytes after the end",
			(unsigned long long)report->hole_len);
}

/* "AuthRoot 3, Root 12": how many certificates each store holds. */
static void count_stores(const struct wt_image *image, char *buf, size_t size)
{
	size_t counts[WT_STORE_COUNT] = {0}, unsound = 0, used = 0;

	for (size_t i = 0; i < image->entry_count; i++) {
		counts[wt_image_entry(image, i)->store]++;
		unsound +=
			wt_image_entry(image, i)->action == WT_ACTION_UNSOUND;
	}
	snprintf(buf, size, "empty");
	for (int i = 0; i < WT_STORE_COUNT && used < size; i++) {
		if (counts[i] > 0)
			used += (size_t)snprintf(buf + used, size - used,
				"%s%s %zu", used ? ", " : "",
				wt_store_name((enum wt_store)i), counts[i]);
	}
	if (unsound > 0 && used < size)
		snprintf(buf + used, size - used, " (%zu unsound)", unsound);
}

static void print_hive(const struct cli_request *request,
	const struct cli_outcome *outcome, const struct wt_image *image)
{
	char size[CLI_SIZE_MAX] = "", stores[200] = "";

	if (image->problem.status) {
		cli_line(stdout, "  hive       cannot be used: %s [%s]",
			image->problem.reason, image->problem.code);
		return;
	}
	if (!image->hive_path || !image->hive_path[0]) {
		cli_line(stdout, "  hive       none");
		return;
	}
	if (image->index > 0 ||
		strcmp(image->hive_path, outcome->report->target))
		cli_line(stdout, "  hive       %s", image->hive_path);
	if (image->hive_len > 0)
		cli_line(stdout, "  hive size  %s%s",
			cli_text_size(size, image->hive_len),
			image->is_dirty ? ", its logs hold changes" : "");
	if (request->is_verbose)
		cli_line(stdout, "  keys       %llu",
			(unsigned long long)image->key_count);
	if (image->is_chosen) {
		count_stores(image, stores, sizeof(stores));
		cli_line(stdout, "  stores     %s", stores);
	}
}

static void print_image(const struct cli_request *request,
	const struct cli_outcome *outcome, const struct wt_image *image)
{
	if (image->index > 0) {
		cli_print_image(outcome, image);
		if (image->arch && image->arch[0])
			cli_line(stdout, "  for        %s %s", image->arch,
				image->version ? image->version : "");
		if (request->is_verbose && image->description &&
			image->description[0])
			cli_line(stdout, "  described  %s", image->description);
	}
	print_hive(request, outcome, image);
	if (image->winre_path)
		cli_line(stdout,
			"  winre      %s has its own stores and is not changed",
			image->winre_path);
}

void print_info(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	const struct wt_report *report = outcome->report;

	if (status != WT_OK)
		return;
	cli_line(stdout, "%s", report->target);
	if (report->kind == WT_TARGET_WIM)
		print_wim(report);
	else
		cli_line(stdout, "  kind       %s",
			report->kind == WT_TARGET_FOLDER ? "Windows folder"
							 : "SOFTWARE hive");
	for (size_t i = 0; i < report->image_count; i++)
		print_image(request, outcome, wt_report_image(report, i));
}
