/* SPDX-License-Identifier: MIT
 * cert/fetch.c: the certificates that a TLS server sends.
 *
 * A child resolves the name and connects, so that both end in time and on a
 * signal. A child of its own shakes hands: it has the connection and nothing
 * else, for what it reads is a stranger's.
 */
#include "cert/fetch.h"

#include "base/child.h"
#include "cert/cert.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#define PORT "443"
#define NAME_CHARS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
/* An address that does not answer is not waited for longer when others may. */
#define ADDRESS_SECONDS 5
/* What a child gives itself comes first, and has the better message. */
#define GRACE_SECONDS 5
#define MEMORY_MAX ((uint64_t)1024 * 1024 * 1024)

/* What the child gives back. */
struct answer {
	size_t len;
	char pem[WT_FETCH_LEN_MAX];
};

struct fetch {
	const char *server;
	char host[256];
	char name[256]; /* that is asked for (SNI), "" for none */
	char port[8];
	struct timespec end;
	unsigned seconds;
	struct answer *answer; /* shared */
};

/* Milliseconds until end, at most max; 0 when it is over. */
static int time_left(const struct timespec *end, int max)
{
	struct timespec now = {0};
	int64_t left = 0;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left = (int64_t)(end->tv_sec - now.tv_sec) * 1000 +
	       (end->tv_nsec - now.tv_nsec) / 1000000;
	if (left <= 0)
		return 0;
	return left < max ? (int)left : max;
}

static enum wt_status timeout_fail(
	const struct fetch *fetch, struct wt_error *err)
{
	wt_fail(err, WT_ERR_FILE, "connect-timeout", fetch->server,
		"did not answer within %u seconds", fetch->seconds);
	wt_error_hint(err, "a firewall may drop what is sent there; --timeout "
			   "gives it longer");
	return WT_ERR_FILE;
}

/* Waits until fd is ready. @return false when time is up */
static bool wait_for(int fd, short events, const struct timespec *end, int max)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	int ready = 0;

	do
		ready = poll(&poll_fd, 1, time_left(end, max));
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* @return a connected descriptor, or -1 with errno */
static int connect_one(const struct fetch *fetch, const struct addrinfo *to)
{
	int fd = socket(to->ai_family,
		to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;
	socklen_t len = sizeof(error);

	if (fd < 0)
		return -1;
	if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
		return fd;
	error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (wait_for(fd, POLLOUT, &fetch->end, ADDRESS_SECONDS * 1000))
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

static enum wt_status connect_any(
	const struct fetch *fetch, int *ret_fd, struct wt_error *err)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	int fd = -1, error = 0;
	bool is_bare = false;
	int failure = getaddrinfo(fetch->host, fetch->port, &hints, &list);

	if (failure != 0) {
		wt_fail(err, WT_ERR_FILE, "connect-name", fetch->host,
			"cannot be resolved: %s",
			failure == EAI_SYSTEM ? strerror(errno)
					      : gai_strerror(failure));
		wt_error_hint(err, "look at the spelling, and whether this "
				   "machine can resolve names");
		return WT_ERR_FILE;
	}
	for (const struct addrinfo *to = list; to && fd < 0; to = to->ai_next) {
		fd = connect_one(fetch, to);
		error = errno;
	}
	freeaddrinfo(list);
	if (fd >= 0) {
		*ret_fd = fd;
		return WT_OK;
	}
	if (error == ETIMEDOUT)
		return timeout_fail(fetch, err);
	errno = error;
	wt_fail_errno(err, WT_ERR_FILE, "connect-failed", fetch->server,
		"cannot be reached");
	is_bare = strchr(fetch->host, ':');
	wt_error_hint(err,
		"is port %s right? behind a proxy save the chain "
		"there: openssl s_client -proxy PROXY:PORT "
		"-showcerts -connect %s%s%s:%s </dev/null >chain.pem",
		fetch->port, is_bare ? "[" : "", fetch->host,
		is_bare ? "]" : "", fetch->port);
	return WT_ERR_FILE;
}

/* As lenient as can be: the chain is wanted, not a safe connection. */
static SSL *tls_new(const struct fetch *fetch, SSL_CTX *ctx, int fd)
{
	SSL *ssl = NULL;

	if (!ctx)
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_max_cert_list(ctx, (long)WT_FETCH_LEN_MAX / 2);
	SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	ssl = SSL_new(ctx);
	if (!ssl || SSL_set_fd(ssl, fd) != 1 ||
		(fetch->name[0] &&
			SSL_set_tlsext_host_name(ssl, fetch->name) != 1)) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

/* @return false when time is up; how the handshake ended does not matter as
 * long as there are certificates. */
static bool shake_hands(const struct fetch *fetch, SSL *ssl)
{
	for (;;) {
		int status = SSL_connect(ssl);
		int wish = SSL_get_error(ssl, status);
		short events = wish == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;

		if (status == 1 || (wish != SSL_ERROR_WANT_READ &&
					   wish != SSL_ERROR_WANT_WRITE))
			return true;
		if (!wait_for(SSL_get_fd(ssl), events, &fetch->end, INT32_MAX))
			return false;
	}
}

static enum wt_status tls_fail(const struct fetch *fetch, struct wt_error *err)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);

	wt_fail(err, WT_ERR_FILE, "connect-tls", fetch->server,
		"sent no certificate (%s)",
		reason ? reason : "it ended the connection");
	wt_error_native(err, WT_DOMAIN_OPENSSL, ERR_GET_REASON(code));
	wt_error_hint(err, "does a TLS server listen at port %s?", fetch->port);
	return WT_ERR_FILE;
}

