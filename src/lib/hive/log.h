/* SPDX-License-Identifier: MIT
 * hive/log.h: the transaction logs beside a hive, read and judged. */
#ifndef WT_HIVE_LOG_H
#define WT_HIVE_LOG_H

#include "hive/check.h"
#include "hive/hive.h"

#define WT_LOG_SECTOR 512u
#define WT_LOG_ENTRY_HEAD_LEN 40u

enum wt_log_kind { WT_LOG_NONE, WT_LOG_OLD, WT_LOG_NEW };

struct wt_log {
	enum wt_log_kind kind;
	uint8_t *data;
	size_t len;
	bool is_mapped;
	struct wt_hive_base base;
};

/* A sound entry of a log in the new format. Sequence numbers go round. */
struct wt_log_entry {
	const uint8_t *at;
	int32_t order; /* its sequence number, from replay->origin on */
};

/* What there is to apply. */
struct wt_replay {
	const struct wt_hive_files *files;
	uint64_t hive_len;
	uint8_t base_bytes[WT_LOG_SECTOR];
	uint8_t first_bin[WT_HIVE_BIN_HEAD];
	struct wt_hive_base base; /* of the hive, good or not */
	bool is_dirty;
	struct wt_log logs[3];
	const struct wt_log *old;     /* the log in the old format that fits */
	struct wt_log_entry *entries; /* one sequence number after the other */
	size_t entry_count;
	uint32_t origin;  /* the number that orders are counted from */
	bool is_stopped;  /* there are newer entries, which do not follow */
	bool has_entries; /* of any kind: then newest is set */
	uint32_t newest;  /* the highest number of any entry */
	uint64_t bins_len_max; /* longer ones are not believed */
	bool has_long_log;
};

/** Marvin32, the hash of the entries in transaction logs. */
uint64_t wt_hive_marvin(uint64_t seed, const uint8_t *data, size_t len);

/** Where the pages of a log in the old format begin. */
size_t wt_log_old_offset(const struct wt_log *log);
/** Is that page of 512 bytes in a log of the old format? */
bool wt_log_old_bit(const struct wt_log *log, size_t page);
/** How many pages a log in the old format holds. */
size_t wt_log_old_count(const struct wt_log *log);

/** Reads the hive's head and its logs, and finds what is to be applied.
 *  wt_replay_close() in any case; replay is zeroed before. */
enum wt_status wt_replay_open(struct wt_replay *replay,
	const struct wt_hive_files *files, struct wt_error *err);
void wt_replay_close(struct wt_replay *replay);

/** What wt_hive_state() does, in this process. */
enum wt_status wt_replay_state(const struct wt_hive_files *files,
	struct wt_hive_state *ret_state, struct wt_error *err);

/** What wt_hive_replay() and wt_hive_discard_logs() do, in this process and
 *  into an empty file in memory. */
enum wt_status wt_replay_apply(const struct wt_hive_files *files, int fd,
	bool *ret_stopped, struct wt_error *err);
enum wt_status wt_replay_discard(
	const struct wt_hive_files *files, int fd, struct wt_error *err);

#endif
