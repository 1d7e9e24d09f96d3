/* SPDX-License-Identifier: MIT
 * cert/scan.c: finds every certificate in a text, or between what is not one.
 */
#include "cert/scan.h"

#include "base/text.h"
#include "cert/base64.h"
#include "cert/der.h"
#include "cert/ldif.h"
#include "cert/mark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* Enough to name what was found. */
#define OTHER_MAX 4
/* A line of Base64 has 64 characters or 76, but for what an attribute's name
 * takes of the first; one that is shorter is a word. */
#define BASE64_RUN_MIN 40

/* Where a certificate may begin. */
enum thing {
	THING_NONE,
	THING_MARK,
	THING_DER,
	THING_BASE64, /* without BEGIN */
};

struct scan {
	struct wt_cert_list *list;
	const char *object;
	const uint8_t *data;
	size_t len;
	unsigned depth;
	size_t pos;   /* what stands before it was decided on */
	size_t gap;   /* where the text before pos began that is none */
	size_t thing; /* how far the search has come: pos, or behind it */
	size_t count; /* certificates and what should be one */
	size_t line;  /* number of the line that line_pos is in */
	size_t line_pos;
	bool is_behind_der, is_behind_pkcs7;
	bool is_in_data; /* what was passed over last is no text */
	/* of a block that was refused: its END, and before that its body */
	bool is_end_due, is_body_due;
	bool has_dashes; /* five in a row, so - is of no alphabet */
	struct wt_mark mark;
	size_t key_count;
	size_t trusted_count;
	size_t commented_count, commented_line;
	size_t stray_count, stray_pos; /* bytes that are no text */
	char *others[OTHER_MAX];
	size_t other_count;
};

static size_t line_at(struct scan *scan, size_t pos)
{
	for (; scan->line_pos < pos; scan->line_pos++)
		scan->line += scan->data[scan->line_pos] == '\n';
	return scan->line;
}

/* "bundle.pem, certificate 2 (line 21)"; the next one that is counted. */
static void thing_object(
	struct scan *scan, size_t pos, bool is_text, char ret_object[256])
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
			line_at(scan, pos));
	else
		snprintf(ret_object + used, 256 - used, " (byte %zu)", pos);
}

static enum wt_status thing_refuse(struct scan *scan, size_t pos,
	const char *code, const char *reason, const char *hint,
	struct wt_error *err)
{
	struct wt_error why = {0};
	char object[256] = "";

	thing_object(scan, pos, true, object);
	wt_fail(&why, WT_ERR_CERT, code, object, "%s", reason);
	if (hint)
		wt_error_hint_file(&why, hint, scan->object);
	return wt_cert_list_refuse(scan->list, WT_ERR_CERT, &why, err);
}

/* A line of Base64, not a word? */
static bool is_base64_run(const struct scan *scan, size_t pos)
{
	size_t run = 0;

	while (run < BASE64_RUN_MIN && pos + run < scan->len &&
		wt_base64_is_url_digit((char)scan->data[pos + run]))
		run++;
	return run == BASE64_RUN_MIN;
}

/* Base64 of DER, or of PEM, at the beginning of a word. */
static bool is_base64_at(const struct scan *scan, size_t pos)
{
	const char *text = (const char *)scan->data;

	if (pos > 0 && wt_base64_is_digit(text[pos - 1]) &&
		/* a literal \n */
		!(pos > 1 && text[pos - 2] == '\\'))
		return false;
	return wt_base64_is_begin(text + pos, scan->len - pos) &&
	       is_base64_run(scan, pos);
}

/* The next place where a certificate may begin; pos moves there. */
static enum thing thing_find(struct scan *scan)
{
	const uint8_t *data = scan->data;
	size_t len = scan->len;

