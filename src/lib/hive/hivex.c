/* SPDX-License-Identifier: MIT
 * hive/hivex.c: what it means when hivex fails. */
#include "hive/hivex.h"
#include "hive/map.h"
#include "hive/name.h"

#include <errno.h>
#include <iconv.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum wt_status wt_hivex_ready(struct wt_error *err)
{
	static const char *const names[] = {"LATIN1", "UTF-16LE"};

	for (size_t i = 0; i < 2; i++) {
		iconv_t converter = iconv_open("UTF-8", names[i]);

		if (converter != (iconv_t)-1) {
			iconv_close(converter);
			continue;
		}
		wt_fail_errno(err, WT_ERR_FILE, "no-iconv", NULL,
			"the C library cannot convert %s to UTF-8", names[i]);
		wt_error_hint(err, "install its gconv modules (package libc6), "
				   "or use the static program");
		return WT_ERR_FILE;
	}
	return WT_OK;
}

/* A key whose name, or a value's of it, has half a surrogate; WT_HIVE_NONE
 * when there is none. Values' names are looked at as they are stored. */
static uint32_t foreign_find(const struct wt_hive_raw *raw)
{
	uint16_t *units = calloc(UINT16_MAX, sizeof(*units));
	struct wt_hive_offsets stack = {0};
	uint32_t found = WT_HIVE_NONE;

	if (!units || !wt_hive_offsets_add(&stack, raw->base.root))
		goto out;
	while (found == WT_HIVE_NONE && stack.count > 0) {
		uint32_t key = stack.at[--stack.count];
		const uint8_t *node = wt_hive_key(raw, key);
		struct wt_hive_name name = wt_hive_key_name(node, units);
		const uint8_t *list = NULL;
		size_t len = 0;

		if (!wt_hive_name_is_utf8(&name))
			found = key;
		if (wt_get32(node + WT_NK_VALUE_COUNT) > 0)
			list = wt_hive_cell(
				raw, wt_get32(node + WT_NK_VALUES), 0, &len);
		for (size_t i = 0; list && i < len / 4 &&
				   i < wt_get32(node + WT_NK_VALUE_COUNT);
			i++) {
			const uint8_t *value =
				wt_hive_value(raw, wt_get32(list + 4 * i));

			if (!value)
				continue;
			name = wt_hive_value_name(value, units);
			if (!wt_hive_name_is_utf8(&name))
				found = key;
		}
		if (wt_hive_subkeys_add(raw, key, &stack, NULL) != WT_OK)
			break;
	}
out:
	free(stack.at);
	free(units);
	return found;
}

enum wt_status wt_hivex_foreign(
	const struct wt_hive_raw *raw, uint32_t key, struct wt_error *err)
{
	wt_fail(err, WT_ERR_HIVE, "hive-foreign-name", raw->object,
		"the key at offset 0x%" PRIx32
		" has a name that Windows allows and hivex cannot read (half a "
		"surrogate)",
		key + WT_HIVE_PAGE);
	wt_error_hint(err, "rename or remove it on Windows: reg load, reg "
			   "delete, reg unload");
	return WT_ERR_HIVE;
}

enum wt_status wt_hivex_failed(const struct wt_hive_raw *raw, bool is_writing,
	const char *what, struct wt_error *err)
{
	int number = errno;
	uint32_t foreign = WT_HIVE_NONE;
	enum wt_status ret = WT_OK;

	if (number == ENOMEM)
		return wt_fail_memory(err);
	ret = wt_hivex_ready(err);
	if (ret != WT_OK)
		return ret;
	if (number == EINVAL || number == EILSEQ)
		foreign = foreign_find(raw);
	if (foreign != WT_HIVE_NONE) {
		wt_hivex_foreign(raw, foreign, err);
	} else if (is_writing) {
		wt_fail(err, WT_ERR_HIVE, "hive-not-written", raw->object,
			"hivex %s (%s)", what, strerror(number));
		wt_error_hint(err, "nothing was changed; please report it, "
				   "with the hive if you can");
	} else {
		wt_fail(err, WT_ERR_HIVE, "hive-damaged", raw->object,
			"%s (%s); the registry hive is damaged", what,
			strerror(number));
	}
	wt_error_native(err, WT_DOMAIN_HIVEX, number);
	return WT_ERR_HIVE;
}

enum wt_status wt_hivex_copy(const struct wt_hive_raw *raw, int hive_fd,
	size_t file_len, int *ret_copy, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	*ret_copy = -1;
	/* Only files in memory can be opened by name from a child. */
	if (file_len == raw->len && wt_io_is_in_memory(hive_fd))
		return WT_OK;
	ret = wt_io_memory_file("wimtrust-hive", raw->object, ret_copy, err);
	if (ret != WT_OK)
		return ret;
	return wt_io_write_all(
		*ret_copy, raw->data, raw->len, 0, raw->object, err);
}
