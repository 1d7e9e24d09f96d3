/* SPDX-License-Identifier: MIT
 * main.c: one run of the program, from its arguments to its exit status. */
#include "attest.h"
#include "habits.h"
#include "help.h"
#include "options.h"
#include "output/output.h"
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

static void setup(struct cli *cli)
{
	wt_options_init(&cli->options);
	cli->options.cancel = cli_signals_flag();
	cli->at = cli->options.now;
	cli->root_name = "SOFTWARE";
	cli->timeout = 10;
	cli->report_save.dir_fd = cli->attest_save.dir_fd = -1;
	clock_gettime(CLOCK_MONOTONIC, &cli->started);
}

static void teardown(struct cli *cli)
{
	wt_report_free(cli->report);
	wt_report_free(cli->old);
	cli_save_close(&cli->report_save);
	cli_save_close(&cli->attest_save);
	wt_cert_list_free(cli->certs);
	json_decref(cli->data);
	for (size_t i = 0; i < cli->warning_count; i++)
		free(cli->warnings[i].text);
	free(cli->warnings);
	free(cli->sources);
	free(cli->images);
	free(cli->export_data);
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
	wt_fail(err, WT_ERR_USAGE, "set-user-id", "set-user-ID",
		"will not run so, nor set-group-ID or with file capabilities");
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
			"is not an option of the program alone");
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
	const struct cli *cli, struct wt_error *err)
{
	const struct cli_command *command = cli->command;
	int count = (int)cli->operand_count;
	/* The server stands for what it sends. */
	int min = command->operands_min - (cli->server != NULL);

	if (cli->server && count > 1) {
		wt_fail(err, WT_ERR_USAGE, "usage", command->name,
			"--connect and CHAIN exclude each other");
		wt_error_hint(err, "leave one of them out");
		return WT_ERR_USAGE;
	}
	if (command->operands_max >= 0 && count > command->operands_max)
		wt_fail(err, WT_ERR_USAGE, "usage", command->name,
			"takes no more than %s, and was given \"%s\" too",
			command->operands,
			cli->operands[command->operands_max]);
	else if (count == 0)
		wt_fail(err, WT_ERR_USAGE, "usage", command->name, "wants %s",
			command->operands);
	else if (count < min)
		wt_fail(err, WT_ERR_USAGE, "usage", command->name,
			"wants %s, and was given \"%s\" only",
			command->operands, cli->operands[0]);
	else
		return WT_OK;
	wt_error_hint(err, "for example: %s", command->example);
	return WT_ERR_USAGE;
}

