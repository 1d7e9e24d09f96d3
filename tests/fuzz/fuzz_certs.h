/* SPDX-License-Identifier: MIT
 * fuzz_certs.h: what must hold for every certificate that a reader accepts. */
#ifndef WT_FUZZ_CERTS_H
#define WT_FUZZ_CERTS_H

#include <string.h>

#include "cert/blob.h"
#include "cert/list.h"
#include "fuzz.h"

#define FUZZ_ALLOW_ALL 31U

typedef enum wt_status fuzz_reader(struct wt_cert_list *list,
	const uint8_t *data, size_t len, const char *object,
	struct wt_error *err);

static inline void fuzz_emit(void *ctx, const char *code, const char *text)
{
	(void)ctx;
	FUZZ_REQUIRE(code[0] != '\0' && text[0] != '\0');
}

static inline void fuzz_address(
	void *ctx, enum wt_address kind, const char *uri)
{
	size_t *count = ctx;

	FUZZ_REQUIRE(kind <= WT_ADDRESS_ISSUER && uri != NULL);
	FUZZ_REQUIRE(++*count <= WT_ADDRESSES_MAX);
}

/* What is encoded decodes to the same certificate, name and all. */
static inline void fuzz_cert_check(const struct wt_cert *cert)
{
	const struct wt_cert_info *info = wt_cert_info(cert);
	struct wt_cert *again = NULL;
	struct wt_error err = {0};
	uint8_t *blob = NULL;
	size_t blob_len = 0, address_count = 0;
	enum wt_store store = WT_STORE_AUTO;

	wt_cert_policy(
		cert, WT_STORE_AUTO, FUZZ_ALLOW_ALL, 0, &store, NULL, &err);
	wt_cert_warnings(cert, 0, fuzz_emit, NULL);
	FUZZ_REQUIRE(wt_cert_addresses(cert, fuzz_address, &address_count,
			     &err) == WT_OK);
	FUZZ_REQUIRE((info->limit_count > 0) == (info->limits_text != NULL));
	for (int i = 0; i < 2; i++) {
		if (wt_cert_encode(cert, i ? "name" : NULL, NULL, &blob,
			    &blob_len, &err) != WT_OK) {
			FUZZ_REQUIRE(strcmp(err.code, "blob-too-large") == 0);
			continue;
		}
		if (i == 0 && info->blob)
			FUZZ_REQUIRE(blob_len == info->blob_len &&
				     memcmp(blob, info->blob, blob_len) == 0);
		FUZZ_REQUIRE(wt_certblob_decode(blob, blob_len, info->sha1,
				     "again", &again, &err) == WT_OK);
		FUZZ_REQUIRE(
			strcmp(info->sha256, wt_cert_info(again)->sha256) == 0);
		if (i == 1)
			FUZZ_REQUIRE(strcmp(wt_cert_info(again)->friendly_name,
					     "name") == 0);
		wt_cert_free(again);
		wt_free(blob);
	}
}

/* A reader gives certificates that hold, or an error with code and reason. */
static inline int fuzz_reader_run(
	fuzz_reader *reader, const uint8_t *data, size_t len)
{
	struct wt_cert_list *list = NULL;
	struct wt_error err = {0};

	if (wt_cert_list_new(&list, NULL) != WT_OK)
		return 0;
	if (reader(list, data, len, "fuzz", &err) == WT_OK) {
		FUZZ_REQUIRE(wt_cert_list_count(list) > 0 ||
			     wt_cert_list_refused_count(list) > 0);
		for (size_t i = 0; i < wt_cert_list_count(list); i++)
			fuzz_cert_check(wt_cert_list_get(list, i));
	} else {
		FUZZ_REQUIRE(err.status == WT_ERR_CERT);
		FUZZ_REQUIRE(err.code[0] != '\0' && err.reason[0] != '\0');
	}
	wt_cert_list_free(list);
	return 0;
}

#endif
