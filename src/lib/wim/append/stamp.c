/* SPDX-License-Identifier: MIT
 * wim/append/stamp.c: the times that an append writes, where they are given. */
#include "wim/append/stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* FILETIME: 100 nanoseconds since 1601. */
#define FILETIME_EPOCH INT64_C(11644473600)
#define FILETIME_SECOND UINT64_C(10000000)

int wt_wim_stamp_file(const struct wt_wim_options *options, int fd)
{
	const struct timespec times[2] = {{.tv_sec = (time_t)options->stamp},
		{.tv_sec = (time_t)options->stamp}};

	return options->is_stamped ? futimens(fd, times) : 0;
}

/*
 * The XML data are UTF-16LE with a byte-order mark. wimlib and Windows write
 * numbers of a time in a fixed width:
 *
 *   <IMAGE INDEX="1">…<LASTMODIFICATIONTIME><HIGHPART>0x01DA1B2C</HIGHPART>
 *   <LOWPART>0x00000000</LOWPART></LASTMODIFICATIONTIME>…</IMAGE>
 *
 * so that another one takes its place. What is no ASCII is 0x7F here, which
 * no name below has.
 */
#define HIGH "<LASTMODIFICATIONTIME><HIGHPART>0x"
#define LOW "</HIGHPART><LOWPART>0x"
#define DIGITS 8

static char *ascii_of(const uint8_t *xml, size_t units)
{
	char *text = malloc(units + 1);

	for (size_t i = 0; text && i < units; i++) {
		uint16_t unit = wt_get16(xml + 2 * i);

		text[i] = unit > 0 && unit < 0x7F ? (char)unit : 0x7F;
	}
	if (text)
		text[units] = '\0';
	return text;
}

/* The eight digits behind the words, before end; NULL: not there. */
static char *digits_after(char *at, const char *words, const char *end)
{
	char *found = at ? strstr(at, words) : NULL;

	if (!found || found + strlen(words) + DIGITS > end)
		return NULL;
	found += strlen(words);
	return strspn(found, "0123456789abcdefABCDEF") == DIGITS ? found : NULL;
}

static void digits_put(uint8_t *xml, size_t at, uint32_t number)
{
	char digits[DIGITS + 1] = "";

	snprintf(digits, sizeof(digits), "%08" PRIX32, number);
	for (size_t i = 0; i < DIGITS; i++)
		wt_put16(xml + 2 * (at + i), (uint8_t)digits[i]);
}

static bool image_stamp(uint8_t *xml, char *text, int index, uint64_t stamp)
{
	char start[32] = "";
	char *image = NULL, *end = NULL, *high = NULL, *low = NULL;
	uint64_t time = 0;

	snprintf(start, sizeof(start), "<IMAGE INDEX=\"%d\">", index);
	image = strstr(text, start);
	end = image ? strstr(image, "</IMAGE>") : NULL;
	high = end ? digits_after(image, HIGH, end) : NULL;
	low = high ? digits_after(high, LOW, end) : NULL;
	if (!low || low != high + DIGITS + strlen(LOW))
		return false;
	time = (uint64_t)strtoul(high, NULL, 16) << 32 | strtoul(low, NULL, 16);
	if (time <= stamp)
		return true;
	digits_put(xml, (size_t)(high - text), (uint32_t)(stamp >> 32));
	digits_put(xml, (size_t)(low - text), (uint32_t)stamp);
	return true;
}

enum wt_status wt_wim_stamp_xml(
	const struct wt_wim_append *append, struct wt_error *err)
{
	const struct wt_wim_options *options = append->options;
	const struct wt_wim_skeleton *skeleton = append->skeleton;
	struct wt_wim_header header = {0};
	enum wt_status ret = WT_OK;
	uint8_t *xml = NULL;
	char *text = NULL;
	size_t len = 0;

	if (!options->is_stamped)
		return WT_OK;
	ret = wt_wim_header_read(
		skeleton->fd, append->object, &header, NULL, NULL, err);
	if (ret != WT_OK)
		return ret;
	/* The header was parsed: it is within WT_WIM_XML_MAX. */
	len = (size_t)header.xml.len;
	xml = malloc(len + 1);
	if (!xml)
		return wt_fail_memory(err);
	ret = wt_io_read_all(
		skeleton->fd, xml, len, header.xml.offset, skeleton->path, err);
	text = ret == WT_OK ? ascii_of(xml, len / 2) : NULL;
	if (ret == WT_OK && !text)
		ret = wt_fail_memory(err);
	for (size_t i = 0; ret == WT_OK && i < append->put_count; i++) {
		int index = append->wim->images[append->puts[i].image].index;

		if (!image_stamp(xml, text, index,
			    (uint64_t)(options->stamp + FILETIME_EPOCH) *
				    FILETIME_SECOND))
			ret = wt_fail(err, WT_ERR_WIM, "wim-append",
				append->object,
				"wimlib wrote no time of change for image %d",
				index);
	}
	if (ret == WT_OK)
		ret = wt_io_write_all(skeleton->fd, xml, len, header.xml.offset,
			skeleton->path, err);
	free(text);
	free(xml);
	return ret;
}
