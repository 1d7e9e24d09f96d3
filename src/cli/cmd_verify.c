/* SPDX-License-Identifier: MIT
 * cmd_verify.c: are certificates present and sound in a target? */
#include "output/groups.h"
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum wt_status cmd_verify(struct cli *cli, struct wt_error *err)
{
	const char **thumbprints = NULL;
	size_t count = 0;
	enum wt_status status =
		cli_read_selectors(cli, 1, NULL, &thumbprints, &count, err);

	if (!status)
		status = wt_target_verify(cli->operands[0], thumbprints, count,
			cli->certs, &cli->options, cli->report, err);
	if (status == WT_NO && strcmp(err->code, "missing") == 0 &&
		wt_cert_list_count(cli->certs) > 0)
		snprintf(err->hint, sizeof(err->hint),
			"put it in: wimtrust add %s%s %s",
			cli->report->member ? "-o boot.wim " : "",
			cli->operands[0], cli->sources[0]);
	free(thumbprints);
	return status;
}

static void add_row(struct cli_table *table, const struct wt_entry *entry)
{
	char problem[CLI_PROBLEM_MAX] = "";
	const char *cells[] = {
		entry->key, entry->cert ? entry->cert->subject : NULL, problem};

	/* The head says "missing" already; where else it is counts. */
	if (entry->action != WT_ACTION_MISSING ||
		strchr(entry->problem.reason, '('))
		cli_problem_text(&entry->problem, problem);
	cli_table_add(table, cells, CLI_PLAIN);
}

void print_verify(struct cli *cli, enum wt_status status)
{
	static const struct cli_column columns[] = {
		{NULL, false}, {NULL, true}, {NULL, true}};
	static const struct cli_listing listing = {.columns = columns,
		.column_count = 3,
		.add_row = add_row,
		.heads_action = true};

	if (cli->is_quiet || (status != WT_OK && status != WT_NO))
		return;
	cli_print_listing(cli, &listing);
	cli_print_verdict(cli);
}
