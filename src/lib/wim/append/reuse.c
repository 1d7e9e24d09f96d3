/* SPDX-License-Identifier: MIT
 * wim/append/reuse.c: stores a new hive with the chunks that the old one has.
 */
#include "wim/append/reuse.h"

#include "wim/chunks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS_MAX 300

/* The skeleton while it is added to. */
struct addition {
	const struct wt_wim_append *append;
	uint8_t (*sha1s)[WT_SHA1_LEN]; /* of the puts */
	int ready_fd;		       /* gives a byte when sha1s is filled */
	bool is_ready;		       /* it did */
	struct wt_wim_header header;
	uint8_t header_bytes[WT_WIM_HEADER_LEN];
	uint8_t *table; /* the blob table, with room for all puts */
	uint64_t table_len;
	uint64_t len; /* of the skeleton so far */
	struct wimlib_compressor *compressor;
};

/* A hive as the image holds it. */
struct old_hive {
	struct wt_wim_chunks chunks;
	const uint8_t *data; /* what they decompress to */
};

/* The stored chunk at this place, when the old data have the same there. */
static bool chunk_reuse(const struct old_hive *old, const uint8_t *data,
	size_t at, size_t len, uint8_t *out, size_t *ret_len)
{
	size_t i = at / old->chunks.chunk_len;

	return wt_wim_chunk_data_len(&old->chunks, i) == len &&
	       memcmp(old->data + at, data + at, len) == 0 &&
	       wt_wim_chunk_read(&old->chunks, i, out, ret_len);
}

/* @return the length; a chunk that does not become shorter stays as it is */
static size_t chunk_pack(const struct addition *addition, const uint8_t *data,
	size_t len, uint8_t *out)
{
	size_t got =
		wimlib_compress(data, len, out, len - 1, addition->compressor);

	if (got > 0)
		return got;
	memcpy(out, data, len);
	return len;
}

/* Makes the new data's resource in out, which has room for its numbers and
 * the data as they are. */
static size_t pack(const struct addition *addition, const struct old_hive *old,
	const uint8_t *data, size_t data_len, uint8_t *out)
{
	size_t chunk_len = old->chunks.chunk_len;
	size_t first = wt_wim_chunk_numbers_len(data_len, chunk_len);
	size_t used = first;

	for (size_t at = 0; at < data_len; at += chunk_len) {
		size_t i = at / chunk_len;
		size_t len =
			data_len - at < chunk_len ? data_len - at : chunk_len;
		size_t got = 0;

		if (i > 0)
			wt_put32(out + (i - 1) * WT_WIM_CHUNK_NUMBER_LEN,
				(uint32_t)(used - first));
		if (!chunk_reuse(old, data, at, len, out + used, &got))
			got = chunk_pack(addition, data + at, len, out + used);
		used += got;
	}
	return used;
}

static bool is_in_table(
	const struct addition *addition, const uint8_t sha1[WT_SHA1_LEN])
{
	for (uint64_t at = 0; at < addition->table_len; at += WT_WIM_BLOB_LEN)
		if (memcmp(addition->table + at + WT_WIM_BLOB_SHA1_OFFSET, sha1,
			    WT_SHA1_LEN) == 0)
			return true;
	return false;
}

/* Waits for the hashes of the new hives. Its parent ends the wait in any case:
 * by the byte, or by ending this process. */
static enum wt_status sha1s_wait(
	struct addition *addition, struct wt_error *err)
{
	char byte = 0;

	if (!addition->is_ready && read(addition->ready_fd, &byte, 1) != 1)
		return wt_fail(err, WT_ERR_FILE, "read-failed",
			addition->append->object,
			"the hashes of the new hives did not come");
	addition->is_ready = true;
	return WT_OK;
}

static enum wt_status skeleton_write(const struct addition *addition,
	const void *data, size_t len, uint64_t offset, struct wt_error *err)
{
	const struct wt_wim_skeleton *skeleton = addition->append->skeleton;
	enum wt_status ret = wt_io_write_all(
		skeleton->fd, data, len, offset, skeleton->path, err);

	if (ret != WT_OK)
		wt_error_hint(err, "set TMPDIR to a folder with more room");
	return ret;
}

/* Adds the resource and its entry. No image refers to it yet; wimlib counts
 * those that will. */
