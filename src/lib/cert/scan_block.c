/* SPDX-License-Identifier: MIT
 * cert/scan_block.c: a block of PEM, from BEGIN to END, or a part of one. */
#include "cert/scan_parts.h"

#include "cert/base64.h"
#include "cert/der.h"
#include "cert/kind.h"

#include <stdlib.h>
#include <string.h>

/* Headers as RFC 1421 has them end with an empty line. */
static void headers_skip(const char **body, size_t *len)
{
	const char *limit = *body + *len;
	const char *pos = memchr(*body, ':', *len);
	bool is_empty = false;

	while (pos && pos < limit && !(is_empty && *pos == '\n')) {
		if (*pos == '\n')
			is_empty = true;
		else if (*pos != '\r' && *pos != ' ' && *pos != '\t')
			is_empty = false;
		pos++;
	}
	/* without that line the colon is of something else */
	if (!pos || pos == limit)
		return;
	*len = (size_t)(limit - pos);
	*body = pos;
}

/* OpenSSL's own form: a certificate, and its trust settings behind it. */
static void trusted_cut(struct wt_scan *scan, struct wt_writer *der)
{
	struct wt_der cert = {0}, settings = {0};

	if (wt_der_read(der->data, der->len, &cert) != WT_DER_OK ||
		cert.len >= der->len ||
		wt_der_read(der->data + cert.len, der->len - cert.len,
			&settings) != WT_DER_OK ||
		settings.len != der->len - cert.len)
		return;
	der->len = cert.len;
	scan->trusted_count++;
}

/* The text of a block, one byte a character; the caller's to free. */
static char *body_copy(const struct wt_scan *scan, size_t start, size_t end,
	unsigned stride, size_t *ret_len)
{
	char *body = malloc((end - start) / stride + 2);
	size_t len = 0;

	for (size_t i = start; body && i < end; i += stride)
		body[len++] = (char)scan->data[i];
	*ret_len = len;
	return body;
}

static enum wt_status block_decode(struct wt_scan *scan,
	const struct wt_mark *begin, size_t end, struct wt_error *err)
{
	struct wt_writer der = {0};
	unsigned slack = WT_BASE64_QUOTED;
	char object[256] = "";
	size_t len = 0;
	char *copy = body_copy(scan, begin->end, end, begin->stride, &len);
	const char *body = copy;
	enum wt_status ret = WT_OK;

	if (!copy)
		return wt_fail_memory(err);
	headers_skip(&body, &len);
	/* of a URL: then it has both, and none of the others */
	if (memchr(body, '-', len) && memchr(body, '_', len) &&
		!memchr(body, '+', len) && !memchr(body, '/', len))
		slack |= WT_BASE64_URL;
	if (!wt_base64_decode(body, len, slack, &der)) {
		ret = wt_scan_refuse(scan, begin->start, "pem-bad-base64",
			"the text between BEGIN and END is not Base64",
			"export or download it again; there must be only "
			"Base64 between the two lines: no line numbers, names "
			"or markup",
			err);
		goto out;
	}
	if (wt_mark_label(begin->label) == WT_LABEL_TRUSTED && !der.has_failed)
		trusted_cut(scan, &der);
	wt_scan_object(scan, begin->start, true, object);
	ret = wt_scan_read_inner(scan, &der, object, err);
out:
	wt_scan_free_inner(&der);
	free(copy);
	return ret;
}

/*
 * Is the block commented out? 0: no. The body has lines of its own that begin
 * with the same mark: yes, 1. Without them, behind nothing but the mark or in
 * a value: -1, nobody can tell.
 */
static int is_commented(
	const struct wt_scan *scan, const struct wt_mark *begin, size_t end)
{
	static const char *const marks[] = {"#", ";", "//", "<!--", "*", "/*"};
	const uint8_t *data = scan->data;
	size_t line = begin->start, before = begin->start, mark_len = 0;
	const uint8_t *next = NULL;

	if (begin->stride != 1)
		return 0;
	while (line > scan->gap && data[line - 1] != '\n' &&
		data[line - 1] != '\r')
		line--;
	if (line > 0 && line == scan->gap && data[line - 1] != '\n' &&
		data[line - 1] != '\r')
		return 0;
	while (line < begin->start && (data[line] == ' ' || data[line] == '\t'))
		line++;
	for (size_t i = 0;
		mark_len == 0 && i < sizeof(marks) / sizeof(marks[0]); i++)
		if (begin->start - line >= strlen(marks[i]) &&
			memcmp(data + line, marks[i], strlen(marks[i])) == 0)
			mark_len = strlen(marks[i]);
	if (mark_len == 0)
		return 0;
	next = memchr(data + begin->end, '\n', end - begin->end);
	if (next) {
		while (next < data + end && strchr(" \t\r\n", *next))
			next++;
		return next < data + end && *next == data[line] ? 1 : 0;
	}
	while (before > line + mark_len &&
		(data[before - 1] == ' ' || data[before - 1] == '\t'))
		before--;
	return before == line + mark_len || strchr("=\"'`:(,", data[before - 1])
		       ? -1
		       : 0;
}

