/* SPDX-License-Identifier: MIT
 * hive/hive.h: certificate stores in a SOFTWARE registry hive. */
#ifndef WT_HIVE_HIVE_H
#define WT_HIVE_HIVE_H

#include <wimtrust/wimtrust.h>

/**
 * The places in a SOFTWARE hive where Windows keeps stores. Sources: the
 * system store locations of wincrypt.h; the group policy and enterprise
 * places of [MS-GPEF] 2.2.
 */
enum wt_hive_place {
	WT_PLACE_MACHINE = 0, /**< Microsoft\SystemCertificates */
	WT_PLACE_POLICY,      /**< Policies\Microsoft\SystemCertificates */
	WT_PLACE_ENTERPRISE,  /**< Microsoft\EnterpriseCertificates */
	WT_PLACE_COUNT,
};

/** "Microsoft\\SystemCertificates" and so on, static text. */
const char *wt_hive_place_path(enum wt_hive_place place);

/** One key below <place>\<store>\Certificates. */
struct wt_hive_entry {
	enum wt_hive_place place;
	enum wt_store store;
	char *key;     /**< the key's name as it is stored, UTF-8 */
	uint8_t *blob; /**< its value "Blob"; NULL when there is none */
	size_t blob_len;
	uint32_t blob_type; /**< 3 is REG_BINARY */
};

/** Everything that a hive's certificate stores hold. */
struct wt_hive_content {
	struct wt_hive_entry *entries; /**< by place, store, then key */
	size_t entry_count;
	uint64_t key_count; /**< keys in the whole hive */
	char fault[256];    /**< "KEY: why": Windows may not find that key of a
				 store, or one on the way there; "" when it
				 finds all */
};

void wt_hive_content_free(struct wt_hive_content *content);

/** A hive that is being read beside what its caller does. */
struct wt_hive_reading;

/**
 * Begins to list every certificate store of a hive, in a child with limits. Of
 * a dirty hive it lists what the hive itself has.
 *
 * @param hive_fd      readable; its offset does not matter and is not kept
 * @param object       copied
 * @param ret_reading  give it to wt_hive_read_finish() or wt_hive_read_stop()
 */
enum wt_status wt_hive_read_start(int hive_fd, const char *object,
	const volatile sig_atomic_t *cancel,
	struct wt_hive_reading **ret_reading, struct wt_error *err);

/**
 * Waits for the list; frees reading in either case.
 *
 * @return WT_ERR_HIVE when it is no hive, damaged, or ends the child
 */
enum wt_status wt_hive_read_finish(struct wt_hive_reading *reading,
	struct wt_hive_content **ret_content, struct wt_error *err);

/** Gives it up and frees it; NULL allowed. */
void wt_hive_read_stop(struct wt_hive_reading *reading);

/** One change: set the value of a key, or delete the key. */
struct wt_hive_change {
	enum wt_hive_place place;
	enum wt_store store;
	const char *key;     /**< 40 upper-case hex digits, or a stored name */
	const uint8_t *blob; /**< NULL deletes the key */
	size_t blob_len;
};

/** Windows makes no longer log for a SOFTWARE hive, whose logs have
 *  some megabytes. Bytes. */
#define WT_HIVE_LOG_MAX ((uint64_t)32 << 20)

/** A longer hive file is not worked on. Bytes. */
#define WT_HIVE_FILE_MAX ((uint64_t)512 << 20)

/** A hive and the transaction logs beside it; -1 where there is none. */
struct wt_hive_files {
	int hive_fd;	    /**< readable and seekable from offset 0 */
	int log_fds[3];	    /**< .LOG, .LOG1, .LOG2 */
	bool are_logs_ours; /**< nobody else can write the logs */
	bool has_long_log;  /**< another one is longer than WT_HIVE_LOG_MAX */
	const char *object; /**< names the hive in messages */
	const volatile sig_atomic_t *cancel; /**< NULL: nothing ends the work */
};

/** The state of a hive, from its base block and logs only. */
struct wt_hive_state {
	uint32_t major, minor;
	bool is_dirty;		  /**< Windows had not finished writing it */
	bool has_usable_log;	  /**< a log with at least one sound entry */
	uint64_t log_entry_count; /**< sound entries newer than the hive */
	uint64_t log_len;	  /**< bytes that they would change */
	bool has_long_log; /**< one is longer than any, and was left out */
};

/** Reads the base block and, of a hive that is not clean, the logs; all raw
 *  checks that need no hivex. Logs are read in a child with limits, here and
 *  below: WT_ERR_HIVE also when that ends (hive-crash, sandbox). */
enum wt_status wt_hive_state(const struct wt_hive_files *files,
	struct wt_hive_state *ret_state, struct wt_error *err);

/**
 * A clean hive in memory (memfd) from one that its logs run ahead of.
 *
 * @param ret_stopped  true when newer entries were left out: one before them
 *                     is damaged or missing, there twice and not the same, or
 *                     makes the hive longer than its logs tell
 * @param ret_fd       a memfd that holds the hive; the caller closes it
 * @return WT_ERR_HIVE: hive-no-log when no log fits, and whatever the raw
 *         checks find in the result
 */
enum wt_status wt_hive_replay(const struct wt_hive_files *files, int *ret_fd,
	bool *ret_stopped, struct wt_error *err);

/**
 * A hive in memory (memfd) that is marked clean, its logs left unused.
 */
enum wt_status wt_hive_discard_logs(
	const struct wt_hive_files *files, int *ret_fd, struct wt_error *err);

/** A changed copy that is being written beside what its caller does. */
struct wt_hive_writing;

/**
 * Begins to write a changed copy of a hive, by hivex in a child with limits.
 *
 * Missing parent keys are created, and names compare without case. What hivex
 * would write wrongly is refused beforehand, and its result is compared with
 * the hive, key by key: nothing that changes do not name differs. The hive in
 * hive_fd stays as it is. The same hive and changes give the same bytes.
 *
 * @param object   copied
 * @param changes  borrowed until the end, with what they point to; names that
 *                 are not there yet must be plain ASCII, those to be removed
 *                 must be there; of two changes to one key the later counts
 */
enum wt_status wt_hive_write_start(int hive_fd, const char *object,
	const struct wt_hive_change *changes, size_t change_count,
	const volatile sig_atomic_t *cancel,
	struct wt_hive_writing **ret_writing, struct wt_error *err);

/**
 * Waits for the bytes of the copy, which the child goes on to check: nothing
 * may come of them before wt_hive_write_end() says that they are right.
 *
 * @param ret_fd   a memfd that holds the changed hive, the same bytes
 *                 when nothing was to be changed; the caller closes it
 * @return WT_ERR_HIVE as wt_hive_read_finish(), when the hive is dirty, as
 *         wt_hive_tasks_open() when it cannot take a change, hive-not-written
 *         when hivex fails; WT_ERR_FILE: no-iconv
 */
enum wt_status wt_hive_write_bytes(
	struct wt_hive_writing *writing, int *ret_fd, struct wt_error *err);

/**
 * Waits for the verdict on the copy when what its caller did went well, gives
 * the copy up when it failed, and frees writing.
 *
 * @param writing  NULL allowed
 * @param ret      how the caller's work ended
 * @return ret, or when that is WT_OK: hive-verify (WT_ERR_HIVE), when the
 *         copy is not what was meant
 */
enum wt_status wt_hive_write_end(struct wt_hive_writing *writing,
	enum wt_status ret, struct wt_error *err);

#endif
