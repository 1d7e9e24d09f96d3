/* SPDX-License-Identifier: MIT
 * unlocked.c: the program without its sandbox, to measure what that costs. */
#include "base/sandbox.h"

unsigned __wrap_wt_sandbox_enter(const struct wt_sandbox *sandbox, int alive_fd,
	struct wt_sandbox_denied *denied);

unsigned __wrap_wt_sandbox_enter(const struct wt_sandbox *sandbox, int alive_fd,
	struct wt_sandbox_denied *denied)
{
	(void)sandbox;
	(void)alive_fd;
	(void)denied;
	return 0;
}
