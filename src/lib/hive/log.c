/* SPDX-License-Identifier: MIT
 * hive/log.c: the transaction logs beside a hive, read and applied. */
#include "hive/log.h"
#include "base/buf.h"
#include "hive/map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Source: "Windows registry file format specification" by Maxim Suhanov,
 * "Format of transaction log files".
 *
 * Both formats begin with a copy of the hive's base block, 512 bytes.
 *
 * Old: "DIRT", then one bit for each 512 bytes of bins, then, from the next
 * multiple of 512 on, those pages whose bit is set.
 *
 * New: entries, each at a multiple of 512:
 *
 * offset  size  meaning
 *      0     4  "HvLE"
 *      4     4  length of the entry
 *      8     4  flags of the base block
 *     12     4  sequence number
 *     16     4  length of the bins
 *     20     4  number of pages
 *     24     8  Marvin32 of what follows offset 40
 *     32     8  Marvin32 of the first 32 bytes
 *     40   8*n  offset and length of each page
 *      …        the pages
 */
#define MARVIN_SEED UINT64_C(0xC5554E7A884DEF82)

/* How much longer than its file a hive may become by its logs: what is new is
 * in them, and bins have little that is not used. */
#define GROWTH_FACTOR 4
#define GROWTH_MIN ((uint64_t)1 << 20)
#define GROWTH_MAX ((uint64_t)64 << 20)

static uint32_t rotate(uint32_t value, unsigned bits)
{
	return value << bits | value >> (32 - bits);
}

static void marvin_mix(uint32_t state[2])
{
	state[1] ^= state[0];
	state[0] = rotate(state[0], 20) + state[1];
	state[1] = rotate(state[1], 9) ^ state[0];
	state[0] = rotate(state[0], 27) + state[1];
	state[1] = rotate(state[1], 19);
}

uint64_t wt_hive_marvin(uint64_t seed, const uint8_t *data, size_t len)
{
	uint32_t state[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
	uint32_t rest = 0x80;

	for (; len >= 4; len -= 4, data += 4) {
		state[0] += wt_get32(data);
		marvin_mix(state);
	}
	while (len > 0)
		rest = rest << 8 | data[--len];
	state[0] += rest;
	marvin_mix(state);
	marvin_mix(state);
	return (uint64_t)state[1] << 32 | state[0];
}

static enum wt_status log_load(struct wt_replay *replay, int fd,
	struct wt_log *log, struct wt_error *err)
{
	const char *object = replay->files->object;
	uint64_t len = 0;
	enum wt_status ret = WT_OK;

	if (fd < 0)
		return WT_OK;
	ret = wt_hive_file_len(fd, object, &len, err);
	/* Windows leaves an empty .LOG beside .LOG1 and .LOG2. */
	if (ret != WT_OK || len < 2 * WT_LOG_SECTOR)
		return ret;
	if (len > WT_HIVE_LOG_MAX) {
		replay->has_long_log = true;
		return WT_OK;
	}
	log->len = (size_t)len;
	/* What others can make shorter must not be mapped. */
	log->is_mapped = replay->files->are_logs_ours;
	if (log->is_mapped) {
		log->data = mmap(NULL, log->len, PROT_READ, MAP_PRIVATE, fd, 0);
		if (log->data == MAP_FAILED)
			log->data = NULL;
	} else {
		log->data = malloc(log->len);
	}
	if (!log->data)
		return wt_fail_memory(err);
	if (!log->is_mapped)
		ret = wt_io_read_all(fd, log->data, log->len, 0, object, err);
	if (ret != WT_OK)
		return ret;
	wt_hive_base_get(log->data, &log->base);
	if (memcmp(log->data, "regf", 4) != 0 || !log->base.is_checksum_good)
		return WT_OK;
	if (log->base.type == 6)
		log->kind = WT_LOG_NEW;
	else if (log->base.type == 1 || log->base.type == 2)
		log->kind = WT_LOG_OLD;
	return WT_OK;
}

/* Is the entry at offset whole, and are its pages within the bins? */
static bool entry_is_sound(
	const struct wt_replay *replay, const struct wt_log *log, size_t offset)
{
	const uint8_t *at = log->data + offset;
	size_t room = log->len - offset;
	size_t len = wt_get32(at + 4);
	uint32_t bins_len = wt_get32(at + 16);
	size_t count = wt_get32(at + 20);
	size_t used = WT_LOG_ENTRY_HEAD_LEN;

	if (len < WT_LOG_ENTRY_HEAD_LEN || len > room ||
		len % WT_LOG_SECTOR != 0 || bins_len == 0 ||
		bins_len % WT_HIVE_PAGE != 0 ||
		bins_len > replay->bins_len_max || count > (len - used) / 8)
		return false;
	if (wt_hive_marvin(MARVIN_SEED, at, 32) != wt_get64(at + 32) ||
		wt_hive_marvin(MARVIN_SEED, at + WT_LOG_ENTRY_HEAD_LEN,
			len - WT_LOG_ENTRY_HEAD_LEN) != wt_get64(at + 24))
		return false;
	used += 8 * count;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *page = at + WT_LOG_ENTRY_HEAD_LEN + 8 * i;
		uint32_t page_len = wt_get32(page + 4);

		if (page_len > len - used || page_len > bins_len ||
			wt_get32(page) > bins_len - page_len)
			return false;
		used += page_len;
	}
	return true;
}

