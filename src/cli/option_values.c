/* SPDX-License-Identifier: MIT
 * option_values.c: what each option's value means. */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define THREADS_MAX 1024
#define WAIT_MAX 86400

static enum wt_status fail_value(const struct cli_option *option,
	const char *value, const char *wanted, struct wt_error *err)
{
	char object[64] = "";

	snprintf(object, sizeof(object), "--%s", option->name);
	wt_fail(err, WT_ERR_USAGE, "bad-value", object, "invalid value \"%s\"",
		value);
	wt_error_hint(err, "--%s takes %s", option->name, wanted);
	return WT_ERR_USAGE;
}

/* Which of the option's words the value is. The words are in the order of
 * the enum that they name. */
static enum wt_status take_word(const struct cli_option *option,
	const char *value, int *ret_index, struct wt_error *err)
{
	size_t len = strlen(value);
	char wanted[160] = "";
	size_t used = 0;
	int index = 0;

	for (const char *w = option->words; *w; index++) {
		size_t word_len = strcspn(w, "|");

		if (word_len == len && strncmp(w, value, len) == 0) {
			*ret_index = index;
			return WT_OK;
		}
		used += (size_t)snprintf(wanted + used, sizeof(wanted) - used,
			"%s%.*s", used ? ", " : "", (int)word_len, w);
		w += word_len + (w[word_len] == '|');
	}
	return fail_value(option, value, wanted, err);
}

static enum wt_status take_number(const struct cli_option *option,
	const char *value, unsigned min, unsigned max, unsigned *ret_number,
	struct wt_error *err)
{
	char *end = NULL, wanted[64] = "";
	unsigned long number = 0;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno || !*value || *end || !strchr("0123456789", value[0]) ||
		number < min || number > max) {
		snprintf(wanted, sizeof(wanted), "a number from %u to %u", min,
			max);
		return fail_value(option, value, wanted, err);
	}
	*ret_number = (unsigned)number;
	return WT_OK;
}

static enum wt_status take_allow(struct cli_request *request,
	const struct cli_option *option, const char *value,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	char list[160] = "", *rest = NULL;

	if (strlen(value) >= sizeof(list))
		return fail_value(option, value, option->words, err);
	strcpy(list, value);
	for (char *word = strtok_r(list, ",", &rest); word && ret == WT_OK;
		word = strtok_r(NULL, ",", &rest)) {
		int bit = 0;

		ret = take_word(option, word, &bit, err);
		if (ret == WT_OK)
			request->options.allow |= 1U << bit;
	}
	return ret;
}

/* Exactly count digits at *text, which moves behind them. */
static bool take_digits(const char **text, int count, int *ret_number)
{
	int number = 0;

	for (; count > 0; count--, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		number = number * 10 + (**text - '0');
	}
	*ret_number = number;
	return true;
}

static bool take_char(const char **text, const char *set)
{
	if (!**text || !strchr(set, **text))
		return false;
	(*text)++;
	return true;
}

