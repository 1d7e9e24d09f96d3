/* SPDX-License-Identifier: MIT
 * cli.h: one run of the program: a request becomes an outcome. */
#ifndef CLI_H
#define CLI_H

#include <wimtrust/wimtrust.h>

#include <jansson.h>
#include <time.h>

struct cli_request;
struct cli_outcome;

/** One bit a command, so that an option can say which commands take it. */
enum cli_command_bit {
	CLI_ADD = 1 << 0,
	CLI_REMOVE = 1 << 1,
	CLI_LIST = 1 << 2,
	CLI_VERIFY = 1 << 3,
	CLI_CHECK = 1 << 4,
	CLI_INFO = 1 << 5,
	CLI_SHOW = 1 << 6,
	CLI_EXPORT = 1 << 7,
	CLI_COMPLETION = 1 << 8,
	CLI_DIFF = 1 << 9,
	CLI_WRITERS = CLI_ADD | CLI_REMOVE,
	/** Commands that open a TARGET. */
	CLI_TARGETS = CLI_WRITERS | CLI_LIST | CLI_VERIFY | CLI_CHECK |
		      CLI_INFO | CLI_EXPORT | CLI_DIFF,
	CLI_ALL = (1 << 10) - 1,
};

/** A command: how it is described, and what does it. */
struct cli_command {
	const char *name;
	const char *alias; /**< another name for it, or NULL */
	unsigned bit;
	/** What follows the name, a line for each form; one that begins with a
	 *  space goes on with the form above it. As the manual's SYNOPSIS. */
	const char *usage;
	const char *operands; /**< "TARGET CERT..." */
	const char *summary;  /**< a few words for the overview */
	const char *text;     /**< at most three lines for --help */
	const char *example;  /**< one command line */
	int operands_min;
	int operands_max; /**< -1 for any number */
	/** Does the work and prints nothing. */
	enum wt_status (*run)(const struct cli_request *request,
		struct cli_outcome *outcome, struct wt_error *err);
	/** Prints what came out, for people; not called for JSON. */
	void (*print)(const struct cli_request *request,
		const struct cli_outcome *outcome, enum wt_status status);
};

/** Ends with an entry without a name. */
extern const struct cli_command cli_commands[];
const struct cli_command *cli_command_find(const char *name);

enum cli_when { CLI_AUTO, CLI_ALWAYS, CLI_NEVER };
enum cli_json { CLI_JSON_NONE, CLI_JSON_COMPACT, CLI_JSON_PRETTY };
enum cli_format { CLI_FORMAT_REG, CLI_FORMAT_BLOB, CLI_FORMAT_PEM };

/** A warning of the program itself, besides those in the report. */
struct cli_warning {
	char code[sizeof(((struct wt_error *)NULL)->code)];
	char *text;
};

/** What was asked for, made from the command line. Nothing changes it later. */
struct cli_request {
	const struct cli_command *command; /**< NULL when there is none */
	/** The options as they were given, each word. */
	char **words;
	size_t word_count;
	char **operands;
	size_t operand_count;
	struct wt_options options;
	const char **images; /**< what options.images points to */
	bool is_recursive;   /**< for folders of certificates */
	bool is_quiet, is_verbose, wants_help, wants_version, wants_pem;
	enum cli_json json;
	enum cli_when color, progress_when;
	enum cli_format format;
	const char *root_name, *host;
	const char *server;    /**< to be asked for its chain, or NULL */
	char server_host[256]; /**< without its port */
	unsigned timeout;      /**< for that, in seconds */
	const char *report_file, *attest_file;
	int64_t at;
};

/** What came out, for the output to show. */
struct cli_outcome {
	struct wt_cert_list *certs;
	/** The operand that each of certs came from, by index. */
	const char **sources;
	struct wt_report *report;
	json_t *data; /**< members of the JSON object that one command adds */
	struct cli_warning *warnings;
	size_t warning_count;
	struct timespec started;
	char *export_data; /**< what export made, export_len bytes */
	size_t export_len;
};

/** Memory, or the end of the program with a message. */
void *cli_alloc(size_t count, size_t size);
void *cli_grow(void *old, size_t count, size_t size);

void cli_warn(struct cli_outcome *outcome, const char *code, const char *fmt,
	...) WT_PRINTF(3, 4);

/** Reads operands from first on into outcome->certs; notes become warnings. */
enum wt_status cli_read_certs(const struct cli_request *request,
	struct cli_outcome *outcome, size_t first, struct wt_error *err);
/** All that was refused, but for what the error is about, is a warning. */
void cli_warn_refused(struct cli_outcome *outcome, const struct wt_error *err);

/**
 * Reads the operands after the target: thumbprints into ret_thumbprints, which
 * the caller frees, and files into outcome->certs.
 *
 * @param prefix  skipped before a thumbprint; NULL for none
 */
enum wt_status cli_read_selectors(const struct cli_request *request,
	struct cli_outcome *outcome, const char *prefix,
	const char ***ret_thumbprints, size_t *ret_count, struct wt_error *err);

/**
 * The folders of TARGET and of the output as they are when the program starts.
 * Certificates may take long to be read: what has taken the place of one
 * meanwhile is not written to.
 */
struct cli_folders {
	struct cli_folder {
		dev_t dev;
		ino_t ino; /**< 0 when there is none */
	} target, output;
};

void cli_folders_note(
	const struct cli_request *request, struct cli_folders *ret_folders);
enum wt_status cli_folders_check(const struct cli_request *request,
	const struct cli_folders *folders, struct wt_error *err);

enum wt_status cmd_add(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);
enum wt_status cmd_remove(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);
enum wt_status cmd_list(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);
enum wt_status cmd_verify(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);
enum wt_status cmd_check(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);
enum wt_status cmd_info(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);
enum wt_status cmd_show(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);
enum wt_status cmd_export(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);
enum wt_status cmd_diff(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);
enum wt_status cmd_completion(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);

void print_add(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status);
void print_remove(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status);
void print_list(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status);
void print_verify(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status);
void print_check(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status);
void print_info(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status);
void print_show(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status);
void print_export(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status);
void print_diff(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status);
void print_completion(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status);

#endif