	for (; scan->pos < len; scan->pos++) {
		size_t pos = scan->pos;

		switch (data[pos]) {
		case WT_DER_SEQUENCE:
			if (wt_cert_kind_is_der(data + pos, len - pos))
				return THING_DER;
			break;
		case 'B':
		case 'b':
		case 'E':
		case 'e':
			if (wt_mark_read(data, len, pos, &scan->mark)) {
				scan->pos = scan->mark.start;
				return THING_MARK;
			}
			break;
		case 'M':
		case 'L':
			if (is_base64_at(scan, pos))
				return THING_BASE64;
			break;
		default:
			break;
		}
	}
	return THING_NONE;
}

static bool is_space(uint8_t byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* White space, what fills a block up, and marks of byte order. */
static bool is_padding(uint8_t byte)
{
	return byte == 0 || is_space(byte) || byte == 0x1A || byte == 0xFF ||
	       byte == 0xFE || byte == 0xEF || byte == 0xBB || byte == 0xBF;
}

/* Looks at what was passed over, from gap to pos. */
static enum wt_status gap_read(
	struct scan *scan, bool is_last, struct wt_error *err)
{
	struct wt_error why = {0};
	size_t first = scan->gap, last = scan->pos;
	size_t stray_count = scan->stray_count;

	while (first < last && is_padding(scan->data[first]))
		first++;
	if (scan->is_behind_der && is_last && first < last) {
		while (is_padding(scan->data[last - 1]))
			last--;
		wt_fail(&why, WT_ERR_CERT, "cert-trailing-data", scan->object,
			"%zu byte%s after the certificate's end, at byte %zu",
			last - first, last - first == 1 ? "" : "s", first);
		wt_error_hint_file(&why,
			scan->is_behind_pkcs7
				? "take the certificates alone: openssl pkcs7 "
				  "-inform DER -in FILE -print_certs -out "
				  "certs.pem"
				: "take the certificate alone: openssl x509 "
				  "-inform DER -in FILE -out cert.pem",
			scan->object);
		return wt_cert_list_refuse(scan->list, WT_ERR_CERT, &why, err);
	}
	for (; first < last; first++) {
		uint8_t byte = scan->data[first];

		if ((byte >= ' ' && byte != 0x7F) || is_padding(byte))
			continue;
		if (scan->stray_count++ == 0)
			scan->stray_pos = first;
	}
	scan->is_in_data = scan->stray_count > stray_count;
	return WT_OK;
}

/* What was decoded is a file in itself: DER as a rule, but also what certutil
 * -encode was given by mistake. */
static enum wt_status inner_read(struct scan *scan,
	const struct wt_writer *inner, const char *object, struct wt_error *err)
{
	struct wt_error why = {0};
	enum wt_status ret = WT_OK;

	if (inner->has_failed)
		return wt_fail_memory(err);
	ret = wt_cert_kind_read_inner(scan->list, inner->data, inner->len,
		object, scan->depth + 1, &why);
	return wt_cert_list_refuse(scan->list, ret, &why, err);
}

static void inner_free(struct wt_writer *inner)
{
	if (inner->data)
		OPENSSL_cleanse(inner->data, inner->len);
	wt_writer_free(inner);
}

/* Moves to the next mark from pos on, or to the end. */
static void mark_seek(struct scan *scan, size_t pos)
{
	scan->pos = pos;
	while (thing_find(scan) > THING_MARK)
		scan->pos++;
}

static enum wt_status der_read(struct scan *scan, struct wt_error *err)
{
	const uint8_t *der = scan->data + scan->pos;
	size_t left = scan->len - scan->pos, len = left;
	struct wt_der element = {0};
	struct wt_error why = {0};
	char object[256] = "";
	enum wt_status ret = WT_OK;

	thing_object(scan, scan->pos, false, object);
	if (wt_der_read(der, left, &element) == WT_DER_OK)
		len = element.len;
	/* A program or a data base may hold many, and offers none. */
	if (scan->is_in_data)
		ret = wt_fail(&why, WT_ERR_CERT, "cert-in-data", object,
			"it is in the middle of other data");
	else
		ret = wt_cert_kind_read_der(scan->list, der, len, object, &why);
	if (ret == WT_ERR_CERT && scan->pos == 0 &&
		wt_cert_kind_is_text_mode(der, left)) {
		wt_fail(&why, WT_ERR_CERT, "cert-text-mode", object,
			"a transfer in text mode changed it: each line feed "
			"became CR LF");
		wt_error_hint(&why, "transfer it again in binary mode (FTP: "
				    "binary; Git: *.cer binary in "
				    ".gitattributes), or as PEM");
		len = left;
	}
	scan->is_behind_der = ret == WT_OK;
	scan->is_behind_pkcs7 = wt_pkcs7_is_likely(der, len);
	scan->pos += len;
	/* What is cut off may not go as far as its length says. */
	if (ret == WT_ERR_CERT && !element.start)
		mark_seek(scan, scan->pos - len + 1);
	return wt_cert_list_refuse(scan->list, ret, &why, err);
}

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
static void trusted_cut(struct scan *scan, struct wt_writer *der)
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
static char *body_copy(const struct scan *scan, size_t start, size_t end,
	unsigned stride, size_t *ret_len)
{
	char *body = malloc((end - start) / stride + 2);
	size_t len = 0;

	for (size_t i = start; body && i < end; i += stride)
		body[len++] = (char)scan->data[i];
	*ret_len = len;
	return body;
}

static enum wt_status block_decode(struct scan *scan,
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
		ret = thing_refuse(scan, begin->start, "pem-bad-base64",
			"the text between BEGIN and END is not Base64",
			"export or download it again; there must be only "
			"Base64 between the two lines: no line numbers, names "
			"or markup",
			err);
		goto out;
	}
	if (wt_mark_label(begin->label) == WT_LABEL_TRUSTED && !der.has_failed)
		trusted_cut(scan, &der);
	thing_object(scan, begin->start, true, object);
	ret = inner_read(scan, &der, object, err);
out:
	inner_free(&der);
	free(copy);
	return ret;
}

