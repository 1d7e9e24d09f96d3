/* SPDX-License-Identifier: MIT
 * cert/pkcs7.c: the certificates of a PKCS#7 SignedData (.p7b, .p7c, .spc). */
#include "cert/kind.h"

#include "cert/der.h"

/*
 * Walked by hand: OpenSSL would encode each certificate again, so that one in
 * BER would get another thumbprint unseen. The frame itself may be in BER
 * (RFC 5652, 5.1):
 *
 *   ContentInfo   SEQUENCE { OID signedData, [0] SignedData }
 *   SignedData    SEQUENCE { INTEGER version, SET digestAlgorithms,
 *                            SEQUENCE encapContentInfo,
 *                            [0] certificates OPTIONAL,
 *                            [1] crls OPTIONAL, SET signerInfos }
 */
static const uint8_t pkcs7_prefix[] = {
	0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07};
#define PKCS7_OID_LEN (sizeof(pkcs7_prefix) + 1)
#define DATA 1
#define SIGNED_DATA 2

/*
 * What is signed, by its content type, where it is not plain data. The
 * certificates in such a file are its signer's, and nobody asked to trust
 * those. A catalogue is a trust list too, and told by its usage.
 */
static const struct {
	uint8_t oid[12];
	size_t len;
	const char *name;
} contents[] = {
	{{0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x0A, 0x01}, 9,
		"a certificate trust list (.stl): it holds thumbprints, not "
		"certificates"},
	{{0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x04}, 10,
		"the signature of a program (Authenticode)"},
	{{0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x04}, 11,
		"a time stamp"},
};
#define TRUST_LIST 0
static const uint8_t catalogue_usage[] = {
	0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x0C, 0x01, 0x01};

/* The element at data must have the tag. */
static bool next(const uint8_t **data, size_t *len, uint8_t tag,
	struct wt_der *ret_element)
{
	return wt_der_next(data, len, ret_element) == WT_DER_OK &&
	       ret_element->tag == tag;
}

/* The first element inside outer, with what follows it there. */
static bool enter(const struct wt_der *outer, uint8_t tag, const uint8_t **data,
	size_t *len, struct wt_der *ret_element)
{
	*data = outer->content;
	*len = outer->content_len;
	return next(data, len, tag, ret_element);
}

/*
 * Only the first bytes, so that a truncated file is known for what it is:
 * SEQUENCE, its length in any form, then the identifier.
 */
bool wt_pkcs7_is_likely(const uint8_t *data, size_t data_len)
{
	size_t pos = 2;

	if (data_len < 2 || data[0] != WT_DER_SEQUENCE)
		return false;
	if (data[1] > 0x80)
		pos += data[1] & 0x7FU;
	if (data_len < pos + 2 + PKCS7_OID_LEN)
		return false;
	return data[pos] == WT_DER_OID && data[pos + 1] == PKCS7_OID_LEN &&
	       wt_der_is_oid(&(struct wt_der){.tag = WT_DER_OID,
				     .content = data + pos + 2,
				     .content_len = sizeof(pkcs7_prefix)},
		       pkcs7_prefix, sizeof(pkcs7_prefix));
}

static enum wt_status malformed(struct wt_error *err, const char *object)
{
	return wt_fail(err, WT_ERR_CERT, "pkcs7-malformed", object,
		"it begins like PKCS#7, but is damaged or incomplete");
}

static enum wt_status certs_add(struct wt_cert_list *list,
	const struct wt_der *certs, const char *object, size_t *ret_count,
	struct wt_error *err)
{
	const uint8_t *data = certs->content;
	size_t len = certs->content_len, count = 0, skipped = 0;
	enum wt_status ret = WT_OK;

	while (ret == WT_OK && len > 0) {
		struct wt_der cert = {0};
		struct wt_error why = {0};
		char name[256] = "";

		if (wt_der_next(&data, &len, &cert) != WT_DER_OK)
			return malformed(err, object);
		/* Attribute certificates and the like have a tag of theirs. */
		if (cert.tag != WT_DER_SEQUENCE) {
			skipped++;
			continue;
		}
		wt_cert_object(name, object, ++count);
		ret = wt_cert_list_add_der(
			list, cert.start, cert.len, name, &why);
		ret = wt_cert_list_refuse(list, ret, &why, err);
	}
	if (ret == WT_OK && skipped > 0)
		ret = wt_cert_list_add_note(list, err,
			"%s: skipped %zu that are not X.509 certificates",
			object, skipped);
	*ret_count = count;
	return ret;
}

