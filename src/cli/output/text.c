/* SPDX-License-Identifier: MIT
 * text.c: text from files made fit for a terminal and for JSON. */
#include "output/text.h"

#include "cli.h"

#include <ctype.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* The mark for the part that was cut out; ASCII where the user's own
 * locale is not UTF-8. */
static const char *ellipsis = "...";

void cli_text_init(void)
{
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0) {
		ellipsis = "\xE2\x80\xA6";
		return;
	}
	/* Only for wcwidth(): subjects are UTF-8 whatever the locale is. */
	setlocale(LC_CTYPE, "C.UTF-8");
}

/* Bytes of the character at s, or 0 when it is no valid UTF-8. */
static size_t decode(const char *s, uint32_t *ret_char)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *u = (const unsigned char *)s;
	size_t len = 0;
	uint32_t c = u[0];

	if (c < 0x80) {
		*ret_char = c;
		return 1;
	}
	if ((c & 0xE0) == 0xC0) {
		len = 2;
		c &= 0x1F;
	} else if ((c & 0xF0) == 0xE0) {
		len = 3;
		c &= 0x0F;
	} else if ((c & 0xF8) == 0xF0) {
		len = 4;
		c &= 0x07;
	} else {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3F);
	}
	if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*ret_char = c;
	return len;
}

/* Characters that command a terminal, show nothing, or let a text read
 * otherwise than it is: general categories Cc, Cf, Zl and Zp of Unicode. */
static bool is_unsafe(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0x00, 0x1F},
		{0x7F, 0x9F},
		{0xAD, 0xAD},
		{0x600, 0x605},
		{0x61C, 0x61C},
		{0x6DD, 0x6DD},
		{0x70F, 0x70F},
		{0x180E, 0x180E},
		{0x200B, 0x200F},
		{0x2028, 0x202E},
		{0x2060, 0x206F},
		{0xFEFF, 0xFEFF},
		{0xFFF9, 0xFFFB},
		{0x110BD, 0x110BD},
		{0x1D173, 0x1D17A},
		{0xE0000, 0xE0FFF},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

char *cli_text_safe(const char *text)
{
	const char *s = text ? text : "";
	/* The longest escape of one byte, "\xHH", has four. */
	char *safe = cli_alloc(strlen(s) + 1, 4);
	char *to = safe;

	while (*s) {
		uint32_t c = 0;
		size_t len = decode(s, &c);

		if (len == 0 || (len == 1 && is_unsafe(c))) {
			to += sprintf(to, "\\x%02x", (unsigned char)*s);
			len = 1;
		} else if (is_unsafe(c)) {
			to += sprintf(to, c > 0xFFFF ? "\\U%08x" : "\\u%04x",
				(unsigned)c);
		} else {
			memcpy(to, s, len);
			to += len;
		}
		s += len;
	}
	*to = '\0';
	return safe;
}

char *cli_text_utf8(const char *text)
{
	const char *s = text ? text : "";
	char *valid = cli_alloc(strlen(s) + 1, 3);
	char *to = valid;

	while (*s) {
		uint32_t c = 0;
		size_t len = decode(s, &c);

		if (len == 0) {
			memcpy(to, "\xEF\xBF\xBD", 3);
			to += 3;
			len = 1;
		} else {
			memcpy(to, s, len);
			to += len;
		}
		s += len;
	}
	*to = '\0';
	return valid;
}

/* Columns of the character at s; its bytes go to ret_len. */
static size_t char_width(const char *s, size_t *ret_len)
{
	uint32_t c = 0;
	int width = 0;

	*ret_len = decode(s, &c);
	if (*ret_len == 0) {
		*ret_len = 1;
		return 1;
	}
	width = wcwidth((wchar_t)c);
	return width < 0 ? 1 : (size_t)width;
}

size_t cli_text_width(const char *text)
{
	size_t width = 0, len = 0;

	for (const char *s = text; *s; s += len)
		width += char_width(s, &len);
	return width;
}

char *cli_text_shorten(const char *text, size_t width)
{
	size_t full = cli_text_width(text), mark = cli_text_width(ellipsis);
	size_t head = 0, tail = full, len = 0;
	const char *head_end = text, *tail_start = text;
	char *shortened = NULL;

	if (full <= width || width <= mark) {
		shortened = cli_alloc(strlen(text) + 1, 1);
		strcpy(shortened, text);
		return shortened;
	}
	while (*head_end) {
		size_t next = head + char_width(head_end, &len);

		if (next > (width - mark + 1) / 2)
			break;
		head = next;
		head_end += len;
	}
	while (*tail_start && head + mark + tail > width) {
		tail -= char_width(tail_start, &len);
		tail_start += len;
	}
	/* A mark that combines with a character that was cut goes as well. */
	while (*tail_start && char_width(tail_start, &len) == 0)
		tail_start += len;
	shortened = cli_alloc(strlen(text) + strlen(ellipsis) + 1, 1);
	sprintf(shortened, "%.*s%s%s", (int)(head_end - text), text, ellipsis,
		tail_start);
	return shortened;
}

