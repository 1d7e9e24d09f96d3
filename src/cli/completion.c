/* SPDX-License-Identifier: MIT
 * completion.c: completion scripts, made from the tables of commands and
 * options. */
#include "options.h"
#include "output/text.h"

#include <stdio.h>
#include <stdlib.h>
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

/* What completes an operand, by the command. */
enum operand { OPERAND_CERT, OPERAND_THUMBPRINT, OPERAND_ANY, OPERAND_NONE };

static bool takes_target(const struct cli_command *command)
{
	return command->bit & CLI_TARGETS;
}

/* What follows the first operand. */
static enum operand operand_of(const struct cli_command *command)
{
	if (command->bit & (CLI_REMOVE | CLI_VERIFY | CLI_EXPORT))
		return OPERAND_THUMBPRINT;
	if (command->bit & (CLI_ADD | CLI_CHECK | CLI_SHOW))
		return OPERAND_CERT;
	return command->operands_max == 1 ? OPERAND_NONE : OPERAND_ANY;
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
		if (o->id == 'i') {
			printf(") _wimtrust_ask images; return ;;\n");
			continue;
		}
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

/* "--image|-i|--store|-s": options whose value is the next word. */
static void print_bash_valued(void)
{
	bool is_first = true;

	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (!o->arg || cli_option_is_optional(o))
			continue;
		printf("%s--%s", is_first ? "" : "|", o->name);
		if (cli_option_is_short(o))
			printf("|-%c", o->id);
		is_first = false;
	}
}

/* What an image holds comes from a file that may be hostile: it is compared
 * and quoted, never expanded, as compgen -W would. */
static const char bash_functions[] =
	"# The operands before the word that is completed: count and first.\n"
	"_wimtrust_operands()\n{\n"
	"	local i skip=''\n"
	"	count=0 target=''\n"
	"	for ((i = 2; i < COMP_CWORD; i++)); do\n"
	"		if [ -n \"$skip\" ]; then skip=''; continue; fi\n"
	"		if [[ ${COMP_WORDS[i]} == $1 ]]; then\n"
	"			skip=1\n"
	"		elif [[ ${COMP_WORDS[i]} != [-=]* ]]; then\n"
	"			count=$((count + 1))\n"
	"			[ -n \"$target\" ] || target=${COMP_WORDS[i]}\n"
	"		fi\n"
	"	done\n"
	"	# Options may come before the target.\n"
	"	for ((i = COMP_CWORD + 1; i < ${#COMP_WORDS[@]}; i++)); do\n"
	"		[ -n \"$target\" ] || case ${COMP_WORDS[i]} in -*) ;;\n"
	"		*) [ ! -e \"${COMP_WORDS[i]}\" ] ||\n"
	"			target=${COMP_WORDS[i]} ;;\n"
	"		esac\n"
	"	done\n"
	"	# As it was typed: without quotes and backslashes.\n"
	"	target=${target//[\\\"\\'\\\\]/}\n"
	"}\n"
	"# What the target holds: images or thumbprints.\n"
	"_wimtrust_ask()\n{\n"
	"	local line\n"
	"	case $target in ''|*.[iI][sS][oO]) return 0 ;; esac\n"
	"	while IFS=$'\\t' read -r line _; do\n"
	"		[[ $line == \"${cur//[\\\"\\'\\\\]/}\"* ]] || "
	"continue\n"
	"		printf -v line %q \"$line\"\n"
	"		COMPREPLY+=(\"$line\")\n"
	"	done < <(wimtrust completion \"$1\" \"$target\" 2>/dev/null)\n"
	"}\n"
	"# Folders, and files whose names end so; readline offers all when "
	"there\n"
	"# are none.\n"
	"_wimtrust_files()\n{\n"
	"	local line\n"
	"	compopt -o filenames 2>/dev/null || true\n"
	"	while IFS= read -r line; do\n"
	"		COMPREPLY+=(\"$line\")\n"
	"	done < <(shopt -s extglob nocasematch\n"
	"		compgen -f -- \"$cur\" | while IFS= read -r line; do\n"
	"			if [ -d \"$line\" ] || [[ $line == $1 ]]; "
	"then\n"
	"				printf '%s\\n' \"$line\"\n"
	"			fi\n"
	"		done)\n"
	"}\n";

