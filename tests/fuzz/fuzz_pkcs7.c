/* SPDX-License-Identifier: MIT
 * fuzz_pkcs7.c: the certificates of a PKCS#7. */
#include "cert/kind.h"

#include "fuzz_certs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	return fuzz_reader_run(wt_pkcs7_read, data, len);
}