/* A trust list begins with its usages: SEQUENCE { SEQUENCE { OID ... } ... } */
static bool is_catalogue(const struct wt_der *content)
{
	struct wt_der list = {0}, usages = {0}, usage = {0};
	const uint8_t *data = NULL;
	size_t len = 0;

	return enter(content, WT_DER_SEQUENCE, &data, &len, &list) &&
	       enter(&list, WT_DER_SEQUENCE, &data, &len, &usages) &&
	       enter(&usages, WT_DER_OID, &data, &len, &usage) &&
	       wt_der_is_oid(&usage, catalogue_usage, sizeof(catalogue_usage));
}

static bool is_plain_data(const struct wt_der *type)
{
	const struct wt_der prefix = {.tag = WT_DER_OID,
		.content = type->content,
		.content_len = sizeof(pkcs7_prefix)};

	return type->content_len == PKCS7_OID_LEN &&
	       wt_der_is_oid(&prefix, pkcs7_prefix, sizeof(pkcs7_prefix)) &&
	       type->content[PKCS7_OID_LEN - 1] == DATA;
}

/* What a PKCS#7 is that signs something; NULL when it is only a bundle. */
static const char *signed_name(
	const struct wt_der *encapsulated, const struct wt_der *signers)
{
	struct wt_der type = {0}, content = {0};
	const uint8_t *data = NULL;
	size_t len = 0;
	bool has_content = false;

	if (!enter(encapsulated, WT_DER_OID, &data, &len, &type))
		return "a signed message";
	has_content = next(&data, &len, WT_DER_CONTEXT(0), &content);
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		if (!wt_der_is_oid(&type, contents[i].oid, contents[i].len))
			continue;
		return i == TRUST_LIST && is_catalogue(&content)
			       ? "a catalogue of signed files (.cat)"
			       : contents[i].name;
	}
	if (!is_plain_data(&type) || has_content)
		return "a signed message (.p7m)";
	return signers->content_len > 0 ? "a signature (.p7s)" : NULL;
}

enum wt_status wt_pkcs7_read(struct wt_cert_list *list, const uint8_t *data,
	size_t data_len, const char *object, struct wt_error *err)
{
	struct wt_der frame = {0}, type = {0}, content = {0}, signed_data = {0};
	struct wt_der field = {0}, encapsulated = {0}, certs = {0};
	size_t count = 0;
	const char *name = NULL;
	enum wt_status ret = WT_OK;

	if (!next(&data, &data_len, WT_DER_SEQUENCE, &frame))
		return malformed(err, object);
	if (data_len > 0)
		return wt_fail(err, WT_ERR_CERT, "cert-trailing-data", object,
			"%zu byte%s after the end of the PKCS#7", data_len,
			data_len == 1 ? "" : "s");
	if (!enter(&frame, WT_DER_OID, &data, &data_len, &type) ||
		type.content_len != PKCS7_OID_LEN)
		return malformed(err, object);
	if (type.content[PKCS7_OID_LEN - 1] != SIGNED_DATA)
		return wt_fail(err, WT_ERR_CERT, "cert-none", object,
			"there is no certificate in it: it is PKCS#7, but not "
			"signed data");
	if (!next(&data, &data_len, WT_DER_CONTEXT(0), &content) ||
		!enter(&content, WT_DER_SEQUENCE, &data, &data_len,
			&signed_data) ||
		!enter(&signed_data, WT_DER_INTEGER, &data, &data_len,
			&field) ||
		!next(&data, &data_len, WT_DER_SET, &field) ||
		!next(&data, &data_len, WT_DER_SEQUENCE, &encapsulated))
		return malformed(err, object);
	/* Certificates and CRLs may be left out; the signers' SET is last. */
	do {
		if (wt_der_next(&data, &data_len, &field) != WT_DER_OK)
			return malformed(err, object);
		if (field.tag == WT_DER_CONTEXT(0))
			certs = field;
	} while (field.tag != WT_DER_SET);
	name = signed_name(&encapsulated, &field);
	if (name) {
		wt_fail(err, WT_ERR_CERT, "pkcs7-not-a-bundle", object,
			"it is %s; the certificates in it are its signer's",
			name);
		wt_error_hint(err, "give the certificate itself that you want "
				   "to trust: .cer, .crt, .pem or .p7b");
		return WT_ERR_CERT;
	}
	if (certs.start)
		ret = certs_add(list, &certs, object, &count, err);
	if (ret == WT_OK && count == 0)
		ret = wt_fail(err, WT_ERR_CERT, "cert-none", object,
			"there is no certificate in it: it is PKCS#7 without "
			"certificates");
	return ret;
}