#define TARGET_KINDS "wim|esd|swm|iso|hiv|hive"
#define CERT_KINDS "cer|crt|pem|der|p7b|p7c|sst|reg"

static void print_bash_case(const struct cli_command *command, const char *sign)
{
	printf("		%s:%s", command->name, sign);
	if (command->alias)
		printf("|%s:%s", command->alias, sign);
	printf(")\n");
}

static void print_bash_operands(void)
{
	printf("	if [ -z \"$words\" ]; then\n"
	       "		case ${COMP_WORDS[1]}:$count in\n");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (!takes_target(c))
			continue;
		print_bash_case(c, "0");
		printf("			_wimtrust_files "
		       "'@(*.@(" TARGET_KINDS "%s)|*SOFTWARE)' ;;\n",
			c->bit & (CLI_EXPORT | CLI_DIFF) ? "|" CERT_KINDS : "");
	}
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		enum operand operand = operand_of(c);

		if (operand != OPERAND_CERT && operand != OPERAND_THUMBPRINT)
			continue;
		print_bash_case(c, "*");
		if (operand == OPERAND_THUMBPRINT)
			printf("			_wimtrust_ask "
			       "thumbprints\n");
		printf("			_wimtrust_files "
		       "'*.@(" CERT_KINDS ")' ;;\n");
	}
	printf("		esac\n		return 0\n	fi\n");
}

static void print_bash(void)
{
	printf("# bash completion, made by: wimtrust completion bash\n");
	fputs(bash_functions, stdout);
	printf("_wimtrust()\n{\n"
	       "	local cur=${COMP_WORDS[COMP_CWORD]} words='' "
	       "equals=''\n"
	       "	local prev=${COMP_WORDS[COMP_CWORD-1]} count target\n"
	       "	COMPREPLY=()\n"
	       "	if [ \"$COMP_CWORD\" -eq 1 ] ||\n"
	       "		{ [ \"$COMP_CWORD\" -eq 2 ] && "
	       "[ \"$prev\" = help ]; }; then\n		"
	       "words='");
	print_names(' ');
	printf(" help version --help --version'\n"
	       "		COMPREPLY=($(compgen -W \"$words\" -- "
	       "\"$cur\"))\n"
	       "		return\n	fi\n"
	       "	_wimtrust_operands '@(");
	print_bash_valued();
	printf(")'\n"
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
	       "		esac ;;\n	esac\n");
	print_bash_operands();
	printf("	COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
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
		if (option->id == 'i') {
			printf("_wimtrust_images");
		} else if (is_file(option)) {
			printf("_files");
		} else if (has_words(option)) {
			printf("(");
			print_words(option->words);
			printf(")");
		}
	}
	printf("' \\\n");
}

static const char zsh_functions[] =
	"# What the first file on the line holds: images or thumbprints.\n"
	"_wimtrust_ask()\n{\n"
	"	local word target line\n"
	"	local -a values lines\n"
	"	for word in ${words[2,-1]}; do\n"
	"		word=${(Q)word}\n"
	"		[[ $word != -* && -e $word ]] || continue\n"
	"		target=$word\n		break\n"
	"	done\n"
	"	[[ -n $target && $target != *.(#i)iso ]] || return 1\n"
	"	for line in ${(f)\"$(wimtrust completion $1 $target "
	"2>/dev/null)\"}; do\n"
	"		values+=(\"${line%%$'\\t'*}\")\n"
	"		lines+=(\"${line/$'\\t'/  }\")\n"
	"	done\n"
	"	(( $#values )) && compadd -ld lines -a values\n"
	"}\n"
	"_wimtrust_images() { _wimtrust_ask images || "
	"compadd all boot }\n"
	"_wimtrust_targets()\n{\n"
	"	_files -g '*.(#i)(" TARGET_KINDS ")(-.)' || _files\n}\n"
	"_wimtrust_certs()\n{\n"
	"	_files -g '*.(#i)(" CERT_KINDS ")(-.)' || _files\n}\n"
	"_wimtrust_thumbprints()\n{\n"
	"	_wimtrust_ask thumbprints\n	_wimtrust_certs\n}\n";

