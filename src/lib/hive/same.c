/* SPDX-License-Identifier: MIT
 * hive/same.c: two hives side by side: only what was asked for differs. */
#include "hive/same.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define REG_BINARY 3u

/* As many stores as there are places and names of stores. */
#define STORES_MAX 32

/* What a cell was compared as; a damaged hive may use one as several. */
enum kind {
	KIND_LIST,
	KIND_VALUE,
	KIND_DATA,
	KIND_BIG,
	KIND_SEGMENTS,
	KIND_COUNT,
};

/* A key of both hives, yet to be compared. */
struct pair {
	uint32_t before; /* WT_HIVE_NONE: it is new */
	uint32_t after;
	uint32_t above;	 /* the key above it, in the changed hive */
	uint32_t stores; /* a bit for each store that it is on the way to */
	unsigned depth;	 /* below the root */
	const struct wt_hive_task *task;
};

struct side {
	const struct wt_hive_raw *before, *after;
	const struct wt_hive_tasks *tasks;
	uint8_t *done[KIND_COUNT]; /* a bit for each cell that was compared as
				      one of this kind */
	uint8_t *met;		   /* one for each task: its key was met */
	struct pair *pairs;	   /* a stack */
	size_t count, room;
	struct wt_error *err;
};

static enum wt_status differs(
	const struct side *side, const char *what, uint32_t offset)
{
	wt_fail(side->err, WT_ERR_HIVE, "hive-verify", side->after->object,
		"the changed hive is not what was meant: %s, at offset "
		"0x%" PRIx32 "; it was thrown away",
		what, offset + WT_HIVE_PAGE);
	wt_error_hint(side->err, "nothing was written; please report it, with "
				 "the hive if you can");
	return WT_ERR_HIVE;
}

static enum wt_status pair_push(struct side *side, const struct pair *pair)
{
	if (side->count == side->room) {
		size_t room = side->room ? 2 * side->room : 256;
		struct pair *pairs =
			realloc(side->pairs, room * sizeof(*pairs));

		if (!pairs)
			return wt_fail_memory(side->err);
		side->pairs = pairs;
		side->room = room;
	}
	side->pairs[side->count++] = *pair;
	return WT_OK;
}

/* Was the cell compared already, at this very place of both? What many keys
 * of a damaged hive share is gone through once. */
static bool is_done(
	struct side *side, enum kind kind, uint32_t before, uint32_t after)
{
	if (before != after || !wt_hive_cell(side->before, before, 0, NULL))
		return false;
	if (wt_hive_bit(side->done[kind], before))
		return true;
	wt_hive_bit_set(side->done[kind], before);
	return false;
}

/* Have both cells the same len bytes, as far as the old one has them? Where it
 * is one place, it is compared as a whole. */
static bool is_cell_same(
	const struct side *side, uint32_t before, uint32_t after, size_t len)
{
	size_t before_len = 0, after_len = 0;
	const uint8_t *old = wt_hive_cell(side->before, before, 0, &before_len);
	const uint8_t *new = wt_hive_cell(side->after, after, 0, &after_len);

	if (!old || !new)
		return before == after && !old && !new;
	if (len > before_len || before == after)
		len = before_len;
	return after_len >= len && memcmp(old, new, len) == 0;
}

static bool is_big_same(
	struct side *side, uint32_t before, uint32_t after, size_t len)
{
	const uint8_t *old = wt_hive_cell(side->before, before, 8, NULL);
	const uint8_t *new = wt_hive_cell(side->after, after, 8, NULL);
	uint32_t old_list = wt_get32(old + 4), new_list = wt_get32(new + 4);
	size_t old_len = 0, new_len = 0, count = wt_get16(old + 2);