/* "Z", "+01:00" or "-01:00": seconds east of UTC. */
static bool take_zone(const char **text, int *ret_seconds)
{
	int sign = **text == '-' ? -1 : 1, hours = 0, minutes = 0;

	if (take_char(text, "Zz")) {
		*ret_seconds = 0;
		return true;
	}
	if (!take_char(text, "+-") || !take_digits(text, 2, &hours) ||
		!take_char(text, ":") || !take_digits(text, 2, &minutes) ||
		hours > 23 || minutes > 59)
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* YYYY-MM-DD, or that with "T" (or a space), hh:mm:ss, a fraction that is
 * dropped, and a zone: RFC 3339. */
static bool take_date(const char *text, int64_t *ret_seconds)
{
	struct tm t = {0}, back = {0};
	int zone = 0;
	time_t seconds = 0;

	if (!take_digits(&text, 4, &t.tm_year) || !take_char(&text, "-") ||
		!take_digits(&text, 2, &t.tm_mon) || !take_char(&text, "-") ||
		!take_digits(&text, 2, &t.tm_mday))
		return false;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	if (*text) {
		if (!take_char(&text, "Tt ") ||
			!take_digits(&text, 2, &t.tm_hour) ||
			!take_char(&text, ":") ||
			!take_digits(&text, 2, &t.tm_min) ||
			!take_char(&text, ":") ||
			!take_digits(&text, 2, &t.tm_sec))
			return false;
		if (take_char(&text, "."))
			text += strspn(text, "0123456789");
		if (!take_zone(&text, &zone) || *text)
			return false;
	}
	back = t;
	seconds = timegm(&back);
	/* timegm() takes the 31st of February for a day in March. */
	if (back.tm_mday != t.tm_mday || back.tm_mon != t.tm_mon ||
		back.tm_hour != t.tm_hour || back.tm_min != t.tm_min)
		return false;
	*ret_seconds = (int64_t)seconds - zone;
	return true;
}

static enum wt_status take_time(const struct cli_option *option,
	const char *value, int64_t *ret_seconds, struct wt_error *err)
{
	char *end = NULL;

	if (value[0] == '@') {
		errno = 0;
		*ret_seconds = strtoll(value + 1, &end, 10);
		if (!errno && value[1] && !*end)
			return WT_OK;
	} else if (take_date(value, ret_seconds)) {
		return WT_OK;
	}
	return fail_value(option, value,
		"2027-01-31, 2027-01-31T12:00:00Z or @1800000000", err);
}

static enum wt_status take_backup(struct cli_request *request,
	const struct cli_option *option, const char *value,
	struct wt_error *err)
{
	if (value && (!*value || strchr(value, '/')))
		return fail_value(option, value,
			"an ending of a file's name, such as .bak", err);
	request->options.backup_suffix = value ? value : ".bak";
	return WT_OK;
}

/* A file beside what the run is about. */
static enum wt_status take_file(const struct cli_option *option,
	const char *value, struct wt_error *err)
{
	if (!*value || strcmp(value, "-") == 0)
		return fail_value(option, value, "a file's name", err);
	return WT_OK;
}

static bool is_iso_name(const char *path)
{
	size_t len = strlen(path);

	return len >= 4 && strcasecmp(path + len - 4, ".iso") == 0;
}

static enum wt_status take_output(struct cli_request *request,
	const struct cli_option *option, const char *value,
	struct wt_error *err)
{
	bool is_stdout = strcmp(value, "-") == 0;

	/* An image is never written to a pipe, an export is by itself. */
	if (!*value || (is_stdout && request->command->bit != CLI_EXPORT))
		return fail_value(option, value, "a file's name", err);
	if (request->command->bit != CLI_EXPORT && is_iso_name(value))
		return fail_value(option, value,
			"a name such as boot.wim: what is written is a WIM, "
			"never an ISO image",
			err);
	request->options.output = is_stdout ? NULL : value;
	return WT_OK;
}

static enum wt_status take_host(
	struct cli_request *request, const char *value, struct wt_error *err)
{
	if (!*value) {
		wt_fail(err, WT_ERR_USAGE, "bad-value", "--host", "is empty");
		wt_error_hint(
			err, "give the server's name; is the variable set?");
		return WT_ERR_USAGE;
	}
	request->host = value;
	return WT_OK;
}

static enum wt_status take_root_name(struct cli_request *request,
	const struct cli_option *option, const char *value,
	struct wt_error *err)
{
	if (!*value || strpbrk(value, "\\]\r\n"))
		return fail_value(option, value,
			"the hive's name below HKEY_LOCAL_MACHINE", err);
	request->root_name = value;
	return WT_OK;
}

/* Options whose value is one word of a few. */
static enum wt_status take_choice(struct cli_request *request,
	const struct cli_option *option, const char *value,
	struct wt_error *err)
{
	int index = 0;
	enum wt_status ret = take_word(option, value, &index, err);

	if (ret != WT_OK)
		return ret;
	if (option->id == CLI_OPT_ACCESS)
		request->options.access = (enum wt_access)index;
	else if (option->id == CLI_OPT_COMMIT)
		request->options.commit = (enum wt_commit)index;
	else if (option->id == CLI_OPT_FORMAT)
		request->format = (enum cli_format)index;
	else if (option->id == CLI_OPT_COLOR)
		request->color = (enum cli_when)index;
	else if (option->id == CLI_OPT_PROGRESS)
		request->progress_when = (enum cli_when)index;
	else if (option->id == CLI_OPT_JSON)
		request->json = index == 0 ? CLI_JSON_PRETTY : CLI_JSON_COMPACT;
	return WT_OK;
}

static enum wt_status take_store(struct cli_request *request,
	const struct cli_option *option, const char *value,
	struct wt_error *err)
{
	int unused = 0;

	if (wt_store_from_name(value, &request->options.store))
		return WT_OK;
	return take_word(option, value, &unused, err);
}

/* Options that are a yes. */
static void take_flag(struct cli_request *request, int id)
{
	struct wt_options *options = &request->options;
	const struct {
		int id;
		bool *flag;
	} flags[] = {
		{'f', &options->force},
		{'n', &options->dry_run},
		{'h', &request->wants_help},
		{'V', &request->wants_version},
		{CLI_OPT_CHECK, &options->check_integrity},
		{CLI_OPT_DISCARD_LOGS, &options->discard_logs},
		{CLI_OPT_EXACT, &options->is_exact},
		{CLI_OPT_IF_PRESENT, &options->if_present},
		{'r', &request->is_recursive},
		{CLI_OPT_KEEP_GOING, &options->keep_going},
		{CLI_OPT_PEM, &request->wants_pem},
		{CLI_OPT_REBUILD, &options->rebuild},
		{CLI_OPT_REPAIR, &options->repair},
		{CLI_OPT_REQUIRE_SANDBOX, &options->require_sandbox},
		{CLI_OPT_REPLAY_LOGS, &options->replay_logs},
	};

	/* Of these two the last one counts. */
	if (id == 'q' || id == 'v') {
		request->is_quiet = id == 'q';
		request->is_verbose = id == 'v';
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].id == id)
			*flags[i].flag = true;
}

