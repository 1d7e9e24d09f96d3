/* SPDX-License-Identifier: MIT
 * options.h: the one table of options, for parsing, help and completion. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli.h"

enum cli_option_id {
	/* A short option's id is its letter. */
	CLI_OPT_ACCESS = 256,
	CLI_OPT_ALLOW,
	CLI_OPT_AT,
	CLI_OPT_ATTEST,
	CLI_OPT_BACKUP,
	CLI_OPT_BASE,
	CLI_OPT_CHECK,
	CLI_OPT_COLOR,
	CLI_OPT_COMMIT,
	CLI_OPT_CONNECT,
	CLI_OPT_DISCARD_LOGS,
	CLI_OPT_EXACT,
	CLI_OPT_FOR,
	CLI_OPT_FORMAT,
	CLI_OPT_FRIENDLY_NAME,
	CLI_OPT_HOST,
	CLI_OPT_IF_PRESENT,
	CLI_OPT_JSON,
	CLI_OPT_KEEP_GOING,
	CLI_OPT_PEM,
	CLI_OPT_PROGRESS,
	CLI_OPT_REBUILD,
	CLI_OPT_REPAIR,
	CLI_OPT_REQUIRE_SANDBOX,
	CLI_OPT_REPLAY_LOGS,
	CLI_OPT_REPORT,
	CLI_OPT_ROOT_NAME,
	CLI_OPT_THREADS,
	CLI_OPT_TIMEOUT,
	CLI_OPT_WAIT,
};

/** Where --help shows an option. */
enum cli_rank {
	CLI_FIRST, /**< listed first in the help */
	CLI_ALSO,  /**< listed after those */
};

struct cli_option {
	int id;
	const char *name;
	/** NULL for none; "[=WORD]" where it may be left out. */
	const char *arg;
	/** What it may be, "auto|mount|update", for completion; "@file" for
	 *  a path; NULL for anything. */
	const char *words;
	unsigned commands; /**< CLI_ADD and so on */
	enum cli_rank rank;
	const char *help;
};

/** Ends with an entry without a name. */
extern const struct cli_option cli_options[];

bool cli_option_is_short(const struct cli_option *option);
bool cli_option_is_optional(const struct cli_option *option);

/**
 * Reads what follows the command into request.
 *
 * @return WT_ERR_USAGE with the near option or the right words as the hint
 */
enum wt_status cli_options_parse(struct cli_request *request, int argc,
	char **argv, struct wt_error *err);

/** Takes one option's value. */
enum wt_status cli_option_take(struct cli_request *request,
	const struct cli_option *option, char *value, struct wt_error *err);

/** The closest of words (NULL at the end), or NULL. */
const char *cli_nearest(const char *word, const char *const *words);

#endif
