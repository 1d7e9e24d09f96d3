/* SPDX-License-Identifier: MIT
 * cert/algorithm.c: does Windows know a certificate's key and signature?
 *
 * Its documentation names RSA, DSA and ECDSA with MD5, SHA-1, SHA-256, SHA-384
 * and SHA-512, and the curves P-256, P-384 and P-521. Ed25519 is known to be
 * refused. About the rest nothing is established.
 */
#include "cert/cert.h"

#include "cert/x509.h"

#include <stdio.h>
#include <string.h>

#include <openssl/obj_mac.h>

static bool is_known_curve(const char *key)
{
	return strcmp(key, "EC P-256") == 0 || strcmp(key, "EC P-384") == 0 ||
	       strcmp(key, "EC P-521") == 0;
}

enum wt_algorithm wt_cert_key_algorithm(
	const struct wt_cert *cert, char ret_text[WT_ALGORITHM_TEXT_MAX])
{
	enum wt_algorithm state = WT_ALGORITHM_UNKNOWN;

	switch (cert->key_nid) {
	case NID_rsaEncryption:
	case NID_dsa:
		return WT_ALGORITHM_KNOWN;
	case NID_X9_62_id_ecPublicKey:
		if (is_known_curve(cert->info.key))
			return WT_ALGORITHM_KNOWN;
		state = WT_ALGORITHM_UNSURE;
		break;
	case NID_rsassaPss:
		state = WT_ALGORITHM_UNSURE;
		break;
	default:
		break;
	}
	snprintf(ret_text, WT_ALGORITHM_TEXT_MAX, "its key (%.100s)",
		cert->info.key);
	return state;
}

enum wt_algorithm wt_cert_signature_algorithm(
	const struct wt_cert *cert, char ret_text[WT_ALGORITHM_TEXT_MAX])
{
	enum wt_algorithm state = WT_ALGORITHM_UNSURE;

	switch (cert->hash_nid) {
	case NID_md2:
	case NID_md4:
	case NID_md5:
	case NID_sha1:
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
		return WT_ALGORITHM_KNOWN;
	case NID_undef:
		state = WT_ALGORITHM_UNKNOWN;
		break;
	default:
		break;
	}
	snprintf(ret_text, WT_ALGORITHM_TEXT_MAX, "its signature (%.100s)",
		cert->info.signature);
	return state;
}

int wt_cert_hash_nid(const struct wt_cert *cert)
{
	return cert->hash_nid;
}

bool wt_cert_is_self_unverified(const struct wt_cert *cert)
{
	return cert->is_self_unverified;
}

uint64_t wt_cert_verify_cost(
	const struct wt_cert *issuer, const struct wt_cert *cert)
{
	uint64_t bits = issuer->info.key_bits;
	uint64_t hashing = cert->info.der_len / 256;

	/* Nobody verifies anything with it. */
	if (wt_cert_is_key_too_large(issuer))
		return 0;
	switch (issuer->key_nid) {
	case NID_rsaEncryption:
	case NID_rsassaPss:
		/* A square for each bit of the exponent. */
		return hashing + 5 +
		       (bits * bits >> 20) * issuer->exponent_bits / 4;
	case NID_X9_62_id_ecPublicKey:
		return hashing +
		       (strcmp(issuer->info.key, "EC P-256") == 0 ? 100 : 2000);
	case NID_undef:
		return hashing;
	default:
		return hashing + 1000;
	}
}
