/* SPDX-License-Identifier: MIT
 * api.c: the way into the use cases: checks the arguments, and copies the
 * options, of which a program that was built earlier has fewer. */
#include "cases.h"

#include "base/error.h"

#include <string.h>
#include <time.h>

/* More than any version's options have. */
#define OPTIONS_SIZE_MAX 4096

void wt_options_init_sized(struct wt_options *options, size_t size)
{
	const struct wt_options defaults = {
		.size = size,
		.wait_seconds = 60,
		.now = (int64_t)time(NULL),
	};

	if (!options || size > OPTIONS_SIZE_MAX)
		return;
	memset(options, 0, size);
	memcpy(options, &defaults,
		size < sizeof(defaults) ? size : sizeof(defaults));
}

static const char *name_of(
	const char *const *names, size_t count, unsigned value)
{
	return value < count ? names[value] : NULL;
}

const char *wt_action_name(enum wt_action action)
{
	static const char *const names[] = {
		[WT_ACTION_PRESENT] = "present",
		[WT_ACTION_ADDED] = "added",
		[WT_ACTION_UNCHANGED] = "unchanged",
		[WT_ACTION_REPAIRED] = "repaired",
		[WT_ACTION_REPLACED] = "replaced",
		[WT_ACTION_REMOVED] = "removed",
		[WT_ACTION_REFUSED] = "refused",
		[WT_ACTION_MISSING] = "missing",
		[WT_ACTION_UNSOUND] = "unsound",
		[WT_ACTION_EXTRA] = "extra",
	};

	return name_of(names, sizeof(names) / sizeof(names[0]), action);
}

const char *wt_access_name(enum wt_access access)
{
	static const char *const names[] = {
		[WT_ACCESS_MOUNT] = "mount",
		[WT_ACCESS_UPDATE] = "update",
	};

	return name_of(names, sizeof(names) / sizeof(names[0]), access);
}

const char *wt_commit_name(enum wt_commit commit)
{
	static const char *const names[] = {
		[WT_COMMIT_REPLACE] = "replace",
		[WT_COMMIT_APPEND] = "append",
		[WT_COMMIT_IN_PLACE] = "in-place",
	};

	return name_of(names, sizeof(names) / sizeof(names[0]), commit);
}

static bool all_given(const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!texts || !texts[i])
			return false;
	return true;
}

/* A member that only a later version of the library has is refused if it is
 * set, rather than passed over. */
static bool has_unknown_member(const struct wt_options *options)
{
	const unsigned char *bytes = (const unsigned char *)options;

	for (size_t i = sizeof(*options); i < options->size; i++)
		if (bytes[i] != 0)
			return true;
	return false;
}

static enum wt_status options_copy(const char *function,
	const struct wt_options *options, struct wt_options *ret_options,
	struct wt_error *err)
{
	wt_options_init(ret_options);
	if (!options)
		return WT_OK;
	if (options->size < sizeof(options->size) ||
		options->size > OPTIONS_SIZE_MAX) {
		wt_fail(err, WT_ERR_USAGE, "bad-argument", function,
			"the options have no size");
		wt_error_hint(err, "call wt_options_init() on them first");
		return WT_ERR_USAGE;
	}
	if (has_unknown_member(options)) {
		wt_fail(err, WT_ERR_USAGE, "bad-argument", function,
			"an option is set that this version does not have");
		wt_error_hint(err, "update libwimtrust to the version that "
				   "the program was built with");
		return WT_ERR_USAGE;
	}
	memcpy(ret_options, options,
		options->size < sizeof(*options) ? options->size
						 : sizeof(*options));
	ret_options->size = sizeof(*ret_options);
	if (ret_options->access > WT_ACCESS_UPDATE ||
		ret_options->commit > WT_COMMIT_APPEND) {
		wt_fail(err, WT_ERR_USAGE, "bad-argument", function,
			"there is no such access or commit");
		wt_error_hint(err, "enum wt_access and enum wt_commit in "
				   "wimtrust.h list them");
		return WT_ERR_USAGE;
	}
	return WT_OK;
}

/* How every use case begins. */
static enum wt_status begin(const char *function, bool has_arguments,
	const struct wt_options *options, struct wt_options *ret_options,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	if (!has_arguments)
		return wt_fail_argument(err, function);
	ret = options_copy(function, options, ret_options, err);
	if (ret == WT_OK &&
		!all_given(ret_options->images, ret_options->image_count))
		return wt_fail_argument(err, function);
	return ret;
}

enum wt_status wt_target_add(const char *target,
	const struct wt_cert_list *certs, const struct wt_options *options,
	struct wt_report *report, struct wt_error *err)
{
	struct wt_options own;
	enum wt_status ret =
		begin(__func__, target && certs && report, options, &own, err);

	return ret == WT_OK ? wt_case_add(target, certs, &own, report, err)
			    : ret;
}

enum wt_status wt_target_remove(const char *target,
	const char *const *thumbprints, size_t thumbprint_count,
	const struct wt_cert_list *certs, const struct wt_options *options,
	struct wt_report *report, struct wt_error *err)
{
	struct wt_options own;
	enum wt_status ret = begin(__func__,
		target && all_given(thumbprints, thumbprint_count) && report,
		options, &own, err);

	return ret == WT_OK
		       ? wt_case_remove(target, thumbprints, thumbprint_count,
				 certs, &own, report, err)
		       : ret;
}

enum wt_status wt_target_list(const char *target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	struct wt_options own;
	enum wt_status ret =
		begin(__func__, target && report, options, &own, err);

	return ret == WT_OK ? wt_case_list(target, &own, report, err) : ret;
}

enum wt_status wt_target_info(const char *target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	struct wt_options own;
	enum wt_status ret =
		begin(__func__, target && report, options, &own, err);

	return ret == WT_OK ? wt_case_info(target, &own, report, err) : ret;
}

enum wt_status wt_target_verify(const char *target,
	const char *const *thumbprints, size_t thumbprint_count,
	const struct wt_cert_list *certs, const struct wt_options *options,
	struct wt_report *report, struct wt_error *err)
{
	struct wt_options own;
	enum wt_status ret = begin(__func__,
		target && all_given(thumbprints, thumbprint_count) && report,
		options, &own, err);

	return ret == WT_OK
		       ? wt_case_verify(target, thumbprints, thumbprint_count,
				 certs, &own, report, err)
		       : ret;
}

enum wt_status wt_target_check(const char *target,
	const struct wt_cert_list *chain, const char *host, int64_t at,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	struct wt_options own;
	enum wt_status ret =
		begin(__func__, target && chain && report, options, &own, err);

	return ret == WT_OK ? wt_case_check(target, chain, host, at, &own,
				      report, err)
			    : ret;
}

enum wt_status wt_target_diff(const char *old_target, const char *new_target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	struct wt_options own;
	enum wt_status ret = begin(__func__, old_target && new_target && report,
		options, &own, err);

	return ret == WT_OK
		       ? wt_case_diff(old_target, new_target, &own, report, err)
		       : ret;
}
