/* SPDX-License-Identifier: MIT
 * commands.c: the table of commands. */
#include "cli.h"

#include <string.h>

const struct cli_command cli_commands[] = {
	{
		.name = "add",
		.alias = "inject",
		.bit = CLI_ADD,
		.usage = "[--backup | -o FILE [-f]] [OPTION]... TARGET CERT...",
		.operands = "TARGET CERT...",
		.summary = "put certificates into an image",
		.text = "Puts certificates into every image of TARGET that has "
			"a SOFTWARE hive.\n"
			"TARGET: a WIM, a SOFTWARE hive, or a Windows folder.\n"
			"CERT: PEM, DER, PKCS#7, .sst or .reg; a folder of "
			"them; - for stdin.",
		.example = "wimtrust add --backup boot.wim contoso-root.cer",
		.operands_min = 2,
		.operands_max = -1,
		.run = cmd_add,
		.print = print_add,
	},
	{
		.name = "remove",
		.bit = CLI_REMOVE,
		.usage =
			"[--backup | -o FILE [-f]] [--if-present] [OPTION]...\n"
			" TARGET THUMBPRINT|CERT|key:NAME...",
		.operands = "TARGET THUMBPRINT|CERT|key:NAME...",
		.summary = "remove certificates from an image",
		.text = "Removes certificates from every store, or from the "
			"one that -s names.\n"
			"THUMBPRINT: SHA-1 or SHA-256 in hex; CERT: a file "
			"of certificates.\n"
			"Exit status 1 if one was not found.",
		.example = "wimtrust remove boot.wim "
			   "\"0563b8630d62d75abbc8ab1e4bdfb5a899b24d43\"",
		.operands_min = 2,
		.operands_max = -1,
		.run = cmd_remove,
		.print = print_remove,
	},
	{
		.name = "list",
		.bit = CLI_LIST,
		.usage = "[-i IMAGE]... [-s STORE] [--pem] [OPTION]... TARGET",
		.operands = "TARGET",
		.summary = "show the certificates in an image",
		.text = "Lists the certificates in every store that grants or "
			"denies trust.",
		.example = "wimtrust list --image boot boot.wim",
		.operands_min = 1,
		.operands_max = 1,
		.run = cmd_list,
		.print = print_list,
	},
	{
		.name = "verify",
		.bit = CLI_VERIFY,
		.usage = "[-i IMAGE]... [-s STORE] [--for LIST] [OPTION]...\n"
			 " TARGET CERT|THUMBPRINT...\n"
			 "--exact [--base PRISTINE] [OPTION]...\n"
			 " TARGET CERT|THUMBPRINT...",
		.operands = "TARGET CERT|THUMBPRINT...",
		.summary = "are these certificates present and sound?",
		.text = "Checks that each certificate is in its store in each "
			"image;\n"
			"with --exact, that there are no others.\n"
			"Exit status 1 if not.",
		.example = "wimtrust verify boot.wim contoso-root.cer",
		.operands_min = 2,
		.operands_max = -1,
		.run = cmd_verify,
		.print = print_verify,
	},
	{
		.name = "check",
		.bit = CLI_CHECK,
		.usage = "[--host NAME] [--at TIME] [-i IMAGE]... [OPTION]...\n"
			 " TARGET CHAIN...\n"
			 "--connect SERVER [--timeout SECONDS] [OPTION]... "
			 "TARGET",
		.operands = "TARGET CHAIN...",
		.summary = "would an image trust this TLS server?",
		.text = "Would Windows, booted from TARGET, trust the server "
			"that sends CHAIN?\n"
			"CHAIN: the server's certificate and its intermediates "
			"(PEM or PKCS#7);\n"
			"--connect asks the server itself. Exit status 1 if it "
			"would not.",
		.example = "wimtrust check --host cmg.contoso.com boot.wim "
			   "chain.pem",
		.operands_min = 2,
		.operands_max = -1,
		.run = cmd_check,
		.print = print_check,
	},
	{
		.name = "diff",
		.bit = CLI_DIFF,
		.usage = "[-i IMAGE]... [-s STORE] [OPTION]... OLD NEW",
		.operands = "OLD NEW",
		.summary = "what does one image trust that another does not?",
		.text = "Compares the certificates in two images.\n"
			"OLD, NEW: a WIM, hive, Windows folder or ISO; or a "
			"file or folder of\n"
			"certificates.\n"
			"Exit status 0 if they hold the same, 1 if not.",
		.example = "wimtrust diff boot.wim.bak boot.wim",
		.operands_min = 2,
		.operands_max = 2,
		.run = cmd_diff,
		.print = print_diff,
	},
	{
		.name = "info",
		.bit = CLI_INFO,
		.usage = "[-i IMAGE]... [OPTION]... TARGET",
		.operands = "TARGET",
		.summary = "show images, boot index, hives and stores",
		.text = "Shows what TARGET is, its images, and how many "
			"certificates each store has.",
		.example = "wimtrust info boot.wim",
		.operands_min = 1,
		.operands_max = 1,
		.run = cmd_info,
		.print = print_info,
	},
	{
		.name = "show",
		.bit = CLI_SHOW,
		.usage = "[-s STORE] [--allow LIST] [-r] [OPTION]... CERT...",
		.operands = "CERT...",
		.summary = "show what is in a certificate file",
		.text = "Shows each certificate in the files, and the store "
			"it would go to.",
		.example = "wimtrust show contoso-bundle.p7b",
		.operands_min = 1,
		.operands_max = -1,
		.run = cmd_show,
		.print = print_show,
	},
	{
		.name = "export",
		.bit = CLI_EXPORT,
		.usage = "[--format FORMAT] [-s STORE] [--for LIST] [-o FILE "
			 "[-f]]\n"
			 " [OPTION]... CERT...\n"
			 "[--format FORMAT] [-s STORE] [-i IMAGE]...\n"
			 " [-o FILE [-f]] [OPTION]... TARGET [THUMBPRINT]...",
		.operands = "CERT... | TARGET [THUMBPRINT]...",
		.summary = "write a .reg file, a raw value or PEM",
		.text = "Writes certificates, or those of an image, as a .reg "
			"file for regedit,\n"
			"as the raw registry value (blob), or as PEM; to "
			"stdout without --output.",
		.example = "wimtrust export --root-name winpe-offline "
			   "-o root.reg root.cer",
		.operands_min = 1,
		.operands_max = -1,
		.run = cmd_export,
		.print = print_export,
	},
	{
		.name = "completion",
		.bit = CLI_COMPLETION,
		.usage = "[OPTION]... bash|zsh|fish",
		.operands = "bash|zsh|fish",
		.summary = "write a completion script for a shell",
		.text = "Writes a completion script for the shell to stdout.",
		.example = "wimtrust completion bash "
			   ">>~/.bash_completion",
		.operands_min = 1,
		.operands_max = 2,
		.run = cmd_completion,
		.print = print_completion,
	},
	{.name = NULL},
};

const struct cli_command *cli_command_find(const char *name)
{
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (strcmp(c->name, name) == 0 ||
			(c->alias && strcmp(c->alias, name) == 0))
			return c;
	}
	return NULL;
}