static enum wt_status answer_write(
	const struct fetch *fetch, SSL *ssl, struct wt_error *err)
{
	const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data = NULL;
	long len = 0;
	bool is_good = bio != NULL;

	for (int i = 0; is_good && i < sk_X509_num(chain); i++)
		is_good = PEM_write_bio_X509(bio, sk_X509_value(chain, i)) == 1;
	if (is_good)
		len = BIO_get_mem_data(bio, &data);
	if (len > 0 && (size_t)len <= WT_FETCH_LEN_MAX) {
		memcpy(fetch->answer->pem, data, (size_t)len);
		fetch->answer->len = (size_t)len;
	}
	BIO_free(bio);
	if (!is_good)
		return wt_fail_memory(err);
	return len > 0 ? WT_OK : tls_fail(fetch, err);
}

/* What the handshake needs. */
struct handshake {
	const struct fetch *fetch;
	SSL *ssl;
};

/* In a child that has the connection and nothing else. */
static enum wt_status tls_run(void *arg, struct wt_error *err)
{
	const struct handshake *handshake = arg;

	ERR_clear_error();
	if (!shake_hands(handshake->fetch, handshake->ssl))
		return timeout_fail(handshake->fetch, err);
	return answer_write(handshake->fetch, handshake->ssl, err);
}

/*
 * Shakes hands over a connection. Without how in this process; what is loaded
 * beforehand needs files that a locked child cannot open.
 */
static enum wt_status handshake_run(const struct fetch *fetch, int fd,
	const struct wt_child *how, struct wt_error *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct handshake handshake = {
		.fetch = fetch, .ssl = tls_new(fetch, ctx, fd)};
	enum wt_status ret = WT_OK;

	if (!handshake.ssl)
		ret = wt_fail_memory(err);
	else if (how)
		ret = wt_child_run(how, tls_run, &handshake, err);
	else
		ret = tls_run(&handshake, err);
	SSL_free(handshake.ssl);
	SSL_CTX_free(ctx);
	return ret;
}

/* In a child that may do what its caller may: it reads no byte of what the
 * server sends. */
static enum wt_status fetch_run(void *arg, struct wt_error *err)
{
	const struct fetch *fetch = arg;
	int fd = -1;
	const struct wt_sandbox connection = {.fds = &fd, .fd_count = 1};
	const struct wt_child how = {
		.limits = {.memory_len = MEMORY_MAX,
			.seconds = fetch->seconds + GRACE_SECONDS},
		.object = fetch->server,
		.died_status = WT_ERR_FILE,
		.died_code = "connect-crash",
		.sandbox = &connection,
	};
	enum wt_status ret = connect_any(fetch, &fd, err);

	if (ret != WT_OK)
		return ret;
	ret = handshake_run(fetch, fd, &how, err);
	close(fd);
	return ret;
}

/* "host", "host:443", "192.0.2.1:443", "2001:db8::1", "[2001:db8::1]:443" */
static bool split(const char *server, struct fetch *fetch)
{
	const char *host = server, *port = PORT;
	size_t len = strlen(server);
	const char *colon = strrchr(server, ':');

	if (server[0] == '[') {
		const char *close = strchr(server, ']');

		if (!close || (close[1] != '\0' && close[1] != ':'))
			return false;
		host = server + 1;
		len = (size_t)(close - host);
		if (close[1] == ':')
			port = close + 2;
		if (!memchr(host, ':', len))
			return false;
	} else if (colon && strchr(server, ':') == colon) {
		len = (size_t)(colon - server);
		port = colon + 1;
	}
	if (len == 0 || len >= sizeof(fetch->host) || strlen(port) > 5 ||
		port[0] == '\0' || strspn(port, "0123456789") != strlen(port) ||
		strtoul(port, NULL, 10) == 0 || strtoul(port, NULL, 10) > 65535)
		return false;
	memcpy(fetch->host, host, len);
	fetch->host[len] = '\0';
	snprintf(fetch->port, sizeof(fetch->port), "%s", port);
	return strspn(fetch->host, NAME_CHARS ":%") == len;
}

