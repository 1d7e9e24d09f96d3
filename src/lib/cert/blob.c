/* SPDX-License-Identifier: MIT
 * cert/blob.c: a certificate's registry value, bytes in and bytes out. */
#include "cert/blob.h"

#include "base/text.h"
#include "cert/der.h"
#include "cert/limits.h"
#include "cert/x509.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define ENCODING_X509 1

/* Property ids are 16-bit (CERT_LAST_USER_PROP_ID is 0xFFFF). */
#define PROP_ID_MAX 0xFFFF

/* Seconds between 1601 and 1970, and FILETIME ticks in a second. */
#define FILETIME_EPOCH INT64_C(11644473600)
#define FILETIME_SECOND 10000000

bool wt_property_next(
	struct wt_reader *reader, struct wt_property *ret_property)
{
	struct wt_property property = {0};

	property.id = wt_reader_u32(reader);
	property.encoding = wt_reader_u32(reader);
	property.data_len = wt_reader_u32(reader);
	property.data = wt_reader_bytes(reader, property.data_len);
	if (reader->has_failed)
		return false;
	*ret_property = property;
	return true;
}

bool wt_certblob_is_likely(const uint8_t *data, size_t data_len)
{
	struct wt_reader reader = wt_reader_init(data, data_len);
	uint32_t id = wt_reader_u32(&reader);

	return wt_reader_u32(&reader) == ENCODING_X509 && id > 0 &&
	       id <= PROP_ID_MAX && wt_reader_left(&reader) >= 4;
}

/* The parts of the DER that properties are computed from. */
struct parts {
	struct wt_der tbs;
	struct wt_der key_info; /* SubjectPublicKeyInfo */
	const uint8_t *key;	/* contents of its BIT STRING */
	size_t key_len;
};

/* SubjectPublicKeyInfo comes after the version (which may be left out),
 * serial number, signature, issuer, validity and subject. */
#define BEFORE_KEY_INFO 5

static bool parts_get(const struct wt_cert *cert, struct parts *ret_parts)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(cert->x509);
	struct wt_der outer = {0};
	const uint8_t *data = NULL;
	size_t len = 0;
	int left = BEFORE_KEY_INFO + 1;

	ret_parts->key = ASN1_STRING_get0_data(key);
	ret_parts->key_len = (size_t)ASN1_STRING_length(key);
	if (wt_der_read(cert->info.der, cert->info.der_len, &outer) !=
			WT_DER_OK ||
		wt_der_read(outer.content, outer.content_len,
			&ret_parts->tbs) != WT_DER_OK)
		return false;
	data = ret_parts->tbs.content;
	len = ret_parts->tbs.content_len;
	while (left > 0) {
		if (wt_der_next(&data, &len, &ret_parts->key_info) != WT_DER_OK)
			return false;
		left -= ret_parts->key_info.tag == WT_DER_CONTEXT(0) ? 0 : 1;
	}
	return true;
}

/* 0 without memory, and in a FIPS build that has no MD5. */
static size_t hash(int nid, const void *data, size_t len,
	uint8_t ret_hash[EVP_MAX_MD_SIZE])
{
	const EVP_MD *md = EVP_get_digestbynid(nid);
	unsigned hash_len = 0;

	if (!md || EVP_Digest(data, len, ret_hash, &hash_len, md, NULL) != 1)
		return 0;
	return hash_len;
}

/*
 * The signature's own hash; where the signature has none, the one of that
 * size. NID_undef: it cannot be computed, and so contradicts nothing.
 */
static int signature_hash_nid(const struct wt_cert *cert, size_t len)
{
	if (cert->hash_nid != NID_undef)
		return wt_cert_is_hash_gone(cert) ? NID_undef : cert->hash_nid;
	switch (len) {
	case 20:
		return NID_sha1;
	case 32:
		return NID_sha256;
	case 48:
		return NID_sha384;
	case 64:
		return NID_sha512;
	default:
		return NID_undef;
	}
}

