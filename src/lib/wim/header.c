/* SPDX-License-Identifier: MIT
 * wim/header.c: a WIM's header, checked before any library reads the file. */
#include "wim/header.h"

#include "base/io.h"
#include "base/sniff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Header, all numbers little-endian (Microsoft, "Windows Imaging File Format
 * (WIM)", 2007, and what newer Windows writes):
 *
 *   offset size meaning
 *        0    8 "MSWIM\0\0\0", or "WLPWM\0\0\0" when pipable
 *        8    4 length of this header, 208
 *       12    4 version: 0x10d00, or 0xe00 with solid resources
 *       16    4 flags
 *       20    4 chunk length
 *       24   16 GUID
 *       40    2 number of this part
 *       42    2 number of parts
 *       44    4 number of images
 *       48   24 blob table
 *       72   24 XML data
 *       96   24 metadata of the bootable image
 *      120    4 number of the bootable image, 0 for none
 *      124   24 integrity table
 *      148   60 unused
 *
 * Each resource: 7 bytes stored length, 1 byte flags, 8 bytes offset, 8 bytes
 * original length.
 */
#define VERSION_PLAIN 0x10d00
#define VERSION_SOLID 0xe00

/* Far above what a real file needs. XML takes eighteen times its length once
 * libxml2 has read it. */
#define BLOB_TABLE_MAX ((uint64_t)1 << 30)
#define XML_MAX ((uint64_t)4 << 20)

static const uint8_t magic_plain[8] = "MSWIM\0\0";
static const uint8_t magic_pipable[8] = "WLPWM\0\0";

struct wt_wim_resource wt_wim_resource_get(const uint8_t *p)
{
	return (struct wt_wim_resource){
		.len = wt_get64(p) & (((uint64_t)1 << 56) - 1),
		.flags = p[7],
		.offset = wt_get64(p + 8),
		.original_len = wt_get64(p + 16),
	};
}

void wt_wim_resource_put(uint8_t *bytes, const struct wt_wim_resource *resource)
{
	const uint64_t numbers[] = {
		resource->len | (uint64_t)resource->flags << 56,
		resource->offset, resource->original_len};

	for (size_t i = 0; i < 3; i++) {
		wt_put64(bytes + 8 * i, numbers[i]);
	}
}

/* Says what is given instead of a WIM, where that is known. */
static enum wt_status fail_not_a_wim(const struct wt_sniff *what,
	uint64_t file_len, const char *object, struct wt_error *err)
{
	if (!what)
		return wt_fail(err, WT_ERR_WIM, "wim-not-a-wim", object,
			"is not a WIM: its first bytes (of %llu) are not a "
			"WIM's",
			(unsigned long long)file_len);
	wt_fail(err, WT_ERR_WIM, "wim-not-a-wim", object, "is not a WIM but %s",
		what->name);
	if (what->for_target)
		wt_error_hint(err, "%s", what->for_target);
	return WT_ERR_WIM;
}

/* Some kinds are known by what is further on, or at the end. */
static enum wt_status fail_by_content(
	int fd, uint64_t file_len, const char *object, struct wt_error *err)
{
	uint8_t *bytes = malloc(WT_SNIFF_LEN);
	uint8_t tail[WT_SNIFF_TAIL_LEN] = {0};
	const struct wt_sniff *what = NULL;
	size_t len = 0, tail_len = 0;
	enum wt_status ret = WT_OK;

	if (!bytes)
		return wt_fail_memory(err);
	ret = wt_io_read_some(fd, bytes, WT_SNIFF_LEN, 0, object, &len, err);
	if (ret == WT_OK && file_len >= sizeof(tail))
		ret = wt_io_read_some(fd, tail, sizeof(tail),
			file_len - sizeof(tail), object, &tail_len, err);
	if (ret == WT_OK) {
		what = wt_sniff_binary(bytes, len, tail, tail_len);
		if (!what)
			what = wt_sniff_text((const char *)bytes, len);
		ret = fail_not_a_wim(what, file_len, object, err);
	}
	free(bytes);
	return ret;
}

static enum wt_status check_resource(const struct wt_wim_resource *resource,
	const char *what, uint64_t file_len, const char *object,
	struct wt_error *err)
{
	if (resource->len == 0)
		return WT_OK;
	if (resource->offset < WT_WIM_HEADER_LEN)
		return wt_fail(err, WT_ERR_WIM, "wim-damaged", object,
			"its header places the %s in the header itself", what);
	if (resource->offset > file_len ||
		resource->len > file_len - resource->offset) {
		wt_fail(err, WT_ERR_WIM, "wim-truncated", object,
			"is cut off: its %s should be at %llu (%llu bytes), "
			"and the file has %llu bytes",
			what, (unsigned long long)resource->offset,
			(unsigned long long)resource->len,
			(unsigned long long)file_len);
		wt_error_hint(err, "copy or download the file again");
		return WT_ERR_WIM;
	}
	return WT_OK;
}

