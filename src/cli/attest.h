/* SPDX-License-Identifier: MIT
 * attest.h: an in-toto statement of what a run made of a target. */
#ifndef CLI_ATTEST_H
#define CLI_ATTEST_H

#include "cli.h"
#include "savefile.h"

struct cli_attest {
	struct cli_save save;  /**< where the statement goes */
	struct wt_report *old; /**< the target before the run */
};

/** Lists the target as it is before the run. */
enum wt_status cli_attest_before(const struct cli_request *request,
	struct cli_attest *attest, struct wt_error *err);

/** Lists what the run made of it, as report says, and writes the statement. */
enum wt_status cli_attest_after(const struct cli_request *request,
	const struct cli_attest *attest, const struct wt_report *report,
	struct wt_error *err);

#endif