/* The end of an RDN that begins at s: a comma that no backslash guards. */
static size_t rdn_len(const char *s)
{
	size_t len = 0;

	while (s[len] && s[len] != ',')
		len += s[len] == '\\' && s[len + 1] ? 2 : 1;
	return len;
}

/* "CN=" or "2.5.4.3=" */
static bool is_rdn(const char *s)
{
	size_t len = 0;

	while (isalnum((unsigned char)s[len]) || s[len] == '.')
		len++;
	return len > 0 && s[len] == '=';
}

/* Columns of the RDN at s, with the comma behind it. */
static size_t rdn_width(const char *s)
{
	size_t len = rdn_len(s), used = 0, width = 0;

	for (size_t at = 0; at < len; at += used)
		width += char_width(s + at, &used);
	return width + (s[len] == ',');
}

size_t cli_text_wrap(const char *text, size_t width)
{
	size_t used = 0, len = 0, at = 0, space = 0, comma = 0, rdn = 0;

	while (text[at]) {
		used += char_width(text + at, &len);
		/* At least one character, whatever the width. */
		if (used > width && at > 0)
			break;
		at += len;
		if (text[at - 1] == ' ')
			space = at;
		else if (text[at - 1] == ',' && at > 1 && text[at - 2] != '\\')
			comma = at;
		if (comma == at && is_rdn(text + at))
			rdn = at;
	}
	/* A part of a name that fits on a line is never cut. */
	if (text[at] && rdn > 0 && rdn_width(text + rdn) <= width)
		return rdn;
	/* A space behind the line's end is no part of a line. */
	if (!text[at] || text[at] == ' ')
		return at;
	/* Between the parts of a name rather than within one. */
	if (2 * comma >= at)
		return comma;
	if (space > 0)
		return space;
	return comma > 0 ? comma : at;
}

size_t cli_text_cn_width(const char *name)
{
	if (!is_rdn(name))
		return 0;
	for (const char *s = name; *s; s += rdn_len(s), s += *s == ',')
		if (strncmp(s, "CN=", 3) == 0)
			return rdn_width(s);
	return 0;
}

char *cli_text_name(const char *subject)
{
	const char *from = subject;
	size_t len = strlen(subject);
	char *name = NULL;

	for (const char *s = subject; *s; s += rdn_len(s), s += *s == ',') {
		if (strncmp(s, "CN=", 3) != 0)
			continue;
		from = s + 3;
		len = rdn_len(from);
		break;
	}
	name = cli_alloc(len + 1, 1);
	memcpy(name, from, len);
	return name;
}

void cli_line(FILE *file, const char *fmt, ...)
{
	char *text = NULL, *safe = NULL;
	va_list args;
	int len = 0;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		text = NULL;
	safe = cli_text_safe(text);
	fprintf(file, "%s\n", safe);
	free(safe);
	free(text);
}

char *cli_text_size(char buf[CLI_SIZE_MAX], uint64_t bytes)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(buf, CLI_SIZE_MAX, "%u bytes", (unsigned)bytes);
		return buf;
	}
	while (value >= 999.95 && unit + 1 < sizeof(units) / sizeof(*units)) {
		value /= 1000;
		unit++;
	}
	snprintf(buf, CLI_SIZE_MAX, "%.1f %s", value, units[unit]);
	return buf;
}

char *cli_text_time(char buf[CLI_TIME_MAX], int64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm t = {0};

	if (!gmtime_r(&when, &t))
		snprintf(buf, CLI_TIME_MAX, "?");
	else
		snprintf(buf, CLI_TIME_MAX, "%04lld-%02d-%02dT%02d:%02d:%02dZ",
			(long long)t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
			t.tm_hour, t.tm_min, t.tm_sec);
	return buf;
}

char *cli_text_date(char buf[CLI_TIME_MAX], int64_t seconds)
{
	cli_text_time(buf, seconds);
	buf[strcspn(buf, "T")] = '\0';
	return buf;
}

char *cli_text_locks(char buf[CLI_LOCKS_MAX], unsigned locks)
{
	size_t len = 0;

	snprintf(buf, CLI_LOCKS_MAX, "none");
	for (unsigned lock = 1; wt_lock_name((enum wt_lock)lock); lock <<= 1)
		if (locks & lock)
			len += (size_t)snprintf(buf + len, CLI_LOCKS_MAX - len,
				"%s%s", len > 0 ? ", " : "",
				wt_lock_name((enum wt_lock)lock));
	return buf;
}
