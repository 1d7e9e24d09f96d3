/* SPDX-License-Identifier: MIT
 * wim/xml.c: a WIM's XML data, checked before wimlib parses it. */
#include "wim/xml.h"

#include "base/error.h"
#include "base/io.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A place in the XML data, and what was counted up to it. */
struct scan {
	const uint8_t *bytes;
	size_t units, at; /* of 16 bits */
	unsigned namespaces, others;
	const char *object;
	struct wt_error *err;
};

/* @return 0 after the end */
static unsigned unit_at(const struct scan *scan, size_t at)
{
	return at < scan->units ? wt_get16(scan->bytes + 2 * at) : 0;
}

static unsigned unit(const struct scan *scan)
{
	return unit_at(scan, scan->at);
}

static bool is_space(unsigned c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name_start(unsigned c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	       c == ':' || c >= 0x80;
}

static bool is_name(unsigned c)
{
	return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.';
}

static bool is_word(const struct scan *scan, const char *word)
{
	for (size_t i = 0; word[i] != '\0'; i++)
		if (unit_at(scan, scan->at + i) != (unsigned char)word[i])
			return false;
	return true;
}

static bool skip_word(struct scan *scan, const char *word)
{
	if (!is_word(scan, word))
		return false;
	scan->at += strlen(word);
	return true;
}

static void skip_spaces(struct scan *scan)
{
	while (is_space(unit(scan)))
		scan->at++;
}

static enum wt_status fail_malformed(const struct scan *scan)
{
	wt_fail(scan->err, WT_ERR_WIM, "wim-damaged", scan->object,
		"its XML data is malformed at byte %zu of %zu", 2 * scan->at,
		2 * scan->units);
	wt_error_hint(scan->err, "copy or download the file again");
	return WT_ERR_WIM;
}

static enum wt_status fail_unlikely(const struct scan *scan, const char *what)
{
	wt_fail(scan->err, WT_ERR_WIM, "wim-unsupported", scan->object,
		"its XML data has %s; no program of Windows writes that", what);
	wt_error_hint(scan->err, "get the file again from where it was made");
	return WT_ERR_WIM;
}

static enum wt_status fail_many(
	const struct scan *scan, unsigned max, const char *what)
{
	char text[64] = "";

	snprintf(text, sizeof(text), "more than %u %s", max, what);
	return fail_unlikely(scan, text);
}

static enum wt_status name_check(struct scan *scan)
{
	if (!is_name_start(unit(scan)))
		return fail_malformed(scan);
	while (is_name(unit(scan)))
		scan->at++;
	return WT_OK;
}

static bool is_hex(unsigned c)
{
	return c < 0x80 && wt_text_hex_value((char)c) >= 0;
}

/* Without a DOCTYPE there are no other entities. */
static enum wt_status reference_check(struct scan *scan)
{
	static const char *const known[] = {
		"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
	size_t start = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (skip_word(scan, known[i]))
			return WT_OK;
	if (!skip_word(scan, "&#"))
		return fail_malformed(scan);
	skip_word(scan, "x");
	for (start = scan->at; is_hex(unit(scan));)
		scan->at++;
	return scan->at > start && skip_word(scan, ";") ? WT_OK
							: fail_malformed(scan);
}

static enum wt_status attribute_check(struct scan *scan)
{
	unsigned quote = 0;
	enum wt_status ret = WT_OK;

	if (is_word(scan, "xmlns") &&
		++scan->namespaces > WT_WIM_XML_NAMESPACES_MAX)
		return fail_many(scan, WT_WIM_XML_NAMESPACES_MAX, "namespaces");
	ret = name_check(scan);
	if (ret != WT_OK)
		return ret;
	skip_spaces(scan);
	if (!skip_word(scan, "="))
		return fail_malformed(scan);
	skip_spaces(scan);
	quote = unit(scan);
	if (quote != '"' && quote != '\'')
		return fail_malformed(scan);
	scan->at++;
	while (ret == WT_OK && unit(scan) != quote) {
		if (unit(scan) == '&')
			ret = reference_check(scan);
		else if (unit(scan) == '<' || scan->at >= scan->units)
			ret = fail_malformed(scan);
		else
			scan->at++;
	}
	scan->at++;
	return ret;
}

/* Of an element's start, from its name on. */
static enum wt_status start_check(struct scan *scan)
{
	unsigned attributes = 0;
	enum wt_status ret = name_check(scan);

	while (ret == WT_OK && is_space(unit(scan))) {
		skip_spaces(scan);
		if (!is_name_start(unit(scan)))
			break;
		if (++attributes > WT_WIM_XML_ATTRIBUTES_MAX)
			return fail_many(scan, WT_WIM_XML_ATTRIBUTES_MAX,
				"attributes in an element");
		ret = attribute_check(scan);
	}
	if (ret != WT_OK)
		return ret;
	skip_word(scan, "/");
	return skip_word(scan, ">") ? WT_OK : fail_malformed(scan);
}

static enum wt_status end_check(struct scan *scan)
{
	enum wt_status ret = name_check(scan);

	skip_spaces(scan);
	if (ret != WT_OK)
		return ret;
	return skip_word(scan, ">") ? WT_OK : fail_malformed(scan);
}

/* libxml2 would read all that follows in that encoding. */
static bool is_encoding_foreign(const struct scan *scan)
{
	struct scan value = *scan;
	unsigned quote = 0;

	if (!skip_word(&value, "encoding"))
		return false;
	skip_spaces(&value);
	skip_word(&value, "=");
	skip_spaces(&value);
	quote = unit(&value);
	value.at++;
	if (!skip_word(&value, "UTF") && !skip_word(&value, "utf"))
		return true;
	if (!skip_word(&value, "-16") && !skip_word(&value, "-8"))
		return true;
	return unit(&value) != quote;
}

/* To the end of a comment, CDATA section or processing instruction. */
static enum wt_status other_check(struct scan *scan, const char *end)
{
	bool is_comment = strcmp(end, "-->") == 0;
	bool is_instruction = strcmp(end, "?>") == 0;
	bool is_declaration = is_instruction && is_word(scan, "xml");

	if (++scan->others > WT_WIM_XML_OTHERS_MAX)
		return fail_many(scan, WT_WIM_XML_OTHERS_MAX,
			"comments and other sections");
	if (is_instruction && !is_name_start(unit(scan)))
		return fail_malformed(scan);
	for (; !skip_word(scan, end); scan->at++) {
		if (scan->at >= scan->units ||
			(is_comment && is_word(scan, "--")))
			return fail_malformed(scan);
		if (is_declaration && is_encoding_foreign(scan))
			return fail_unlikely(scan, "an encoding other than "
						   "UTF-16");
	}
	return WT_OK;
}

static enum wt_status markup_check(struct scan *scan)
{
	if (skip_word(scan, "<!--"))
		return other_check(scan, "-->");
	if (skip_word(scan, "<![CDATA["))
		return other_check(scan, "]]>");
	if (skip_word(scan, "<?"))
		return other_check(scan, "?>");
	if (skip_word(scan, "<!DOCTYPE"))
		return fail_unlikely(
			scan, "a document type declaration (DOCTYPE)");
	if (skip_word(scan, "</"))
		return end_check(scan);
	scan->at++;
	return start_check(scan);
}

/* A control character ends what libxml2 is at, also within a comment. */
static enum wt_status units_check(struct scan *scan)
{
	for (scan->at = 0; scan->at < scan->units; scan->at++) {
		unsigned c = unit(scan);

		if ((c < 0x20 && !is_space(c)) || c >= 0xfffe)
			return fail_malformed(scan);
	}
	scan->at = 0;
	return WT_OK;
}

enum wt_status wt_wim_xml_check(const uint8_t *bytes, size_t len,
	const char *object, struct wt_error *err)
{
	struct scan scan = {
		.bytes = bytes, .units = len / 2, .object = object, .err = err};
	enum wt_status ret = WT_OK;

	/* libxml2 lets them end the text. */
	while (scan.units > 0 && unit_at(&scan, scan.units - 1) == 0)
		scan.units--;
	ret = units_check(&scan);
	while (ret == WT_OK && scan.at < scan.units) {
		if (unit(&scan) == '<')
			ret = markup_check(&scan);
		else if (unit(&scan) == '&')
			ret = reference_check(&scan);
		else if (is_word(&scan, "]]>"))
			ret = fail_malformed(&scan);
		else
			scan.at++;
	}
	return ret;
}

enum wt_status wt_wim_xml_check_file(int fd, const struct wt_wim_header *header,
	const char *object, struct wt_error *err)
{
	const struct wt_wim_resource *xml = &header->xml;
	enum wt_status ret = WT_OK;
	uint8_t *bytes = NULL;

	if ((xml->flags & (WT_WIM_RESOURCE_COMPRESSED |
				  WT_WIM_RESOURCE_SOLID)) != 0 ||
		xml->len != xml->original_len) {
		wt_fail(err, WT_ERR_WIM, "wim-unsupported", object,
			"its XML data is compressed, which the format does "
			"not allow");
		wt_error_hint(err, "get the file again from where it was made");
		return WT_ERR_WIM;
	}
	bytes = malloc(xml->len);
	if (!bytes)
		return wt_fail_memory(err);
	ret = wt_io_read_all(fd, bytes, xml->len, xml->offset, object, err);
	if (ret == WT_OK)
		ret = wt_wim_xml_check(bytes, xml->len, object, err);
	free(bytes);
	return ret;
}
