/* SPDX-License-Identifier: MIT
 * trust/work.c: how much may be computed for one question. */
#include "base/error.h"

#include "trust/work.h"

bool wt_trust_spend(struct wt_trust_work *work, uint64_t cost)
{
	if (wt_cancel_number(work->cancel) != 0)
		work->is_spent = true;
	if (cost > work->left)
		work->is_spent = true;
	if (work->is_spent)
		return false;
	work->left -= cost;
	return true;
}
