/* SPDX-License-Identifier: MIT
 * cert/mark.c: the lines BEGIN and END of PEM, and what was meant as one. */
#include "cert/mark.h"

#include "cert/base64.h"

#include <string.h>
#include <strings.h>

/* How much behind BEGIN is looked at: the longest label, and its dashes. */
#define WINDOW 80

/* The character at pos; 0 past the end, and for what is not ASCII. */
static char char_at(
	const uint8_t *data, size_t len, size_t pos, unsigned stride)
{
	if (pos >= len || data[pos] >= 0x80)
		return 0;
	/* the other byte of UTF-16 is after it, or before it */
	if (stride == 2 && pos + 1 < len && data[pos + 1] != 0 &&
		(pos == 0 || data[pos - 1] != 0))
		return 0;
	return (char)data[pos];
}

static bool has_word(const uint8_t *data, size_t len, size_t pos,
	unsigned stride, const char *word)
{
	for (size_t i = 0; word[i]; i++) {
		char c = char_at(data, len, pos + i * stride, stride);

		if ((c & ~0x20) != word[i])
			return false;
	}
	return true;
}

/* Dashes before pos, five at most. */
static size_t dashes_before(
	const uint8_t *data, size_t len, size_t pos, unsigned stride)
{
	size_t count = 0;

	while (count < WT_MARK_DASHES && pos >= stride &&
		char_at(data, len, pos - stride, stride) == '-') {
		pos -= stride;
		count++;
	}
	return count;
}

/* Puts blanks where a URL or a word processor replaced those of a label.
 * Returns by how many characters it is shorter then. */
static size_t blanks_restore(char *text, size_t pos)
{
	static const char *const blanks[] = {"+", "%20", "\xC2\xA0"};
	size_t start_len = strlen(text);

	for (; text[pos] && text[pos] != '-'; pos++) {
		for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]);
			i++) {
			size_t own = strlen(blanks[i]);

			if (strncmp(text + pos, blanks[i], own) != 0)
				continue;
			text[pos] = ' ';
			memmove(text + pos + 1, text + pos + own,
				strlen(text + pos + own) + 1);
		}
	}
	return start_len - strlen(text);
}

/* Is there a dash of any kind before pos, with or without blanks between? Word
 * processors and people write such marks. */
static bool is_dash_before(
	const uint8_t *data, size_t len, size_t pos, unsigned stride)
{
	while (pos >= stride && char_at(data, len, pos - stride, stride) == ' ')
		pos -= stride;
	if (pos >= stride && char_at(data, len, pos - stride, stride) == '-')
		return true;
	if (stride == 2)
		return pos >= 2 &&
		       (data[pos - 1] == 0x20 && data[pos - 2] >= 0x10 &&
			       data[pos - 2] <= 0x15);
	if (pos >= 3 && data[pos - 3] == 0xE2 &&
		((data[pos - 2] == 0x80 && data[pos - 1] >= 0x90 &&
			 data[pos - 1] <= 0x95) ||
			(data[pos - 2] == 0x88 && data[pos - 1] == 0x92)))
		return true;
	return pos >= 1 && (data[pos - 1] == 0x96 || data[pos - 1] == 0x97);
}

static bool is_letter(char c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z';
}

/* Is the text after BEGIN a certificate's label, in any spelling? */
static const char *certificate_label(const char *text)
{
	static const char *const words[] = {
		"X509", "TRUSTED", "CERTIFICATE", "PKCS7"};

	/* "%2520", a blank that was encoded twice, is the longest */
	for (int i = 0; i < 8 && *text && !is_letter(*text); i++)
		text++;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (strncasecmp(text, words[i], len) != 0)
			continue;
		if (i < 2) /* and CERTIFICATE behind it, or it is a CRL */
			return strcasestr(text + len, "CERTIFICATE")
				       ? text + len
				       : NULL;
		return strncasecmp(text + len, " REQUEST", 8) == 0 ||
				       strncasecmp(text + len, " REVOC", 6) == 0
			       ? NULL
			       : text + len;
	}
	return NULL;
}

/* Does Base64 follow? Then it is no prose. */
static bool is_base64_behind(
	const uint8_t *data, size_t len, size_t pos, unsigned stride)
{
	size_t run = 0;

	for (size_t i = 0; i < 256 && run < 40; i++) {
		char c = char_at(data, len, pos + i * stride, stride);

		/* of another block */
		if (c == 'B' && i > 0 &&
			has_word(data, len, pos + i * stride, stride, "BEGIN"))
			return false;
		run = wt_base64_is_digit(c) ? run + 1 : 0;
	}
	return run == 40;
}

/* Is it the beginning of a mark that may become a certificate's? */
static bool is_cut_label(const char *text)
{
	static const char *const labels[] = {" CERTIFICATE----",
		" X509 CERTIFICATE----", " TRUSTED CERTIFICATE----",
		" PKCS7----"};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (strncmp(labels[i], text, strlen(text)) == 0)
			return true;
	return false;
}