static enum wt_status entries_add(struct wt_replay *replay, const uint8_t *at,
	uint32_t sequence, struct wt_error *err)
{
	struct wt_log_entry *entries = wt_array_grow(
		replay->entries, replay->entry_count, sizeof(*entries));

	if (!entries)
		return wt_fail_memory(err);
	replay->entries = entries;
	replay->entries[replay->entry_count++] = (struct wt_log_entry){
		.at = at, .order = (int32_t)(sequence - replay->origin)};
	return WT_OK;
}

/* Entries behind a damaged one count, too: each begins a sector. */
static void newest_find(struct wt_replay *replay, const struct wt_log *log)
{
	for (size_t at = WT_LOG_SECTOR; at + WT_LOG_ENTRY_HEAD_LEN <= log->len;
		at += WT_LOG_SECTOR) {
		const uint8_t *entry = log->data + at;
		uint32_t sequence = wt_get32(entry + 12);

		if (memcmp(entry, "HvLE", 4) != 0 ||
			wt_hive_marvin(MARVIN_SEED, entry, 32) !=
				wt_get64(entry + 32))
			continue;
		if (!replay->has_entries && !replay->base.is_checksum_good)
			replay->origin = sequence;
		if (!replay->has_entries ||
			(int32_t)(sequence - replay->newest) > 0)
			replay->newest = sequence;
		replay->has_entries = true;
	}
}

/* Collects the sound entries of a log up to the first that is not, or whose
 * number is not the next: those are left from before. */
static enum wt_status log_entries(struct wt_replay *replay,
	const struct wt_log *log, struct wt_error *err)
{
	size_t offset = WT_LOG_SECTOR;
	uint32_t due = 0;

	while (log->len - offset >= WT_LOG_ENTRY_HEAD_LEN &&
		memcmp(log->data + offset, "HvLE", 4) == 0) {
		const uint8_t *at = log->data + offset;
		uint32_t sequence = wt_get32(at + 12);
		enum wt_status ret = WT_OK;

		if (!entry_is_sound(replay, log, offset)) {
			replay->is_stopped = true;
			break;
		}
		if (offset > WT_LOG_SECTOR && sequence != due)
			break;
		ret = entries_add(replay, at, sequence, err);
		if (ret != WT_OK)
			return ret;
		due = sequence + 1;
		offset += wt_get32(at + 4);
	}
	return WT_OK;
}

static int by_order(const void *left, const void *right)
{
	int32_t a = ((const struct wt_log_entry *)left)->order;
	int32_t b = ((const struct wt_log_entry *)right)->order;

	return a < b ? -1 : a > b;
}

static bool are_same(
	const struct wt_log_entry *left, const struct wt_log_entry *right)
{
	uint32_t len = wt_get32(left->at + 4);

	return len == wt_get32(right->at + 4) &&
	       memcmp(left->at, right->at, len) == 0;
}

/* Leaves one of each number. Of a number that two different entries have
 * nobody knows which is meant: what follows does not count either. */
static void entries_unique(struct wt_replay *replay)
{
	struct wt_log_entry *entries = replay->entries;
	size_t kept = 0;

	for (size_t i = 0; i < replay->entry_count; i++) {
		if (kept == 0 || entries[kept - 1].order != entries[i].order) {
			entries[kept++] = entries[i];
		} else if (!are_same(&entries[kept - 1], &entries[i])) {
			kept--;
			break;
		}
	}
	replay->entry_count = kept;
}

/* Leaves the entries that follow each other from the hive's own state on.
 * A hive whose base block is lost has the state where the newest unbroken run
 * of entries begins. */
static void entries_choose(struct wt_replay *replay)
{
	struct wt_log_entry *entries = replay->entries;
	size_t count = 0, first = 0, end = 0;

	if (replay->entry_count == 0)
		return;
	qsort(entries, replay->entry_count, sizeof(*entries), by_order);
	if (replay->base.is_checksum_good)
		while (first < replay->entry_count && entries[first].order < 0)
			first++;
	replay->entry_count -= first;
	memmove(entries, entries + first,
		replay->entry_count * sizeof(*entries));
	entries_unique(replay);
	count = replay->entry_count;
	first = 0;
	if (!replay->base.is_checksum_good && count > 0) {
		first = count - 1;
		while (first > 0 &&
			entries[first - 1].order + 1 == entries[first].order)
			first--;
	} else if (count > 0 && entries[0].order != 0) {
		first = count;
	}
	for (end = first; end < count; end++)
		if (end > first &&
			entries[end].order != entries[end - 1].order + 1)
			break;
	memmove(entries, entries + first, (end - first) * sizeof(*entries));
	replay->entry_count = end - first;
	if (replay->entry_count > 0 &&
		(int32_t)(replay->newest - replay->origin) >
			entries[replay->entry_count - 1].order)
		replay->is_stopped = true;
}

