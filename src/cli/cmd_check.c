/* SPDX-License-Identifier: MIT
 * cmd_check.c: would a target trust a TLS server? */
#include "output/groups.h"
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>
#include <string.h>

/* The library knows the chain's certificates, but not the file. */
static void name_chain(const struct cli_request *request, struct wt_error *err)
{
	const char *chain =
		request->server ? request->server : request->operands[1];

	if (strcmp(chain, "-") == 0)
		chain = "standard input";
	snprintf(err->object, sizeof(err->object), "%s", chain);
}

/* What the answer holds for: a kept answer must say so. */
static void describe(
	const struct cli_request *request, struct cli_outcome *outcome)
{
	char at[CLI_TIME_MAX] = "";

	outcome->data = json_object();
	json_object_set_new(
		outcome->data, "server", cli_json_text(request->server));
	json_object_set_new(
		outcome->data, "host", cli_json_text(request->host));
	json_object_set_new(outcome->data, "at",
		cli_json_text(cli_text_time(at, request->at)));
}

enum wt_status cmd_check(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	describe(request, outcome);
	ret = request->server
		      ? wt_cert_list_fetch(outcome->certs, request->server,
				request->host, request->timeout,
				request->options.cancel, err)
		      : cli_read_certs(request, outcome, 1, err);
	if (ret != WT_OK)
		return ret;
	ret = wt_target_check(request->operands[0], outcome->certs,
		request->host, request->at, &request->options, outcome->report,
		err);
	if (ret != WT_OK && strcmp(err->code, "no-server-cert") == 0)
		name_chain(request, err);
	return ret;
}

static void print_chain(
	const struct cli_screen *screen, const struct wt_image *image)
{
	static const struct cli_column columns[] = {
		{NULL, false}, {NULL, false}, {NULL, true}};
	struct cli_table *table = cli_table_new(columns, 3);

	for (size_t i = 0; i < image->chain_count; i++) {
		const struct wt_chain_link *link = wt_image_link(image, i);
		const char *cells[] = {
			link->source, link->cert->sha1, link->cert->subject};

		cli_table_add(table, cells, CLI_PLAIN);
	}
	cli_table_print(table, screen, 2);
	cli_table_free(table);
}

static void address_row(void *ctx, enum wt_address kind, const char *uri)
{
	static const char *const kinds[] = {
		[WT_ADDRESS_CRL] = "CRL",
		[WT_ADDRESS_OCSP] = "OCSP",
		[WT_ADDRESS_ISSUER] = "issuer",
	};
	const char *cells[] = {kinds[kind], uri};

	cli_table_add(ctx, cells, CLI_PLAIN);
}

/* What the PC may have to reach, for all but the root. */
static void print_addresses(
	const struct cli_screen *screen, const struct wt_image *image)
{
	static const struct cli_column columns[] = {
		{NULL, false}, {NULL, true}};
	struct cli_table *table = cli_table_new(columns, 2);
	size_t count = 0;

	for (size_t i = 0; i + 1 < image->chain_count; i++)
		wt_cert_addresses(wt_image_link(image, i)->handle, address_row,
			table, NULL);
	count = cli_table_count(table);
	if (count > 0)
		cli_line(stdout, "  addresses that the PC may have to reach:");
	cli_table_print(table, screen, 4);
	cli_table_free(table);
}

static bool is_same_link(
	const struct wt_chain_link *a, const struct wt_chain_link *b)
{
	return strcmp(a->source, b->source) == 0 &&
	       strcmp(a->cert->sha256, b->cert->sha256) == 0;
}

static bool is_same_answer(const struct wt_image *a, const struct wt_image *b)
{
	if (a->is_trusted != b->is_trusted ||
		a->chain_count != b->chain_count ||
		strcmp(a->verdict.reason, b->verdict.reason) != 0)
		return false;
	for (size_t i = 0; i < a->chain_count; i++)
		if (!is_same_link(wt_image_link(a, i), wt_image_link(b, i)))
			return false;
	return true;
}

/* The images that ctx's image speaks for; with -v, each for itself. */
struct alike {
	const struct wt_image *image;
	bool is_alone;
};

static bool is_alike(const struct wt_image *image, const void *ctx)
{
	const struct alike *to = ctx;

	return image->is_chosen &&
	       (to->is_alone ? image == to->image
			     : is_same_answer(image, to->image));
}

/* Heads the answer of the first image of those that give it; false for the
 * others. */
static bool print_head(const struct cli_request *request,
	const struct cli_outcome *outcome, const struct wt_image *image)
{
	const struct wt_report *report = outcome->report;
	const struct alike to = {image, request->is_verbose};
	char images[CLI_IMAGES_MAX] = "";
	size_t first = 0;

	while (!is_alike(wt_report_image(report, first), &to))
		first++;
	if (wt_report_image(report, first) != image)
		return false;
	cli_name_images(report, is_alike, &to, images, sizeof(images));
	cli_line(stdout, "%s%s%s", report->target, images[0] ? ": " : "",
		images);
	return true;
}

void print_check(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	const struct wt_report *report = outcome->report;
	struct cli_screen screen = cli_screen(request);

	if (request->is_quiet || (status != WT_OK && status != WT_NO))
		return;
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);
		char problem[CLI_PROBLEM_MAX] = "";

		if (!image->is_chosen || !print_head(request, outcome, image))
			continue;
		print_chain(&screen, image);
		print_addresses(&screen, image);
		fputs("  ", stdout);
		cli_tinted(&screen, image->is_trusted ? CLI_GOOD : CLI_BAD,
			image->is_trusted ? "trusted" : "not trusted");
		cli_problem_text(&image->verdict, problem);
		cli_line(stdout, "%s%s", problem[0] ? ": " : "", problem);
		if (image->root_name)
			cli_line(stdout, "  root needed: %s%s%s%s",
				image->root_name, image->root_sha1 ? " (" : "",
				image->root_sha1 ? image->root_sha1 : "",
				image->root_sha1 ? ")" : "");
	}
	cli_print_check_verdict(request, outcome);
}
