/* SPDX-License-Identifier: MIT
 * wim/header.h: a WIM's header, checked before any library reads the file. */
#ifndef WT_WIM_HEADER_H
#define WT_WIM_HEADER_H

#include "base/bytes.h"
#include "wim/wim.h"

/** The place of a resource. len 0 means that there is none. */
struct wt_wim_resource {
	uint64_t offset, len, original_len; /**< bytes */
	uint8_t flags;
};

enum wt_wim_resource_flag {
	WT_WIM_RESOURCE_METADATA = 0x02,
	WT_WIM_RESOURCE_COMPRESSED = 0x04,
	WT_WIM_RESOURCE_SOLID = 0x10,
};

enum wt_wim_header_flag {
	WT_WIM_FLAG_COMPRESSED = 0x00000002,
	WT_WIM_FLAG_READ_ONLY = 0x00000004,
	WT_WIM_FLAG_SPANNED = 0x00000008,
	WT_WIM_FLAG_WRITE_IN_PROGRESS = 0x00000040,
	WT_WIM_FLAG_XPRESS = 0x00020000,
	WT_WIM_FLAG_LZX = 0x00040000,
	WT_WIM_FLAG_LZMS = 0x00080000,
	WT_WIM_FLAG_XPRESS_2 = 0x00200000,
};

/** Where the header has its flags and resources. */
#define WT_WIM_FLAGS_OFFSET 16
#define WT_WIM_BLOB_TABLE_OFFSET 48
#define WT_WIM_XML_OFFSET 72
#define WT_WIM_BOOT_METADATA_OFFSET 96

/** An entry of the blob table: 24 bytes resource, 2 bytes number of the part,
 *  4 bytes reference count, 20 bytes SHA-1 of the data. */
#define WT_WIM_BLOB_LEN 50
#define WT_WIM_BLOB_PART_OFFSET 24
#define WT_WIM_BLOB_REFERENCES_OFFSET 26
#define WT_WIM_BLOB_SHA1_OFFSET 30

/** Where the sums begin in an integrity table; see wim_header.c. */
#define WT_WIM_SUMS_OFFSET 12

/** The header's fields; see wim_header.c for its layout. */
struct wt_wim_header {
	uint32_t version, flags, chunk_len;
	uint8_t guid[16];
	uint16_t part, part_count;
	uint32_t image_count, boot_index;
	struct wt_wim_resource blob_table, xml, boot_metadata, integrity;
	uint64_t used_len; /**< up to the last of these four, bytes */
	bool is_pipable;
	bool is_solid; /**< of the version that may hold solid resources */
};

/**
 * Reads a header from memory and checks it against the file's length.
 *
 * @param bytes     the header; of a pipable WIM the one at the end
 * @param file_len  of the whole file, bytes
 * @return WT_ERR_WIM: wim-not-a-wim, wim-unsupported, wim-truncated,
 *         wim-damaged
 */
enum wt_status wt_wim_header_parse(const uint8_t bytes[WT_WIM_HEADER_LEN],
	uint64_t file_len, const char *object, struct wt_wim_header *ret_header,
	struct wt_error *err);

/**
 * Reads and checks the header of an open file.
 *
 * @param ret_bytes  the 208 bytes at offset 0; NULL allowed
 * @param ret_len    the file's length; NULL allowed
 * @return as wt_wim_header_parse(), and WT_ERR_FILE (read-failed)
 */
enum wt_status wt_wim_header_read(int fd, const char *object,
	struct wt_wim_header *ret_header, uint8_t ret_bytes[WT_WIM_HEADER_LEN],
	uint64_t *ret_len, struct wt_error *err);

/**
 * The last chunk that the integrity table has a sum of, when wimlib would sum
 * it anew on appending: it is not whole, and ends where the blob table ends.
 *
 * @param ret_chunk   its len is 0 when there is none such
 * @param ret_sum_at  offset of its SHA-1 in the file
 * @return WT_ERR_WIM (wim-integrity), WT_ERR_FILE
 */
enum wt_status wt_wim_last_chunk(int fd, const struct wt_wim_header *header,
	const char *object, struct wt_wim_extent *ret_chunk,
	uint64_t *ret_sum_at, struct wt_error *err);

/** Numbers as the format has them, little-endian. */

/** A resource as header and blob table have it, 24 bytes. */
struct wt_wim_resource wt_wim_resource_get(const uint8_t *bytes);
void wt_wim_resource_put(
	uint8_t *bytes, const struct wt_wim_resource *resource);

/** True when blob table, XML and integrity table follow one another, as they
 *  must for wimlib to append. */
bool wt_wim_header_is_ordered(const struct wt_wim_header *header);

#endif
