/* SPDX-License-Identifier: MIT
 * fuzz_hive_write.c: a hive that passes the raw checks and the guards is
 * changed by hivex: it stays a hive, and nothing but the keys asked for is
 * another. Then the comparison of both hives gets a spoilt one. */
#include "fuzz.h"
#include "hive/same.h"
#include "hive/write.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD "0123456789ABCDEF0123456789ABCDEF01234567"
#define INPUT_LEN_MAX (1u << 20)
#define MANY 60

static uint64_t hash_add(uint64_t hash, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ data[i]) * UINT64_C(0x100000001B3);
	return hash;
}

struct hasher {
	const struct wt_hive_raw *raw;
	/* A damaged hive may point beyond its old end, at what is new. */
	uint32_t end;
	uint64_t hash;
	unsigned cells;
};

static void cell_hash(void *ctx, uint32_t offset)
{
	struct hasher *hasher = ctx;
	size_t len = 0;
	const uint8_t *cell = wt_hive_cell(hasher->raw, offset, 0, &len);

	/* A damaged hive may use a part of its structure as data; that part
	 * changes. */
	if (cell && cell[0] != 0 &&
		(strchr("nrs", cell[0]) || cell[0] == 'l') &&
		strchr("kfhi", cell[1]))
		return;
	if (cell && offset < hasher->end && hasher->cells++ < 64)
		hasher->hash = hash_add(hasher->hash, cell, len);
}

/* A key and what hangs on it, without what a change to its subkeys sets. */
static uint64_t key_hash(
	const struct wt_hive_raw *raw, uint32_t end, uint32_t key)
{
	const uint8_t *node = wt_hive_key(raw, key);
	struct wt_hive_raw plain = *raw;
	struct hasher hasher = {.raw = raw, .end = end};

	/* A cell that two things use counts for both. */
	plain.twice = NULL;
	hasher.hash = hash_add(0, node, WT_NK_SUBKEY_COUNT);
	hasher.hash = hash_add(hasher.hash, node + WT_NK_VALUE_COUNT,
		WT_NK_SUBKEY_NAME_MAX - WT_NK_VALUE_COUNT);
	hasher.hash = hash_add(hasher.hash, node + WT_NK_VALUE_NAME_MAX,
		WT_NK_NAME - WT_NK_VALUE_NAME_MAX +
			wt_get16(node + WT_NK_NAME_LEN));
	wt_hive_key_cells(&plain, key, cell_hash, &hasher);
	return hasher.hash;
}

/* Keys that may change: those that the changes name begin with 0. */
static bool is_target(const struct wt_hive_raw *raw, uint32_t key)
{
	const uint8_t *node = wt_hive_key(raw, key);
	size_t len = wt_get16(node + WT_NK_NAME_LEN);

	return (len == 40 || len == 80) && node[WT_NK_NAME] == '0';
}

struct walk {
	uint32_t end; /* of the bins */
	uint32_t *keys;
	uint64_t *hashes;
	size_t count;
};

/* All keys but the targets and those below them. */
static struct walk walk_new(const struct wt_hive_raw *raw)
{
	size_t room = (size_t)raw->key_count + 1;
	struct walk walk = {.end = raw->base.bins_len,
		.keys = calloc(room, sizeof(*walk.keys)),
		.hashes = calloc(room, sizeof(*walk.hashes))};
	struct wt_error err = {0};

	FUZZ_REQUIRE(walk.keys && walk.hashes);
	walk.keys[walk.count++] = raw->base.root;
	for (size_t i = 0; i < walk.count; i++) {
		uint32_t *keys = NULL;
		size_t count = 0;

		walk.hashes[i] = key_hash(raw, walk.end, walk.keys[i]);
		FUZZ_REQUIRE(wt_hive_subkeys(raw, walk.keys[i], &keys, &count,
				     &err) == WT_OK);
		for (size_t j = 0; j < count; j++)
			if (!is_target(raw, keys[j]))
				walk.keys[walk.count++] = keys[j];
		free(keys);
	}
	return walk;
}

static void walk_compare(
	const struct walk *before, const struct wt_hive_raw *raw)
{
	struct walk after = walk_new(raw);

	FUZZ_REQUIRE(after.count >= before->count);
	for (size_t i = 0; i < before->count; i++)
		FUZZ_REQUIRE(key_hash(raw, before->end, before->keys[i]) ==
			     before->hashes[i]);
	free(after.keys);
	free(after.hashes);
}