static void print_zsh_operands(const struct cli_command *command)
{
	static const char *const names[] = {
		[OPERAND_CERT] = "certificate:_wimtrust_certs",
		[OPERAND_THUMBPRINT] = "certificate:_wimtrust_thumbprints",
		[OPERAND_ANY] = "file:_files",
		[OPERAND_NONE] = "file:_files",
	};

	if (takes_target(command))
		printf("			'1:target:_wimtrust_targets' "
		       "\\\n");
	printf("			'*:%s' ;;\n",
		command->bit == CLI_COMPLETION ? "shell:(" SHELLS ")"
					       : names[operand_of(command)]);
}

static void print_zsh(void)
{
	printf("#compdef wimtrust\n"
	       "# zsh completion, made by: wimtrust completion zsh\n");
	fputs(zsh_functions, stdout);
	printf("_wimtrust()\n{\n"
	       "	local -a commands\n	commands=(\n");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		printf("		'%s:", c->name);
		print_quoted(c->summary, ":");
		printf("'\n");
	}
	printf("		'help:show the options of a command'\n"
	       "		'version:show the versions'\n	)\n"
	       "	setopt localoptions extendedglob\n"
	       "	if (( CURRENT == 2 || CURRENT == 3 )) &&\n"
	       "		[[ $CURRENT = 2 || $words[2] = help ]]; then\n"
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
		print_zsh_operands(c);
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
	printf(" -d '");
	for (const char *h = option->help; *h; h++)
		printf(*h == '\'' ? "\\'" : "%c", *h);
	printf("'\n");
	/* Apart, so that the option's help is not repeated beside each word. */
	if (!option->arg || !has_words(option) ||
		cli_option_is_optional(option))
		return;
	printf("complete -c wimtrust -n '__fish_seen_subcommand_from ");
	print_name(command, ' ');
	printf("' -l %s", option->name);
	if (cli_option_is_short(option))
		printf(" -s %c", option->id);
	printf(" -x -a '");
	if (option->id == 'i')
		printf("(__wimtrust_ask images)");
	else
		print_words(option->words);
	printf("'\n");
}

static const char fish_functions[] =
	"function __wimtrust_target\n"
	"	for word in (commandline -op)[3..-1]\n"
	"		if not string match -q -- '-*' $word; and test -e "
	"$word\n"
	"			echo $word\n			return 0\n"
	"		end\n	end\n	return 1\nend\n"
	"function __wimtrust_ask\n"
	"	set -l target (__wimtrust_target)\n"
	"	or return\n"
	"	string match -qi -- '*.iso' $target\n"
	"	or wimtrust completion $argv[1] $target 2>/dev/null\nend\n"
	"# Files of these kinds first, then folders, then all others.\n"
	"function __wimtrust_files\n"
	"	set -l files (complete -C \"__fish_command_without_completions "
	"\"(commandline -ct))\n"
	"	string match -ri -- \"^.*\\.(?:$argv[1])\\$\" $files\n"
	"	string match -r -- '^.*/$' $files\n"
	"	printf '%s\\n' $files\nend\n"
	"function __wimtrust_has_target\n"
	"	__wimtrust_target >/dev/null\nend\n";

