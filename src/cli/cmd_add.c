/* SPDX-License-Identifier: MIT
 * cmd_add.c: puts certificates into a target. */
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>

enum wt_status cmd_add(struct cli *cli, struct wt_error *err)
{
	enum wt_status status = cli_read_certs(cli, 1, err);

	if (status)
		return status;
	return wt_target_add(
		cli->operands[0], cli->certs, &cli->options, cli->report, err);
}

static void print_entry(
	const struct cli_screen *screen, const struct wt_entry *entry)
{
	bool becomes_trusted = entry->action == WT_ACTION_ADDED ||
			       entry->action == WT_ACTION_REPAIRED ||
			       entry->action == WT_ACTION_REPLACED;

	fputs("  ", screen->file);
	cli_tinted(screen, cli_action_tint(entry->action),
		wt_action_name(entry->action));
	cli_line(screen->file, "  %s",
		entry->cert ? entry->cert->subject : entry->key);
	if (entry->problem.status)
		cli_line(screen->file, "      because  %s [%s]",
			entry->problem.reason, entry->problem.code);
	if (entry->cert && becomes_trusted) {
		cli_print_cert(entry->cert);
		cli_line(stdout, "      store    %s",
			wt_store_name(entry->store));
	}
}

void print_add(struct cli *cli, enum wt_status status)
{
	const struct wt_report *report = cli->report;
	struct cli_screen screen = cli_screen(cli);

	if (cli->is_quiet || status != WT_OK)
		return;
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = &report->images[i];

		if (!image->is_chosen)
			continue;
		cli_print_image(cli, image);
		for (size_t j = 0; j < image->entry_count; j++)
			print_entry(&screen, &image->entries[j]);
	}
	cli_print_summary(cli);
}
