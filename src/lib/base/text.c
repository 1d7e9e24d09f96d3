/* SPDX-License-Identifier: MIT
 * base/text.c: UTF-8 and UTF-16 text that comes from files. */
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/*
 * The length of the character at text, with its code point; 0 when the bytes
 * are no UTF-8 (RFC 3629: no overlong form, no surrogate, up to U+10FFFF).
 */
static size_t utf8_decode(const uint8_t *text, size_t len, uint32_t *ret_code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = 0;
	uint32_t code = text[0];

	if (code < 0x80) {
		*ret_code = code;
		return 1;
	}
	if (code >= 0xC2 && code <= 0xDF)
		size = 2;
	else if (code >= 0xE0 && code <= 0xEF)
		size = 3;
	else if (code >= 0xF0 && code <= 0xF4)
		size = 4;
	if (size == 0 || size > len)
		return 0;
	code &= 0xFFU >> (size + 1);
	for (size_t i = 1; i < size; i++) {
		if ((text[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3F);
	}
	if (code < least[size] || code > 0x10FFFF ||
		(code >= 0xD800 && code <= 0xDFFF))
		return 0;
	*ret_code = code;
	return size;
}

static void utf8_encode(struct wt_writer *writer, uint32_t code)
{
	uint8_t bytes[4] = {0};
	size_t size = code < 0x80      ? 1
		      : code < 0x800   ? 2
		      : code < 0x10000 ? 3
				       : 4;

	for (size_t i = size; i > 1; i--) {
		bytes[i - 1] = (uint8_t)(0x80 | (code & 0x3F));
		code >>= 6;
	}
	bytes[0] = (uint8_t)(code | (size > 1 ? 0xF00U >> size : 0));
	wt_writer_bytes(writer, bytes, size);
}

static bool is_control(uint32_t code)
{
	/* C0, DEL, C1, and the marks that re-order what a terminal shows */
	return code < 0x20 || (code >= 0x7F && code <= 0x9F) ||
	       (code >= 0x200E && code <= 0x200F) ||
	       (code >= 0x2028 && code <= 0x202E) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0x061C ||
	       code == 0xFEFF;
}

static void text_clean(struct wt_writer *writer, const void *text, size_t len)
{
	const uint8_t *bytes = text;
	size_t size = 0;
	uint32_t code = 0;

	for (size_t pos = 0; pos < len; pos += size) {
		size = utf8_decode(bytes + pos, len - pos, &code);
		if (size > 0 && !is_control(code)) {
			wt_writer_bytes(writer, bytes + pos, size);
			continue;
		}
		size = size > 0 ? size : 1;
		for (size_t i = 0; i < size; i++) {
			char hex[5] = "\\x";

			wt_text_hex(&bytes[pos + i], 1, hex + 2);
			wt_writer_bytes(writer, hex, 4);
		}
	}
}

char *wt_text_clean_dup(const void *text, size_t len)
{
	struct wt_writer writer = {0};

	text_clean(&writer, text, len);
	wt_writer_bytes(&writer, "", 1);
	if (writer.has_failed) {
		wt_writer_free(&writer);
		return NULL;
	}
	return (char *)writer.data;
}

void wt_text_cut(char *text, size_t size)
{
	size_t end = size - 1;

	if (strlen(text) < size)
		return;
	while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
		end--;
	text[end] = '\0';
}

void wt_text_from_utf16(struct wt_writer *writer, const uint8_t *text,
	size_t len, bool is_big_endian)
{
	size_t low = is_big_endian ? 1 : 0;
	uint32_t high = 0;

	/* Most text is ASCII: half the input is the usual size. */
	if (!wt_writer_reserve(writer, len / 2))
		return;
	for (size_t i = 0; i + 1 < len; i += 2) {
		uint32_t unit =
			(uint32_t)text[i + 1 - low] << 8 | text[i + low];

		if (high != 0 && unit >= 0xDC00 && unit <= 0xDFFF) {
			utf8_encode(writer, 0x10000 + ((high - 0xD800) << 10) +
						    (unit - 0xDC00));
			high = 0;
			continue;
		}
		if (high != 0)
			utf8_encode(writer, 0xFFFD);
		high = 0;
		if (unit >= 0xD800 && unit <= 0xDBFF)
			high = unit;
		else if (unit >= 0xDC00 && unit <= 0xDFFF)
			utf8_encode(writer, 0xFFFD);
		else
			utf8_encode(writer, unit);
	}
	if (high != 0)
		utf8_encode(writer, 0xFFFD);
}

bool wt_text_to_utf16le(struct wt_writer *writer, const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t size = 0;
	uint32_t code = 0;

	for (size_t pos = 0; pos < len; pos += size) {
		size = utf8_decode(bytes + pos, len - pos, &code);
		if (size == 0)
			return false;
		if (code >= 0x10000) {
			code -= 0x10000;
			wt_writer_u16(
				writer, (uint16_t)(0xD800 + (code >> 10)));
			code = 0xDC00 + (code & 0x3FF);
		}
		wt_writer_u16(writer, (uint16_t)code);
	}
	return true;
}

bool wt_text_is_equal_nocase(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

bool wt_text_is_thumbprint(const char *text, size_t len)
{
	size_t digits = 0;

	while (digits < len && wt_text_hex_value(text[digits]) >= 0)
		digits++;
	return digits == 40 && len == 40;
}

int wt_text_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void wt_text_hex(const uint8_t *data, size_t len, char *ret_hex)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		ret_hex[2 * i] = digits[data[i] >> 4];
		ret_hex[2 * i + 1] = digits[data[i] & 15];
	}
	ret_hex[2 * len] = '\0';
}

void wt_text_time(int64_t seconds, char ret_text[32])
{
	time_t when = (time_t)seconds;
	struct tm tm = {0};

	if (!gmtime_r(&when, &tm) ||
		strftime(ret_text, 32, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(ret_text, 32, "second %" PRId64, seconds);
}

void wt_text_date(int64_t seconds, char ret_text[32])
{
	wt_text_time(seconds, ret_text);
	if (strstr(ret_text, " UTC"))
		ret_text[strcspn(ret_text, " ")] = '\0';
}