/* What a property is a hash of, and by which algorithm. */
struct hashed {
	int nid; /* NID_undef: it is no hash, or cannot be computed */
	const uint8_t *data;
	size_t len;
};

static bool hashed_get(const struct wt_cert *cert,
	const struct wt_property *property, struct hashed *ret_hashed)
{
	struct hashed hashed = {NID_undef, cert->info.der, cert->info.der_len};
	struct parts parts = {0};

	if (!parts_get(cert, &parts))
		return false;
	switch (property->id) {
	case WT_PROP_SHA1:
		hashed.nid = NID_sha1;
		break;
	case WT_PROP_MD5:
		hashed.nid = NID_md5;
		break;
	case WT_PROP_SHA256:
		hashed.nid = NID_sha256;
		break;
	case WT_PROP_PUBLIC_KEY_MD5:
		hashed = (struct hashed){NID_md5, parts.key, parts.key_len};
		break;
	case WT_PROP_SUBJECT_NAME_MD5:
		hashed.nid = NID_md5;
		if (X509_NAME_get0_der(X509_get_subject_name(cert->x509),
			    &hashed.data, &hashed.len) != 1)
			return false;
		break;
	case WT_PROP_KEY_IDENTIFIER:
		/* If the certificate has the extension, the property repeats it
		 * and is no hash. */
		if (!X509_get0_subject_key_id(cert->x509))
			hashed = (struct hashed){NID_sha1, parts.key_info.start,
				parts.key_info.len};
		break;
	case WT_PROP_SIGNATURE_HASH:
		hashed = (struct hashed){
			signature_hash_nid(cert, property->data_len),
			parts.tbs.start, parts.tbs.len};
		break;
	default:
		break;
	}
	*ret_hashed = hashed;
	return true;
}

/* Does a property that is a hash agree? Others always do. */
static enum wt_status hash_check(const struct wt_cert *cert,
	const struct wt_property *property, const char *object,
	struct wt_error *err)
{
	uint8_t expected[EVP_MAX_MD_SIZE] = {0};
	struct hashed hashed = {0};
	size_t len = 0;

	if (!hashed_get(cert, property, &hashed))
		return wt_fail_memory(err);
	if (hashed.nid == NID_undef)
		return WT_OK;
	len = hash(hashed.nid, hashed.data, hashed.len, expected);
	if (len == 0)
		return wt_fail_memory(err);
	if (len != property->data_len ||
		memcmp(expected, property->data, len) != 0) {
		wt_fail(err, WT_ERR_CERT, "blob-bad-hash", object,
			"property 0x%02X is a hash that contradicts the "
			"certificate",
			property->id);
		if (property->id == WT_PROP_KEY_IDENTIFIER)
			wt_error_hint(err,
				"early versions of wimtrust wrote it so: give "
				"the certificate itself (.cer, .pem)");
		return WT_ERR_CERT;
	}
	return WT_OK;
}

static enum wt_status element_fail(struct wt_error *err, const char *object,
	const uint8_t *blob, size_t blob_len, size_t offset)
{
	struct wt_der der = {0};

	if (offset == 0 && wt_der_read(blob, blob_len, &der) == WT_DER_OK &&
		der.tag == WT_DER_SEQUENCE && der.len == blob_len)
		return wt_fail(err, WT_ERR_CERT, "blob-bare-certificate",
			object,
			"the value is the bare certificate without properties, "
			"which Windows does not read");
	return wt_fail(err, WT_ERR_CERT, "blob-truncated", object,
		"the property at byte %zu runs past the value's end at %zu",
		offset, blob_len);
}

