/* SPDX-License-Identifier: MIT
 * fuzz_regfile.c: registry exports; what is written is read back. */
#include "cert/reg.h"

#include "fuzz_certs.h"

static enum wt_status text_read(struct wt_cert_list *list, const uint8_t *data,
	size_t len, const char *object, struct wt_error *err)
{
	return wt_regfile_read(list, (const char *)data, len, object, err);
}

static void export_check(const struct wt_cert_info *info)
{
	struct wt_export_value value = {
		"ROOT", info->sha1, info->blob, info->blob_len};
	struct wt_cert_list *list = NULL;
	const struct wt_cert_info *again = NULL;
	uint8_t *text = NULL;
	size_t text_len = 0;

	FUZZ_REQUIRE(wt_export_reg(&value, 1, "winpe-offline", &text, &text_len,
			     NULL) == WT_OK);
	FUZZ_REQUIRE(wt_cert_list_new(&list, NULL) == WT_OK);
	FUZZ_REQUIRE(wt_cert_list_read_memory(
			     list, text, text_len, "again", NULL) == WT_OK);
	FUZZ_REQUIRE(wt_cert_list_count(list) == 1);
	again = wt_cert_info(wt_cert_list_get(list, 0));
	FUZZ_REQUIRE(again->blob_len == info->blob_len &&
		     memcmp(again->blob, info->blob, info->blob_len) == 0);
	wt_cert_list_free(list);
	wt_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wt_cert_list *list = NULL;

	fuzz_reader_run(text_read, data, len);
	if (wt_cert_list_new(&list, NULL) != WT_OK)
		return 0;
	if (text_read(list, data, len, "fuzz", NULL) == WT_OK)
		for (size_t i = 0; i < wt_cert_list_count(list); i++)
			export_check(wt_cert_info(wt_cert_list_get(list, i)));
	wt_cert_list_free(list);
	return 0;
}
