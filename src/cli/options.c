/* SPDX-License-Identifier: MIT
 * options.c: the one table of options, and reading the command line by it. */
#include "options.h"

#include "habits.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MANY (CLI_ALL & ~(unsigned)CLI_COMPLETION)

const struct cli_option cli_options[] = {
	{'i', "image", "IMAGE", "all|boot", CLI_TARGETS, CLI_FIRST,
		"number, name, all or boot; repeatable"},
	{'s', "store", "STORE",
		"auto|authroot|root|ca|trustedpublisher|trustedpeople|"
		"disallowed",
		(CLI_TARGETS | CLI_SHOW) & ~(unsigned)(CLI_CHECK | CLI_INFO),
		CLI_FIRST, "auto (default), authroot, root, ca, ..."},
	{'o', "output", "FILE", "@file", CLI_WRITERS | CLI_EXPORT, CLI_FIRST,
		"write the result to FILE instead"},
	{'f', "force", NULL, NULL, CLI_WRITERS | CLI_EXPORT, CLI_FIRST,
		"with -o: overwrite FILE"},
	{'n', "dry-run", NULL, NULL, CLI_WRITERS, CLI_FIRST,
		"do everything except write"},
	{CLI_OPT_EXACT, "exact", NULL, NULL, CLI_VERIFY, CLI_FIRST,
		"allow no other certificates"},
	{CLI_OPT_BASE, "base", "PRISTINE", "@file", CLI_VERIFY, CLI_FIRST,
		"with --exact: also allow those in PRISTINE"},
	{CLI_OPT_IF_PRESENT, "if-present", NULL, NULL, CLI_REMOVE, CLI_FIRST,
		"succeed even if it is not there"},
	{CLI_OPT_BACKUP, "backup", "[=SUFFIX]", NULL, CLI_WRITERS, CLI_FIRST,
		"keep the old file as TARGET.bak"},
	{CLI_OPT_COMMIT, "commit", "HOW", "auto|replace|append", CLI_WRITERS,
		CLI_FIRST, "auto (default), replace or append"},
	{CLI_OPT_ACCESS, "access", "HOW", "auto|mount|update", CLI_WRITERS,
		CLI_FIRST, "auto (default), mount (FUSE) or update"},
	{CLI_OPT_ALLOW, "allow", "LIST",
		"expired|not-yet-valid|weak-key|not-ca|bad-signature",
		CLI_ADD | CLI_SHOW | CLI_EXPORT, CLI_FIRST,
		"expired,not-yet-valid,weak-key,not-ca,bad-signature"},
	{'r', "recursive", NULL, NULL,
		CLI_ADD | CLI_REMOVE | CLI_VERIFY | CLI_CHECK | CLI_SHOW |
			CLI_EXPORT,
		CLI_ALSO, "search subfolders, too"},
	{CLI_OPT_KEEP_GOING, "keep-going", NULL, NULL, CLI_ADD, CLI_FIRST,
		"add the good certificates, list the others"},
	{CLI_OPT_FRIENDLY_NAME, "friendly-name", "TEXT", NULL,
		CLI_ADD | CLI_EXPORT, CLI_ALSO, "the name that Windows shows"},
	{CLI_OPT_FOR, "for", "LIST",
		"server-auth|client-auth|code-signing|email|time-stamping|"
		"ocsp-signing|any",
		CLI_ADD | CLI_VERIFY | CLI_EXPORT, CLI_FIRST,
		"trust for these only: server-auth,client-auth,..."},
	{CLI_OPT_FORMAT, "format", "FORMAT", "reg|blob|pem", CLI_EXPORT,
		CLI_FIRST, "reg (default), blob or pem"},
	{CLI_OPT_ROOT_NAME, "root-name", "NAME", "SOFTWARE|winpe-offline",
		CLI_EXPORT, CLI_FIRST,
		"the hive's name in a .reg file (SOFTWARE)"},
	{CLI_OPT_PEM, "pem", NULL, NULL, CLI_LIST, CLI_FIRST,
		"write the certificates as a PEM bundle"},
	{CLI_OPT_HOST, "host", "NAME", NULL, CLI_CHECK, CLI_FIRST,
		"the server's name or address"},
	{CLI_OPT_CONNECT, "connect", "SERVER", NULL, CLI_CHECK, CLI_FIRST,
		"ask HOST[:PORT] for its chain, instead of CHAIN"},
	{CLI_OPT_TIMEOUT, "timeout", "SECONDS", NULL, CLI_CHECK, CLI_ALSO,
		"how long --connect may take (default 10)"},
	{CLI_OPT_AT, "at", "TIME", NULL, CLI_CHECK, CLI_FIRST,
		"answer for YYYY-MM-DD, an RFC 3339 time or @SECONDS"},
	{CLI_OPT_REBUILD, "rebuild", NULL, NULL, CLI_WRITERS, CLI_ALSO,
		"remove the holes that earlier changes left"},
	{CLI_OPT_CHECK, "check", NULL, NULL, CLI_TARGETS, CLI_ALSO,
		"check the integrity table (reads the whole file)"},
	{CLI_OPT_REPAIR, "repair", NULL, NULL, CLI_WRITERS, CLI_ALSO,
		"repair a WIM that an interrupted writer left"},
	{CLI_OPT_REQUIRE_SANDBOX, "require-sandbox", NULL, NULL, CLI_TARGETS,
		CLI_ALSO, "refuse to run without the full sandbox"},
	{CLI_OPT_DISCARD_LOGS, "discard-logs", NULL, NULL, CLI_TARGETS,
		CLI_ALSO, "use a dirty hive without its transaction logs"},
	{CLI_OPT_REPLAY_LOGS, "replay-logs", NULL, NULL, CLI_TARGETS, CLI_ALSO,
		"apply a dirty hive's transaction logs first"},
	{CLI_OPT_THREADS, "threads", "N", NULL, CLI_WRITERS, CLI_ALSO,
		"threads and processes; 0: one per processor"},
	{CLI_OPT_WAIT, "wait", "SECONDS", NULL, CLI_WRITERS, CLI_ALSO,
		"how long to wait for another writer (default 60)"},
	{'q', "quiet", NULL, NULL, MANY, CLI_ALSO,
		"print only errors, and data that you asked for"},
	{'v', "verbose", NULL, NULL, MANY, CLI_ALSO, "say more"},
	{CLI_OPT_JSON, "json", "[=HOW]", "pretty|lines", MANY, CLI_ALSO,
		"print one JSON object on stdout"},
	{CLI_OPT_REPORT, "report", "FILE", "@file", MANY, CLI_ALSO,
		"write that JSON object to FILE as well"},
	{CLI_OPT_ATTEST, "attest", "FILE", "@file", CLI_WRITERS, CLI_ALSO,
		"write an in-toto statement of the result to FILE"},
	{CLI_OPT_COLOR, "color", "WHEN", "auto|always|never", MANY, CLI_ALSO,
		"auto (default), always or never"},
	{CLI_OPT_PROGRESS, "progress", "WHEN", "auto|always|never", CLI_TARGETS,
		CLI_ALSO, "auto (default), always or never"},
	{'h', "help", NULL, NULL, CLI_ALL, CLI_ALSO, "show this help"},
	{'V', "version", NULL, NULL, CLI_ALL, CLI_ALSO, "show versions"},
	{0, NULL, NULL, NULL, 0, CLI_ALSO, NULL},
};