/* A name as the handshake has it: neither an address nor with a dot behind it;
 * what is no name at all is not sent. */
static void name_copy(const char *name, struct fetch *fetch)
{
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len >= sizeof(fetch->name) ||
		strspn(name, NAME_CHARS) < len ||
		strspn(name, "0123456789.") >= len)
		return;
	memcpy(fetch->name, name, len);
	fetch->name[len] = '\0';
}

static enum wt_status server_fail(const char *server, struct wt_error *err)
{
	if (server[0] == '\0') {
		wt_fail(err, WT_ERR_USAGE, "bad-host", "--connect", "is empty");
		wt_error_hint(
			err, "give HOST or HOST:PORT; is the variable set?");
		return WT_ERR_USAGE;
	}
	wt_fail(err, WT_ERR_USAGE, "bad-host", server,
		"is not a server: HOST, HOST:PORT or [ADDRESS]:PORT");
	wt_error_hint(err,
		"leave out https:// and the path; a port is 1 to "
		"65535; write a name with non-ASCII letters in its xn-- form");
	return WT_ERR_USAGE;
}

enum wt_status wt_server_host(
	const char *server, char ret_host[256], struct wt_error *err)
{
	struct fetch fetch = {.server = server};

	if (!(server && ret_host))
		return wt_fail_argument(err, __func__);
	if (!split(server, &fetch))
		return server_fail(server, err);
	memcpy(ret_host, fetch.host, sizeof(fetch.host));
	return WT_OK;
}

static enum wt_status fetch_begin(const char *server, const char *name,
	unsigned seconds, struct fetch *fetch, struct wt_error *err)
{
	*fetch = (struct fetch){.server = server, .seconds = seconds};
	if (!split(server, fetch))
		return server_fail(server, err);
	name_copy(name ? name : fetch->host, fetch);
	fetch->answer = wt_shared_new(sizeof(*fetch->answer));
	if (!fetch->answer)
		return wt_fail_memory(err);
	clock_gettime(CLOCK_MONOTONIC, &fetch->end);
	fetch->end.tv_sec += seconds;
	return WT_OK;
}

/* Gives the answer out when all went well. */
static enum wt_status fetch_end(struct fetch *fetch, enum wt_status ret,
	char **ret_pem, size_t *ret_len, struct wt_error *err)
{
	size_t len = fetch->answer->len;
	char *pem = NULL;

	if (len > WT_FETCH_LEN_MAX)
		len = WT_FETCH_LEN_MAX;
	if (ret == WT_OK) {
		pem = malloc(len + 1);
		if (!pem)
			ret = wt_fail_memory(err);
	}
	if (pem) {
		memcpy(pem, fetch->answer->pem, len);
		*ret_pem = pem;
		*ret_len = len;
	}
	wt_shared_free(fetch->answer, sizeof(*fetch->answer));
	return ret;
}

enum wt_status wt_fetch_pem(const char *server, const char *name,
	unsigned seconds, const volatile sig_atomic_t *cancel, char **ret_pem,
	size_t *ret_len, struct wt_error *err)
{
	struct fetch fetch = {0};
	const struct wt_child how = {
		.limits = {.memory_len = MEMORY_MAX,
			.seconds = seconds + 2 * GRACE_SECONDS},
		.object = server,
		.died_status = WT_ERR_FILE,
		.died_code = "connect-crash",
		.cancel = cancel,
	};
	enum wt_status ret = fetch_begin(server, name, seconds, &fetch, err);

	if (ret != WT_OK)
		return ret;
	ret = wt_child_run(&how, fetch_run, &fetch, err);
	return fetch_end(&fetch, ret, ret_pem, ret_len, err);
}

enum wt_status wt_fetch_over(int fd, const char *server, unsigned seconds,
	char **ret_pem, size_t *ret_len, struct wt_error *err)
{
	struct fetch fetch = {0};
	enum wt_status ret = fetch_begin(server, NULL, seconds, &fetch, err);

	if (ret != WT_OK)
		return ret;
	ret = handshake_run(&fetch, fd, NULL, err);
	return fetch_end(&fetch, ret, ret_pem, ret_len, err);
}
