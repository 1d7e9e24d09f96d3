/* SPDX-License-Identifier: MIT
 * test_wim_xml.c: XML data that wimlib never gets to see. */
#include "wim/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_MAX 8192

/* As the real ones, and what XML allows beside that. */
static const char *const right[] = {
	"",
	"<WIM><IMAGE INDEX=\"1\"><NAME>a</NAME></IMAGE></WIM>",
	"<?xml version=\"1.0\" encoding=\"UTF-16\"?><WIM/>",
	"<?xml version='1.0' encoding = 'utf-8' ?><WIM/>",
	"<W a = 'x > \"y\"' b='&amp;&#65;&#x1F;'\r\n\t/>",
	"<W >&lt;a=\"b\"&gt; ] ]] > \" ' = </W\n>",
	"<W><!-- - <a b -> &c; ]]> --><![CDATA[<a & -- ]]]]><?p <a & -- ?></W>",
	"<?other encoding=\"x\"?><W/>",
	"<a:b xmlns:a='u' a:c=''/>",
	"<W>\xc3\xa4</W>",
};

static const struct {
	const char *text, *code;
} wrong[] = {
	{"<", "wim-damaged"},
	{"<<a/>", "wim-damaged"},
	{"<1/>", "wim-damaged"},
	{"<W", "wim-damaged"},
	{"<W b/>", "wim-damaged"},
	{"<W b=c/>", "wim-damaged"},
	{"<W b='c/>", "wim-damaged"},
	{"<W b='<'/>", "wim-damaged"},
	{"<W b='&c;'/>", "wim-damaged"},
	{"<W b=''c=''/>", "wim-damaged"},
	{"<W / >", "wim-damaged"},
	{"<W!/>", "wim-damaged"},
	{"</W", "wim-damaged"},
	{"</ W>", "wim-damaged"},
	{"<W>&</W>", "wim-damaged"},
	{"<W>&b;</W>", "wim-damaged"},
	{"<W>&#;</W>", "wim-damaged"},
	{"<W>&#z;</W>", "wim-damaged"},
	{"<W>]]></W>", "wim-damaged"},
	{"<W>\x01</W>", "wim-damaged"},
	{"<W><!-- \x01 --></W>", "wim-damaged"},
	{"<W>\xef\xbf\xbf</W>", "wim-damaged"},
	{"<W><!-- -- --></W>", "wim-damaged"},
	{"<W><!-- ", "wim-damaged"},
	{"<W><![cdata[ ]]></W>", "wim-damaged"},
	{"<W><![CDATA[ ", "wim-damaged"},
	{"<W><!></W>", "wim-damaged"},
	{"<W><?></W>", "wim-damaged"},
	{"<W><?p ", "wim-damaged"},
	{"<!DOCTYPE WIM []><WIM/>", "wim-unsupported"},
	{"<?xml version='1.0' encoding='ISO-8859-1'?><W/>", "wim-unsupported"},
	{"<?xml encoding='UTF-16BE'?><W/>", "wim-unsupported"},
};

/* UTF-8 of at most three bytes a character. @return the length in bytes */
static size_t to_utf16(const char *text, uint8_t *bytes)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t len = 0;

	while (*p) {
		unsigned c = *p++;

		if (c >= 0xe0) {
			c = (c & 15U) << 12 | (p[0] & 63U) << 6 | (p[1] & 63U);
			p += 2;
		} else if (c >= 0xc0) {
			c = (c & 31U) << 6 | (*p++ & 63U);
		}
		wt_put16(bytes + len, c);
		len += 2;
	}
	return len;
}

static enum wt_status check(const char *text, struct wt_error *err)
{
	uint8_t *bytes = malloc(2 * strlen(text) + 1);
	enum wt_status ret = WT_OK;

	assert_non_null(bytes);
	ret = wt_wim_xml_check(bytes, to_utf16(text, bytes), "x.wim", err);
	free(bytes);
	return ret;
}

static void what_xml_allows_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		struct wt_error err = {0};

		if (check(right[i], &err) != WT_OK)
			fail_msg("%s: %s", right[i], err.reason);
	}
}

static void what_a_parser_stumbles_over_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct wt_error err = {0};

		if (check(wrong[i].text, &err) != WT_ERR_WIM)
			fail_msg("%s passes", wrong[i].text);
		assert_string_equal(err.code, wrong[i].code);
		assert_string_equal(err.object, "x.wim");
		assert_string_not_equal(err.hint, "");
	}
}

/* head, then count times part, then tail */
static enum wt_status check_many(const char *head, const char *part,
	unsigned count, const char *tail, struct wt_error *err)
{
	char text[TEXT_MAX] = "";
	size_t len = 0;

	len += (size_t)snprintf(text, sizeof(text), "%s", head);
	for (unsigned i = 0; i < count; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s", part);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", tail);
	assert_true(len < sizeof(text));
	return check(text, err);
}

static void more_than_any_real_file_has_is_refused(void **state)
{
	static const struct {
		const char *head, *part, *tail;
		unsigned max;
		const char *word;
	} rows[] = {
		{"<W", " a=''", "/>", WT_WIM_XML_ATTRIBUTES_MAX, "attributes"},
		{"<W>", "<b xmlns:a=''/>", "</W>", WT_WIM_XML_NAMESPACES_MAX,
			"namespaces"},
		{"<W>", "<!---->", "</W>", WT_WIM_XML_OTHERS_MAX, "sections"},
		{"<W>", "<![CDATA[a]]>", "</W>", WT_WIM_XML_OTHERS_MAX,
			"sections"},
		{"<W>", "<?a?>", "</W>", WT_WIM_XML_OTHERS_MAX, "sections"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wt_error err = {0};

		assert_int_equal(check_many(rows[i].head, rows[i].part,
					 rows[i].max, rows[i].tail, &err),
			WT_OK);
		assert_int_equal(check_many(rows[i].head, rows[i].part,
					 rows[i].max + 1, rows[i].tail, &err),
			WT_ERR_WIM);
		assert_string_equal(err.code, "wim-unsupported");
		assert_non_null(strstr(err.reason, rows[i].word));
	}
}

static void zeros_at_the_end_and_an_odd_byte_do_not_count(void **state)
{
	static const uint8_t bytes[] = {
		'<', 0, 'W', 0, '/', 0, '>', 0, 0, 0, 0, 0, 1};
	static const uint8_t inside[] = {'<', 0, 'W', 0, 0, 0, '/', 0, '>', 0};

	(void)state;
	assert_int_equal(
		wt_wim_xml_check(bytes, sizeof(bytes), "x", NULL), WT_OK);
	assert_int_equal(wt_wim_xml_check(inside, sizeof(inside), "x", NULL),
		WT_ERR_WIM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_xml_allows_passes),
		cmocka_unit_test(what_a_parser_stumbles_over_is_refused),
		cmocka_unit_test(more_than_any_real_file_has_is_refused),
		cmocka_unit_test(zeros_at_the_end_and_an_odd_byte_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
