/* SPDX-License-Identifier: MIT
 * hive/check.c: what a hive's raw bytes must be before anything trusts them. */
#include "hive/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

uint32_t wt_hive_checksum(const uint8_t *base)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < WT_BASE_CHECKSUM; i += 4)
		sum ^= wt_get32(base + i);
	/* Windows keeps these two for itself. */
	if (sum == UINT32_MAX)
		return UINT32_MAX - 1;
	return sum == 0 ? 1 : sum;
}

void wt_hive_base_get(const uint8_t *base, struct wt_hive_base *ret_base)
{
	*ret_base = (struct wt_hive_base){
		.primary = wt_get32(base + WT_BASE_PRIMARY),
		.secondary = wt_get32(base + WT_BASE_SECONDARY),
		.time = wt_get64(base + WT_BASE_TIME),
		.major = wt_get32(base + WT_BASE_MAJOR),
		.minor = wt_get32(base + WT_BASE_MINOR),
		.type = wt_get32(base + WT_BASE_TYPE),
		.format = wt_get32(base + WT_BASE_FORMAT),
		.root = wt_get32(base + WT_BASE_ROOT),
		.bins_len = wt_get32(base + WT_BASE_BINS_LEN),
		.is_checksum_good = wt_get32(base + WT_BASE_CHECKSUM) ==
				    wt_hive_checksum(base),
	};
}

enum wt_status wt_hive_base_size_check(const struct wt_hive_base *base,
	uint64_t file_len, const char *object, struct wt_error *err)
{
	if (base->bins_len == 0 || base->bins_len % WT_HIVE_PAGE != 0 ||
		base->bins_len > WT_HIVE_BINS_LEN_MAX)
		return wt_fail(err, WT_ERR_HIVE, "hive-bad-size", object,
			"its header gives %" PRIu32
			" bytes of contents, which is not a valid length",
			base->bins_len);
	if (file_len < (uint64_t)base->bins_len + WT_HIVE_PAGE) {
		wt_fail(err, WT_ERR_HIVE, "hive-truncated", object,
			"the registry hive is cut off: %" PRIu64
			" bytes are there, its header asks for %" PRIu64,
			file_len, (uint64_t)base->bins_len + WT_HIVE_PAGE);
		wt_error_hint(err, "take the hive from an intact copy of the "
				   "image");
		return WT_ERR_HIVE;
	}
	return WT_OK;
}

enum wt_status wt_hive_base_check(const uint8_t *data, size_t data_len,
	uint64_t file_len, bool may_dirty, const char *object,
	struct wt_hive_base *ret_base, struct wt_error *err)
{
	struct wt_hive_base base = {0};
	enum wt_status ret = WT_OK;

	if (data_len < 4 || memcmp(data, "regf", 4) != 0)
		return wt_fail(err, WT_ERR_HIVE, "hive-not-a-hive", object,
			"this is not a registry hive (it does not begin with "
			"\"regf\")");
	if (data_len < WT_HIVE_PAGE)
		return wt_fail(err, WT_ERR_HIVE, "hive-truncated", object,
			"the registry hive is cut off within its header");
	wt_hive_base_get(data, &base);
	if (base.major != 1 || base.minor < 3 || base.minor > 6)
		return wt_fail(err, WT_ERR_HIVE, "hive-version", object,
			"the registry hive has version %" PRIu32 ".%" PRIu32
			"; versions 1.3 to 1.6 are known",
			base.major, base.minor);
	if (base.type != 0 || base.format != 1)
		return wt_fail(err, WT_ERR_HIVE, "hive-bad-header", object,
			"this is not the hive itself (type %" PRIu32
			", format %" PRIu32 "); a transaction log perhaps",
			base.type, base.format);
	if (!may_dirty &&
		(!base.is_checksum_good || base.primary != base.secondary)) {
		if (base.primary == base.secondary)
			return wt_fail(err, WT_ERR_HIVE, "hive-bad-header",
				object,
				"the checksum of the hive's header is wrong");
		wt_fail(err, WT_ERR_HIVE, "hive-dirty", object,
			"Windows had not finished writing this hive (sequence "
			"%" PRIu32 " begun, %" PRIu32 " ended); the rest is in "
			"its transaction logs",
			base.primary, base.secondary);
		wt_error_hint(err, "use --replay-logs to apply the logs "
				   "first, or --discard-logs to ignore them");
		return WT_ERR_HIVE;
	}
	ret = wt_hive_base_size_check(&base, file_len, object, err);
	if (ret != WT_OK)
		return ret;
	*ret_base = base;
	return WT_OK;
}

