/* SPDX-License-Identifier: MIT
 * cert/reg.c: reads registry exports (.reg) with certificates in them. */
#include "cert/reg.h"

#include "base/text.h"
#include "cert/blob.h"

#include <stdio.h>
#include <string.h>

struct reg {
	struct wt_cert_list *list;
	const char *object;
	const char *text;
	size_t len;
	size_t pos;
	size_t line; /* number of the line before pos, for messages */
	char thumbprint[WT_SHA1_HEX_LEN + 1]; /* "" outside of such a key */
	struct wt_origin origin;	      /* of the current key */
	size_t cert_count;
	size_t key_count;   /* other keys */
	size_t value_count; /* other values */
	bool is_skipping;   /* skip to the next key: this one cannot be read */
	char first_key[128];
	char key[256]; /* the current key, for notes */
};

/* A span of the text. */
struct span {
	const char *text;
	size_t len;
};

static bool has_prefix(struct span span, const char *prefix)
{
	size_t len = strlen(prefix);

	return span.len >= len &&
	       wt_text_is_equal_nocase(span.text, len, prefix);
}

static struct span span_trim(struct span span)
{
	while (span.len > 0 && strchr(" \t\r\n", span.text[0])) {
		span.text++;
		span.len--;
	}
	while (span.len > 0 && strchr(" \t\r\n", span.text[span.len - 1]))
		span.len--;
	return span;
}

static bool line_next(struct reg *reg, struct span *ret_line)
{
	const char *start = reg->text + reg->pos;
	size_t left = reg->len - reg->pos;
	const char *end = NULL;

	if (left == 0)
		return false;
	end = memchr(start, '\n', left);
	ret_line->text = start;
	ret_line->len = end ? (size_t)(end - start) : left;
	reg->pos += ret_line->len + (end ? 1 : 0);
	reg->line++;
	*ret_line = span_trim(*ret_line);
	return true;
}

/* Behind a mark of byte order, where one export was appended to another. */
static bool is_signature(struct span line)
{
	if (has_prefix(line, "\xEF\xBB\xBF")) {
		line.text += 3;
		line.len -= 3;
	}
	return has_prefix(line, "Windows Registry Editor Version") ||
	       has_prefix(line, "REGEDIT4");
}

bool wt_regfile_is_likely(const char *text, size_t text_len)
{
	return is_signature(span_trim((struct span){text, text_len}));
}

static enum wt_status malformed(
	const struct reg *reg, struct wt_error *err, const char *reason)
{
	return wt_fail(err, WT_ERR_CERT, "reg-malformed", reg->object,
		"line %zu: %s", reg->line, reason);
}

/* Takes the last component off a key's path. */
static struct span path_pop(struct span *path)
{
	size_t pos = path->len;
	struct span last = {0};

	while (pos > 0 && path->text[pos - 1] != '\\')
		pos--;
	last = (struct span){path->text + pos, path->len - pos};
	path->len = pos > 0 ? pos - 1 : 0;
	return last;
}

static bool is_word(struct span span, const char *word)
{
	return wt_text_is_equal_nocase(span.text, span.len, word);
}

static void span_copy(char *text, size_t size, struct span span)
{
	size_t len = span.len < size ? span.len : size - 1;

	memcpy(text, span.text, len);
	text[len] = '\0';
	wt_text_cut(text, size);
}

/*
 * What is trusted for less than a root must not become one. Behind path, that
 * is "HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography\Services\NTDS" for a
 * service's stores.
 */
static void origin_find(
	struct span path, struct span name, struct wt_origin *ret_origin)
{
	static const enum wt_store stores[] = {WT_STORE_CA, WT_STORE_DISALLOWED,
		WT_STORE_TRUSTEDPEOPLE, WT_STORE_TRUSTEDPUBLISHER};
	struct wt_origin origin = {0};
	struct span last = path_pop(&path);
	char store[40] = "", service[32] = "";
	bool is_root = is_word(name, "Root") || is_word(name, "AuthRoot");

	span_copy(store, sizeof(store), name);
	span_copy(service, sizeof(service), last);
	origin.is_user = is_root && !has_prefix(path, "HKEY_LOCAL_MACHINE") &&
			 !has_prefix(path, "HKLM") && path.text[0] != '\\';
	snprintf(origin.name, sizeof(origin.name), "%s%s", store,
		origin.is_user ? " of one user" : "");
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
		if (is_word(name, wt_store_name(stores[i])))
			origin.store = stores[i];
	if (is_word(path_pop(&path), "Services")) {
		snprintf(origin.name, sizeof(origin.name),
			"%s of the service %s", store, service);
		origin.is_elsewhere = origin.store != WT_STORE_DISALLOWED;
		origin.is_user = false;
	} else if (!is_root && origin.store == WT_STORE_AUTO) {
		origin.is_elsewhere = true;
	}
	*ret_origin = origin;
}

/* HKEY...\SystemCertificates\<Store>\Certificates\<THUMBPRINT>; HKLM as reged
 * writes it, and from the hive's root on as hivexregedit does. */
