/* SPDX-License-Identifier: MIT
 * inputs.c: certificates from the command line, and warnings. */
#include "cli.h"

#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void cli_warn(
	struct cli_outcome *outcome, const char *code, const char *fmt, ...)
{
	struct cli_warning *warning = NULL;
	va_list args;

	outcome->warnings = cli_grow(outcome->warnings,
		outcome->warning_count + 1, sizeof(*outcome->warnings));
	warning = &outcome->warnings[outcome->warning_count];
	va_start(args, fmt);
	if (vasprintf(&warning->text, fmt, args) >= 0) {
		snprintf(warning->code, sizeof(warning->code), "%s", code);
		outcome->warning_count++;
	}
	va_end(args);
}

static struct cli_folder folder_of(const char *path)
{
	char *copy = path ? strdup(path) : NULL;
	struct cli_folder folder = {0};
	struct stat st = {0};

	if (copy && stat(dirname(copy), &st) == 0)
		folder = (struct cli_folder){st.st_dev, st.st_ino};
	free(copy);
	return folder;
}

static bool is_same(const char *path, const struct cli_folder *folder)
{
	struct cli_folder now = folder_of(path);

	return now.dev == folder->dev && now.ino == folder->ino;
}

void cli_folders_note(
	const struct cli_request *request, struct cli_folders *ret_folders)
{
	ret_folders->target = folder_of(request->operands[0]);
	ret_folders->output = folder_of(request->options.output);
}

enum wt_status cli_folders_check(const struct cli_request *request,
	const struct cli_folders *folders, struct wt_error *err)
{
	const char *path = request->operands[0];

	if (is_same(path, &folders->target)) {
		path = request->options.output;
		if (is_same(path, &folders->output))
			return WT_OK;
	}
	return wt_fail(err, WT_ERR_FILE, "changed", path,
		"its folder was exchanged after the program started");
}

static enum wt_status read_cert(const struct cli_request *request,
	struct cli_outcome *outcome, const char *operand, struct wt_error *err)
{
	size_t note = wt_cert_list_note_count(outcome->certs);
	size_t first = wt_cert_list_count(outcome->certs), count = 0;
	/* Among what a server sends, what is no good does no harm. */
	enum wt_status ret =
		request->command->bit == CLI_CHECK
			? wt_cert_list_read_chain(outcome->certs, operand, err)
			: wt_cert_list_read(outcome->certs, operand, err);

	if (ret != WT_OK)
		return ret;
	for (; note < wt_cert_list_note_count(outcome->certs); note++)
		cli_warn(outcome, "input-note", "%s",
			wt_cert_list_note(outcome->certs, note));
	count = wt_cert_list_count(outcome->certs);
	outcome->sources =
		cli_grow(outcome->sources, count, sizeof(*outcome->sources));
	for (; first < count; first++)
		outcome->sources[first] = operand;
	return WT_OK;
}

void cli_warn_refused(struct cli_outcome *outcome, const struct wt_error *err)
{
	for (size_t i = 0; i < wt_cert_list_refused_count(outcome->certs);
		i++) {
		const struct wt_error *refused =
			wt_cert_list_refused(outcome->certs, i);

		if (strcmp(refused->object, err->object) != 0 ||
			strcmp(refused->reason, err->reason) != 0)
			cli_warn(outcome, refused->code, "%s: also refused: %s",
				refused->object, refused->reason);
	}
}

enum wt_status cli_read_certs(const struct cli_request *request,
	struct cli_outcome *outcome, size_t first, struct wt_error *err)
{
	enum wt_status ret = WT_OK, last = WT_OK;
	struct wt_error why = {0};

	/* What is wrong with a certificate is all said at once. */
	for (size_t i = first; i < request->operand_count &&
			       (last == WT_OK || last == WT_ERR_CERT);
		i++) {
		last = read_cert(request, outcome, request->operands[i], &why);
		if (last != WT_OK && ret == WT_OK) {
			*err = why;
			ret = last;
		}
	}
	if (ret != WT_OK)
		cli_warn_refused(outcome, err);
	return ret;
}

/* A thumbprint that was pasted without quotes, or has a digit too few. */
static bool looks_like_thumbprint(const char *text)
{
	size_t len = strspn(text, "0123456789abcdefABCDEF: ");

	return text[0] && text[len] == '\0';
}

static enum wt_status read_operand(const struct cli_request *request,
	struct cli_outcome *outcome, const char *operand, struct wt_error *err)
{
	enum wt_status ret = read_cert(request, outcome, operand, err);

	if (ret == WT_ERR_FILE && err->native &&
		looks_like_thumbprint(operand)) {
		wt_fail(err, WT_ERR_USAGE, "bad-thumbprint", operand,
			"is neither a file nor a whole thumbprint");
		wt_error_hint(err, "a thumbprint has 40 or 64 hex digits; one "
				   "with spaces goes in quotes");
		return WT_ERR_USAGE;
	}
	if (ret == WT_ERR_CERT)
		cli_warn_refused(outcome, err);
	return ret;
}

enum wt_status cli_read_selectors(const struct cli_request *request,
	struct cli_outcome *outcome, const char *prefix,
	const char ***ret_thumbprints, size_t *ret_count, struct wt_error *err)
{
	const char **thumbprints =
		cli_alloc(request->operand_count + 1, sizeof(*thumbprints));
	enum wt_status ret = WT_OK;
	size_t count = 0;

	for (size_t i = 1; ret == WT_OK && i < request->operand_count; i++) {
		const char *operand = request->operands[i];

		if (wt_is_thumbprint(operand) ||
			(prefix &&
				strncmp(operand, prefix, strlen(prefix)) == 0))
			thumbprints[count++] = operand;
		else
			ret = read_operand(request, outcome, operand, err);
	}
	*ret_thumbprints = thumbprints;
	*ret_count = count;
	return ret;
}
