/* SPDX-License-Identifier: MIT
 * main.c: one run of the program, from its arguments to its exit status. */
#include "attest.h"
#include "habits.h"
#include "help.h"
#include "options.h"
#include "output/output.h"
#include "output/progress.h"
#include "output/text.h"
#include "remedy.h"
#include "savefile.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>
#include <unistd.h>

/* The year 9999. */
#define SOURCE_DATE_MAX 253402300799LL

/* The defaults of the command line. */
static void request_init(struct cli_request *request)
{
	*request = (struct cli_request){.root_name = "SOFTWARE", .timeout = 10};
	wt_options_init(&request->options);
	request->options.cancel = cli_signals_flag();
	request->at = request->options.now;
}

static void outcome_free(struct cli_outcome *outcome)
{
	wt_report_free(outcome->report);
	wt_cert_list_free(outcome->certs);
	json_decref(outcome->data);
	for (size_t i = 0; i < outcome->warning_count; i++)
		free(outcome->warnings[i].text);
	free(outcome->warnings);
	free(outcome->sources);
	free(outcome->export_data);
}

/* A file must never get the number of a standard stream that was closed, or
 * what is printed would land in it. What stands in fails as a closed one. */
static bool fill_streams(void)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};

	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) < 0 &&
			open("/dev/null", modes[fd]) != fd)
			return false;
	}
	return true;
}

/* Set-user-ID, set-group-ID or file capabilities: files would be opened with
 * rights that the caller lacks. */
static enum wt_status refuse_privilege(struct wt_error *err)
{
	if (!getauxval(AT_SECURE))
		return WT_OK;
	wt_fail(err, WT_ERR_USAGE, "set-user-id", NULL,
		"does not run set-user-ID, set-group-ID or with file "
		"capabilities");
	wt_error_hint(err, "clear it with chmod ug-s or setcap -r, and run it "
			   "as the user who owns the image");
	return WT_ERR_USAGE;
}

/* "add, remove, ... and completion" */
static void name_commands(char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (used < size)
			used += (size_t)snprintf(buf + used, size - used,
				"%s%s", used ? ", " : "", c->name);
}

static enum wt_status fail_no_command(const char *word, struct wt_error *err)
{
	const char *names[24] = {NULL};
	const char *near = NULL;
	char all[160] = "";
	size_t count = 0;

	/* Not the alias: "inspect" and "eject" are no slips of "inject". */
	for (const struct cli_command *c = cli_commands; c->name; c++)
		names[count++] = c->name;
	if (word[0] == '-') {
		wt_fail(err, WT_ERR_USAGE, "unknown-option", word,
			"is not an option without a command");
		wt_error_hint(err, "wimtrust --help, or the command first: "
				   "wimtrust COMMAND [OPTION]...");
		return WT_ERR_USAGE;
	}
	wt_fail(err, WT_ERR_USAGE, "unknown-command", word, "is not a command");
	/* What it means comes before what it looks like: "import" is no
	 * slip of "export". */
	near = cli_habits_command(word);
	if (!near)
		near = cli_nearest(word, names);
	name_commands(all, sizeof(all));
	if (near)
		wt_error_hint(err, "did you mean wimtrust %s?", near);
	else if (access(word, F_OK) == 0)
		wt_error_hint(
			err, "the command comes first: wimtrust list %s", word);
	else
		wt_error_hint(err, "the commands are %s", all);
	return WT_ERR_USAGE;
}

