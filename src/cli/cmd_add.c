/* SPDX-License-Identifier: MIT
 * cmd_add.c: puts certificates into a target. */
#include "output/groups.h"
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>
#include <string.h>

enum wt_status cmd_add(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	struct cli_folders folders = {0};
	enum wt_status ret = WT_OK;

	cli_folders_note(request, &folders);
	/* What cannot be read is judged with what is refused. */
	wt_cert_list_keep_going(outcome->certs, true);
	ret = cli_read_certs(request, outcome, 1, err);
	if (ret == WT_OK)
		ret = cli_folders_check(request, &folders, err);
	if (ret != WT_OK)
		return ret;
	return wt_target_add(request->operands[0], outcome->certs,
		&request->options, outcome->report, err);
}

static void add_row(struct cli_table *table, const struct wt_entry *entry)
{
	char problem[CLI_PROBLEM_MAX + 256] = "";
	size_t used = 0;
	const char *cells[] = {
		entry->key, entry->cert ? entry->cert->subject : NULL, problem};

	cli_problem_text(&entry->problem, problem);
	used = strlen(problem);
	if (entry->action == WT_ACTION_REFUSED && entry->cert)
		snprintf(problem + used, sizeof(problem) - used, ", in %s",
			entry->cert->source);
	cli_table_add(table, cells, CLI_PLAIN);
}

static void print_whole(const struct wt_entry *entry)
{
	cli_line(stdout, "  %s",
		entry->cert ? entry->cert->subject : entry->key);
	if (entry->problem.status)
		cli_line(stdout, "      because  %s [%s]",
			entry->problem.reason, entry->problem.code);
	if (entry->action == WT_ACTION_REFUSED && entry->cert)
		cli_line(stdout, "      in       %s", entry->cert->source);
	if (entry->cert)
		cli_print_cert(entry->cert);
}

void print_add(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	if (!cli_print_actions(request, outcome, status, add_row, print_whole))
		return;
	cli_print_refused(request, outcome);
	cli_print_verdict(request, outcome, status);
}
