/* SPDX-License-Identifier: MIT
 * fuzz_sstfile.c: serialized stores. */
#include "cert/kind.h"

#include "fuzz_certs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	return fuzz_reader_run(wt_sstfile_read, data, len);
}