bool cli_option_is_short(const struct cli_option *option)
{
	return option->id < 256;
}

bool cli_option_is_optional(const struct cli_option *option)
{
	return option->arg && option->arg[0] == '[';
}

#define OPTIONS_MAX (sizeof(cli_options) / sizeof(cli_options[0]))

struct getopt_tables {
	struct option longs[OPTIONS_MAX];
	char shorts[3 * OPTIONS_MAX];
};

/* The options of one command, as getopt_long() takes them. */
static void make_tables(struct getopt_tables *tables, unsigned command)
{
	size_t count = 0, len = 0;

	memset(tables, 0, sizeof(*tables));
	tables->shorts[len++] = ':';
	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (!(o->commands & command))
			continue;
		tables->longs[count].name = o->name;
		tables->longs[count].val = o->id;
		tables->longs[count++].has_arg = !o->arg ? no_argument
						 : cli_option_is_optional(o)
							 ? optional_argument
							 : required_argument;
		if (!cli_option_is_short(o))
			continue;
		tables->shorts[len++] = (char)o->id;
		if (o->arg)
			tables->shorts[len++] = ':';
	}
}

/* The last one, which no command takes, when there is none. */
static const struct cli_option *option_by_id(int id)
{
	const struct cli_option *option = cli_options;

	while (option->name && option->id != id)
		option++;
	return option;
}

