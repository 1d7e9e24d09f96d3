/* SPDX-License-Identifier: MIT
 * cmd_list.c: shows the certificates that a target holds. */
#include "bundle.h"
#include "output/groups.h"
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>

enum wt_status cmd_list(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	enum wt_status ret = wt_target_list(
		request->operands[0], &request->options, outcome->report, err);

	if (ret != WT_OK || !request->wants_pem)
		return ret;
	return cli_bundle_pem(request, outcome, err);
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
		cells[5] = cert->limits_text;
	}
	cli_table_add(table, cells, cli_action_tint(entry->action));
}

void print_list(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	static const struct cli_column columns[] = {{"STORE", false},
		{"THUMBPRINT", false}, {"NOT AFTER", false}, {"SUBJECT", true},
		{"NAME", true}, {"LIMITS", true}};
	static const struct cli_listing listing = {.columns = columns,
		.column_count = 6,
		.add_row = add_row,
		.nothing = "no certificates"};

	if (status != WT_OK)
		return;
	if (request->wants_pem) {
		fwrite(outcome->export_data, 1, outcome->export_len, stdout);
		return;
	}
	cli_print_listing(request, outcome, &listing);
	cli_print_details(request, outcome);
}
