/* SPDX-License-Identifier: MIT
 * text.h: text from files made fit for a terminal and for JSON. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Chooses a UTF-8 LC_CTYPE, even where the user's locale is another. */
void cli_text_init(void);

/**
 * A copy that cannot command a terminal: control characters, bytes that are
 * no UTF-8, and characters that are invisible or turn the writing direction
 * stand in it as \xHH, \uHHHH or \UHHHHHHHH. NULL counts as "".
 */
char *cli_text_safe(const char *text);

/** A copy that is valid UTF-8: U+FFFD replaces each byte that is not. */
char *cli_text_utf8(const char *text);

/** Columns that text takes on a terminal. */
size_t cli_text_width(const char *text);

/** A copy of at most width columns; what does not fit goes in the middle. */
char *cli_text_shorten(const char *text, size_t width);

/** Bytes of text that a line of width columns takes: all, or up to the next
 *  part of a certificate's name, a comma or space, or where there is none up to
 *  the last character that fits. */
size_t cli_text_wrap(const char *text, size_t width);

/** Columns of the common name in a certificate's name; 0 where there is none.
 */
size_t cli_text_cn_width(const char *name);

/** What a person calls a subject (RFC 2253): its CN, or else all of it. */
char *cli_text_name(const char *subject);

/** Prints one line. Everything in it is made safe, then "\n" follows. */
void cli_line(FILE *file, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define CLI_SIZE_MAX 24
#define CLI_LOCKS_MAX 64
#define CLI_TIME_MAX 64

/** "637.2 MB"; returns buf. */
char *cli_text_size(char buf[CLI_SIZE_MAX], uint64_t bytes);

/** The names of enum wt_lock bits: "privileges, seccomp", or "none". */
char *cli_text_locks(char buf[CLI_LOCKS_MAX], unsigned locks);
/** "2031-11-10"; returns buf. */
char *cli_text_date(char buf[CLI_TIME_MAX], int64_t seconds);
/** "2031-11-10T00:00:00Z"; returns buf. */
char *cli_text_time(char buf[CLI_TIME_MAX], int64_t seconds);

#endif
