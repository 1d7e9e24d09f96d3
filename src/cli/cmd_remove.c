/* SPDX-License-Identifier: MIT
 * cmd_remove.c: takes certificates out of a target. */
#include "output/groups.h"
#include "output/output.h"
#include "output/text.h"

#include <stdlib.h>

enum wt_status cmd_remove(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	const char **thumbprints = NULL;
	struct cli_folders folders = {0};
	size_t count = 0;
	enum wt_status ret = WT_OK;

	cli_folders_note(request, &folders);
	ret = cli_read_selectors(
		request, outcome, "key:", &thumbprints, &count, err);
	if (ret == WT_OK)
		ret = cli_folders_check(request, &folders, err);
	if (ret == WT_OK)
		ret = wt_target_remove(request->operands[0], thumbprints, count,
			outcome->certs, &request->options, outcome->report,
			err);
	free(thumbprints);
	return ret;
}

void print_remove(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	if (cli_print_actions(request, outcome, status, NULL, NULL))
		cli_print_verdict(request, outcome, status);
}
