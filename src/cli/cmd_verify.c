/* SPDX-License-Identifier: MIT
 * cmd_verify.c: are certificates present and sound in a target? */
#include "habits.h"
#include "output/groups.h"
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The operand that an entry's certificate came from; NULL when it is a
 * thumbprint. */
static const char *source_of(
	const struct cli_outcome *outcome, const struct wt_entry *entry)
{
	for (size_t i = 0; i < wt_cert_list_count(outcome->certs); i++)
		if (wt_cert_list_get(outcome->certs, i) == entry->handle)
			return outcome->sources[i];
	return NULL;
}

/* The operands whose certificates are missing or wrong, each once. */
static size_t put_sources(const struct cli_request *request,
	const struct cli_outcome *outcome, FILE *out)
{
	const char *last = NULL;
	size_t count = 0;

	for (size_t i = 1; i < request->operand_count; i++) {
		bool is_wrong = false;

		for (size_t j = 0; j < outcome->report->image_count; j++) {
			const struct wt_image *image =
				wt_report_image(outcome->report, j);

			for (size_t k = 0; k < image->entry_count; k++) {
				const struct wt_entry *entry =
					wt_image_entry(image, k);

				is_wrong |=
					entry->action != WT_ACTION_PRESENT &&
					source_of(outcome, entry) ==
						request->operands[i];
			}
		}
		if (!is_wrong || request->operands[i] == last)
			continue;
		last = request->operands[i];
		cli_put_word(out, "", last);
		count++;
	}
	return count;
}

/* The command that puts right what is wrong, with what was asked for. */
static void hint_add(const struct cli_request *request,
	const struct cli_outcome *outcome, struct wt_error *err)
{
	const struct wt_options *options = &request->options;
	char *text = NULL;
	size_t len = 0, count = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	fputs("to add it: wimtrust add", out);
	if (outcome->report->member)
		fputs(" -o boot.wim", out);
	for (size_t i = 0; i < options->image_count; i++)
		cli_put_word(out, " -i", options->images[i]);
	if (options->store != WT_STORE_AUTO)
		cli_put_word(out, " -s", wt_store_name(options->store));
	if (options->usages)
		cli_put_word(out, " --for", options->usages);
	cli_put_word(out, "", request->operands[0]);
	count = put_sources(request, outcome, out);
	if (fclose(out) == 0 && count > 0 && len < sizeof(err->hint))
		memcpy(err->hint, text, len + 1);
	free(text);
}

/* What add would not put right has a hint of its own. */
static bool is_for_add(const struct wt_error *err)
{
	return strcmp(err->code, "cert-no-store") != 0 &&
	       strcmp(err->code, "cert-disallowed") != 0 &&
	       strcmp(err->code, "cert-limited-copy") != 0 &&
	       strcmp(err->code, "not-expected") != 0;
}

/* What was asked: a kept answer must say so. */
static void describe(
	const struct cli_request *request, struct cli_outcome *outcome)
{
	outcome->data = json_object();
	json_object_set_new(outcome->data, "exact",
		json_boolean(request->options.is_exact));
	json_object_set_new(
		outcome->data, "base", cli_json_text(request->options.base));
}

enum wt_status cmd_verify(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	const char **thumbprints = NULL;
	size_t count = 0;
	enum wt_status ret = WT_OK;

	describe(request, outcome);
	ret = cli_read_selectors(
		request, outcome, NULL, &thumbprints, &count, err);

	if (ret == WT_OK)
		ret = wt_target_verify(request->operands[0], thumbprints, count,
			outcome->certs, &request->options, outcome->report,
			err);
	if (ret == WT_NO && is_for_add(err))
		hint_add(request, outcome, err);
	free(thumbprints);
	return ret;
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

void print_verify(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	if (cli_print_actions(request, outcome, status, add_row, NULL))
		cli_print_verdict(request, outcome, status);
}