static enum wt_status add_resource(struct addition *addition, size_t put_index,
	const uint8_t *bytes, size_t len, size_t data_len, struct wt_error *err)
{
	const struct wt_wim_append *append = addition->append;
	const struct wt_wim_resource resource = {
		.offset = addition->len,
		.len = len,
		.original_len = data_len,
		.flags = WT_WIM_RESOURCE_COMPRESSED,
	};
	uint8_t *entry = addition->table + addition->table_len;
	enum wt_status ret =
		skeleton_write(addition, bytes, len, addition->len, err);

	if (ret != WT_OK)
		return ret;
	memset(entry, 0, WT_WIM_BLOB_LEN);
	wt_wim_resource_put(entry, &resource);
	entry[WT_WIM_BLOB_PART_OFFSET] = 1;
	memcpy(entry + WT_WIM_BLOB_SHA1_OFFSET, addition->sha1s[put_index],
		WT_SHA1_LEN);
	append->placed[put_index] =
		(struct wt_wim_extent){.offset = addition->len, .len = len};
	addition->table_len += WT_WIM_BLOB_LEN;
	addition->len += len;
	return WT_OK;
}

static const uint8_t *map(int fd, size_t *ret_len)
{
	struct stat st = {0};
	void *ret = NULL;

	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size == 0)
		return NULL;
	*ret_len = (size_t)st.st_size;
	ret = mmap(NULL, *ret_len, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	return ret == MAP_FAILED ? NULL : ret;
}

/* The child ends soon, and what is mapped ends with it. */
static enum wt_status hive_add(struct addition *addition, size_t put_index,
	struct old_hive *old, struct wt_error *err)
{
	const struct wt_wim_put *put = &addition->append->puts[put_index];
	size_t data_len = 0, len = 0;
	const uint8_t *data = map(put->hive_fd, &data_len);
	enum wt_status ret = WT_OK;
	uint8_t *out = NULL;

	old->data = map(put->old_fd, &old->chunks.data_len);
	if (!data || !old->data ||
		!wt_wim_chunks_open(&old->chunks, addition->append->path))
		return WT_OK;
	out = malloc(data_len +
		     wt_wim_chunk_numbers_len(data_len, old->chunks.chunk_len));
	if (!out)
		return WT_OK;
	len = pack(addition, old, data, data_len, out);
	ret = sha1s_wait(addition, err);
	if (ret == WT_OK && len < data_len &&
		!is_in_table(addition, addition->sha1s[put_index]))
		ret = add_resource(
			addition, put_index, out, len, data_len, err);
	free(out);
	return ret;
}

static enum wt_status add_put(
	struct addition *addition, size_t put_index, struct wt_error *err)
{
	const struct wt_wim_append *append = addition->append;
	const struct wt_wim_put *put = &append->puts[put_index];
	const struct wt_wim_image *image = &append->wim->images[put->image];
	struct old_hive old = {
		.chunks.fd = -1,
		.chunks.place = image->hive_place,
		.chunks.chunk_len = addition->header.chunk_len,
	};
	enum wt_status ret = WT_OK;

	/* A saving; hive_add() looks again when the hashes are there. */
	if (!image->is_hive_alone ||
		(addition->is_ready &&
			is_in_table(addition, addition->sha1s[put_index])))
		return WT_OK;
	ret = hive_add(addition, put_index, &old, err);
	wt_wim_chunks_close(&old.chunks);
	return ret;
}

/* Where the skeleton has a hole of this length, or 0. What stands in a hole
 * never leaves the skeleton. */
static uint64_t hole_find(const struct addition *addition, uint64_t len)
{
	const struct wt_wim *wim = addition->append->wim;

	for (size_t i = 0; i < wim->extent_count; i++) {
		uint64_t begin = wim->extents[i].offset + wim->extents[i].len;
		bool is_free = begin + len <= addition->append->skeleton->len;

		for (size_t k = 0; is_free && k < wim->extent_count; k++)
			is_free =
				wim->extents[k].offset >= begin + len ||
				wim->extents[k].offset + wim->extents[k].len <=
					begin;
		if (is_free)
			return begin;
	}
	return 0;
}

/* wimlib appends behind the XML data, and demands that resources stand before
 * their end and the blob table before them. So the XML data is repeated behind
 * the new resources; the table is for wimlib alone. */
