/* SPDX-License-Identifier: MIT
 * output.c: what a run found and did, for people. */
#include "output/output.h"

#include "output/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MAX 10000

size_t cli_terminal_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {0};
	unsigned long width = 0;

	if (!isatty(fd))
		return 0;
	if (columns)
		width = strtoul(columns, NULL, 10);
	if (width > 0 && width < COLUMNS_MAX)
		return width;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

static bool wants_color(const struct cli_request *request)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (request->color != CLI_AUTO)
		return request->color == CLI_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term &&
	       *term && strcmp(term, "dumb") != 0;
}

struct cli_screen cli_screen(const struct cli_request *request)
{
	struct cli_screen screen = {
		.file = stdout,
		.width = cli_terminal_width(STDOUT_FILENO),
		.has_color = wants_color(request),
	};

	return screen;
}

void cli_print_error(const struct wt_error *err)
{
	if (err->object[0])
		cli_line(stderr, "wimtrust: %s: %s [%s]", err->object,
			err->reason, err->code);
	else
		cli_line(stderr, "wimtrust: %s [%s]", err->reason, err->code);
	if (err->hint[0])
		cli_line(stderr, "hint: %s", err->hint);
}

static void print_warning(const char *code, const char *text)
{
	cli_line(stderr, "wimtrust: warning: %s [%s]", text, code);
}

void cli_print_warnings(
	const struct cli_request *request, const struct cli_outcome *outcome)
{
	if (request->is_quiet)
		return;
	for (size_t i = 0; i < outcome->warning_count; i++)
		print_warning(
			outcome->warnings[i].code, outcome->warnings[i].text);
	for (size_t i = 0;
		outcome->report && i < outcome->report->warning_count; i++)
		print_warning(wt_report_warning(outcome->report, i)->code,
			wt_report_warning(outcome->report, i)->text);
}

void cli_print_image(
	const struct cli_outcome *outcome, const struct wt_image *image)
{
	const char *target = outcome->report->target;

	if (image->index == 0)
		cli_line(stdout, "%s", target);
	else if (image->name && image->name[0])
		cli_line(stdout, "%s: image %d \"%s\"%s", target, image->index,
			image->name, image->is_boot ? ", boot" : "");
	else
		cli_line(stdout, "%s: image %d%s", target, image->index,
			image->is_boot ? ", boot" : "");
}

void cli_print_cert(const struct wt_cert_info *cert)
{
	char from[CLI_TIME_MAX] = "", to[CLI_TIME_MAX] = "";

	cli_line(stdout, "      SHA-1    %s", cert->sha1);
	cli_line(stdout, "      SHA-256  %s", cert->sha256);
	cli_line(stdout, "      valid    %s to %s",
		cli_text_date(from, cert->not_before),
		cli_text_date(to, cert->not_after));
	if (cert->limits_text)
		cli_line(stdout, "      limits   %s", cert->limits_text);
}

enum cli_tint cli_action_tint(enum wt_action action)
{
	switch (action) {
	case WT_ACTION_ADDED:
	case WT_ACTION_REPAIRED:
	case WT_ACTION_REPLACED:
		return CLI_GOOD;
	case WT_ACTION_REMOVED:
		return CLI_NOTE;
	case WT_ACTION_REFUSED:
	case WT_ACTION_MISSING:
	case WT_ACTION_UNSOUND:
	case WT_ACTION_EXTRA:
		return CLI_BAD;
	default:
		return CLI_PLAIN;
	}
}

void cli_problem_text(const struct wt_error *problem, char *buf)
{
	buf[0] = '\0';
	if (problem->status)
		snprintf(buf, CLI_PROBLEM_MAX, "%s [%s]", problem->reason,
			problem->code);
}

const char *cli_entry_store(const struct wt_entry *entry, char buf[64])
{
	const char *store = wt_store_name(entry->store);
	const char *place = entry->place ? entry->place : "";

	if (strncmp(place, "Policies", 8) == 0)
		snprintf(buf, 64, "%s (policy)", store);
	else if (strstr(place, "Enterprise"))
		snprintf(buf, 64, "%s (enterprise)", store);
	else
		snprintf(buf, 64, "%s", store);
	return buf;
}

void cli_print_refused(
	const struct cli_request *request, const struct cli_outcome *outcome)
{
	struct cli_screen screen = cli_screen(request);

	for (size_t i = 0; i < wt_cert_list_refused_count(outcome->certs);
		i++) {
		const struct wt_error *refused =
			wt_cert_list_refused(outcome->certs, i);

		cli_tinted(&screen, CLI_BAD, "refused");
		cli_line(stdout, "  %s", refused->object);
		cli_line(stdout, "  %s [%s]", refused->reason, refused->code);
	}
}

void cli_print_inputs(
	const struct cli_request *request, const struct cli_outcome *outcome)
{
	for (size_t i = 0; request->is_verbose &&
			   i < wt_cert_list_file_count(outcome->certs);
		i++) {
		const struct wt_cert_file *file =
			wt_cert_list_file(outcome->certs, i);
		char refused[48] = "";

		if (file->refused_count > 0)
			snprintf(refused, sizeof(refused), ", %zu refused",
				file->refused_count);
		cli_line(stdout, "read     %s: %zu certificate%s%s", file->path,
			file->cert_count, file->cert_count == 1 ? "" : "s",
			refused);
	}
}

void cli_print_details(
	const struct cli_request *request, const struct cli_outcome *outcome)
{
	const struct wt_report *report = outcome->report;
	char before[CLI_SIZE_MAX] = "", after[CLI_SIZE_MAX] = "";
	char locks[CLI_LOCKS_MAX] = "";
	struct timespec now = {0};

	if (!request->is_verbose)
		return;
	cli_print_inputs(request, outcome);
	if (wt_access_name(report->access))
		cli_line(stdout, "access   %s%s%s",
			wt_access_name(report->access),
			report->access_why ? ": " : "",
			report->access_why ? report->access_why : "");
	if (wt_commit_name(report->commit))
		cli_line(stdout, "commit   %s%s%s",
			wt_commit_name(report->commit),
			report->commit_why ? ": " : "",
			report->commit_why ? report->commit_why : "");
	if (report->kind != WT_TARGET_NONE) {
		cli_text_locks(locks, report->locks);
		cli_line(stdout, "sandbox  %s", locks);
	}
	if (report->backup)
		cli_line(stdout, "backup   %s", report->backup);
	cli_text_size(before, report->size_before);
	if (report->size_after > 0)
		cli_line(stdout, "size     %s (%llu bytes), was %llu bytes",
			cli_text_size(after, report->size_after),
			(unsigned long long)report->size_after,
			(unsigned long long)report->size_before);
	else
		cli_line(stdout, "size     %s (%llu bytes)", before,
			(unsigned long long)report->size_before);
	clock_gettime(CLOCK_MONOTONIC, &now);
	cli_line(stdout, "time     %.2f s",
		(double)(now.tv_sec - outcome->started.tv_sec) +
			(double)(now.tv_nsec - outcome->started.tv_nsec) / 1e9);
}