static bool is_certificate_key(struct span path, struct span *ret_thumbprint,
	struct wt_origin *ret_origin)
{
	struct span thumbprint = path_pop(&path);
	struct span certificates = path_pop(&path);
	struct span store = path_pop(&path);
	struct span parent = path_pop(&path);

	if (!wt_text_is_thumbprint(thumbprint.text, thumbprint.len) ||
		!is_word(certificates, "Certificates") || store.len == 0 ||
		!(is_word(parent, "SystemCertificates") ||
			is_word(parent, "EnterpriseCertificates")) ||
		!(has_prefix(path, "HK") || has_prefix(path, "\\")))
		return false;
	*ret_thumbprint = thumbprint;
	origin_find(path, store, ret_origin);
	return true;
}

static enum wt_status other_key_count(struct reg *reg, struct wt_error *err)
{
	if (reg->key_count++ == 0)
		span_copy(reg->first_key, sizeof(reg->first_key),
			(struct span){reg->key, strlen(reg->key)});
	if (!wt_cert_list_names_skipped(reg->list))
		return WT_OK;
	return wt_cert_list_add_note(reg->list, err, "%s: skipped the key %s",
		reg->object, reg->key);
}

static enum wt_status other_value_count(
	struct reg *reg, struct span name, struct wt_error *err)
{
	char text[128] = "";

	reg->value_count++;
	if (!wt_cert_list_names_skipped(reg->list))
		return WT_OK;
	span_copy(text, sizeof(text), name);
	return wt_cert_list_add_note(reg->list, err,
		"%s: skipped the value %s of %s", reg->object, text, reg->key);
}

static enum wt_status section_read(
	struct reg *reg, struct span line, struct wt_error *err)
{
	struct span path = {line.text + 1, line.len - 1};
	struct span thumbprint = {0};

	reg->thumbprint[0] = '\0';
	/* A key's name may hold brackets: the last one ends the section. */
	while (path.len > 0 && path.text[path.len - 1] != ']')
		path.len--;
	if (path.len == 0)
		return malformed(reg, err, "a key's ']' is missing");
	path.len--;
	span_copy(reg->key, sizeof(reg->key), path);
	/* Ignores what an import would delete. */
	if (has_prefix(path, "-") ||
		!is_certificate_key(path, &thumbprint, &reg->origin))
		return other_key_count(reg, err);
	memcpy(reg->thumbprint, thumbprint.text, WT_SHA1_HEX_LEN);
	reg->thumbprint[WT_SHA1_HEX_LEN] = '\0';
	return WT_OK;
}

/*
 * Bytes of one or two digits between commas. A line that goes on ends with a
 * backslash.
 */
static enum wt_status hex_read(struct reg *reg, struct span line,
	struct wt_writer *ret_bytes, struct wt_error *err)
{
	bool goes_on = false;

	do {
		size_t digits = 0;
		int value = 0;

		goes_on = line.len > 0 && line.text[line.len - 1] == '\\';
		line.len -= goes_on ? 1 : 0;
		for (size_t i = 0; i <= line.len; i++) {
			char c = i < line.len ? line.text[i] : ',';
			uint8_t byte = 0;

			if (c == ' ' || c == '\t')
				continue;
			if (c == ',') {
				byte = (uint8_t)value;
				wt_writer_bytes(
					ret_bytes, &byte, digits > 0 ? 1 : 0);
				digits = 0;
				value = 0;
				continue;
			}
			if (wt_text_hex_value(c) < 0 || ++digits > 2)
				return malformed(reg, err,
					"this is not hex as regedit writes it");
			value = value * 16 + wt_text_hex_value(c);
		}
		if (goes_on && !line_next(reg, &line))
			return wt_fail(err, WT_ERR_CERT, "reg-truncated",
				reg->object,
				"the file ends in the middle of a value");
	} while (goes_on);
	return ret_bytes->has_failed ? wt_fail_memory(err) : WT_OK;
}

static enum wt_status blob_read(
	struct reg *reg, struct span hex, struct wt_error *err)
{
	struct wt_writer blob = {0};
	struct wt_cert *cert = NULL;
	char object[256] = "";
	enum wt_status ret = hex_read(reg, hex, &blob, err);

	if (ret != WT_OK)
		goto out;
	wt_cert_object(object, reg->object, reg->cert_count + 1);
	/* The decoder needs an address even for an empty array. */
	ret = wt_certblob_decode(blob.data ? blob.data : (uint8_t *)object,
		blob.len, reg->thumbprint, object, &cert, err);
	if (ret == WT_OK)
		wt_cert_set_origin(cert, &reg->origin);
	if (ret == WT_OK) {
		ret = wt_cert_list_add(reg->list, cert, err);
		reg->cert_count++;
	}
out:
	wt_writer_free(&blob);
	return ret;
}