static size_t bits_len(const struct wt_hive_raw *raw)
{
	return (raw->len - WT_HIVE_PAGE) / 64;
}

/* Marks the cells in use of one bin. */
static enum wt_status cells_check(struct wt_hive_raw *raw, uint32_t begin,
	uint32_t end, struct wt_error *err)
{
	uint32_t at = begin + WT_HIVE_BIN_HEAD;

	while (at < end) {
		uint32_t head = wt_get32(raw->data + WT_HIVE_PAGE + at);
		bool is_used = head & 0x80000000u;
		uint32_t len = is_used ? 0u - head : head;

		if (len < 8 || len % 8 != 0 || len > end - at)
			return wt_fail(err, WT_ERR_HIVE, "hive-bad-cell",
				raw->object,
				"the cell at offset 0x%" PRIx32
				" claims %" PRIu32 " bytes; the registry hive "
				"is damaged",
				at + WT_HIVE_PAGE, len);
		if (is_used)
			wt_hive_bit_set(raw->used, at);
		at += len;
	}
	return WT_OK;
}

static enum wt_status bins_check(struct wt_hive_raw *raw, struct wt_error *err)
{
	uint32_t bins_len = raw->base.bins_len;
	uint32_t at = 0;

	while (at < bins_len) {
		const uint8_t *bin = raw->data + WT_HIVE_PAGE + at;
		uint32_t len = wt_get32(bin + 8);
		enum wt_status ret = WT_OK;

		if (memcmp(bin, "hbin", 4) != 0 || wt_get32(bin + 4) != at ||
			len == 0 || len % WT_HIVE_PAGE != 0 ||
			len > bins_len - at)
			return wt_fail(err, WT_ERR_HIVE, "hive-bad-bin",
				raw->object,
				"no sound bin begins at offset 0x%" PRIx32
				"; the registry hive is damaged",
				at + WT_HIVE_PAGE);
		ret = cells_check(raw, at, at + len, err);
		if (ret != WT_OK)
			return ret;
		at += len;
	}
	return WT_OK;
}

/* Does a cell in use begin there? */
static bool is_used(const struct wt_hive_raw *raw, uint32_t offset)
{
	return offset < raw->len - WT_HIVE_PAGE && offset % 8 == 0 &&
	       wt_hive_bit(raw->used, offset);
}

uint8_t *wt_hive_cell(const struct wt_hive_raw *raw, uint32_t offset,
	size_t min_len, size_t *ret_len)
{
	uint8_t *cell = NULL;
	size_t len = 0;

	if (!is_used(raw, offset))
		return NULL;
	cell = raw->data + WT_HIVE_PAGE + offset;
	len = (0u - wt_get32(cell)) - 4u;
	if (len < min_len)
		return NULL;
	if (ret_len)
		*ret_len = len;
	return cell + 4;
}

uint8_t *wt_hive_key(const struct wt_hive_raw *raw, uint32_t offset)
{
	size_t len = 0;
	uint8_t *key = wt_hive_cell(raw, offset, WT_NK_NAME, &len);

	if (!key || memcmp(key, "nk", 2) != 0 ||
		wt_get16(key + WT_NK_NAME_LEN) > len - WT_NK_NAME)
		return NULL;
	return key;
}

uint8_t *wt_hive_value(const struct wt_hive_raw *raw, uint32_t offset)
{
	size_t len = 0;
	uint8_t *value = wt_hive_cell(raw, offset, WT_VK_NAME, &len);

	if (!value || memcmp(value, "vk", 2) != 0 ||
		wt_get16(value + WT_VK_NAME_LEN) > len - WT_VK_NAME)
		return NULL;
	return value;
}

