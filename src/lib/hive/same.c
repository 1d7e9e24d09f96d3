/* SPDX-License-Identifier: MIT
 * hive/same.c: two hives side by side: only what was asked for differs.
 *
 * hivex leaves every cell where it is. So each cell of the old hive must be in
 * the changed one, at the same place and with the same bytes, and with it every
 * tree of keys and values that is made of such cells. What the tasks may change
 * is compared by what it means, key by key on the way to them. */
#include "hive/same.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define REG_BINARY 3u

/* As many stores as there are places and names of stores. */
#define STORES_MAX 32

/* A key on the way to a store, or one that a task sets, yet to be compared. */
struct pair {
	uint32_t before; /* WT_HIVE_NONE: it is new; else the same as after */
	uint32_t after;
	uint32_t above;	 /* the key above it, in the changed hive */
	uint32_t stores; /* a bit for each store that it is on the way to */
	unsigned depth;	 /* below the root */
	const struct wt_hive_task *task;
};

struct side {
	const struct wt_hive_raw *before, *after;
	const struct wt_hive_tasks *tasks;
	uint8_t *may_change; /* a bit for each cell of the old hive that the
				tasks may change */
	uint8_t *met;	     /* one for each task: its key was met */
	struct pair *pairs;  /* a stack */
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

static void change_allow(void *ctx, uint32_t offset)
{
	struct side *side = ctx;

	if (wt_hive_cell(side->before, offset, 0, NULL))
		wt_hive_bit_set(side->may_change, offset);
}

/* The lists of a key's subkeys may change. */
static void lists_allow(struct side *side, uint32_t key)
{
	uint32_t list =
		wt_get32(wt_hive_key(side->before, key) + WT_NK_SUBKEYS);
	const uint8_t *cell = wt_hive_cell(side->before, list, 4, NULL);

	if (!cell || wt_get32(wt_hive_key(side->before, key) +
			      WT_NK_SUBKEY_COUNT) == 0)
		return;
	change_allow(side, list);
	for (size_t i = 0; memcmp(cell, "ri", 2) == 0 && i < wt_get16(cell + 2);
		i++)
		change_allow(side, wt_get32(cell + 4 + 4 * i));
}

/* A key that is removed may change, with all below it. The guards found that
 * its cells are its own. */
static enum wt_status tree_allow(struct side *side, uint32_t key)
{
	struct wt_hive_offsets stack = {0};
	enum wt_status ret = WT_OK;

