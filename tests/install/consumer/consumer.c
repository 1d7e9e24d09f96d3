/* SPDX-License-Identifier: MIT
 * consumer.c: uses the installed library, and enough of it that what the
 * library itself is linked with is needed. */
#include <wimtrust/wimtrust.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct wt_versions versions;

	wt_versions(&versions);
	if (argc != 2 || strcmp(versions.wimtrust, argv[1]) != 0) {
		fprintf(stderr, "consumer: the library is %s\n",
			versions.wimtrust);
		return 1;
	}
	printf("%s with wimlib %s, hivex %s, OpenSSL %s\n", versions.wimtrust,
		versions.wimlib, versions.hivex, versions.openssl);
	return 0;
}