	if (count != wt_get16(new + 2))
		return false;
	if (is_done(side, KIND_SEGMENTS, old_list, new_list))
		return true;
	old = wt_hive_cell(side->before, old_list, 0, &old_len);
	new = wt_hive_cell(side->after, new_list, 0, &new_len);
	if (!old || !new)
		return old_list == new_list && !old && !new;
	for (size_t i = 0; i < count && i < old_len / 4; i++) {
		uint32_t old_part = wt_get32(old + 4 * i), new_part = 0;
		size_t part = len < WT_HIVE_CELL_DATA_MAX
				      ? len
				      : WT_HIVE_CELL_DATA_MAX;

		if (i >= new_len / 4)
			return false;
		new_part = wt_get32(new + 4 * i);
		if (!is_done(side, KIND_DATA, old_part, new_part) &&
			!is_cell_same(side, old_part, new_part, part))
			return false;
		len -= part;
	}
	return true;
}

static bool is_data_same(
	struct side *side, const uint8_t *before, const uint8_t *after)
{
	uint32_t old_len = wt_get32(before + WT_VK_DATA_LEN);
	uint32_t new_len = wt_get32(after + WT_VK_DATA_LEN);
	uint32_t old = wt_get32(before + WT_VK_DATA);
	uint32_t new = wt_get32(after + WT_VK_DATA);
	size_t len = old_len & ~WT_VK_INLINE;
	const uint8_t *old_data = before + WT_VK_DATA;
	const uint8_t *new_data = after + WT_VK_DATA;
	bool is_big = wt_hive_value_is_big(side->before, before);

	if (len != (new_len & ~WT_VK_INLINE) ||
		is_big != wt_hive_value_is_big(side->after, after))
		return false;
	if (len > 4 || !((old_len | new_len) & WT_VK_INLINE)) {
		if ((old_len ^ new_len) & WT_VK_INLINE)
			return false;
		if ((old_len & WT_VK_INLINE) || len == 0)
			return old == new;
		if (is_done(side, is_big ? KIND_BIG : KIND_DATA, old, new))
			return true;
		return is_big ? is_big_same(side, old, new, len)
			      : is_cell_same(side, old, new, len);
	}
	/* What was stored apart may come to be stored in place. */
	if (!(old_len & WT_VK_INLINE))
		old_data = wt_hive_cell(side->before, old, len, NULL);
	if (!(new_len & WT_VK_INLINE))
		new_data = wt_hive_cell(side->after, new, len, NULL);
	return old_data && new_data && memcmp(old_data, new_data, len) == 0;
}

/* The i-th unit of a value's name, however it is stored. */
static uint16_t name_unit(const uint8_t *value, size_t i)
{
	bool is_ascii = wt_get16(value + WT_VK_FLAGS) & WT_VK_FLAG_ASCII;

	return is_ascii ? value[WT_VK_NAME + i]
			: wt_get16(value + WT_VK_NAME + 2 * i);
}

static size_t name_units(const uint8_t *value)
{
	size_t len = wt_get16(value + WT_VK_NAME_LEN);

	return wt_get16(value + WT_VK_FLAGS) & WT_VK_FLAG_ASCII ? len : len / 2;
}

static bool is_value_same(struct side *side, uint32_t before, uint32_t after)
{
	const uint8_t *old = wt_hive_value(side->before, before);
	const uint8_t *new = wt_hive_value(side->after, after);

	if (!old || !new)
		return before == after && !old && !new;
	if (is_done(side, KIND_VALUE, before, after))
		return true;
	if (wt_get32(old + WT_VK_TYPE) != wt_get32(new + WT_VK_TYPE) ||
		name_units(old) != name_units(new))
		return false;
	for (size_t i = 0; i < name_units(old); i++)
		if (name_unit(old, i) != name_unit(new, i))
			return false;
	return is_data_same(side, old, new);
}

/* The list of a key's values; NULL when there is none, or it is malformed. */
static const uint8_t *values_get(
	const struct wt_hive_raw *raw, uint32_t key, size_t *ret_count)
{
	const uint8_t *node = wt_hive_key(raw, key);
	const uint8_t *list = NULL;
	size_t len = 0;

	*ret_count = wt_get32(node + WT_NK_VALUE_COUNT);
	if (*ret_count > 0)
		list = wt_hive_cell(
			raw, wt_get32(node + WT_NK_VALUES), 0, &len);
	if (list && *ret_count > len / 4)
		*ret_count = len / 4;
	return list;
}

