/* SPDX-License-Identifier: MIT
 * here.c: certificates are parsed in this process rather than in a child. A
 * fuzzer sees where its inputs lead, a sanitizer's finding ends a test, and
 * thousands of inputs need no process each. */
#include "cert/kind.h"

enum wt_status __wrap_wt_cert_kind_read_apart(struct wt_cert_list *list,
	const uint8_t *data, size_t data_len, const char *object,
	struct wt_error *err);

enum wt_status __wrap_wt_cert_kind_read_apart(struct wt_cert_list *list,
	const uint8_t *data, size_t data_len, const char *object,
	struct wt_error *err)
{
	return wt_cert_kind_read(list, data, data_len, object, err);
}
