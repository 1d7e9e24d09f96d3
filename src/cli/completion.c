/* SPDX-License-Identifier: MIT
 * completion.c: completion scripts, made from the tables of commands and
 * options. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#define SHELLS "bash zsh fish"

/* The words of an option with spaces between them, as shells want them. */
static void print_words(const char *words)
{
	for (const char *w = words; *w; w++)
		putchar(*w == '|' ? ' ' : *w);
}

static bool has_words(const struct cli_option *option)
{
	return option->words && option->words[0] != '@';
}

static bool is_file(const struct cli_option *option)
{
	return option->words && option->words[0] == '@';
}

static void print_names(char between)
{
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (c != cli_commands)
			putchar(between);
		fputs(c->name, stdout);
		if (c->alias)
			printf("%c%s", between, c->alias);
	}
}

/* "add|inject" or "add inject" */
static void print_name(const struct cli_command *command, char between)
{
	fputs(command->name, stdout);
	if (command->alias)
		printf("%c%s", between, command->alias);
}

static void print_bash_values(void)
{
	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (!o->arg || !has_words(o))
			continue;
		/* An optional value only follows "=". */
		printf("	--%s:%c", o->name,
			cli_option_is_optional(o) ? '=' : '*');
		if (cli_option_is_short(o))
			printf("|-%c:*", o->id);
		printf(") words='");
		print_words(o->words);
		printf("' ;;\n");
	}
	printf("	");
	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (o->arg && !has_words(o) && !cli_option_is_optional(o)) {
			printf("--%s:*|", o->name);
			if (cli_option_is_short(o))
				printf("-%c:*|", o->id);
		}
	}
	/* Anything, or a file's name: readline's own completion. */
	printf("--:*) return ;;\n");
}

static void print_bash(void)
{
	printf("# bash completion, made by: wimtrust completion bash\n"
	       "_wimtrust()\n{\n"
	       "	local cur=${COMP_WORDS[COMP_CWORD]} words='' "
	       "equals=''\n"
	       "	local prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "	COMPREPLY=()\n"
	       "	if [ \"$COMP_CWORD\" -eq 1 ]; then\n		"
	       "words='");
	print_names(' ');
	printf(" --help --version'\n"
	       "		COMPREPLY=($(compgen -W \"$words\" -- "
	       "\"$cur\"))\n"
	       "		return\n	fi\n"
	       "	# readline splits --option=value at the sign.\n"
	       "	if [ \"$cur\" = '=' ]; then\n"
	       "		cur='' equals='='\n"
	       "	elif [ \"$prev\" = '=' ]; then\n"
	       "		prev=${COMP_WORDS[COMP_CWORD-2]} equals='='\n"
	       "	fi\n"
	       "	case $prev:$equals in\n");
	print_bash_values();
	printf("	*)\n		case ${COMP_WORDS[1]}:$cur in\n");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		printf("		%s:-*", c->name);
		if (c->alias)
			printf("|%s:-*", c->alias);
		printf(") words='");
		for (const struct cli_option *o = cli_options; o->name; o++) {
			if (o->commands & c->bit)
				printf("--%s ", o->name);
		}
		printf("' ;;\n");
	}
	printf("		completion:*) words='" SHELLS "' ;;\n"
	       "		esac ;;\n	esac\n"
	       "	COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
	       "complete -o bashdefault -o default -F _wimtrust wimtrust\n");
}