bool wt_hive_offsets_add(struct wt_hive_offsets *offsets, uint32_t offset)
{
	if (offsets->count == offsets->room) {
		size_t room = offsets->room ? offsets->room * 2 : 64;
		uint32_t *at = realloc(offsets->at, room * sizeof(*at));

		if (!at)
			return false;
		offsets->at = at;
		offsets->room = room;
	}
	offsets->at[offsets->count++] = offset;
	return true;
}

static enum wt_status list_bad(
	const struct wt_hive_raw *raw, uint32_t key, struct wt_error *err)
{
	return wt_fail(err, WT_ERR_HIVE, "hive-bad-list", raw->object,
		"the list of subkeys of the key at offset 0x%" PRIx32
		" is malformed; the registry hive is damaged",
		key + WT_HIVE_PAGE);
}

/* Adds what the list at offset names. An index root names lists, and never
 * another index root. With seen, no list may be met twice. */
static enum wt_status list_read(const struct wt_hive_raw *raw, uint32_t key,
	uint32_t list, size_t limit, bool is_in_root, uint8_t *seen,
	struct wt_hive_offsets *keys, struct wt_error *err)
{
	size_t len = 0;
	const uint8_t *cell = wt_hive_cell(raw, list, 4, &len);
	bool is_root = cell && memcmp(cell, "ri", 2) == 0;
	size_t stride = is_root || (cell && memcmp(cell, "li", 2) == 0) ? 4 : 8;
	size_t count = cell ? wt_get16(cell + 2) : 0;

	if (!cell || (is_root && is_in_root) ||
		(stride == 8 && memcmp(cell, "lf", 2) != 0 &&
			memcmp(cell, "lh", 2) != 0) ||
		count > (len - 4) / stride || (seen && wt_hive_bit(seen, list)))
		return list_bad(raw, key, err);
	if (seen)
		wt_hive_bit_set(seen, list);
	for (size_t i = 0; i < count; i++) {
		uint32_t offset = wt_get32(cell + 4 + i * stride);
		enum wt_status ret = WT_OK;

		if (is_root) {
			ret = list_read(
				raw, key, offset, limit, true, seen, keys, err);
			if (ret != WT_OK)
				return ret;
			continue;
		}
		if (keys->count >= limit)
			return list_bad(raw, key, err);
		if (!wt_hive_offsets_add(keys, offset))
			return wt_fail_memory(err);
	}
	return WT_OK;
}

/* Adds the subkeys of a key to keys. */
static enum wt_status subkeys_add(const struct wt_hive_raw *raw, uint32_t key,
	uint8_t *seen, struct wt_hive_offsets *keys, struct wt_error *err)
{
	const uint8_t *node = wt_hive_key(raw, key);
	size_t count = node ? wt_get32(node + WT_NK_SUBKEY_COUNT) : 0;
	size_t before = keys->count;
	enum wt_status ret = WT_OK;

	if (!node)
		return wt_fail(err, WT_ERR_HIVE, "hive-bad-key", raw->object,
			"there is no key at offset 0x%" PRIx32
			", where one is named; the registry hive is damaged",
			key + WT_HIVE_PAGE);
	if (count == 0)
		return WT_OK;
	ret = list_read(raw, key, wt_get32(node + WT_NK_SUBKEYS),
		before + count, false, seen, keys, err);
	if (ret != WT_OK)
		return ret;
	return keys->count - before == count ? WT_OK : list_bad(raw, key, err);
}

enum wt_status wt_hive_subkeys_add(const struct wt_hive_raw *raw, uint32_t key,
	struct wt_hive_offsets *keys, struct wt_error *err)
{
	return subkeys_add(raw, key, NULL, keys, err);
}

enum wt_status wt_hive_subkeys(const struct wt_hive_raw *raw, uint32_t key,
	uint32_t **ret_keys, size_t *ret_count, struct wt_error *err)
{
	struct wt_hive_offsets keys = {0};
	enum wt_status ret = subkeys_add(raw, key, NULL, &keys, err);

	if (ret != WT_OK) {
		free(keys.at);
		return ret;
	}
	*ret_keys = keys.at;
	*ret_count = keys.count;
	return WT_OK;
}

