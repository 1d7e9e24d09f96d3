/* SPDX-License-Identifier: MIT
 * cert/kind.c: what kind of file is this? Told by content, never by name. */
#include "cert/kind.h"

#include "base/sniff.h"
#include "base/text.h"
#include "cert/blob.h"
#include "cert/der.h"
#include "cert/reg.h"
#include "cert/scan.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* A .sst that certutil encoded, of which somebody made Base64 once more */
#define DEPTH_MAX 4

static bool starts_with(const uint8_t *data, size_t len, const char *prefix)
{
	size_t prefix_len = strlen(prefix);

	return len >= prefix_len && memcmp(data, prefix, prefix_len) == 0;
}

/*
 * A SEQUENCE: in the long form as no text begins, or in the short form (a
 * small key) with exactly the file's size.
 */
static bool is_der(const uint8_t *data, size_t len)
{
	if (len < 2 || data[0] != WT_DER_SEQUENCE)
		return false;
	return (data[1] >= 0x80 && data[1] <= 0x84) ||
	       (data[1] < 0x80 && (size_t)data[1] + 2 == len);
}

/* UTF-16 by its mark, or because of what regedit and PEM begin with. */
static bool is_utf16(const uint8_t *data, size_t len, bool *ret_is_big_endian,
	size_t *ret_bom)
{
	*ret_is_big_endian = false;
	*ret_bom = 2;
	if (len >= 2 && data[0] == 0xFF && data[1] == 0xFE)
		return true;
	*ret_is_big_endian = true;
	if (len >= 2 && data[0] == 0xFE && data[1] == 0xFF)
		return true;
	*ret_is_big_endian = false;
	*ret_bom = 0;
	return len >= 4 && data[0] > ' ' && data[0] < 0x7F && data[1] == 0 &&
	       data[2] >= ' ' && data[2] < 0x7F && data[3] == 0;
}

static enum wt_status none_fail(
	struct wt_error *err, const char *object, const char *what)
{
	return wt_fail(err, WT_ERR_CERT, "cert-none", object,
		"there is no certificate in it: it is %s", what);
}

static enum wt_status pkcs12_fail(struct wt_error *err, const char *object)
{
	wt_fail(err, WT_ERR_CERT, "cert-pkcs12", object,
		"it is PKCS#12 (.pfx, .p12), which usually holds a private key "
		"and is not read");
	wt_error_hint_file(err,
		"extract only the certificates (with -legacy too if it says "
		"\"unsupported\"): openssl pkcs12 -in FILE -nokeys -out "
		"certs.pem",
		object);
	return WT_ERR_CERT;
}

/*
 * What a DER structure is that is no certificate, told by its first elements:
 *
 *   PFX                 SEQUENCE { INTEGER 3, SEQUENCE { OID ... } ... }
 *   private keys        SEQUENCE { INTEGER 0 or 1, ... }
 *   encrypted key       SEQUENCE { SEQUENCE { OID ... }, OCTET STRING }
 *   public key          SEQUENCE { SEQUENCE { OID ... }, BIT STRING }
 *   request             SEQUENCE { SEQUENCE { INTEGER 0, SEQUENCE ... } ... }
 *   revocation list     SEQUENCE { SEQUENCE { INTEGER 1 or SEQUENCE ... } }
 */
