/* SPDX-License-Identifier: MIT
 * fuzz_server.c: what a TLS server sends to `check --connect`, and the chain
 * in it. */
#include "cert/fetch.h"
#include "cert/x509.h"
#include "fuzz_certs.h"
#include "trust/trust.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* The most that the queue of a socket takes. */
#define INPUT_LEN_MAX 65536u
#define SECONDS 5
#define NOW 1780272000
#define STORES_MAX 64

/* The image may hold what the server sends, as a root or in Disallowed. */
static void chain_judge(const struct wt_cert_list *chain, unsigned how)
{
	struct wt_trust_cert stores[STORES_MAX] = {{0}};
	struct wt_trust_query query = {
		.stores = stores, .chain = chain, .at = NOW};
	struct wt_trust_result *result = NULL;
	struct wt_error err = {0};
	size_t count = wt_cert_list_count(chain);

	for (size_t i = 0; i < count && query.store_count < STORES_MAX; i++) {
		struct wt_trust_cert *store = &stores[query.store_count];

		if (how >> i % 8 & 1)
			continue;
		store->cert = wt_cert_list_get(chain, i);
		store->kind = i % 5 < 3	   ? WT_TRUST_ANCHOR
			      : i % 5 == 3 ? WT_TRUST_INTERMEDIATE
					   : WT_TRUST_VETO;
		store->source = "AuthRoot";
		query.store_count++;
	}
	if (wt_trust_check(&query, "fuzz", &result, &err) != WT_OK) {
		FUZZ_REQUIRE(err.status == WT_ERR_CERT);
		return;
	}
	FUZZ_REQUIRE(result->is_trusted == (result->verdict.status == WT_OK));
	FUZZ_REQUIRE(!result->is_trusted || query.store_count > 0);
	FUZZ_REQUIRE(result->is_trusted || result->verdict.reason[0] != '\0');
	wt_trust_result_free(result);
}

/* Of a certificate that has these and no policies, OpenSSL leaks them (until
 * its pull request 31678). */
static bool has_policy_constraints(const struct wt_cert *cert)
{
	return X509_get_ext_by_NID(cert->x509, NID_policy_constraints, -1) >= 0;
}

static void pem_read(const char *pem, size_t len, unsigned how)
{
	struct wt_cert_list *list = NULL;
	bool is_leaky = false;
	struct wt_error err = {0};
	char path[32] = "";
	int fd = memfd_create("chain", MFD_CLOEXEC);

	FUZZ_REQUIRE(fd >= 0 && len > 0);
	FUZZ_REQUIRE(write(fd, pem, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FUZZ_REQUIRE(wt_cert_list_new(&list, NULL) == WT_OK);
	if (wt_cert_list_read_chain(list, path, &err) == WT_OK) {
		for (size_t i = 0; i < wt_cert_list_count(list); i++) {
			const struct wt_cert *cert = wt_cert_list_get(list, i);

			fuzz_cert_check(cert);
			is_leaky |= has_policy_constraints(cert);
		}
		if (!is_leaky)
			chain_judge(list, how);
	} else {
		FUZZ_REQUIRE(err.status == WT_ERR_CERT);
		FUZZ_REQUIRE(err.code[0] != '\0' && err.reason[0] != '\0');
	}
	wt_cert_list_free(list);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wt_error err = {0};
	char *pem = NULL;
	size_t pem_len = 0;
	int fds[2] = {-1, -1};

	if (len == 0 || len > INPUT_LEN_MAX)
		return 0;
	FUZZ_REQUIRE(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0, fds) == 0);
	FUZZ_REQUIRE(write(fds[1], data, len) == (ssize_t)len);
	FUZZ_REQUIRE(shutdown(fds[1], SHUT_WR) == 0);
	if (wt_fetch_over(fds[0], "server.example", SECONDS, &pem, &pem_len,
		    &err) == WT_OK) {
		pem_read(pem, pem_len, data[len - 1]);
	} else {
		FUZZ_REQUIRE(err.status == WT_ERR_FILE);
		FUZZ_REQUIRE(strcmp(err.code, "connect-tls") == 0);
	}
	free(pem);
	close(fds[0]);
	close(fds[1]);
	return 0;
}