static enum wt_status check_operands(
	const struct cli_request *request, struct wt_error *err)
{
	const struct cli_command *command = request->command;
	int count = (int)request->operand_count;
	/* The server is asked instead of a file. */
	int min = command->operands_min - (request->server != NULL);

	if (request->server && count > 1) {
		wt_fail(err, WT_ERR_USAGE, "usage", command->name,
			"--connect and CHAIN cannot be used together");
		wt_error_hint(err, "leave one of them out");
		return WT_ERR_USAGE;
	}
	for (int i = 0; i < count; i++) {
		if (request->operands[i][0] != '\0')
			continue;
		wt_fail(err, WT_ERR_USAGE, "usage", command->name,
			"operand %d is empty", i + 1);
		wt_error_hint(err, "name a file; is the variable set?");
		return WT_ERR_USAGE;
	}
	if (command->operands_max >= 0 && count > command->operands_max)
		wt_fail(err, WT_ERR_USAGE, "usage", command->name,
			"takes no more than %s, but got \"%s\" too",
			command->operands,
			request->operands[command->operands_max]);
	else if (count == 0)
		wt_fail(err, WT_ERR_USAGE, "usage", command->name, "needs %s",
			command->operands);
	else if (count < min)
		wt_fail(err, WT_ERR_USAGE, "usage", command->name,
			"needs %s, but got only \"%s\"", command->operands,
			request->operands[0]);
	else
		return WT_OK;
	wt_error_hint(err, "for example: %s", command->example);
	return WT_ERR_USAGE;
}

/* Options that contradict each other, as far as the library cannot see it. */
/* Each file that is written has a name of its own. */
static enum wt_status check_files(
	const struct cli_request *request, struct wt_error *err)
{
	const char *const files[] = {request->options.output,
		request->report_file, request->attest_file};
	const size_t count = sizeof(files) / sizeof(files[0]);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = i + 1; j < count; j++) {
			if (!files[i] || !files[j] ||
				strcmp(files[i], files[j]) != 0)
				continue;
			wt_fail(err, WT_ERR_USAGE, "usage", files[i],
				"cannot take two results");
			wt_error_hint(err, "name another file");
			return WT_ERR_USAGE;
		}
	}
	return WT_OK;
}

static enum wt_status check_settings(
	const struct cli_request *request, struct wt_error *err)
{
	const struct wt_options *options = &request->options;

	if (options->discard_logs && options->replay_logs) {
		wt_fail(err, WT_ERR_USAGE, "usage", request->command->name,
			"--discard-logs and --replay-logs cannot be used "
			"together");
		wt_error_hint(err, "--replay-logs keeps what Windows wrote "
				   "last, --discard-logs discards it");
		return WT_ERR_USAGE;
	}
	if (request->json && request->wants_pem) {
		wt_fail(err, WT_ERR_USAGE, "usage", request->command->name,
			"--json and --pem cannot be used together");
		wt_error_hint(err, "run it twice, once with each");
		return WT_ERR_USAGE;
	}
	if (request->json && request->command->bit == CLI_EXPORT &&
		!options->output) {
		wt_fail(err, WT_ERR_USAGE, "usage", request->command->name,
			"--json and the export cannot both go to stdout");
		wt_error_hint(err, "give the export a file: -o FILE");
		return WT_ERR_USAGE;
	}
	if (request->command->bit == CLI_EXPORT && !options->output &&
		request->format == CLI_FORMAT_BLOB && isatty(STDOUT_FILENO)) {
		wt_fail(err, WT_ERR_USAGE, "usage", request->command->name,
			"a raw value is not shown on a terminal");
		wt_error_hint(err, "give it a file, -o FILE, or a pipe");
		return WT_ERR_USAGE;
	}
	return check_files(request, err);
}

/* The time that what is written may not be later than, as reproducible builds
 * give it: reproducible-builds.org/specs/source-date-epoch. */
static enum wt_status read_source_date(
	struct wt_options *options, struct wt_error *err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	char *end = NULL;
	long long seconds = 0;

	if (!text || !text[0])
		return WT_OK;
	errno = 0;
	seconds = strtoll(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno != 0 ||
		seconds > SOURCE_DATE_MAX) {
		wt_fail(err, WT_ERR_USAGE, "bad-value", "SOURCE_DATE_EPOCH",
			"invalid value \"%s\"", text);
		wt_error_hint(err, "it takes seconds since 1970, as date +%%s "
				   "prints them; or unset it");
		return WT_ERR_USAGE;
	}
	/* What is written is not later than this, and not later than now. */
	options->is_stamped = true;
	options->stamp =
		seconds < options->now ? (int64_t)seconds : options->now;
	return WT_OK;
}