/* Bytes a character of the text at pos. */
static unsigned stride_at(const uint8_t *data, size_t len, size_t pos)
{
	if (pos + 1 >= len || data[pos + 1] != 0)
		return 1;
	return pos + 3 < len && data[pos + 2] == 0 && data[pos + 3] == 0 ? 4
									 : 2;
}

/* Copies the rest of the line at pos, WINDOW characters at most. Returns how
 * many they are. */
static size_t window_read(const uint8_t *data, size_t len, size_t pos,
	unsigned stride, char ret_window[WINDOW + 1])
{
	size_t count = 0;

	for (; count < WINDOW; count++) {
		char c = char_at(data, len, pos + count * stride, stride);

		/* A label may have bytes that are not ASCII. */
		if (c == 0 && stride == 1 && pos + count < len &&
			data[pos + count] >= 0x80)
			c = (char)data[pos + count];
		if (c == 0 || c == '\n' || c == '\r')
			break;
		ret_window[count] = c;
	}
	ret_window[count] = '\0';
	return count;
}

bool wt_mark_read(
	const uint8_t *data, size_t len, size_t pos, struct wt_mark *ret_mark)
{
	static const char *const words[] = {"BEGIN", "END"};
	struct wt_mark mark = {0};
	char window[WINDOW + 1] = "", *label = NULL, *end = NULL;
	const char *behind = NULL;
	size_t word_len = 0, dashes = 0, count = 0, extra = 0;
	bool is_cut = false;

	mark.is_end = (data[pos] & ~0x20) == 'E';
	word_len = strlen(words[mark.is_end]);
	mark.stride = stride_at(data, len, pos);
	if (!has_word(data, len, pos, mark.stride, words[mark.is_end]))
		return false;
	count = window_read(data, len, pos, mark.stride, window);
	is_cut = pos + count * mark.stride >= len;
	extra = mark.stride == 1 ? blanks_restore(window, word_len) : 0;
	dashes = dashes_before(data, len, pos, mark.stride);
	mark.start = pos - dashes * mark.stride;
	mark.end = pos + word_len * mark.stride;
	label = window + word_len;
	end = strstr(label, "-----");
	if (dashes == WT_MARK_DASHES && label[0] == ' ' && end &&
		memcmp(window, words[mark.is_end], word_len) == 0) {
		mark.is_exact = true;
		mark.end = pos +
			   ((size_t)(end - window) + WT_MARK_DASHES + extra) *
				   mark.stride;
		/* In big endian the other byte comes first. */
		if (mark.stride == 2 && mark.end <= len &&
			data[mark.end - 1] != 0)
			mark.end--;
		*end = '\0';
		strncpy(mark.label, label + 1, sizeof(mark.label) - 1);
		*ret_mark = mark;
		return true;
	}
	/* The file ends in the middle of it, so its kind is unknown. */
	if (dashes == WT_MARK_DASHES && is_cut && is_cut_label(label)) {
		*ret_mark = mark;
		return true;
	}
	behind = certificate_label(label);
	if (!behind || (!is_dash_before(data, len, pos, mark.stride) &&
			       !strchr(behind, '-')))
		return false;
	if (dashes != WT_MARK_DASHES &&
		!is_base64_behind(data, len, mark.end, mark.stride))
		return false;
	*ret_mark = mark;
	return true;
}

size_t wt_mark_find_dashes(
	const uint8_t *data, size_t len, size_t pos, unsigned stride)
{
	while (pos < len) {
		const uint8_t *found = memchr(data + pos, '-', len - pos);

		if (!found)
			return len;
		pos = (size_t)(found - data);
		if (dashes_before(data, len, pos + WT_MARK_DASHES * stride,
			    stride) == WT_MARK_DASHES)
			return pos;
		pos++;
	}
	return len;
}

enum wt_label wt_mark_label(const char *label)
{
	static const char *const certificates[] = {"CERTIFICATE",
		"X509 CERTIFICATE", "PKCS7", "PKCS #7 SIGNED DATA", "CMS"};
	static const char *const others[] = {
		"REQUEST", "ATTRIBUTE", "REVOCATION", "PAIR"};

	for (size_t i = 0; i < sizeof(certificates) / sizeof(certificates[0]);
		i++)
		if (strcmp(label, certificates[i]) == 0)
			return WT_LABEL_CERTIFICATE;
	if (strcmp(label, "TRUSTED CERTIFICATE") == 0)
		return WT_LABEL_TRUSTED;
	if (strstr(label, "PRIVATE KEY"))
		return strcmp(label, "ENCRYPTED PRIVATE KEY") == 0
			       ? WT_LABEL_OTHER
			       : WT_LABEL_KEY;
	if (!strstr(label, "CERTIFICATE"))
		return WT_LABEL_OTHER;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strstr(label, others[i]))
			return WT_LABEL_OTHER;
	return WT_LABEL_UNKNOWN_CERTIFICATE;
}
