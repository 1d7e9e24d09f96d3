/* SPDX-License-Identifier: MIT
 * cert/base64.c: Base64 as it comes out of mails, quotes and scripts. */
#include "cert/base64.h"

#include "base/text.h"

#include <string.h>

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int url_digit_value(char c)
{
	return c == '-' ? 62 : c == '_' ? 63 : digit_value(c);
}

bool wt_base64_is_digit(char c)
{
	return digit_value(c) >= 0;
}

bool wt_base64_is_url_digit(char c)
{
	return url_digit_value(c) >= 0;
}

bool wt_base64_is_begin(const char *text, size_t len)
{
	static const char *const begins[] = {"MII", "LS0tLS1CRUdJTi"};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		size_t own = strlen(begins[i]);

		if (len >= own && memcmp(text, begins[i], own) == 0)
			return true;
	}
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Invisible characters of UTF-8: byte-order marks, blanks. */
static size_t unseen_len(const char *text, size_t len)
{
	static const char *const unseen[] = {"\xEF\xBB\xBF", "\xC2\xA0",
		"\xE2\x80\x8B", "\xE2\x80\x8C", "\xE2\x80\x8D", "\xE2\x80\x8E",
		"\xE2\x80\x8F", "\xE2\x80\xA8", "\xE2\x81\xA0"};

	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++) {
		size_t own = strlen(unseen[i]);

		if (len >= own && memcmp(text, unseen[i], own) == 0)
			return own;
	}
	return 0;
}

/* The length of what quoting put at text: characters that are no digits of
 * Base64, or that a backslash marks as none. */
static size_t quoted_len(const char *text, size_t len, bool is_line_start)
{
	size_t pos = 0;

	if (text[0] == '"' || text[0] == '\'' || text[0] == ',' ||
		(is_line_start && (text[0] == '>' || text[0] == '|')))
		return 1;
	while (pos < len && text[pos] == '\\')
		pos++;
	if (pos == 0)
		return unseen_len(text, len);
	return pos + (pos < len && strchr("nrt", text[pos]) ? 1 : 0);
}

/* The length of an escape at text, 0 when there is none: \u002B as encoders of
 * JSON write + and =, \x2B, %2B of a URL, or =3D of a mail. Without it the
 * letters behind the backslash would be read as Base64. */
static size_t escape_read(const char *text, size_t len, char *ret_char)
{
	size_t pos = 0, end = 0;
	int value = 0;

	if (text[0] == '=') {
		if (len < 3 || memcmp(text, "=3D", 3) != 0)
			return 0;
		*ret_char = '=';
		return 3;
	}
	while (pos < len && text[pos] == '\\')
		pos++;
	if (pos == len || (pos == 0 ? text[0] != '%'
				    : text[pos] != 'u' && text[pos] != 'x'))
		return 0;
	end = pos + 1 + (text[pos] == 'u' ? 4 : 2);
	if (end > len)
		return 0;
	while (++pos < end) {
		if (wt_text_hex_value(text[pos]) < 0)
			return 0;
		value = value << 4 | wt_text_hex_value(text[pos]);
	}
	if (value > 0x7F)
		return 0;
	*ret_char = (char)value;
	return end;
}

/* Ends a value whose padding was left out. */
static bool rest_write(uint32_t bits, size_t count, struct wt_writer *writer)
{
	const uint8_t bytes[2] = {
		(uint8_t)(bits >> (count == 3 ? 10 : 4)), (uint8_t)(bits >> 2)};

	if (count > 1)
		wt_writer_bytes(writer, bytes, count - 1);
	return count != 1;
}

bool wt_base64_decode(
	const char *text, size_t len, unsigned slack, struct wt_writer *writer)
{
	uint32_t bits = 0;
	size_t count = 0, padding = 0;
	bool is_line_start = true;

	if (!wt_writer_reserve(writer, len / 4 * 3 + 3))
		return true;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		size_t quoted = 0;
		int value = -1;

		if (slack & WT_BASE64_QUOTED)
			quoted = escape_read(text + i, len - i, &c);
		if (quoted > 0)
			i += quoted - 1;
		value = slack & WT_BASE64_URL ? url_digit_value(c)
					      : digit_value(c);
		if (is_space(c)) {
			is_line_start |= c == '\n' || c == '\r';
			/* a line that no group ends with, and a new value */
			if (count > 1 && padding == 0 &&
				(slack & WT_BASE64_URL) &&
				(slack & WT_BASE64_JOINED) &&
				wt_base64_is_begin(text + i + 1, len - i - 1)) {
				rest_write(bits, count, writer);
				count = 0;
			}
			continue;
		}
		quoted = 0;
		if (value < 0 && c != '=' && (slack & WT_BASE64_QUOTED))
			quoted = quoted_len(text + i, len - i, is_line_start);
		if (quoted > 0) {
			i += quoted - 1;
			continue;
		}
		is_line_start = false;
		/* Nothing but padding may follow padding. */
		if (c == '=' && count >= 2)
			padding++;
		else if (value < 0 || padding > 0)
			return false;
		bits = bits << 6 | (uint32_t)(value < 0 ? 0 : value);
		count = (count + 1) % 4;
		if (count == 0) {
			uint8_t bytes[3] = {(uint8_t)(bits >> 16),
				(uint8_t)(bits >> 8), (uint8_t)bits};

			wt_writer_bytes(writer, bytes, 3 - padding);
			if (slack & WT_BASE64_JOINED)
				padding = 0;
		}
	}
	if (count == 0 || padding > 0 || !(slack & WT_BASE64_URL))
		return count == 0;
	return rest_write(bits, count, writer);
}