/* What hangs on a cell that two things lead to is not looked at again and
 * again: a hostile hive would make that last for ever. */
static bool is_shared(const struct wt_hive_raw *raw, uint32_t offset)
{
	return raw->twice && is_used(raw, offset) &&
	       wt_hive_bit(raw->twice, offset);
}

void wt_hive_data_cells(const struct wt_hive_raw *raw, const uint8_t *value,
	void (*visit)(void *ctx, uint32_t offset), void *ctx)
{
	uint32_t data_len = wt_get32(value + WT_VK_DATA_LEN);
	uint32_t offset = wt_get32(value + WT_VK_DATA);
	const uint8_t *data = NULL;
	const uint8_t *segments = NULL;
	size_t len = 0;

	if ((data_len & WT_VK_INLINE) || data_len == 0)
		return;
	/* visit may free what it is given: look first. */
	data = wt_hive_cell(raw, offset, 8, NULL);
	visit(ctx, offset);
	if (is_shared(raw, offset))
		return;
	if (data_len <= WT_HIVE_CELL_DATA_MAX || !data ||
		memcmp(data, "db", 2) != 0)
		return;
	segments = wt_hive_cell(raw, wt_get32(data + 4), 0, &len);
	visit(ctx, wt_get32(data + 4));
	if (is_shared(raw, wt_get32(data + 4)))
		return;
	for (size_t i = 0; segments && i < wt_get16(data + 2) && i < len / 4;
		i++)
		visit(ctx, wt_get32(segments + 4 * i));
}

void wt_hive_key_cells(const struct wt_hive_raw *raw, uint32_t key,
	void (*visit)(void *ctx, uint32_t offset), void *ctx)
{
	const uint8_t *node = wt_hive_key(raw, key);
	const uint8_t *values = NULL;
	uint32_t list = 0;
	size_t count = 0;
	size_t len = 0;

	if (!node)
		return;
	if (wt_get16(node + WT_NK_CLASS_LEN) > 0)
		visit(ctx, wt_get32(node + WT_NK_CLASS));
	count = wt_get32(node + WT_NK_VALUE_COUNT);
	if (count == 0)
		return;
	list = wt_get32(node + WT_NK_VALUES);
	values = wt_hive_cell(raw, list, 0, &len);
	visit(ctx, list);
	if (is_shared(raw, list))
		return;
	for (size_t i = 0; values && i < count && i < len / 4; i++) {
		uint32_t offset = wt_get32(values + 4 * i);
		const uint8_t *value = wt_hive_value(raw, offset);

		visit(ctx, offset);
		if (value && !is_shared(raw, offset))
			wt_hive_data_cells(raw, value, visit, ctx);
	}
}

/* Notes that something leads to a cell. */
static void owner_add(void *ctx, uint32_t offset)
{
	struct wt_hive_raw *raw = ctx;

	if (!is_used(raw, offset)) {
		if (offset < raw->base.bins_len && offset % 8 == 0)
			wt_hive_bit_set(raw->once, offset);
		return;
	}
	if (wt_hive_bit(raw->once, offset))
		wt_hive_bit_set(raw->twice, offset);
	wt_hive_bit_set(raw->once, offset);
}

/* Notes what a key has as its security descriptor. */
static void security_add(struct wt_hive_raw *raw, uint32_t offset)
{
	if (offset < raw->base.bins_len && offset % 8 == 0)
		wt_hive_bit_set(raw->security, offset);
}

/* Was the list of values of this key met already? */
static bool is_visited_values(const struct wt_hive_raw *raw, uint32_t key)
{
	const uint8_t *node = wt_hive_key(raw, key);
	uint32_t values = wt_get32(node + WT_NK_VALUES);

	return wt_get32(node + WT_NK_VALUE_COUNT) > 0 && is_used(raw, values) &&
	       wt_hive_bit(raw->once, values);
}

