/* SPDX-License-Identifier: MIT
 * cmd_remove.c: takes certificates out of a target. */
#include "output/groups.h"
#include "output/output.h"
#include "output/text.h"

#include <stdlib.h>

enum wt_status cmd_remove(struct cli *cli, struct wt_error *err)
{
	const char **thumbprints = NULL;
	struct cli_folders folders = {0};
	size_t count = 0;
	enum wt_status status = WT_OK;

	cli_folders_note(cli, &folders);
	status = cli_read_selectors(cli, 1, "key:", &thumbprints, &count, err);
	if (!status)
		status = cli_folders_check(cli, &folders, err);
	if (!status)
		status = wt_target_remove(cli->operands[0], thumbprints, count,
			cli->certs, &cli->options, cli->report, err);
	free(thumbprints);
	return status;
}

static void add_row(struct cli_table *table, const struct wt_entry *entry)
{
	const char *cells[] = {
		entry->key, entry->cert ? entry->cert->subject : NULL};

	cli_table_add(table, cells, CLI_PLAIN);
}

void print_remove(struct cli *cli, enum wt_status status)
{
	static const struct cli_column columns[] = {
		{NULL, false}, {NULL, true}};
	static const struct cli_listing listing = {.columns = columns,
		.column_count = 2,
		.add_row = add_row,
		.heads_action = true};

	if (cli->is_quiet || (status != WT_OK && status != WT_NO))
		return;
	cli_print_listing(cli, &listing);
	cli_print_verdict(cli);
}
