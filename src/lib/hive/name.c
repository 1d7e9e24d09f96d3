/* SPDX-License-Identifier: MIT
 * hive/name.c: names of keys, compared as Windows compares them. */
#include "hive/name.h"
#include "hive/check.h"

uint16_t wt_hive_unit_upper(uint16_t unit)
{
	if ((unit >= 'a' && unit <= 'z') ||
		(unit >= 0xE0 && unit <= 0xFE && unit != 0xF7))
		return (uint16_t)(unit - 0x20);
	return unit == 0xFF ? 0x178 : unit;
}

bool wt_hive_unit_is_known(uint16_t unit)
{
	/* Of the micro sign the versions of Windows disagree. */
	return (unit <= 0xFF && unit != 0xB5) || unit == 0x178 ||
	       (unit >= 0x590 && unit <= 0x109F) ||  /* Hebrew to Myanmar */
	       (unit >= 0x2E00 && unit <= 0xA63F) || /* CJK */
	       (unit >= 0xAC00 && unit <= 0xFEFF);   /* Hangul, surrogates */
}

int wt_hive_name_compare(
	const struct wt_hive_name *left, const struct wt_hive_name *right)
{
	size_t units = left->units < right->units ? left->units : right->units;

	for (size_t i = 0; i < units; i++)
		if (left->at[i] != right->at[i])
			return left->at[i] < right->at[i] ? -1 : 1;
	if (left->units == right->units)
		return 0;
	return left->units < right->units ? -1 : 1;
}

uint32_t wt_hive_name_hash(const struct wt_hive_name *name)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < name->units; i++)
		hash = hash * 37 + name->at[i];
	return hash;
}

/* One code point; 0 when there is none. */
static uint32_t utf8_next(const uint8_t **at)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint32_t lead = *(*at)++;
	unsigned more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0;
	uint32_t code = more ? lead & (0x3Fu >> more) : lead;

	if ((lead >= 0x80 && lead < 0xC0) || lead >= 0xF8)
		return 0;
	for (unsigned i = 0; i < more; i++) {
		if ((**at & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (*(*at)++ & 0x3Fu);
	}
	if (code < least[more] || code > 0x10FFFF ||
		(code >= 0xD800 && code < 0xE000))
		return 0;
	return code;
}

bool wt_hive_name_from_utf8(
	const char *text, uint16_t *units, struct wt_hive_name *ret_name)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t count = 0;

	while (*at != 0) {
		uint32_t code = utf8_next(&at);

		if (code == 0 || count + (code > 0xFFFF) >= WT_HIVE_NAME_MAX)
			return false;
		if (code > 0xFFFF) {
			units[count++] =
				(uint16_t)(0xD800 + ((code - 0x10000) >> 10));
			code = 0xDC00 + ((code - 0x10000) & 0x3FF);
		}
		units[count++] = wt_hive_unit_upper((uint16_t)code);
	}
	*ret_name = (struct wt_hive_name){.at = units, .units = count};
	return count > 0;
}

static struct wt_hive_name name_upper(
	const uint8_t *data, size_t len, bool is_ascii, uint16_t *units)
{
	size_t count = is_ascii ? len : len / 2;

	for (size_t i = 0; i < count; i++)
		units[i] = wt_hive_unit_upper(
			is_ascii ? data[i] : wt_get16(data + 2 * i));
	return (struct wt_hive_name){.at = units, .units = count};
}

struct wt_hive_name wt_hive_key_name(const uint8_t *node, uint16_t *units)
{
	return name_upper(node + WT_NK_NAME, wt_get16(node + WT_NK_NAME_LEN),
		wt_get16(node + WT_NK_FLAGS) & WT_NK_FLAG_ASCII, units);
}

struct wt_hive_name wt_hive_value_name(const uint8_t *value, uint16_t *units)
{
	return name_upper(value + WT_VK_NAME, wt_get16(value + WT_VK_NAME_LEN),
		wt_get16(value + WT_VK_FLAGS) & WT_VK_FLAG_ASCII, units);
}

bool wt_hive_name_is_utf8(const struct wt_hive_name *name)
{
	for (size_t i = 0; i < name->units; i++) {
		bool is_high = (name->at[i] & 0xFC00) == 0xD800;

		if (is_high && i + 1 < name->units &&
			(name->at[i + 1] & 0xFC00) == 0xDC00)
			i++;
		else if ((name->at[i] & 0xF800) == 0xD800)
			return false;
	}
	return true;
}
