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

static enum wt_status export_certs(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	enum wt_status ret = cli_read_certs(request, outcome, 0, err);

	if (ret != WT_OK)
		return ret;
	return request->format == CLI_FORMAT_PEM
		       ? cli_bundle_certs_pem(request, outcome, err)
		       : cli_bundle_certs_values(request, outcome, err);
}

static enum wt_status check_thumbprints(
	const struct cli_request *request, struct wt_error *err)
{
	for (size_t i = 1; i < request->operand_count; i++) {
		if (wt_is_thumbprint(request->operands[i]))
			continue;
		wt_fail(err, WT_ERR_USAGE, "bad-thumbprint",
			request->operands[i],
			"is not a thumbprint, but follows an image");
		wt_error_hint(err, "export an image and a file in two runs; a "
				   "thumbprint has 40 or 64 hex digits");
		return WT_ERR_USAGE;
	}
	return WT_OK;
}

static enum wt_status export_target(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	enum wt_status ret = check_thumbprints(request, err);

	if (ret != WT_OK)
		return ret;
	return request->format == CLI_FORMAT_PEM
		       ? cli_bundle_pem(request, outcome, err)
		       : cli_bundle_values(request, outcome, err);
}

static void describe_file(
	const struct cli_request *request, struct cli_outcome *outcome)
{
	static const char *const formats[] = {"reg", "blob", "pem"};
	json_t *object = json_object();

	json_object_set_new(
		object, "path", cli_json_text(request->options.output));
	json_object_set_new(
		object, "format", cli_json_text(formats[request->format]));
	json_object_set_new(
		object, "size", json_integer((json_int_t)outcome->export_len));
	outcome->data = json_object();
	json_object_set_new(outcome->data, "export", object);
}

static enum wt_status export_any(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	struct wt_error target_err = {.code = "not-a-file"};
	const char *first = request->operands[0];
	enum wt_status ret = WT_ERR_CERT;

	if (strcmp(first, "-") != 0)
		ret = wt_target_list(
			first, &request->options, outcome->report, &target_err);
	if (ret == WT_OK)
		return export_target(request, outcome, err);
	if (!is_no_target(&target_err)) {
		*err = target_err;
		return ret;
	}
	wt_report_free(outcome->report);
	outcome->report = NULL;
	ret = wt_report_new(&outcome->report, err);
	return ret != WT_OK ? ret : export_certs(request, outcome, err);
}

enum wt_status cmd_export(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	const struct wt_options *options = &request->options;
	struct cli_save save = {.dir_fd = -1};
	enum wt_status ret = WT_OK;

	if (options->output)
		ret = cli_save_open(options->output, &save, err);
	if (ret == WT_OK)
		ret = export_any(request, outcome, err);
	if (ret == WT_OK && options->output) {
		ret = cli_save_file(&save, outcome->export_data,
			outcome->export_len, options->force, options->cancel,
			err);
		if (ret == WT_OK)
			describe_file(request, outcome);
	}
	cli_save_close(&save);
	return ret;
}

void print_export(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	char size[CLI_SIZE_MAX] = "";

	if (status != WT_OK)
		return;
	if (!request->options.output)
		fwrite(outcome->export_data, 1, outcome->export_len, stdout);
	else if (!request->is_quiet)
		cli_line(stdout, "%s: written, %s", request->options.output,
			cli_text_size(size, outcome->export_len));
}