/* Options without which another does nothing. */
static void warn_idle(
	const struct cli_request *request, struct cli_outcome *outcome)
{
	if (request->options.force && !request->options.output)
		cli_warn(outcome, "force-unused",
			"--force does nothing without --output: it says that "
			"the file named there may be overwritten");
}

/* boot.<PackageID>.wim: three characters of the site, and five digits. */
static bool is_package_copy(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return strncasecmp(name, "boot.", 5) == 0 &&
	       strcspn(name + 5, ".") == 8 &&
	       strspn(name + 8, "0123456789ABCDEFabcdef") == 5 &&
	       strcasecmp(name + 13, ".wim") == 0;
}

static void warn_package_copy(
	const struct cli_request *request, struct cli_outcome *outcome)
{
	if ((request->command->bit & CLI_WRITERS) && !request->options.output &&
		is_package_copy(request->operands[0]))
		cli_warn(outcome, "package-copy",
			"%s: Configuration Manager replaces this copy at the "
			"next update of the distribution points: change "
			"boot.wim",
			request->operands[0]);
}

static void ask_for_progress(
	struct cli_request *request, struct cli_progress *progress)
{
	const char *term = getenv("TERM");
	bool is_on = request->progress_when == CLI_ALWAYS ||
		     (request->progress_when == CLI_AUTO &&
			     !request->is_quiet && isatty(STDERR_FILENO));
	bool is_dumb = !term || !*term || strcmp(term, "dumb") == 0;

	cli_progress_init(
		progress, is_on, is_dumb, cli_terminal_width(STDERR_FILENO));
	request->options.progress = is_on ? cli_progress_step : NULL;
	request->options.progress_ctx = progress;
}

/* What tells of the work must be possible before the work is done. */
static enum wt_status open_save(
	const char *path, struct cli_save *save, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	if (!path)
		return WT_OK;
	ret = cli_save_open(path, save, err);
	return ret != WT_OK ? ret : cli_save_probe(save, err);
}

/* The wish for JSON counts even where the command line cannot be read. */
static enum cli_json find_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json=pretty") == 0)
			return CLI_JSON_PRETTY;
		if (strncmp(argv[i], "--json", 6) == 0)
			return CLI_JSON_COMPACT;
	}
	return CLI_JSON_NONE;
}

static enum wt_status read_words(struct cli_request *request, int argc,
	char **argv, struct wt_error *err)
{
	enum wt_status ret = cli_habits_check(argc, argv, err);

	if (ret != WT_OK)
		return ret;
	request->command = cli_command_find(argv[1]);
	if (!request->command)
		return fail_no_command(
			argv[strcmp(argv[1], "--help") == 0 ? 2 : 1], err);
	ret = cli_options_parse(request, argc - 1, argv + 1, err);
	if (ret != WT_OK || request->wants_help || request->wants_version)
		return ret;
	ret = check_operands(request, err);
	if (ret == WT_OK)
		ret = check_settings(request, err);
	if (ret == WT_OK)
		ret = read_source_date(&request->options, err);
	return ret;
}

/* Makes the request from the command line. */
static enum wt_status read_request(struct cli_request *request,
	struct cli_progress *progress, int argc, char **argv,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	request_init(request);
	ret = read_words(request, argc, argv, err);
	if (ret != WT_OK && !request->json)
		request->json = find_json(argc, argv);
	if (request->server && !request->host)
		request->host = request->server_host;
	request->options.hash_target =
		request->json || request->report_file || request->attest_file;
	ask_for_progress(request, progress);
	return ret;
}

