/* SPDX-License-Identifier: MIT
 * cert/ldif.c: values in Base64 as LDIF writes them. */
#include "cert/ldif.h"

#include "cert/base64.h"

#include <string.h>
#include <strings.h>

size_t wt_ldif_value_len(const char *text, size_t len)
{
	size_t pos = 0;

	for (;;) {
		size_t next = pos;

		while (pos < len &&
			(wt_base64_is_url_digit(text[pos]) ||
				text[pos] == '=') &&
			!(len - pos >= 5 &&
				memcmp(text + pos, "-----", 5) == 0))
			pos++;
		next = pos;
		if (next < len && text[next] == '\r')
			next++;
		if (len - next < 2 || text[next] != '\n' ||
			text[next + 1] != ' ')
			return pos;
		pos = next + 2;
	}
}

void wt_ldif_attribute(
	const char *text, size_t len, char ret_name[WT_LDIF_NAME_MAX])
{
	size_t end = len, start = 0;

	ret_name[0] = '\0';
	while (end > 0 && text[end - 1] == ' ')
		end--;
	if (end < 2 || text[end - 1] != ':' || text[end - 2] != ':')
		return;
	start = end -= 2;
	while (start > 0 && !strchr("\r\n", text[start - 1]))
		start--;
	if (end - start < WT_LDIF_NAME_MAX) {
		memcpy(ret_name, text + start, end - start);
		ret_name[end - start] = '\0';
	}
}

bool wt_ldif_is_ca(const char *name)
{
	return strcasecmp(name, "cACertificate") == 0 ||
	       strcasecmp(name, "cACertificate;binary") == 0;
}
