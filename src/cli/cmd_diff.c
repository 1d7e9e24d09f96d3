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
	if (!cli_print_actions(request, outcome, status, NULL, print_whole))
		return;
	if (status == WT_NO)
		cli_print_verdict(request, outcome, status);
	else
		cli_line(stdout, "%s: holds the same certificates as %s",
			outcome->report->target,
			outcome->report->other->target);
}
