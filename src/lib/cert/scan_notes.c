/* SPDX-License-Identifier: MIT
 * cert/scan_notes.c: what a search for certificates says of what it found. */
#include "cert/scan_parts.h"

#include "base/text.h"
#include "cert/kind.h"

#include <stdio.h>
#include <string.h>

size_t wt_scan_line(struct wt_scan *scan, size_t pos)
{
	for (; scan->line_pos < pos; scan->line_pos++)
		scan->line += scan->data[scan->line_pos] == '\n';
	return scan->line;
}

void wt_scan_object(
	struct wt_scan *scan, size_t pos, bool is_text, char ret_object[256])
{
	size_t used = 0;

	scan->count++;
	/* a file that is one certificate, and nothing else */
	if (pos == 0 && !is_text) {
		snprintf(ret_object, 256, "%s", scan->object);
		return;
	}
	wt_cert_object(ret_object, scan->object, scan->count);
	used = strlen(ret_object);
	if (is_text)
		snprintf(ret_object + used, 256 - used, " (line %zu)",
			wt_scan_line(scan, pos));
	else
		snprintf(ret_object + used, 256 - used, " (byte %zu)", pos);
}

enum wt_status wt_scan_refuse(struct wt_scan *scan, size_t pos,
	const char *code, const char *reason, const char *hint,
	struct wt_error *err)
{
	struct wt_error why = {0};
	char object[256] = "";

	wt_scan_object(scan, pos, true, object);
	wt_fail(&why, WT_ERR_CERT, code, object, "%s", reason);
	if (hint)
		wt_error_hint_file(&why, hint, scan->object);
	return wt_cert_list_refuse(scan->list, WT_ERR_CERT, &why, err);
}

enum wt_status wt_scan_add_other(
	struct wt_scan *scan, const char *label, struct wt_error *err)
{
	if (scan->other_count < WT_SCAN_OTHERS) {
		char *name = wt_text_clean_dup(label, strlen(label));

		if (!name)
			return wt_fail_memory(err);
		wt_text_cut(name, 48);
		scan->others[scan->other_count] = name;
	}
	scan->other_count++;
	return WT_OK;
}

enum wt_status wt_scan_fail_none(
	const struct wt_scan *scan, struct wt_error *err)
{
	static const char *const names[][2] = {
		{"ENCRYPTED PRIVATE KEY", "an encrypted private key"},
		{"CERTIFICATE REQUEST", "a certificate request"},
		{"NEW CERTIFICATE REQUEST", "a certificate request"},
		{"X509 CRL", "a revocation list"},
		{"PUBLIC KEY", "a public key"},
	};
	char found[256] = "";
	size_t used = 0;

	if (scan->key_count > 0)
		used = (size_t)snprintf(found, sizeof(found), "a private key");
	for (size_t i = 0; i < scan->other_count && i < WT_SCAN_OTHERS; i++) {
		const char *name = NULL;

		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			if (strcmp(scan->others[i], names[j][0]) == 0)
				name = names[j][1];
		used += (size_t)snprintf(found + used, sizeof(found) - used,
			name ? "%s%s" : "%sa block \"%s\"",
			used > 0 ? ", " : "", name ? name : scan->others[i]);
	}
	if (scan->commented_count > 0)
		snprintf(found + used, sizeof(found) - used,
			"%sone that is commented out", used > 0 ? ", " : "");
	if (!found[0])
		return wt_cert_kind_unknown(
			scan->data, scan->len, scan->object, err);
	wt_cert_list_set_other(scan->list);
	return wt_fail(err, WT_ERR_CERT, "cert-none", scan->object,
		"there is no certificate in it, but %s", found);
}

enum wt_status wt_scan_add_notes(
	const struct wt_scan *scan, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	if (scan->key_count > 0)
		ret = wt_cert_list_add_note(scan->list, err,
			"%s: holds a private key, which was not read",
			scan->object);
	if (ret == WT_OK && scan->trusted_count > 0)
		ret = wt_cert_list_add_note(scan->list, err,
			"%s: OpenSSL's trust settings of %zu certificate%s "
			"were left out",
			scan->object, scan->trusted_count,
			scan->trusted_count == 1 ? "" : "s");
	if (ret == WT_OK && scan->other_count > 0)
		ret = wt_cert_list_add_note(scan->list, err,
			"%s: skipped %zu other block%s, the first \"%s\"",
			scan->object, scan->other_count,
			scan->other_count == 1 ? "" : "s", scan->others[0]);
	if (ret == WT_OK && scan->commented_count > 0)
		ret = wt_cert_list_add_note(scan->list, err,
			"%s: skipped %zu certificate%s that %s commented out, "
			"the first in line %zu",
			scan->object, scan->commented_count,
			scan->commented_count == 1 ? "" : "s",
			scan->commented_count == 1 ? "is" : "are",
			scan->commented_line);
	if (ret == WT_OK && scan->stray_count > 0)
		ret = wt_cert_list_add_note(scan->list, err,
			"%s: %zu byte%s between the certificates %s not text, "
			"the first at %zu",
			scan->object, scan->stray_count,
			scan->stray_count == 1 ? "" : "s",
			scan->stray_count == 1 ? "is" : "are", scan->stray_pos);
	return ret;
}
