/* SPDX-License-Identifier: MIT
 * cert/sst.c: serialized certificate stores (.sst) as certutil writes them. */
#include "cert/kind.h"

#include "cert/blob.h"

#include <string.h>

/*
 *   offset  size  meaning
 *   0       4     version, 0
 *   4       4     "CERT"
 *   8       ...   elements as in a registry value, each certificate's own
 *                 element (0x20) last of its properties
 *   end-12  12    an element of id 0, encoding 0, length 0
 *
 * Source: CertSaveStore with CERT_STORE_SAVE_AS_STORE; [MS-GPEF] 2.2.1.1.1
 * for the elements.
 */
static const uint8_t magic[] = {0, 0, 0, 0, 'C', 'E', 'R', 'T'};

bool wt_sstfile_is_likely(const uint8_t *data, size_t data_len)
{
	return data_len >= sizeof(magic) &&
	       memcmp(data, magic, sizeof(magic)) == 0;
}

static enum wt_status entry_add(struct wt_cert_list *list, const uint8_t *blob,
	size_t blob_len, const char *object, size_t number,
	struct wt_error *err)
{
	struct wt_cert *cert = NULL;
	struct wt_error why = {0};
	char name[256] = "";
	enum wt_status ret = WT_OK;

	wt_cert_object(name, object, number);
	ret = wt_certblob_decode(blob, blob_len, NULL, name, &cert, &why);
	if (ret == WT_OK)
		ret = wt_cert_list_add(list, cert, &why);
	return wt_cert_list_refuse(list, ret, &why, err);
}

static enum wt_status finish(struct wt_cert_list *list, size_t count,
	size_t skipped, size_t left, const char *object, struct wt_error *err)
{
	if (left > 0)
		return wt_fail(err, WT_ERR_CERT, "sst-trailing-data", object,
			"%zu byte%s after the end of the store", left,
			left == 1 ? "" : "s");
	if (count == 0)
		return wt_fail(err, WT_ERR_CERT, "cert-none", object,
			"there is no certificate in it: the store is empty");
	if (skipped == 0)
		return WT_OK;
	return wt_cert_list_add_note(list, err,
		"%s: skipped %zu revocation or trust list%s", object, skipped,
		skipped == 1 ? "" : "s");
}

enum wt_status wt_sstfile_read(struct wt_cert_list *list, const uint8_t *data,
	size_t data_len, const char *object, struct wt_error *err)
{
	struct wt_reader reader = wt_reader_init(data, data_len);
	struct wt_property property = {0};
	size_t start = sizeof(magic), count = 0, skipped = 0;
	enum wt_status ret = WT_OK;

	wt_reader_bytes(&reader, sizeof(magic));
	while (wt_property_next(&reader, &property)) {
		if (property.id == 0 && property.encoding == 0 &&
			property.data_len == 0 &&
			reader.pos - start == WT_PROPERTY_HEADER_LEN)
			return finish(list, count, skipped,
				wt_reader_left(&reader), object, err);
		if (property.id == WT_PROP_CERTIFICATE)
			ret = entry_add(list, data + start, reader.pos - start,
				object, ++count, err);
		else if (property.id == WT_PROP_CRL ||
			 property.id == WT_PROP_CTL)
			skipped++;
		else
			continue;
		if (ret != WT_OK)
			return ret;
		start = reader.pos;
	}
	return wt_fail(err, WT_ERR_CERT, "sst-truncated", object,
		"the store ends after %zu certificate%s without its end mark: "
		"the file is incomplete",
		count, count == 1 ? "" : "s");
}