static enum wt_status check_counts(const struct wt_wim_header *header,
	const char *object, struct wt_error *err)
{
	const struct wt_wim_resource *table = &header->blob_table;

	if (header->image_count > WT_WIM_IMAGES_MAX)
		return wt_fail(err, WT_ERR_WIM, "wim-unsupported", object,
			"its header says %u images; more than %d are not "
			"supported",
			header->image_count, WT_WIM_IMAGES_MAX);
	if (header->boot_index > header->image_count)
		return wt_fail(err, WT_ERR_WIM, "wim-damaged", object,
			"its header says that image %u of %u is the bootable "
			"one",
			header->boot_index, header->image_count);
	if (header->part == 0 || header->part > header->part_count)
		return wt_fail(err, WT_ERR_WIM, "wim-damaged", object,
			"its header says that it is part %u of %u",
			header->part, header->part_count);
	if (table->len > BLOB_TABLE_MAX || table->original_len > BLOB_TABLE_MAX)
		return wt_fail(err, WT_ERR_WIM, "wim-damaged", object,
			"its header says that the blob table has %llu bytes",
			(unsigned long long)(table->len > BLOB_TABLE_MAX
						     ? table->len
						     : table->original_len));
	if (header->xml.len > XML_MAX || header->xml.original_len > XML_MAX)
		return wt_fail(err, WT_ERR_WIM, "wim-damaged", object,
			"its header says that the XML data has %llu bytes; "
			"more than %llu are not read",
			(unsigned long long)(header->xml.len > XML_MAX
						     ? header->xml.len
						     : header->xml
							       .original_len),
			(unsigned long long)XML_MAX);
	/* Each image has a metadata resource, and that an entry here. The
	 * other parts of a split WIM have none. */
	if (header->part_count == 1 &&
		table->original_len / WT_WIM_BLOB_LEN < header->image_count)
		return wt_fail(err, WT_ERR_WIM, "wim-damaged", object,
			"its header says %u images, but its blob table has "
			"room for %llu",
			header->image_count,
			(unsigned long long)table->original_len /
				WT_WIM_BLOB_LEN);
	if (header->xml.len == 0)
		return wt_fail(err, WT_ERR_WIM, "wim-damaged", object,
			"its header names no XML data");
	return WT_OK;
}

static void find_end(struct wt_wim_header *header)
{
	const struct wt_wim_resource *resources[] = {
		&header->blob_table,
		&header->xml,
		&header->boot_metadata,
		&header->integrity,
	};

	header->used_len = WT_WIM_HEADER_LEN;
	for (size_t i = 0; i < 4; i++)
		if (resources[i]->len > 0 &&
			resources[i]->offset + resources[i]->len >
				header->used_len)
			header->used_len =
				resources[i]->offset + resources[i]->len;
}

enum wt_status wt_wim_header_parse(const uint8_t bytes[WT_WIM_HEADER_LEN],
	uint64_t file_len, const char *object, struct wt_wim_header *ret_header,
	struct wt_error *err)
{
	struct wt_wim_header header = {
		.version = wt_get32(bytes + 12),
		.flags = wt_get32(bytes + 16),
		.chunk_len = wt_get32(bytes + 20),
		.part = wt_get16(bytes + 40),
		.part_count = wt_get16(bytes + 42),
		.image_count = wt_get32(bytes + 44),
		.blob_table =
			wt_wim_resource_get(bytes + WT_WIM_BLOB_TABLE_OFFSET),
		.xml = wt_wim_resource_get(bytes + WT_WIM_XML_OFFSET),
		.boot_metadata = wt_wim_resource_get(
			bytes + WT_WIM_BOOT_METADATA_OFFSET),
		.boot_index = wt_get32(bytes + 120),
		.integrity = wt_wim_resource_get(bytes + 124),
		.is_pipable = memcmp(bytes, magic_pipable, 8) == 0,
		.is_solid = wt_get32(bytes + 12) == VERSION_SOLID,
	};
	const struct {
		const struct wt_wim_resource *resource;
		const char *what;
	} checked[] = {
		{&header.blob_table, "blob table"},
		{&header.xml, "XML data"},
		{&header.boot_metadata, "metadata of the bootable image"},
		{&header.integrity, "integrity table"},
	};
	enum wt_status ret = WT_OK;

	if (!header.is_pipable && memcmp(bytes, magic_plain, 8) != 0)
		return fail_not_a_wim(
			wt_sniff_binary(bytes, WT_WIM_HEADER_LEN, NULL, 0),
			file_len, object, err);
	if (wt_get32(bytes + 8) != WT_WIM_HEADER_LEN)
		return wt_fail(err, WT_ERR_WIM, "wim-unsupported", object,
			"its header has %u bytes, not %d", wt_get32(bytes + 8),
			WT_WIM_HEADER_LEN);
	if (header.version != VERSION_PLAIN && header.version != VERSION_SOLID)
		return wt_fail(err, WT_ERR_WIM, "wim-unsupported", object,
			"has version %#x of the WIM format; %#x and %#x are "
			"supported",
			header.version, VERSION_PLAIN, VERSION_SOLID);
	memcpy(header.guid, bytes + 24, sizeof(header.guid));
	for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++) {
		ret = check_resource(checked[i].resource, checked[i].what,
			file_len, object, err);
		if (ret != WT_OK)
			return ret;
	}
	ret = check_counts(&header, object, err);
	if (ret != WT_OK)
		return ret;
	find_end(&header);
	*ret_header = header;
	return WT_OK;
}

