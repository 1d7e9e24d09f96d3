/* SPDX-License-Identifier: MIT
 * wim/find.h: where the SOFTWARE hive stands in an image. */
#ifndef WT_WIM_FIND_H
#define WT_WIM_FIND_H

#include "wim/lib.h"

/** A hive and its logs, each as it is spelled in the image. */
struct wt_wim_found {
	char path[WT_WIM_PATH_MAX]; /**< "" when the image has none */
	uint64_t len;
	/** Where its data stands in the file, alone or with other files'. */
	struct wt_wim_extent resource;
	bool is_compressed_alone;
	uint8_t sha1[WT_SHA1_LEN];
	unsigned links;
	unsigned stream_count; /**< alternate data streams */
	uint8_t stream_sha1s[WT_HIVE_STREAMS_MAX][WT_SHA1_LEN];
	char log_paths[WT_HIVE_LOGS][WT_WIM_PATH_MAX]; /**< "" for none */
	uint64_t log_lens[WT_HIVE_LOGS];
	char winre_path[WT_WIM_PATH_MAX]; /**< of Windows RE; "" for none */
};

/**
 * Looks for the hive without regard to case. To be called in a child.
 *
 * @param image           1 is the first
 * @param ret_hive_error  filled when there is something at the hive's path
 *                        that must not be used; ret_found->path is "" then
 * @return WT_ERR_WIM when the image's metadata cannot be read
 */
enum wt_status wt_wim_find(WIMStruct *wim, int image, const char *object,
	struct wt_wim_found *ret_found, struct wt_error *ret_hive_error,
	struct wt_error *err);

#endif
