/* SPDX-License-Identifier: MIT
 * wim_text.c: text from a WIM, made valid. */
#include "wim_text.h"

#include <stdint.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";

/* The length of the valid UTF-8 character at p (RFC 3629, section 4), or 0.
 * The end of the text is a NUL, which continues no character. */
static size_t character_len(const uint8_t *p)
{
	static const struct {
		uint8_t first_min, first_max, second_min, second_max;
		size_t len;
	} forms[] = {
		{0x01, 0x7f, 0, 0, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (p[0] < forms[i].first_min || p[0] > forms[i].first_max)
			continue;
		if (forms[i].len == 1)
			return 1;
		if (p[1] < forms[i].second_min || p[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if (p[k] < 0x80 || p[k] > 0xbf)
				return 0;
		return forms[i].len;
	}
	return 0;
}

void wt_wim_text_copy(char *dst, size_t size, const char *text)
{
	const char *src = text ? text : "";
	size_t used = 0;

	while (*src != '\0') {
		size_t len = character_len((const uint8_t *)src);
		const char *from = len > 0 ? src : replacement;
		size_t from_len = len > 0 ? len : sizeof(replacement) - 1;

		if (used + from_len >= size)
			break;
		memcpy(dst + used, from, from_len);
		used += from_len;
		src += len > 0 ? len : 1;
	}
	dst[used] = '\0';
}