/* Looks at all elements, and finds the certificate's. */
static enum wt_status blob_scan(const uint8_t *blob, size_t blob_len,
	const char *object, struct wt_property *ret_cert, struct wt_error *err)
{
	struct wt_reader reader = wt_reader_init(blob, blob_len);
	struct wt_property property = {0};
	bool has_cert = false;

	while (wt_reader_left(&reader) > 0) {
		size_t offset = reader.pos;

		if (!wt_property_next(&reader, &property))
			return element_fail(
				err, object, blob, blob_len, offset);
		if (property.id == 0 || property.id > PROP_ID_MAX ||
			property.encoding != ENCODING_X509)
			return wt_fail(err, WT_ERR_CERT, "blob-bad-header",
				object,
				"no property begins at byte %zu (id 0x%X, "
				"encoding 0x%X)",
				offset, property.id, property.encoding);
		if (property.id != WT_PROP_CERTIFICATE)
			continue;
		if (has_cert)
			return wt_fail(err, WT_ERR_CERT,
				"blob-two-certificates", object,
				"the value holds a second certificate at byte "
				"%zu",
				offset);
		has_cert = true;
		*ret_cert = property;
	}
	if (!has_cert)
		return wt_fail(err, WT_ERR_CERT, "blob-no-certificate", object,
			"the value holds no certificate");
	return WT_OK;
}

static enum wt_status oid_list_read(const struct wt_property *property,
	struct wt_oid_list *list, const char *object, struct wt_error *err)
{
	const uint8_t *end = property->data;
	EXTENDED_KEY_USAGE *usage =
		d2i_EXTENDED_KEY_USAGE(NULL, &end, (long)property->data_len);
	enum wt_status ret = WT_OK;
	int count = usage ? sk_ASN1_OBJECT_num(usage) : 0;
	char text[256] = "";

	/* A property that is there twice: keep the first. */
	if (list->oids)
		goto out;
	if (!usage || end != property->data + property->data_len) {
		ret = wt_fail(err, WT_ERR_CERT, "blob-bad-property", object,
			"property 0x%02X is not a list of usages",
			property->id);
		goto out;
	}
	list->oids = calloc((size_t)count + 1, sizeof(*list->oids));
	if (!list->oids) {
		ret = wt_fail_memory(err);
		goto out;
	}
	for (int i = 0; i < count; i++) {
		OBJ_obj2txt(
			text, sizeof(text), sk_ASN1_OBJECT_value(usage, i), 1);
		list->oids[list->count] = strdup(text);
		if (!list->oids[list->count]) {
			ret = wt_fail_memory(err);
			goto out;
		}
		list->count++;
	}
out:
	EXTENDED_KEY_USAGE_free(usage);
	return ret;
}

static enum wt_status filetime_read(const struct wt_property *property,
	int64_t *ret_time, const char *object, struct wt_error *err)
{
	struct wt_reader reader =
		wt_reader_init(property->data, property->data_len);
	uint64_t ticks = 0;

	if (property->data_len == 0) {
		*ret_time = WT_TIME_ALWAYS;
		return WT_OK;
	}
	ticks = wt_reader_u64(&reader);
	if (property->data_len != 8)
		return wt_fail(err, WT_ERR_CERT, "blob-bad-property", object,
			"property 0x%02X is not a time", property->id);
	*ret_time = ticks == 0 ? WT_TIME_ALWAYS
			       : (int64_t)(ticks / FILETIME_SECOND) -
					 FILETIME_EPOCH;
	return WT_OK;
}

static enum wt_status friendly_name_read(struct wt_cert *cert,
	const struct wt_property *property, struct wt_error *err)
{
	struct wt_writer text = {0};
	const uint8_t *data = property->data;
	size_t len = 0;

	while (len + 1 < property->data_len && (data[len] || data[len + 1]))
		len += 2;
	wt_text_from_utf16(&text, data, len, false);
	free(cert->friendly_name);
	cert->friendly_name = NULL;
	if (!text.has_failed)
		cert->friendly_name = wt_text_clean_dup(text.data, text.len);
	wt_writer_free(&text);
	cert->info.friendly_name = cert->friendly_name;
	return cert->friendly_name ? WT_OK : wt_fail_memory(err);
}