static const char *der_name(const uint8_t *der, size_t der_len)
{
	struct wt_der outer = {0}, first = {0}, second = {0}, inner = {0};
	const uint8_t *data = NULL;
	size_t len = 0;

	if (wt_der_read(der, der_len, &outer) != WT_DER_OK)
		return NULL;
	data = outer.content;
	len = outer.content_len;
	if (wt_der_next(&data, &len, &first) != WT_DER_OK ||
		wt_der_next(&data, &len, &second) != WT_DER_OK)
		return NULL;
	if (first.tag == WT_DER_INTEGER && first.content_len == 1) {
		if (first.content[0] == 3 && second.tag == WT_DER_SEQUENCE)
			return "PKCS#12";
		return first.content[0] <= 1 ? "a private key" : NULL;
	}
	if (first.tag != WT_DER_SEQUENCE ||
		wt_der_read(first.content, first.content_len, &inner) !=
			WT_DER_OK)
		return NULL;
	if (inner.tag == WT_DER_OID && second.tag == WT_DER_OCTET_STRING)
		return "an encrypted private key";
	if (inner.tag == WT_DER_OID && second.tag == 0x03)
		return "a public key";
	if (second.tag != WT_DER_SEQUENCE)
		return NULL;
	data = inner.start + inner.len;
	len = first.content_len - inner.len;
	if (inner.tag == WT_DER_INTEGER && inner.content_len == 1 &&
		wt_der_next(&data, &len, &second) == WT_DER_OK) {
		/* Both go on with a SEQUENCE: a request's is a name, whose
		 * parts are SETs; a list's begins with an identifier. */
		if (wt_der_next(&data, &len, &first) == WT_DER_OK &&
			inner.content[0] == 0 &&
			second.tag == WT_DER_SEQUENCE &&
			first.tag == WT_DER_SEQUENCE && len > 0 &&
			data[0] == WT_DER_CONTEXT(0))
			return "a certificate request";
		if (inner.content[0] == 1 && second.tag == WT_DER_SEQUENCE &&
			len > 0 && (data[0] == 0x17 || data[0] == 0x18))
			return "a revocation list";
	}
	return NULL;
}

/*
 * Did a transfer in text mode put a CR before each LF of a DER structure?
 * Without them it is as long as it says, and whole.
 */