/* Moves behind the quoted string at line's start, which may span lines. */
static enum wt_status string_skip(
	struct reg *reg, struct span *line, struct wt_error *err)
{
	const char *limit = reg->text + reg->len;
	const char *pos = line->text + 1;

	while (pos < limit && *pos != '"')
		pos += *pos == '\\' && pos + 1 < limit ? 2 : 1;
	if (pos >= limit)
		return wt_fail(err, WT_ERR_CERT, "reg-truncated", reg->object,
			"line %zu: a string does not end", reg->line);
	pos++;
	if (pos > line->text + line->len) {
		/* Over the line's end: go on with the rest of that line. */
		for (const char *c = line->text + line->len; c < pos; c++)
			reg->line += *c == '\n' ? 1 : 0;
		reg->pos = (size_t)(pos - reg->text);
		*line = (struct span){pos, 0};
		if (line_next(reg, line))
			reg->line--;
		return WT_OK;
	}
	line->len -= (size_t)(pos - line->text);
	line->text = pos;
	return WT_OK;
}

/* Skips a value that is not ours, with all its lines. */
static enum wt_status value_skip(
	struct reg *reg, struct span data, struct wt_error *err)
{
	if (data.len > 0 && data.text[0] == '"')
		return string_skip(reg, &data, err);
	while (data.len > 0 && data.text[data.len - 1] == '\\')
		if (!line_next(reg, &data))
			return wt_fail(err, WT_ERR_CERT, "reg-truncated",
				reg->object,
				"the file ends in the middle of a value");
	return WT_OK;
}

static enum wt_status value_read(
	struct reg *reg, struct span line, struct wt_error *err)
{
	struct span name = line;
	enum wt_status ret = WT_OK;

	if (line.text[0] == '"')
		ret = string_skip(reg, &line, err);
	else
		line = (struct span){line.text + 1, line.len - 1};
	if (ret != WT_OK)
		return ret;
	name.len = line.len > 0 ? (size_t)(line.text - name.text) : name.len;
	line = span_trim(line);
	if (line.len == 0 || line.text[0] != '=')
		return malformed(reg, err, "a value's '=' is missing");
	line = span_trim((struct span){line.text + 1, line.len - 1});
	if (reg->thumbprint[0] != '\0' && is_word(name, "\"Blob\"")) {
		if (has_prefix(line, "hex:"))
			return blob_read(reg,
				(struct span){line.text + 4, line.len - 4},
				err);
		if (has_prefix(line, "hex(3):"))
			return blob_read(reg,
				(struct span){line.text + 7, line.len - 7},
				err);
	}
	ret = other_value_count(reg, name, err);
	return ret == WT_OK ? value_skip(reg, line, err) : ret;
}

static enum wt_status finish(const struct reg *reg, struct wt_error *err)
{
	if (reg->cert_count == 0) {
		wt_fail(err, WT_ERR_CERT, "cert-none", reg->object,
			"there is no certificate in this registry export (%zu "
			"keys, %zu values)",
			reg->key_count, reg->value_count);
		wt_error_hint(err,
			"export the key ...\\SystemCertificates\\<store>\\"
			"Certificates\\<thumbprint>");
		return WT_ERR_CERT;
	}
	if (reg->key_count > 0)
		return wt_cert_list_add_note(reg->list, err,
			"%s: skipped %zu other key%s and %zu other value%s, "
			"the first %s",
			reg->object, reg->key_count,
			reg->key_count == 1 ? "" : "s", reg->value_count,
			reg->value_count == 1 ? "" : "s", reg->first_key);
	if (reg->value_count > 0)
		return wt_cert_list_add_note(reg->list, err,
			"%s: skipped %zu other value%s", reg->object,
			reg->value_count, reg->value_count == 1 ? "" : "s");
	return WT_OK;
}

enum wt_status wt_regfile_read(struct wt_cert_list *list, const char *text,
	size_t text_len, const char *object, struct wt_error *err)
{
	struct reg reg = {
		.list = list, .object = object, .text = text, .len = text_len};
	struct span line = {0};
	struct wt_error why = {0};
	enum wt_status ret = WT_OK;

	/* The signature, which may follow empty lines. */
	while (line.len == 0)
		if (!line_next(&reg, &line))
			break;
	while (ret == WT_OK && line_next(&reg, &line)) {
		if (line.len == 0 || line.text[0] == ';' ||
			(reg.is_skipping && line.text[0] != '['))
			continue;
		reg.is_skipping = false;
		if (line.text[0] == '[')
			ret = section_read(&reg, line, &why);
		else if (line.text[0] == '"' || line.text[0] == '@')
			ret = value_read(&reg, line, &why);
		else if (is_signature(line))
			continue;
		else
			ret = malformed(&reg, &why,
				"this is neither a key nor a value");
		if (ret == WT_OK)
			continue;
		reg.is_skipping = true;
		reg.cert_count++; /* or what may have been one */
		ret = wt_cert_list_refuse(list, ret, &why, err);
	}
	return ret == WT_OK ? finish(&reg, err) : ret;
}
