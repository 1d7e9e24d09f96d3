/* SPDX-License-Identifier: MIT
 * cert/limits.h: what a registry value limits the trust in a certificate to. */
#ifndef WT_CERT_LIMITS_H
#define WT_CERT_LIMITS_H

#include "cert/x509.h"

/**
 * The usages that words name, as property 0x09 has them.
 *
 * @param words    "server-auth,client-auth" or dotted numbers; "any": no limit
 * @param ret_der  OPENSSL_free(); NULL for "any"
 * @return WT_ERR_USAGE: bad-usage
 */
enum wt_status wt_usages_encode(const char *words, uint8_t **ret_der,
	size_t *ret_len, struct wt_error *err);

/** Fills info's members about limits from the limits that were read. */
enum wt_status wt_limits_describe(struct wt_cert *cert, struct wt_error *err);
void wt_limits_free(struct wt_cert *cert);

#endif
