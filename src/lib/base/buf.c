/* SPDX-License-Identifier: MIT
 * base/buf.c: bounded little-endian reader and writer with sticky failure. */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

struct wt_reader wt_reader_init(const void *data, size_t len)
{
	return (struct wt_reader){.data = data, .len = len};
}

size_t wt_reader_left(const struct wt_reader *reader)
{
	return reader->has_failed ? 0 : reader->len - reader->pos;
}

const uint8_t *wt_reader_bytes(struct wt_reader *reader, size_t len)
{
	const uint8_t *bytes = NULL;

	if (len > wt_reader_left(reader)) {
		reader->has_failed = true;
		return NULL;
	}
	bytes = reader->data + reader->pos;
	reader->pos += len;
	return bytes;
}

static uint64_t read_le(struct wt_reader *reader, size_t len)
{
	const uint8_t *bytes = wt_reader_bytes(reader, len);
	uint64_t value = 0;

	for (size_t i = len; bytes && i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

uint32_t wt_reader_u32(struct wt_reader *reader)
{
	return (uint32_t)read_le(reader, 4);
}

uint64_t wt_reader_u64(struct wt_reader *reader)
{
	return read_le(reader, 8);
}

bool wt_writer_reserve(struct wt_writer *writer, size_t len)
{
	size_t capacity = writer->capacity ? writer->capacity : 256;
	uint8_t *data = NULL;

	if (writer->has_failed || len > SIZE_MAX / 2 - writer->len) {
		writer->has_failed = true;
		return false;
	}
	if (writer->data && writer->len + len <= writer->capacity)
		return true;
	while (capacity < writer->len + len)
		capacity *= 2;
	data = realloc(writer->data, capacity);
	if (!data) {
		writer->has_failed = true;
		return false;
	}
	writer->data = data;
	writer->capacity = capacity;
	return true;
}

void *wt_array_grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	return reallocarray(array, count == 0 ? 1 : 2 * count, size);
}

void wt_writer_bytes(struct wt_writer *writer, const void *data, size_t len)
{
	if (!wt_writer_reserve(writer, len) || len == 0)
		return;
	memcpy(writer->data + writer->len, data, len);
	writer->len += len;
}

static void write_le(struct wt_writer *writer, uint64_t value, size_t len)
{
	uint8_t bytes[8] = {0};

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	wt_writer_bytes(writer, bytes, len);
}

void wt_writer_u16(struct wt_writer *writer, uint16_t value)
{
	write_le(writer, value, 2);
}

void wt_writer_u32(struct wt_writer *writer, uint32_t value)
{
	write_le(writer, value, 4);
}

void wt_writer_free(struct wt_writer *writer)
{
	free(writer->data);
	*writer = (struct wt_writer){0};
}
