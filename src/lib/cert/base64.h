/* SPDX-License-Identifier: MIT
 * cert/base64.h: Base64 as it comes out of mails, quotes and scripts. */
#ifndef WT_CERT_BASE64_H
#define WT_CERT_BASE64_H

#include "base/buf.h"

/** Is it one of the 64 characters? */
bool wt_base64_is_digit(char c);

/** The same, or one of the two that URLs have instead (RFC 4648, 5). */
bool wt_base64_is_url_digit(char c);

/** Does text begin as Base64 of DER or of PEM does? */
bool wt_base64_is_begin(const char *text, size_t len);

/** Characters that are ignored in Base64, besides white space. */
enum wt_base64_slack {
	WT_BASE64_QUOTED = 1 << 0, /**< quotes, escapes, > of a mail */
	WT_BASE64_JOINED = 1 << 1, /**< several values, each with its padding */
	WT_BASE64_URL = 1 << 2,	   /**< - and _ for + and /, perhaps unpadded */
};

/**
 * Appends what text says.
 *
 * @param slack  enum wt_base64_slack bits
 * @return false when the text is not Base64: whole groups of four, padded
 *         unless it is of a URL
 */
bool wt_base64_decode(
	const char *text, size_t len, unsigned slack, struct wt_writer *writer);

#endif
