/* SPDX-License-Identifier: MIT
 * cmd_show.c: what certificate files hold, and where it would go. */
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What show prints about a certificate besides its own content. */
struct verdict {
	enum wt_store store;
	const char *why;
	struct wt_error refusal;
};

static void judge(const struct cli_request *request, const struct wt_cert *cert,
	struct verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->refusal.status = wt_cert_policy(cert, request->options.store,
		request->options.allow, request->options.now, &verdict->store,
		&verdict->why, &verdict->refusal);
}

/* For wt_cert_warnings(): where they go, and about what. */
struct warning_sink {
	struct cli_outcome *outcome;
	const char *subject;
};

static void emit(void *ctx, const char *code, const char *text)
{
	const struct warning_sink *sink = ctx;

	cli_warn(sink->outcome, code, "%s: %s", sink->subject, text);
}

static json_t *describe(const struct cli_request *request,
	const struct cli_outcome *outcome, size_t index)
{
	const struct wt_cert *cert = wt_cert_list_get(outcome->certs, index);
	struct verdict verdict;
	json_t *object = json_object();

	judge(request, cert, &verdict);
	json_object_set_new(
		object, "source", cli_json_text(outcome->sources[index]));
	cli_json_cert(object, wt_cert_info(cert));
	json_object_set_new(object, "store",
		verdict.refusal.status
			? json_null()
			: cli_json_text(wt_store_name(verdict.store)));
	json_object_set_new(object, "store_reason",
		verdict.refusal.status ? json_null()
				       : cli_json_text(verdict.why));
	json_object_set_new(
		object, "refused", cli_json_error(&verdict.refusal));
	return object;
}

/* A chain is short, and a bundle has no root that is needed. */
#define CHAIN_MAX 100

static const struct wt_cert_info *find_named(
	const struct cli_outcome *outcome, const char *name)
{
	for (size_t i = 0; i < wt_cert_list_count(outcome->certs); i++) {
		const struct wt_cert_info *info =
			wt_cert_info(wt_cert_list_get(outcome->certs, i));

		if (strcmp(info->subject, name) == 0)
			return info;
	}
	return NULL;
}

/* Calls say for each root that the certificates need: those above them that
 * are not among them (sha1 is NULL), and those that are. */
static void each_root(const struct cli_outcome *outcome,
	void (*say)(void *ctx, const char *subject, const char *sha1),
	void *ctx)
{
	size_t count = wt_cert_list_count(outcome->certs);
	const char *said[CHAIN_MAX] = {NULL};
	size_t said_count = 0;

	for (size_t i = 0; count <= CHAIN_MAX && i < count; i++) {
		const struct wt_cert_info *info =
			wt_cert_info(wt_cert_list_get(outcome->certs, i));
		const struct wt_cert_info *above = NULL;
		bool is_said = false;

		if (info->is_self_signed)
			continue;
		above = find_named(outcome, info->issuer);
		for (size_t j = 0; j < said_count; j++)
			is_said |= strcmp(said[j], info->issuer) == 0;
		if (is_said || (above && !above->is_self_signed))
			continue;
		said[said_count++] = info->issuer;
		say(ctx, info->issuer, above ? above->sha1 : NULL);
	}
}

static void root_append(void *ctx, const char *subject, const char *sha1)
{
	json_t *object = json_object();

	json_object_set_new(object, "subject", cli_json_text(subject));
	json_object_set_new(object, "sha1", cli_json_text(sha1));
	json_array_append_new(ctx, object);
}

static void root_print(void *ctx, const char *subject, const char *sha1)
{
	(void)ctx;
	cli_line(stdout, "root needed: %s (%s)", subject,
		sha1 ? sha1 : "not among these");
}

