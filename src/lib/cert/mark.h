/* SPDX-License-Identifier: MIT
 * cert/mark.h: the lines BEGIN and END of PEM, and what was meant as one. */
#ifndef WT_CERT_MARK_H
#define WT_CERT_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT_MARK_DASHES 5

/** -----BEGIN LABEL-----, or something near it. */
struct wt_mark {
	/** Exactly as RFC 7468 has it, not only something like it. */
	bool is_exact;
	bool is_end;
	size_t start; /**< of its dashes */
	size_t end;   /**< behind its dashes */
	/** Bytes a character: 2 for UTF-16, 4 for UTF-32, in either order. */
	unsigned stride;
	char label[64]; /**< cut to the array; bytes as they are */
};

/**
 * Is there a mark around the word BEGIN or END at pos? One that is
 * not exact counts only when it is a certificate's.
 */
bool wt_mark_read(
	const uint8_t *data, size_t len, size_t pos, struct wt_mark *ret_mark);

/** The next five dashes from pos on; len if there are none.
 */
size_t wt_mark_find_dashes(
	const uint8_t *data, size_t len, size_t pos, unsigned stride);

/** What a label says about what is below it. */
enum wt_label {
	WT_LABEL_CERTIFICATE,
	WT_LABEL_TRUSTED, /**< OpenSSL's own: settings behind the certificate */
	WT_LABEL_KEY,
	WT_LABEL_UNKNOWN_CERTIFICATE, /**< not known, but some certificate */
	WT_LABEL_OTHER,
};

enum wt_label wt_mark_label(const char *label);

#endif
