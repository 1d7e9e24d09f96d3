/* SPDX-License-Identifier: MIT
 * habits.c: what people type who learnt elsewhere, or pasted it. */
#include "habits.h"

#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPELLING "look at the spelling"

struct synonym {
	const char *word, *meaning;
};

static const struct synonym commands[] = {
	{"import", "add"},
	{"install", "add"},
	{"trust", "add"},
	{"put", "add"},
	{"insert", "add"},
	{"set", "add"},
	{"append", "add"},
	{"deploy", "add"},
	{"register", "add"},
	{"rm", "remove"},
	{"del", "remove"},
	{"delete", "remove"},
	{"erase", "remove"},
	{"uninstall", "remove"},
	{"untrust", "remove"},
	{"distrust", "remove"},
	{"unregister", "remove"},
	{"drop", "remove"},
	{"eject", "remove"},
	{"reject", "remove"},
	{"ls", "list"},
	{"dir", "list"},
	{"enum", "list"},
	{"dump", "list"},
	{"test", "check"},
	{"compare", "diff"},
	{"cmp", "diff"},
	{"view", "show"},
	{"display", "show"},
	{"print", "show"},
	{"cat", "show"},
	{"stat", "info"},
	{"inspect", "info"},
	{"examine", "info"},
	{"describe", "info"},
	{"extract", "export"},
	{"save", "export"},
	{NULL, NULL},
};

static const struct synonym options[] = {
	{"index", "image"},
	{"img", "image"},
	{"imageindex", "image"},
	{"hostname", "host"},
	{"server", "host"},
	{"server-name", "host"},
	{"servername", "host"},
	{"out", "output"},
	{"overwrite", "force"},
	{"whatif", "dry-run"},
	{"simulate", "dry-run"},
	{"just-print", "dry-run"},
	{"silent", "quiet"},
	{"bak", "backup"},
	{"time", "at"},
	{"date", "at"},
	{"cert-store", "store"},
	{"storename", "store"},
	{"exactly", "exact"},
	{"missing-ok", "if-present"},
	{"jobs", "threads"},
	{"timeout", "wait"},
	{NULL, NULL},
};

static const char *find_meaning(
	const struct synonym *synonyms, const char *word)
{
	for (; synonyms->word; synonyms++)
		if (strcasecmp(synonyms->word, word) == 0)
			return synonyms->meaning;
	return NULL;
}

const char *cli_habits_command(const char *word)
{
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (strcasecmp(c->name, word) == 0)
			return c->name;
	return find_meaning(commands, word);
}

const char *cli_habits_option(const char *word)
{
	return find_meaning(options, word);
}

static bool is_help(const char *word)
{
	static const char *const words[] = {"-h", "--help", "-?", "/?", "/h",
		"/help", "-help", "help", NULL};

	for (const char *const *w = words; *w; w++)
		if (strcasecmp(word, *w) == 0)
			return true;
	return false;
}

static bool is_version(const char *word)
{
	return strcmp(word, "version") == 0 || strcmp(word, "-version") == 0;
}

/* argv holds static text from here on; nobody writes into it. */
static char *word_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

void cli_habits_order(int argc, char **argv)
{
	int at = 1;

	/* "-?" and "/?" ask for help in any place. */
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "-?") == 0 || strcmp(argv[i], "/?") == 0)
			argv[i] = word_of("--help");
	if (argc < 2)
		return;
	if (is_help(argv[1]))
		argv[1] = word_of("--help");
	else if (is_version(argv[1]))
		argv[1] = word_of("--version");
	/* "help help" and "help version" ask for what these words say. */
	if (argc > 2 && strcmp(argv[1], "--help") == 0) {
		if (is_help(argv[2]))
			argv[2] = word_of("--help");
		else if (is_version(argv[2]))
			argv[1] = argv[2] = word_of("--version");
	}
	while (at < argc && argv[at][0] == '-' && strcmp(argv[at], "--") != 0)
		at++;
	if (at == 1 || at == argc || !cli_command_find(argv[at]))
		return;
	for (char *command = argv[at]; at > 0; at--)
		argv[at] = at > 1 ? argv[at - 1] : command;
}

/* The character in UTF-8 at the beginning of text, among those of set. */
static bool begins_with(const char *text, const char *const *set)
{
	for (; *set; set++)
		if (strncmp(text, *set, strlen(*set)) == 0)
			return true;
	return false;
}

