/* SPDX-License-Identifier: MIT
 * completion.h: what the completion scripts ask about a target. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "cli.h"

/** Hidden: "completion images boot.wim", "completion thumbprints boot.wim". */
bool cli_completion_is_question(const struct cli_request *request);

/** A line for each word: the word, a tab, what it means. */
void cli_completion_answer(
	const struct cli_request *request, const struct wt_report *report);

#endif
