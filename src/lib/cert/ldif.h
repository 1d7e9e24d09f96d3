/* SPDX-License-Identifier: MIT
 * cert/ldif.h: values in Base64 as LDIF writes them (RFC 2849). */
#ifndef WT_CERT_LDIF_H
#define WT_CERT_LDIF_H

#include <stdbool.h>
#include <stddef.h>

#define WT_LDIF_NAME_MAX 48

/** The length of the value at the start of text, in any alphabet of Base64. A
 *  line that begins with a blank continues it; five dashes end it. */
size_t wt_ldif_value_len(const char *text, size_t len);

/** The attribute whose value begins at the end of text, such as
 *  "cACertificate;binary"; "" if LDIF would not write a value there. */
void wt_ldif_attribute(
	const char *text, size_t len, char ret_name[WT_LDIF_NAME_MAX]);

/** Does the attribute hold certificates of CAs? */
bool wt_ldif_is_ca(const char *name);

#endif