/* Hyphen, non-breaking hyphen (a word processor's), figure dash, en dash, em
 * dash, horizontal bar, minus, the small and the full-width hyphen. */
static const char *const dashes[] = {"\xE2\x80\x90", "\xE2\x80\x91",
	"\xEF\xB9\xA3", "\xEF\xBC\x8D", "\xE2\x80\x92", "\xE2\x80\x93",
	"\xE2\x80\x94", "\xE2\x80\x95", "\xE2\x88\x92", NULL};
static const char *const quotes[] = {"\xE2\x80\x98", "\xE2\x80\x99",
	"\xE2\x80\x9A", "\xE2\x80\x9C", "\xE2\x80\x9D", "\xE2\x80\x9E",
	"\xC2\xAB", "\xC2\xBB", NULL};

/* "/Index:1" as DISM has it: a letter, letters, perhaps a value, no path. */
static bool is_windows_option(const char *word)
{
	size_t len = 0;

	if (word[0] != '/' || !isalpha((unsigned char)word[1]))
		return false;
	len = 1 + strspn(word + 1, "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
	return word[len] == '\0' || word[len] == ':';
}

static enum wt_status refuse_windows_option(
	const char *word, struct wt_error *err)
{
	char name[32] = "", argument[128] = "";
	const char *meaning = NULL, *colon = strchr(word, ':');

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 1, ":"),
		word + 1);
	wt_fail(err, WT_ERR_USAGE, "unknown-option", word,
		"options begin with - here");
	meaning = cli_habits_option(name);
	if (colon)
		snprintf(argument, sizeof(argument), " %s", colon + 1);
	if (meaning)
		wt_error_hint(err, "it is --%s%s", meaning, argument);
	else
		wt_error_hint(err, "wimtrust help COMMAND lists the options");
	return WT_ERR_USAGE;
}

static enum wt_status refuse_word(const char *word, struct wt_error *err)
{
	size_t len = strlen(word);

	if (len > 0 && word[len - 1] == '\r') {
		wt_fail(err, WT_ERR_USAGE, "usage", word,
			"ends with a carriage return");
		wt_error_hint(err, "the script has the line ends of Windows: "
				   "sed -i 's/\\r$//' SCRIPT");
		return WT_ERR_USAGE;
	}
	if (begins_with(word, dashes)) {
		wt_fail(err, WT_ERR_USAGE, "usage", word,
			"begins with a typographic dash");
		wt_error_hint(err, "type the - of the keyboard");
		return WT_ERR_USAGE;
	}
	if (begins_with(word, quotes)) {
		wt_fail(err, WT_ERR_USAGE, "usage", word,
			"begins with a typographic quotation mark");
		wt_error_hint(err, "type the \" or ' of the keyboard");
		return WT_ERR_USAGE;
	}
	return is_windows_option(word) ? refuse_windows_option(word, err)
				       : WT_OK;
}

enum wt_status cli_habits_check(int argc, char **argv, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	for (int i = 1; ret == WT_OK && i < argc; i++) {
		/* A certificate's name may well begin with such a mark. */
		if (i > 1 && strcmp(argv[i - 1], "--friendly-name") == 0)
			continue;
		if (access(argv[i], F_OK) != 0)
			ret = refuse_word(argv[i], err);
	}
	return ret;
}

enum kind { KIND_OTHER, KIND_TARGET, KIND_CERTS };

/* What an operand is, told quickly. Certificates are read: that is what tells
 * them from other files. */
static enum kind kind_of(const char *path)
{
	struct wt_cert_list *list = NULL;
	enum kind kind = KIND_OTHER;
	struct stat st = {0};
	char magic[32] = "";
	ssize_t len = 0;
	int fd = -1;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return KIND_OTHER;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return KIND_OTHER;
	len = read(fd, magic, sizeof(magic));
	close(fd);
	/* a text may begin so: none has a zero */
	if (len == sizeof(magic) && memchr(magic, 0, sizeof(magic)) &&
		(memcmp(magic, "MSWI", 4) == 0 ||
			memcmp(magic, "WLPW", 4) == 0 ||
			memcmp(magic, "regf", 4) == 0))
		return KIND_TARGET;
	if (wt_cert_list_new(&list, NULL) == WT_OK &&
		wt_cert_list_read(list, path, NULL) == WT_OK)
		kind = KIND_CERTS;
	wt_cert_list_free(list);
	return kind;
}

