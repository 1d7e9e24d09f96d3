/* SPDX-License-Identifier: MIT
 * target/target.h: a WIM, a bare hive or a Windows folder, seen as hives. */
#ifndef WT_TARGET_TARGET_H
#define WT_TARGET_TARGET_H

#include "file/workfile.h"
#include "hive/hive.h"
#include "target/report.h"
#include "wim/wim.h"

/** The hive of one chosen image. */
struct wt_target_hive {
	size_t image; /**< index into the report's images */
	/** Readable; clean: its logs applied or discarded. -1 before its turn
	 *  and after it. */
	int fd;
	bool is_mended; /**< fd is not what the target holds: write it */
	struct wt_hive_reading *reading; /**< NULL when content is there */
	struct wt_hive_content *content;
	int new_fd;	/**< the changed hive, to be put back; -1: unchanged */
	bool is_parked; /**< new_fd is a file in the folder for them */
};

/** An open target. What it finds out goes into the report as well. */
struct wt_target {
	const struct wt_options *options;
	struct wt_report *report;
	enum wt_target_kind kind;
	bool is_writing;
	struct wt_workfile *file; /**< the WIM, or the hive itself */
	/** Leads to file's descriptor: what stands at its path may be another
	 *  file by now. */
	char wim_path[32];
	struct wt_run_folder *iso_folder; /**< of what an ISO held, or NULL */
	struct wt_wim *wim;		  /**< NULL unless it is a WIM */
	struct wt_wim_options wim_options;
	struct wt_target_hive *hives; /**< of the chosen images */
	size_t hive_count;
	/** Those whose turn it is: they have a content. */
	size_t first, end;
	uint64_t room; /**< bytes that memory has for them still */
	/** For changed hives that memory has no room for, and the skeleton of
	 *  a WIM; NULL: not yet made, or gone. */
	struct wt_run_folder *temp_folder;
	/* Between wt_target_prepare() and wt_target_publish() */
	struct wt_publish publish;
	struct wt_copy *copy;	   /**< NULL: the file itself is changed */
	struct wt_wim_patch patch; /**< fd -1: the WIM gets no new hive */
};

/** Makes target->hives of the chosen images, none of them read. A part of
 *  wt_target_open(). */
enum wt_status wt_target_list_hives(
	struct wt_target *target, struct wt_error *err);

/**
 * Lets go of the hives whose turn it was, but for what they became, and reads
 * the next: as many as memory has room for, each mended as the options say.
 * However many there are, all together never take more than three times the
 * longest and 64 MB.
 */
enum wt_status wt_target_next_hives(
	struct wt_target *target, struct wt_error *err);

/** How many hives are worked on at a time: several, but not hundreds. */
#define WT_HIVES_AT_ONCE 8

/** Warns when a WIM's header names the metadata of another image than the one
 *  that it says starts. */
void wt_target_warn_boot(const struct wt_target *target, bool is_mended);

/** Names a hive in messages: "boot.wim: image 2: SOFTWARE". Cut to size. */
void wt_target_hive_object(const struct wt_target *target,
	const struct wt_target_hive *hive, char *text, size_t size);

/** Called for each hive of an open target, while it has its content. */
typedef enum wt_status wt_target_look_fn(struct wt_target *target,
	const struct wt_target_hive *hive, const void *ctx,
	struct wt_error *err);

/**
 * Opens path, tells what it is, chooses images and reads their hives: the
 * first ones, and with look all of them.
 *
 * @param is_writing  lock it (but for a dry run), and refuse what must not
 *                    be written: an image that a writer left, a dirty hive
 * @param look        NULL, or called for each hive; more than once when
 *                    another program replaced the file meanwhile and all began
 *                    anew, with the report empty
 * @param report      filled with all that is learnt, on failure too
 */
enum wt_status wt_target_open(const char *path, bool is_writing,
	wt_target_look_fn *look, const void *ctx,
	const struct wt_options *options, struct wt_report *report,
	struct wt_target **ret_target, struct wt_error *err);

/**
 * Why did it fail? Of a locked file that another program has replaced
 * meanwhile, only that is said.
 *
 * @param ret  not WT_OK
 * @return what to fail with: ret, or that of changed
 */
enum wt_status wt_target_why(const struct wt_target *target, enum wt_status ret,
	struct wt_error *err);

/** Opens path to read, looks at all its hives, and closes it. */
enum wt_status wt_target_look(const char *path,
	const struct wt_options *options, struct wt_report *report,
	wt_target_look_fn *look, const void *ctx, struct wt_error *err);

/** Unlocks, closes and frees; NULL allowed. */
void wt_target_close(struct wt_target *target);

/**
 * Works out how every new_fd gets into the target; begins to copy it where a
 * copy will take its place. The target is not touched.
 */
enum wt_status wt_target_prepare(
	struct wt_target *target, struct wt_error *err);

/**
 * Publishes what was prepared as the options say, verified. On failure the
 * target is as it was.
 */
enum wt_status wt_target_publish(
	struct wt_target *target, struct wt_error *err);

#endif
