/* SPDX-License-Identifier: MIT
 * wim_chunks.h: a compressed resource as the row of chunks that it is. */
#ifndef WT_WIM_CHUNKS_H
#define WT_WIM_CHUNKS_H

#include "wim_header.h"
#include "wim_lib.h"

/**
 * A resource in memory that is compressed by itself.
 *
 * It begins with a number for each chunk but the first: where that begins,
 * counted from the end of these numbers, 4 bytes each. Then the chunks follow,
 * which do not depend on each other; one that would not become shorter stands
 * as it is. Source: Microsoft, "Windows Imaging File Format (WIM)", 2007.
 */
struct wt_wim_chunks {
	const uint8_t *bytes; /**< as it is stored */
	size_t len;
	size_t data_len;  /**< what it decompresses to; WT_HIVE_MAX at most */
	size_t chunk_len; /**< of each chunk but the last, decompressed */
	enum wimlib_compression_type type;
};

#define WT_WIM_CHUNK_NUMBER_LEN 4

/** How the resources of a WIM without solid ones are compressed, if at all. */
enum wimlib_compression_type wt_wim_chunks_type(
	const struct wt_wim_header *header);

/** The resource's bytes as they are stored, to be freed; NULL when they cannot
 *  be had, or are more than WT_HIVE_MAX. */
uint8_t *wt_wim_chunks_load(
	const char *path, const struct wt_wim_extent *extent);

/** How many chunks data of that length has. */
size_t wt_wim_chunk_count(size_t data_len, size_t chunk_len);

/** The length of the numbers before the chunks; data_len is not 0. */
size_t wt_wim_chunk_numbers_len(size_t data_len, size_t chunk_len);

/** The stored bytes of a chunk, borrowed; NULL when there is no such one. */
const uint8_t *wt_wim_chunk_find(
	const struct wt_wim_chunks *chunks, size_t i, size_t *ret_len);

/** A resource that is being decompressed, by processes of their own. */
struct wt_wim_unpacking;

/**
 * Begins to decompress a resource, by as many processes as are worth it. To be
 * called in a child.
 *
 * @param chunks  copied; the bytes are borrowed until the end
 * @param out_fd  a file in memory, which becomes as long as the data
 * @return NULL when it cannot be done so: wimlib will do it, or say why not
 */
struct wt_wim_unpacking *wt_wim_unpack_start(
	const struct wt_wim_chunks *chunks, int out_fd, unsigned processes);

/**
 * Waits for the end and frees unpacking; NULL allowed.
 *
 * @return whether out_fd now holds data with that hash
 */
bool wt_wim_unpack_finish(
	struct wt_wim_unpacking *unpacking, const uint8_t sha1[WT_SHA1_LEN]);

#endif
