/* SPDX-License-Identifier: MIT
 * completion.c: completion scripts, made from the tables of commands and
 * options. */
#include "completion.h"
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

/* "add|inject" or "add inject" */
static void print_name(const struct cli_command *command, char between)
{
	fputs(command->name, stdout);
	if (command->alias)
		printf("%c%s", between, command->alias);
}

static void print_names(char between)
{
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (c != cli_commands)
			putchar(between);
		print_name(c, between);
	}
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

/* "--host:*|--at:*": options whose value is any text, or any file. */
static void print_bash_free(bool wants_file)
{
	bool is_first = true;

	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (!o->arg || has_words(o) || cli_option_is_optional(o) ||
			is_file(o) != wants_file)
			continue;
		printf("%s--%s:*", is_first ? "	" : "|", o->name);
		if (cli_option_is_short(o))
			printf("|-%c:*", o->id);
		is_first = false;
	}
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
			printf(") _wimtrust_images; return ;;\n");
			continue;
		}
		printf(") words='");
		print_words(o->words);
		printf("' ;;\n");
	}
	print_bash_free(false);
	printf(") _wimtrust_no_file; return ;;\n");
	/* A file's name: readline's own completion. */
	print_bash_free(true);
	printf(") return ;;\n");
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
	"# A word as it was typed, without its quotes and backslashes: REPLY.\n"
	"_wimtrust_plain()\n"
	"{\n"
	"	local i c quote=''\n"
	"	REPLY=''\n"
	"	for ((i = 0; i < ${#1}; i++)); do\n"
	"		c=${1:i:1}\n"
	"		if [ \"$c\" = \"$quote\" ]; then\n"
	"			quote=''\n"
	"		elif [[ -z $quote && $c == [\\\"\\'] ]]; then\n"
	"			quote=$c\n"
	"		elif [[ $quote != \\' && $c == \\\\ ]]; then\n"
	"			i=$((i + 1)) REPLY+=${1:i:1}\n"
	"		else\n"
	"			REPLY+=$c\n"
	"		fi\n"
	"	done\n"
	"	[[ $1 != '~/'* ]] || REPLY=$HOME/${REPLY:2}\n"
	"}\n"
	"# The operands before the word that is completed: count and first.\n"
	"_wimtrust_operands()\n"
	"{\n"
	"	local i skip=''\n"
	"	count=0 target=''\n"
	"	for ((i = at + 1; i < COMP_CWORD; i++)); do\n"
	"		if [ -n \"$skip\" ]; then skip=''; continue; fi\n"
	"		if [[ ${COMP_WORDS[i]} == $1 ]]; then\n"
	"			skip=1\n"
	"		elif [[ ${COMP_WORDS[i]} != [-=]* ]]; then\n"
	"			count=$((count + 1))\n"
	"			[ -n \"$target\" ] || target=${COMP_WORDS[i]}\n"
	"		fi\n"
	"	done\n"
	"	_wimtrust_plain \"$target\"\n"
	"	target=$REPLY\n"
	"	# Options may come before the target.\n"
	"	for ((i = COMP_CWORD + 1; i < ${#COMP_WORDS[@]}; i++)); do\n"
	"		_wimtrust_plain \"${COMP_WORDS[i]}\"\n"
	"		[[ -n $target || $REPLY == -* || ! -e $REPLY ]] ||\n"
	"			target=$REPLY\n"
	"	done\n"
	"}\n"
	"# Offers a word that begins as cur does, with the quotes of that.\n"
	"_wimtrust_offer()\n"
	"{\n"
	"	local line=$1 REPLY\n"
	"	_wimtrust_plain \"$cur\"\n"
	"	# A thumbprint in small letters is one, too.\n"
	"	[[ $line == \"$REPLY\"* || ! $line =~ ^[0-9A-F]{40}$ ]] ||\n"
	"		line=${line,,}\n"
	"	[[ $line == \"$REPLY\"* ]] || return 0\n"
	"	case $cur in\n"
	"	\\'*) line=${line//\\'/\\'\\\\\\'\\'} ;;\n"
	"	\\\"*) line=${line//\\\\/\\\\\\\\} "
	"line=${line//\\\"/\\\\\\\"}\n"
	"		line=${line//\\$/\\\\\\$} line=${line//\\`/\\\\\\`} "
	";;\n"
	"	*) printf -v line %q \"$line\" ;;\n"
	"	esac\n"
	"	COMPREPLY+=(\"$line\")\n"
	"}\n"
	"# What the target holds: images or thumbprints.\n"
	"_wimtrust_ask()\n"
	"{\n"
	"	local line\n"
	"	[[ -n $target && $target != *.[iI][sS][oO] ]] || return 0\n"
	"	while IFS=$'\\t' read -r line _; do\n"
	"		_wimtrust_offer \"$line\"\n"
	"	done < <(wimtrust completion \"$1\" \"$target\" 2>/dev/null)\n"
	"}\n"
	"# No file will do.\n"
	"_wimtrust_no_file()\n"
	"{\n"
	"	compopt +o bashdefault +o default 2>/dev/null || true\n"
	"}\n"
	"_wimtrust_images()\n"
	"{\n"
	"	_wimtrust_no_file\n"
	"	_wimtrust_ask images\n"
	"	[ -n \"$target\" ] ||\n"
	"		COMPREPLY=($(compgen -W 'all boot' -- \"$cur\"))\n"
	"}\n"
	"# Folders, and files whose names end so; readline offers all when "
	"there\n"
	"# are none.\n"
	"_wimtrust_files()\n"
	"{\n"
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
	       "		case ${COMP_WORDS[at]}:$count in\n");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (!takes_target(c))
			continue;
		print_bash_case(c, c->bit == CLI_DIFF ? "*" : "0");
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

