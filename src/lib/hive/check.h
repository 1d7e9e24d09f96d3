/* SPDX-License-Identifier: MIT
 * hive/check.h: what a hive's raw bytes must be before anything trusts them. */
#ifndef WT_HIVE_CHECK_H
#define WT_HIVE_CHECK_H

#include "base/error.h"

#include "base/bytes.h"

/*
 * Source of the format: "Windows registry file format specification" by
 * Maxim Suhanov. A hive is a base block of 4096 bytes and then bins, which
 * cells fill without a gap. All integers are little-endian; an offset counts
 * from the first bin.
 */

#define WT_HIVE_PAGE 4096u
#define WT_HIVE_BIN_HEAD 32u
#define WT_HIVE_NONE 0xFFFFFFFFu
/** The longest data that one cell holds from version 1.4 on. */
#define WT_HIVE_CELL_DATA_MAX 16344u

/** No hive's bins are longer. */
#define WT_HIVE_BINS_LEN_MAX 0x7FFFF000u

/* Base block: offset of each field */
enum {
	WT_BASE_PRIMARY = 4,
	WT_BASE_SECONDARY = 8,
	WT_BASE_TIME = 12,
	WT_BASE_MAJOR = 20,
	WT_BASE_MINOR = 24,
	WT_BASE_TYPE = 28,
	WT_BASE_FORMAT = 32,
	WT_BASE_ROOT = 36,
	WT_BASE_BINS_LEN = 40,
	WT_BASE_FLAGS = 144,
	WT_BASE_CHECKSUM = 508,
};

/* Key node, counted from its signature "nk" */
enum {
	WT_NK_FLAGS = 2,
	WT_NK_TIME = 4,
	WT_NK_PARENT = 16,
	WT_NK_SUBKEY_COUNT = 20,
	WT_NK_SUBKEYS = 28,
	WT_NK_VOLATILE_SUBKEYS = 32,
	WT_NK_VALUE_COUNT = 36,
	WT_NK_VALUES = 40,
	WT_NK_SECURITY = 44,
	WT_NK_CLASS = 48,
	WT_NK_SUBKEY_NAME_MAX = 52,
	WT_NK_VALUE_NAME_MAX = 60,
	WT_NK_VALUE_DATA_MAX = 64,
	WT_NK_NAME_LEN = 72,
	WT_NK_CLASS_LEN = 74,
	WT_NK_NAME = 76,
	WT_NK_FLAG_ASCII = 0x20,
};

/* Value, counted from its signature "vk" */
enum {
	WT_VK_NAME_LEN = 2,
	WT_VK_DATA_LEN = 4,
	WT_VK_DATA = 8,
	WT_VK_TYPE = 12,
	WT_VK_FLAGS = 16,
	WT_VK_NAME = 20,
	WT_VK_FLAG_ASCII = 1,
};
/** In a value's length: the offset field holds the data itself. */
#define WT_VK_INLINE 0x80000000u

/* Security descriptor, counted from its signature "sk" */
enum {
	WT_SK_NEXT = 4,
	WT_SK_PREVIOUS = 8,
	WT_SK_REFERENCES = 12,
	WT_SK_LEN = 16,
	WT_SK_HEAD_LEN = 20,
};

/** What a base block says. */
struct wt_hive_base {
	uint32_t primary, secondary;
	uint64_t time; /**< FILETIME */
	uint32_t major, minor;
	uint32_t type, format;
	uint32_t root;	   /**< offset of the root key */
	uint32_t bins_len; /**< bytes of bins behind the base block */
	bool is_checksum_good;
};

/** The checksum that belongs into the 512 bytes at base. */
uint32_t wt_hive_checksum(const uint8_t *base);

/** Reads the fields of the 512 bytes at base; says nothing about them. */
void wt_hive_base_get(const uint8_t *base, struct wt_hive_base *ret_base);

/**
 * Checks the base block of a file that is file_len bytes long.
 *
 * @param data       the first data_len bytes of the file
 * @param may_dirty  accept a hive whose logs run ahead of it
 * @return WT_ERR_HIVE: hive-not-a-hive, hive-bad-header, hive-version,
 *         hive-bad-size, hive-truncated, hive-dirty
 */
enum wt_status wt_hive_base_check(const uint8_t *data, size_t data_len,
	uint64_t file_len, bool may_dirty, const char *object,
	struct wt_hive_base *ret_base, struct wt_error *err);

