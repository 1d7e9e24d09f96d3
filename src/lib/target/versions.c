/* SPDX-License-Identifier: MIT
 * target/versions.c: this library's version, and those it is linked with. */
#include "wim/wim.h"

#include <openssl/crypto.h>

void wt_versions(struct wt_versions *ret_versions)
{
	if (!ret_versions)
		return;
	*ret_versions = (struct wt_versions){
		.wimtrust = WT_VERSION,
		.wimlib = wt_wim_library_version(),
		/* hivex cannot be asked at run time. */
		.hivex = WT_HIVEX_VERSION,
		.openssl = OpenSSL_version(OPENSSL_VERSION_STRING),
	};
}