/* Do the attributes of p11-kit before the block say so? */
static bool is_distrusted(
	const struct wt_scan *scan, const struct wt_mark *begin)
{
	static const char header[] = "[p11-kit-object-v1]";
	static const char word[] = "x-distrusted: true";
	const uint8_t *pos = scan->data + scan->gap, *object = NULL;
	const uint8_t *end = scan->data + begin->start;

	/* five dashes may be the last of END and the first of BEGIN as well */
	if (begin->start < scan->gap)
		return false;
	while ((pos = memmem(
			pos, (size_t)(end - pos), header, sizeof(header) - 1)))
		object = pos += sizeof(header) - 1;
	return object &&
	       memmem(object, (size_t)(end - object), word, sizeof(word) - 1);
}

/* A label with a slip of the pen does not hide what is below it. */
static bool is_certificate_in(
	const struct wt_scan *scan, const struct wt_mark *begin, size_t end)
{
	static const char *const others[] = {"REQUEST", "CRL", "KEY",
		"PARAMETERS", "ATTRIBUTE", "PKCS12", "PGP", "SSH2"};
	struct wt_writer inner = {0};
	size_t len = 0;
	char *body = NULL;
	bool is_cert = false;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strstr(begin->label, others[i]))
			return false;
	body = body_copy(scan, begin->end, end, begin->stride, &len);
	is_cert =
		body && wt_base64_decode(body, len, WT_BASE64_QUOTED, &inner) &&
		!inner.has_failed && wt_cert_kind_is_der(inner.data, inner.len);
	wt_scan_free_inner(&inner);
	free(body);
	return is_cert;
}

/* A whole block, from its BEGIN to end, where its END begins. */
static enum wt_status block_read(struct wt_scan *scan,
	const struct wt_mark *begin, size_t end, struct wt_error *err)
{
	int commented = is_commented(scan, begin, end);

	switch (wt_mark_label(begin->label)) {
	case WT_LABEL_KEY:
		scan->key_count++;
		return WT_OK;
	case WT_LABEL_OTHER:
	case WT_LABEL_UNKNOWN_CERTIFICATE:
		if (wt_mark_label(begin->label) == WT_LABEL_OTHER &&
			!is_certificate_in(scan, begin, end))
			return wt_scan_add_other(scan, begin->label, err);
		return wt_scan_refuse(scan, begin->start, "pem-unknown-label",
			"its BEGIN line names an unknown kind of certificate",
			"if it is a certificate, write CERTIFICATE into its "
			"BEGIN and END lines",
			err);
	default:
		break;
	}
	if (commented > 0) {
		if (scan->commented_count++ == 0)
			scan->commented_line = wt_scan_line(scan, begin->start);
		return WT_OK;
	}
	if (commented < 0)
		return wt_scan_refuse(scan, begin->start, "pem-commented",
			"it is behind a comment mark, so it is not clear "
			"whether you want to trust it",
			"take the mark away, or the line", err);
	if (is_distrusted(scan, begin))
		return wt_scan_refuse(scan, begin->start, "pem-distrusted",
			"the file says of it that it is not to be trusted",
			"to distrust it, put it into a file of its own, and "
			"add that with --store disallowed",
			err);
	return block_decode(scan, begin, end, err);
}

/* BEGIN was found. The next five dashes must be its END's: so no block is
 * looked through twice. */
enum wt_status wt_scan_mark(struct wt_scan *scan, struct wt_error *err)
{
	const struct wt_mark begin = scan->mark;
	struct wt_mark end = {0};
	enum wt_label label = wt_mark_label(begin.label);
	bool is_cert = !begin.is_exact || label != WT_LABEL_OTHER;
	size_t pos = 0;

	scan->pos = begin.end;
	scan->is_body_due = false;
	if (begin.is_end) {
		is_cert &= !scan->is_end_due && label != WT_LABEL_KEY;
		scan->is_end_due = false;
		if (!is_cert)
			return WT_OK;
		return wt_scan_refuse(scan, begin.start, "pem-truncated",
			"an END line has no BEGIN line before it", NULL, err);
	}
	scan->is_end_due = false;
	if (begin.is_exact) {
		pos = wt_mark_find_dashes(
			scan->data, scan->len, begin.end, begin.stride);
		if (pos < scan->len &&
			pos + WT_MARK_DASHES * begin.stride < scan->len &&
			wt_mark_read(scan->data, scan->len,
				pos + WT_MARK_DASHES * begin.stride, &end) &&
			end.is_exact && end.is_end && end.start == pos &&
			end.stride == begin.stride &&
			strcmp(end.label, begin.label) == 0) {
			scan->pos = end.end;
			return block_read(scan, &begin, pos, err);
		}
	}
	if (begin.is_exact && label == WT_LABEL_KEY) {
		scan->key_count++;
		return WT_OK;
	}
	if (!is_cert)
		return wt_scan_add_other(scan, begin.label, err);
	scan->is_end_due = scan->is_body_due = true;
	if (begin.is_exact && pos == scan->len)
		return wt_scan_refuse(scan, begin.start, "pem-truncated",
			"a block has a BEGIN line, but no END line", NULL, err);
	if (begin.is_exact)
		return wt_scan_refuse(scan, begin.start, "pem-truncated",
			"the END line of a block is missing, or does not match "
			"its BEGIN line",
			NULL, err);
	return wt_scan_refuse(scan, begin.start, "pem-truncated",
		"a BEGIN line is not complete",
		"the line is exactly -----BEGIN CERTIFICATE-----, with five "
		"hyphens at each end",
		err);
}
