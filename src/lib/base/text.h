/* SPDX-License-Identifier: MIT
 * base/text.h: UTF-8 and UTF-16 text that comes from files. */
#ifndef WT_BASE_TEXT_H
#define WT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/**
 * Text as a string of valid UTF-8 without control characters: each byte of a
 * control character or of an invalid sequence becomes \xNN. free() it. NULL
 * when there is no memory.
 */
char *wt_text_clean_dup(const void *text, size_t len);

/** Cuts a UTF-8 string in place to less than size bytes, at a character. */
void wt_text_cut(char *text, size_t size);

/**
 * Appends UTF-16 text as UTF-8; a lone surrogate becomes U+FFFD, an odd last
 * byte is left out.
 */
void wt_text_from_utf16(struct wt_writer *writer, const uint8_t *text,
	size_t len, bool is_big_endian);

/** Appends UTF-8 as UTF-16LE. @return false when text is not valid UTF-8. */
bool wt_text_to_utf16le(struct wt_writer *writer, const char *text, size_t len);

/** ASCII case only, which is all that names of stores and values need. */
bool wt_text_is_equal_nocase(const char *text, size_t len, const char *word);

/** 40 hex digits, any case: the name of a certificate's key. */
bool wt_text_is_thumbprint(const char *text, size_t len);

/** "2030-01-31 12:00:00 UTC", or the number where there is no such date. */
void wt_text_time(int64_t seconds, char ret_text[32]);

/** The same without the time of day. */
void wt_text_date(int64_t seconds, char ret_text[32]);

/** The value of a hex digit in any case, -1 of anything else. */
int wt_text_hex_value(char c);

/** Upper-case hex with a NUL: ret_hex holds 2 * len + 1 bytes. */
void wt_text_hex(const uint8_t *data, size_t len, char *ret_hex);

#endif
