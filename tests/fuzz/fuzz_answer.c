/* SPDX-License-Identifier: MIT
 * fuzz_answer.c: what the process that parses a file of certificates may tell
 * the program, once hostile input has taken it over. */
#include "cert/kind.h"

#include "fuzz_certs.h"

static void text_check(const char *text)
{
	for (; *text != '\0'; text++)
		FUZZ_REQUIRE((unsigned char)*text >= 0x20 && *text != 0x7F);
}

static void cert_check(const struct wt_cert *cert)
{
	const struct wt_origin *origin = wt_cert_origin(cert);
	enum wt_store store = WT_STORE_AUTO;
	struct wt_error err = {0};
	uint8_t *blob = NULL;
	size_t blob_len = 0, address_count = 0;

	text_check(wt_cert_info(cert)->source);
	FUZZ_REQUIRE(origin->store < WT_STORE_COUNT);
	FUZZ_REQUIRE(memchr(origin->name, 0, sizeof(origin->name)));
	wt_cert_policy(
		cert, WT_STORE_AUTO, FUZZ_ALLOW_ALL, 0, &store, NULL, &err);
	wt_cert_warnings(cert, 0, fuzz_emit, NULL);
	FUZZ_REQUIRE(wt_cert_addresses(cert, fuzz_address, &address_count,
			     &err) == WT_OK);
	if (wt_cert_encode(cert, "name", NULL, &blob, &blob_len, &err) != WT_OK)
		FUZZ_REQUIRE(strcmp(err.code, "blob-too-large") == 0);
	wt_free(blob);
}

static void error_check(const struct wt_error *err)
{
	FUZZ_REQUIRE(err->status == WT_ERR_CERT);
	FUZZ_REQUIRE(err->domain <= WT_DOMAIN_SIGNAL);
	FUZZ_REQUIRE(memchr(err->code, 0, sizeof(err->code)));
	FUZZ_REQUIRE(memchr(err->object, 0, sizeof(err->object)));
	FUZZ_REQUIRE(memchr(err->reason, 0, sizeof(err->reason)));
	FUZZ_REQUIRE(memchr(err->hint, 0, sizeof(err->hint)));
}

static void list_check(const struct wt_cert_list *list)
{
	for (size_t i = 0; i < wt_cert_list_count(list); i++)
		cert_check(wt_cert_list_get(list, i));
	for (size_t i = 0; i < wt_cert_list_note_count(list); i++)
		text_check(wt_cert_list_note(list, i));
	for (size_t i = 0; i < wt_cert_list_refused_count(list); i++)
		error_check(wt_cert_list_refused(list, i));
}

/* What was taken over is said in the same words again. */
static void again_check(const struct wt_cert_list *list)
{
	struct wt_cert_list *again = NULL;
	struct wt_writer one = {0}, two = {0};
	struct wt_error err = {0};

	if (wt_cert_list_new(&again, NULL) != WT_OK)
		return;
	wt_cert_answer_write(&one, list);
	FUZZ_REQUIRE(wt_cert_answer_read(
			     again, one.data, one.len, "again", &err) == WT_OK);
	wt_cert_answer_write(&two, again);
	FUZZ_REQUIRE(
		one.len == two.len && memcmp(one.data, two.data, one.len) == 0);
	wt_writer_free(&one);
	wt_writer_free(&two);
	wt_cert_list_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wt_cert_list *list = NULL;
	struct wt_error err = {0};

	if (wt_cert_list_new(&list, NULL) != WT_OK)
		return 0;
	if (wt_cert_answer_read(list, data, len, "fuzz", &err) == WT_OK)
		again_check(list);
	else
		error_check(&err);
	list_check(list);
	wt_cert_list_free(list);
	return 0;
}
