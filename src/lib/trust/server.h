/* SPDX-License-Identifier: MIT
 * trust/server.h: the server in question, by name and certificate. */
#ifndef WT_TRUST_SERVER_H
#define WT_TRUST_SERVER_H

#include "trust/trust.h"
#include "trust/work.h"

/**
 * A host as OpenSSL takes it: no brackets around an address, no dot at the
 * end of a name.
 *
 * @return WT_ERR_USAGE (bad-host) when it is neither name nor address
 */
enum wt_status wt_trust_host(
	const char *host, char ret_host[256], struct wt_error *err);

/**
 * The server's own among the certificates that it sends: one that is not a CA
 * before one that only its names make a server's, and of these one that has
 * issued none of the others; the first where that leaves several.
 *
 * @param host  as from wt_trust_host(), or NULL
 * @return WT_ERR_CERT: cert-none, no-server-cert
 */
enum wt_status wt_trust_server(const struct wt_cert_list *chain,
	const char *host, const char *object, struct wt_trust_work *work,
	size_t *ret_index, struct wt_error *err);

#endif