static void print_fish_operands(const struct cli_command *command)
{
	enum operand operand = operand_of(command);

	if (takes_target(command)) {
		printf("complete -c wimtrust -k -x -n "
		       "'__fish_seen_subcommand_from ");
		print_name(command, ' ');
		printf("; and not __wimtrust_has_target' -a '");
		printf("(__wimtrust_files \"" TARGET_KINDS "\")'\n");
	}
	if (operand != OPERAND_CERT && operand != OPERAND_THUMBPRINT)
		return;
	for (int i = operand == OPERAND_THUMBPRINT ? 0 : 1; i < 2; i++) {
		printf("complete -c wimtrust -k -x -n "
		       "'__fish_seen_subcommand_from ");
		print_name(command, ' ');
		printf("%s' -a '", takes_target(command)
					   ? "; and __wimtrust_has_target"
					   : "");
		if (i == 0)
			printf("(__wimtrust_ask thumbprints)'\n");
		else
			printf("(__wimtrust_files \"" CERT_KINDS "\")'\n");
	}
}

static void print_fish(void)
{
	printf("# fish completion, made by: wimtrust completion fish\n");
	fputs(fish_functions, stdout);
	printf("complete -c wimtrust -f -n __fish_use_subcommand -a help "
	       "-d 'show the options of a command'\n"
	       "complete -c wimtrust -f -n __fish_use_subcommand -a version "
	       "-d 'show the versions'\n"
	       "complete -c wimtrust -f -n '__fish_seen_subcommand_from help' "
	       "-a '");
	print_names(' ');
	printf("'\n");
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
		print_fish_operands(c);
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

/* Hidden: what the scripts ask about a target. */
static bool is_question(const struct cli_request *request)
{
	return request->operand_count == 2 &&
	       (strcmp(request->operands[0], "images") == 0 ||
		       strcmp(request->operands[0], "thumbprints") == 0);
}

/* A word for a shell and what it means. What could command a terminal, or is
 * more than one line, is left out. */
static void print_word(const char *word, const char *meaning)
{
	char *safe = cli_text_safe(word);

	if (word[0] && strcmp(safe, word) == 0)
		printf("%s\t%s\n", word, meaning);
	free(safe);
}

static void print_images(const struct wt_report *report)
{
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);
		char number[16] = "", *name = cli_text_safe(image->name);

		snprintf(number, sizeof(number), "%d", image->index);
		if (image->index > 0)
			printf("%s\t%s%s\n", number, name,
				image->is_boot ? " (boot)" : "");
		free(name);
	}
	printf("all\tevery image\nboot\tthe image that boots\n");
	for (size_t i = 0; i < report->image_count; i++) {
		char text[32] = "";

		snprintf(text, sizeof(text), "image %d",
			wt_report_image(report, i)->index);
		print_word(wt_report_image(report, i)->name, text);
	}
}

static void print_thumbprints(const struct wt_report *report)
{
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		for (size_t j = 0; j < image->entry_count; j++) {
			const struct wt_entry *entry = wt_image_entry(image, j);
			char *name = NULL, *safe = NULL;

			if (!entry->cert)
				continue;
			name = cli_text_name(entry->cert->subject);
			safe = cli_text_safe(name);
			printf("%s\t%s\n", entry->cert->sha1, safe);
			free(safe);
			free(name);
		}
	}
}

enum wt_status cmd_completion(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	/* A target that cannot be read has nothing to offer. */
	if (is_question(request)) {
		(void)wt_target_info(request->operands[1], &request->options,
			outcome->report, NULL);
		return WT_OK;
	}
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (request->operand_count == 1 &&
			strcmp(shells[i].name, request->operands[0]) == 0)
			return WT_OK;
	}
	wt_fail(err, WT_ERR_USAGE, "usage", request->operands[0],
		"is not a shell that has completions");
	wt_error_hint(err, "bash, zsh and fish have one");
	return WT_ERR_USAGE;
}

void print_completion(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	if (status)
		return;
	if (is_question(request)) {
		if (strcmp(request->operands[0], "images") == 0)
			print_images(outcome->report);
		else
			print_thumbprints(outcome->report);
		return;
	}
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].name, request->operands[0]) == 0)
			shells[i].print();
	}
}
