/* SPDX-License-Identifier: MIT
 * attest.h: an in-toto statement of what a run made of a target. */
#ifndef CLI_ATTEST_H
#define CLI_ATTEST_H

#include "cli.h"

/** Lists the target as it is before the run. */
enum wt_status cli_attest_before(struct cli *cli, struct wt_error *err);

/** Lists what the run made, and writes the statement. */
enum wt_status cli_attest_after(struct cli *cli, struct wt_error *err);

#endif
