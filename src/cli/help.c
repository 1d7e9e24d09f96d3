/* SPDX-License-Identifier: MIT
 * help.c: what the program says about itself. */
#include "help.h"

#include "options.h"
#include "output/output.h"
#include "output/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_COLUMN 14
#define OPTION_COLUMN 28
/* With less room beside a column the terminal may break the lines. */
#define ROOM_MIN 20

/* A line from a column on: what does not fit on the terminal goes on below
 * there. */
static void put_line(FILE *file, const char *line, size_t len, size_t column)
{
	size_t width = cli_terminal_width(fileno(file));
	size_t room = width > column + ROOM_MIN ? width - column : SIZE_MAX;
	char *text = strndup(line, len);

	for (const char *s = text; s && *s;) {
		size_t fits = cli_text_wrap(s, room), shown = fits;

		while (shown > 0 && s[shown - 1] == ' ')
			shown--;
		if (s != text)
			fprintf(file, "%*s", (int)column, "");
		fprintf(file, "%.*s\n", (int)shown, s);
		s += fits;
		s += strspn(s, " ");
	}
	if (len == 0)
		fputc('\n', file);
	free(text);
}

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
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		fprintf(file, "  %-*s", COMMAND_COLUMN - 2, c->name);
		put_line(file, c->summary, strlen(c->summary), COMMAND_COLUMN);
	}
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
		printf("  %-*s", OPTION_COLUMN - 2, spelled);
		put_line(stdout, o->help, strlen(o->help), OPTION_COLUMN);
	}
}

static void print_usage(const struct cli_command *command)
{
	const char *head = "Usage:";
	const char *line = command->usage;
	size_t column = strlen("Usage: wimtrust  ") + strlen(command->name);

	while (*line) {
		size_t len = strcspn(line, "\n");

		if (*line == ' ')
			printf("%*s", (int)column, "");
		else
			printf("%-6s wimtrust %s ", head, command->name);
		put_line(stdout, line + (*line == ' '), len - (*line == ' '),
			column);
		head = "";
		line += len;
		line += strspn(line, "\n");
	}
}

void cli_help_command(const struct cli_command *command)
{
	print_usage(command);
	putchar('\n');
	for (const char *line = command->text; *line;) {
		size_t len = strcspn(line, "\n");

		put_line(stdout, line, len, 0);
		line += len + (line[len] == '\n');
	}
	putchar('\n');
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
