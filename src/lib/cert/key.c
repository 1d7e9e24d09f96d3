/* SPDX-License-Identifier: MIT
 * cert/key.c: the public key of a certificate. */
#include "cert/cert.h"

#include "cert/x509.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

bool wt_cert_is_key_known(const struct wt_cert *cert)
{
	return cert->key_nid != NID_undef;
}

bool wt_cert_is_key_elliptic(const struct wt_cert *cert)
{
	return cert->key_nid == NID_X9_62_id_ecPublicKey ||
	       cert->key_nid == NID_sm2 || cert->key_nid == NID_ED25519 ||
	       cert->key_nid == NID_ED448;
}

bool wt_cert_is_key_dsa(const struct wt_cert *cert)
{
	return cert->key_nid == NID_dsa;
}

bool wt_cert_is_key_too_large(const struct wt_cert *cert)
{
	return (cert->key_nid == NID_rsaEncryption ||
		       cert->key_nid == NID_rsassaPss) &&
	       (cert->info.key_bits > WT_RSA_BITS_MAX ||
		       cert->exponent_bits > WT_RSA_EXPONENT_BITS_MAX);
}

char *wt_cert_algorithm_name(const ASN1_OBJECT *object)
{
	int nid = OBJ_obj2nid(object);
	char buf[128] = "unknown";

	if (nid != NID_undef)
		return strdup(OBJ_nid2ln(nid));
	OBJ_obj2txt(buf, sizeof(buf), object, 1);
	return strdup(buf);
}

/* The NIST curves by their common names. */
static const char *curve_name(const char *group)
{
	static const char *const names[][2] = {
		{"prime192v1", "P-192"},
		{"secp224r1", "P-224"},
		{"prime256v1", "P-256"},
		{"secp384r1", "P-384"},
		{"secp521r1", "P-521"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(group, names[i][0]) == 0)
			return names[i][1];
	return group;
}

static bool is_curve_known(const X509_ALGOR *algorithm)
{
	EC_builtin_curve curves[256] = {0};
	const void *parameter = NULL;
	int type = 0, nid = NID_undef;
	size_t count = EC_get_builtin_curves(
		curves, sizeof(curves) / sizeof(curves[0]));

	X509_ALGOR_get0(NULL, &type, &parameter, algorithm);
	if (type == V_ASN1_OBJECT)
		nid = OBJ_obj2nid(parameter);
	for (size_t i = 0; nid != NID_undef && i < count; i++)
		if (curves[i].nid == nid)
			return true;
	return false;
}

/* 0 when it is no RSA key. */
static unsigned exponent_bits(const EVP_PKEY *pkey)
{
	BIGNUM *exponent = NULL;
	unsigned bits = 0;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1)
		bits = (unsigned)BN_num_bits(exponent);
	BN_free(exponent);
	return bits;
}

/*
 * A kind or a curve that OpenSSL does not know leaves the key unknown. One
 * that it knows must be readable: else a signature would go unverified.
 */
static enum wt_status unknown_key_read(
	struct wt_cert *cert, const char *object, struct wt_error *err)
{
	ASN1_OBJECT *kind = NULL;
	X509_ALGOR *algorithm = NULL;
	bool is_known = false;

	X509_PUBKEY_get0_param(&kind, NULL, NULL, &algorithm,
		X509_get_X509_PUBKEY(cert->x509));
	switch (OBJ_obj2nid(kind)) {
	case NID_rsaEncryption:
	case NID_rsassaPss:
	case NID_ED25519:
	case NID_ED448:
		is_known = true;
		break;
	case NID_X9_62_id_ecPublicKey:
		is_known = is_curve_known(algorithm);
		break;
	default:
		break;
	}
	if (is_known)
		return wt_fail(err, WT_ERR_CERT, "cert-malformed", object,
			"the certificate's public key cannot be read");
	cert->key = wt_cert_algorithm_name(kind);
	return cert->key ? WT_OK : wt_fail_memory(err);
}

enum wt_status wt_cert_key_read(
	struct wt_cert *cert, const char *object, struct wt_error *err)
{
	EVP_PKEY *pkey = X509_get0_pubkey(cert->x509);
	char text[128] = "", group[80] = "";
	int bits = 0;

	if (!pkey)
		return unknown_key_read(cert, object, err);
	cert->key_nid = EVP_PKEY_get_base_id(pkey);
	bits = EVP_PKEY_get_bits(pkey);
	if (bits <= 0)
		return wt_fail(err, WT_ERR_CERT, "cert-malformed", object,
			"the certificate's public key is empty");
	cert->info.key_bits = (unsigned)bits;
	switch (cert->key_nid) {
	case NID_rsaEncryption:
		cert->exponent_bits = exponent_bits(pkey);
		snprintf(text, sizeof(text), "RSA %d", bits);
		break;
	case NID_rsassaPss:
		cert->exponent_bits = exponent_bits(pkey);
		snprintf(text, sizeof(text), "RSA-PSS %d", bits);
		break;
	case NID_dsa:
		snprintf(text, sizeof(text), "DSA %d", bits);
		break;
	case NID_ED25519:
		/* OpenSSL says 253, the size of the group. */
		cert->info.key_bits = 256;
		snprintf(text, sizeof(text), "Ed25519");
		break;
	case NID_ED448:
		cert->info.key_bits = 456;
		snprintf(text, sizeof(text), "Ed448");
		break;
	case NID_X9_62_id_ecPublicKey:
	case NID_sm2:
		if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) ==
			1)
			snprintf(
				text, sizeof(text), "EC %s", curve_name(group));
		else
			snprintf(text, sizeof(text), "EC %d", bits);
		break;
	default:
		snprintf(text, sizeof(text), "%s %d", OBJ_nid2sn(cert->key_nid),
			bits);
		cert->key_nid = NID_undef;
		break;
	}
	cert->key = strdup(text);
	return cert->key ? WT_OK : wt_fail_memory(err);
}
