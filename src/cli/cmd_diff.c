/* SPDX-License-Identifier: MIT
 * cmd_diff.c: what one target trusts that another does not. */
#include "output/groups.h"
#include "output/output.h"
#include "output/text.h"

enum wt_status cmd_diff(struct cli *cli, struct wt_error *err)
{
	return wt_target_diff(cli->operands[0], cli->operands[1], &cli->options,
		cli->report, err);
}

static void add_row(struct cli_table *table, const struct wt_entry *entry)
{
	char problem[CLI_PROBLEM_MAX] = "";
	const char *cells[] = {
		entry->key, entry->cert ? entry->cert->subject : NULL, problem};

	cli_problem_text(&entry->problem, problem);
	cli_table_add(table, cells, CLI_PLAIN);
}

static void print_whole(const struct wt_entry *entry)
{
	cli_line(stdout, "  %s",
		entry->cert ? entry->cert->subject : entry->key);
	if (entry->cert)
		cli_print_cert(entry->cert);
}

void print_diff(struct cli *cli, enum wt_status status)
{
	static const struct cli_column columns[] = {
		{NULL, false}, {NULL, true}, {NULL, true}};
	static const struct cli_listing listing = {.columns = columns,
		.column_count = 3,
		.add_row = add_row,
		.print_whole = print_whole,
		.heads_action = true};

	if (cli->is_quiet || (status != WT_OK && status != WT_NO))
		return;
	cli_print_listing(cli, &listing);
	if (status == WT_NO)
		cli_print_verdict(cli);
	else
		cli_line(stdout, "%s: holds the same certificates as %s",
			cli->report->target, cli->report->other->target);
}
