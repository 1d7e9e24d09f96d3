/* SPDX-License-Identifier: MIT
 * cert/cert.c: one certificate through OpenSSL, taken strictly. */
#include "cert/cert.h"

#include "base/text.h"
#include "cert/der.h"
#include "cert/limits.h"
#include "cert/x509.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

const struct wt_cert_info *wt_cert_info(const struct wt_cert *cert)
{
	return cert ? &cert->info : NULL;
}

X509 *wt_cert_x509(const struct wt_cert *cert)
{
	return cert->x509;
}

enum wt_store wt_cert_stood_in(const struct wt_cert *cert)
{
	return cert->origin.store;
}

const struct wt_origin *wt_cert_origin(const struct wt_cert *cert)
{
	return &cert->origin;
}

void wt_cert_set_origin(struct wt_cert *cert, const struct wt_origin *origin)
{
	cert->origin = *origin;
}

bool wt_cert_has_odd_date(const struct wt_cert *cert)
{
	return cert->has_odd_date;
}

const struct wt_cert_limits *wt_cert_limits(const struct wt_cert *cert)
{
	return &cert->limits;
}

const uint8_t *wt_cert_sha1(const struct wt_cert *cert)
{
	return cert->sha1;
}

const uint8_t *wt_cert_sha256(const struct wt_cert *cert)
{
	return cert->sha256;
}

bool wt_cert_has_weak_signature(const struct wt_cert *cert)
{
	return cert->hash_nid == NID_sha1 || cert->hash_nid == NID_md5 ||
	       cert->hash_nid == NID_md5_sha1 || cert->hash_nid == NID_md4 ||
	       cert->hash_nid == NID_md2;
}

/*
 * By OpenSSL's table, not by fetching: that fails without memory as well, and
 * then a signature would go unverified. MD4 is in the table, but only the
 * legacy provider has it.
 */
bool wt_cert_is_hash_gone(const struct wt_cert *cert)
{
	return cert->hash_nid == NID_undef || cert->hash_nid == NID_md4 ||
	       !EVP_get_digestbynid(cert->hash_nid);
}

bool wt_cert_is_self_issued_only(const struct wt_cert *cert)
{
	return cert->is_self_issued_only;
}

void wt_cert_object(char ret_object[256], const char *object, size_t number)
{
	char copy[200] = "";

	snprintf(copy, sizeof(copy), "%s", object ? object : "");
	wt_text_cut(copy, sizeof(copy));
	snprintf(ret_object, 256, "%s, certificate %zu", copy, number);
}

static void oid_list_free(struct wt_oid_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->oids[i]);
	free(list->oids);
	*list = (struct wt_oid_list){0};
}

void wt_cert_free(struct wt_cert *cert)
{
	if (!cert)
		return;
	oid_list_free(&cert->limits.usage);
	oid_list_free(&cert->limits.disallowed_usage);
	oid_list_free(&cert->limits.not_before_usage);
	X509_free(cert->x509);
	free(cert->der);
	free(cert->subject);
	free(cert->issuer);
	free(cert->serial);
	free(cert->key);
	free(cert->signature);
	free(cert->source);
	free(cert->friendly_name);
	wt_limits_free(cert);
	if (cert->value)
		wt_writer_free(cert->value);
	free(cert->value);
	free(cert);
}

void wt_free(void *data)
{
	free(data);
}

static char *bio_take(BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	return len < 0 ? NULL
		       : wt_text_clean_dup(data ? data : "", (size_t)len);
}

/*
 * RFC 2253 without the escaping of bytes over 0x7F, so that UTF-8 stays
 * readable. OpenSSL refuses a name whose strings are not what their type says
 * when it parses it, so nothing but memory should fail here.
 */
static char *name_text(const X509_NAME *name)
{
	const unsigned long flags =
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;

	if (bio && X509_NAME_print_ex(bio, name, 0, flags) >= 0)
		text = bio_take(bio);
	BIO_free(bio);
	return text;
}

/* The number's own bytes, so that a negative one looks as on Windows. */
static char *serial_text(const X509 *x509)
{
	struct wt_der serial = {0};
	uint8_t *der = NULL;
	char *text = NULL;
	int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &der);

	if (len <= 0 || wt_der_read(der, (size_t)len, &serial) != WT_DER_OK)
		goto out;
	/* the zero that keeps a high first bit from meaning a minus */
	if (serial.content_len > 1 && serial.content[0] == 0) {
		serial.content++;
		serial.content_len--;
	}
	text = malloc(2 * serial.content_len + 1);
	if (text)
		wt_text_hex(serial.content, serial.content_len, text);
