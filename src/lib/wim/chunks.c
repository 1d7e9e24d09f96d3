/* SPDX-License-Identifier: MIT
 * wim/chunks.c: a compressed resource as the row of chunks that it is. */
#include "wim/chunks.h"

#include <openssl/evp.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* Starting a process takes as long as some twenty chunks. */
#define HELPER_CHUNKS_MIN 64

#define SECONDS_MAX 300

enum wimlib_compression_type wt_wim_chunks_type(
	const struct wt_wim_header *header)
{
	if (header->flags & WT_WIM_FLAG_LZX)
		return WIMLIB_COMPRESSION_TYPE_LZX;
	if (header->flags & (WT_WIM_FLAG_XPRESS | WT_WIM_FLAG_XPRESS_2))
		return WIMLIB_COMPRESSION_TYPE_XPRESS;
	return WIMLIB_COMPRESSION_TYPE_NONE;
}

bool wt_wim_chunks_open(struct wt_wim_chunks *chunks, const char *path)
{
	size_t len = 0;

	chunks->fd = -1;
	chunks->numbers = NULL;
	if (chunks->data_len == 0 || chunks->data_len > WT_HIVE_MAX ||
		chunks->chunk_len == 0)
		return false;
	len = wt_wim_chunk_numbers_len(chunks->data_len, chunks->chunk_len);
	if (chunks->place.len <= len || chunks->place.len > WT_HIVE_MAX)
		return false;
	chunks->fd = open(path, O_RDONLY | O_CLOEXEC);
	/* One more: malloc(0) may return NULL. */
	chunks->numbers = malloc(len + 1);
	return chunks->fd >= 0 && chunks->numbers &&
	       wt_io_read_all(chunks->fd, chunks->numbers, len,
		       chunks->place.offset, path, NULL) == WT_OK;
}

void wt_wim_chunks_close(struct wt_wim_chunks *chunks)
{
	free(chunks->numbers);
	chunks->numbers = NULL;
	if (chunks->fd >= 0)
		close(chunks->fd);
	chunks->fd = -1;
}

size_t wt_wim_chunk_count(size_t data_len, size_t chunk_len)
{
	return (data_len + chunk_len - 1) / chunk_len;
}

size_t wt_wim_chunk_numbers_len(size_t data_len, size_t chunk_len)
{
	return (wt_wim_chunk_count(data_len, chunk_len) - 1) *
	       WT_WIM_CHUNK_NUMBER_LEN;
}

size_t wt_wim_chunk_data_len(const struct wt_wim_chunks *chunks, size_t i)
{
	size_t at = i * chunks->chunk_len;

	if (i >= wt_wim_chunk_count(chunks->data_len, chunks->chunk_len))
		return 0;
	return chunks->data_len - at < chunks->chunk_len ? chunks->data_len - at
							 : chunks->chunk_len;
}

/* Where a chunk is stored: at *ret_at from the place on, *ret_len bytes, which
 * are no more than its data. false when there is no such chunk. */
static bool chunk_find(const struct wt_wim_chunks *chunks, size_t i,
	size_t *ret_at, size_t *ret_len)
{
	size_t count = wt_wim_chunk_count(chunks->data_len, chunks->chunk_len);
	size_t first =
		wt_wim_chunk_numbers_len(chunks->data_len, chunks->chunk_len);
	uint64_t len = chunks->place.len - first;
	uint64_t begin = 0, end = len;

	if (i >= count)
		return false;
	if (i > 0)
		begin = wt_get32(
			chunks->numbers + (i - 1) * WT_WIM_CHUNK_NUMBER_LEN);
	if (i + 1 < count)
		end = wt_get32(chunks->numbers + i * WT_WIM_CHUNK_NUMBER_LEN);
	if (begin >= end || end > len ||
		end - begin > wt_wim_chunk_data_len(chunks, i))
		return false;
	*ret_at = first + (size_t)begin;
	*ret_len = (size_t)(end - begin);
	return true;
}

bool wt_wim_chunk_read(const struct wt_wim_chunks *chunks, size_t i,
	uint8_t *out, size_t *ret_len)
{
	size_t at = 0;

	return chunk_find(chunks, i, &at, ret_len) &&
	       wt_io_read_all(chunks->fd, out, *ret_len,
		       chunks->place.offset + at, NULL, NULL) == WT_OK;
}

/* What a process decompresses with. The buffers are as long as a chunk, and
 * stay in the processor's cache. */
struct unpacker {
	const struct wt_wim_chunks *chunks;
	struct wimlib_decompressor *decompressor;
	uint8_t *stored, *data;
};

/* To be closed in either case. */
static bool unpacker_open(
	struct unpacker *unpacker, const struct wt_wim_chunks *chunks)
{
	*unpacker = (struct unpacker){.chunks = chunks,
		.stored = malloc(chunks->chunk_len),
		.data = malloc(chunks->chunk_len)};
	return unpacker->stored && unpacker->data &&
	       wimlib_create_decompressor(chunks->type, chunks->chunk_len,
		       &unpacker->decompressor) == 0;
}

