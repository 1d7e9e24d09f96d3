/* SPDX-License-Identifier: MIT
 * cert/reg_write.c: writes registry exports (.reg) as regedit does. */
#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

#include <wimtrust/wimtrust.h>

#include <string.h>

/* A hex line ends behind the byte that reaches this column. */
#define HEX_COLUMN 77
#define KEY_NAME_MAX 255

static void text_write(struct wt_writer *writer, const char *text)
{
	wt_text_to_utf16le(writer, text, strlen(text));
}

static void hex_write(struct wt_writer *writer, const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	static const char name[] = "\"Blob\"=hex:";
	size_t column = strlen(name);

	text_write(writer, name);
	for (size_t i = 0; i < len; i++) {
		bool is_last = i + 1 == len;
		char byte[4] = {digits[data[i] >> 4], digits[data[i] & 15],
			is_last ? '\0' : ',', '\0'};

		text_write(writer, byte);
		column += 3;
		if (column >= HEX_COLUMN && !is_last) {
			text_write(writer, "\\\r\n  ");
			column = 2;
		}
	}
	text_write(writer, "\r\n");
}

/* A key's name: no backslash, no control character, 255 characters. */
static bool is_key_name(const char *name)
{
	size_t len = strlen(name);
	struct wt_writer units = {0};
	bool is_good = false;

	if (len == 0 || strchr(name, '\\') || strchr(name, ']'))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F)
			return false;
	is_good = wt_text_to_utf16le(&units, name, len) &&
		  units.len / 2 <= KEY_NAME_MAX;
	wt_writer_free(&units);
	return is_good;
}

enum wt_status wt_export_reg(const struct wt_export_value *values,
	size_t value_count, const char *root_name, uint8_t **ret_data,
	size_t *ret_data_len, struct wt_error *err)
{
	struct wt_writer writer = {0};

	if (!(ret_data && ret_data_len && (values || value_count == 0)))
		return wt_fail_argument(err, __func__);
	for (size_t i = 0; i < value_count; i++)
		if (!values[i].store || !values[i].key ||
			(!values[i].blob && values[i].blob_len > 0))
			return wt_fail_argument(err, __func__);
	if (!root_name)
		root_name = "SOFTWARE";
	if (!is_key_name(root_name))
		return wt_fail(err, WT_ERR_USAGE, "reg-bad-root-name",
			root_name, "this cannot be the name of a registry key");
	wt_writer_u16(&writer, 0xFEFF);
	text_write(&writer, "Windows Registry Editor Version 5.00\r\n\r\n");
	for (size_t i = 0; i < value_count; i++) {
		text_write(&writer, "[HKEY_LOCAL_MACHINE\\");
		text_write(&writer, root_name);
		text_write(&writer, "\\Microsoft\\SystemCertificates\\");
		text_write(&writer, values[i].store);
		text_write(&writer, "\\Certificates\\");
		text_write(&writer, values[i].key);
		text_write(&writer, "]\r\n");
		hex_write(&writer, values[i].blob, values[i].blob_len);
		text_write(&writer, "\r\n");
	}
	if (writer.has_failed) {
		wt_writer_free(&writer);
		return wt_fail_memory(err);
	}
	*ret_data = writer.data; /* the caller's now */
	*ret_data_len = writer.len;
	return WT_OK;
}
