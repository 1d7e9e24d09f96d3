/* SPDX-License-Identifier: MIT
 * cert/reg.h: registry exports (.reg) with certificates in them. */
#ifndef WT_CERT_REG_H
#define WT_CERT_REG_H

#include "cert/list.h"

/** Does the UTF-8 text begin as an export does? */
bool wt_regfile_is_likely(const char *text, size_t text_len);

/**
 * Adds the certificates of an export: the values "Blob" of keys
 * HKEY...\SystemCertificates\<Store>\Certificates\<THUMBPRINT>, below any
 * name that the hive was loaded under. Other keys and values are counted in a
 * note. On failure the list is left half filled.
 *
 * @param text  UTF-8, or for REGEDIT4 any superset of ASCII; without a
 *              byte-order mark
 * @return WT_ERR_CERT: reg-malformed, reg-truncated, cert-none, or what
 *         wt_certblob_decode() says
 */
enum wt_status wt_regfile_read(struct wt_cert_list *list, const char *text,
	size_t text_len, const char *object, struct wt_error *err);

#endif
