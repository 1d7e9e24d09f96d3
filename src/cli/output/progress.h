/* SPDX-License-Identifier: MIT
 * progress.h: one line on stderr for a step that takes long. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct cli_progress {
	bool is_on;
	bool is_dumb;  /**< the terminal knows no escape sequences */
	pid_t owner;   /**< children of the library draw nothing */
	size_t width;  /**< columns of the terminal */
	size_t drawn;  /**< columns that the line takes now */
	char step[64]; /**< the step that is under way */
	struct timespec step_start, last_draw;
};

void cli_progress_init(
	struct cli_progress *progress, bool is_on, bool is_dumb, size_t width);

/** A wt_progress_fn; ctx is a struct cli_progress. */
void cli_progress_step(
	void *ctx, const char *step, uint64_t done, uint64_t total);

/** Erases the line, so that something else can be printed. */
void cli_progress_clear(struct cli_progress *progress);

#endif
