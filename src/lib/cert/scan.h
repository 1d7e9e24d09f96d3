/* SPDX-License-Identifier: MIT
 * cert/scan.h: finds every certificate in a text, or between what is not one.
 */
#ifndef WT_CERT_SCAN_H
#define WT_CERT_SCAN_H

#include "cert/kind.h"

/**
 * Reads every certificate anywhere in data: PEM, DER, and Base64
 * by itself. What looks like one and cannot be taken is refused in the list,
 * with its line or its offset, and the reading goes on.
 *
 * @param depth   how many encodings were taken off already
 * @param is_der  data begins with DER, whatever it is
 * @return WT_ERR_CERT (cert-none) when there is nothing of the kind
 */
enum wt_status wt_scan_read(struct wt_cert_list *list, const uint8_t *data,
	size_t len, const char *object, unsigned depth, bool is_der,
	struct wt_error *err);

/** Is all that wt_scan_read() would find there in UTF-16 of this order? */
bool wt_scan_is_utf16(const uint8_t *data, size_t len, bool is_big_endian);

#endif