size_t wt_log_old_offset(const struct wt_log *log)
{
	size_t end = WT_LOG_SECTOR + 4 + log->base.bins_len / WT_HIVE_PAGE;

	return (end + WT_LOG_SECTOR - 1) / WT_LOG_SECTOR * WT_LOG_SECTOR;
}

bool wt_log_old_bit(const struct wt_log *log, size_t page)
{
	return log->data[WT_LOG_SECTOR + 4 + page / 8] >> (page % 8) & 1;
}

size_t wt_log_old_count(const struct wt_log *log)
{
	size_t count = 0;

	for (size_t i = 0; i < log->base.bins_len / WT_LOG_SECTOR; i++)
		count += wt_log_old_bit(log, i);
	return count;
}

/* Does a log in the old format belong to this hive, whole? */
static bool old_log_fits(
	const struct wt_replay *replay, const struct wt_log *log)
{
	uint64_t time = replay->base.is_checksum_good
				? replay->base.time
				: wt_get64(replay->first_bin + 20);

	return log->kind == WT_LOG_OLD &&
	       memcmp(log->data + WT_LOG_SECTOR, "DIRT", 4) == 0 &&
	       log->base.primary == log->base.secondary &&
	       log->base.time == time && log->base.bins_len > 0 &&
	       log->base.bins_len % WT_HIVE_PAGE == 0 &&
	       log->base.bins_len <= replay->bins_len_max &&
	       wt_log_old_offset(log) <= log->len &&
	       wt_log_old_count(log) <=
		       (log->len - wt_log_old_offset(log)) / WT_LOG_SECTOR;
}

/* A hive is as long as its file, at least. */
static uint64_t bins_len_max(const struct wt_replay *replay)
{
	uint64_t growth = GROWTH_MIN;

	for (size_t i = 0; i < 3; i++)
		growth += GROWTH_FACTOR * replay->logs[i].len;
	if (growth > GROWTH_MAX)
		growth = GROWTH_MAX;
	if (growth + replay->hive_len > WT_HIVE_FILE_MAX)
		return WT_HIVE_FILE_MAX - WT_HIVE_PAGE;
	return growth + replay->hive_len - WT_HIVE_PAGE;
}

static enum wt_status replay_plan(
	struct wt_replay *replay, struct wt_error *err)
{
	/* .LOG last: beside the other two it is a leftover. */
	static const int order[3] = {1, 2, 0};
	enum wt_status ret = WT_OK;

	for (size_t i = 0; i < 3; i++) {
		struct wt_log *log = &replay->logs[i];

		ret = log_load(
			replay, replay->files->log_fds[order[i]], log, err);
		if (ret != WT_OK)
			return ret;
		if (log->kind == WT_LOG_NEW)
			newest_find(replay, log);
	}
	replay->bins_len_max = bins_len_max(replay);
	for (size_t i = 0; i < 3; i++) {
		struct wt_log *log = &replay->logs[i];

		if (log->kind == WT_LOG_NEW)
			ret = log_entries(replay, log, err);
		if (ret != WT_OK)
			return ret;
		if (!replay->old && old_log_fits(replay, log))
			replay->old = log;
	}
	entries_choose(replay);
	return WT_OK;
}

void wt_replay_close(struct wt_replay *replay)
{
	for (size_t i = 0; i < 3; i++) {
		struct wt_log *log = &replay->logs[i];

		if (log->is_mapped && log->data)
			munmap(log->data, log->len);
		else
			free(log->data);
	}
	free(replay->entries);
}

/* Reads the hive's head and its logs. */
enum wt_status wt_replay_open(struct wt_replay *replay,
	const struct wt_hive_files *files, struct wt_error *err)
{
	enum wt_status ret = wt_hive_file_len(
		files->hive_fd, files->object, &replay->hive_len, err);
	uint8_t head[WT_HIVE_PAGE + WT_HIVE_BIN_HEAD] = {0};
	size_t head_len = sizeof(head);

	replay->files = files;
	if (ret != WT_OK)
		return ret;
	if (head_len > replay->hive_len)
		head_len = (size_t)replay->hive_len;
	ret = wt_io_read_all(
		files->hive_fd, head, head_len, 0, files->object, err);
	if (ret != WT_OK)
		return ret;
	wt_hive_base_get(head, &replay->base);
	memcpy(replay->base_bytes, head, sizeof(replay->base_bytes));
	memcpy(replay->first_bin, head + WT_HIVE_PAGE, WT_HIVE_BIN_HEAD);
	replay->origin = replay->base.secondary;
	replay->has_long_log = files->has_long_log;
	replay->is_dirty = !replay->base.is_checksum_good ||
			   replay->base.primary != replay->base.secondary;
	/* A lost base block is told by the first bin behind it. */
	if (replay->base.is_checksum_good ||
		memcmp(replay->first_bin, "hbin", 4) != 0) {
		ret = wt_hive_base_check(head, head_len, UINT64_MAX, true,
			files->object, &replay->base, err);
		if (ret != WT_OK)
			return ret;
	}
	/* The logs of a clean hive are old, whatever they hold. */
	return replay->is_dirty ? replay_plan(replay, err) : WT_OK;
}