static bool is_blob(const struct wt_hive_raw *raw, uint32_t offset)
{
	const uint8_t *value = wt_hive_value(raw, offset);

	return value && wt_hive_value_is_blob(value);
}

/* Does the value at offset hold what the task sets? */
static bool is_as_meant(const struct side *side, uint32_t offset,
	const struct wt_hive_change *change)
{
	const uint8_t *value = wt_hive_value(side->after, offset);
	uint32_t len = wt_get32(value + WT_VK_DATA_LEN);
	const uint8_t *data = value + WT_VK_DATA;

	if ((len & ~WT_VK_INLINE) != change->blob_len ||
		wt_get32(value + WT_VK_TYPE) != REG_BINARY ||
		change->blob_len > WT_HIVE_CELL_DATA_MAX)
		return false;
	if (!(len & WT_VK_INLINE))
		data = wt_hive_cell(side->after, wt_get32(value + WT_VK_DATA),
			change->blob_len, NULL);
	else if (change->blob_len > 4)
		return false;
	return data && memcmp(data, change->blob, change->blob_len) == 0;
}

/* The values of a key that a task sets: the one that it names, and those that
 * were there as they were. */
static bool are_set_values_same(struct side *side, const struct pair *pair)
{
	size_t old_count = 0, new_count = 0, i = 0, blobs = 0;
	const uint8_t *old = NULL;
	const uint8_t *new = values_get(side->after, pair->after, &new_count);

	if (pair->before != WT_HIVE_NONE)
		old = values_get(side->before, pair->before, &old_count);
	for (size_t j = 0; j < new_count && new; j++) {
		uint32_t value = wt_get32(new + 4 * j);

		if (is_blob(side->after, value)) {
			if (blobs++ > 0 ||
				!is_as_meant(side, value, pair->task->change))
				return false;
			continue;
		}
		while (old && i < old_count &&
			is_blob(side->before, wt_get32(old + 4 * i)))
			i++;
		if (!old || i >= old_count ||
			!is_value_same(side, wt_get32(old + 4 * i++), value))
			return false;
	}
	while (old && i < old_count &&
		is_blob(side->before, wt_get32(old + 4 * i)))
		i++;
	return blobs == 1 && i == old_count &&
	       wt_get32(wt_hive_key(side->after, pair->after) +
			WT_NK_VALUE_DATA_MAX) >= pair->task->change->blob_len;
}

static bool are_values_same(struct side *side, const struct pair *pair)
{
	const uint8_t *old_node = wt_hive_key(side->before, pair->before);
	const uint8_t *new_node = wt_hive_key(side->after, pair->after);
	uint32_t old_at = wt_get32(old_node + WT_NK_VALUES);
	uint32_t new_at = wt_get32(new_node + WT_NK_VALUES);
	size_t old_count = 0, new_count = 0;
	const uint8_t *old = values_get(side->before, pair->before, &old_count);
	const uint8_t *new = values_get(side->after, pair->after, &new_count);

	if (old_count != new_count || !old != !new ||
		wt_get32(old_node + WT_NK_VALUE_COUNT) !=
			wt_get32(new_node + WT_NK_VALUE_COUNT))
		return false;
	if (!old)
		return old_count == 0 || old_at == new_at;
	if (is_done(side, KIND_LIST, old_at, new_at))
		return true;
	for (size_t i = 0; i < old_count; i++)
		if (!is_value_same(
			    side, wt_get32(old + 4 * i), wt_get32(new + 4 * i)))
			return false;
	return true;
}

