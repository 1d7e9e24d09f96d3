/* SPDX-License-Identifier: MIT
 * progress.c: one line on stderr for a step that takes long. */
#include "output/progress.h"

#include "output/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A step that is over sooner is not worth a line. Seconds. */
#define SHOW_AFTER 0.5
#define REDRAW_AFTER 0.1

static double seconds_between(
	const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) +
	       (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

void cli_progress_init(
	struct cli_progress *progress, bool is_on, bool is_dumb, size_t width)
{
	memset(progress, 0, sizeof(*progress));
	progress->is_on = is_on;
	progress->is_dumb = is_dumb;
	progress->owner = getpid();
	progress->width = width ? width : 80;
}

static void erase_line(struct cli_progress *progress)
{
	if (progress->drawn == 0)
		return;
	if (progress->is_dumb)
		fprintf(stderr, "\r%*s\r", (int)progress->drawn, "");
	else
		fputs("\r\033[K", stderr);
	progress->drawn = 0;
	fflush(stderr);
}

/* One column stays free: in the last one some terminals wrap at once. */
static void draw_line(
	struct cli_progress *progress, uint64_t done, uint64_t total)
{
	char size[CLI_SIZE_MAX] = "", line[160] = "";
	char *safe = NULL, *fitted = NULL;

	if (total > 0)
		snprintf(line, sizeof(line), "%s %3u %% of %s", progress->step,
			(unsigned)((double)done * 100 / (double)total),
			cli_text_size(size, total));
	else if (done > 0)
		snprintf(line, sizeof(line), "%s %s", progress->step,
			cli_text_size(size, done));
	else
		snprintf(line, sizeof(line), "%s ...", progress->step);
	safe = cli_text_safe(line);
	fitted = cli_text_shorten(safe, progress->width - 1);
	erase_line(progress);
	fprintf(stderr, "%s", fitted);
	fflush(stderr);
	progress->drawn = cli_text_width(fitted);
	free(fitted);
	free(safe);
}

void cli_progress_step(
	void *ctx, const char *step, uint64_t done, uint64_t total)
{
	struct cli_progress *progress = ctx;
	struct timespec now = {0};

	if (!progress->is_on || getpid() != progress->owner)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (strncmp(step, progress->step, sizeof(progress->step) - 1) != 0) {
		erase_line(progress);
		snprintf(progress->step, sizeof(progress->step), "%s", step);
		progress->step_start = now;
	}
	if (seconds_between(&progress->step_start, &now) >= SHOW_AFTER &&
		(progress->drawn == 0 || seconds_between(&progress->last_draw,
						 &now) >= REDRAW_AFTER)) {
		draw_line(
			progress, done < total || !total ? done : total, total);
		progress->last_draw = now;
	}
}

void cli_progress_clear(struct cli_progress *progress)
{
	if (!progress->is_on)
		return;
	erase_line(progress);
	progress->step[0] = '\0';
}