static enum wt_status tables_write(
	struct addition *addition, uint64_t table_at, struct wt_error *err)
{
	struct wt_wim_header *header = &addition->header;
	const struct wt_wim_skeleton *skeleton = addition->append->skeleton;
	uint8_t *xml = malloc(header->xml.len);
	enum wt_status ret = WT_OK;

	if (!xml)
		return wt_fail_memory(err);
	ret = wt_io_read_all(skeleton->fd, xml, header->xml.len,
		header->xml.offset, skeleton->path, err);
	if (ret == WT_OK)
		ret = skeleton_write(
			addition, xml, header->xml.len, addition->len, err);
	free(xml);
	header->xml.offset = addition->len;
	header->blob_table.offset = table_at;
	header->blob_table.len = addition->table_len;
	header->blob_table.original_len = addition->table_len;
	wt_wim_resource_put(addition->header_bytes + WT_WIM_BLOB_TABLE_OFFSET,
		&header->blob_table);
	wt_wim_resource_put(
		addition->header_bytes + WT_WIM_XML_OFFSET, &header->xml);
	if (ret == WT_OK)
		ret = skeleton_write(addition, addition->table,
			addition->table_len, table_at, err);
	if (ret == WT_OK)
		ret = skeleton_write(addition, addition->header_bytes,
			WT_WIM_HEADER_LEN, 0, err);
	return ret;
}

/* false: leave it to wimlib. */
static bool can_reuse(struct addition *addition)
{
	const struct wt_wim_header *header = &addition->header;
	enum wimlib_compression_type type = wt_wim_chunks_type(header);

	return !header->is_solid && header->integrity.len == 0 &&
	       (header->flags & WT_WIM_FLAG_COMPRESSED) &&
	       type != WIMLIB_COMPRESSION_TYPE_NONE &&
	       header->blob_table.flags == header->xml.flags &&
	       !(header->xml.flags &
		       (WT_WIM_RESOURCE_COMPRESSED | WT_WIM_RESOURCE_SOLID)) &&
	       wimlib_create_compressor(type, header->chunk_len,
		       WT_WIM_COMPRESSION_LEVEL, &addition->compressor) == 0;
}

static enum wt_status add_all(struct addition *addition, struct wt_error *err)
{
	const struct wt_wim_append *append = addition->append;
	uint64_t old_len = addition->header.blob_table.len;
	uint64_t room = old_len + append->put_count * WT_WIM_BLOB_LEN;
	uint64_t table_at = hole_find(addition, room);
	enum wt_status ret = WT_OK;

	if (table_at == 0)
		return WT_OK;
	addition->table = malloc(room);
	addition->table_len = old_len;
	if (!addition->table)
		return WT_OK;
	ret = wt_io_read_all(append->skeleton->fd, addition->table, old_len,
		addition->header.blob_table.offset, append->skeleton->path,
		err);
	for (size_t i = 0; ret == WT_OK && i < append->put_count; i++)
		ret = add_put(addition, i, err);
	if (ret == WT_OK && addition->table_len > old_len)
		ret = tables_write(addition, table_at, err);
	free(addition->table);
	return ret;
}

static enum wt_status reuse_in_child(void *arg, struct wt_error *err)
{
	struct addition *addition = arg;
	const struct wt_wim_append *append = addition->append;
	enum wt_status ret = wt_wim_header_read(append->skeleton->fd,
		append->object, &addition->header, addition->header_bytes,
		&addition->len, err);

	if (ret != WT_OK || !can_reuse(addition))
		return ret;
	ret = add_all(addition, err);
	wimlib_free_compressor(addition->compressor);
	return ret;
}

enum wt_status wt_wim_reuse_start(const struct wt_wim_append *append,
	uint8_t (*sha1s)[WT_SHA1_LEN], int ready_fd,
	struct wt_child_job **ret_job, struct wt_error *err)
{
	struct wt_sandbox sandbox = wt_wim_append_sandbox(append);
	/* The child has its own copy of this. */
	struct addition addition = {
		.append = append, .sha1s = sha1s, .ready_fd = ready_fd};

	append->fds[sandbox.fd_count++] = ready_fd;
	return wt_wim_child_start(append->object, SECONDS_MAX, append->options,
		&sandbox, reuse_in_child, &addition, ret_job, err);
}