/* A specific hint is better than the one that is there. */
static void replace_hint(struct wt_error *err, const char *fmt, ...)
	WT_PRINTF(2, 3);

static void replace_hint(struct wt_error *err, const char *fmt, ...)
{
	char hint[sizeof(err->hint)] = "";
	va_list args;

	va_start(args, fmt);
	vsnprintf(hint, sizeof(hint), fmt, args);
	va_end(args);
	memcpy(err->hint, hint, sizeof(hint));
}

/* Messages name a file as it was given, or by its whole path. */
static bool is_object(const char *operand, const struct wt_error *err)
{
	char *whole = NULL;
	bool is_it = strcmp(operand, err->object) == 0;

	if (!is_it && err->object[0] == '/') {
		whole = realpath(operand, NULL);
		is_it = whole && strcmp(whole, err->object) == 0;
		free(whole);
	}
	return is_it;
}

/* The operand that the error is about, or operand_count. */
static size_t find_operand(
	const struct cli_request *request, const struct wt_error *err)
{
	size_t i = 0;

	while (i < request->operand_count &&
		!is_object(request->operands[i], err))
		i++;
	return i;
}

void cli_put_word(FILE *out, const char *option, const char *word)
{
	bool is_plain =
		word[0] && strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"abcdefghijklmnopqrstuvwxyz"
					"0123456789./_-,=:") == strlen(word);

	fprintf(out, is_plain ? "%s %s" : "%s '%s'", option, word);
}

/* "wimtrust add -s root", with the options that were given. */
static void put_command(FILE *out, const struct cli_request *request)
{
	fprintf(out, "wimtrust %s", request->command->name);
	for (size_t i = 0; i < request->word_count; i++)
		cli_put_word(out, "", request->words[i]);
}

/* Ends what was written into text; it becomes the hint where it fits. */
static void hint_end(FILE *out, char **text, struct wt_error *err)
{
	if (fclose(out) == 0 && strlen(*text) < sizeof(err->hint))
		replace_hint(err, "%s", *text);
	free(*text);
}

/* "a.wim b.wim r.cer": how one command does it for each. */
static bool hint_loop(const struct cli_request *request, struct wt_error *err)
{
	size_t target_count = 0, count = request->operand_count, len = 0;
	bool *is_target = cli_alloc(count, sizeof(*is_target));
	char *text = NULL;
	FILE *out = NULL;

	for (size_t i = 0; i < count; i++) {
		is_target[i] = kind_of(request->operands[i]) == KIND_TARGET;
		target_count += is_target[i];
	}
	/* Without a CERT the loop would fail, and with -o its second run. */
	if (target_count >= 2 && !request->options.output &&
		(target_count < count || request->command->operands_min == 1))
		out = open_memstream(&text, &len);
	if (out) {
		fputs("run it once for each image: for wim in", out);
		for (size_t i = 0; i < count; i++)
			if (is_target[i])
				cli_put_word(out, "", request->operands[i]);
		fputs("; do ", out);
		put_command(out, request);
		fputs(" \"$wim\"", out);
		for (size_t i = 0; i < count; i++)
			if (!is_target[i])
				cli_put_word(out, "", request->operands[i]);
		fputs("; done", out);
		hint_end(out, &text, err);
	}
	free(is_target);
	return out != NULL;
}

/* Certificates where the target should be, and perhaps the other way round. */
static bool hint_swapped(
	const struct cli_request *request, struct wt_error *err)
{
	const char *first = request->operands[0], *target = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *out = NULL;

	if (kind_of(first) != KIND_CERTS)
		return false;
	for (size_t i = 1; !target && i < request->operand_count; i++)
		if (kind_of(request->operands[i]) == KIND_TARGET)
			target = request->operands[i];
	out = open_memstream(&text, &len);
	if (!out)
		return false;
	if (target) {
		fputs("the order is: ", out);
		put_command(out, request);
		cli_put_word(out, "", target);
		for (size_t i = 0; i < request->operand_count; i++)
			if (request->operands[i] != target)
				cli_put_word(out, "", request->operands[i]);
	} else {
		fputs("it holds certificates: wimtrust show", out);
		cli_put_word(out, "", first);
	}
	hint_end(out, &text, err);
	return true;
}

