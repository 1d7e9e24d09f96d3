/* SPDX-License-Identifier: MIT
 * wim/chunks.h: a compressed resource as the row of chunks that it is. */
#ifndef WT_WIM_CHUNKS_H
#define WT_WIM_CHUNKS_H

#include "wim/header.h"
#include "wim/lib.h"

/**
 * A resource in a file that is compressed by itself.
 *
 * It begins with a number for each chunk but the first: where that begins,
 * counted from the end of these numbers, 4 bytes each. Then the chunks follow,
 * which do not depend on each other; one that would not become shorter stands
 * as it is. Source: Microsoft, "Windows Imaging File Format (WIM)", 2007.
 */
struct wt_wim_chunks {
	int fd; /**< of the file; -1 when there is none */
	struct wt_wim_extent place;
	size_t data_len;  /**< what it decompresses to; WT_HIVE_MAX at most */
	size_t chunk_len; /**< of each chunk but the last, decompressed */
	enum wimlib_compression_type type;
	uint8_t *numbers;
};

#define WT_WIM_CHUNK_NUMBER_LEN 4

/** How the resources of a WIM without solid ones are compressed, if at all. */
enum wimlib_compression_type wt_wim_chunks_type(
	const struct wt_wim_header *header);

/**
 * Opens a resource and reads its numbers.
 *
 * @param chunks  all but fd and numbers is given, and those are set here; to
 *                wt_wim_chunks_close() in either case
 * @return false when it cannot be read, or has no or too many bytes
 */
bool wt_wim_chunks_open(struct wt_wim_chunks *chunks, const char *path);
void wt_wim_chunks_close(struct wt_wim_chunks *chunks);

/** How many chunks data of that length has. */
size_t wt_wim_chunk_count(size_t data_len, size_t chunk_len);

/** The length of the numbers before the chunks; data_len is not 0. */
size_t wt_wim_chunk_numbers_len(size_t data_len, size_t chunk_len);

/** How long a chunk's data are; 0 when there is no such one. */
size_t wt_wim_chunk_data_len(const struct wt_wim_chunks *chunks, size_t i);

/** Reads a chunk's stored bytes to out, which has room for its data; they are
 *  never more than that. false when there is no such chunk. */
bool wt_wim_chunk_read(const struct wt_wim_chunks *chunks, size_t i,
	uint8_t *out, size_t *ret_len);

/** The hash of what a resource decompresses to; false when it is damaged. To be
 *  called in a child. */
bool wt_wim_chunks_sha1(
	const struct wt_wim_chunks *chunks, uint8_t ret_sha1[WT_SHA1_LEN]);

/** A resource that is being decompressed. */
struct wt_wim_unpacking;

/**
 * Begins to decompress a resource, by as many more processes as are worth it,
 * beside what its caller does next. To be called in a child.
 *
 * @param chunks     open; borrowed until the end
 * @param out_fd     an empty file in memory
 * @param processes  1 to WT_WIM_THREADS_MAX, this one among them, which joins
 *                   in at the end
 * @return NULL when it cannot be done so: wimlib will do it, or say why not
 */
struct wt_wim_unpacking *wt_wim_unpack_start(
	const struct wt_wim_chunks *chunks, int out_fd, unsigned processes);

/**
 * Decompresses what is left, waits for the others and frees unpacking; NULL
 * allowed.
 *
 * @return whether out_fd now holds all the data, of whatever hash
 */
bool wt_wim_unpack_finish(struct wt_wim_unpacking *unpacking);

#endif
