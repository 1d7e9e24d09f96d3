/* SPDX-License-Identifier: MIT
 * trust/server.c: the server in question, by name and by certificate. */
#include "trust/server.h"

#include "trust/path.h"

#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

static bool is_dns_name(const char *host, size_t len)
{
	bool has_letter = false;
	size_t label_len = 0;

	for (size_t i = 0; i < len; i++) {
		char c = host[i];
		bool is_letter = (c >= 'a' && c <= 'z') ||
				 (c >= 'A' && c <= 'Z') || c == '-' || c == '_';

		if (c == '.' && label_len == 0)
			return false;
		if (c != '.' && !is_letter && (c < '0' || c > '9'))
			return false;
		label_len = c == '.' ? 0 : label_len + 1;
		has_letter = c != '.' && (has_letter || is_letter);
		if (label_len > 63)
			return false;
		if (c == '.')
			has_letter = false;
	}
	/* The last label of a name is no number, or it were an address. */
	return label_len > 0 && has_letter && len <= 253;
}

enum wt_status wt_trust_host(
	const char *host, char ret_host[256], struct wt_error *err)
{
	size_t len = strlen(host);

	if (len < 256 && len > 2 && host[0] == '[' && host[len - 1] == ']') {
		memcpy(ret_host, host + 1, len - 2);
		ret_host[len - 2] = '\0';
		if (wt_trust_is_address(ret_host))
			return WT_OK;
	} else if (len < 256) {
		memcpy(ret_host, host, len + 1);
		if (wt_trust_is_address(ret_host))
			return WT_OK;
		if (len > 0 && ret_host[len - 1] == '.')
			ret_host[--len] = '\0';
		if (is_dns_name(ret_host, len))
			return WT_OK;
	}
	wt_fail(err, WT_ERR_USAGE, "bad-host", host,
		"is neither a DNS name nor an IP address");
	wt_error_hint(err,
		"give the name alone, without https://, port or "
		"path; write a name with non-ASCII letters in its xn-- form");
	return WT_ERR_USAGE;
}

/* Does what is marked as a CA look like a server's certificate too? People
 * make their self-signed ones so. */
static bool is_server_too(const struct wt_cert *cert, const char *host)
{
	GENERAL_NAMES *names = NULL;
	bool has_name = false;

	names = X509_get_ext_d2i(
		wt_cert_x509(cert), NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type = sk_GENERAL_NAME_value(names, i)->type;

		has_name = has_name || type == GEN_DNS || type == GEN_IPADD;
	}
	GENERAL_NAMES_free(names);
	if (has_name)
		return true;
	return host && !wt_trust_is_address(host) &&
	       X509_check_host(wt_cert_x509(cert), host, 0, 0, NULL) == 1;
}

/* Of each certificate of a chain. */
struct sent {
	X509 *x509;
	unsigned long subject, issuer; /* hashes of the names */
	bool has_issued;	       /* another of them */
};

/* Also where it must not, which is a fault of the chain and no riddle. */
static bool has_issued(const struct sent *one, const struct sent *other)
{
	int native = 0;

	if (one == other || one->subject != other->issuer)
		return false;
	native = X509_check_issued(one->x509, other->x509);
	return native == X509_V_OK || native == X509_V_ERR_KEYUSAGE_NO_CERTSIGN;
}

static enum wt_status sent_make(const struct wt_cert_list *chain,
	struct wt_trust_work *work, struct sent **ret_sent,
	struct wt_error *err)
{
	size_t count = wt_cert_list_count(chain);
	struct sent *sent = calloc(count, sizeof(*sent));
	bool is_good = sent != NULL;

	for (size_t i = 0; is_good && i < count; i++) {
		X509 *x509 = wt_cert_x509(wt_cert_list_get(chain, i));

		sent[i].x509 = x509;
		is_good = wt_trust_name_hash(X509_get_subject_name(x509),
				  &sent[i].subject) &&
			  wt_trust_name_hash(
				  X509_get_issuer_name(x509), &sent[i].issuer);
	}
	if (!is_good) {
		free(sent);
		return wt_fail_memory(err);
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; !sent[i].has_issued && j < count; j++) {
			if (sent[i].subject == sent[j].issuer &&
				!wt_trust_spend(work, 1))
				break;
			sent[i].has_issued = has_issued(&sent[i], &sent[j]);
		}
	}
	*ret_sent = sent;
	return WT_OK;
}

enum wt_status wt_trust_server(const struct wt_cert_list *chain,
	const char *host, const char *object, struct wt_trust_work *work,
	size_t *ret_index, struct wt_error *err)
{
	size_t count = wt_cert_list_count(chain);
	struct sent *sent = NULL;
	enum wt_status ret = WT_OK;
	size_t index = 0;
	int best = 0;

	if (count == 0)
		return wt_fail(err, WT_ERR_CERT, "cert-none", object,
			"the server's chain holds no certificate");
	ret = sent_make(chain, work, &sent, err);
	if (ret != WT_OK)
		return ret;
	for (size_t i = 0; i < count; i++) {
		const struct wt_cert *cert = wt_cert_list_get(chain, i);
		int weight = 0;

		if (!wt_cert_info(cert)->is_ca)
			weight = 2;
		else if (is_server_too(cert, host))
			weight = 1;
		if (weight > 0)
			weight = 2 * weight + !sent[i].has_issued;
		if (weight <= best)
			continue;
		best = weight;
		index = i;
	}
	free(sent);
	if (best > 0) {
		*ret_index = index;
		return WT_OK;
	}
	if (wt_trust_is_no_memory())
		return wt_fail_memory(err);
	wt_fail(err, WT_ERR_CERT, "no-server-cert", object,
		"the server's chain holds CA certificates only, %s for one; "
		"the server's own is missing",
		wt_cert_info(wt_cert_list_get(chain, 0))->subject);
	wt_error_hint(err, "save what the server sends: openssl s_client "
			   "-showcerts -connect HOST:443 </dev/null >CHAIN");
	return WT_ERR_CERT;
}