out:
	OPENSSL_free(der);
	return text;
}

/* YYMMDDHHMMSSZ, and four digits of the year from 2050 on: RFC 5280. */
static bool is_odd_date(const ASN1_TIME *time)
{
	const unsigned char *text = ASN1_STRING_get0_data(time);
	int len = ASN1_STRING_length(time);
	int wanted = ASN1_STRING_type(time) == V_ASN1_UTCTIME ? 13 : 15;

	if (len != wanted || text[len - 1] != 'Z')
		return true;
	for (int i = 0; i < len - 1; i++)
		if (text[i] < '0' || text[i] > '9')
			return true;
	return false;
}

static bool time_get(const ASN1_TIME *time, int64_t *ret_time)
{
	struct tm tm = {0};

	if (!time || ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	*ret_time = timegm(&tm);
	return true;
}

/*
 * Whose key signed a certificate whose subject and issuer are one name? The
 * authority key identifier may say that it was its own, or another key (a new
 * root that the old one signed has that). Where it says neither, only the
 * signature tells.
 */
enum self_issue { SELF_OTHER = 0, SELF_PERHAPS, SELF_OWN };

static enum self_issue self_issue_of(X509 *x509)
{
	const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(x509);
	const ASN1_OCTET_STRING *issuer = X509_get0_authority_key_id(x509);
	const ASN1_INTEGER *serial = X509_get0_authority_serial(x509);

	if (X509_NAME_cmp(X509_get_subject_name(x509),
		    X509_get_issuer_name(x509)) != 0)
		return SELF_OTHER;
	if (own && issuer && ASN1_OCTET_STRING_cmp(own, issuer) != 0)
		return SELF_OTHER;
	if (serial &&
		ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(x509)) != 0)
		return SELF_OTHER;
	return (own && issuer) || serial ? SELF_OWN : SELF_PERHAPS;
}

/*
 * OpenSSL no longer has MD2, and there are keys that it cannot read or that
 * cost too much. Two roots in Microsoft's own list are signed so. What cannot
 * be verified is taken at its word: a root's signature by itself proves
 * nothing but that its bytes are whole, and the hashes in a registry value
 * show that as well.
 */
static bool is_verifiable(const struct wt_cert *cert)
{
	if (cert->key_nid == NID_undef || wt_cert_is_key_too_large(cert))
		return false;
	return cert->hash_nid == NID_undef || !wt_cert_is_hash_gone(cert);
}

static void signature_hash_read(struct wt_cert *cert)
{
	int nid = NID_undef, key_nid = NID_undef;

	OBJ_find_sigid_algs(X509_get_signature_nid(cert->x509), &nid, &key_nid);
	/* RSA-PSS says its hash in its parameters. */
	X509_get_signature_info(cert->x509, &cert->hash_nid, NULL, NULL, NULL);
	if (cert->hash_nid == NID_undef && nid != NID_undef)
		cert->hash_nid = nid;
}

bool wt_cert_verify_self(const struct wt_cert *cert)
{
	const X509_ALGOR *algorithm = NULL;
	int nid = NID_undef, key_nid = NID_undef;
	bool is_good = false;

	X509_get0_signature(NULL, &algorithm, cert->x509);
	if (X509_ALGOR_cmp(algorithm, X509_get0_tbs_sigalg(cert->x509)) != 0)
		return false;
	if (OBJ_find_sigid_algs(
		    X509_get_signature_nid(cert->x509), &nid, &key_nid) != 1 ||
		!is_verifiable(cert))
		return true;
	ERR_set_mark();
	is_good = X509_verify(cert->x509, X509_get0_pubkey(cert->x509)) == 1;
	ERR_pop_to_mark();
	return is_good;
}

/* basicConstraints and keyUsage as OpenSSL reads them; version 1 has none. */
static bool is_ca(struct wt_cert *cert)
{
	if (X509_get_version(cert->x509) == X509_VERSION_1)
		return cert->info.is_self_signed;
	return X509_check_ca(cert->x509) == 1;
}

