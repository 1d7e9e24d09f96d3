/* SPDX-License-Identifier: MIT
 * cmd_remove.c: takes certificates out of a target. */
#include "output/groups.h"
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A thumbprint that was pasted without quotes, or has a digit too few. */
static bool looks_like_thumbprint(const char *text)
{
	size_t len = strspn(text, "0123456789abcdefABCDEF: ");

	return text[0] && text[len] == '\0';
}

static enum wt_status read_operand(
	struct cli *cli, const char *operand, struct wt_error *err)
{
	enum wt_status status = cli_read_cert(cli, operand, err);

	if (status == WT_ERR_FILE && err->native &&
		looks_like_thumbprint(operand)) {
		wt_fail(err, WT_ERR_USAGE, "bad-thumbprint", operand,
			"is neither a file nor a whole thumbprint");
		wt_error_hint(err, "a thumbprint has 40 or 64 hex digits; one "
				   "with spaces goes in quotes");
		return WT_ERR_USAGE;
	}
	return status;
}

enum wt_status cmd_remove(struct cli *cli, struct wt_error *err)
{
	const char **thumbprints =
		cli_alloc(cli->operand_count, sizeof(*thumbprints));
	enum wt_status status = WT_OK;
	size_t count = 0;

	for (size_t i = 1; !status && i < cli->operand_count; i++) {
		if (wt_is_thumbprint(cli->operands[i]))
			thumbprints[count++] = cli->operands[i];
		else
			status = read_operand(cli, cli->operands[i], err);
	}
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
