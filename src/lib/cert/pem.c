/* SPDX-License-Identifier: MIT
 * cert/pem.c: certificates in PEM blocks (RFC 7468) with text around them. */
#include "cert/kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cert/der.h"

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"
/* Enough to name what was found. */
#define OTHER_MAX 4

/* A block, borrowed from the text. */
struct block {
	const char *label;
	size_t label_len;
	const char *body;
	size_t body_len;
};

struct pem {
	struct wt_cert_list *list;
	const char *object;
	const char *text;
	size_t len;
	size_t pos;
	size_t cert_count;
	size_t key_count;
	size_t trusted_count;
	char *others[OTHER_MAX];
	size_t other_count;
};

/*
 * The next place where mark stands, which begins with a dash. Not memmem():
 * a sanitizer's version looks at all that is left each time.
 */
static const char *mark_find(
	const char *text, const char *limit, const char *mark)
{
	size_t len = strlen(mark);

	while ((size_t)(limit - text) >= len) {
		text = memchr(text, '-', (size_t)(limit - text) - len + 1);
		if (!text || memcmp(text, mark, len) == 0)
			return text;
		text++;
	}
	return NULL;
}

static bool is_label(const struct block *block, const char *label)
{
	return block->label_len == strlen(label) &&
	       memcmp(block->label, label, block->label_len) == 0;
}

static bool is_certificate(const struct block *block)
{
	return is_label(block, "CERTIFICATE") ||
	       is_label(block, "X509 CERTIFICATE") ||
	       is_label(block, "TRUSTED CERTIFICATE") ||
	       is_label(block, "PKCS7") ||
	       is_label(block, "PKCS #7 SIGNED DATA") || is_label(block, "CMS");
}

static bool is_key(const struct block *block)
{
	return memmem(block->label, block->label_len, "PRIVATE KEY", 11);
}

static bool is_line_start(const struct pem *pem, size_t pos)
{
	while (pos > 0 &&
		(pem->text[pos - 1] == ' ' || pem->text[pos - 1] == '\t'))
		pos--;
	return pos == 0 || pem->text[pos - 1] == '\n' ||
	       pem->text[pos - 1] == '\r';
}

/* The next BEGIN that starts a line; pos moves to its label. */
static bool begin_find(struct pem *pem)
{
	for (;;) {
		const char *found = mark_find(
			pem->text + pem->pos, pem->text + pem->len, BEGIN);
		size_t start = 0;

		if (!found)
			return false;
		start = (size_t)(found - pem->text);
		pem->pos = start + strlen(BEGIN);
		if (is_line_start(pem, start))
			return true;
	}
}

static enum wt_status block_fail(const struct pem *pem, const char *code,
	const char *reason, struct wt_error *err)
{
	char object[256] = "";

	wt_cert_object(object, pem->object, pem->cert_count + 1);
	return wt_fail(err, WT_ERR_CERT, code, object, "%s", reason);
}

/*
 * Reads the block whose label is at pos. The next five dashes behind the
 * label's must be the END line: so no block is looked through twice.
 */
static enum wt_status block_read(
	struct pem *pem, struct block *ret_block, struct wt_error *err)
{
	struct block block = {.label = pem->text + pem->pos};
	const char *limit = pem->text + pem->len;
	const char *end = NULL;

	end = mark_find(block.label, limit, DASHES);
	if (!end || memchr(block.label, '\n', (size_t)(end - block.label)))
		return block_fail(pem, "pem-truncated",
			"a BEGIN line is not complete", err);
	block.label_len = (size_t)(end - block.label);
	block.body = end + strlen(DASHES);
	end = mark_find(block.body, limit, DASHES);
	if (!end)
		return block_fail(pem, "pem-truncated",
			"a block has a BEGIN line, but no END line", err);
	block.body_len = (size_t)(end - block.body);
	/* What stands there instead may begin the next block. */
	pem->pos = (size_t)(end - pem->text);
	if ((size_t)(limit - end) <
			strlen(END) + block.label_len + strlen(DASHES) ||
		memcmp(end, END, strlen(END)) != 0 ||
		memcmp(end + strlen(END), block.label, block.label_len) != 0 ||
		memcmp(end + strlen(END) + block.label_len, DASHES,
			strlen(DASHES)) != 0)
		return block_fail(pem, "pem-truncated",
			"the END line of a block is missing, or it is not the "
			"one of its BEGIN line",
			err);
	pem->pos += strlen(END) + block.label_len + strlen(DASHES);
	*ret_block = block;
	return WT_OK;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
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
	if (!pos)
		return;
	*len = (size_t)(limit - pos);
	*body = pos;
}

/* @return false when the text is no Base64: whole groups of four, padded */
static bool base64_decode(
	const char *text, size_t len, struct wt_writer *writer)
{
	uint32_t bits = 0;
	size_t count = 0, padding = 0;

	if (!wt_writer_reserve(writer, len / 4 * 3 + 3))
		return true;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(text[i]);

		if (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r'))
			continue;
		/* Nothing but padding may follow padding. */
		if (text[i] == '=' && count >= 2)
			padding++;
		else if (value < 0 || padding > 0)
			return false;
		bits = bits << 6 | (uint32_t)(value < 0 ? 0 : value);
		count = (count + 1) % 4;
		if (count == 0) {
			uint8_t bytes[3] = {(uint8_t)(bits >> 16),
				(uint8_t)(bits >> 8), (uint8_t)bits};

			wt_writer_bytes(writer, bytes, 3 - padding);
		}
	}
	return count == 0;
}

