/* SPDX-License-Identifier: MIT
 * json.c: what a run found and did, for machines. See docs/json.md. */
#include "output/output.h"

#include "output/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

json_t *cli_json_text(const char *text)
{
	char *valid = NULL;
	json_t *value = NULL;

	if (!text)
		return json_null();
	valid = cli_text_utf8(text);
	value = json_string(valid);
	free(valid);
	return value;
}

static json_t *json_time(int64_t seconds)
{
	char text[CLI_TIME_MAX] = "";

	return cli_json_text(cli_text_time(text, seconds));
}

/* The report has "" for what is not known. */
static json_t *json_known(const char *text)
{
	return cli_json_text(text && *text ? text : NULL);
}

static json_t *json_count(uint64_t number)
{
	return json_integer((json_int_t)number);
}

json_t *cli_json_error(const struct wt_error *err)
{
	json_t *object = NULL;

	if (err->status == WT_OK)
		return json_null();
	object = json_object();
	json_object_set_new(object, "code", cli_json_text(err->code));
	json_object_set_new(object, "object", json_known(err->object));
	json_object_set_new(object, "message", cli_json_text(err->reason));
	json_object_set_new(object, "hint", json_known(err->hint));
	return object;
}

static json_t *json_limits(const struct wt_cert_info *cert)
{
	json_t *array = json_array();

	for (size_t i = 0; i < cert->limit_count; i++) {
		const struct wt_limit *limit = &cert->limits[i];
		json_t *object = json_object();

		json_object_set_new(
			object, "property", json_integer(limit->property));
		json_object_set_new(
			object, "usages", cli_json_text(limit->usages));
		json_object_set_new(object, "time",
			limit->has_time ? json_time(limit->time) : json_null());
		json_array_append_new(array, object);
	}
	return array;
}

void cli_json_cert(json_t *object, const struct wt_cert_info *cert)
{
	json_object_set_new(object, "sha1", cli_json_text(cert->sha1));
	json_object_set_new(object, "sha256", cli_json_text(cert->sha256));
	json_object_set_new(object, "subject", cli_json_text(cert->subject));
	json_object_set_new(object, "issuer", cli_json_text(cert->issuer));
	json_object_set_new(object, "serial", cli_json_text(cert->serial));
	json_object_set_new(object, "not_before", json_time(cert->not_before));
	json_object_set_new(object, "not_after", json_time(cert->not_after));
	json_object_set_new(object, "key", cli_json_text(cert->key));
	json_object_set_new(
		object, "signature", cli_json_text(cert->signature));
	json_object_set_new(
		object, "self_signed", json_boolean(cert->is_self_signed));
	json_object_set_new(object, "ca", json_boolean(cert->is_ca));
	json_object_set_new(
		object, "friendly_name", cli_json_text(cert->friendly_name));
	json_object_set_new(object, "usages", cli_json_text(cert->usages));
	json_object_set_new(object, "limits", json_limits(cert));
}

static json_t *json_entry(const struct wt_entry *entry)
{
	json_t *object = json_object();
	bool has_problem = entry->problem.status != WT_OK;

	json_object_set_new(
		object, "action", cli_json_text(wt_action_name(entry->action)));
	json_object_set_new(
		object, "store", cli_json_text(wt_store_name(entry->store)));
	json_object_set_new(object, "place", json_known(entry->place));
	json_object_set_new(object, "key_name", json_known(entry->key));
	if (entry->cert)
		cli_json_cert(object, entry->cert);
	json_object_set_new(object, "code",
		has_problem ? cli_json_text(entry->problem.code) : json_null());
	json_object_set_new(object, "reason",
		has_problem ? cli_json_text(entry->problem.reason)
			    : json_null());
	return object;
}

static void address_add(void *ctx, enum wt_address kind, const char *uri)
{
	json_t **arrays = ctx;

	json_array_append_new(arrays[kind], cli_json_text(uri));
}

static void json_addresses(json_t *object, const struct wt_cert *cert)
{
	json_t *arrays[] = {json_array(), json_array(), json_array()};

	wt_cert_addresses(cert, address_add, arrays, NULL);
	json_object_set_new(object, "crl", arrays[WT_ADDRESS_CRL]);
	json_object_set_new(object, "ocsp", arrays[WT_ADDRESS_OCSP]);
	json_object_set_new(object, "issuers", arrays[WT_ADDRESS_ISSUER]);
}

