/* SPDX-License-Identifier: MIT
 * base/bytes.h: little-endian numbers at any address. */
#ifndef WT_BASE_BYTES_H
#define WT_BASE_BYTES_H

#include <stdint.h>

static inline uint16_t wt_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t wt_get32(const uint8_t *at)
{
	return (uint32_t)wt_get16(at) | (uint32_t)wt_get16(at + 2) << 16;
}

static inline uint64_t wt_get64(const uint8_t *at)
{
	return (uint64_t)wt_get32(at) | (uint64_t)wt_get32(at + 4) << 32;
}

static inline void wt_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline void wt_put32(uint8_t *at, uint32_t value)
{
	wt_put16(at, value);
	wt_put16(at + 2, value >> 16);
}

static inline void wt_put64(uint8_t *at, uint64_t value)
{
	wt_put32(at, (uint32_t)value);
	wt_put32(at + 4, (uint32_t)(value >> 32));
}

#endif