/* "Contoso Root.cer" without quotes is two words. */
static bool hint_two_words(
	const struct cli_request *request, size_t at, struct wt_error *err)
{
	for (size_t i = at > 0 ? at - 1 : 0;
		i <= at && i + 1 < request->operand_count; i++) {
		char path[400] = "";

		snprintf(path, sizeof(path), "%s %s", request->operands[i],
			request->operands[i + 1]);
		if (access(path, F_OK) != 0)
			continue;
		replace_hint(
			err, "put a path with spaces in quotes: '%s'", path);
		return true;
	}
	return false;
}

static bool has_option(const char *name, unsigned command)
{
	for (const struct cli_option *o = cli_options; o->name; o++)
		if (strcmp(o->name, name) == 0 && o->commands & command)
			return true;
	return false;
}

/* A server's name or address instead of what it sends. */
static bool hint_server(const struct cli_request *request, struct wt_error *err)
{
	const char *name = err->object, *colon = NULL;
	size_t len = 0;
	bool is_url = strncasecmp(name, "https://", 8) == 0;

	if (is_url)
		name += 8;
	len = strcspn(name, ":/");
	colon = name[len] == ':' ? name + len : NULL;
	if (request->command->bit != CLI_CHECK || len == 0 ||
		(!is_url && !colon && access(name, F_OK) == 0) ||
		(!is_url && (!memchr(name, '.', len) || strchr(name, '/'))))
		return false;
	if (!is_url && !colon && strlen(name) > 4 &&
		strspn(strrchr(name, '.') + 1, "abcdefghijklmnopqrstuvwxyz") &&
		(strstr(name, ".pem") || strstr(name, ".cer") ||
			strstr(name, ".crt") || strstr(name, ".p7b")))
		return false;
	if (has_option("connect", CLI_CHECK))
		replace_hint(err,
			"to ask the server: wimtrust check %s "
			"--connect %.*s",
			request->operands[0], (int)len, name);
	else
		replace_hint(err,
			"check reads a file: openssl s_client -connect "
			"%.*s:443 -servername %.*s -showcerts </dev/null "
			">chain.pem",
			(int)len, name, (int)len, name);
	return true;
}

/* A path of Windows without quotes, C:imagesboot.wim or \serversharex. */
static bool has_lost_backslashes(const char *path)
{
	if (path[0] == '\\')
		return path[1] && !strpbrk(path + 1, "\\/");
	return path[2] && !strpbrk(path + 2, "\\/");
}

/* Windows' paths, which nothing here knows. */
static bool hint_windows_path(struct wt_error *err)
{
	const char *path = err->object;
	const char *share = NULL;
	size_t len = 0;
	bool is_drive = isalpha((unsigned char)path[0]) && path[1] == ':';

	if ((is_drive || path[0] == '\\') && has_lost_backslashes(path)) {
		replace_hint(err, "the shell took the backslashes out: put "
				  "single quotes around the path");
		return true;
	}
	if (is_drive) {
		replace_hint(err,
			"under WSL the path is what this prints: wslpath '%s'",
			path);
		return true;
	}
	if (strncmp(path, "\\\\", 2) != 0)
		return false;
	share = strchr(path + 2, '\\');
	len = share ? (size_t)(share - path) + 1 + strcspn(share + 1, "\\")
		    : strlen(path);
	replace_hint(err,
		"copy it here, or under WSL: sudo mkdir -p /mnt/share && sudo "
		"mount -t drvfs '%.*s' /mnt/share",
		(int)len, path);
	return true;
}

/* "Contoso Root CA", where a thumbprint would do and a name does not. */
static bool is_name_of_cert(const struct cli_request *request, const char *word)
{
	return strncasecmp(word, "CN=", 3) == 0 ||
	       (request->command->bit & (CLI_REMOVE | CLI_VERIFY) &&
		       !strpbrk(word, "./\\*?["));
}

