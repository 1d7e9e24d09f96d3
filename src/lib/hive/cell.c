/* SPDX-License-Identifier: MIT
 * hive/cell.c: cells of a hive in memory are taken and given back. */
#include "hive/cell.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Free cells below this are left alone: they are many and hold little. */
#define ROOM_LEN_MIN 512u

/* More than these are not looked for: new bins serve as well. */
#define ROOM_COUNT_MAX 1024

/* Seconds from 1601, where FILETIME begins, to 1970. */
#define FILETIME_1970 UINT64_C(11644473600)

static uint64_t filetime_now(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)now.tv_sec + FILETIME_1970) * 10000000 +
	       (uint64_t)now.tv_nsec / 100;
}

static uint8_t *bins(const struct wt_hive_editor *editor)
{
	return editor->raw.data + WT_HIVE_PAGE;
}

static int longest_first(const void *left, const void *right)
{
	const struct wt_hive_room *a = left;
	const struct wt_hive_room *b = right;

	if (a->len != b->len)
		return a->len > b->len ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Does anything lead into this free cell? A value that is damaged so must not
 * come to show what is written there. */
static bool is_led_into(
	const struct wt_hive_editor *editor, uint32_t offset, uint32_t len)
{
	for (uint32_t at = offset; at < offset + len; at += 8)
		if (wt_hive_bit(editor->raw.once, at))
			return true;
	return false;
}

/* Finds free cells that are worth while, as many as there is room for. */
static size_t rooms_find(
	const struct wt_hive_editor *editor, struct wt_hive_room *rooms)
{
	uint32_t end = editor->raw.base.bins_len;
	uint32_t bin_end = 0;
	size_t count = 0;

	for (uint32_t bin = 0; bin < end; bin = bin_end) {
		bin_end = bin + wt_get32(bins(editor) + bin + 8);
		for (uint32_t at = bin + WT_HIVE_BIN_HEAD; at < bin_end;) {
			uint32_t head = wt_get32(bins(editor) + at);
			bool is_used = head & 0x80000000u;
			uint32_t len = is_used ? 0u - head : head;

			if (!is_used && len >= ROOM_LEN_MIN &&
				!is_led_into(editor, at, len))
				rooms[count++] = (struct wt_hive_room){
					.offset = at, .len = len};
			if (count == ROOM_COUNT_MAX)
				return count;
			at += len;
		}
	}
	return count;
}

/* The bits for cells that the hive grows by. */
static bool bits_grow(uint8_t **bits, size_t old_len, size_t new_len)
{
	uint8_t *grown = realloc(*bits, new_len);

	if (!grown)
		return false;
	memset(grown + old_len, 0, new_len - old_len);
	*bits = grown;
	return true;
}

enum wt_status wt_hive_editor_open(struct wt_hive_editor *ret_editor,
	uint8_t *data, size_t len, size_t capacity, const char *object,
	struct wt_error *err)
{
	struct wt_hive_editor editor = {
		.capacity = capacity / WT_HIVE_PAGE * WT_HIVE_PAGE,
		.time = filetime_now()};
	enum wt_status ret = wt_hive_raw_open(
		&editor.raw, data, len, WT_HIVE_WITH_OWNERS, object, err);
	size_t old_bits = 0;
	size_t new_bits = editor.capacity / 64;

	if (ret != WT_OK)
		return ret;
	old_bits = (editor.raw.len - WT_HIVE_PAGE) / 64;
	editor.rooms = calloc(ROOM_COUNT_MAX, sizeof(*editor.rooms));
	if (!editor.rooms || !bits_grow(&editor.raw.used, old_bits, new_bits) ||
		!bits_grow(&editor.raw.once, old_bits, new_bits) ||
		!bits_grow(&editor.raw.twice, old_bits, new_bits)) {
		wt_hive_editor_close(&editor);
		return wt_fail_memory(err);
	}
	editor.room_count = rooms_find(&editor, editor.rooms);
	qsort(editor.rooms, editor.room_count, sizeof(*editor.rooms),
		longest_first);
	*ret_editor = editor;
	return WT_OK;
}

void wt_hive_editor_close(struct wt_hive_editor *editor)
{
	wt_hive_raw_close(&editor->raw);
	free(editor->rooms);
	editor->rooms = NULL;
}

/* A new bin at the end, to hold a cell of len bytes. */
static enum wt_status bin_add(
	struct wt_hive_editor *editor, size_t len, struct wt_error *err)
{
	struct wt_hive_raw *raw = &editor->raw;
	size_t bin_len = (len + WT_HIVE_BIN_HEAD + WT_HIVE_PAGE - 1) /
			 WT_HIVE_PAGE * WT_HIVE_PAGE;
	uint32_t offset = raw->base.bins_len;
	uint8_t *bin = bins(editor) + offset;

	if (bin_len > editor->capacity - raw->len ||
		bin_len > WT_HIVE_BINS_LEN_MAX - offset)
		return wt_fail(err, WT_ERR_HIVE, "hive-full", raw->object,
			"the changes do not fit into the registry hive");
	memset(bin, 0, bin_len);
	memcpy(bin, "hbin", 4);
	wt_put32(bin + 4, offset);
	wt_put32(bin + 8, (uint32_t)bin_len);
	raw->base.bins_len += (uint32_t)bin_len;
	raw->len += bin_len;
	editor->now = (struct wt_hive_room){.offset = offset + WT_HIVE_BIN_HEAD,
		.len = (uint32_t)bin_len - WT_HIVE_BIN_HEAD};
	return WT_OK;
}

enum wt_status wt_hive_cell_new(struct wt_hive_editor *editor, size_t len,
	uint32_t *ret_offset, struct wt_error *err)
{
	struct wt_hive_room *now = &editor->now;
	enum wt_status ret = WT_OK;
	uint32_t offset = 0;
	uint32_t cell_len = 0;

	if (len > WT_HIVE_BINS_LEN_MAX / 2)
		return wt_fail(err, WT_ERR_HIVE, "hive-full",
			editor->raw.object,
			"the changes do not fit into the registry hive");
	cell_len = ((uint32_t)len + 4 + 7) / 8 * 8;
	if (now->len < cell_len) {
		if (editor->next_room < editor->room_count &&
			editor->rooms[editor->next_room].len >= cell_len)
			*now = editor->rooms[editor->next_room++];
		else
			ret = bin_add(editor, cell_len, err);
		if (ret != WT_OK)
			return ret;
	}
	offset = now->offset;
	memset(bins(editor) + offset, 0, cell_len);
	wt_put32(bins(editor) + offset, 0u - cell_len);
	wt_hive_bit_set(editor->raw.used, offset);
	wt_hive_bit_set(editor->raw.once, offset);
	now->offset += cell_len;
	now->len -= cell_len;
	if (now->len > 0)
		wt_put32(bins(editor) + now->offset, now->len);
	editor->is_changed = true;
	*ret_offset = offset;
	return WT_OK;
}

bool wt_hive_cell_is_own(const struct wt_hive_editor *editor, uint32_t offset)
{
	const uint8_t *cell = wt_hive_cell(&editor->raw, offset, 0, NULL);

	/* Security descriptors belong to many keys. */
	return cell && memcmp(cell, "sk", 2) != 0 &&
	       wt_hive_bit(editor->raw.once, offset) &&
	       !wt_hive_bit(editor->raw.twice, offset);
}

void wt_hive_cell_free(struct wt_hive_editor *editor, uint32_t offset)
{
	uint8_t *head = bins(editor) + offset;

	if (!wt_hive_cell_is_own(editor, offset))
		return;
	wt_put32(head, 0u - wt_get32(head));
	wt_hive_bit_clear(editor->raw.used, offset);
	wt_hive_bit_clear(editor->raw.once, offset);
	editor->is_changed = true;
}

void wt_hive_editor_finish(struct wt_hive_editor *editor)
{
	uint8_t *base = editor->raw.data;

	if (!editor->is_changed)
		return;
	editor->raw.base.primary++;
	wt_put32(base + WT_BASE_PRIMARY, editor->raw.base.primary);
	wt_put32(base + WT_BASE_SECONDARY, editor->raw.base.primary);
	wt_put64(base + WT_BASE_TIME, editor->time);
	/* The first bin keeps a copy, in case the base block is lost. */
	wt_put64(bins(editor) + 20, editor->time);
	wt_put32(base + WT_BASE_BINS_LEN, editor->raw.base.bins_len);
	wt_put32(base + WT_BASE_CHECKSUM, wt_hive_checksum(base));
}