/*
 * Is the block commented out? 0: no. The body has lines of its own that begin
 * with the same mark: yes, 1. Without them, behind nothing but the mark or in
 * a value: -1, nobody can tell.
 */
static int is_commented(
	const struct scan *scan, const struct wt_mark *begin, size_t end)
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
static bool is_distrusted(const struct scan *scan, const struct wt_mark *begin)
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

static enum wt_status other_note(
	struct scan *scan, const char *label, struct wt_error *err)
{
	if (scan->other_count < OTHER_MAX) {
		char *name = wt_text_clean_dup(label, strlen(label));

		if (!name)
			return wt_fail_memory(err);
		wt_text_cut(name, 48);
		scan->others[scan->other_count] = name;
	}
	scan->other_count++;
	return WT_OK;
}

/* A label with a slip of the pen does not hide what is below it. */
static bool is_certificate_in(
	const struct scan *scan, const struct wt_mark *begin, size_t end)
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
	inner_free(&inner);
	free(body);
	return is_cert;
}

/* A whole block, from its BEGIN to end, where its END begins. */
static enum wt_status block_read(struct scan *scan, const struct wt_mark *begin,
	size_t end, struct wt_error *err)
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
			return other_note(scan, begin->label, err);
		return thing_refuse(scan, begin->start, "pem-unknown-label",
			"its BEGIN line names an unknown kind of certificate",
			"if it is a certificate, write CERTIFICATE into its "
			"BEGIN and END lines",
			err);
	default:
		break;
	}
	if (commented > 0) {
		if (scan->commented_count++ == 0)
			scan->commented_line = line_at(scan, begin->start);
		return WT_OK;
	}
	if (commented < 0)
		return thing_refuse(scan, begin->start, "pem-commented",
			"it is behind a comment mark, so it is not clear "
			"whether you want to trust it",
			"take the mark away, or the line", err);
	if (is_distrusted(scan, begin))
		return thing_refuse(scan, begin->start, "pem-distrusted",
			"the file says of it that it is not to be trusted",
			"to distrust it, put it into a file of its own, and "
			"add that with --store disallowed",
			err);
	return block_decode(scan, begin, end, err);
}

