/* SPDX-License-Identifier: MIT
 * help.c: what the program says about itself. */
#include "help.h"

#include "options.h"
#include "output/text.h"

#include <stdio.h>
#include <string.h>

#define OPTION_COLUMN 28

void cli_help_overview(FILE *file)
{
	fputs("wimtrust puts trusted root certificates into Windows boot "
	      "images (boot.wim).\n\n"
	      "  wimtrust add boot.wim root.cer     trust this certificate "
	      "in every image\n"
	      "  wimtrust list boot.wim             what the images trust\n"
	      "  wimtrust check --host cmg.contoso.com boot.wim chain.pem\n"
	      "                                     would they trust this "
	      "server?\n\n"
	      "Commands:\n",
		file);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		fprintf(file, "  %-11s %s\n", c->name, c->summary);
	fputs("\nMore: wimtrust help COMMAND, man wimtrust\n", file);
}

/* "-o, --output FILE" or "    --backup[=SUFFIX]" */
static void spell_option(
	const struct cli_option *option, char *buf, size_t size)
{
	size_t len = 0;

	if (cli_option_is_short(option))
		len = (size_t)snprintf(
			buf, size, "-%c, --%s", option->id, option->name);
	else
		len = (size_t)snprintf(buf, size, "    --%s", option->name);
	if (option->arg && len < size)
		snprintf(buf + len, size - len, "%s%s",
			cli_option_is_optional(option) ? "" : " ", option->arg);
}

static void print_options(const struct cli_command *command, enum cli_rank rank)
{
	char spelled[64] = "";

	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (!(o->commands & command->bit) || o->rank != rank)
			continue;
		spell_option(o, spelled, sizeof(spelled));
		printf("  %-*s%s\n", OPTION_COLUMN - 2, spelled, o->help);
	}
}

static void print_usage(const struct cli_command *command)
{
	const char *head = "Usage:";
	const char *line = command->usage;

	while (*line) {
		int len = (int)strcspn(line, "\n");

		if (*line == ' ')
			printf("%*s%.*s\n",
				(int)(strlen("Usage: wimtrust ") +
					strlen(command->name)),
				"", len, line);
		else
			printf("%-6s wimtrust %s %.*s\n", head, command->name,
				len, line);
		head = "";
		line += len;
		line += strspn(line, "\n");
	}
}

void cli_help_command(const struct cli_command *command)
{
	print_usage(command);
	printf("\n%s\n\n", command->text);
	print_options(command, CLI_FIRST);
	print_options(command, CLI_ALSO);
	printf("\nMore: man wimtrust-%s\nExample: %s\n", command->name,
		command->example);
}

void cli_help_version(void)
{
	struct wt_versions versions = {0};
	char locks[CLI_LOCKS_MAX] = "";

	wt_versions(&versions);
	printf("wimtrust %s\nwimlib %s\nhivex %s\nOpenSSL %s\njansson %s\n",
		versions.wimtrust, versions.wimlib, versions.hivex,
		versions.openssl, JANSSON_VERSION);
	cli_text_locks(locks, wt_locks());
	printf("sandbox %s\n", locks);
}
