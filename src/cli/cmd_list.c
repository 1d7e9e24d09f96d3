/* SPDX-License-Identifier: MIT
 * cmd_list.c: shows the certificates that a target holds. */
#include "bundle.h"
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>

enum wt_status cmd_list(struct cli *cli, struct wt_error *err)
{
	enum wt_status status = wt_target_list(
		cli->operands[0], &cli->options, cli->report, err);

	if (status || !cli->wants_pem)
		return status;
	return cli_bundle_pem(cli, err);
}

static void add_row(struct cli_table *table, const struct wt_entry *entry)
{
	const struct wt_cert_info *cert = entry->cert;
	char store[64] = "", date[CLI_TIME_MAX] = "", problem[480] = "";
	const char *cells[] = {cli_entry_store(entry, store), entry->key, NULL,
		problem, NULL, NULL};

	snprintf(problem, sizeof(problem), "unsound: %s [%s]",
		entry->problem.reason, entry->problem.code);
	if (cert) {
		cells[2] = cli_text_date(date, cert->not_after);
		cells[3] = cert->subject;
		cells[4] = cert->friendly_name;
		cells[5] = cert->usages;
	}
	cli_table_add(table, cells, cli_action_tint(entry->action));
}

void print_list(struct cli *cli, enum wt_status status)
{
	static const struct cli_column columns[] = {{"STORE", false},
		{"THUMBPRINT", false}, {"NOT AFTER", false}, {"SUBJECT", true},
		{"NAME", true}, {"ONLY FOR", true}};
	const struct wt_report *report = cli->report;
	struct cli_screen screen = cli_screen(cli);

	if (status != WT_OK)
		return;
	if (cli->wants_pem) {
		fwrite(cli->export_data, 1, cli->export_len, stdout);
		return;
	}
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = &report->images[i];
		struct cli_table *table = NULL;

		if (!image->is_chosen)
			continue;
		table = cli_table_new(columns, 6);
		for (size_t j = 0; j < image->entry_count; j++)
			add_row(table, &image->entries[j]);
		cli_print_image(cli, image);
		if (image->entry_count == 0)
			cli_line(stdout, "  no certificates");
		cli_table_print(table, &screen, 2);
		cli_table_free(table);
	}
	cli_print_details(cli);
}