/* A file that is not there: what did the user mean? */
static void hint_absent(const struct cli_request *request, struct wt_error *err)
{
	const char *word = err->object;
	size_t at = find_operand(request, err);

	/* What else is not there has a hint of its own: a folder, say. */
	if (hint_windows_path(err) || at == request->operand_count ||
		hint_two_words(request, at, err))
		return;
	if (strpbrk(word, "*?["))
		replace_hint(err, "no file matches; the shell left the "
				  "pattern as it is");
	else if (hint_server(request, err))
		return;
	else if (strncasecmp(word, "https://", 8) == 0 ||
		 strncasecmp(word, "http://", 7) == 0)
		replace_hint(err, "fetch it first: curl -fLO %s", word);
	else if (at > 0 && is_name_of_cert(request, word))
		replace_hint(err, "wimtrust list %s shows the thumbprints",
			request->operands[0]);
	else if (request->json &&
		 (strcmp(word, "pretty") == 0 || strcmp(word, "lines") == 0))
		replace_hint(
			err, "a value of --json follows an =: --json=%s", word);
	else if (request->options.backup_suffix && word[0] == '.' &&
		 !strchr(word, '/'))
		replace_hint(err,
			"a value of --backup follows an =: --backup=%s", word);
	/* Without what is said of the current folder. */
	else if (word[0] == '/' &&
		 strncmp(err->hint, SPELLING, strlen(SPELLING)) == 0)
		replace_hint(err, SPELLING);
}

/* What a command of a hint that ends before TARGET needs to do no more than
 * what was asked for. */
static void put_bounds(FILE *out, const struct cli_request *request,
	const struct cli_outcome *outcome, const char *command)
{
	const char *verb = command;

	for (const char *at = command; (at = strstr(at, "wimtrust ")); at++)
		verb = at + strlen("wimtrust ");
	if (strncmp(verb, "add", 3) != 0 && strncmp(verb, "remove", 6) != 0)
		return;
	if (outcome->report && outcome->report->member)
		fputs(" -o boot.wim", out);
	for (size_t i = 0;
		i < request->options.image_count && !strstr(verb, " -i "); i++)
		cli_put_word(out, " -i", request->images[i]);
}

/* "wimtrust add TARGET ROOT.cer": the target is known. */
static void name_target(const struct cli_request *request,
	const struct cli_outcome *outcome, struct wt_error *err)
{
	char *rest = err->hint, *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	for (char *at = NULL; (at = strstr(rest, " TARGET"));
		rest = at + strlen(" TARGET")) {
		*at = '\0';
		fputs(rest, out);
		put_bounds(out, request, outcome, rest);
		*at = ' ';
		cli_put_word(out, "", request->operands[0]);
	}
	fputs(rest, out);
	hint_end(out, &text, err);
}

void cli_habits_hint(const struct cli_request *request,
	const struct cli_outcome *outcome, struct wt_error *err)
{
	bool is_absent =
		err->domain == WT_DOMAIN_SYSTEM && err->native == ENOENT;
	size_t at = 0;

	if (!request->command || request->operand_count == 0)
		return;
	at = find_operand(request, err);
	if (request->command->bit & CLI_TARGETS &&
		request->command->bit != CLI_DIFF)
		name_target(request, outcome, err);
	if (request->options.output && strcmp(err->code, "not-a-file") == 0 &&
		is_object(request->options.output, err))
		replace_hint(err, "name a file in it: -o %s/boot.wim",
			request->options.output);
	if (request->command->operands_max == 1 && request->operand_count > 1)
		hint_loop(request, err);
	if (is_absent && strcmp(err->object, "-") == 0 && at == 0)
		replace_hint(err, "a target is a file, not standard input");
	else if (is_absent)
		hint_absent(request, err);
	else if (strcmp(err->code, "bad-thumbprint") == 0 && at > 0)
		replace_hint(err,
			"a thumbprint has 40 or 64 hex digits, with spaces in "
			"quotes; wimtrust list %s shows them",
			request->operands[0]);
	if (request->command->bit == CLI_SHOW && at < request->operand_count &&
		strcmp(err->code, "cert-none") == 0 &&
		kind_of(err->object) == KIND_TARGET)
		replace_hint(err, "wimtrust list %s shows what it trusts",
			request->operands[at]);
	if (!(request->command->bit & CLI_TARGETS) ||
		at == request->operand_count ||
		request->command->bit == CLI_DIFF || err->status == WT_NO ||
		is_absent)
		return;
	if (at == 0 && strcmp(err->code, "wim-not-a-wim") == 0)
		hint_swapped(request, err);
	else if (at > 0 &&
		 (strcmp(err->code, "cert-none") == 0 ||
			 strcmp(err->code, "cert-too-large") == 0 ||
			 strcmp(err->code, "bad-thumbprint") == 0) &&
		 kind_of(err->object) == KIND_TARGET &&
		 !hint_swapped(request, err))
		hint_loop(request, err);
}