/* BEGIN was found. The next five dashes must be its END's: so no block is
 * looked through twice. */
static enum wt_status mark_read(struct scan *scan, struct wt_error *err)
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
		return thing_refuse(scan, begin.start, "pem-truncated",
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
		return other_note(scan, begin.label, err);
	scan->is_end_due = scan->is_body_due = true;
	if (begin.is_exact && pos == scan->len)
		return thing_refuse(scan, begin.start, "pem-truncated",
			"a block has a BEGIN line, but no END line", NULL, err);
	if (begin.is_exact)
		return thing_refuse(scan, begin.start, "pem-truncated",
			"the END line of a block is missing, or does not match "
			"its BEGIN line",
			NULL, err);
	return thing_refuse(scan, begin.start, "pem-truncated",
		"a BEGIN line is not complete",
		"the line is exactly -----BEGIN CERTIFICATE-----, with five "
		"hyphens at each end",
		err);
}

/* Is all that is left Base64, with nothing but padding before it? */
static bool is_all_base64(const struct scan *scan)
{
	/* once a file, or it would be looked through again and again */
	if (scan->gap > 0 || scan->count > 0 || scan->has_dashes)
		return false;
	for (size_t i = scan->gap; i < scan->len; i++)
		if (!is_padding(scan->data[i]) && scan->data[i] != '=' &&
			!wt_base64_is_url_digit((char)scan->data[i]))
			return false;
	for (size_t i = scan->gap; i < scan->pos; i++)
		if (!is_padding(scan->data[i]))
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
static size_t lines_len(const struct scan *scan, size_t start, size_t len)
{
	size_t end = start + len, pos = end;

	for (;;) {
		while (pos < scan->len && is_space(scan->data[pos]))
			pos++;
		len = wt_ldif_value_len(
			(const char *)scan->data + pos, scan->len - pos);
		if (pos == end || len == 0 ||
			(pos + len < scan->len &&
				!is_space(scan->data[pos + len])) ||
			wt_base64_is_begin((const char *)scan->data + pos, len))
			return end - start;
		end = pos += len;
	}
}

/* Is the value at pos the body of the block that was just refused? */
static bool is_refused_body(const struct scan *scan, size_t pos)
{
	size_t lines = 0;

	for (size_t i = scan->gap; i < pos; i++)
		lines += scan->data[i] == '\n';
	return scan->is_body_due && lines < 3;
}

/* PKCS#7 that signs something, as the attachment of a mail is? Then no lines
 * around it make certificates of it. */
static enum wt_status not_a_bundle_find(const struct scan *scan, size_t start,
	size_t len, struct wt_error *ret_why, struct wt_error *err)
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
	inner_free(&inner);
	wt_cert_list_free(found);
	return WT_OK;
}

static enum wt_status begin_refuse(
	struct scan *scan, size_t start, bool is_pkcs7, struct wt_error *err)
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
		return thing_refuse(
			scan, start, why.code, why.reason, why.hint, err);
	/* The command takes one line, and nothing of what is in PEM. */
	if (len > line_len || scan->has_dashes)
		hint = is_pkcs7 ? "put a line -----BEGIN PKCS7----- before it, "
				  "and -----END PKCS7----- after it, so that "
				  "it is on lines of its own"
				: "put a line -----BEGIN CERTIFICATE----- "
				  "before it, and -----END CERTIFICATE----- "
				  "after it, so that it is on lines of its own";
	return thing_refuse(scan, start, "pem-no-begin",
		is_pkcs7 ? "this is PKCS#7 in Base64 without a BEGIN line"
			 : "this is a certificate in Base64 without a BEGIN "
			   "line",
		hint, err);
}

/* Reads Base64 without BEGIN if it can mean nothing else. Otherwise refuses
 * what decodes to a certificate. */
