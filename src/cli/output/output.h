/* SPDX-License-Identifier: MIT
 * output.h: what a run found and did, for people and for machines. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli.h"
#include "output/table.h"
#include "savefile.h"

/** stdout as it is: its width when it is a terminal, colour when wanted. */
struct cli_screen cli_screen(const struct cli_request *request);

/** Columns of the terminal behind fd, or 0 if it is not a terminal. */
size_t cli_terminal_width(int fd);

/** Prints "wimtrust: object: reason [code]" and the hint on stderr. */
void cli_print_error(const struct wt_error *err);

/** Prints the warnings of the run and of its report on stderr. */
void cli_print_warnings(
	const struct cli_request *request, const struct cli_outcome *outcome);

/** The head of what is printed about an image: its target, number and name. */
void cli_print_image(
	const struct cli_outcome *outcome, const struct wt_image *image);

/** Thumbprints and validity, a line each. */
void cli_print_cert(const struct wt_cert_info *cert);

/** What an action looks like. */
enum cli_tint cli_action_tint(enum wt_action action);

/** "added", or in a dry run "would be added". */
const char *cli_action_text(
	const struct cli_request *request, enum wt_action action, char buf[40]);

/** The word between an action and its place: "to", "from", "in". */
const char *cli_action_place(enum wt_action action);
/** The file that a change is in: what -o names, or the target. */
const char *cli_written(const struct wt_report *report);

/** The last line of add, remove, verify and diff: how many certificates of how
 *  many images came to what. */
void cli_print_verdict(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status);

/** The last line of check: who would trust the server. */
void cli_print_check_verdict(
	const struct cli_request *request, const struct cli_outcome *outcome);

/** What could not be taken from the files of certificates. */
void cli_print_refused(
	const struct cli_request *request, const struct cli_outcome *outcome);

/** With -v: how many certificates came from each file. */
void cli_print_inputs(
	const struct cli_request *request, const struct cli_outcome *outcome);

/** With -v: access, commit, sizes and time. */
void cli_print_details(
	const struct cli_request *request, const struct cli_outcome *outcome);

#define CLI_PROBLEM_MAX 480

/** "reason [code]", or "" where there is no problem. */
void cli_problem_text(const struct wt_error *problem, char *buf);

/** "AuthRoot", or "AuthRoot (policy)" for another place than the usual. */
const char *cli_entry_store(const struct wt_entry *entry, char buf[64]);

/** The JSON object of the whole run, on stdout. Returns 0, or the errno that
 *  kept it from there. */
int cli_json_print(const struct cli_request *request,
	const struct cli_outcome *outcome, int exit_status,
	const struct wt_error *err);

/** The same into the file that --report names. */
enum wt_status cli_json_save(const struct cli_request *request,
	const struct cli_outcome *outcome, const struct cli_save *save,
	int exit_status, const struct wt_error *run_err, struct wt_error *err);

/** The versions of the program and its libraries. */
json_t *cli_json_versions(void);
/** Writes an object on a line of its own; an existing file is replaced. */
enum wt_status cli_json_write(const struct cli_request *request,
	const struct cli_save *save, json_t *object, size_t flags,
	struct wt_error *err);

/** A string, made valid UTF-8; NULL becomes null. */
json_t *cli_json_text(const char *text);
/** A certificate's members, into object. */
void cli_json_cert(json_t *object, const struct wt_cert_info *cert);
/** code, message and hint; null when the status is WT_OK. */
json_t *cli_json_error(const struct wt_error *err);

#endif
