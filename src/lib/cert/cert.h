/* SPDX-License-Identifier: MIT
 * cert/cert.h: one certificate, and what a registry value said about it. */
#ifndef WT_CERT_CERT_H
#define WT_CERT_CERT_H

#include "base/error.h"

#include <wimtrust/wimtrust.h>

#include <openssl/types.h>

/** Object identifiers in dotted form, owned by the certificate. */
struct wt_oid_list {
	char **oids;
	size_t count;
};

bool wt_oid_list_has(const struct wt_oid_list *list, const char *oid);

/** Larger certificates are refused unread, in bytes: none fits a hive. */
#define WT_CERT_DER_MAX ((size_t)1024 * 1024)

/** What a FILETIME of zero means: from always on. */
#define WT_TIME_ALWAYS INT64_MIN

/**
 * How the properties of a registry value limit the trust in a certificate.
 * Times are seconds since 1970. An ExtKeyUsage may be empty: no use at all.
 */
struct wt_cert_limits {
	bool has_usage; /**< 0x09: trusted for these uses only */
	struct wt_oid_list usage;
	bool is_disallowed; /**< 0x68: not trusted from disallowed_from on */
	int64_t disallowed_from;
	bool has_disallowed_usage; /**< 0x7A: 0x68 is for these uses only */
	struct wt_oid_list disallowed_usage;
	bool has_not_before; /**< 0x7E: what is issued after it is not trusted
			      */
	int64_t not_before;
	bool has_not_before_usage; /**< 0x7F: 0x7E is for these uses only */
	struct wt_oid_list not_before_usage;
	bool has_disallowed_ca; /**< 0x80: as a CA not trusted from then on */
	int64_t disallowed_ca_from;
};

/**
 * Parses one certificate from DER, strictly: what Windows would hash must be
 * what was parsed. A self-issued certificate's own signature is verified.
 *
 * @param object  names the input in messages
 * @return WT_ERR_CERT: cert-truncated, cert-trailing-data, cert-not-der,
 *         cert-malformed, cert-too-large
 */
enum wt_status wt_cert_from_der(const uint8_t *der, size_t der_len,
	const char *object, struct wt_cert **ret_cert, struct wt_error *err);

/**
 * The same for one of many that a server sends: is_self_signed says what the
 * names say, and whoever needs to know verifies it.
 */
enum wt_status wt_cert_from_der_unverified(const uint8_t *der, size_t der_len,
	const char *object, struct wt_cert **ret_cert, struct wt_error *err);

/**
 * Sets whether the certificate's own key verifies its signature, as another
 * process found. No effect if another key signed it.
 */
void wt_cert_take_self(struct wt_cert *cert, bool is_good);

/** NULL allowed. */
void wt_cert_free(struct wt_cert *cert);

/** Borrowed from cert. All false when there was no registry value. */
const struct wt_cert_limits *wt_cert_limits(const struct wt_cert *cert);

/**
 * Is the trust in cert limited to the usages of words, and to nothing else?
 * @return WT_ERR_USAGE: bad-usage
 */
enum wt_status wt_usages_compare(const struct wt_cert *cert, const char *words,
	bool *ret_is_same, struct wt_error *err);

/**
 * The store that its .reg file names, where that narrows what it is trusted
 * for: CA, TrustedPublisher, TrustedPeople or Disallowed; WT_STORE_AUTO
 * otherwise.
 */
enum wt_store wt_cert_stood_in(const struct wt_cert *cert);

/**
 * The store that wt_cert_policy() gives a certificate, whether or not it
 * refuses it; WT_STORE_AUTO when it cannot choose one.
 */
enum wt_store wt_cert_store(
	const struct wt_cert *cert, enum wt_store asked, unsigned allow);

/** The store of an entry of a .reg file; all zero for any other certificate. */
struct wt_origin {
	enum wt_store store; /**< as wt_cert_stood_in() says */
	/** In a store that gives no trust for TLS, and is not in enum wt_store.
	 */
	bool is_elsewhere;
	bool is_user;  /**< among the roots of one user */
	char name[96]; /**< "SmartCardRoot", "Root of the service NTDS" */
};

/** Borrowed from cert. */
const struct wt_origin *wt_cert_origin(const struct wt_cert *cert);
void wt_cert_set_origin(struct wt_cert *cert, const struct wt_origin *origin);

/** Are the dates in a form that RFC 5280 does not allow? Many programs do not
 *  read them, and it is not known whether Windows does. */
bool wt_cert_has_odd_date(const struct wt_cert *cert);

/** SHA-1 of the DER, 20 bytes, borrowed from cert. */
const uint8_t *wt_cert_sha1(const struct wt_cert *cert);
/** SHA-256 of the DER, 32 bytes, borrowed from cert. */
const uint8_t *wt_cert_sha256(const struct wt_cert *cert);