/* Which options each command takes. */
static void print_bash_options(void)
{
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
}

static void print_bash(void)
{
	printf("# bash completion, made by: wimtrust completion bash\n");
	fputs(bash_functions, stdout);
	printf("_wimtrust()\n{\n"
	       "	local cur=${COMP_WORDS[COMP_CWORD]} words='' "
	       "equals=''\n"
	       "	local prev=${COMP_WORDS[COMP_CWORD-1]} at count "
	       "target REPLY\n"
	       "	local names='");
	print_names(' ');
	printf(" help version'\n"
	       "	COMPREPLY=()\n"
	       "	# bash leaves out an empty word before another one.\n"
	       "	if [[ -n $cur && -z ${2-x} &&\n"
	       "		${COMP_LINE:COMP_POINT-1:1} == ' ' ]]; then\n"
	       "		COMP_WORDS=(\"${COMP_WORDS[@]:0:COMP_CWORD}\" "
	       "''\n"
	       "			\"${COMP_WORDS[@]:COMP_CWORD}\")\n"
	       "		cur=''\n"
	       "	fi\n"
	       "	# Options may come before the command.\n"
	       "	for ((at = 1; at < COMP_CWORD; at++)); do\n"
	       "		[[ \" $names \" != *\" ${COMP_WORDS[at]} \"* "
	       "]] "
	       "|| break\n"
	       "	done\n"
	       "	if [[ $at -eq $COMP_CWORD || ${COMP_WORDS[at]} = help "
	       "]]; "
	       "then\n"
	       "		words=\"$names --help --version\"\n"
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
	printf("	*)\n		case ${COMP_WORDS[at]}:$cur in\n");
	print_bash_options();
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
	"		[[ $word != '~/'* ]] || word=$HOME/${word[3,-1]}\n"
	"		[[ $word != -* && -e $word ]] || continue\n"
	"		target=$word\n		break\n"
	"	done\n"
	"	[[ -n $target && $target != *.(#i)iso ]] || return 1\n"
	"	for line in ${(f)\"$(wimtrust completion $1 $target "
	"2>/dev/null)\"}; do\n"
	"		values+=(\"${line%%$'\\t'*}\")\n"
	"		lines+=(\"${line/$'\\t'/  }\")\n"
	"	done\n"
	"	(( $#values )) && compadd -M 'm:{a-z}={A-Z}' -ld lines -a "
	"values\n"
	"}\n"
	"_wimtrust_images() { _wimtrust_ask images || "
	"compadd all boot }\n"
	"_wimtrust_targets()\n{\n"
	"	_files -g '(*.(#i)(" TARGET_KINDS ")|*SOFTWARE)(-.)' ||\n"
	"		_files\n}\n"
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
	       "	# Options may come before the command.\n"
	       "	while (( CURRENT > 2 )) &&\n"
	       "		[[ -z ${(M)commands:#${(q)words[2]}:*} && "
	       "$words[2] != inject ]]; do\n"
	       "		words[2]=()\n		(( CURRENT-- "
	       "))\n	done\n"
	       "	if [[ $CURRENT = 2 || $words[2] = help ]]; then\n"
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
		printf("(__wimtrust_images)");
	else
		print_words(option->words);
	printf("'\n");
}

static const char fish_functions[] =
	"function __wimtrust_target\n"
	"	for word in (commandline -op)[3..-1]\n"
	"		set word (string replace -r -- '^~/' \"$HOME/\" "
	"$word)\n"
	"		if not string match -q -- '-*' $word; and test -e "
	"$word\n"
	"			echo $word\n			return 0\n"
	"		end\n	end\n	return 1\nend\n"
	"function __wimtrust_ask\n"
	"	set -l target (__wimtrust_target)\n"
	"	or return 1\n"
	"	string match -qi -- '*.iso' $target\n"
	"	or wimtrust completion $argv[1] $target 2>/dev/null\nend\n"
	"function __wimtrust_images\n"
	"	__wimtrust_ask images\n"
	"	or printf '%s\\n' all boot\nend\n"
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

enum wt_status cmd_completion(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	/* A target that cannot be read has nothing to offer. */
	if (cli_completion_is_question(request)) {
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
	if (status != WT_OK)
		return;
	if (cli_completion_is_question(request)) {
		cli_completion_answer(request, outcome->report);
		return;
	}
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].name, request->operands[0]) == 0)
			shells[i].print();
	}
}