/* Whether the certificate signed itself, and what follows from that. */
static void self_note(struct wt_cert *cert, enum self_issue issue, bool is_good)
{
	cert->info.is_self_signed = issue != SELF_OTHER && is_good;
	cert->is_self_issued_only =
		issue == SELF_PERHAPS && !cert->info.is_self_signed;
	cert->info.has_bad_signature =
		issue == SELF_OWN && !cert->info.is_self_signed;
	cert->info.is_self_signed |= cert->info.has_bad_signature;
	cert->info.is_ca = is_ca(cert);
}

static void self_signature_check(struct wt_cert *cert, bool is_verified)
{
	enum self_issue issue = self_issue_of(cert->x509);

	signature_hash_read(cert);
	cert->is_self_unverified = issue != SELF_OTHER && !is_verified;
	self_note(cert, issue,
		cert->is_self_unverified ||
			(issue != SELF_OTHER && wt_cert_verify_self(cert)));
}

void wt_cert_take_self(struct wt_cert *cert, bool is_good)
{
	cert->is_self_unverified = false;
	self_note(cert, self_issue_of(cert->x509), is_good);
}

static enum wt_status info_fill(struct wt_cert *cert, bool is_verified,
	const char *object, struct wt_error *err)
{
	struct wt_cert_info *info = &cert->info;
	const X509_ALGOR *algorithm = NULL;
	const ASN1_OBJECT *signature = NULL;
	enum wt_status ret = WT_OK;

	if (!time_get(X509_get0_notBefore(cert->x509), &info->not_before) ||
		!time_get(X509_get0_notAfter(cert->x509), &info->not_after))
		return wt_fail(err, WT_ERR_CERT, "cert-malformed", object,
			"the certificate's validity is not a readable date");
	cert->has_odd_date = is_odd_date(X509_get0_notBefore(cert->x509)) ||
			     is_odd_date(X509_get0_notAfter(cert->x509));
	X509_get0_signature(NULL, &algorithm, cert->x509);
	X509_ALGOR_get0(&signature, NULL, NULL, algorithm);
	cert->subject = name_text(X509_get_subject_name(cert->x509));
	cert->issuer = name_text(X509_get_issuer_name(cert->x509));
	cert->serial = serial_text(cert->x509);
	cert->signature = wt_cert_algorithm_name(signature);
	cert->source = wt_text_clean_dup(
		object ? object : "", object ? strlen(object) : 0);
	if (!cert->source || !cert->subject || !cert->issuer || !cert->serial ||
		!cert->signature)
		return wt_fail_memory(err);
	ret = wt_cert_key_read(cert, object, err);
	if (ret != WT_OK)
		return ret;
	info->subject = cert->subject;
	info->issuer = cert->issuer;
	info->serial = cert->serial;
	info->signature = cert->signature;
	info->source = cert->source;
	info->key = cert->key;
	self_signature_check(cert, is_verified);
	return WT_OK;
}

/* What is to be hashed must be exactly one certificate, and in DER. */
static enum wt_status der_check(const uint8_t *der, size_t der_len,
	const char *object, struct wt_error *err)
{
	struct wt_der element = {0};
	enum wt_der_status status = wt_der_read(der, der_len, &element);

	if (der_len > WT_CERT_DER_MAX)
		return wt_fail(err, WT_ERR_CERT, "cert-too-large", object,
			"it is larger than any certificate (%zu bytes)",
			der_len);
	if (status == WT_DER_OK && element.tag != WT_DER_SEQUENCE)
		status = WT_DER_INVALID;
	if (status == WT_DER_OK && element.len != der_len)
		return wt_fail(err, WT_ERR_CERT, "cert-trailing-data", object,
			"%zu byte%s after the certificate's end",
			der_len - element.len,
			der_len - element.len == 1 ? "" : "s");
	if (status == WT_DER_OK)
		status = wt_der_check(&element);
	if (status == WT_DER_TRUNCATED)
		return wt_fail(err, WT_ERR_CERT, "cert-truncated", object,
			"the certificate ends before its own length says");
	if (status == WT_DER_NOT_DER) {
		wt_fail(err, WT_ERR_CERT, "cert-not-der", object,
			"the certificate is encoded in BER, not in DER: its "
			"thumbprint would depend on who reads it");
		wt_error_hint(err, "ask the issuer for the certificate in DER");
		return WT_ERR_CERT;
	}
	if (status != WT_DER_OK)
		return wt_fail(err, WT_ERR_CERT, "cert-malformed", object,
			"this is not a certificate");
	return WT_OK;
}