/** Is the length in base one of a hive, and is the file that long?
 *  @return WT_ERR_HIVE: hive-bad-size, hive-truncated */
enum wt_status wt_hive_base_size_check(const struct wt_hive_base *base,
	uint64_t file_len, const char *object, struct wt_error *err);

/** A hive in memory. data is borrowed. */
struct wt_hive_raw {
	uint8_t *data;	/**< base block and bins */
	size_t len;	/**< without what stands behind the last bin */
	uint8_t *used;	/**< one bit for every 8 bytes of bins: a cell in use
			     begins there */
	uint8_t *once;	/**< the same for cells that something leads to: a key,
			     list, value, data or class name, and for places in
			     free space that a damaged hive leads to; NULL
			     unless asked for, as the next two */
	uint8_t *twice; /**< and for those that two things lead to */
	uint8_t *security; /**< and for what keys have as their security
				descriptor */
	const char *object;
	struct wt_hive_base base;
	uint64_t key_count; /**< keys below and with the root */
};

static inline bool wt_hive_bit(const uint8_t *bits, uint32_t offset)
{
	return bits[offset / 64] >> (offset / 8 % 8) & 1;
}

static inline void wt_hive_bit_set(uint8_t *bits, uint32_t offset)
{
	bits[offset / 64] |= (uint8_t)(1u << (offset / 8 % 8));
}

enum wt_hive_raw_flag {
	WT_HIVE_WITH_OWNERS = 1, /**< find out what leads to cells */
	WT_HIVE_MAY_BE_DIRTY = 2 /**< logs may run ahead of it */
};

/**
 * Checks a whole hive: base block, bins, cells, and the tree of keys from
 * the root: every key and list of keys in a cell of its own that is in use,
 * long enough and rightly signed, counts that agree, no key reached twice.
 *
 * @param data   file_len bytes; must outlive ret_raw
 * @param flags  enum wt_hive_raw_flag bits
 * @return WT_ERR_HIVE: as wt_hive_base_check(), and hive-bad-bin,
 *         hive-bad-cell, hive-bad-key, hive-bad-list
 */
enum wt_status wt_hive_raw_open(struct wt_hive_raw *ret_raw, uint8_t *data,
	size_t file_len, unsigned flags, const char *object,
	struct wt_error *err);
void wt_hive_raw_close(struct wt_hive_raw *raw);

/**
 * The contents of the cell in use at offset, behind its length field.
 *
 * @param ret_len  bytes of contents, at least min_len; may be NULL
 * @return NULL when there is no such cell or it is shorter than min_len
 */
uint8_t *wt_hive_cell(const struct wt_hive_raw *raw, uint32_t offset,
	size_t min_len, size_t *ret_len);

/** Calls visit for every cell that hangs on a key: class name, list of
 *  values, values, data and its segments. What is malformed is passed over,
 *  and what hangs on a cell that is led to twice.
 *  The lists of subkeys and the security descriptor are not among them. */
void wt_hive_key_cells(const struct wt_hive_raw *raw, uint32_t key,
	void (*visit)(void *ctx, uint32_t offset), void *ctx);

/** The same for the cells of one value's data, without the value. */
void wt_hive_data_cells(const struct wt_hive_raw *raw, const uint8_t *value,
	void (*visit)(void *ctx, uint32_t offset), void *ctx);

/** The key node at offset, its name within the cell; NULL if there is no key.
 */
uint8_t *wt_hive_key(const struct wt_hive_raw *raw, uint32_t offset);

/** The value at offset, its name within the cell; NULL if there is no value. */
uint8_t *wt_hive_value(const struct wt_hive_raw *raw, uint32_t offset);

/** A list of offsets that grows. Free at with free(). */
struct wt_hive_offsets {
	uint32_t *at;
	size_t count, room;
};

/** @return false when there is no memory */
bool wt_hive_offsets_add(struct wt_hive_offsets *offsets, uint32_t offset);

/** As wt_hive_subkeys(); adds them to keys. */
enum wt_status wt_hive_subkeys_add(const struct wt_hive_raw *raw, uint32_t key,
	struct wt_hive_offsets *keys, struct wt_error *err);

/**
 * The offsets of a key's subkeys, in the order of its lists.
 *
 * @param ret_keys  free with free(); NULL when there are none
 * @return WT_ERR_HIVE: hive-bad-list
 */
enum wt_status wt_hive_subkeys(const struct wt_hive_raw *raw, uint32_t key,
	uint32_t **ret_keys, size_t *ret_count, struct wt_error *err);

#endif
