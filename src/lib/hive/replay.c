/* SPDX-License-Identifier: MIT
 * hive/replay.c: the state of a hive, and the clean hive made from it. */
#include "hive/log.h"
#include "hive/map.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* How much the logs would change: entries, and bytes of pages. */
static void replay_measure(
	const struct wt_replay *replay, uint64_t *ret_count, uint64_t *ret_len)
{
	uint64_t count = replay->entry_count;
	uint64_t len = 0;

	for (size_t i = 0; i < replay->entry_count; i++) {
		const uint8_t *at = replay->entries[i].at;

		for (size_t j = 0; j < wt_get32(at + 20); j++)
			len += wt_get32(at + WT_LOG_ENTRY_HEAD_LEN + 8 * j + 4);
	}
	if (replay->entry_count == 0 && replay->old) {
		count = 1;
		len = wt_log_old_count(replay->old) * WT_LOG_SECTOR;
	}
	*ret_count = count;
	*ret_len = len;
}

enum wt_status wt_replay_state(const struct wt_hive_files *files,
	struct wt_hive_state *ret_state, struct wt_error *err)
{
	struct wt_replay replay = {0};
	struct wt_hive_state state = {0};
	enum wt_status ret = wt_replay_open(&replay, files, err);

	if (ret == WT_OK && !replay.is_dirty)
		ret = wt_hive_base_size_check(
			&replay.base, replay.hive_len, files->object, err);
	if (ret != WT_OK)
		goto out;
	state.major = replay.base.major;
	state.minor = replay.base.minor;
	state.is_dirty = replay.is_dirty;
	if (replay.is_dirty)
		replay_measure(&replay, &state.log_entry_count, &state.log_len);
	state.has_usable_log = state.log_entry_count > 0;
	state.has_long_log = replay.has_long_log;
	*ret_state = state;
out:
	wt_replay_close(&replay);
	return ret;
}

/* The longest that the bins become on the way. */
static uint32_t bins_len_max(const struct wt_replay *replay)
{
	uint32_t max = replay->base.is_checksum_good ? replay->base.bins_len
						     : WT_HIVE_PAGE;

	for (size_t i = 0; i < replay->entry_count; i++) {
		uint32_t len = wt_get32(replay->entries[i].at + 16);

		max = len > max ? len : max;
	}
	if (replay->entry_count == 0 && replay->old &&
		replay->old->base.bins_len > max)
		max = replay->old->base.bins_len;
	return max;
}

/* Marks the hive at data clean. */
static void base_finish(uint8_t *data, uint32_t sequence)
{
	wt_put32(data + WT_BASE_PRIMARY, sequence);
	wt_put32(data + WT_BASE_SECONDARY, sequence);
	wt_put32(data + WT_BASE_TYPE, 0);
	wt_put32(data + WT_BASE_CHECKSUM, wt_hive_checksum(data));
}

static void old_apply(const struct wt_log *log, uint8_t *data)
{
	const uint8_t *page = log->data + wt_log_old_offset(log);

	memcpy(data, log->data, WT_LOG_SECTOR);
	for (size_t i = 0; i < log->base.bins_len / WT_LOG_SECTOR; i++) {
		if (!wt_log_old_bit(log, i))
			continue;
		memcpy(data + WT_HIVE_PAGE + i * WT_LOG_SECTOR, page,
			WT_LOG_SECTOR);
		page += WT_LOG_SECTOR;
	}
	base_finish(data, log->base.primary);
}

static void entry_apply(const uint8_t *at, uint8_t *data)
{
	size_t count = wt_get32(at + 20);
	const uint8_t *page = at + WT_LOG_ENTRY_HEAD_LEN + 8 * count;

	for (size_t i = 0; i < count; i++) {
		const uint8_t *where = at + WT_LOG_ENTRY_HEAD_LEN + 8 * i;
		uint32_t len = wt_get32(where + 4);

		memcpy(data + WT_HIVE_PAGE + wt_get32(where), page, len);
		page += len;
	}
	wt_put32(data + WT_BASE_BINS_LEN, wt_get32(at + 16));
	wt_put32(data + WT_BASE_FLAGS, wt_get32(at + 8));
	base_finish(data, wt_get32(at + 12));
}

static void new_apply(const struct wt_replay *replay, uint8_t *data)
{
	if (!replay->base.is_checksum_good) {
		/* Any log's copy does: what changes is in the entries. */
		for (size_t i = 0; i < 3; i++)
			if (replay->logs[i].kind == WT_LOG_NEW)
				memcpy(data, replay->logs[i].data,
					WT_LOG_SECTOR);
	}
	for (size_t i = 0; i < replay->entry_count; i++)
		entry_apply(replay->entries[i].at, data);
}

