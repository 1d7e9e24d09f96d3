/* SPDX-License-Identifier: MIT
 * base/buf.h: bounded little-endian reader and writer with sticky failure. */
#ifndef WT_BASE_BUF_H
#define WT_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Reads from borrowed bytes. After the first read past the end every read
 * gives zero or NULL and has_failed stays set, so that a caller may read all
 * fields and look once.
 */
struct wt_reader {
	const uint8_t *data;
	size_t len;
	size_t pos;
	bool has_failed;
};

struct wt_reader wt_reader_init(const void *data, size_t len);
size_t wt_reader_left(const struct wt_reader *reader);
uint32_t wt_reader_u32(struct wt_reader *reader);
uint64_t wt_reader_u64(struct wt_reader *reader);
/** Borrowed from the input; NULL when len bytes are not left. */
const uint8_t *wt_reader_bytes(struct wt_reader *reader, size_t len);

/**
 * Writes into a growing array. After an allocation failed every write does
 * nothing and has_failed stays set. A zeroed struct is an empty writer.
 */
struct wt_writer {
	uint8_t *data;
	size_t len;
	size_t capacity;
	bool has_failed;
};

void wt_writer_u16(struct wt_writer *writer, uint16_t value);
void wt_writer_u32(struct wt_writer *writer, uint32_t value);
void wt_writer_bytes(struct wt_writer *writer, const void *data, size_t len);
/** Makes room for len more bytes. @return false when there is no memory. */
bool wt_writer_reserve(struct wt_writer *writer, size_t len);
/**
 * Room for one more element of an array that grows, by doubling whenever count
 * is a power of two. The array stays the caller's to free, also after NULL.
 */
void *wt_array_grow(void *array, size_t count, size_t size);
/** Frees what was written and empties the writer. */
void wt_writer_free(struct wt_writer *writer);

#endif