static size_t changes_fill(struct wt_hive_change *changes, unsigned which)
{
	static const uint8_t blob[2000] = "blob";
	static char keys[MANY][41];
	size_t count = which % 8 == 7 ? MANY : 1;

	for (size_t i = 0; i < count; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%040zX", i * 7);
		changes[i].store = WT_STORE_AUTHROOT;
		changes[i].key = keys[i];
		changes[i].blob = blob;
		changes[i].blob_len = which % 3 ? 900 : which % 5;
	}
	if (which % 8 < 5) {
		changes[0].store = WT_STORE_ROOT;
		changes[0].key = OLD;
	}
	if (which % 8 < 3)
		changes[0].blob = NULL;
	return count;
}

static uint8_t *contents(int fd, size_t *ret_len)
{
	struct stat st = {0};
	uint8_t *data = NULL;

	FUZZ_REQUIRE(fstat(fd, &st) == 0);
	data = malloc((size_t)st.st_size);
	FUZZ_REQUIRE(data);
	FUZZ_REQUIRE(pread(fd, data, (size_t)st.st_size, 0) == st.st_size);
	*ret_len = (size_t)st.st_size;
	return data;
}

/* Every changed byte is seen, unless it has no meaning; nothing is read outside
 * of the hive. */
static void spoil_and_compare(const struct wt_hive_raw *before, uint8_t *data,
	size_t len, const struct wt_hive_change *changes, size_t count)
{
	struct wt_hive_tasks tasks = {0};
	struct wt_hive_raw after = {0};
	struct wt_error err = {0};

	FUZZ_REQUIRE(wt_hive_tasks_open(&tasks, before, changes, count, &err) ==
		     WT_OK);
	data[(wt_get32(before->data + 4084) * UINT64_C(2654435761)) % len] ^=
		(uint8_t)(1 + before->data[4089]);
	wt_put32(data + WT_BASE_CHECKSUM, wt_hive_checksum(data));
	if (wt_hive_raw_open(&after, data, len, WT_HIVE_WITH_OWNERS, "fuzz",
		    &err) == WT_OK)
		(void)wt_hive_same(before, &after, &tasks, &err);
	wt_hive_raw_close(&after);
	wt_hive_tasks_close(&tasks);
}

static void hive_write(const uint8_t *data, size_t len, unsigned which)
{
	static struct wt_hive_change changes[MANY];
	int fd = memfd_create("hive", MFD_CLOEXEC);
	int out = memfd_create("changed", MFD_CLOEXEC);
	struct wt_hive_raw before = {0}, after = {0};
	struct wt_error err = {0};
	struct walk walk = {0};
	uint8_t *copy = malloc(len), *changed = NULL;
	size_t count = 0, changed_len = 0;

	memset(changes, 0, sizeof(changes));
	count = changes_fill(changes, which);
	FUZZ_REQUIRE(copy && fd >= 0 && out >= 0);
	memcpy(copy, data, len);
	wt_put32(copy + WT_BASE_CHECKSUM, wt_hive_checksum(copy));
	FUZZ_REQUIRE(write(fd, copy, len) == (ssize_t)len);
	if (wt_hive_raw_open(&before, copy, len, WT_HIVE_WITH_OWNERS, "fuzz",
		    &err) != WT_OK)
		goto out;
	if (wt_hive_write_here(fd, out, "fuzz", changes, count, &err) !=
		WT_OK) {
		FUZZ_REQUIRE(strncmp(err.code, "hive-", 5) == 0);
		goto out;
	}
	walk = walk_new(&before);
	changed = contents(out, &changed_len);
	FUZZ_REQUIRE(wt_hive_raw_open(&after, changed, changed_len,
			     WT_HIVE_WITH_OWNERS, "fuzz", &err) == WT_OK);
	walk_compare(&walk, &after);
	wt_hive_raw_close(&after);
	if (changed_len >= WT_HIVE_PAGE)
		spoil_and_compare(
			&before, changed, changed_len, changes, count);
out:
	free(walk.keys);
	free(walk.hashes);
	wt_hive_raw_close(&before);
	free(changed);
	free(copy);
	close(fd);
	close(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < WT_HIVE_PAGE || len > INPUT_LEN_MAX)
		return 0;
	hive_write(data, len, 0);
	hive_write(data, len, 4);
	hive_write(data, len, 5);
	/* Windows does not read this byte. */
	if (data[4088] != 0)
		hive_write(data, len, data[4088]);
	return 0;
}