static json_t *json_chain(const struct wt_image *image)
{
	json_t *array = json_array();

	for (size_t i = 0; i < image->chain_count; i++) {
		json_t *link = json_object();

		json_object_set_new(link, "source",
			cli_json_text(wt_image_link(image, i)->source));
		cli_json_cert(link, wt_image_link(image, i)->cert);
		json_addresses(link, wt_image_link(image, i)->handle);
		json_array_append_new(array, link);
	}
	return array;
}

static json_t *json_root(const struct wt_image *image)
{
	json_t *object = NULL;

	if (!image->root_name)
		return json_null();
	object = json_object();
	json_object_set_new(object, "subject", cli_json_text(image->root_name));
	json_object_set_new(object, "sha1", cli_json_text(image->root_sha1));
	return object;
}

static json_t *json_hive(const struct wt_image *image)
{
	json_t *object = NULL;

	if (!image->hive_path || !image->hive_path[0])
		return json_null();
	object = json_object();
	json_object_set_new(object, "path", cli_json_text(image->hive_path));
	json_object_set_new(object, "size", json_count(image->hive_len));
	json_object_set_new(object, "keys", json_count(image->key_count));
	json_object_set_new(object, "dirty", json_boolean(image->is_dirty));
	return object;
}

static json_t *json_image(
	const struct cli_request *request, const struct wt_image *image)
{
	json_t *object = json_object(), *entries = json_array();

	json_object_set_new(object, "index", json_integer(image->index));
	json_object_set_new(object, "name", json_known(image->name));
	json_object_set_new(
		object, "description", json_known(image->description));
	json_object_set_new(object, "arch", json_known(image->arch));
	json_object_set_new(object, "version", json_known(image->version));
	json_object_set_new(object, "boot", json_boolean(image->is_boot));
	json_object_set_new(object, "chosen", json_boolean(image->is_chosen));
	json_object_set_new(object, "hive", json_hive(image));
	for (size_t i = 0; i < image->entry_count; i++)
		json_array_append_new(
			entries, json_entry(wt_image_entry(image, i)));
	json_object_set_new(object, "winre", cli_json_text(image->winre_path));
	json_object_set_new(object, "entries", entries);
	json_object_set_new(object, "problem", cli_json_error(&image->problem));
	if (request->command && request->command->bit == CLI_CHECK) {
		json_object_set_new(
			object, "trusted", json_boolean(image->is_trusted));
		json_object_set_new(
			object, "verdict", cli_json_error(&image->verdict));
		json_object_set_new(object, "chain", json_chain(image));
		json_object_set_new(object, "root_needed", json_root(image));
	}
	return object;
}

static json_t *json_wim(const struct wt_report *report)
{
	json_t *object = json_object();

	json_object_set_new(
		object, "compression", json_known(report->compression));
	json_object_set_new(
		object, "chunk_size", json_count(report->chunk_len));
	json_object_set_new(object, "guid", json_known(report->guid));
	json_object_set_new(
		object, "boot_image", json_integer(report->boot_index));
	json_object_set_new(object, "integrity_table",
		json_boolean(report->has_integrity_table));
	json_object_set_new(
		object, "interrupted", json_boolean(report->is_interrupted));
	json_object_set_new(
		object, "pipable", json_boolean(report->is_pipable));
	json_object_set_new(object, "solid", json_boolean(report->is_solid));
	json_object_set_new(
		object, "loose_bytes", json_count(report->hole_len));
	json_object_set_new(
		object, "unused_bytes", json_count(report->unused_len));
	return object;
}

/* A side of diff, or the target itself. */
static json_t *json_side(const struct wt_report *report)
{
	static const char *const kinds[] = {
		[WT_TARGET_NONE] = NULL,
		[WT_TARGET_WIM] = "wim",
		[WT_TARGET_HIVE] = "hive",
		[WT_TARGET_FOLDER] = "folder",
		[WT_TARGET_CERTS] = "certificates",
	};
	json_t *object = json_object();

	json_object_set_new(object, "path", cli_json_text(report->target));
	json_object_set_new(object, "kind", cli_json_text(kinds[report->kind]));
	json_object_set_new(object, "member", cli_json_text(report->member));
	json_object_set_new(
		object, "size_before", json_count(report->size_before));
	json_object_set_new(
		object, "sha256_before", json_known(report->sha256_before));
	return object;
}