/* The descriptor's own bytes, not how often it is used. */
static bool is_security_same(const struct side *side,
	const struct wt_hive_raw *raw, uint32_t before, uint32_t after)
{
	size_t old_room = 0, new_room = 0, len = 0;
	const uint8_t *old =
		wt_hive_cell(raw, before, WT_SK_HEAD_LEN, &old_room);
	const uint8_t *new =
		wt_hive_cell(side->after, after, WT_SK_HEAD_LEN, &new_room);

	if (!old || !new)
		return before == after && !old && !new;
	len = wt_get32(old + WT_SK_LEN);
	if (len > old_room - WT_SK_HEAD_LEN)
		len = old_room - WT_SK_HEAD_LEN;
	return memcmp(old, new, 2) == 0 && len <= new_room - WT_SK_HEAD_LEN &&
	       wt_get32(old + WT_SK_LEN) == wt_get32(new + WT_SK_LEN) &&
	       memcmp(old + WT_SK_HEAD_LEN, new + WT_SK_HEAD_LEN, len) == 0;
}

/* What a key is by itself. */
static const char *key_difference(struct side *side, const struct pair *pair)
{
	const uint8_t *old = wt_hive_key(side->before, pair->before);
	const uint8_t *new = wt_hive_key(side->after, pair->after);
	size_t name_len = wt_get16(old + WT_NK_NAME_LEN);
	size_t class_len = wt_get16(old + WT_NK_CLASS_LEN);

	if (memcmp(old + WT_NK_FLAGS, new + WT_NK_FLAGS,
		    WT_NK_PARENT - WT_NK_FLAGS) != 0)
		return "the flags or the time of a key";
	if (name_len != wt_get16(new + WT_NK_NAME_LEN) ||
		memcmp(old + WT_NK_NAME, new + WT_NK_NAME, name_len) != 0)
		return "the name of a key";
	if (class_len != wt_get16(new + WT_NK_CLASS_LEN) ||
		(class_len > 0 &&
			!is_cell_same(side, wt_get32(old + WT_NK_CLASS),
				wt_get32(new + WT_NK_CLASS), class_len)))
		return "the class of a key";
	if (!is_security_same(side, side->before,
		    wt_get32(old + WT_NK_SECURITY),
		    wt_get32(new + WT_NK_SECURITY)))
		return "the security descriptor of a key";
	if (pair->task ? !are_set_values_same(side, pair)
		       : !are_values_same(side, pair))
		return "the values of a key";
	if (!pair->task && pair->stores == 0 &&
		memcmp(old + WT_NK_SUBKEY_NAME_MAX, new + WT_NK_SUBKEY_NAME_MAX,
			WT_NK_NAME_LEN - WT_NK_SUBKEY_NAME_MAX) != 0)
		return "the longest names that a key gives";
	return NULL;
}

/* A new key has nothing but what it was made for. */
static const char *new_difference(struct side *side, const struct pair *pair)
{
	const uint8_t *node = wt_hive_key(side->after, pair->after);
	const uint8_t *above = wt_hive_key(side->after, pair->above);

	if (wt_get16(node + WT_NK_FLAGS) != WT_NK_FLAG_ASCII ||
		wt_get16(node + WT_NK_CLASS_LEN) != 0)
		return "the flags or the class of a new key";
	if (!is_security_same(side, side->after,
		    wt_get32(above + WT_NK_SECURITY),
		    wt_get32(node + WT_NK_SECURITY)))
		return "the security descriptor of a new key";
	if (pair->task ? !are_set_values_same(side, pair)
		       : wt_get32(node + WT_NK_VALUE_COUNT) != 0)
		return "the values of a new key";
	return NULL;
}

/* Fills which stores a subkey of that name is on the way to, and which task
 * names it. */
static void pair_meant(const struct side *side, const struct pair *above,
	const struct wt_hive_name *name, struct pair *ret_pair)
{
	ret_pair->depth = above->depth + 1;
	for (size_t i = 0; i < side->tasks->store_count; i++) {
		const struct wt_hive_store *store = &side->tasks->stores[i];

		if (!(above->stores >> i & 1))
			continue;
		if (above->depth == store->step_count)
			ret_pair->task = wt_hive_task_find(store, name);
		else if (wt_hive_name_compare(
				 &store->steps[above->depth].name, name) == 0)
			ret_pair->stores |= 1u << i;
	}
}

