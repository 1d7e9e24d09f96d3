/* SPDX-License-Identifier: MIT
 * attest.c: an in-toto statement of what a run made of a target. See
 * docs/attest.md. Nothing in it tells when or where the run was. */
#include "attest.h"

#include "output/output.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STATEMENT "https://in-toto.io/Statement/v1"
#define PREDICATE "urn:wimtrust:trusted-certificates:v1"

static enum wt_status list(const struct cli_request *request, const char *path,
	struct wt_report **ret_report, struct wt_error *err)
{
	struct wt_options options = request->options;
	struct wt_report *report = NULL;
	enum wt_status ret = wt_report_new(&report, err);

	options.hash_target = true;
	options.store = WT_STORE_AUTO;
	options.progress = NULL;
	if (ret == WT_OK)
		ret = wt_target_list(path, &options, report, err);
	if (ret != WT_OK)
		wt_report_free(report);
	else
		*ret_report = report;
	return ret;
}

enum wt_status cli_attest_before(const struct cli_request *request,
	struct cli_attest *attest, struct wt_error *err)
{
	const char *target = request->operands[0];
	struct stat st = {0};

	if (request->options.dry_run) {
		wt_fail(err, WT_ERR_USAGE, "usage", request->command->name,
			"--attest and --dry-run cannot be used together");
		wt_error_hint(err, "--report FILE tells what would be done");
		return WT_ERR_USAGE;
	}
	if (stat(target, &st) == 0 && S_ISDIR(st.st_mode)) {
		wt_fail(err, WT_ERR_USAGE, "usage", target,
			"is a folder, and --attest needs a file");
		wt_error_hint(err, "name the hive in it");
		return WT_ERR_USAGE;
	}
	return list(request, target, &attest->old, err);
}

static json_t *digest(const char *hex)
{
	char lower[WT_SHA256_HEX_LEN + 1] = "";
	json_t *object = json_object();

	for (size_t i = 0; i < WT_SHA256_HEX_LEN && hex[i]; i++)
		lower[i] = (char)tolower((unsigned char)hex[i]);
	json_object_set_new(object, "sha256", cli_json_text(lower));
	return object;
}

/* {"AuthRoot": [certificate...], ...}, each store that has one. */
static json_t *stores(const struct wt_image *image)
{
	json_t *object = json_object();

	for (size_t i = 0; i < image->entry_count; i++) {
		const struct wt_entry *entry = wt_image_entry(image, i);
		char store[64] = "";
		const char *name = cli_entry_store(entry, store);
		json_t *array = json_object_get(object, name);
		json_t *cert = json_object();

		if (!array) {
			array = json_array();
			json_object_set_new(object, name, array);
		}
		json_object_set_new(
			cert, "key_name", cli_json_text(entry->key));
		if (entry->cert)
			cli_json_cert(cert, entry->cert);
		json_array_append_new(array, cert);
	}
	return object;
}

static json_t *images(const struct wt_report *old, const struct wt_report *new)
{
	json_t *array = json_array();

	for (size_t i = 0; i < new->image_count; i++) {
		const struct wt_image *image = wt_report_image(new, i);
		json_t *object = json_object();

		if (!image->is_chosen || i >= old->image_count) {
			json_decref(object);
			continue;
		}
		json_object_set_new(
			object, "index", json_integer(image->index));
		json_object_set_new(object, "name", cli_json_text(image->name));
		json_object_set_new(
			object, "boot", json_boolean(image->is_boot));
		json_object_set_new(
			object, "before", stores(wt_report_image(old, i)));
		json_object_set_new(object, "after", stores(image));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *statement(const struct cli_request *request, const char *path,
	const struct wt_report *old, const struct wt_report *new)
{
	const char *slash = strrchr(path, '/');
	json_t *root = json_object();
	json_t *subject = json_object();
	json_t *subjects = json_array();
	json_t *predicate = json_object();

	json_object_set_new(
		subject, "name", cli_json_text(slash ? slash + 1 : path));
	json_object_set_new(subject, "digest", digest(new->sha256_before));
	json_array_append_new(subjects, subject);
	json_object_set_new(
		predicate, "command", cli_json_text(request->command->name));
	json_object_set_new(predicate, "versions", cli_json_versions());
	json_object_set_new(predicate, "before", digest(old->sha256_before));
	json_object_set_new(predicate, "images", images(old, new));
	json_object_set_new(root, "_type", cli_json_text(STATEMENT));
	json_object_set_new(root, "subject", subjects);
	json_object_set_new(root, "predicateType", cli_json_text(PREDICATE));
	json_object_set_new(root, "predicate", predicate);
	return root;
}

enum wt_status cli_attest_after(const struct cli_request *request,
	const struct cli_attest *attest, const struct wt_report *report,
	struct wt_error *err)
{
	const char *path =
		report->output ? report->output : request->operands[0];
	const char *meant = report->sha256_after;
	struct wt_report *new = NULL;
	json_t *root = NULL;
	enum wt_status ret = list(request, path, &new, err);

	if (ret != WT_OK)
		return ret;
	if (!meant[0])
		meant = report->sha256_before;
	if (strcmp(new->sha256_before, meant) != 0 ||
		strcmp(attest->old->sha256_before, report->sha256_before) !=
			0) {
		ret = wt_fail(err, WT_ERR_FILE, "changed", path,
			"was changed by another program in the meantime; no "
			"statement was written");
	} else {
		root = statement(request, path, attest->old, new);
		ret = cli_json_write(
			request, &attest->save, root, JSON_COMPACT, err);
		json_decref(root);
	}
	if (ret != WT_OK && report->is_changed)
		wt_error_hint(err, "the image was changed: run the command "
				   "again, remove with --if-present, to get a "
				   "statement");
	wt_report_free(new);
	return ret;
}
