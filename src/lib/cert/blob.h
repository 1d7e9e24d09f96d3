/* SPDX-License-Identifier: MIT
 * cert/blob.h: a certificate's registry value, bytes in and bytes out. */
#ifndef WT_CERT_BLOB_H
#define WT_CERT_BLOB_H

#include "base/buf.h"
#include "cert/cert.h"

/*
 * A value is a sequence of elements, little-endian:
 *
 *   offset  size  meaning
 *   0       4     property id (wincrypt.h)
 *   4       4     encoding, 1 = X509_ASN_ENCODING
 *   8       4     length of the data
 *   12      n     data
 *
 * Sources: [MS-GPEF] 2.2.1.1.1, [MS-WCCE] 2.2.2.1, wincrypt.h.
 */
#define WT_PROPERTY_HEADER_LEN 12

#define WT_PROP_SHA1 0x03
#define WT_PROP_MD5 0x04
#define WT_PROP_USAGE 0x09
#define WT_PROP_FRIENDLY_NAME 0x0B
#define WT_PROP_SIGNATURE_HASH 0x0F
#define WT_PROP_KEY_IDENTIFIER 0x14
#define WT_PROP_PUBLIC_KEY_MD5 0x19
#define WT_PROP_SUBJECT_NAME_MD5 0x1D
#define WT_PROP_CERTIFICATE 0x20
#define WT_PROP_CRL 0x21
#define WT_PROP_CTL 0x22
#define WT_PROP_PUBLIC_KEY_BITS 0x5C
#define WT_PROP_SHA256 0x62
#define WT_PROP_DISALLOWED_FROM 0x68
#define WT_PROP_DISALLOWED_USAGE 0x7A
#define WT_PROP_NOT_BEFORE 0x7E
#define WT_PROP_NOT_BEFORE_USAGE 0x7F
#define WT_PROP_DISALLOWED_CA 0x80

/** One element, borrowed from the value. */
struct wt_property {
	uint32_t id;
	uint32_t encoding;
	const uint8_t *data;
	size_t data_len;
};

/**
 * Reads the next element.
 * @return false when it runs past the end; reader->has_failed is set then
 */
bool wt_property_next(
	struct wt_reader *reader, struct wt_property *ret_property);

/** Could data be a value? Looks at the first element's header only. */
bool wt_certblob_is_likely(const uint8_t *data, size_t data_len);

/**
 * The certificate's value: as it was read, or as Windows 10 writes it. It is
 * encoded at the first call, and cert keeps it. has_failed is set if there is
 * no memory.
 */
const struct wt_writer *wt_cert_value(const struct wt_cert *cert);

/**
 * Can a hive hold the value?
 * @param has_name  does it have a friendly name that may be shortened?
 * @return WT_ERR_CERT: blob-too-large
 */
enum wt_status wt_cert_value_check(const struct wt_cert *cert,
	const struct wt_writer *value, bool has_name, struct wt_error *err);

#endif