static int exit_status_of(enum wt_status status, const struct wt_error *err)
{
	return status == WT_INTERRUPTED ? 128 + err->native : (int)status;
}

static void suggest(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status,
	struct wt_error *err)
{
	if (status == WT_OK)
		return;
	cli_remedy(err);
	cli_habits_hint(request, outcome, err);
}

static enum wt_status outcome_init(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	enum wt_status ret = wt_cert_list_new(&outcome->certs, err);

	if (ret == WT_OK)
		ret = wt_report_new(&outcome->report, err);
	if (ret != WT_OK)
		return ret;
	wt_cert_list_cancel_with(outcome->certs, request->options.cancel);
	wt_cert_list_name_skipped(outcome->certs, request->is_verbose);
	wt_cert_list_recurse(outcome->certs, request->is_recursive);
	return WT_OK;
}

/* The command, between the two looks at its target that --attest wants. */
static enum wt_status run_command(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	struct cli_attest attest = {.save.dir_fd = -1};
	enum wt_status ret = open_save(request->attest_file, &attest.save, err);

	if (ret == WT_OK && request->attest_file)
		ret = cli_attest_before(request, &attest, err);
	if (ret == WT_OK)
		ret = request->command->run(request, outcome, err);
	if (ret == WT_OK && request->attest_file)
		ret = cli_attest_after(request, &attest, outcome->report, err);
	wt_report_free(attest.old);
	cli_save_close(&attest.save);
	return ret;
}

/* What the run came to stays; but a report that cannot be written is a failure
 * too. */
static enum wt_status save_report(const struct cli_request *request,
	struct cli_outcome *outcome, const struct cli_save *save,
	enum wt_status ret, struct wt_error *err)
{
	struct wt_error save_err = {0};

	if (cli_json_save(request, outcome, save, exit_status_of(ret, err), err,
		    &save_err) == WT_OK)
		return ret;
	if (ret != WT_OK) {
		cli_warn(outcome, save_err.code, "%s: %s", save_err.object,
			save_err.reason);
		return ret;
	}
	if (outcome->report->is_changed)
		wt_error_hint(&save_err, "the target was changed");
	*err = save_err;
	return err->status;
}

/* Does what was asked for. */
static enum wt_status run(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	struct cli_save save = {.dir_fd = -1};
	enum wt_status ret = outcome_init(request, outcome, err);

	if (ret != WT_OK)
		return ret;
	warn_idle(request, outcome);
	warn_package_copy(request, outcome);
	/* Before certificates are read, too. */
	if (request->options.require_sandbox)
		ret = wt_locks_require(request->operands[0], wt_locks(), err);
	if (ret == WT_OK)
		ret = open_save(request->report_file, &save, err);
	if (ret == WT_OK)
		ret = run_command(request, outcome, err);
	cli_progress_clear(request->options.progress_ctx);
	/* A signal or the lack of memory does not know what it came to. */
	if (ret != WT_OK && !err->object[0])
		snprintf(err->object, sizeof(err->object), "%s",
			request->operands[0]);
	suggest(request, outcome, ret, err);
	if (outcome->report && save.dir_fd >= 0)
		ret = save_report(request, outcome, &save, ret, err);
	cli_save_close(&save);
	return ret;
}

/* What was written although its result may not reach anybody, or NULL. */
static const char *changed_file(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	const struct wt_report *report = outcome->report;

	if (status != WT_OK || !report || !report->is_changed ||
		request->options.dry_run)
		return NULL;
	return cli_written(report);
}

/* From here on nothing is left to be cleaned up, and a result that is long, or
 * that nobody takes, need not be waited for. */
static void end_on_signal(const char *changed, char words[512])
{
	char *safe = cli_text_safe(changed);

	if (changed)
		snprintf(words, 512,
			"wimtrust: %.400s: was changed, but a signal came "
			"before all of the result was written [interrupted]\n",
			safe);
	else
		snprintf(words, 512,
			"wimtrust: interrupted by a signal; nothing was "
			"changed [interrupted]\n");
	free(safe);
	cli_signals_end_now(words);
}

