/* SPDX-License-Identifier: MIT
 * help.h: what the program says about itself. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli.h"

/** What it does, the commands that matter, where to read on. */
void cli_help_overview(FILE *file);
/** One command: fits a screen of 24 lines. */
void cli_help_command(const struct cli_command *command);
void cli_help_version(void);

#endif