static json_t *json_target(
	const struct cli_request *request, const struct cli_outcome *outcome)
{
	const struct wt_report *report = outcome->report;
	json_t *object = NULL;

	if (!report || !report->target)
		return json_null();
	object = json_side(report);
	json_object_set_new(object, "size_after",
		report->size_after ? json_count(report->size_after)
				   : json_null());
	json_object_set_new(
		object, "sha256_after", json_known(report->sha256_after));
	json_object_set_new(object, "output", cli_json_text(report->output));
	json_object_set_new(object, "backup", cli_json_text(report->backup));
	json_object_set_new(
		object, "changed", json_boolean(report->is_changed));
	json_object_set_new(
		object, "dry_run", json_boolean(request->options.dry_run));
	json_object_set_new(object, "wim",
		report->kind == WT_TARGET_WIM ? json_wim(report) : json_null());
	return object;
}

static void add_warning(json_t *array, const char *code, const char *text)
{
	json_t *object = json_object();

	json_object_set_new(object, "code", cli_json_text(code));
	json_object_set_new(object, "message", cli_json_text(text));
	json_array_append_new(array, object);
}

static json_t *json_warnings(const struct cli_outcome *outcome)
{
	json_t *array = json_array();

	for (size_t i = 0; i < outcome->warning_count; i++)
		add_warning(array, outcome->warnings[i].code,
			outcome->warnings[i].text);
	for (size_t i = 0;
		outcome->report && i < outcome->report->warning_count; i++)
		add_warning(array, wt_report_warning(outcome->report, i)->code,
			wt_report_warning(outcome->report, i)->text);
	return array;
}

/* Files of certificates, and what could not be taken from them. */
static json_t *json_inputs(const struct cli_outcome *outcome)
{
	json_t *array = json_array();

	for (size_t i = 0;
		outcome->certs && i < wt_cert_list_file_count(outcome->certs);
		i++) {
		const struct wt_cert_file *file =
			wt_cert_list_file(outcome->certs, i);
		json_t *object = json_object();

		json_object_set_new(object, "path", cli_json_text(file->path));
		json_object_set_new(
			object, "certificates", json_count(file->cert_count));
		json_object_set_new(
			object, "refused", json_count(file->refused_count));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *json_refused(const struct cli_outcome *outcome)
{
	json_t *array = json_array();

	for (size_t i = 0; outcome->certs &&
			   i < wt_cert_list_refused_count(outcome->certs);
		i++)
		json_array_append_new(array,
			cli_json_error(
				wt_cert_list_refused(outcome->certs, i)));
	return array;
}

json_t *cli_json_versions(void)
{
	struct wt_versions versions = {0};
	json_t *object = json_object();

	wt_versions(&versions);
	json_object_set_new(
		object, "wimtrust", cli_json_text(versions.wimtrust));
	json_object_set_new(object, "wimlib", cli_json_text(versions.wimlib));
	json_object_set_new(object, "hivex", cli_json_text(versions.hivex));
	json_object_set_new(object, "openssl", cli_json_text(versions.openssl));
	return object;
}

static json_t *json_locks(const struct wt_report *report)
{
	json_t *names = NULL;

	if (!report || report->kind == WT_TARGET_NONE)
		return json_null();
	names = json_array();
	for (unsigned lock = 1; wt_lock_name((enum wt_lock)lock); lock <<= 1)
		if (report->locks & lock)
			json_array_append_new(names,
				cli_json_text(
					wt_lock_name((enum wt_lock)lock)));
	return names;
}

static json_t *json_images(
	const struct cli_request *request, const struct cli_outcome *outcome)
{
	json_t *images = json_array();
	const struct wt_report *report = outcome->report;

	for (size_t i = 0; report && i < report->image_count; i++)
		json_array_append_new(images,
			json_image(request, wt_report_image(report, i)));
	return images;
}

/* To a terminal. What is ASCII but DEL has been escaped by now. */
static int write_escaped(const char *text, size_t len, void *ctx)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++)
		if (text[i] == 0x7f)
			fputs("\\u007f", stdout);
		else
			fputc(text[i], stdout);
	return ferror(stdout) ? -1 : 0;
}