/* Text between single quotes; zsh's specs need more signs guarded. */
static void print_quoted(const char *text, const char *guarded)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr(guarded, *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void print_zsh_option(const struct cli_option *option)
{
	const char *sign = !option->arg			    ? ""
			   : cli_option_is_optional(option) ? "=-"
							    : "=";

	printf("			'");
	if (option->id == 'i')
		printf("*");
	if (cli_option_is_short(option))
		printf("'{-%c%s,--%s%s}'[", option->id, option->arg ? "+" : "",
			option->name, sign);
	else
		printf("--%s%s[", option->name, sign);
	print_quoted(option->help, "[]:");
	printf("]");
	if (option->arg) {
		printf("%s:%s:", cli_option_is_optional(option) ? ":" : "",
			option->name);
		if (is_file(option)) {
			printf("_files");
		} else if (has_words(option)) {
			printf("(");
			print_words(option->words);
			printf(")");
		}
	}
	printf("' \\\n");
}

static void print_zsh(void)
{
	printf("#compdef wimtrust\n"
	       "# zsh completion, made by: wimtrust completion zsh\n"
	       "_wimtrust()\n{\n"
	       "	local -a commands\n	commands=(\n");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		printf("		'%s:", c->name);
		print_quoted(c->summary, ":");
		printf("'\n");
	}
	printf("	)\n"
	       "	if (( CURRENT == 2 )); then\n"
	       "		_describe command commands\n"
	       "		return\n	fi\n"
	       "	local command=$words[2]\n"
	       "	shift words\n	(( CURRENT-- ))\n"
	       "	case $command in\n");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		printf("	");
		print_name(c, '|');
		printf(")\n		_arguments -s -S \\\n");
		for (const struct cli_option *o = cli_options; o->name; o++) {
			if (o->commands & c->bit)
				print_zsh_option(o);
		}
		printf("			'*:%s' ;;\n",
			c->bit == CLI_COMPLETION ? "shell:(" SHELLS ")"
						 : "file:_files");
	}
	printf("	esac\n}\n"
	       "if [[ $funcstack[1] = _wimtrust ]]; then\n"
	       "	_wimtrust \"$@\"\nelse\n"
	       "	compdef _wimtrust wimtrust\nfi\n");
}

static void print_fish_option(
	const struct cli_command *command, const struct cli_option *option)
{
	printf("complete -c wimtrust -n '__fish_seen_subcommand_from ");
	print_name(command, ' ');
	printf("' -l %s", option->name);
	if (cli_option_is_short(option))
		printf(" -s %c", option->id);
	if (option->arg && is_file(option))
		printf(" -r -F");
	else if (option->arg && !cli_option_is_optional(option))
		printf(" -x");
	if (option->arg && has_words(option) &&
		!cli_option_is_optional(option)) {
		printf(" -a '");
		print_words(option->words);
		printf("'");
	}
	printf(" -d '");
	for (const char *h = option->help; *h; h++)
		printf(*h == '\'' ? "\\'" : "%c", *h);
	printf("'\n");
}

static void print_fish(void)
{
	printf("# fish completion, made by: wimtrust completion fish\n");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		printf("complete -c wimtrust -f -n __fish_use_subcommand "
		       "-a %s -d '%s'\n",
			c->name, c->summary);
	}
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		for (const struct cli_option *o = cli_options; o->name; o++) {
			if (o->commands & c->bit)
				print_fish_option(c, o);
		}
	}
	printf("complete -c wimtrust -f -n "
	       "'__fish_seen_subcommand_from completion' -a '" SHELLS "'\n");
}

/* For the test that compares the manual: command, letter, name, value. */
static void print_table(void)
{
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		for (const struct cli_option *o = cli_options; o->name; o++) {
			if (!(o->commands & c->bit))
				continue;
			printf("%s\t%c\t--%s\t%s\n", c->name,
				cli_option_is_short(o) ? (char)o->id : '-',
				o->name, o->arg ? o->arg : "-");
		}
	}
}

static const struct {
	const char *name;
	void (*print)(void);
} shells[] = {
	{"bash", print_bash},
	{"zsh", print_zsh},
	{"fish", print_fish},
	/* Hidden: no shell, but the table itself. */
	{"options", print_table},
};

enum wt_status cmd_completion(struct cli *cli, struct wt_error *err)
{
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].name, cli->operands[0]) == 0)
			return WT_OK;
	}
	wt_fail(err, WT_ERR_USAGE, "usage", cli->operands[0],
		"is no shell that has a completion");
	wt_error_hint(err, "bash, zsh and fish have one");
	return WT_ERR_USAGE;
}

void print_completion(struct cli *cli, enum wt_status status)
{
	for (size_t i = 0; !status && i < sizeof(shells) / sizeof(shells[0]);
		i++) {
		if (strcmp(shells[i].name, cli->operands[0]) == 0)
			shells[i].print();
	}
}