static enum wt_status property_apply(struct wt_cert *cert,
	const struct wt_property *property, const char *object,
	struct wt_error *err)
{
	struct wt_cert_limits *limits = &cert->limits;

	switch (property->id) {
	case WT_PROP_FRIENDLY_NAME:
		return friendly_name_read(cert, property, err);
	case WT_PROP_USAGE:
		limits->has_usage = true;
		return oid_list_read(property, &limits->usage, object, err);
	case WT_PROP_DISALLOWED_FROM:
		limits->is_disallowed = true;
		return filetime_read(
			property, &limits->disallowed_from, object, err);
	case WT_PROP_DISALLOWED_USAGE:
		limits->has_disallowed_usage = true;
		return oid_list_read(
			property, &limits->disallowed_usage, object, err);
	case WT_PROP_NOT_BEFORE:
		limits->has_not_before = true;
		return filetime_read(
			property, &limits->not_before, object, err);
	case WT_PROP_NOT_BEFORE_USAGE:
		limits->has_not_before_usage = true;
		return oid_list_read(
			property, &limits->not_before_usage, object, err);
	case WT_PROP_DISALLOWED_CA:
		limits->has_disallowed_ca = true;
		return filetime_read(
			property, &limits->disallowed_ca_from, object, err);
	default:
		return WT_OK;
	}
}

static enum wt_status properties_apply(struct wt_cert *cert,
	const uint8_t *blob, size_t blob_len, const char *object,
	struct wt_error *err)
{
	struct wt_reader reader = wt_reader_init(blob, blob_len);
	struct wt_property property = {0};
	enum wt_status ret = WT_OK;

	ERR_set_mark();
	while (ret == WT_OK && wt_reader_left(&reader) > 0 &&
		wt_property_next(&reader, &property)) {
		ret = hash_check(cert, &property, object, err);
		if (ret == WT_OK)
			ret = property_apply(cert, &property, object, err);
	}
	ERR_pop_to_mark();
	return ret == WT_OK ? wt_limits_describe(cert, err) : ret;
}

typedef enum wt_status cert_parser(const uint8_t *der, size_t der_len,
	const char *object, struct wt_cert **ret_cert, struct wt_error *err);

static enum wt_status decode(const uint8_t *blob, size_t blob_len,
	cert_parser *parse, const char *key, const char *object,
	struct wt_cert **ret_cert, struct wt_error *err)
{
	struct wt_property der = {0};
	struct wt_cert *cert = NULL;
	struct wt_error why = {0};
	enum wt_status ret = blob_scan(blob, blob_len, object, &der, err);

	if (ret != WT_OK)
		return ret;
	ret = parse(der.data, der.data_len, object, &cert, &why);
	if (ret == WT_ERR_CERT)
		return wt_fail(err, WT_ERR_CERT, "blob-bad-certificate", object,
			"%s (%s)", why.reason, why.code);
	if (ret != WT_OK)
		return wt_fail_memory(err);
	if (key && strcasecmp(key, cert->info.sha1) != 0) {
		ret = wt_fail(err, WT_ERR_CERT, "blob-key-mismatch", object,
			"the value holds the certificate %s, but its key is "
			"named %.64s",
			cert->info.sha1, key);
		goto out;
	}
	ret = properties_apply(cert, blob, blob_len, object, err);
	if (ret != WT_OK)
		goto out;
	wt_writer_bytes(cert->value, blob, blob_len);
	if (cert->value->has_failed) {
		ret = wt_fail_memory(err);
		goto out;
	}
	cert->info.blob = cert->value->data;
	cert->info.blob_len = blob_len;
	*ret_cert = cert;
	cert = NULL; /* the caller's now */
out:
	wt_cert_free(cert);
	return ret;
}

enum wt_status wt_certblob_decode(const uint8_t *blob, size_t blob_len,
	const char *key, const char *object, struct wt_cert **ret_cert,
	struct wt_error *err)
{
	return decode(
		blob, blob_len, wt_cert_from_der, key, object, ret_cert, err);
}

