/* SPDX-License-Identifier: MIT
 * certfile.h: lists of certificates that tests read. Needs <cmocka.h>. */
#ifndef WT_CERTFILE_H
#define WT_CERTFILE_H

#include "testfile.h"

#define CERTS WT_TESTDATA "/certs/"

static inline struct wt_cert_list *list_new(void)
{
	struct wt_cert_list *list = NULL;

	assert_int_equal(wt_cert_list_new(&list, NULL), WT_OK);
	return list;
}

/* Of a file of testdata/certs. */
static inline struct wt_cert_list *list_read(const char *name)
{
	struct wt_cert_list *list = list_new();
	struct wt_error err = {0};
	char path[512] = "";

	snprintf(path, sizeof(path), CERTS "%s", name);
	assert_ok(wt_cert_list_read(list, path, &err), &err);
	return list;
}

static inline const struct wt_cert_info *info_at(
	const struct wt_cert_list *list, size_t index)
{
	assert_true(index < wt_cert_list_count(list));
	return wt_cert_info(wt_cert_list_get(list, index));
}

#endif