/* Returns 0 or an errno. */
static int flush_stdout(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return errno ? errno : EIO;
}

/* What did not reach stdout is a failure; but whoever closed the pipe knows
 * already.
 *
 * @param failed   why it could not be written until now, or 0
 * @param changed  the file that was changed anyway, or NULL */
static int finish_stdout(int exit_code, int failed, const char *changed)
{
	struct wt_error err = {0};

	if (!failed)
		failed = flush_stdout();
	if (fclose(stdout) != 0 && !failed)
		failed = errno;
	if (!failed)
		return exit_code;
	if (failed == EPIPE && !changed)
		cli_signals_die_of_pipe();
	errno = failed;
	wt_fail_errno(&err, WT_ERR_FILE, "output", "standard output",
		"cannot be written");
	if (changed)
		wt_error_hint(&err,
			"%s was changed anyway; wimtrust "
			"list shows what it holds",
			changed);
	cli_print_error(&err);
	if (failed == EPIPE)
		cli_signals_die_of_pipe();
	return exit_code ? exit_code : WT_ERR_FILE;
}

/* Prints what came out: data first, then what stderr has to say. Returns 0, or
 * the errno that kept it from stdout. */
static int print(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status,
	const struct wt_error *err)
{
	int failed = 0;

	if (request->wants_help && status == WT_OK)
		cli_help_command(request->command);
	else if (request->wants_version && status == WT_OK)
		cli_help_version();
	else if (request->json)
		failed = cli_json_print(
			request, outcome, exit_status_of(status, err), err);
	else if (outcome->report && request->command->print)
		request->command->print(request, outcome, status);
	/* If both go to one file, results come first. */
	if (!failed)
		failed = flush_stdout();
	cli_print_warnings(request, outcome);
	if (status != WT_OK)
		cli_print_error(err);
	return failed;
}

int main(int argc, char **argv)
{
	struct wt_error err = {0};
	struct cli_progress progress;
	struct cli_request request;
	struct cli_outcome outcome = {0};
	enum wt_status ret = WT_OK;
	const char *word = "", *file = NULL;
	/* A signal may come when this function has ended. */
	static char words[512];
	char *changed = NULL;
	int exit_code = 0, failed = 0;

	if (!fill_streams())
		return WT_ERR_FILE;
	ret = refuse_privilege(&err);
	if (ret != WT_OK) {
		cli_print_error(&err);
		return (int)ret;
	}
	cli_habits_order(argc, argv);
	if (argc > 1)
		word = argv[1];
	cli_text_init();
	cli_signals_init();
	clock_gettime(CLOCK_MONOTONIC, &outcome.started);
	if (argc < 2) {
		cli_help_overview(stdout);
		return finish_stdout(WT_ERR_USAGE, 0, NULL);
	}
	if (strcmp(word, "--help") == 0 && (argc == 2 || argv[2][0] == '-')) {
		cli_help_overview(stdout);
		return finish_stdout(WT_OK, 0, NULL);
	}
	if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
		cli_help_version();
		return finish_stdout(WT_OK, 0, NULL);
	}
	ret = read_request(&request, &progress, argc, argv, &err);
	if (ret != WT_OK)
		suggest(&request, &outcome, ret, &err);
	else if (!request.wants_help && !request.wants_version)
		ret = run(&request, &outcome, &err);
	file = changed_file(&request, &outcome, ret);
	changed = file ? strdup(file) : NULL;
	end_on_signal(changed, words);
	failed = print(&request, &outcome, ret, &err);
	outcome_free(&outcome);
	free(request.images);
	exit_code = finish_stdout(exit_status_of(ret, &err), failed, changed);
	free(changed);
	return exit_code;
}
