/* SPDX-License-Identifier: MIT
 * fuzz_cert_file.c: every kind of file of certificates, told by content. */
#include "cert/kind.h"

#include "fuzz_certs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	return fuzz_reader_run(wt_cert_kind_read, data, len);
}