enum wt_status wt_certblob_decode_unverified(const uint8_t *blob,
	size_t blob_len, const char *object, struct wt_cert **ret_cert,
	struct wt_error *err)
{
	return decode(blob, blob_len, wt_cert_from_der_unverified, NULL, object,
		ret_cert, err);
}

static void property_write(
	struct wt_writer *blob, uint32_t id, const void *data, size_t len)
{
	wt_writer_u32(blob, id);
	wt_writer_u32(blob, ENCODING_X509);
	wt_writer_u32(blob, (uint32_t)len);
	wt_writer_bytes(blob, data, len);
}

static void hash_write(struct wt_writer *blob, uint32_t id, int nid,
	const void *data, size_t len)
{
	uint8_t value[EVP_MAX_MD_SIZE] = {0};
	size_t value_len = hash(nid, data, len, value);

	if (value_len == 0)
		blob->has_failed = true;
	property_write(blob, id, value, value_len);
}

/* Source for the case without the extension: CERT_KEY_IDENTIFIER_PROP_ID of
 * CertGetCertificateContextProperty. */
static void key_identifier_write(struct wt_writer *blob,
	const struct wt_cert *cert, const struct parts *parts)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(cert->x509);

	if (id)
		property_write(blob, WT_PROP_KEY_IDENTIFIER,
			ASN1_STRING_get0_data(id),
			(size_t)ASN1_STRING_length(id));
	else
		hash_write(blob, WT_PROP_KEY_IDENTIFIER, NID_sha1,
			parts->key_info.start, parts->key_info.len);
}

/* An empty name writes nothing, which takes a name away. */
static bool friendly_name_write(struct wt_writer *blob, const char *name)
{
	struct wt_writer text = {0};
	bool is_utf8 = true;

	if (!name || name[0] == '\0')
		return true;
	is_utf8 = wt_text_to_utf16le(&text, name, strlen(name));
	wt_writer_u16(&text, 0);
	if (text.has_failed)
		blob->has_failed = true;
	else if (is_utf8)
		property_write(
			blob, WT_PROP_FRIENDLY_NAME, text.data, text.len);
	wt_writer_free(&text);
	return is_utf8;
}

/* What the caller wants in a value in place of what was read. */
struct wish {
	const char *friendly_name; /* NULL: as it was */
	bool has_usages;	   /* these replace all limits */
	const uint8_t *usages;	   /* DER; NULL: no limit */
	size_t usages_len;
};

/* The properties before the certificate. */
static bool wish_write(struct wt_writer *blob, const struct wish *wish)
{
	if (wish->usages)
		property_write(
			blob, WT_PROP_USAGE, wish->usages, wish->usages_len);
	return friendly_name_write(blob, wish->friendly_name);
}

/* The seven properties that Windows 10 writes, in its order. */
static void value_make(struct wt_writer *value, const struct wt_cert *cert)
{
	const struct wt_cert_info *info = &cert->info;
	struct parts parts = {0};
	struct wt_writer bits = {0};

	if (!parts_get(cert, &parts)) {
		value->has_failed = true;
		return;
	}
	hash_write(value, WT_PROP_MD5, NID_md5, info->der, info->der_len);
	/* Left out where the signature has no hash, or one that is gone. */
	if (!wt_cert_is_hash_gone(cert))
		hash_write(value, WT_PROP_SIGNATURE_HASH, cert->hash_nid,
			parts.tbs.start, parts.tbs.len);
	key_identifier_write(value, cert, &parts);
	hash_write(value, WT_PROP_PUBLIC_KEY_MD5, NID_md5, parts.key,
		parts.key_len);
	hash_write(value, WT_PROP_SHA1, NID_sha1, info->der, info->der_len);
	if (info->key_bits > 0) {
		wt_writer_u32(&bits, info->key_bits);
		if (bits.has_failed)
			value->has_failed = true;
		else
			property_write(value, WT_PROP_PUBLIC_KEY_BITS,
				bits.data, bits.len);
		wt_writer_free(&bits);
	}
	property_write(value, WT_PROP_CERTIFICATE, info->der, info->der_len);
}

