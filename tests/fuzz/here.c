/* SPDX-License-Identifier: MIT
 * here.c: certificates are parsed in the fuzzer itself. Of what a child does
 * it would see nothing, and start one for each input. */
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
