/* SPDX-License-Identifier: MIT
 * cert/der.c: elements of ASN.1 encodings (X.690): strict DER, or lenient BER.
 */
#include "cert/der.h"

#include <string.h>

/* Deeper than any certificate; keeps hostile input off the stack. */
#define DEPTH_MAX 64

#define TAG_CONSTRUCTED 0x20
#define TAG_CLASS 0xC0
#define TAG_NUMBER 0x1F

/* Reads identifier and length. An indefinite length gives SIZE_MAX. */
static enum wt_der_status read_header(const uint8_t *data, size_t len,
	size_t *ret_header_len, size_t *ret_content_len, bool *ret_is_minimal)
{
	size_t pos = 1, count = 0, value = 0;
	bool is_minimal = true;

	if (len < 2)
		return WT_DER_TRUNCATED;
	/* Tag numbers from 31 on take more bytes. No format here has them. */
	if ((data[0] & TAG_NUMBER) == TAG_NUMBER)
		return WT_DER_INVALID;
	value = data[pos++];
	if (value == 0x80) {
		*ret_header_len = pos;
		*ret_content_len = SIZE_MAX;
		*ret_is_minimal = false;
		return data[0] & TAG_CONSTRUCTED ? WT_DER_OK : WT_DER_INVALID;
	}
	if (value > 0x80) {
		count = value & 0x7F;
		if (count > 126)
			return WT_DER_INVALID;
		if (count > len - pos)
			return WT_DER_TRUNCATED;
		is_minimal = data[pos] != 0;
		for (value = 0; count > 0; count--) {
			if (value > SIZE_MAX >> 9)
				return WT_DER_TRUNCATED;
			value = value << 8 | data[pos++];
		}
		if (value < 0x80)
			is_minimal = false;
	}
	if (value > len - pos)
		return WT_DER_TRUNCATED;
	*ret_header_len = pos;
	*ret_content_len = value;
	*ret_is_minimal = is_minimal;
	return WT_DER_OK;
}

static enum wt_der_status read_element(const uint8_t *data, size_t len,
	unsigned depth, struct wt_der *ret_element)
{
	enum wt_der_status status = WT_DER_OK;
	size_t header_len = 0, content_len = 0, pos = 0;
	bool is_minimal = false;

	if (depth > DEPTH_MAX)
		return WT_DER_INVALID;
	status = read_header(data, len, &header_len, &content_len, &is_minimal);
	if (status != WT_DER_OK)
		return status;
	if (content_len != SIZE_MAX) {
		*ret_element =
			(struct wt_der){data[0], data, header_len + content_len,
				data + header_len, content_len};
		return WT_DER_OK;
	}
	for (pos = header_len;;) {
		struct wt_der inner = {0};

		if (len - pos < 2)
			return WT_DER_TRUNCATED;
		if (data[pos] == 0 && data[pos + 1] == 0)
			break;
		status = read_element(data + pos, len - pos, depth + 1, &inner);
		if (status != WT_DER_OK)
			return status;
		pos += inner.len;
	}
	*ret_element = (struct wt_der){
		data[0], data, pos + 2, data + header_len, pos - header_len};
	return WT_DER_OK;
}

enum wt_der_status wt_der_read(
	const uint8_t *data, size_t len, struct wt_der *ret_element)
{
	return read_element(data, len, 0, ret_element);
}

enum wt_der_status wt_der_next(
	const uint8_t **data, size_t *len, struct wt_der *ret_element)
{
	enum wt_der_status status = wt_der_read(*data, *len, ret_element);

	if (status == WT_DER_OK) {
		*data += ret_element->len;
		*len -= ret_element->len;
	}
	return status;
}

/* The forms that DER gives the universal types (X.690, 10 and 11). */
static bool is_der_primitive(uint8_t tag, const uint8_t *content, size_t len)
{
	if ((tag & TAG_CLASS) != 0)
		return true;
	switch (tag) {
	case 0:
		return false; /* an end mark where there is nothing to end */
	case WT_DER_BOOLEAN:
		return len == 1 && (content[0] == 0 || content[0] == 0xFF);
	case WT_DER_INTEGER:
		if (len == 0)
			return false;
		return len == 1 ||
		       !((content[0] == 0 && content[1] < 0x80) ||
			       (content[0] == 0xFF && content[1] >= 0x80));
	default:
		return true;
	}
}

static enum wt_der_status check_element(
	const uint8_t *data, size_t len, unsigned depth, size_t *ret_len)
{
	enum wt_der_status status = WT_DER_OK;
	size_t header_len = 0, content_len = 0, inner_len = 0;
	bool is_minimal = false;
	uint8_t tag = 0;

	if (depth > DEPTH_MAX)
		return WT_DER_INVALID;
	status = read_header(data, len, &header_len, &content_len, &is_minimal);
	if (status != WT_DER_OK)
		return status;
	if (!is_minimal || content_len == SIZE_MAX)
		return WT_DER_NOT_DER;
	tag = data[0];
	*ret_len = header_len + content_len;
	data += header_len;
	if (!(tag & TAG_CONSTRUCTED))
		return is_der_primitive(tag, data, content_len)
			       ? WT_DER_OK
			       : WT_DER_NOT_DER;
	/* In DER the only constructed universal types are these two. */
	if ((tag & TAG_CLASS) == 0 && tag != WT_DER_SEQUENCE &&
		tag != WT_DER_SET)
		return WT_DER_NOT_DER;
	while (content_len > 0) {
		status =
			check_element(data, content_len, depth + 1, &inner_len);
		if (status != WT_DER_OK)
			return status == WT_DER_TRUNCATED ? WT_DER_INVALID
							  : status;
		data += inner_len;
		content_len -= inner_len;
	}
	return WT_DER_OK;
}

enum wt_der_status wt_der_check(const struct wt_der *element)
{
	size_t len = 0;

	return check_element(element->start, element->len, 0, &len);
}

bool wt_der_is_oid(
	const struct wt_der *element, const uint8_t *oid, size_t oid_len)
{
	return element->tag == WT_DER_OID && element->content_len == oid_len &&
	       memcmp(element->content, oid, oid_len) == 0;
}
