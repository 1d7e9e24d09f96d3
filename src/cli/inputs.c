/* SPDX-License-Identifier: MIT
 * inputs.c: certificates from the command line, and warnings. */
#include "cli.h"

#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void cli_warn(struct cli *cli, const char *code, const char *fmt, ...)
{
	struct cli_warning *warning = NULL;
	va_list args;

	cli->warnings = cli_grow(
		cli->warnings, cli->warning_count + 1, sizeof(*cli->warnings));
	warning = &cli->warnings[cli->warning_count];
	va_start(args, fmt);
	if (vasprintf(&warning->text, fmt, args) >= 0) {
		warning->code = code;
		cli->warning_count++;
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

void cli_folders_note(const struct cli *cli, struct cli_folders *ret_folders)
{
	ret_folders->target = folder_of(cli->operands[0]);
	ret_folders->output = folder_of(cli->options.output);
}

enum wt_status cli_folders_check(const struct cli *cli,
	const struct cli_folders *folders, struct wt_error *err)
{
	const char *path = cli->operands[0];

	if (is_same(path, &folders->target)) {
		path = cli->options.output;
		if (is_same(path, &folders->output))
			return WT_OK;
	}
	return wt_fail(err, WT_ERR_FILE, "changed", path,
		"another folder is in the place of the one that it was in "
		"when the program started");
}

enum wt_status cli_read_cert(
	struct cli *cli, const char *operand, struct wt_error *err)
{
	size_t note = wt_cert_list_note_count(cli->certs);
	size_t first = wt_cert_list_count(cli->certs), count = 0;
	/* Among what a server sends, what is no good does no harm. */
	enum wt_status status =
		cli->command->bit == CLI_CHECK
			? wt_cert_list_read_chain(cli->certs, operand, err)
			: wt_cert_list_read(cli->certs, operand, err);

	if (status)
		return status;
	for (; note < wt_cert_list_note_count(cli->certs); note++)
		cli_warn(cli, "input-note", "%s",
			wt_cert_list_note(cli->certs, note));
	count = wt_cert_list_count(cli->certs);
	cli->sources = cli_grow(cli->sources, count, sizeof(*cli->sources));
	for (; first < count; first++)
		cli->sources[first] = operand;
	return WT_OK;
}

void cli_warn_refused(struct cli *cli, const struct wt_error *err)
{
	for (size_t i = 0; i < wt_cert_list_refused_count(cli->certs); i++) {
		const struct wt_error *refused =
			wt_cert_list_refused(cli->certs, i);

		if (strcmp(refused->object, err->object) != 0 ||
			strcmp(refused->reason, err->reason) != 0)
			cli_warn(cli, refused->code, "%s: also refused: %s",
				refused->object, refused->reason);
	}
}

enum wt_status cli_read_certs(
	struct cli *cli, size_t first, struct wt_error *err)
{
	enum wt_status status = WT_OK, ret = WT_OK;
	struct wt_error why = {0};

	for (size_t i = first; i < cli->operand_count; i++) {
		status = cli_read_cert(cli, cli->operands[i], &why);
		if (status && !ret) {
			*err = why;
			ret = status;
		}
		/* What is wrong with a certificate is all said at once. */
		if (status && status != WT_ERR_CERT)
			break;
	}
	if (ret)
		cli_warn_refused(cli, err);
	return ret;
}

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
	if (status == WT_ERR_CERT)
		cli_warn_refused(cli, err);
	return status;
}

enum wt_status cli_read_selectors(struct cli *cli, size_t first,
	const char *prefix, const char ***ret_thumbprints, size_t *ret_count,
	struct wt_error *err)
{
	const char **thumbprints =
		cli_alloc(cli->operand_count + 1, sizeof(*thumbprints));
	enum wt_status status = WT_OK;
	size_t count = 0;

	for (size_t i = first; !status && i < cli->operand_count; i++) {
		const char *operand = cli->operands[i];

		if (wt_is_thumbprint(operand) ||
			(prefix &&
				strncmp(operand, prefix, strlen(prefix)) == 0))
			thumbprints[count++] = operand;
		else
			status = read_operand(cli, cli->operands[i], err);
	}
	*ret_thumbprints = thumbprints;
	*ret_count = count;
	return status;
}
