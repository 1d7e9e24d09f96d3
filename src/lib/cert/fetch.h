/* SPDX-License-Identifier: MIT
 * cert/fetch.h: the certificates that a TLS server sends. */
#ifndef WT_CERT_FETCH_H
#define WT_CERT_FETCH_H

#include "base/error.h"

#include <signal.h>

/** The most that is taken from a server, in bytes of PEM. */
#define WT_FETCH_LEN_MAX ((size_t)2 * 1024 * 1024)

/**
 * Asks a TLS server for its certificates, as PEM in its order. Nothing that it
 * says is believed; nothing but the handshake is sent.
 *
 * @param server    HOST, HOST:PORT, an IPv4 address, or an IPv6 address in
 *                  brackets where a port follows; 443 is the usual port
 * @param name      the name to ask for (SNI); NULL for that of server
 * @param seconds   for all of it
 * @param cancel    NULL, or a signal's number
 * @param ret_pem   free()
 * @return WT_ERR_USAGE (bad-host), WT_ERR_FILE (connect-name, connect-failed,
 *         connect-timeout, connect-tls, connect-crash), WT_INTERRUPTED
 */
enum wt_status wt_fetch_pem(const char *server, const char *name,
	unsigned seconds, const volatile sig_atomic_t *cancel, char **ret_pem,
	size_t *ret_len, struct wt_error *err);

/**
 * As wt_fetch_pem() over a connection that is there, in this process and
 * without locks: for the fuzzer, and for nothing that a stranger can reach.
 *
 * @param fd  a connected socket that does not block; stays open
 * @return WT_ERR_USAGE, WT_ERR_FILE, as wt_fetch_pem()
 */
enum wt_status wt_fetch_over(int fd, const char *server, unsigned seconds,
	char **ret_pem, size_t *ret_len, struct wt_error *err);

#endif