/* Parsing and encoding again must give the input: fact 4 of the design. */
static enum wt_status x509_parse(struct wt_cert *cert, const uint8_t *der,
	size_t der_len, const char *object, struct wt_error *err)
{
	const uint8_t *end = der;
	uint8_t *again = NULL;
	int again_len = 0;
	bool is_same = false;

	cert->x509 = d2i_X509(NULL, &end, (long)der_len);
	if (!cert->x509) {
		unsigned long code = ERR_peek_last_error();
		const char *reason = ERR_reason_error_string(code);

		wt_fail(err, WT_ERR_CERT, "cert-malformed", object,
			"this is not a certificate, or it is damaged (%s)",
			reason ? reason : "unknown");
		wt_error_native(err, WT_DOMAIN_OPENSSL, ERR_GET_REASON(code));
		return WT_ERR_CERT;
	}
	again_len = i2d_X509(cert->x509, &again);
	if (again_len < 0)
		return wt_fail_memory(err);
	is_same = end == der + der_len && (size_t)again_len == der_len &&
		  memcmp(again, der, der_len) == 0;
	OPENSSL_free(again);
	if (!is_same)
		return wt_fail(err, WT_ERR_CERT, "cert-not-der", object,
			"the certificate is not encoded in DER");
	return WT_OK;
}

static enum wt_status cert_fill(struct wt_cert *cert, const uint8_t *der,
	size_t der_len, bool is_verified, const char *object,
	struct wt_error *err)
{
	enum wt_status ret = x509_parse(cert, der, der_len, object, err);

	if (ret != WT_OK)
		return ret;
	cert->der = malloc(der_len);
	if (!cert->der)
		return wt_fail_memory(err);
	memcpy(cert->der, der, der_len);
	cert->info.der = cert->der;
	cert->info.der_len = der_len;
	if (EVP_Digest(der, der_len, cert->sha1, NULL, EVP_sha1(), NULL) != 1 ||
		EVP_Digest(der, der_len, cert->sha256, NULL, EVP_sha256(),
			NULL) != 1)
		return wt_fail_memory(err);
	wt_text_hex(cert->sha1, WT_SHA1_LEN, cert->info.sha1);
	wt_text_hex(cert->sha256, WT_SHA256_LEN, cert->info.sha256);
	return info_fill(cert, is_verified, object, err);
}

static enum wt_status from_der(const uint8_t *der, size_t der_len,
	bool is_verified, const char *object, struct wt_cert **ret_cert,
	struct wt_error *err)
{
	enum wt_status ret = der_check(der, der_len, object, err);
	struct wt_cert *cert = NULL;

	if (ret != WT_OK)
		return ret;
	cert = calloc(1, sizeof(*cert));
	if (cert)
		cert->value = calloc(1, sizeof(*cert->value));
	if (!cert || !cert->value) {
		wt_cert_free(cert);
		return wt_fail_memory(err);
	}
	/* OpenSSL's queue is the caller's: leave it as it was. */
	ERR_set_mark();
	ret = cert_fill(cert, der, der_len, is_verified, object, err);
	ERR_pop_to_mark();
	if (ret != WT_OK) {
		wt_cert_free(cert);
		return ret;
	}
	*ret_cert = cert;
	return WT_OK;
}

enum wt_status wt_cert_from_der(const uint8_t *der, size_t der_len,
	const char *object, struct wt_cert **ret_cert, struct wt_error *err)
{
	return from_der(der, der_len, true, object, ret_cert, err);
}

enum wt_status wt_cert_from_der_unverified(const uint8_t *der, size_t der_len,
	const char *object, struct wt_cert **ret_cert, struct wt_error *err)
{
	return from_der(der, der_len, false, object, ret_cert, err);
}

enum wt_status wt_cert_to_pem(
	const struct wt_cert *cert, char **ret_pem, struct wt_error *err)
{
	BIO *bio = NULL;
	char *data = NULL, *pem = NULL;
	long len = 0;

	if (!(cert && ret_pem))
		return wt_fail_argument(err, __func__);
	bio = BIO_new(BIO_s_mem());
	if (bio && PEM_write_bio_X509(bio, cert->x509) == 1)
		len = BIO_get_mem_data(bio, &data);
	if (len > 0)
		pem = strndup(data, (size_t)len);
	BIO_free(bio);
	if (!pem)
		return wt_fail_memory(err);
	*ret_pem = pem;
	return WT_OK;
}