/* May a key on the way to these stores be made? */
static bool is_way_wanted(const struct side *side, uint32_t stores)
{
	for (size_t i = 0; i < side->tasks->store_count; i++)
		if ((stores >> i & 1) && side->tasks->stores[i].is_to_be_made)
			return true;
	return false;
}

/* A subkey that both have, or the changed hive alone: *ret_is_new then. */
static enum wt_status child_meet(struct side *side, const struct pair *above,
	const struct wt_hive_children *children, size_t index, uint32_t before)
{
	const struct wt_hive_child *child = &children->at[index];
	struct pair pair = {
		.before = before, .after = child->key, .above = above->after};
	bool is_wanted = false;

	pair_meant(side, above, &child->name, &pair);
	if (pair.task && !pair.task->change->blob)
		return differs(side, "a removed key is there", child->key);
	if (pair.task)
		side->met[pair.task - side->tasks->tasks]++;
	is_wanted = pair.task || is_way_wanted(side, pair.stores);
	if (before == WT_HIVE_NONE && !is_wanted)
		return differs(
			side, "a key that was not asked for", child->key);
	if (is_wanted &&
		wt_hive_child_fault(side->after, children, above->after, index))
		return differs(side, "Windows may not find a key", child->key);
	return pair_push(side, &pair);
}

/* The subkeys of a key on the way, in the order of both lists. */
static enum wt_status children_meet(struct side *side, const struct pair *pair)
{
	struct wt_hive_children old = {0}, new = {0};
	size_t i = 0, j = 0;
	enum wt_status ret = WT_OK;

	if (pair->before != WT_HIVE_NONE)
		ret = wt_hive_children_open(
			&old, side->before, pair->before, side->err);
	if (ret == WT_OK)
		ret = wt_hive_children_open(
			&new, side->after, pair->after, side->err);
	while (ret == WT_OK && (i < old.count || j < new.count)) {
		struct pair meant = {0};

		if (i < old.count &&
			j < new.count &&wt_hive_name_compare(
				    &old.at[i].name, &new.at[j].name) ==
				0) {
			ret = child_meet(
				side, pair, &new, j++, old.at[i++].key);
			continue;
		}
		if (i < old.count)
			pair_meant(side, pair, &old.at[i].name, &meant);
		if (meant.task && !meant.task->change->blob)
			i++; /* gone, as was asked for */
		else if (j < new.count)
			ret = child_meet(side, pair, &new, j++, WT_HIVE_NONE);
		else
			ret = differs(side, "a key is gone", old.at[i].key);
	}
	wt_hive_children_close(&old);
	wt_hive_children_close(&new);
	return ret;
}

/* The subkeys of any other key: the same ones, in the same order. */
static enum wt_status subkeys_meet(struct side *side, const struct pair *pair)
{
	uint32_t *old = NULL, *new = NULL;
	size_t old_count = 0, new_count = 0;
	enum wt_status ret = wt_hive_subkeys(
		side->before, pair->before, &old, &old_count, side->err);

	if (ret == WT_OK)
		ret = wt_hive_subkeys(
			side->after, pair->after, &new, &new_count, side->err);
	if (ret == WT_OK && old_count != new_count)
		ret = differs(side, "the number of subkeys", pair->after);
	for (size_t i = 0; ret == WT_OK && i < old_count; i++) {
		const struct pair below = {.before = old[i],
			.after = new[i],
			.above = pair->after,
			.depth = pair->depth + 1};

		ret = pair_push(side, &below);
	}
	free(old);
	free(new);
	return ret;
}

static enum wt_status trees_compare(struct side *side)
{
	struct pair pair = {.before = side->before->base.root,
		.after = side->after->base.root,
		.stores = (uint32_t)((UINT64_C(1) << side->tasks->store_count) -
				     1)};
	enum wt_status ret = pair_push(side, &pair);