const struct wt_writer *wt_cert_value(const struct wt_cert *cert)
{
	struct wt_writer *value = cert->value;

	if (value->len > 0 && !value->has_failed)
		return value;
	wt_writer_free(value);
	value_make(value, cert);
	return value;
}

static bool is_limit(uint32_t id)
{
	return id == WT_PROP_USAGE || id == WT_PROP_DISALLOWED_FROM ||
	       id == WT_PROP_DISALLOWED_USAGE || id == WT_PROP_NOT_BEFORE ||
	       id == WT_PROP_NOT_BEFORE_USAGE || id == WT_PROP_DISALLOWED_CA;
}

/* Copies a value, with what the wish replaces. */
static bool value_change(struct wt_writer *blob, const struct wt_writer *value,
	const struct wish *wish)
{
	struct wt_reader reader = wt_reader_init(value->data, value->len);
	struct wt_property property = {0};
	bool is_utf8 = true;

	while (wt_reader_left(&reader) > 0 &&
		wt_property_next(&reader, &property)) {
		if ((wish->friendly_name &&
			    property.id == WT_PROP_FRIENDLY_NAME) ||
			(wish->has_usages && is_limit(property.id)))
			continue;
		if (property.id == WT_PROP_CERTIFICATE)
			is_utf8 = wish_write(blob, wish);
		property_write(
			blob, property.id, property.data, property.data_len);
	}
	return is_utf8;
}

enum wt_status wt_cert_value_check(const struct wt_cert *cert,
	const struct wt_writer *value, bool has_name, struct wt_error *err)
{
	if (value->has_failed)
		return wt_fail_memory(err);
	if (value->len <= WT_BLOB_MAX)
		return WT_OK;
	wt_fail(err, WT_ERR_CERT, "blob-too-large", cert->info.subject,
		"its registry value of %zu bytes is larger than the "
		"%d that can be written into a hive",
		value->len, WT_BLOB_MAX);
	if (has_name)
		wt_error_hint(err, "shorten the friendly name");
	wt_error_hint(err, "add this certificate on a running Windows, "
			   "or trust another one of the chain");
	return WT_ERR_CERT;
}

enum wt_status wt_cert_encode(const struct wt_cert *cert,
	const char *friendly_name, const char *usages, uint8_t **ret_blob,
	size_t *ret_blob_len, struct wt_error *err)
{
	struct wish wish = {
		.friendly_name = friendly_name, .has_usages = usages != NULL};
	const struct wt_writer *value = NULL;
	struct wt_writer blob = {0};
	uint8_t *der = NULL;
	enum wt_status ret = WT_OK;
	bool is_utf8 = true;

	if (!(cert && ret_blob && ret_blob_len))
		return wt_fail_argument(err, __func__);
	if (usages)
		ret = wt_usages_encode(usages, &der, &wish.usages_len, err);
	if (ret != WT_OK)
		return ret;
	wish.usages = der;
	value = wt_cert_value(cert);
	if (value->has_failed)
		blob.has_failed = true;
	else if (friendly_name || usages)
		is_utf8 = value_change(&blob, value, &wish);
	else
		wt_writer_bytes(&blob, value->data, value->len);
	OPENSSL_free(der);
	if (!blob.has_failed && !is_utf8)
		ret = wt_fail(err, WT_ERR_USAGE, "friendly-name-not-utf8",
			cert->info.subject,
			"the friendly name is not valid UTF-8");
	else
		ret = wt_cert_value_check(
			cert, &blob, friendly_name != NULL, err);
	if (ret != WT_OK) {
		wt_writer_free(&blob);
		return ret;
	}
	*ret_blob = blob.data; /* the caller's now */
	*ret_blob_len = blob.len;
	return WT_OK;
}
