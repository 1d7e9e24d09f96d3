/* SPDX-License-Identifier: MIT
 * fuzz_wim_chunks.c: chunks of a compressed resource that says anything.
 *
 * The first four bytes are its decompressed length. */
#include "fuzz.h"
#include "wim_chunks.h"

#include <string.h>

#define CHUNK_LEN 32768

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wt_wim_chunks chunks = {.chunk_len = CHUNK_LEN};
	size_t count = 0;
	uint8_t copy[CHUNK_LEN];

	if (len < 4)
		return 0;
	chunks.data_len = wt_wim_get32(data) % WT_HIVE_MAX + 1;
	chunks.bytes = data + 4;
	chunks.len = len - 4;
	count = wt_wim_chunk_count(chunks.data_len, CHUNK_LEN);
	for (size_t i = 0; i < count + 2; i++) {
		size_t chunk_len = 0;
		const uint8_t *chunk =
			wt_wim_chunk_find(&chunks, i, &chunk_len);

		if (!chunk)
			continue;
		FUZZ_REQUIRE(chunk_len > 0 && chunk_len <= CHUNK_LEN);
		memcpy(copy, chunk, chunk_len);
	}
	return 0;
}