	while (ret == WT_OK && side->count > 0) {
		const char *what = NULL;

		pair = side->pairs[--side->count];
		what = pair.before == WT_HIVE_NONE
			       ? new_difference(side, &pair)
			       : key_difference(side, &pair);
		if (what)
			ret = differs(side, what, pair.after);
		else if (pair.stores != 0 || pair.before == WT_HIVE_NONE)
			ret = children_meet(side, &pair);
		else
			ret = subkeys_meet(side, &pair);
	}
	for (size_t i = 0; ret == WT_OK && i < side->tasks->store_count; i++) {
		const struct wt_hive_store *store = &side->tasks->stores[i];

		for (size_t j = 0; ret == WT_OK && j < store->task_count; j++)
			if (side->met[&store->tasks[j] - side->tasks->tasks] !=
				(store->tasks[j].change->blob ? 1 : 0))
				ret = differs(side, "a new key is missing",
					side->after->base.root);
	}
	return ret;
}

/* No cell is used by more than before. */
static enum wt_status cells_compare(const struct side *side)
{
	const struct wt_hive_raw *before = side->before, *after = side->after;
	size_t old_len = before->base.bins_len / 64;

	for (size_t i = 0; i < after->base.bins_len / 64; i++) {
		uint8_t twice = i < old_len ? before->twice[i] : 0;

		twice = after->twice[i] & (uint8_t)~twice;
		for (uint32_t j = 0; j < 8 && twice >> j; j++) {
			uint32_t at = (uint32_t)(64 * i + 8 * j);

			/* Security descriptors belong to many keys. */
			if ((twice >> j & 1) &&
				memcmp(after->data + WT_HIVE_PAGE + at + 4,
					"sk", 2) != 0)
				return differs(
					side, "a cell is used twice", at);
		}
	}
	return WT_OK;
}

/* The base block but for its sequence numbers, length and checksum. */
static bool is_base_same(const struct side *side)
{
	const uint8_t *old = side->before->data, *new = side->after->data;

	static const size_t rest = WT_BASE_BINS_LEN + 4;
	static const size_t end = WT_BASE_CHECKSUM + 4;

	return memcmp(old, new, WT_BASE_PRIMARY) == 0 &&
	       memcmp(old + WT_BASE_TIME, new + WT_BASE_TIME,
		       WT_BASE_BINS_LEN - WT_BASE_TIME) == 0 &&
	       memcmp(old + rest, new + rest, WT_BASE_CHECKSUM - rest) == 0 &&
	       memcmp(old + end, new + end, WT_HIVE_PAGE - end) == 0;
}

enum wt_status wt_hive_same(const struct wt_hive_raw *before,
	const struct wt_hive_raw *after, const struct wt_hive_tasks *tasks,
	struct wt_error *err)
{
	struct side side = {
		.before = before, .after = after, .tasks = tasks, .err = err};
	size_t count = 0;
	bool has_memory = true;
	enum wt_status ret = WT_OK;

	for (int i = 0; i < KIND_COUNT; i++) {
		side.done[i] = calloc(before->base.bins_len / 64 + 1, 1);
		has_memory = has_memory && side.done[i];
	}

	for (size_t i = 0; i < tasks->store_count; i++)
		count += tasks->stores[i].task_count;
	side.met = calloc(count + 1, 1);
	if (!has_memory || !side.met)
		ret = wt_fail_memory(err);
	else if (tasks->store_count > STORES_MAX || !is_base_same(&side))
		ret = differs(&side, "its base block", 0u - WT_HIVE_PAGE);
	if (ret == WT_OK)
		ret = trees_compare(&side);
	if (ret == WT_OK)
		ret = cells_compare(&side);
	for (int i = 0; i < KIND_COUNT; i++)
		free(side.done[i]);
	free(side.met);
	free(side.pairs);
	return ret;
}
