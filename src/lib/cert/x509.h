/* SPDX-License-Identifier: MIT
 * cert/x509.h: what the modules that know OpenSSL's X.509 share. */
#ifndef WT_CERT_X509_H
#define WT_CERT_X509_H

#include "base/buf.h"
#include "cert/cert.h"

#include <openssl/x509.h>

/** Properties that limit: 0x09, 0x68, 0x7A, 0x7E, 0x7F and 0x80. */
#define WT_LIMITS_MAX 6

/** The parsed form of the certificate; info points into the rest. */
struct wt_cert {
	struct wt_cert_info info;
	struct wt_cert_limits limits;
	uint8_t sha1[WT_SHA1_LEN];
	uint8_t sha256[WT_SHA256_LEN];
	X509 *x509;
	int key_nid; /**< NID_undef: a kind that OpenSSL cannot read */
	unsigned exponent_bits; /**< of an RSA key */
	int hash_nid; /**< of the signature; NID_undef: none of its own */
	bool is_self_issued_only; /**< see wt_cert_is_self_issued_only() */
	/** info.is_self_signed follows from the names; it is not verified. */
	bool is_self_unverified;
	uint8_t *der;
	char *subject;
	char *issuer;
	char *serial;
	char *key;
	char *signature;
	char *source;
	char *friendly_name;
	struct wt_limit limit_list[WT_LIMITS_MAX];
	char *limits_text;
	struct wt_writer *value; /**< see wt_cert_value() */
	struct wt_origin origin;
	bool has_odd_date;
};

/** Reads the public key of cert->x509: key, key_nid, exponent_bits and
 *  info.key_bits. @return WT_ERR_CERT (cert-malformed) */
enum wt_status wt_cert_key_read(
	struct wt_cert *cert, const char *object, struct wt_error *err);

/** The long name of an algorithm, or its numbers; NULL without memory. The
 *  caller frees it. */
char *wt_cert_algorithm_name(const ASN1_OBJECT *object);

#endif