static void unpacker_close(struct unpacker *unpacker)
{
	wimlib_free_decompressor(unpacker->decompressor);
	free(unpacker->stored);
	free(unpacker->data);
}

/* The data of a chunk, until the next one is asked for; NULL when it is
 * damaged. */
static const uint8_t *chunk_unpack(const struct unpacker *unpacker, size_t i)
{
	size_t data_len = wt_wim_chunk_data_len(unpacker->chunks, i), len = 0;

	if (!wt_wim_chunk_read(unpacker->chunks, i, unpacker->stored, &len))
		return NULL;
	if (len == data_len)
		return unpacker->stored;
	return wimlib_decompress(unpacker->stored, len, unpacker->data,
		       data_len, unpacker->decompressor) == 0
		       ? unpacker->data
		       : NULL;
}

bool wt_wim_chunks_sha1(
	const struct wt_wim_chunks *chunks, uint8_t ret_sha1[WT_SHA1_LEN])
{
	size_t count = wt_wim_chunk_count(chunks->data_len, chunks->chunk_len);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct unpacker unpacker = {0};
	bool is_right = unpacker_open(&unpacker, chunks) && context &&
			EVP_DigestInit(context, EVP_sha1()) == 1;

	for (size_t i = 0; is_right && i < count; i++) {
		const uint8_t *data = chunk_unpack(&unpacker, i);

		is_right =
			data && EVP_DigestUpdate(context, data,
					wt_wim_chunk_data_len(chunks, i)) == 1;
	}
	is_right = is_right && EVP_DigestFinal(context, ret_sha1, NULL) == 1;
	unpacker_close(&unpacker);
	EVP_MD_CTX_free(context);
	return is_right;
}

struct wt_wim_unpacking {
	const struct wt_wim_chunks *chunks;
	int out_fd;
	atomic_size_t *next; /* the first chunk that nobody has taken yet */
	struct wt_child_job *helpers[WT_WIM_THREADS_MAX];
	size_t helper_count;
};

/* Takes one chunk after another until there is none left. */
static bool chunks_unpack(const struct wt_wim_unpacking *unpacking)
{
	const struct wt_wim_chunks *chunks = unpacking->chunks;
	size_t count = wt_wim_chunk_count(chunks->data_len, chunks->chunk_len);
	struct unpacker unpacker = {0};
	bool is_right = unpacker_open(&unpacker, chunks);
	size_t i = 0;

	while (is_right && (i = atomic_fetch_add(unpacking->next, 1)) < count) {
		size_t len = wt_wim_chunk_data_len(chunks, i);
		const uint8_t *data = chunk_unpack(&unpacker, i);

		is_right = data && pwrite(unpacking->out_fd, data, len,
					   (off_t)(i * chunks->chunk_len)) ==
					   (ssize_t)len;
	}
	unpacker_close(&unpacker);
	return is_right;
}

static enum wt_status help(void *arg, struct wt_error *err)
{
	return chunks_unpack(arg)
		       ? WT_OK
		       : wt_fail(err, WT_ERR_WIM, "wim-damaged", NULL,
				 "a chunk cannot be decompressed");
}

static void helpers_start(
	struct wt_wim_unpacking *unpacking, unsigned processes)
{
	static const struct wt_child how = {
		.limits.seconds = SECONDS_MAX,
		.died_status = WT_ERR_WIM,
		.died_code = "wim-crash",
	};
	const struct wt_wim_chunks *chunks = unpacking->chunks;
	size_t count = wt_wim_chunk_count(chunks->data_len, chunks->chunk_len) /
		       HELPER_CHUNKS_MIN;

	if (count >= processes)
		count = processes - 1;
	/* Without them it only takes longer. */
	while (unpacking->helper_count < count &&
		wt_child_start(&how, help, unpacking,
			&unpacking->helpers[unpacking->helper_count],
			NULL) == WT_OK)
		unpacking->helper_count++;
}

struct wt_wim_unpacking *wt_wim_unpack_start(
	const struct wt_wim_chunks *chunks, int out_fd, unsigned processes)
{
	struct wt_wim_unpacking *unpacking = calloc(1, sizeof(*unpacking));

	if (!unpacking)
		return NULL;
	unpacking->next = wt_shared_new(sizeof(*unpacking->next));
	if (!unpacking->next) {
		free(unpacking);
		return NULL;
	}
	unpacking->chunks = chunks;
	unpacking->out_fd = out_fd;
	helpers_start(unpacking, processes);
	return unpacking;
}

bool wt_wim_unpack_finish(struct wt_wim_unpacking *unpacking)
{
	bool is_right = false;

	if (!unpacking)
		return false;
	is_right = chunks_unpack(unpacking);
	for (size_t i = 0; i < unpacking->helper_count; i++)
		is_right &= wt_child_finish(unpacking->helpers[i], NULL, NULL,
				    NULL) == WT_OK;
	wt_shared_free(unpacking->next, sizeof(*unpacking->next));
	free(unpacking);
	return is_right;
}