bool wt_cert_kind_is_text_mode(const uint8_t *data, size_t len)
{
	struct wt_writer writer = {0};
	struct wt_der element = {0};
	bool is_text_mode = false;

	if (!wt_writer_reserve(&writer, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if (data[i] != '\r' || i + 1 == len || data[i + 1] != '\n')
			wt_writer_bytes(&writer, data + i, 1);
	is_text_mode =
		writer.len < len &&
		wt_der_read(writer.data, writer.len, &element) == WT_DER_OK &&
		element.len == writer.len &&
		wt_der_check(&element) == WT_DER_OK;
	wt_writer_free(&writer);
	return is_text_mode;
}

enum wt_status wt_cert_kind_read_der(struct wt_cert_list *list,
	const uint8_t *der, size_t der_len, const char *object,
	struct wt_error *err)
{
	const char *name = NULL;

	if (wt_pkcs7_is_likely(der, der_len))
		return wt_pkcs7_read(list, der, der_len, object, err);
	name = der_name(der, der_len);
	if (name && strcmp(name, "PKCS#12") == 0)
		return pkcs12_fail(err, object);
	if (name)
		return none_fail(err, object, name);
	return wt_cert_list_add_der(list, der, der_len, object, err);
}

/*
 * SEQUENCE, SEQUENCE, then the version or the serial number:
 *
 *   30 82 .. .. 30 82 .. .. A0 03 02 01    version 2 or 3
 *   30 82 .. .. 30 82 .. .. 02             version 1
 */
bool wt_cert_kind_is_der(const uint8_t *data, size_t len)
{
	size_t inner = 0;

	if (len < 16 || data[0] != WT_DER_SEQUENCE || data[1] != 0x82)
		return false;
	if (wt_pkcs7_is_likely(data, len))
		return true;
	if (data[4] != WT_DER_SEQUENCE || (data[5] != 0x82 && data[5] != 0x81))
		return false;
	inner = data[5] == 0x82 ? 8 : 7;
	return data[inner] == WT_DER_INTEGER ||
	       (data[inner] == WT_DER_CONTEXT(0) && data[inner + 1] == 3 &&
		       data[inner + 2] == WT_DER_INTEGER);
}

/* The kind of a file that is known by its bytes, whatever certificates are in
 * it. */
static const struct wt_sniff *binary_sniff(const uint8_t *data, size_t len)
{
	size_t tail_len = len < WT_SNIFF_TAIL_LEN ? len : WT_SNIFF_TAIL_LEN;

	return wt_sniff_binary(data, len, data + len - tail_len, tail_len);
}

enum wt_status wt_cert_kind_unknown(const uint8_t *data, size_t len,
	const char *object, struct wt_error *err)
{
	const struct wt_sniff *what = binary_sniff(data, len);

	if (!what)
		what = wt_sniff_text((const char *)data, len);
	if (!what) {
		wt_fail(err, WT_ERR_CERT, "cert-none", object,
			"there is no certificate in it");
		wt_error_hint(err, "certificates come as PEM, DER, PKCS#7 "
				   "(.p7b), .sst, .reg or a registry value");
		return WT_ERR_CERT;
	}
	none_fail(err, object, what->name);
	if (what->for_cert)
		wt_error_hint_file(err, what->for_cert, object);
	return WT_ERR_CERT;
}

static enum wt_status text_read(struct wt_cert_list *list, const uint8_t *text,
	size_t len, const char *object, unsigned depth, struct wt_error *err)
{
	size_t bom = starts_with(text, len, "\xEF\xBB\xBF") ? 3 : 0;

	if (wt_regfile_is_likely((const char *)text + bom, len - bom))
		return wt_regfile_read(
			list, (const char *)text + bom, len - bom, object, err);
	return wt_scan_read(list, text, len, object, depth, false, err);
}

/* A copy in UTF-8, wiped afterwards: there may be a key in it. */
static enum wt_status utf16_read(struct wt_cert_list *list, const uint8_t *data,
	size_t len, bool is_big_endian, const char *object, unsigned depth,
	struct wt_error *err)
{
	struct wt_writer text = {0};
	enum wt_status ret = WT_OK;

	/* At most three bytes for each unit: never grown, so never copied. */
	if (wt_writer_reserve(&text, len / 2 * 3 + 3))
		wt_text_from_utf16(&text, data, len, is_big_endian);
	/* Half of a character that ASCII or the other order ends with. */
	if (len % 2 == 1 && data[len - 1] < 0x80)
		wt_writer_bytes(&text, data + len - 1, 1);
	if (text.has_failed)
		ret = wt_fail_memory(err);
	else
		ret = text_read(list, text.data, text.len, object, depth, err);
	if (text.data)
		OPENSSL_cleanse(text.data, text.len);
	wt_writer_free(&text);
	return ret;
}

static enum wt_status blob_read(struct wt_cert_list *list, const uint8_t *data,
	size_t len, const char *object, struct wt_error *err)
{
	struct wt_cert *cert = NULL;
	enum wt_status ret =
		wt_certblob_decode(data, len, NULL, object, &cert, err);

	return ret == WT_OK ? wt_cert_list_add(list, cert, err) : ret;
}

enum wt_status wt_cert_kind_read_inner(struct wt_cert_list *list,
	const uint8_t *data, size_t data_len, const char *object,
	unsigned depth, struct wt_error *err)
{
	bool is_big_endian = false;
	size_t bom = 0;

	if (depth > DEPTH_MAX)
		return wt_fail(err, WT_ERR_CERT, "cert-none", object,
			"it is encoded in Base64 more than %d times",
			DEPTH_MAX);
	if (data_len == 0)
		return wt_fail(
			err, WT_ERR_CERT, "cert-empty", object, "it is empty");
	if (is_der(data, data_len))
		return wt_scan_read(
			list, data, data_len, object, depth, true, err);
	if (wt_sstfile_is_likely(data, data_len))
		return wt_sstfile_read(list, data, data_len, object, err);
	if (wt_certblob_is_likely(data, data_len))
		return blob_read(list, data, data_len, object, err);
	if (binary_sniff(data, data_len))
		return wt_cert_kind_unknown(data, data_len, object, err);
	if (is_utf16(data, data_len, &is_big_endian, &bom) &&
		wt_scan_is_utf16(data, data_len, is_big_endian))
		return utf16_read(list, data + bom, data_len - bom,
			is_big_endian, object, depth, err);
	return text_read(list, data, data_len, object, depth, err);
}

enum wt_status wt_cert_kind_read(struct wt_cert_list *list, const uint8_t *data,
	size_t data_len, const char *object, struct wt_error *err)
{
	return wt_cert_kind_read_inner(list, data, data_len, object, 0, err);
}