static enum wt_status take_image(struct cli_request *request,
	const struct cli_option *option, const char *value,
	struct wt_error *err)
{
	if (!*value)
		return fail_value(
			option, value, "a number, a name, all or boot", err);
	request->images[request->options.image_count++] = value;
	return WT_OK;
}

static enum wt_status take_usages(struct cli_request *request,
	const struct cli_option *option, const char *value,
	struct wt_error *err)
{
	request->options.usages = value;
	if (wt_usage_is_known(value))
		return WT_OK;
	return fail_value(option, value,
		"server-auth, client-auth, code-signing, email and the "
		"like, or numbers such as 1.3.6.1.5.5.7.3.1, with "
		"commas between; any alone for no limit",
		err);
}

enum wt_status cli_option_take(struct cli_request *request,
	const struct cli_option *option, char *value, struct wt_error *err)
{
	struct wt_options *options = &request->options;

	switch (option->id) {
	case 'i':
		return take_image(request, option, value, err);
	case 's':
		return take_store(request, option, value, err);
	case 'o':
		return take_output(request, option, value, err);
	case CLI_OPT_ALLOW:
		return take_allow(request, option, value, err);
	case CLI_OPT_AT:
		return take_time(option, value, &request->at, err);
	case CLI_OPT_ATTEST:
		request->attest_file = value;
		return take_file(option, value, err);
	case CLI_OPT_REPORT:
		request->report_file = value;
		return take_file(option, value, err);
	case CLI_OPT_BACKUP:
		return take_backup(request, option, value, err);
	case CLI_OPT_BASE:
		options->base = value;
		return *value ? WT_OK
			      : fail_value(option, value, "a file's name", err);
	case CLI_OPT_FOR:
		return take_usages(request, option, value, err);
	case CLI_OPT_FRIENDLY_NAME:
		options->friendly_name = value;
		return WT_OK;
	case CLI_OPT_HOST:
		return take_host(request, value, err);
	case CLI_OPT_ROOT_NAME:
		return take_root_name(request, option, value, err);
	case CLI_OPT_THREADS:
		return take_number(
			option, value, 0, THREADS_MAX, &options->threads, err);
	case CLI_OPT_CONNECT:
		request->server = value;
		return wt_server_host(value, request->server_host, err);
	case CLI_OPT_TIMEOUT:
		return take_number(
			option, value, 1, WAIT_MAX, &request->timeout, err);
	case CLI_OPT_WAIT:
		return take_number(option, value, 0, WAIT_MAX,
			&options->wait_seconds, err);
	case CLI_OPT_JSON:
		request->json = CLI_JSON_COMPACT;
		return value ? take_choice(request, option, value, err) : WT_OK;
	case CLI_OPT_ACCESS:
	case CLI_OPT_COLOR:
	case CLI_OPT_COMMIT:
	case CLI_OPT_FORMAT:
	case CLI_OPT_PROGRESS:
		return take_choice(request, option, value, err);
	default:
		take_flag(request, option->id);
		return WT_OK;
	}
}
