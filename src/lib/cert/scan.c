/* SPDX-License-Identifier: MIT
 * cert/scan.c: finds every certificate in a text, or between what is not one.
 */
#include "cert/scan.h"

#include "cert/base64.h"
#include "cert/der.h"
#include "cert/scan_parts.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

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

/* A line of Base64, not a word? */
static bool is_base64_run(const struct wt_scan *scan, size_t pos)
{
	size_t run = 0;

	while (run < BASE64_RUN_MIN && pos + run < scan->len &&
		wt_base64_is_url_digit((char)scan->data[pos + run]))
		run++;
	return run == BASE64_RUN_MIN;
}

/* Base64 of DER, or of PEM, at the beginning of a word. */
static bool is_base64_at(const struct wt_scan *scan, size_t pos)
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
static enum thing thing_find(struct wt_scan *scan)
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

bool wt_scan_is_space(uint8_t byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

bool wt_scan_is_padding(uint8_t byte)
{
	return byte == 0 || wt_scan_is_space(byte) || byte == 0x1A ||
	       byte == 0xFF || byte == 0xFE || byte == 0xEF || byte == 0xBB ||
	       byte == 0xBF;
}

/* Looks at what was passed over, from gap to pos. */
static enum wt_status gap_read(
	struct wt_scan *scan, bool is_last, struct wt_error *err)
{
	struct wt_error why = {0};
	size_t first = scan->gap, last = scan->pos;
	size_t stray_count = scan->stray_count;

	while (first < last && wt_scan_is_padding(scan->data[first]))
		first++;
	if (scan->is_behind_der && is_last && first < last) {
		while (wt_scan_is_padding(scan->data[last - 1]))
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

		if ((byte >= ' ' && byte != 0x7F) || wt_scan_is_padding(byte))
			continue;
		if (scan->stray_count++ == 0)
			scan->stray_pos = first;
	}
	scan->is_in_data = scan->stray_count > stray_count;
	return WT_OK;
}

enum wt_status wt_scan_read_inner(struct wt_scan *scan,
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

void wt_scan_free_inner(struct wt_writer *inner)
{
	if (inner->data)
		OPENSSL_cleanse(inner->data, inner->len);
	wt_writer_free(inner);
}

/* Moves to the next mark from pos on, or to the end. */
static void mark_seek(struct wt_scan *scan, size_t pos)
{
	scan->pos = pos;
	while (thing_find(scan) > THING_MARK)
		scan->pos++;
}

static enum wt_status der_read(struct wt_scan *scan, struct wt_error *err)
{
	const uint8_t *der = scan->data + scan->pos;
	size_t left = scan->len - scan->pos, len = left;
	struct wt_der element = {0};
	struct wt_error why = {0};
	char object[256] = "";
	enum wt_status ret = WT_OK;

	wt_scan_object(scan, scan->pos, false, object);
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

/* A .reg file that was joined to certificates is not read there. */
static enum wt_status reg_refuse(struct wt_scan *scan, struct wt_error *err)
{
	static const char word[] = "\"Blob\"=hex";
	static const char wide[] = "\"\0B\0l\0o\0b\0\"\0=\0h\0e\0x";
	const uint8_t *found =
		memmem(scan->data, scan->len, word, sizeof(word) - 1);

	if (!found)
		found = memmem(scan->data, scan->len, wide, sizeof(wide) - 1);
	if (!found)
		return WT_OK;
	return wt_scan_refuse(scan, (size_t)(found - scan->data),
		"cert-in-data",
		"a value of a .reg file is in the middle of other text",
		"save the .reg file to its own file", err);
}

enum wt_status wt_scan_read(struct wt_cert_list *list, const uint8_t *data,
	size_t len, const char *object, unsigned depth, bool is_der,
	struct wt_error *err)
{
	struct wt_scan scan = {.list = list,
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
			ret = wt_scan_mark(&scan, err);
		else
			ret = wt_scan_base64(&scan, err);
		scan.gap = scan.pos;
		if (ret == WT_OK)
			thing = thing_find(&scan);
	}
	if (ret == WT_OK && scan.count > 0)
		ret = reg_refuse(&scan, err);
	if (ret == WT_OK)
		ret = scan.count == 0 ? wt_scan_fail_none(&scan, err)
				      : wt_scan_add_notes(&scan, err);
	for (size_t i = 0; i < scan.other_count && i < WT_SCAN_OTHERS; i++)
		free(scan.others[i]);
	return ret;
}

bool wt_scan_is_utf16(const uint8_t *data, size_t len, bool is_big_endian)
{
	struct wt_scan scan = {.data = data, .len = len};
	enum thing thing = THING_NONE;

	while ((thing = thing_find(&scan)) != THING_NONE) {
		if (thing != THING_MARK || scan.mark.stride == 1 ||
			scan.mark.start % 2 != (is_big_endian ? 1 : 0))
			return false;
		scan.pos = scan.mark.end;
	}
	return true;
}
