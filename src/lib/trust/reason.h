/* SPDX-License-Identifier: MIT
 * trust/reason.h: what is wrong with a chain, in words. */
#ifndef WT_TRUST_REASON_H
#define WT_TRUST_REASON_H

#include "trust/path.h"

/** The worst that was found so far. */
struct wt_trust_finding {
	size_t rank;  /**< the lower, the worse */
	int native;   /**< X509_V_ERR_ number; X509_V_OK: nothing yet */
	size_t index; /**< of the certificate on the path */
};

/** Keeps native when it is worse than what was found before. */
void wt_trust_finding_add(
	struct wt_trust_finding *finding, int native, size_t index);

/** The verdict for a finding that is not X509_V_OK. */
void wt_trust_finding_tell(const struct wt_trust_finding *finding,
	const struct wt_trust_trial *trial, struct wt_error *reason);

/** Adds "SUBJECT (SHA1) text"; those beyond WT_TRUST_DOUBTS_MAX are lost. */
void wt_trust_doubt(struct wt_trust_doubts *doubts, const char *code,
	const struct wt_trust_node *node, const char *text);

#endif
