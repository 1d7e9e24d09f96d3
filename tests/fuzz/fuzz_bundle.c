/* SPDX-License-Identifier: MIT
 * fuzz_bundle.c: of a bundle in which every block can be taken, none is lost,
 * however they are written and joined. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "cert/list.h"
#include "fuzz.h"
#include "intermediate.h"

#define BLOCKS_MAX 40
#define SERIAL_LEN 8

static uint8_t der[4096];
static size_t der_len, serial_at;

/* A certificate whose signature nobody verifies. Another serial number makes it
 * another certificate. */
static void der_load(void)
{
	static const uint8_t serial[SERIAL_LEN] = {
		0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF};
	const uint8_t *found = NULL;

	FUZZ_REQUIRE(sizeof(intermediate) <= sizeof(der));
	der_len = sizeof(intermediate);
	memcpy(der, intermediate, der_len);
	found = memmem(der, der_len, serial, sizeof(serial));
	FUZZ_REQUIRE(found);
	serial_at = (size_t)(found - der);
}

static void put(struct wt_writer *out, const char *text)
{
	wt_writer_bytes(out, text, strlen(text));
}

static void base64_put(struct wt_writer *out, const char *line_end)
{
	for (size_t i = 0; i < der_len; i += 48) {
		unsigned char line[65] = "";
		size_t len = der_len - i < 48 ? der_len - i : 48;

		EVP_EncodeBlock(line, der + i, (int)len);
		put(out, (const char *)line);
		if (len == 48)
			put(out, line_end);
	}
}

static void pem_put(struct wt_writer *out, const char *line_end)
{
	put(out, "-----BEGIN CERTIFICATE-----");
	put(out, line_end);
	base64_put(out, line_end);
	put(out, line_end);
	put(out, "-----END CERTIFICATE-----");
}

static void utf16_put(struct wt_writer *out, bool is_big_endian)
{
	struct wt_writer text = {0};

	pem_put(&text, "\r\n");
	for (size_t i = 0; i < text.len; i++) {
		uint8_t unit[2] = {text.data[i], 0};

		if (is_big_endian) {
			unit[0] = 0;
			unit[1] = text.data[i];
		}
		wt_writer_bytes(out, unit, 2);
	}
	wt_writer_free(&text);
}

static void block_put(struct wt_writer *out, unsigned how, uint64_t number)
{
	memcpy(der + serial_at, &number, SERIAL_LEN);
	der[serial_at] |= 1; /* no zero that DER would leave out */
	der[serial_at] &= 0x7F;
	switch (how % 9) {
	case 0:
		pem_put(out, "\n");
		break;
	case 1:
		pem_put(out, "\r\n");
		break;
	case 2:
		pem_put(out, " ");
		break;
	case 3:
		pem_put(out, "\\n");
		break;
	case 4:
		pem_put(out, "\\r\\n");
		break;
	case 5:
		pem_put(out, "\n> ");
		break;
	case 6:
		utf16_put(out, false);
		break;
	case 7:
		utf16_put(out, true);
		break;
	default:
		wt_writer_bytes(out, der, der_len);
		break;
	}
}

static void joint_put(struct wt_writer *out, unsigned how)
{
	static const struct {
		const char *text;
		size_t len;
	} joints[] = {{"", 0}, {"\n", 1}, {"\r\n", 2}, {" ", 1},
		{"\xEF\xBB\xBF", 3}, {"\xFF\xFE", 2}, {"\xFE\xFF", 2},
		{"\x1A", 1}, {"\0\0\0\0", 4}, {"\0", 1},
		{"\nsubject=CN=Root\n", 17}, {",\n\"", 3},
		{"\n# GlobalSign Root\n", 19}, {"\t", 1}};
	size_t i = how % (sizeof(joints) / sizeof(joints[0]));

	wt_writer_bytes(out, joints[i].text, joints[i].len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wt_writer bundle = {0};
	struct wt_cert_list *list = NULL;
	struct wt_error err = {0};
	size_t count = len / 2 < BLOCKS_MAX ? len / 2 : BLOCKS_MAX;

	if (der_len == 0)
		der_load();
	if (count == 0 || wt_cert_list_new(&list, NULL) != WT_OK)
		return 0;
	for (size_t i = 0; i < count; i++) {
		/* odd numbers, so that each is another one */
		block_put(&bundle, data[2 * i], 2 * i + 1);
		/* text behind DER that ends the file is refused */
		if (i + 1 < count)
			joint_put(&bundle, data[2 * i + 1]);
	}
	FUZZ_REQUIRE(wt_cert_list_read_memory(list, bundle.data, bundle.len,
			     "bundle", &err) == WT_OK);
	FUZZ_REQUIRE(wt_cert_list_count(list) == count);
	FUZZ_REQUIRE(wt_cert_list_refused_count(list) == 0);
	FUZZ_REQUIRE(wt_cert_list_file(list, 0)->cert_count == count);
	wt_cert_list_free(list);
	wt_writer_free(&bundle);
	return 0;
}