/* Puts the hive's bytes into fd, len long, and maps them. */
static enum wt_status copy_open(const struct wt_replay *replay, int fd,
	uint64_t len, uint8_t **ret_data, struct wt_error *err)
{
	const struct wt_hive_files *files = replay->files;
	uint64_t old_len = replay->hive_len < len ? replay->hive_len : len;
	void *data = NULL;
	enum wt_status ret = WT_OK;

	if (ftruncate(fd, (off_t)len) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "write-failed",
			files->object,
			"cannot write the registry hive into memory");
	data = mmap(
		NULL, (size_t)len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return wt_fail_memory(err);
	ret = wt_io_read_all(
		files->hive_fd, data, (size_t)old_len, 0, files->object, err);
	if (ret != WT_OK)
		munmap(data, (size_t)len);
	else
		*ret_data = data;
	return ret;
}

/* Is the result a whole hive? Cuts off what follows it. */
static enum wt_status copy_finish(const struct wt_replay *replay, int fd,
	uint8_t *data, uint64_t len, struct wt_error *err)
{
	const char *object = replay->files->object;
	struct wt_hive_raw raw = {0};
	enum wt_status ret =
		wt_hive_raw_open(&raw, data, (size_t)len, 0, object, err);

	if (ret == WT_OK && ftruncate(fd, (off_t)raw.len) != 0)
		ret = wt_fail_errno(err, WT_ERR_FILE, "write-failed", object,
			"cannot write the registry hive into memory");
	wt_hive_raw_close(&raw);
	return ret;
}

enum wt_status wt_replay_apply(const struct wt_hive_files *files, int fd,
	bool *ret_stopped, struct wt_error *err)
{
	struct wt_replay replay = {0};
	uint8_t *data = NULL;
	uint64_t len = 0;
	enum wt_status ret = wt_replay_open(&replay, files, err);

	if (ret != WT_OK)
		goto out;
	if (replay.is_dirty && replay.entry_count == 0 && !replay.old) {
		ret = wt_fail(err, WT_ERR_HIVE, "hive-no-log", files->object,
			"Windows had not finished writing this hive, and no "
			"log beside it fits");
		wt_error_hint(err, "let Windows load it once, or use "
				   "--discard-logs to use it as it is");
		goto out;
	}
	len = replay.is_dirty ? bins_len_max(&replay) : replay.base.bins_len;
	len += WT_HIVE_PAGE;
	ret = copy_open(&replay, fd, len, &data, err);
	if (ret != WT_OK)
		goto out;
	if (replay.is_dirty && replay.entry_count > 0)
		new_apply(&replay, data);
	else if (replay.is_dirty)
		old_apply(replay.old, data);
	ret = copy_finish(&replay, fd, data, len, err);
	munmap(data, (size_t)len);
	if (ret == WT_OK)
		*ret_stopped = replay.is_dirty && replay.is_stopped;
out:
	wt_replay_close(&replay);
	return ret;
}

/* More than a log that is too long to be read may hold. */
#define UNREAD_ENTRIES ((uint32_t)1 << 20)

/* Windows tells by their numbers alone which entries of a log follow what it
 * wrote last. Those that are discarded must never follow what it writes later,
 * so the hive's number becomes the highest. A malformed log has none. */
static enum wt_status discarded_sequence(const struct wt_hive_files *files,
	uint32_t *sequence, struct wt_error *err)
{
	struct wt_replay replay = {0};
	struct wt_error why = {0};
	enum wt_status ret = wt_replay_open(&replay, files, &why);

	if (replay.has_entries && (int32_t)(replay.newest - *sequence) > 0)
		*sequence = replay.newest;
	if (replay.has_long_log)
		*sequence += UNREAD_ENTRIES;
	wt_replay_close(&replay);
	if (ret == WT_OK || ret == WT_ERR_HIVE)
		return WT_OK;
	return wt_fail_as(err, &why);
}

enum wt_status wt_replay_discard(
	const struct wt_hive_files *files, int fd, struct wt_error *err)
{
	struct wt_hive_files alone = *files;
	struct wt_replay replay = {0};
	uint32_t sequence = 0;
	uint8_t *data = NULL;
	enum wt_status ret = WT_OK;

	for (size_t i = 0; i < 3; i++)
		alone.log_fds[i] = -1;
	ret = wt_replay_open(&replay, &alone, err);
	if (ret == WT_OK)
		ret = wt_hive_base_size_check(
			&replay.base, replay.hive_len, files->object, err);
	sequence = replay.base.primary;
	if (ret == WT_OK)
		ret = discarded_sequence(files, &sequence, err);
	if (ret == WT_OK)
		ret = copy_open(&replay, fd, replay.hive_len, &data, err);
	if (ret != WT_OK)
		return ret;
	base_finish(data, sequence);
	ret = copy_finish(&replay, fd, data, replay.hive_len, err);
	munmap(data, (size_t)replay.hive_len);
	return ret;
}