/**
 * Does the signature rest on a hash that is broken (MD2, MD4, MD5, SHA-1)?
 */
bool wt_cert_has_weak_signature(const struct wt_cert *cert);

/**
 * Is the signature's hash one that OpenSSL no longer has, or has it none of
 * its own? Then nothing can be computed with it.
 */
bool wt_cert_is_hash_gone(const struct wt_cert *cert);

/** Is the public key of a kind that this program can judge? */
bool wt_cert_is_key_known(const struct wt_cert *cert);
/** Is the public key elliptic, Ed25519 and Ed448 included? */
bool wt_cert_is_key_elliptic(const struct wt_cert *cert);
/** The largest RSA key and public exponent that anybody computes with. */
#define WT_RSA_BITS_MAX 16384
#define WT_RSA_EXPONENT_BITS_MAX 64
/** Is it an RSA key beyond that? No signature is verified with it. */
bool wt_cert_is_key_too_large(const struct wt_cert *cert);
/** Is it a DSA key? */
bool wt_cert_is_key_dsa(const struct wt_cert *cert);

/**
 * Are subject and issuer one name, although its own key did not sign it, and
 * does nothing say which did? Then it was altered, or another key of that name
 * signed it, as when a CA renews its key.
 */
bool wt_cert_is_self_issued_only(const struct wt_cert *cert);

/** What is known about Windows and an algorithm. */
enum wt_algorithm {
	WT_ALGORITHM_KNOWN = 0,
	WT_ALGORITHM_UNSURE,  /**< nothing established says yes or no */
	WT_ALGORITHM_UNKNOWN, /**< Windows' chain engine refuses it */
};

#define WT_ALGORITHM_TEXT_MAX 128

/**
 * The certificate's public key.
 * @param ret_text  "its key (Ed25519)"; written unless it is known
 */
enum wt_algorithm wt_cert_key_algorithm(
	const struct wt_cert *cert, char ret_text[WT_ALGORITHM_TEXT_MAX]);

/**
 * The hash of its signature; MD5 and older ones are judged elsewhere.
 * @param ret_text  "its signature (RSA-SHA224)"; written unless it is known
 */
enum wt_algorithm wt_cert_signature_algorithm(
	const struct wt_cert *cert, char ret_text[WT_ALGORITHM_TEXT_MAX]);

/** The NID of its signature's hash; NID_undef: none of its own. */
int wt_cert_hash_nid(const struct wt_cert *cert);

/** Was is_self_signed not verified, as wt_cert_from_der_unverified() has it? */
bool wt_cert_is_self_unverified(const struct wt_cert *cert);

/**
 * Does the certificate's own key verify its signature? What OpenSSL cannot
 * verify is taken at its word.
 */
bool wt_cert_verify_self(const struct wt_cert *cert);

/** What it costs to verify cert's signature with issuer's key, in about
 *  microseconds on a machine of 2020. */
uint64_t wt_cert_verify_cost(
	const struct wt_cert *issuer, const struct wt_cert *cert);

/**
 * Names one of several certificates in an input: "bundle.pem" and 3 make
 * "bundle.pem, certificate 3". Cut to the array.
 */
void wt_cert_object(char ret_object[256], const char *object, size_t number);

/**
 * Decodes a registry value. Any order, unknown properties kept.
 *
 * @param key     the name of the value's key, 40 hex digits in any case, or
 *                NULL when it is not below a key
 * @param object  names the value in messages
 * @return WT_ERR_CERT: blob-truncated (an element runs past the end),
 *         blob-bare-certificate (DER without elements), blob-bad-header (an
 *         element's id or encoding), blob-no-certificate,
 *         blob-two-certificates, blob-bad-certificate (its certificate is
 *         refused), blob-bad-hash (a hash contradicts the certificate),
 *         blob-bad-property (a property cannot be read), blob-key-mismatch
 *         (the SHA-1 is not the key's name)
 */
enum wt_status wt_certblob_decode(const uint8_t *blob, size_t blob_len,
	const char *key, const char *object, struct wt_cert **ret_cert,
	struct wt_error *err);

/** The same for a value under any key, without verifying the signature. */
enum wt_status wt_certblob_decode_unverified(const uint8_t *blob,
	size_t blob_len, const char *object, struct wt_cert **ret_cert,
	struct wt_error *err);

/** Borrowed from cert; X509_up_ref() it to keep it. */
X509 *wt_cert_x509(const struct wt_cert *cert);

/**
 * Does reading go on after a certificate that is refused? Then the caller has
 * not been told yet which were.
 */
bool wt_cert_list_keeps_going(const struct wt_cert_list *list);

#endif
