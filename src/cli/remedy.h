/* SPDX-License-Identifier: MIT
 * remedy.h: what to do about a failure, where it is not said with it. */
#ifndef CLI_REMEDY_H
#define CLI_REMEDY_H

#include <wimtrust/wimtrust.h>

/**
 * Adds the remedy that follows from the error's code, unless the error has
 * one of its own, or there is none that a program could know.
 */
void cli_remedy(struct wt_error *err);

#endif
