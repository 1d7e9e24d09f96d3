/* SPDX-License-Identifier: MIT
 * cmd_verify.c: are certificates present and sound in a target? */
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>

enum wt_status cmd_verify(struct cli *cli, struct wt_error *err)
{
	enum wt_status status = cli_read_certs(cli, 1, err);

	if (status)
		return status;
	return wt_target_verify(
		cli->operands[0], cli->certs, &cli->options, cli->report, err);
}

void print_verify(struct cli *cli, enum wt_status status)
{
	static const struct cli_column columns[] = {{NULL, false},
		{NULL, false}, {NULL, false}, {NULL, true}, {NULL, true}};
	const struct wt_report *report = cli->report;
	struct cli_screen screen = cli_screen(cli);
	char store[64] = "";

	if (cli->is_quiet || (status != WT_OK && status != WT_NO))
		return;
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = &report->images[i];
		struct cli_table *table = NULL;

		if (!image->is_chosen)
			continue;
		table = cli_table_new(columns, 5);
		for (size_t j = 0; j < image->entry_count; j++) {
			const struct wt_entry *entry = &image->entries[j];
			char problem[480] = "";
			const char *cells[] = {wt_action_name(entry->action),
				cli_entry_store(entry, store), entry->key,
				entry->cert ? entry->cert->subject : NULL,
				problem};

			if (entry->problem.status)
				snprintf(problem, sizeof(problem), "%s [%s]",
					entry->problem.reason,
					entry->problem.code);
			cli_table_add(table, cells,
				entry->action == WT_ACTION_PRESENT ? CLI_GOOD
								   : CLI_BAD);
		}
		cli_print_image(cli, image);
		cli_table_print(table, &screen, 2);
		cli_table_free(table);
	}
	cli_print_details(cli);
}