/* Options that contradict each other, as far as the library cannot see it. */
static enum wt_status check_settings(
	const struct cli *cli, struct wt_error *err)
{
	const struct wt_options *options = &cli->options;

	if (options->discard_logs && options->replay_logs) {
		wt_fail(err, WT_ERR_USAGE, "usage", cli->command->name,
			"--discard-logs and --replay-logs exclude each other");
		wt_error_hint(err, "--replay-logs keeps what Windows wrote "
				   "last, --discard-logs gives it up");
		return WT_ERR_USAGE;
	}
	if (cli->json && cli->wants_pem) {
		wt_fail(err, WT_ERR_USAGE, "usage", cli->command->name,
			"--json and --pem exclude each other");
		wt_error_hint(err, "run it twice, once with each");
		return WT_ERR_USAGE;
	}
	if (cli->json && cli->command->bit == CLI_EXPORT && !options->output) {
		wt_fail(err, WT_ERR_USAGE, "usage", cli->command->name,
			"--json and the export cannot both go to stdout");
		wt_error_hint(err, "give the export a file: -o FILE");
		return WT_ERR_USAGE;
	}
	if (cli->command->bit == CLI_EXPORT && !options->output &&
		cli->format == CLI_FORMAT_BLOB && isatty(STDOUT_FILENO)) {
		wt_fail(err, WT_ERR_USAGE, "usage", cli->command->name,
			"a raw value is not shown on a terminal");
		wt_error_hint(err, "give it a file, -o FILE, or a pipe");
		return WT_ERR_USAGE;
	}
	return WT_OK;
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
			"cannot be \"%s\"", text);
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
static void warn_idle(struct cli *cli)
{
	if (cli->options.force && !cli->options.output)
		cli_warn(cli, "force-unused",
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

static void warn_package_copy(struct cli *cli)
{
	if ((cli->command->bit & CLI_WRITERS) && !cli->options.output &&
		is_package_copy(cli->operands[0]))
		cli_warn(cli, "package-copy",
			"%s: Configuration Manager replaces this copy at the "
			"next update of the distribution points: change "
			"boot.wim",
			cli->operands[0]);
}

static void start_progress(struct cli *cli)
{
	const char *term = getenv("TERM");
	bool is_on = cli->progress_when == CLI_ALWAYS ||
		     (cli->progress_when == CLI_AUTO && !cli->is_quiet &&
			     isatty(STDERR_FILENO));
	bool is_dumb = !term || !*term || strcmp(term, "dumb") == 0;

	cli_progress_init(&cli->progress, is_on, is_dumb,
		cli_terminal_width(STDERR_FILENO));
	cli->options.progress = is_on ? cli_progress_step : NULL;
	cli->options.progress_ctx = &cli->progress;
}

/* What tells of the work must be possible before the work is done. */
static enum wt_status open_save(
	const char *path, struct cli_save *save, struct wt_error *err)
{
	enum wt_status status = WT_OK;

	if (!path)
		return WT_OK;
	status = cli_save_open(path, save, err);
	return status ? status : cli_save_probe(save, err);
}

/* Finds the command, reads its options, and runs it. */
static enum wt_status run(
	struct cli *cli, int argc, char **argv, struct wt_error *err)
{
	enum wt_status status = WT_OK;

	status = cli_habits_check(argc, argv, err);
	if (status)
		return status;
	cli->command = cli_command_find(argv[1]);
	if (!cli->command)
		return fail_no_command(
			argv[strcmp(argv[1], "--help") == 0 ? 2 : 1], err);
	status = cli_options_parse(cli, argc - 1, argv + 1, err);
	if (status || cli->wants_help || cli->wants_version)
		return status;
	status = check_operands(cli, err);
	if (!status)
		status = check_settings(cli, err);
	if (!status)
		status = read_source_date(&cli->options, err);
	if (!status)
		status = wt_cert_list_new(&cli->certs, err);
	if (!status)
		status = wt_report_new(&cli->report, err);
	if (status)
		return status;
	warn_idle(cli);
	warn_package_copy(cli);
	wt_cert_list_cancel_with(cli->certs, cli->options.cancel);
	wt_cert_list_name_skipped(cli->certs, cli->is_verbose);
	wt_cert_list_recurse(cli->certs, cli->is_recursive);
	cli->options.hash_target =
		cli->json || cli->report_file || cli->attest_file;
	start_progress(cli);
	status = open_save(cli->report_file, &cli->report_save, err);
	if (!status)
		status = open_save(cli->attest_file, &cli->attest_save, err);
	if (!status && cli->attest_file)
		status = cli_attest_before(cli, err);
	if (!status)
		status = cli->command->run(cli, err);
	if (!status && cli->attest_file)
		status = cli_attest_after(cli, err);
	cli_progress_clear(&cli->progress);
	if (!status)
		return WT_OK;
	/* A signal or the lack of memory does not know what it came to. */
	if (!err->object[0])
		snprintf(err->object, sizeof(err->object), "%s",
			cli->operands[0]);
	return status;
}

static void flush_stdout(struct cli *cli)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		cli->output_errno = errno ? errno : EIO;
}

/* What was written although its result may not reach anybody, or NULL. */
static const char *changed_file(const struct cli *cli, enum wt_status status)
{
	const struct wt_report *report = cli->report;

	if (status || !report || !report->is_changed || cli->options.dry_run)
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

/* What did not reach stdout is a failure; but whoever closed the pipe knows
 * already.
 *
 * @param changed  the file that was changed anyway, or NULL */
static int finish_stdout(struct cli *cli, int exit_code, const char *changed)
{
	struct wt_error err = {0};

	flush_stdout(cli);
	if (fclose(stdout) != 0 && !cli->output_errno)
		cli->output_errno = errno;
	if (!cli->output_errno)
		return exit_code;
	if (cli->output_errno == EPIPE && !changed)
		cli_signals_die_of_pipe();
	errno = cli->output_errno;
	wt_fail_errno(&err, WT_ERR_FILE, "output", "standard output",
		"cannot be written");
	if (changed)
		wt_error_hint(&err,
			"%s was changed anyway; wimtrust "
			"list shows what it holds",
			changed);
	cli_print_error(&err);
	if (cli->output_errno == EPIPE)
		cli_signals_die_of_pipe();
	return exit_code ? exit_code : WT_ERR_FILE;
}

static int exit_status_of(enum wt_status status, const struct wt_error *err)
{
	return status == WT_INTERRUPTED ? 128 + err->native : (int)status;
}

/* Prints what came out: data first, then what stderr has to say. */
static void print(
	struct cli *cli, enum wt_status status, const struct wt_error *err)
{
	if (cli->wants_help && !status)
		cli_help_command(cli->command);
	else if (cli->wants_version && !status)
		cli_help_version();
	else if (cli->json)
		cli_json_print(cli, exit_status_of(status, err), err);
	else if (cli->report && cli->command->print)
		cli->command->print(cli, status);
	/* Where both go to one file, results stand first. */
	flush_stdout(cli);
	cli_print_warnings(cli);
	if (status)
		cli_print_error(err);
}

/* What the run came to stays; but a report that cannot be written is a failure
 * too. */
static enum wt_status save_report(
	struct cli *cli, enum wt_status status, struct wt_error *err)
{
	struct wt_error save_err = {0};

	if (cli_json_save(cli, exit_status_of(status, err), err, &save_err) ==
		WT_OK)
		return status;
	if (status) {
		cli_warn(cli, save_err.code, "%s: %s", save_err.object,
			save_err.reason);
		return status;
	}
	if (cli->report->is_changed)
		wt_error_hint(&save_err, "the target was changed");
	*err = save_err;
	return err->status;
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

int main(int argc, char **argv)
{
	struct wt_error err = {0};
	struct cli cli = {0};
	enum wt_status status = WT_OK;
	const char *word = "";
	/* A signal may come when this function has ended. */
	static char words[512];
	char *changed = NULL;
	int exit_code = 0;

	if (!fill_streams())
		return WT_ERR_FILE;
	status = refuse_privilege(&err);
	if (status) {
		cli_print_error(&err);
		return (int)status;
	}
	cli_habits_order(argc, argv);
	if (argc > 1)
		word = argv[1];
	cli_text_init();
	cli_signals_init();
	setup(&cli);
	if (argc < 2) {
		cli_help_overview(stdout);
		return finish_stdout(&cli, WT_ERR_USAGE, NULL);
	}
	if (strcmp(word, "--help") == 0 && (argc == 2 || argv[2][0] == '-')) {
		cli_help_overview(stdout);
		return finish_stdout(&cli, WT_OK, NULL);
	}
	if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
		cli_help_version();
		return finish_stdout(&cli, WT_OK, NULL);
	}
	status = run(&cli, argc, argv, &err);
	if (status) {
		cli_remedy(&err);
		cli_habits_hint(&cli, &err);
	}
	if (cli.report && cli.report_save.dir_fd >= 0)
		status = save_report(&cli, status, &err);
	if (status == WT_ERR_USAGE && !cli.json)
		cli.json = find_json(argc, argv);
	if (changed_file(&cli, status))
		changed = strdup(changed_file(&cli, status));
	end_on_signal(changed, words);
	print(&cli, status, &err);
	teardown(&cli);
	exit_code = finish_stdout(&cli, exit_status_of(status, &err), changed);
	free(changed);
	return exit_code;
}
