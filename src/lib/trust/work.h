/* SPDX-License-Identifier: MIT
 * trust/work.h: how much may be computed for a question. */
#ifndef WT_TRUST_WORK_H
#define WT_TRUST_WORK_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/** Units are microseconds on a machine of 2020, so that the same question has
 *  the same answer everywhere. */
#define WT_TRUST_WORK_MAX 1000000
/** A question gets this much also when a call's work is done: far more than
 *  a usual one costs. */
#define WT_TRUST_WORK_MIN 10000

/** What is left for one question. */
struct wt_trust_work {
	uint64_t left;
	const volatile sig_atomic_t *cancel; /**< or NULL */
	bool is_spent; /**< something was asked for that was not there */
};

/** @return false when so much is not left, or the call was cancelled */
bool wt_trust_spend(struct wt_trust_work *work, uint64_t cost);

#endif
