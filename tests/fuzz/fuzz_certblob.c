/* SPDX-License-Identifier: MIT
 * fuzz_certblob.c: registry values. */
#include "fuzz_certs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wt_cert *cert = NULL;
	struct wt_error err = {0};

	if (wt_certblob_decode(data, len, NULL, "fuzz", &cert, &err) != WT_OK) {
		FUZZ_REQUIRE(err.status == WT_ERR_CERT);
		FUZZ_REQUIRE(err.code[0] != '\0' && err.reason[0] != '\0');
		return 0;
	}
	fuzz_cert_check(cert);
	wt_cert_free(cert);
	return 0;
}
