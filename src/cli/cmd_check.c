/* SPDX-License-Identifier: MIT
 * cmd_check.c: would a target trust a TLS server? */
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>
#include <string.h>

/* The library knows the chain's certificates, but not the file. */
static void name_chain(const struct cli *cli, struct wt_error *err)
{
	const char *chain = cli->operands[1];

	if (strcmp(chain, "-") == 0)
		chain = "standard input";
	snprintf(err->object, sizeof(err->object), "%s", chain);
}

enum wt_status cmd_check(struct cli *cli, struct wt_error *err)
{
	enum wt_status status = cli_read_certs(cli, 1, err);

	if (status)
		return status;
	status = wt_target_check(cli->operands[0], cli->certs, cli->host,
		cli->at, &cli->options, cli->report, err);
	if (status && strcmp(err->code, "no-server-cert") == 0)
		name_chain(cli, err);
	return status;
}

static void print_chain(
	const struct cli_screen *screen, const struct wt_image *image)
{
	static const struct cli_column columns[] = {
		{NULL, false}, {NULL, false}, {NULL, true}};
	struct cli_table *table = cli_table_new(columns, 3);

	for (size_t i = 0; i < image->chain_count; i++) {
		const struct wt_chain_link *link = &image->chain[i];
		const char *cells[] = {
			link->source, link->cert->sha1, link->cert->subject};

		cli_table_add(table, cells, CLI_PLAIN);
	}
	cli_table_print(table, screen, 2);
	cli_table_free(table);
}

void print_check(struct cli *cli, enum wt_status status)
{
	const struct wt_report *report = cli->report;
	struct cli_screen screen = cli_screen(cli);

	if (cli->is_quiet || (status != WT_OK && status != WT_NO))
		return;
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = &report->images[i];

		if (!image->is_chosen)
			continue;
		cli_print_image(cli, image);
		print_chain(&screen, image);
		fputs("  ", stdout);
		if (image->is_trusted) {
			cli_tinted(&screen, CLI_GOOD, "trusted\n");
			continue;
		}
		cli_tinted(&screen, CLI_BAD, "not trusted");
		cli_line(stdout, ": %s [%s]", image->verdict.reason,
			image->verdict.code);
	}
	cli_print_details(cli);
}
