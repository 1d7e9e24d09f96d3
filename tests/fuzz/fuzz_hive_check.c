/* SPDX-License-Identifier: MIT
 * fuzz_hive_check.c: the raw checks of a hive. */
#include "fuzz.h"
#include "hive/check.h"

#include <string.h>

static void hive_check(uint8_t *data, size_t len)
{
	struct wt_hive_raw raw = {0};
	struct wt_error err = {0};
	uint32_t *keys = NULL;
	size_t count = 0;

	if (wt_hive_raw_open(&raw, data, len, WT_HIVE_WITH_OWNERS, "fuzz",
		    &err) != WT_OK) {
		FUZZ_REQUIRE(err.status == WT_ERR_HIVE);
		FUZZ_REQUIRE(strncmp(err.code, "hive-", 5) == 0);
		return;
	}
	FUZZ_REQUIRE(raw.key_count > 0);
	FUZZ_REQUIRE(wt_hive_subkeys(&raw, raw.base.root, &keys, &count,
			     &err) == WT_OK);
	for (size_t i = 0; i < count; i++)
		FUZZ_REQUIRE(wt_hive_key(&raw, keys[i]));
	free(keys);
	wt_hive_raw_close(&raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	FUZZ_REQUIRE(copy);
	memcpy(copy, data, len);
	/* A wrong checksum would be all that is ever found. */
	if (len >= 512)
		wt_put32(copy + WT_BASE_CHECKSUM, wt_hive_checksum(copy));
	hive_check(copy, len);
	free(copy);
	return 0;
}