/* Walks the tree of keys, counts them, and marks in seen the keys and the
 * lists of subkeys. */
static enum wt_status tree_check(
	struct wt_hive_raw *raw, uint8_t *seen, struct wt_error *err)
{
	struct wt_hive_offsets stack = {0};
	enum wt_status ret = WT_OK;

	if (!wt_hive_offsets_add(&stack, raw->base.root))
		return wt_fail_memory(err);
	while (ret == WT_OK && stack.count > 0) {
		uint32_t key = stack.at[--stack.count];

		if (!wt_hive_key(raw, key) || wt_hive_bit(seen, key)) {
			ret = wt_fail(err, WT_ERR_HIVE, "hive-bad-key",
				raw->object,
				"the key at offset 0x%" PRIx32 " is %s; the "
				"registry hive is damaged",
				key + WT_HIVE_PAGE,
				wt_hive_key(raw, key) ? "met twice"
						      : "malformed");
			break;
		}
		wt_hive_bit_set(seen, key);
		raw->key_count++;
		ret = subkeys_add(raw, key, seen, &stack, err);
	}
	free(stack.at);
	return ret;
}

/* Marks what hangs on each key. seen holds the keys and their lists. */
static void owners_find(struct wt_hive_raw *raw, const uint8_t *seen)
{
	for (uint32_t at = 0; at < raw->base.bins_len; at += 8) {
		if (seen[at / 64] == 0) {
			at = at / 64 * 64 + 56;
			continue;
		}
		if (!wt_hive_bit(seen, at) || !wt_hive_key(raw, at))
			continue;
		security_add(
			raw, wt_get32(wt_hive_key(raw, at) + WT_NK_SECURITY));
		if (is_visited_values(raw, at))
			owner_add(raw,
				wt_get32(wt_hive_key(raw, at) + WT_NK_VALUES));
		else
			wt_hive_key_cells(raw, at, owner_add, raw);
	}
}

enum wt_status wt_hive_raw_open(struct wt_hive_raw *ret_raw, uint8_t *data,
	size_t file_len, unsigned flags, const char *object,
	struct wt_error *err)
{
	struct wt_hive_raw raw = {.data = data, .object = object};
	bool with_owners = flags & WT_HIVE_WITH_OWNERS;
	/* A base block that is lost is more than dirt. */
	bool may_dirty =
		(flags & WT_HIVE_MAY_BE_DIRTY) && file_len >= WT_HIVE_PAGE &&
		wt_get32(data + WT_BASE_CHECKSUM) == wt_hive_checksum(data);
	enum wt_status ret = wt_hive_base_check(
		data, file_len, file_len, may_dirty, object, &raw.base, err);
	uint8_t *seen = NULL;

	if (ret != WT_OK)
		return ret;
	raw.len = (size_t)raw.base.bins_len + WT_HIVE_PAGE;
	raw.used = calloc(bits_len(&raw), 1);
	seen = calloc(bits_len(&raw), 1);
	if (with_owners) {
		raw.twice = calloc(bits_len(&raw), 1);
		raw.security = calloc(bits_len(&raw), 1);
	}
	if (!raw.used || !seen ||
		(with_owners && (!raw.twice || !raw.security))) {
		ret = wt_fail_memory(err);
		goto out;
	}
	ret = bins_check(&raw, err);
	if (ret == WT_OK)
		ret = tree_check(&raw, seen, err);
	if (ret == WT_OK && with_owners) {
		raw.once = malloc(bits_len(&raw));
		if (!raw.once) {
			ret = wt_fail_memory(err);
			goto out;
		}
		memcpy(raw.once, seen, bits_len(&raw));
		owners_find(&raw, seen);
	}
out:
	free(seen);
	if (ret != WT_OK)
		wt_hive_raw_close(&raw);
	else
		*ret_raw = raw;
	return ret;
}

void wt_hive_raw_close(struct wt_hive_raw *raw)
{
	free(raw->used);
	free(raw->once);
	free(raw->twice);
	free(raw->security);
	raw->used = raw->once = raw->twice = raw->security = NULL;
}
