/* SPDX-License-Identifier: MIT
 * select.c: which certificates are meant by what was asked to be removed. */
#include "select.h"

#include "target/target.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Hex digits of a thumbprint as people paste it: with spaces, colons,
 * dashes, the invisible mark (U+200E) that Windows' dialogs add, and openssl's
 * "SHA1 Fingerprint=" before it.
 * @return how many digits, or 0 when it holds anything else */
static size_t thumbprint_digits(
	const char *text, char hex[WT_SHA256_HEX_LEN + 1])
{
	const char *label = strcasestr(text, "Fingerprint=");
	size_t len = 0;

	if (label)
		text = strchr(label, '=') + 1;
	for (const char *at = text; *at != '\0'; at++) {
		if (strncmp(at, "\xE2\x80\x8E", 3) == 0 ||
			strncmp(at, "\xE2\x80\x8F", 3) == 0 ||
			strncmp(at, "\xEF\xBB\xBF", 3) == 0) {
			at += 2;
			continue;
		}
		if (strchr(" :-\t\r\n", *at))
			continue;
		if (!isxdigit((unsigned char)*at) || len == WT_SHA256_HEX_LEN)
			return 0;
		hex[len++] = (char)toupper((unsigned char)*at);
	}
	hex[len] = '\0';
	return len == WT_SHA1_HEX_LEN || len == WT_SHA256_HEX_LEN ? len : 0;
}

bool wt_is_thumbprint(const char *text)
{
	char hex[WT_SHA256_HEX_LEN + 1] = "";

	return text && thumbprint_digits(text, hex) > 0;
}

bool wt_is_thumbprint_of(const char *text, const struct wt_cert_info *cert)
{
	char hex[WT_SHA256_HEX_LEN + 1] = "";

	return text && cert && thumbprint_digits(text, hex) > 0 &&
	       (strcmp(hex, cert->sha1) == 0 || strcmp(hex, cert->sha256) == 0);
}

void wt_selectors_free(struct wt_selectors *selectors)
{
	free(selectors->all);
	free(selectors->by_name);
	*selectors = (struct wt_selectors){0};
}

static int by_name(const void *left, const void *right)
{
	const struct wt_selector *const *one = left, *const *other = right;

	return strcasecmp((*one)->name, (*other)->name);
}

static enum wt_status thumbprint_select(
	const char *text, struct wt_selector *selector, struct wt_error *err)
{
	size_t prefix_len = strlen(WT_SELECTOR_KEY);

	selector->text = text;
	selector->name = selector->hex;
	if (strncmp(text, WT_SELECTOR_KEY, prefix_len) == 0) {
		selector->name = text + prefix_len;
		return WT_OK;
	}
	if (thumbprint_digits(text, selector->hex) > 0)
		return WT_OK;
	wt_fail(err, WT_ERR_USAGE, "bad-thumbprint", text,
		"is not a thumbprint");
	wt_error_hint(err, "a thumbprint has 40 (SHA-1) or 64 (SHA-256) hex "
			   "digits");
	return WT_ERR_USAGE;
}

static void cert_select(
	const struct wt_cert *cert, struct wt_selector *selector)
{
	const struct wt_cert_info *info = wt_cert_info(cert);

	selector->text = info->sha1;
	selector->name = selector->hex;
	memcpy(selector->hex, info->sha1, sizeof(info->sha1));
}

enum wt_status wt_selectors_make(const char *const *thumbprints,
	size_t thumbprint_count, const struct wt_cert_list *certs,
	struct wt_selectors *ret_selectors, struct wt_error *err)
{
	size_t cert_count = certs ? wt_cert_list_count(certs) : 0;
	struct wt_selectors made = {.count = thumbprint_count + cert_count};
	enum wt_status ret = WT_OK;

	if (made.count == 0)
		return wt_fail(err, WT_ERR_USAGE, "no-certificate", NULL,
			"neither a thumbprint nor a certificate was given");
	made.all = calloc(made.count, sizeof(*made.all));
	made.by_name = calloc(made.count, sizeof(struct wt_selector *));
	if (!made.all || !made.by_name)
		ret = wt_fail_memory(err);
	for (size_t i = 0; ret == WT_OK && i < made.count; i++) {
		struct wt_selector *selector = &made.all[i];

		if (i < thumbprint_count)
			ret = thumbprint_select(thumbprints[i], selector, err);
		else
			cert_select(
				wt_cert_list_get(certs, i - thumbprint_count),
				selector);
		made.by_name[i] = selector;
		made.has_sha256 |= strlen(selector->hex) == WT_SHA256_HEX_LEN;
	}
	if (ret != WT_OK) {
		wt_selectors_free(&made);
		return ret;
	}
	qsort(made.by_name, made.count, sizeof(struct wt_selector *), by_name);
	*ret_selectors = made;
	return WT_OK;
}

bool wt_selectors_match(const struct wt_selectors *selectors, const char *name)
{
	size_t first = 0, end = selectors->count;
	bool is_match = false;

	/* The first that is not before it; others may be equal. */
	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (strcasecmp(selectors->by_name[middle]->name, name) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	for (; first < selectors->count &&
		strcasecmp(selectors->by_name[first]->name, name) == 0;
		first++)
		is_match = selectors->by_name[first]->is_found = true;
	return is_match;
}

enum wt_status wt_selectors_missing(const struct wt_selectors *selectors,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	const char *where = options->store == WT_STORE_AUTO
				    ? "any store"
				    : wt_store_name(options->store);
	enum wt_status ret = WT_OK;

	for (size_t i = 0; i < selectors->count; i++) {
		const struct wt_selector *selector = &selectors->all[i];

		if (selector->is_found || options->if_present)
			continue;
		if (ret != WT_OK) {
			wt_report_warn(report, "not-found",
				"%s: is not in %s of the chosen images",
				selector->text, where);
			continue;
		}
		ret = wt_fail(err, WT_NO, "not-found", selector->text,
			"is not in %s of the chosen images of %s", where,
			report->target);
		wt_error_hint(err, "wimtrust list shows what they hold");
	}
	return ret;
}
