/* SPDX-License-Identifier: MIT
 * cert/der.h: elements of ASN.1 encodings (X.690): strict DER, or lenient BER.
 */
#ifndef WT_CERT_DER_H
#define WT_CERT_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT_DER_BOOLEAN 0x01
#define WT_DER_INTEGER 0x02
#define WT_DER_OCTET_STRING 0x04
#define WT_DER_OID 0x06
#define WT_DER_SEQUENCE 0x30
#define WT_DER_SET 0x31
#define WT_DER_CONTEXT(n) (0xA0 + (n))

/** What reading an element came to. */
enum wt_der_status {
	WT_DER_OK = 0,
	WT_DER_TRUNCATED, /**< the element runs past the end */
	WT_DER_INVALID,	  /**< no ASN.1, or nested too deeply */
	WT_DER_NOT_DER,	  /**< BER only: a length or a form DER forbids */
};

/** One element, borrowed from the input. */
struct wt_der {
	uint8_t tag; /**< first identifier byte */
	const uint8_t *start;
	size_t len; /**< of the whole element */
	const uint8_t *content;
	size_t content_len; /**< without an indefinite form's end mark */
};

/**
 * Reads the element at data in BER, indefinite lengths included. What is
 * inside is read only as far as an indefinite length makes it necessary.
 */
enum wt_der_status wt_der_read(
	const uint8_t *data, size_t len, struct wt_der *ret_element);

/** Moves *data and *len behind the element that wt_der_read() gives. */
enum wt_der_status wt_der_next(
	const uint8_t **data, size_t *len, struct wt_der *ret_element);

/** Is the element, with all that is inside, in DER? */
enum wt_der_status wt_der_check(const struct wt_der *element);

/** Is the element an object identifier with these content bytes? */
bool wt_der_is_oid(
	const struct wt_der *element, const uint8_t *oid, size_t oid_len);

#endif