/* The last one, which no command takes, when there is none. */
static const struct cli_option *option_by_name(const char *name)
{
	const struct cli_option *option = cli_options;

	while (option->name && strcmp(option->name, name) != 0)
		option++;
	return option;
}

/* "add, remove" for the commands that take an option. */
static void name_commands(unsigned commands, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (c->bit & commands && len < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%s",
				len ? ", " : "", c->name);
	}
}

/* The option exists elsewhere, or is near one, or is none at all. */
static enum wt_status fail_unknown(const struct cli_request *request,
	const char *spelled, struct wt_error *err)
{
	const char *names[OPTIONS_MAX] = {NULL};
	const char *near = NULL, *name = spelled + strspn(spelled, "-");
	char word[64] = "", commands[128] = "";
	bool is_long = strncmp(spelled, "--", 2) == 0;
	size_t count = 0;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, "="), name);
	wt_fail(err, WT_ERR_USAGE, "unknown-option", request->command->name,
		"there is no option %s%s", is_long ? "--" : "-", word);
	for (const struct cli_option *o = cli_options; o->name; o++) {
		bool is_this = is_long ? strcmp(o->name, word) == 0
				       : o->id == word[0] && !word[1];

		if (is_this) {
			name_commands(o->commands, commands, sizeof(commands));
			wt_error_hint(err, "%s%s belongs to: %s",
				is_long ? "--" : "-", word, commands);
			return WT_ERR_USAGE;
		}
		if (o->commands & request->command->bit)
			names[count++] = o->name;
	}
	near = cli_habits_option(word);
	if (near && !(option_by_name(near)->commands & request->command->bit))
		near = NULL;
	if (!near && is_long)
		near = cli_nearest(word, names);
	if (strcasecmp(word, "thumbprint") == 0)
		wt_error_hint(err, "a thumbprint is an operand: wimtrust %s %s",
			request->command->name, request->command->operands);
	else if (near)
		wt_error_hint(err, "did you mean --%s?", near);
	else
		wt_error_hint(err, "wimtrust %s --help shows the options",
			request->command->name);
	return WT_ERR_USAGE;
}

/* getopt_long() gave '?': unknown, ambiguous, or a value too many. */
static enum wt_status fail_option(
	const struct cli_request *request, char **argv, struct wt_error *err)
{
	const struct cli_option *option = option_by_id(optopt);
	char letter[3] = {'-', (char)optopt, '\0'};

	if (option->commands & request->command->bit)
		return wt_fail(err, WT_ERR_USAGE, "usage",
			request->command->name, "--%s takes no value",
			option->name);
	return fail_unknown(request, optopt ? letter : argv[optind - 1], err);
}

static enum wt_status fail_value_missing(
	const struct cli_request *request, struct wt_error *err)
{
	const struct cli_option *option = option_by_id(optopt);

	wt_fail(err, WT_ERR_USAGE, "usage", request->command->name,
		"--%s needs a value: %s", option->name, option->arg);
	if (option->words && option->words[0] != '@')
		wt_error_hint(
			err, "--%s takes %s", option->name, option->words);
	return WT_ERR_USAGE;
}

enum wt_status cli_options_parse(struct cli_request *request, int argc,
	char **argv, struct wt_error *err)
{
	struct getopt_tables tables;
	enum wt_status ret = WT_OK;
	int id = 0;

	request->images = cli_alloc((size_t)argc + 1, sizeof(*request->images));
	make_tables(&tables, request->command->bit);
	opterr = 0;
	optind = 0;
	for (;;) {
		id = getopt_long(argc, argv, tables.shorts, tables.longs, NULL);
		if (id == -1)
			break;
		if (id == ':')
			ret = fail_value_missing(request, err);
		else if (id == '?')
			ret = fail_option(request, argv, err);
		else
			ret = cli_option_take(
				request, option_by_id(id), optarg, err);
		if (ret != WT_OK)
			return ret;
	}
	/* getopt put the options before the operands. */
	request->words = argv + 1;
	request->word_count = (size_t)optind - 1;
	request->operands = argv + optind;
	request->operand_count = (size_t)(argc - optind);
	request->options.images = request->images;
	return WT_OK;
}