	if (!wt_hive_offsets_add(&stack, key))
		return wt_fail_memory(side->err);
	while (ret == WT_OK && stack.count > 0) {
		uint32_t at = stack.at[--stack.count];

		change_allow(side, at);
		lists_allow(side, at);
		wt_hive_key_cells(side->before, at, change_allow, side);
		ret = wt_hive_subkeys_add(side->before, at, &stack, side->err);
	}
	free(stack.at);
	return ret;
}

/* Have both cells the same len bytes? */
static bool is_cell_same(
	const struct side *side, uint32_t before, uint32_t after, size_t len)
{
	const uint8_t *old = wt_hive_cell(side->before, before, len, NULL);
	const uint8_t *new = wt_hive_cell(side->after, after, len, NULL);

	return old && new && memcmp(old, new, len) == 0;
}

static bool is_big_same(
	const struct side *side, uint32_t before, uint32_t after, size_t len)
{
	const uint8_t *old = wt_hive_cell(side->before, before, 8, NULL);
	const uint8_t *new = wt_hive_cell(side->after, after, 8, NULL);
	size_t count = wt_get16(old + 2);

	if (count != wt_get16(new + 2))
		return false;
	old = wt_hive_cell(side->before, wt_get32(old + 4), 4 * count, NULL);
	new = wt_hive_cell(side->after, wt_get32(new + 4), 4 * count, NULL);
	for (size_t i = 0; old && new && i < count; i++) {
		size_t part = len < WT_HIVE_CELL_DATA_MAX
				      ? len
				      : WT_HIVE_CELL_DATA_MAX;

		if (!is_cell_same(side, wt_get32(old + 4 * i),
			    wt_get32(new + 4 * i), part))
			return false;
		len -= part;
	}
	return old && new && len == 0;
}

static bool is_data_same(
	const struct side *side, const uint8_t *before, const uint8_t *after)
{
	uint32_t old_len = wt_get32(before + WT_VK_DATA_LEN);
	uint32_t new_len = wt_get32(after + WT_VK_DATA_LEN);
	uint32_t old = wt_get32(before + WT_VK_DATA);
	uint32_t new = wt_get32(after + WT_VK_DATA);
	size_t len = old_len & ~WT_VK_INLINE;
	const uint8_t *old_data = before + WT_VK_DATA;
	const uint8_t *new_data = after + WT_VK_DATA;

	if (len != (new_len & ~WT_VK_INLINE))
		return false;
	if (len > 4 && wt_hive_value_is_big(side->before, before))
		return wt_hive_value_is_big(side->after, after) &&
		       is_big_same(side, old, new, len);
	/* What was stored apart may come to be stored in place. */
	if (!(old_len & WT_VK_INLINE))
		old_data = wt_hive_cell(side->before, old, len, NULL);
	if (!(new_len & WT_VK_INLINE))
		new_data = wt_hive_cell(side->after, new, len, NULL);
	return len == 0 ||
	       (old_data && new_data && memcmp(old_data, new_data, len) == 0);
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

static bool is_value_same(
	const struct side *side, uint32_t before, uint32_t after)
{
	const uint8_t *old = wt_hive_value(side->before, before);
	const uint8_t *new = wt_hive_value(side->after, after);

	if (!old || !new ||
		wt_get32(old + WT_VK_TYPE) != wt_get32(new + WT_VK_TYPE) ||
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
static bool are_set_values_same(
	const struct side *side, const struct pair *pair)
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

/* The descriptor's own bytes, not how often it is used. */
static bool is_security_same(
	const struct side *side, uint32_t above, uint32_t below)
{
	size_t old_room = 0, new_room = 0;
	const uint8_t *old =
		wt_hive_cell(side->after, above, WT_SK_HEAD_LEN, &old_room);
	const uint8_t *new =
		wt_hive_cell(side->after, below, WT_SK_HEAD_LEN, &new_room);
	size_t len = old ? wt_get32(old + WT_SK_LEN) : 0;

	return old && new && memcmp(old, new, 2) == 0 &&
	       len <= old_room - WT_SK_HEAD_LEN &&len <=
			       new_room -
				       WT_SK_HEAD_LEN &&memcmp(old + WT_SK_LEN,
					       new + WT_SK_LEN, 4 + len) ==
		       0;
}

/* Is the node at this place as it was, but for these fields of four bytes? */
static bool is_node_same(const struct side *side, uint32_t key,
	const size_t *fields, size_t field_count)
{
	size_t old_len = 0, new_len = 0, at = 0;
	const uint8_t *old =
		wt_hive_cell(side->before, key, WT_NK_NAME, &old_len);
	const uint8_t *new =
		wt_hive_cell(side->after, key, WT_NK_NAME, &new_len);

	for (size_t i = 0; old_len == new_len && i < field_count; i++) {
		if (memcmp(old + at, new + at, fields[i] - at) != 0)
			return false;
		at = fields[i] + 4;
	}
	return old_len == new_len &&
	       memcmp(old + at, new + at, old_len - at) == 0;
}

/* A key on the way to a store has other subkeys, and nothing else. */
static const char *way_difference(struct side *side, const struct pair *pair)
{
	static const size_t fields[] = {
		WT_NK_SUBKEY_COUNT, WT_NK_SUBKEYS, WT_NK_SUBKEY_NAME_MAX};

	change_allow(side, pair->before);
	lists_allow(side, pair->before);
	return is_node_same(side, pair->before, fields, 3)
		       ? NULL
		       : "a key above a store";
}

/* A key that a task sets has other values, and nothing else. */
static const char *set_difference(struct side *side, const struct pair *pair)
{
	static const size_t fields[] = {WT_NK_VALUE_COUNT, WT_NK_VALUES,
		WT_NK_VALUE_NAME_MAX, WT_NK_VALUE_DATA_MAX};
	const uint8_t *node = wt_hive_key(side->before, pair->before);
	uint32_t class = wt_get32(node + WT_NK_CLASS);
	size_t class_len = wt_get16(node + WT_NK_CLASS_LEN);

	change_allow(side, pair->before);
	wt_hive_key_cells(side->before, pair->before, change_allow, side);
	if (!is_node_same(side, pair->before, fields, 4))
		return "a key that was to be set";
	if (class_len > 0 && !is_cell_same(side, class, class, class_len))
		return "the class of a key";
	return are_set_values_same(side, pair) ? NULL : "the values of a key";
}

/* A new key has nothing but what it was made for. */
static const char *new_difference(struct side *side, const struct pair *pair)
{
	const uint8_t *node = wt_hive_key(side->after, pair->after);
	const uint8_t *above = wt_hive_key(side->after, pair->above);

	if (wt_get16(node + WT_NK_FLAGS) != WT_NK_FLAG_ASCII ||
		wt_get16(node + WT_NK_CLASS_LEN) != 0)
		return "the flags or the class of a new key";
	if (!is_security_same(side, wt_get32(above + WT_NK_SECURITY),
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
	if (before != WT_HIVE_NONE && before != child->key)
		return differs(side, "a key is elsewhere", child->key);
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
	/* Of any other key only the cells are compared. */
	if (before != WT_HIVE_NONE && pair.stores == 0 &&
		(!pair.task || pair.task->is_done))
		return WT_OK;
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
			if (old.at[i].is_hash_right && !new.at[j].is_hash_right)
				ret = differs(side,
					"Windows may not find a key",
					new.at[j].key);
			else
				ret = child_meet(
					side, pair, &new, j, old.at[i].key);
			i++;
			j++;
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
		if (pair.before == WT_HIVE_NONE)
			what = new_difference(side, &pair);
		else if (pair.task)
			what = set_difference(side, &pair);
		else
			what = way_difference(side, &pair);
		if (what)
			ret = differs(side, what, pair.after);
		else if (pair.before == WT_HIVE_NONE || !pair.task)
			ret = children_meet(side, &pair);
	}
	return ret;
}

/* Keys that are set were met once, and keys that are removed never. */
static enum wt_status tasks_compare(struct side *side)
{
	enum wt_status ret = WT_OK;

	for (size_t i = 0; i < side->tasks->store_count; i++) {
		const struct wt_hive_store *store = &side->tasks->stores[i];

		for (size_t j = 0; ret == WT_OK && j < store->task_count; j++) {
			const struct wt_hive_task *task = &store->tasks[j];

			if (side->met[task - side->tasks->tasks] !=
				(task->change->blob ? 1 : 0))
				ret = differs(side, "a new key is missing",
					side->after->base.root);
			else if (!task->change->blob)
				ret = tree_allow(side, task->key);
		}
	}
	return ret;
}

/* May the cell at this place of the old hive be another one, or none? Of a
 * security descriptor the uses may, and it may go with the last. */
static bool is_change_meant(const struct side *side, uint32_t at, size_t len)
{
	const uint8_t *old = side->before->data + WT_HIVE_PAGE + at + 4;
	const uint8_t *new = side->after->data + WT_HIVE_PAGE + at + 4;

	if (wt_hive_bit(side->may_change, at))
		return true;
	if (!wt_hive_bit(side->before->security, at) ||
		wt_hive_bit(side->before->once, at) || len < WT_SK_HEAD_LEN)
		return false;
	if (!wt_hive_bit(side->after->used, at))
		return !wt_hive_bit(side->after->security, at);
	return memcmp(old - 4, new - 4, 4 + WT_SK_NEXT) == 0 &&
	       memcmp(old + WT_SK_LEN, new + WT_SK_LEN, len - WT_SK_LEN) == 0;
}

/* Every cell that nothing may change is where it was, byte for byte. */
static enum wt_status cells_compare(const struct side *side)
{
	const struct wt_hive_raw *before = side->before, *after = side->after;

	if (after->len < before->len)
		return differs(side, "its length", before->base.bins_len);
	for (uint32_t at = 0; at < before->base.bins_len; at += 8) {
		const uint8_t *old = before->data + WT_HIVE_PAGE + at;
		size_t len = 0u - wt_get32(old);

		if (before->used[at / 64] == 0) {
			at = at / 64 * 64 + 56;
			continue;
		}
		if (!wt_hive_bit(before->used, at))
			continue;
		if (!(wt_hive_bit(after->used, at) &&
			    memcmp(old, after->data + WT_HIVE_PAGE + at, len) ==
				    0) &&
			!is_change_meant(side, at, len - 4))
			return differs(
				side, "a cell that was to stay as it was", at);
	}
	return WT_OK;
}

/* The uses of eight cells: what two things lead to, or what a key has as its
 * security descriptor and something else leads to. */
static uint8_t shared_get(const struct wt_hive_raw *raw, size_t i)
{
	return raw->twice[i] | (raw->once[i] & raw->security[i]);
}

/* No cell is used by more than before. */
static enum wt_status uses_compare(const struct side *side)
{
	const struct wt_hive_raw *before = side->before, *after = side->after;
	size_t old_len = before->base.bins_len / 64;

	for (size_t i = 0; i < after->base.bins_len / 64; i++) {
		uint8_t old = i < old_len ? shared_get(before, i) : 0;

		if (shared_get(after, i) & (uint8_t)~old)
			return differs(side, "a cell is used twice",
				(uint32_t)(64 * i));
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
	enum wt_status ret = WT_OK;

	for (size_t i = 0; i < tasks->store_count; i++)
		count += tasks->stores[i].task_count;
	side.may_change = calloc(before->base.bins_len / 64, 1);
	side.met = calloc(count + 1, 1);
	if (!side.may_change || !side.met)
		ret = wt_fail_memory(err);
	else if (tasks->store_count > STORES_MAX || !is_base_same(&side))
		ret = differs(&side, "its base block", 0u - WT_HIVE_PAGE);
	if (ret == WT_OK)
		ret = trees_compare(&side);
	if (ret == WT_OK)
		ret = tasks_compare(&side);
	if (ret == WT_OK)
		ret = cells_compare(&side);
	if (ret == WT_OK)
		ret = uses_compare(&side);
	free(side.may_change);
	free(side.met);
	free(side.pairs);
	return ret;
}
