/* SPDX-License-Identifier: MIT
 * cmd_export.c: writes .reg, a raw value or PEM. */
#include "bundle.h"
#include "output/output.h"
#include "output/text.h"
#include "savefile.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Told by content: what is no target is read as certificates. */
static bool is_no_target(const struct wt_error *err)
{
	static const char *const codes[] = {
		"wim-not-a-wim", /* neither a WIM nor a hive */
		"no-hive",	 /* a folder without Windows in it */
		"not-a-file",	 /* a pipe */
		"not-found",
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcmp(err->code, codes[i]) == 0)
			return true;
	}
	return false;
}

static enum wt_status export_certs(struct cli *cli, struct wt_error *err)
{
	enum wt_status status = cli_read_certs(cli, 0, err);

	if (status)
		return status;
	return cli->format == CLI_FORMAT_PEM
		       ? cli_bundle_certs_pem(cli, err)
		       : cli_bundle_certs_values(cli, err);
}

static enum wt_status check_thumbprints(
	const struct cli *cli, struct wt_error *err)
{
	for (size_t i = 1; i < cli->operand_count; i++) {
		if (wt_is_thumbprint(cli->operands[i]))
			continue;
		wt_fail(err, WT_ERR_USAGE, "bad-thumbprint", cli->operands[i],
			"is not a thumbprint, and what comes before it is an "
			"image");
		wt_error_hint(err, "an image is exported by itself; a "
				   "thumbprint has 40 or 64 hex digits");
		return WT_ERR_USAGE;
	}
	return WT_OK;
}

static enum wt_status export_target(struct cli *cli, struct wt_error *err)
{
	enum wt_status status = check_thumbprints(cli, err);

	if (status)
		return status;
	return cli->format == CLI_FORMAT_PEM ? cli_bundle_pem(cli, err)
					     : cli_bundle_values(cli, err);
}

static void describe_file(struct cli *cli)
{
	static const char *const formats[] = {"reg", "blob", "pem"};
	json_t *object = json_object();

	json_object_set_new(object, "path", cli_json_text(cli->options.output));
	json_object_set_new(
		object, "format", cli_json_text(formats[cli->format]));
	json_object_set_new(
		object, "size", json_integer((json_int_t)cli->export_len));
	cli->data = json_object();
	json_object_set_new(cli->data, "export", object);
}

static enum wt_status export(struct cli *cli, struct wt_error *err) {
	struct wt_error target_err = {.code = "not-a-file"};
	const char *first = cli->operands[0];
	enum wt_status status = WT_ERR_CERT;

	if (strcmp(first, "-") != 0) status = wt_target_list(
		first, &cli->options, cli->report, &target_err);
	if (status == WT_OK){status = export_target(cli, err);}
else if (!is_no_target(&target_err))
{
	*err = target_err;
}
else
{
	wt_report_free(cli->report);
	cli->report = NULL;
	status = wt_report_new(&cli->report, err);
	if (!status)
		status = export_certs(cli, err);
}
return status;
}

enum wt_status cmd_export(struct cli *cli, struct wt_error *err)
{
	const struct wt_options *options = &cli->options;
	struct cli_save save = {.dir_fd = -1};
	enum wt_status status = WT_OK;

	if (options->output)
		status = cli_save_open(options->output, &save, err);
	if (!status)
		status = export(cli, err);
	if (!status && options->output) {
		status = cli_save_file(&save, cli->export_data, cli->export_len,
			options->force, options->cancel, err);
		if (!status)
			describe_file(cli);
	}
	cli_save_close(&save);
	return status;
}

void print_export(struct cli *cli, enum wt_status status)
{
	char size[CLI_SIZE_MAX] = "";

	if (status != WT_OK)
		return;
	if (!cli->options.output)
		fwrite(cli->export_data, 1, cli->export_len, stdout);
	else if (!cli->is_quiet)
		cli_line(stdout, "%s: written, %s", cli->options.output,
			cli_text_size(size, cli->export_len));
}
