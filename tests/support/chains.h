/* SPDX-License-Identifier: MIT
 * chains.h: certificates and registry values that the tests make. */
#ifndef WT_CHAINS_H
#define WT_CHAINS_H

#include "trust/trust.h"

/** Properties of a registry value; NULL leaves one out. */
struct chains_properties {
	const char *usage;	      /**< 0x09: OIDs, comma-separated */
	const char *disallowed_from;  /**< 0x68: seconds; "": no data */
	const char *disallowed_usage; /**< 0x7A */
	const char *not_before;	      /**< 0x7E: seconds */
	const char *not_before_usage; /**< 0x7F */
	const char *disallowed_ca;    /**< 0x80: seconds */
};

/** A certificate as if it were read from a registry value. */
struct wt_cert_list *chains_make_value(const struct wt_cert_info *info,
	const struct chains_properties *properties);

/** The certificate in path as if it were read from a registry value. */
struct wt_cert_list *chains_read_value(
	const char *path, const struct chains_properties *properties);

/** A server's chain and an image's stores. */
struct chains_set {
	struct wt_cert_list *chain;
	struct wt_cert_list *certs; /**< what the copies borrow */
	struct wt_trust_cert *copies;
	size_t copy_count;
};

/**
 * Roots, and intermediates under them, in the image; the server sends its own
 * alone, which hangs two intermediates below the last root.
 */
struct chains_set *chains_make_image(size_t root_count, size_t ca_count);

/** CAs each signed by each other, and no root; all sent by the server. */
struct chains_set *chains_make_maze(size_t ca_count);

/**
 * A server below a CA of which there are count certificates, alike but for
 * their serial numbers, below a root. All but the last are disallowed.
 */
struct chains_set *chains_make_twins(size_t count);

/**
 * A server below a CA that the image holds and whose root is missing. Before
 * it the image holds a root with that CA's name and another key; nothing in
 * the certificates names keys.
 */
struct chains_set *chains_make_namesake(void);

/**
 * A server below so many CAs of one name, which none of them signed; all sent
 * by the server.
 */
struct chains_set *chains_make_crowd(size_t ca_count);

void chains_free(struct chains_set *set);

#endif