/* OpenSSL's own form: a certificate, and its trust settings behind it. */
static enum wt_status trusted_read(struct pem *pem, const uint8_t *der,
	size_t der_len, const char *object, struct wt_error *err)
{
	struct wt_der cert = {0}, settings = {0};

	if (wt_der_read(der, der_len, &cert) == WT_DER_OK &&
		cert.len < der_len &&
		wt_der_read(der + cert.len, der_len - cert.len, &settings) ==
			WT_DER_OK &&
		settings.len == der_len - cert.len) {
		der_len = cert.len;
		pem->trusted_count++;
	}
	return wt_cert_list_add_der(pem->list, der, der_len, object, err);
}

static enum wt_status cert_read(
	struct pem *pem, struct block *block, struct wt_error *err)
{
	struct wt_writer der = {0};
	char object[256] = "";
	enum wt_status status = WT_OK;

	headers_skip(&block->body, &block->body_len);
	if (!base64_decode(block->body, block->body_len, &der))
		status = block_fail(pem, "pem-bad-base64",
			"the text between BEGIN and END is not Base64", err);
	else if (der.has_failed)
		status = wt_fail_memory(err);
	if (status != WT_OK)
		goto out;
	wt_cert_object(object, pem->object, pem->cert_count + 1);
	if (is_label(block, "TRUSTED CERTIFICATE"))
		status = trusted_read(pem, der.data, der.len, object, err);
	else
		status = wt_cert_kind_read_der(
			pem->list, der.data, der.len, object, err);
	if (status == WT_OK)
		pem->cert_count++;
out:
	wt_writer_free(&der);
	return status;
}

static enum wt_status other_note(
	struct pem *pem, const struct block *block, struct wt_error *err)
{
	if (pem->other_count < OTHER_MAX) {
		char *name = wt_text_clean_dup(block->label, block->label_len);

		if (!name)
			return wt_fail_memory(err);
		wt_text_cut(name, 48);
		pem->others[pem->other_count] = name;
	}
	pem->other_count++;
	return WT_OK;
}

static enum wt_status none_fail(const struct pem *pem, struct wt_error *err)
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

	if (pem->key_count > 0)
		used = (size_t)snprintf(found, sizeof(found), "a private key");
	for (size_t i = 0; i < pem->other_count && i < OTHER_MAX; i++) {
		const char *name = NULL;

		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			if (strcmp(pem->others[i], names[j][0]) == 0)
				name = names[j][1];
		used += (size_t)snprintf(found + used, sizeof(found) - used,
			name ? "%s%s" : "%sa block \"%s\"",
			used > 0 ? ", " : "", name ? name : pem->others[i]);
	}
	return wt_fail(err, WT_ERR_CERT, "cert-none", pem->object,
		used > 0 ? "there is no certificate in it, but %s"
			 : "there is no certificate in it%s",
		found);
}

static enum wt_status notes_add(const struct pem *pem, struct wt_error *err)
{
	enum wt_status status = WT_OK;

	if (pem->key_count > 0)
		status = wt_cert_list_add_note(pem->list, err,
			"%s: holds a private key, which was not read",
			pem->object);
	if (status == WT_OK && pem->trusted_count > 0)
		status = wt_cert_list_add_note(pem->list, err,
			"%s: OpenSSL's trust settings of %zu certificate%s "
			"were left out",
			pem->object, pem->trusted_count,
			pem->trusted_count == 1 ? "" : "s");
	if (status == WT_OK && pem->other_count > 0)
		status = wt_cert_list_add_note(pem->list, err,
			"%s: skipped %zu other block%s, the first \"%s\"",
			pem->object, pem->other_count,
			pem->other_count == 1 ? "" : "s", pem->others[0]);
	return status;
}

static enum wt_status any_read(
	struct pem *pem, struct block *block, struct wt_error *err)
{
	if (is_certificate(block))
		return cert_read(pem, block, err);
	if (!is_key(block) || is_label(block, "ENCRYPTED PRIVATE KEY"))
		return other_note(pem, block, err);
	pem->key_count++;
	return WT_OK;
}

enum wt_status wt_pemfile_read(struct wt_cert_list *list, const char *text,
	size_t text_len, const char *object, struct wt_error *err)
{
	struct pem pem = {
		.list = list, .object = object, .text = text, .len = text_len};
	struct block block = {0};
	struct wt_error why = {0};
	enum wt_status status = WT_OK;

	while (status == WT_OK && begin_find(&pem)) {
		status = block_read(&pem, &block, &why);
		if (status == WT_OK)
			status = any_read(&pem, &block, &why);
		if (status != WT_OK) {
			status = wt_cert_list_leave_out(list, &why, err);
			pem.cert_count++;
		}
	}
	if (status == WT_OK)
		status = pem.cert_count == 0 ? none_fail(&pem, err)
					     : notes_add(&pem, err);
	for (size_t i = 0; i < pem.other_count && i < OTHER_MAX; i++)
		free(pem.others[i]);
	return status;
}
