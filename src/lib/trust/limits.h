/* SPDX-License-Identifier: MIT
 * trust/limits.h: do a store's properties let a certificate serve TLS? */
#ifndef WT_TRUST_LIMITS_H
#define WT_TRUST_LIMITS_H

#include "trust/trust.h"

/** What is judged: one link of a chain, for one server at one time. */
struct wt_trust_use {
	int64_t at;	/**< the client's clock */
	int64_t issued; /**< notBefore of the server's certificate */
};

/**
 * Do the properties of copy in its store allow it in the chain?
 *
 * @param object  goes into the verdict
 * @param err     why not: usage-not-allowed, disallowed-since,
 *                issued-too-late
 * @return WT_OK or WT_NO
 */
enum wt_status wt_trust_limits(const struct wt_trust_cert *copy,
	const struct wt_trust_use *use, const char *object,
	struct wt_error *err);

#endif
