/* SPDX-License-Identifier: MIT
 * cert/scan_base64.c: Base64 without a BEGIN line. */
#include "cert/scan_parts.h"

#include "cert/base64.h"
#include "cert/kind.h"
#include "cert/ldif.h"

#include <string.h>

/* Is all that is left Base64, with nothing but padding before it? */
static bool is_all_base64(const struct wt_scan *scan)
{
	/* once a file, or it would be looked through again and again */
	if (scan->gap > 0 || scan->count > 0 || scan->has_dashes)
		return false;
	for (size_t i = scan->gap; i < scan->len; i++)
		if (!wt_scan_is_padding(scan->data[i]) &&
			scan->data[i] != '=' &&
			!wt_base64_is_url_digit((char)scan->data[i]))
			return false;
	for (size_t i = scan->gap; i < scan->pos; i++)
		if (!wt_scan_is_padding(scan->data[i]))
			return false;
	return true;
}

/* Is what Base64 gave, perhaps the first line of it alone, a certificate? */
static bool is_cert(const uint8_t *data, size_t len)
{
	struct wt_mark mark = {0};

	if (wt_cert_kind_is_der(data, len))
		return true;
	return len > WT_MARK_DASHES &&
	       wt_mark_read(data, len, WT_MARK_DASHES, &mark) &&
	       (!mark.is_exact ||
		       wt_mark_label(mark.label) <= WT_LABEL_TRUSTED);
}

/* The length of a value from start on whose first line is len long: up to a
 * line that is no Base64, or begins another value. */
static size_t lines_len(const struct wt_scan *scan, size_t start, size_t len)
{
	size_t end = start + len, pos = end;

	for (;;) {
		while (pos < scan->len && wt_scan_is_space(scan->data[pos]))
			pos++;
		len = wt_ldif_value_len(
			(const char *)scan->data + pos, scan->len - pos);
		if (pos == end || len == 0 ||
			(pos + len < scan->len &&
				!wt_scan_is_space(scan->data[pos + len])) ||
			wt_base64_is_begin((const char *)scan->data + pos, len))
			return end - start;
		end = pos += len;
	}
}

/* Is the value at pos the body of the block that was just refused? */
static bool is_refused_body(const struct wt_scan *scan, size_t pos)
{
	size_t lines = 0;

	for (size_t i = scan->gap; i < pos; i++)
		lines += scan->data[i] == '\n';
	return scan->is_body_due && lines < 3;
}

/* PKCS#7 that signs something, as the attachment of a mail is? Then no lines
 * around it make certificates of it. */
static enum wt_status not_a_bundle_find(const struct wt_scan *scan,
	size_t start, size_t len, struct wt_error *ret_why,
	struct wt_error *err)
{
	struct wt_cert_list *found = NULL;
	struct wt_writer inner = {0};
	enum wt_status ret = wt_cert_list_new_like(scan->list, &found, err);

	if (ret != WT_OK)
		return ret;
	if (wt_base64_decode((const char *)scan->data + start, len,
		    WT_BASE64_URL, &inner) &&
		!inner.has_failed)
		wt_pkcs7_read(
			found, inner.data, inner.len, scan->object, ret_why);
	wt_scan_free_inner(&inner);
	wt_cert_list_free(found);
	return WT_OK;
}

static enum wt_status begin_refuse(
	struct wt_scan *scan, size_t start, bool is_pkcs7, struct wt_error *err)
{
	size_t line_len = scan->pos - start;
	size_t len = lines_len(scan, start, line_len);
	const char *hint = "extract it with this command, and give the result: "
			   "tr -d '\\0' <FILE | grep -aoE '(MII|"
			   "LS0tLS1CRUdJTi)[A-Za-z0-9+/=_-]{40,}' >certs.b64";
	struct wt_error why = {0};
	enum wt_status ret = WT_OK;

	if (is_pkcs7)
		ret = not_a_bundle_find(scan, start, len, &why, err);
	if (ret != WT_OK)
		return ret;
	scan->is_end_due = true;
	scan->pos = start + len;
	if (strcmp(why.code, "pkcs7-not-a-bundle") == 0)
		return wt_scan_refuse(
			scan, start, why.code, why.reason, why.hint, err);
	/* The command takes one line, and nothing of what is in PEM. */
	if (len > line_len || scan->has_dashes)
		hint = is_pkcs7 ? "put a line -----BEGIN PKCS7----- before it, "
				  "and -----END PKCS7----- after it, so that "
				  "it is on lines of its own"
				: "put a line -----BEGIN CERTIFICATE----- "
				  "before it, and -----END CERTIFICATE----- "
				  "after it, so that it is on lines of its own";
	return wt_scan_refuse(scan, start, "pem-no-begin",
		is_pkcs7 ? "this is PKCS#7 in Base64 without a BEGIN line"
			 : "this is a certificate in Base64 without a BEGIN "
			   "line",
		hint, err);
}

enum wt_status wt_scan_base64(struct wt_scan *scan, struct wt_error *err)
{
	const char *text = (const char *)scan->data + scan->pos;
	struct wt_writer inner = {0};
	char attribute[WT_LDIF_NAME_MAX] = "", object[256] = "";
	size_t start = scan->pos, len = 0;
	bool is_all = is_all_base64(scan), is_good = false;
	unsigned slack = WT_BASE64_URL | (is_all ? WT_BASE64_JOINED : 0);
	enum wt_status ret = WT_OK;

	wt_ldif_attribute((const char *)scan->data + scan->gap,
		start - scan->gap, attribute);
	len = is_all ? scan->len - start
		     : wt_ldif_value_len(text, scan->len - start);
	scan->pos = start + len;
	/* up to the last digit: a zero or Ctrl-Z is no Base64 */
	while (wt_scan_is_padding((uint8_t)text[len - 1]))
		len--;
	is_good = wt_base64_decode(text, len, slack, &inner);
	if (inner.has_failed) {
		ret = wt_fail_memory(err);
	} else if (is_refused_body(scan, start)) {
		scan->is_body_due = false;
		scan->pos = start + lines_len(scan, start, scan->pos - start);
	} else if (!is_good && (is_all || wt_ldif_is_ca(attribute))) {
		ret = wt_scan_refuse(scan, start, "pem-bad-base64",
			"a value in Base64 is not complete", NULL, err);
	} else if (is_all || wt_ldif_is_ca(attribute)) {
		wt_scan_object(scan, start, true, object);
		ret = wt_scan_read_inner(scan, &inner, object, err);
	} else if (attribute[0]) {
		ret = wt_scan_add_other(scan, attribute, err);
	} else if (is_good && !is_cert(inner.data, inner.len)) {
		ret = wt_scan_add_other(scan, "Base64", err);
	} else {
		ret = begin_refuse(scan, start,
			wt_pkcs7_is_likely(inner.data, inner.len), err);
	}
	wt_scan_free_inner(&inner);
	return ret;
}
