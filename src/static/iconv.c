/* SPDX-License-Identifier: MIT
 * iconv.c: the conversions that hivex asks for, for the static program.
 *
 * The C library loads its own from files, which a machine without that C
 * library does not have. These take the place of its functions. A handle is a
 * number: nothing is allocated. */
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <strings.h>

enum encoding {
	LATIN1,
	UTF_8,
	UTF_16LE,
	ENCODING_COUNT,
};

#define INCOMPLETE (-1)
#define INVALID (-2)

static int encoding_find(const char *name)
{
	static const struct {
		const char *name;
		enum encoding encoding;
	} names[] = {
		{"LATIN1", LATIN1},
		{"ISO-8859-1", LATIN1},
		{"UTF-8", UTF_8},
		{"UTF-16LE", UTF_16LE},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i].name, name) == 0)
			return (int)names[i].encoding;
	return -1;
}

/* The readers give the length of one character, or why there is none. */

static int utf8_read(const uint8_t *at, size_t len, uint32_t *ret_char)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = at[0];
	int count = c < 0x80   ? 1
		    : c < 0xC2 ? 0
		    : c < 0xE0 ? 2
		    : c < 0xF0 ? 3
			       : 4;

	if (count == 0 || c > 0xF4)
		return INVALID;
	if (count > 1)
		c &= 0x7Fu >> count;
	for (int i = 1; i < count; i++) {
		if ((size_t)i >= len)
			return INCOMPLETE;
		if ((at[i] & 0xC0) != 0x80)
			return INVALID;
		c = c << 6 | (at[i] & 0x3Fu);
		/* No continuation mends an encoding that is too long, a half
		 * surrogate or a number that is too large. */
		if (i == 1 && count > 2) {
			uint32_t first = c << 6 * (count - 2);

			if (first + (1u << 6 * (count - 2)) <= least[count] ||
				(first >= 0xD800 && first < 0xE000) ||
				first > 0x10FFFF)
				return INVALID;
		}
	}
	*ret_char = c;
	return count;
}

static int utf16_read(const uint8_t *at, size_t len, uint32_t *ret_char)
{
	uint32_t high = 0;
	uint32_t low = 0;

	if (len < 2)
		return INCOMPLETE;
	high = at[0] | (uint32_t)at[1] << 8;
	*ret_char = high;
	if (high < 0xD800 || high > 0xDFFF)
		return 2;
	if (high > 0xDBFF)
		return INVALID;
	if (len < 4)
		return INCOMPLETE;
	low = at[2] | (uint32_t)at[3] << 8;
	if (low < 0xDC00 || low > 0xDFFF)
		return INVALID;
	*ret_char = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
	return 4;
}

static int char_read(
	int encoding, const uint8_t *at, size_t len, uint32_t *ret_char)
{
	if (encoding == UTF_8)
		return utf8_read(at, len, ret_char);
	if (encoding == UTF_16LE)
		return utf16_read(at, len, ret_char);
	*ret_char = at[0];
	return 1;
}

/* One character as bytes, of which there are up to 4; 0 when the encoding does
 * not have it. */
static size_t char_write(int encoding, uint32_t c, uint8_t dst[4])
{
	if (encoding == LATIN1) {
		dst[0] = (uint8_t)c;
		return c < 0x100;
	}
	if (encoding == UTF_16LE) {
		uint32_t unit = c < 0x10000 ? c : 0xD7C0 + (c >> 10);

		dst[0] = (uint8_t)unit;
		dst[1] = (uint8_t)(unit >> 8);
		dst[2] = (uint8_t)c;
		dst[3] = (uint8_t)(0xDC | (c >> 8 & 3));
		return c < 0x10000 ? 2 : 4;
	}
	if (c < 0x80) {
		dst[0] = (uint8_t)c;
		return 1;
	}
	for (size_t len = 2;; len++) {
		if (c >= 1u << (5 * len + 1))
			continue;
		dst[0] = (uint8_t)(0xF00u >> len | c >> 6 * (len - 1));
		for (size_t i = 1; i < len; i++)
			dst[i] = (uint8_t)(0x80 |
					   (c >> 6 * (len - 1 - i) & 0x3F));
		return len;
	}
}

iconv_t iconv_open(const char *to, const char *from)
{
	int target = encoding_find(to);
	int source = encoding_find(from);

	if (target < 0 || source < 0) {
		errno = EINVAL;
		return (iconv_t)-1;
	}
	return (iconv_t)(intptr_t)(1 + source * ENCODING_COUNT + target);
}

int iconv_close(iconv_t handle)
{
	(void)handle;
	return 0;
}

size_t iconv(iconv_t handle, char **src, size_t *src_len, char **dst,
	size_t *dst_len)
{
	int pair = (int)(intptr_t)handle - 1;

	if (pair < 0 || pair >= ENCODING_COUNT * ENCODING_COUNT) {
		errno = EBADF;
		return (size_t)-1;
	}
	while (src && *src && *src_len > 0) {
		uint8_t bytes[4] = {0};
		uint32_t c = 0;
		int used = char_read(pair / ENCODING_COUNT,
			(const uint8_t *)*src, *src_len, &c);
		size_t len = 0;

		if (used > 0)
			len = char_write(pair % ENCODING_COUNT, c, bytes);
		if (len == 0) {
			errno = used == INCOMPLETE ? EINVAL : EILSEQ;
			return (size_t)-1;
		}
		if (len > *dst_len) {
			errno = E2BIG;
			return (size_t)-1;
		}
		for (size_t i = 0; i < len; i++)
			*(*dst)++ = (char)bytes[i];
		*dst_len -= len;
		*src += used;
		*src_len -= (size_t)used;
	}
	return 0;
}