enum wt_status cmd_show(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	json_t *certificates = json_array(), *roots = NULL;
	enum wt_status ret = WT_OK;

	wt_cert_list_keep_going(outcome->certs, true);
	ret = cli_read_certs(request, outcome, 0, err);
	if (ret == WT_OK && wt_cert_list_refused_count(outcome->certs) > 0) {
		*err = *wt_cert_list_refused(outcome->certs, 0);
		ret = err->status;
		cli_warn_refused(outcome, err);
	}
	for (size_t i = 0; i < wt_cert_list_count(outcome->certs); i++) {
		const struct wt_cert *cert =
			wt_cert_list_get(outcome->certs, i);
		struct warning_sink sink = {
			outcome, wt_cert_info(cert)->subject};

		if (wt_cancelled(request->options.cancel, err)) {
			ret = WT_INTERRUPTED;
			break;
		}
		wt_cert_warnings(cert, request->options.now, emit, &sink);
		if (request->json)
			json_array_append_new(
				certificates, describe(request, outcome, i));
	}
	outcome->data = json_object();
	json_object_set_new(outcome->data, "certificates", certificates);
	roots = json_array();
	each_root(outcome, root_append, roots);
	json_object_set_new(outcome->data, "roots_needed", roots);
	return ret;
}

static void row(struct cli_table *table, enum cli_tint tint, const char *label,
	const char *text)
{
	const char *const cells[] = {label, text};

	cli_table_add(table, cells, tint);
}

static void add_content(struct cli_table *table,
	const struct wt_cert_info *info, bool is_verbose)
{
	char from[CLI_TIME_MAX] = "", to[CLI_TIME_MAX] = "";
	char text[2 * CLI_TIME_MAX + 8] = "", *key = NULL;
	size_t key_len = strlen(info->key) + strlen(info->signature) + 3;

	if (!info->is_self_signed)
		row(table, CLI_PLAIN, "issuer", info->issuer);
	row(table, CLI_PLAIN, "SHA-1", info->sha1);
	row(table, CLI_PLAIN, "SHA-256", info->sha256);
	snprintf(text, sizeof(text), "%s to %s",
		cli_text_date(from, info->not_before),
		cli_text_date(to, info->not_after));
	row(table, CLI_PLAIN, "valid", text);
	if (info->limits_text)
		row(table, CLI_PLAIN, "limits", info->limits_text);
	key = cli_alloc(key_len, 1);
	snprintf(key, key_len, "%s, %s", info->key, info->signature);
	row(table, CLI_PLAIN, "key", key);
	free(key);
	if (is_verbose)
		row(table, CLI_PLAIN, "serial", info->serial);
	if (info->friendly_name)
		row(table, CLI_PLAIN, "name", info->friendly_name);
}

static void add_verdict(struct cli_table *table, const struct verdict *verdict)
{
	char text[CLI_PROBLEM_MAX] = "";

	if (verdict->refusal.status) {
		cli_problem_text(&verdict->refusal, text);
		row(table, CLI_BAD, "refused", text);
		if (verdict->refusal.hint[0])
			row(table, CLI_PLAIN, "", verdict->refusal.hint);
		return;
	}
	snprintf(text, sizeof(text), "%s: %s", wt_store_name(verdict->store),
		verdict->why);
	row(table, CLI_PLAIN, "store", text);
}

static void print_one(const struct cli_request *request,
	const struct cli_screen *screen, const struct wt_cert *cert)
{
	static const struct cli_column name[] = {{NULL, true}};
	static const struct cli_column columns[] = {
		{NULL, false}, {NULL, true}};
	struct cli_table *head = cli_table_new(name, 1);
	struct cli_table *table = cli_table_new(columns, 2);
	const struct wt_cert_info *info = wt_cert_info(cert);
	struct verdict verdict;

	judge(request, cert, &verdict);
	cli_table_add(head, &info->subject, CLI_PLAIN);
	add_content(table, info, request->is_verbose);
	add_verdict(table, &verdict);
	cli_table_print(head, screen, 2);
	cli_table_print(table, screen, 6);
	cli_table_free(head);
	cli_table_free(table);
}

void print_show(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	struct cli_screen screen = cli_screen(request);
	const char *source = NULL;

	/* What is good is shown, whatever else is wrong. */
	if (status != WT_OK && status != WT_ERR_CERT)
		return;
	for (size_t i = 0; i < wt_cert_list_count(outcome->certs); i++) {
		if (source != outcome->sources[i]) {
			source = outcome->sources[i];
			cli_line(stdout, "%s", source);
		}
		print_one(
			request, &screen, wt_cert_list_get(outcome->certs, i));
	}
	each_root(outcome, root_print, NULL);
	cli_print_inputs(request, outcome);
}
