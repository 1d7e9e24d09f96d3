/* SPDX-License-Identifier: MIT
 * cmd_diff.c: what one target trusts that another does not. */
#include "output/groups.h"
#include "output/output.h"
#include "output/text.h"

enum wt_status cmd_diff(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	return wt_target_diff(request->operands[0], request->operands[1],
		&request->options, outcome->report, err);
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

void print_diff(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	static const struct cli_column columns[] = {
		{NULL, false}, {NULL, true}, {NULL, true}};
	static const struct cli_listing listing = {.columns = columns,
		.column_count = 3,
		.add_row = add_row,
		.print_whole = print_whole,
		.heads_action = true};

	if (request->is_quiet || (status != WT_OK && status != WT_NO))
		return;
	cli_print_listing(request, outcome, &listing);
	if (status == WT_NO)
		cli_print_verdict(request, outcome, status);
	else
		cli_line(stdout, "%s: holds the same certificates as %s",
			outcome->report->target,
			outcome->report->other->target);
}
