/* SPDX-License-Identifier: MIT
 * select.h: which certificates are meant by what was asked to be removed. */
#ifndef WT_SELECT_H
#define WT_SELECT_H

#include "cert/cert.h"

/** Before the name of a key that is not a thumbprint: "key:Some name". */
#define WT_SELECTOR_KEY "key:"

/** A thumbprint that was given, or a certificate's, or the name of a key. */
struct wt_selector {
	char hex[WT_SHA256_HEX_LEN + 1]; /**< upper-case SHA-1 or SHA-256 */
	const char *name;		 /**< hex, or the name of a key */
	const char *text;		 /**< as it was given; borrowed */
	bool is_found;
};

struct wt_selectors {
	struct wt_selector *all; /**< as they were given, count of them */
	struct wt_selector **by_name;
	size_t count;
	bool has_sha256; /**< one of them has, at least */
};

/**
 * @param thumbprints  as people paste them, or WT_SELECTOR_KEY and a name;
 *                     borrowed like certs
 * @param certs        NULL for none
 * @return WT_ERR_USAGE (no-certificate, bad-thumbprint)
 */
enum wt_status wt_selectors_make(const char *const *thumbprints,
	size_t thumbprint_count, const struct wt_cert_list *certs,
	struct wt_selectors *ret_selectors, struct wt_error *err);
void wt_selectors_free(struct wt_selectors *selectors);

/** Is a certificate with this thumbprint meant, or a key of this name? Those
 *  that mean it are marked as found. Case does not matter. */
bool wt_selectors_match(const struct wt_selectors *selectors, const char *name);

/** WT_NO (not-found) when some were not found in any image. */
enum wt_status wt_selectors_missing(const struct wt_selectors *selectors,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err);

#endif