static enum wt_status base64_read(struct scan *scan, struct wt_error *err)
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
	while (is_padding((uint8_t)text[len - 1]))
		len--;
	is_good = wt_base64_decode(text, len, slack, &inner);
	if (inner.has_failed) {
		ret = wt_fail_memory(err);
	} else if (is_refused_body(scan, start)) {
		scan->is_body_due = false;
		scan->pos = start + lines_len(scan, start, scan->pos - start);
	} else if (!is_good && (is_all || wt_ldif_is_ca(attribute))) {
		ret = thing_refuse(scan, start, "pem-bad-base64",
			"a value in Base64 is not complete", NULL, err);
	} else if (is_all || wt_ldif_is_ca(attribute)) {
		thing_object(scan, start, true, object);
		ret = inner_read(scan, &inner, object, err);
	} else if (attribute[0]) {
		ret = other_note(scan, attribute, err);
	} else if (is_good && !is_cert(inner.data, inner.len)) {
		ret = other_note(scan, "Base64", err);
	} else {
		ret = begin_refuse(scan, start,
			wt_pkcs7_is_likely(inner.data, inner.len), err);
	}
	inner_free(&inner);
	return ret;
}

static enum wt_status none_fail(const struct scan *scan, struct wt_error *err)
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
	for (size_t i = 0; i < scan->other_count && i < OTHER_MAX; i++) {
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

static enum wt_status notes_add(const struct scan *scan, struct wt_error *err)
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

/* A .reg file that was joined to certificates is not read there. */
static enum wt_status reg_refuse(struct scan *scan, struct wt_error *err)
{
	static const char word[] = "\"Blob\"=hex";
	static const char wide[] = "\"\0B\0l\0o\0b\0\"\0=\0h\0e\0x";
	const uint8_t *found =
		memmem(scan->data, scan->len, word, sizeof(word) - 1);

	if (!found)
		found = memmem(scan->data, scan->len, wide, sizeof(wide) - 1);
	if (!found)
		return WT_OK;
	return thing_refuse(scan, (size_t)(found - scan->data), "cert-in-data",
		"a value of a .reg file is in the middle of other text",
		"save the .reg file to its own file", err);
}

enum wt_status wt_scan_read(struct wt_cert_list *list, const uint8_t *data,
	size_t len, const char *object, unsigned depth, bool is_der,
	struct wt_error *err)
{
	struct scan scan = {.list = list,
		.object = object,
		.data = data,
		.len = len,
		.depth = depth,
		.line = 1,
		.has_dashes = wt_mark_find_dashes(data, len, 0, 1) < len};
	enum thing thing = is_der ? THING_DER : thing_find(&scan);
	enum wt_status ret = WT_OK;

	while (ret == WT_OK) {
		ret = gap_read(&scan, thing == THING_NONE, err);
		if (ret != WT_OK || thing == THING_NONE)
			break;
		scan.is_behind_der = false;
		if (thing == THING_DER)
			ret = der_read(&scan, err);
		else if (thing == THING_MARK)
			ret = mark_read(&scan, err);
		else
			ret = base64_read(&scan, err);
		scan.gap = scan.pos;
		if (ret == WT_OK)
			thing = thing_find(&scan);
	}
	if (ret == WT_OK && scan.count > 0)
		ret = reg_refuse(&scan, err);
	if (ret == WT_OK)
		ret = scan.count == 0 ? none_fail(&scan, err)
				      : notes_add(&scan, err);
	for (size_t i = 0; i < scan.other_count && i < OTHER_MAX; i++)
		free(scan.others[i]);
	return ret;
}

bool wt_scan_is_utf16(const uint8_t *data, size_t len, bool is_big_endian)
{
	struct scan scan = {.data = data, .len = len};
	enum thing thing = THING_NONE;

	while ((thing = thing_find(&scan)) != THING_NONE) {
		if (thing != THING_MARK || scan.mark.stride == 1 ||
			scan.mark.start % 2 != (is_big_endian ? 1 : 0))
			return false;
		scan.pos = scan.mark.end;
	}
	return true;
}
