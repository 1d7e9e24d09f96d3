/* SPDX-License-Identifier: MIT
 * habits.h: what people type who learnt elsewhere, or pasted it. */
#ifndef CLI_HABITS_H
#define CLI_HABITS_H

#include "cli.h"

#include <stdio.h>

/**
 * Brings the command to the front: "-q list x" and "help add" become
 * "list -q x" and "add --help", "version" and "/?" an option.
 */
void cli_habits_order(int argc, char **argv);

/**
 * Refuses words that an editor, a web page or Windows put in: a carriage
 * return at the end, a typographic dash or quote, "/Index:1". What names a
 * file is left alone.
 */
enum wt_status cli_habits_check(int argc, char **argv, struct wt_error *err);

/** What another program calls the command ("import" is add), or NULL. */
const char *cli_habits_command(const char *word);

/** What another program calls the option ("index" is image), or NULL. */
const char *cli_habits_option(const char *word);

/**
 * Looks at operands that failed: swapped, several images, a pattern, a path
 * of Windows, a path in two words. Its hint takes the place of a general one.
 */
void cli_habits_hint(const struct cli_request *request,
	const struct cli_outcome *outcome, struct wt_error *err);

/** Writes " -s root": a word of a command, in quotes where a shell wants them.
 */
void cli_put_word(FILE *out, const char *option, const char *word);

#endif