/*
 * The integrity table:
 *
 *   offset size meaning
 *        0    4 length of the table
 *        4    4 number of chunks
 *        8    4 length of a chunk
 *       12   20 SHA-1 of the first chunk, and so on; the first begins after
 *               the header, the last ends with the blob table
 */
enum wt_status wt_wim_last_chunk(int fd, const struct wt_wim_header *header,
	const char *object, struct wt_wim_extent *ret_chunk,
	uint64_t *ret_sum_at, struct wt_error *err)
{
	uint64_t len = header->blob_table.offset + header->blob_table.len -
		       WT_WIM_HEADER_LEN;
	uint8_t bytes[WT_WIM_SUMS_OFFSET] = {0};
	uint64_t chunk_len = 0;
	uint64_t last = 0;
	size_t got = 0;
	enum wt_status ret = WT_OK;

	*ret_chunk = (struct wt_wim_extent){0};
	if (header->integrity.len == 0 || header->blob_table.len == 0)
		return WT_OK;
	ret = wt_io_read_some(fd, bytes, sizeof(bytes),
		header->integrity.offset, object, &got, err);
	if (ret != WT_OK)
		return ret;
	chunk_len = wt_get32(bytes + 8);
	if (got < sizeof(bytes) || chunk_len == 0 ||
		wt_get32(bytes + 4) != (len + chunk_len - 1) / chunk_len ||
		header->integrity.len <
			WT_WIM_SUMS_OFFSET +
				(uint64_t)wt_get32(bytes + 4) * WT_SHA1_LEN)
		return wt_fail(err, WT_ERR_WIM, "wim-integrity", object,
			"its integrity table does not fit the file");
	last = len / chunk_len;
	if (last * chunk_len == len)
		return WT_OK;
	ret_chunk->offset = WT_WIM_HEADER_LEN + last * chunk_len;
	ret_chunk->len = len - last * chunk_len;
	*ret_sum_at = header->integrity.offset + WT_WIM_SUMS_OFFSET +
		      last * WT_SHA1_LEN;
	return WT_OK;
}

enum wt_status wt_wim_header_read(int fd, const char *object,
	struct wt_wim_header *ret_header, uint8_t ret_bytes[WT_WIM_HEADER_LEN],
	uint64_t *ret_len, struct wt_error *err)
{
	uint8_t first[WT_WIM_HEADER_LEN] = {0};
	uint8_t last[WT_WIM_HEADER_LEN] = {0};
	const uint8_t *bytes = first;
	enum wt_status ret = WT_OK;
	struct stat st = {0};
	uint64_t len = 0;
	size_t got = 0;

	if (fstat(fd, &st) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "read-failed", object,
			"cannot be read");
	ret = wt_io_read_some(fd, first, sizeof(first), 0, object, &got, err);
	if (ret != WT_OK)
		return ret;
	len = (uint64_t)st.st_size;
	if (got == 0)
		return wt_fail(
			err, WT_ERR_WIM, "wim-not-a-wim", object, "is empty");
	if (got < sizeof(first) && memcmp(first, magic_plain, 8) == 0)
		return wt_fail(err, WT_ERR_WIM, "wim-truncated", object,
			"is cut off inside its header, at %zu bytes", got);
	if (memcmp(first, magic_plain, 8) != 0 &&
		memcmp(first, magic_pipable, 8) != 0)
		return fail_by_content(fd, len, object, err);
	/* The header in front of a pipable WIM is incomplete; the whole one
	 * ends the file. */
	if (memcmp(first, magic_pipable, 8) == 0 &&
		len >= (uint64_t)2 * WT_WIM_HEADER_LEN) {
		ret = wt_io_read_some(fd, last, sizeof(last),
			len - sizeof(last), object, &got, err);
		if (ret != WT_OK)
			return ret;
		if (memcmp(last, magic_pipable, 8) != 0)
			return wt_fail(err, WT_ERR_WIM, "wim-truncated", object,
				"is a pipable WIM that is cut off: the header "
				"that ends it is missing");
		bytes = last;
	}
	ret = wt_wim_header_parse(bytes, len, object, ret_header, err);
	if (ret != WT_OK)
		return ret;
	if (ret_bytes)
		memcpy(ret_bytes, first, sizeof(first));
	if (ret_len)
		*ret_len = len;
	return WT_OK;
}

bool wt_wim_header_is_ordered(const struct wt_wim_header *header)
{
	const struct wt_wim_resource *xml = &header->xml;
	const struct wt_wim_resource *table = &header->blob_table;

	return table->offset + table->len <= xml->offset &&
	       (header->integrity.len == 0 ||
		       xml->offset + xml->len <= header->integrity.offset) &&
	       header->used_len ==
		       (header->integrity.len > 0
				       ? header->integrity.offset +
						 header->integrity.len
				       : xml->offset + xml->len);
}
