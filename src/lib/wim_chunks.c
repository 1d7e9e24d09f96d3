/* SPDX-License-Identifier: MIT
 * wim_chunks.c: a compressed resource as the row of chunks that it is. */
#include "wim_chunks.h"

#include <openssl/evp.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Starting a process takes as long as some twenty chunks. */
#define PART_CHUNKS_MIN 64
#define PARTS_MAX 8

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

uint8_t *wt_wim_chunks_load(
	const char *path, const struct wt_wim_extent *extent)
{
	uint8_t *bytes = NULL;
	int fd = -1;

	if (extent->len == 0 || extent->len > WT_HIVE_MAX)
		return NULL;
	bytes = malloc((size_t)extent->len);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (bytes && (fd < 0 || wt_wim_pread(fd, bytes, (size_t)extent->len,
					extent->offset, path, NULL) != WT_OK)) {
		free(bytes);
		bytes = NULL;
	}
	if (fd >= 0)
		close(fd);
	return bytes;
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

const uint8_t *wt_wim_chunk_find(
	const struct wt_wim_chunks *chunks, size_t i, size_t *ret_len)
{
	size_t count = wt_wim_chunk_count(chunks->data_len, chunks->chunk_len);
	size_t first =
		wt_wim_chunk_numbers_len(chunks->data_len, chunks->chunk_len);
	size_t begin = 0, end = chunks->len - first;

	if (i >= count || chunks->len < first)
		return NULL;
	if (i > 0)
		begin = wt_wim_get32(
			chunks->bytes + (i - 1) * WT_WIM_CHUNK_NUMBER_LEN);
	if (i + 1 < count)
		end = wt_wim_get32(chunks->bytes + i * WT_WIM_CHUNK_NUMBER_LEN);
	if (begin >= end || end > chunks->len - first ||
		end - begin > chunks->chunk_len)
		return NULL;
	*ret_len = end - begin;
	return chunks->bytes + first + begin;
}

/* The chunks from first to the one before last. */
struct part {
	const struct wt_wim_unpacking *unpacking;
	size_t first, last;
	struct wt_child_job *job;
};

struct wt_wim_unpacking {
	struct wt_wim_chunks chunks;
	uint8_t *data; /* out_fd's */
	struct part parts[PARTS_MAX];
	size_t part_count;
};

static bool chunk_unpack(const struct wt_wim_unpacking *unpacking, size_t i,
	struct wimlib_decompressor *decompressor)
{
	const struct wt_wim_chunks *chunks = &unpacking->chunks;
	size_t at = i * chunks->chunk_len;
	size_t data_len = chunks->data_len - at < chunks->chunk_len
				  ? chunks->data_len - at
				  : chunks->chunk_len;
	size_t len = 0;
	const uint8_t *chunk = wt_wim_chunk_find(chunks, i, &len);

	if (!chunk || len > data_len)
		return false;
	if (len < data_len)
		return wimlib_decompress(chunk, len, unpacking->data + at,
			       data_len, decompressor) == 0;
	memcpy(unpacking->data + at, chunk, len);
	return true;
}

static enum wt_status part_unpack(void *arg, struct wt_error *err)
{
	const struct part *part = arg;
	const struct wt_wim_unpacking *unpacking = part->unpacking;
	struct wimlib_decompressor *decompressor = NULL;
	bool is_right =
		wimlib_create_decompressor(unpacking->chunks.type,
			unpacking->chunks.chunk_len, &decompressor) == 0;

	for (size_t i = part->first; is_right && i < part->last; i++)
		is_right = chunk_unpack(unpacking, i, decompressor);
	wimlib_free_decompressor(decompressor);
	return is_right ? WT_OK
			: wt_fail(err, WT_ERR_WIM, "wim-damaged", NULL,
				  "a chunk cannot be decompressed");
}

static bool parts_start(struct wt_wim_unpacking *unpacking, unsigned processes)
{
	static const struct wt_child how = {
		.limits.seconds = SECONDS_MAX,
		.died_status = WT_ERR_WIM,
		.died_code = "wim-crash",
	};
	size_t count = wt_wim_chunk_count(
		unpacking->chunks.data_len, unpacking->chunks.chunk_len);
	size_t parts = count / PART_CHUNKS_MIN;

	if (parts > processes)
		parts = processes;
	if (parts > PARTS_MAX)
		parts = PARTS_MAX;
	if (parts == 0)
		parts = 1;
	for (size_t i = 0; i < parts; i++) {
		struct part *part = &unpacking->parts[i];

		*part = (struct part){.unpacking = unpacking,
			.first = count * i / parts,
			.last = count * (i + 1) / parts};
		if (wt_child_start(&how, part_unpack, part, &part->job, NULL) !=
			WT_OK)
			return false;
		unpacking->part_count++;
	}
	return true;
}

struct wt_wim_unpacking *wt_wim_unpack_start(
	const struct wt_wim_chunks *chunks, int out_fd, unsigned processes)
{
	struct wt_wim_unpacking *unpacking = NULL;
	void *data = NULL;

	if (chunks->data_len == 0 || chunks->data_len > WT_HIVE_MAX ||
		chunks->chunk_len == 0 ||
		ftruncate(out_fd, (off_t)chunks->data_len) != 0)
		return NULL;
	data = mmap(NULL, chunks->data_len, PROT_READ | PROT_WRITE, MAP_SHARED,
		out_fd, 0);
	unpacking = data == MAP_FAILED ? NULL : calloc(1, sizeof(*unpacking));
	if (!unpacking)
		return NULL;
	unpacking->chunks = *chunks;
	unpacking->data = data;
	if (parts_start(unpacking, processes))
		return unpacking;
	wt_wim_unpack_finish(unpacking, NULL);
	return NULL;
}

bool wt_wim_unpack_finish(
	struct wt_wim_unpacking *unpacking, const uint8_t sha1[WT_SHA1_LEN])
{
	uint8_t found[WT_SHA1_LEN] = {0};
	size_t data_len = 0;
	bool is_right = sha1 != NULL;

	if (!unpacking)
		return false;
	data_len = unpacking->chunks.data_len;
	for (size_t i = 0; i < unpacking->part_count; i++)
		is_right &= wt_child_finish(unpacking->parts[i].job, NULL, NULL,
				    NULL) == WT_OK;
	is_right = is_right &&
		   EVP_Digest(unpacking->data, data_len, found, NULL,
			   EVP_sha1(), NULL) == 1 &&
		   memcmp(found, sha1, sizeof(found)) == 0;
	munmap(unpacking->data, data_len);
	free(unpacking);
	return is_right;
}