static json_t *json_run(const struct cli_request *request,
	const struct cli_outcome *outcome, int exit_status,
	const struct wt_error *err)
{
	const struct wt_report *report = outcome->report;
	json_t *root = json_object();

	json_object_set_new(root, "schema", json_integer(1));
	json_object_set_new(root, "versions", cli_json_versions());
	json_object_set_new(root, "command",
		cli_json_text(
			request->command ? request->command->name : NULL));
	json_object_set_new(root, "status", json_integer(exit_status));
	json_object_set_new(root, "target", json_target(request, outcome));
	json_object_set_new(root, "access",
		cli_json_text(report ? wt_access_name(report->access) : NULL));
	json_object_set_new(root, "access_reason",
		cli_json_text(report ? report->access_why : NULL));
	json_object_set_new(root, "commit",
		cli_json_text(report ? wt_commit_name(report->commit) : NULL));
	json_object_set_new(root, "commit_reason",
		cli_json_text(report ? report->commit_why : NULL));
	json_object_set_new(root, "sandbox", json_locks(report));
	json_object_set_new(root, "images", json_images(request, outcome));
	if (report && report->other)
		json_object_set_new(root, "old", json_side(report->other));
	if (outcome->data)
		json_object_update(root, outcome->data);
	if (outcome->certs && wt_cert_list_file_count(outcome->certs) > 0) {
		json_object_set_new(root, "inputs", json_inputs(outcome));
		json_object_set_new(root, "refused", json_refused(outcome));
	}
	json_object_set_new(root, "warnings", json_warnings(outcome));
	json_object_set_new(root, "error", cli_json_error(err));
	return root;
}

static size_t dump_flags(const struct cli_request *request)
{
	return request->json == CLI_JSON_PRETTY ? JSON_INDENT(2) : JSON_COMPACT;
}

enum wt_status cli_json_write(const struct cli_request *request,
	const struct cli_save *save, json_t *object, size_t flags,
	struct wt_error *err)
{
	char *text = json_dumps(object, flags);
	size_t len = text ? strlen(text) : 0;
	enum wt_status ret = WT_OK;

	if (!text)
		return wt_fail_memory(err);
	/* The NUL gives way to the end of the line. */
	text[len] = '\n';
	ret = cli_save_probe(save, err);
	if (ret == WT_OK)
		ret = cli_save_file(save, text, len + 1, true,
			request->options.cancel, err);
	free(text);
	return ret;
}

enum wt_status cli_json_save(const struct cli_request *request,
	const struct cli_outcome *outcome, const struct cli_save *save,
	int exit_status, const struct wt_error *run_err, struct wt_error *err)
{
	json_t *root = json_run(request, outcome, exit_status, run_err);
	enum wt_status ret =
		cli_json_write(request, save, root, dump_flags(request), err);

	json_decref(root);
	return ret;
}

/* In one call, so that the lines of several runs that append to one file stay
 * whole. Takes text. Returns 0 or an errno. */
static int write_at_once(char *text)
{
	size_t len = text ? strlen(text) : 0;
	int failed = 0;

	if (!text || fflush(stdout) != 0) {
		failed = text ? errno : ENOMEM;
		free(text);
		return failed;
	}
	text[len++] = '\n'; /* where the NUL was */
	for (size_t done = 0; done < len;) {
		ssize_t count = write(STDOUT_FILENO, text + done, len - done);

		if (count > 0) {
			done += (size_t)count;
		} else if (count == 0 || errno != EINTR) {
			failed = count == 0 ? EIO : errno;
			break;
		}
	}
	free(text);
	return failed;
}

int cli_json_print(const struct cli_request *request,
	const struct cli_outcome *outcome, int exit_status,
	const struct wt_error *err)
{
	json_t *root = json_run(request, outcome, exit_status, err);
	size_t flags = dump_flags(request);
	int failed = 0;

	/* Valid JSON may still hold characters that command a terminal. */
	if (isatty(STDOUT_FILENO)) {
		json_dump_callback(
			root, write_escaped, NULL, flags | JSON_ENSURE_ASCII);
		fputc('\n', stdout);
	} else {
		failed = write_at_once(json_dumps(root, flags));
	}
	json_decref(root);
	return failed;
}
