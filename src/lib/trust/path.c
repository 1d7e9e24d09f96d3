/* SPDX-License-Identifier: MIT
 * trust/path.c: one candidate chain, and OpenSSL's judgement of it. */
#include "trust/path.h"

#include "base/text.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Windows refuses shorter ones in every certificate (KB2661254). */
#define RSA_BITS_MIN 1024
/* So many of a certificate's names are told. */
#define NAMES_MAX 6

const struct wt_trust_node *wt_trust_at(
	const struct wt_trust_path *path, size_t i)
{
	return &path->nodes[path->items[i]];
}

bool wt_trust_is_no_memory(void)
{
	bool is_no_memory = false;
	unsigned long error = 0;

	while ((error = ERR_get_error()) != 0) {
		if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
			is_no_memory = true;
	}
	return is_no_memory;
}

bool wt_trust_is_address(const char *host)
{
	unsigned char bytes[16] = {0};

	return inet_pton(AF_INET, host, bytes) == 1 ||
	       inet_pton(AF_INET6, host, bytes) == 1;
}

/*
 * What OpenSSL objects to. The row that stands first is the one that is told
 * when there are several.
 */
static const struct {
	int native;
	const char *code;
	const char *text; /* follows the certificate's subject */
	const char *hint;
} objections[] = {
	{X509_V_ERR_CERT_SIGNATURE_FAILURE, "bad-signature",
		"has a signature that its issuer's key did not make",
		"the certificate is damaged, or its CA was renewed with a new "
		"key: get the chain from the server anew"},
	{X509_V_ERR_KEYUSAGE_NO_CERTSIGN, "not-a-ca",
		"may not issue certificates (keyUsage lacks keyCertSign), "
		"but did",
		"the chain needs a certificate from a CA"},
	{X509_V_ERR_INVALID_CA, "not-a-ca",
		"is not a CA, but issued a certificate",
		"the chain needs a certificate from a CA"},
	{X509_V_ERR_PATH_LENGTH_EXCEEDED, "path-too-long",
		"allows fewer CAs below it than this chain has",
		"the server needs a certificate from a CA that is higher up"},
	{X509_V_ERR_CERT_HAS_EXPIRED, "cert-expired", "expired on",
		"renew it, or ask for an earlier time with --at"},
	{X509_V_ERR_CERT_NOT_YET_VALID, "cert-not-yet-valid",
		"is valid only from",
		"look at the clock, or ask for a later time with --at"},
	{X509_V_ERR_INVALID_PURPOSE, "not-for-server-auth",
		"is not for TLS servers (its keyUsage or extendedKeyUsage)",
		"issue a certificate with the usage serverAuth"},
	{X509_V_ERR_PERMITTED_VIOLATION, "name-constraint",
		"has a name outside those that a CA above it may issue for",
		"the server needs a certificate from another CA"},
	{X509_V_ERR_EXCLUDED_VIOLATION, "name-constraint",
		"has a name that a CA above it must not issue for",
		"the server needs a certificate from another CA"},
	{X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "critical-extension",
		"has a critical extension that is not known here",
		"whether Windows knows it only Windows can say"},
	{X509_V_ERR_HOSTNAME_MISMATCH, "wrong-host", NULL, NULL},
	{X509_V_ERR_IP_ADDRESS_MISMATCH, "wrong-host", NULL, NULL},
};

#define OBJECTION_COUNT (sizeof(objections) / sizeof(objections[0]))

/* The worst that the verification found. */
struct finding {
	size_t rank; /* row of objections, or OBJECTION_COUNT */
	int native;  /* X509_V_OK: nothing yet */
	X509 *x509;  /* of the path */
};

static void finding_add(struct finding *finding, int native, X509 *x509)
{
	size_t rank = 0;

	while (rank < OBJECTION_COUNT && objections[rank].native != native)
		rank++;
	if (finding->native != X509_V_OK && rank >= finding->rank)
		return;
	finding->rank = rank;
	finding->native = native;
	finding->x509 = x509;
}

/*
 * OpenSSL does not count anyExtendedKeyUsage as serverAuth, Windows does.
 * The rest of what makes the purpose is looked at here in its place.
 */
static bool is_any_usage(X509 *x509, bool is_server)
{
	EXTENDED_KEY_USAGE *usage = NULL;
	uint32_t key_usage = X509_get_key_usage(x509);
	bool has_any = false;

	usage = X509_get_ext_d2i(x509, NID_ext_key_usage, NULL, NULL);
	for (int i = 0; i < sk_ASN1_OBJECT_num(usage); i++) {
		if (OBJ_obj2nid(sk_ASN1_OBJECT_value(usage, i)) ==
			NID_anyExtendedKeyUsage)
			has_any = true;
	}
	EXTENDED_KEY_USAGE_free(usage);
	if (!is_server)
		return has_any && X509_check_ca(x509) != 0;
	return has_any &&
	       (key_usage & (KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT |
				    KU_KEY_AGREEMENT)) != 0;
}

/* Notes what is wrong and goes on, to find the worst. */
static int on_verify(int ok, X509_STORE_CTX *ctx)
{
	struct finding *finding = X509_STORE_CTX_get_app_data(ctx);
	X509 *x509 = X509_STORE_CTX_get_current_cert(ctx);
	int native = X509_STORE_CTX_get_error(ctx);

	if (ok)
		return 1;
	if (native == X509_V_ERR_OUT_OF_MEM)
		return 0;
	if (native == X509_V_ERR_INVALID_PURPOSE && x509 &&
		is_any_usage(x509, X509_STORE_CTX_get_error_depth(ctx) == 0))
		return 1;
	finding_add(finding, native, x509);
	return 1;
}

/* One of a certificate's names, with '?' for what is not printable ASCII. */
static void add_name(char *text, size_t size, size_t number, const char *kind,
	const unsigned char *name, int name_len)
{
	size_t used = strlen(text);

	if (number == NAMES_MAX)
		snprintf(text + used, size - used, ", and more");
	if (number >= NAMES_MAX)
		return;
	snprintf(text + used, size - used, "%s%s", number ? ", " : "", kind);
	used = strlen(text);
	for (int i = 0; i < name_len && used + 1 < size; i++)
		text[used++] =
			name[i] < ' ' || name[i] > '~' ? '?' : (char)name[i];
	text[used] = '\0';
}

static void add_address(
	char *text, size_t size, size_t number, const ASN1_OCTET_STRING *ip)
{
	char address[INET6_ADDRSTRLEN] = "";
	int family = ASN1_STRING_length(ip) == 4 ? AF_INET : AF_INET6;

	if (family == AF_INET6 && ASN1_STRING_length(ip) != 16)
		return;
	if (!inet_ntop(family, ASN1_STRING_get0_data(ip), address,
		    sizeof(address)))
		return;
	add_name(text, size, number, "address ", (const unsigned char *)address,
		(int)strlen(address));
}

/* The names that a host is compared with: those of subjectAltName, or, where
 * that has none of the kind, the common names. */
static void list_names(X509 *x509, char *text, size_t size)
{
	GENERAL_NAMES *names = NULL;
	const X509_NAME *subject = X509_get_subject_name(x509);
	size_t count = 0;
	int at = -1;

	names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			add_name(text, size, count++, "",
				ASN1_STRING_get0_data(name->d.dNSName),
				ASN1_STRING_length(name->d.dNSName));
		else if (name->type == GEN_IPADD)
			add_address(text, size, count++, name->d.iPAddress);
	}
	GENERAL_NAMES_free(names);
	while (count == 0 && (at = X509_NAME_get_index_by_NID(
				      subject, NID_commonName, at)) >= 0) {
		const ASN1_STRING *cn = X509_NAME_ENTRY_get_data(
			X509_NAME_get_entry(subject, at));

		add_name(text, size, 0, "", ASN1_STRING_get0_data(cn),
			ASN1_STRING_length(cn));
		break;
	}
	if (text[0] == '\0')
		snprintf(text, size, "no host at all");
}

static void tell_wrong_host(const struct wt_trust_path *path, const char *host,
	const char *object, struct wt_error *reason)
{
	char names[256] = "";

	list_names(wt_trust_at(path, 0)->x509, names, sizeof(names));
	wt_fail(reason, WT_NO, "wrong-host", object,
		"the server's certificate is not for %s; it is for %s", host,
		names);
	wt_error_hint(reason, "reach the server by a name that its "
			      "certificate has, or issue one for this name");
}

static void tell_time(const struct wt_cert_info *info, size_t row, int64_t at,
	const char *object, struct wt_error *reason)
{
	bool is_early = objections[row].native == X509_V_ERR_CERT_NOT_YET_VALID;
	char limit[32] = "";
	char now[32] = "";

	wt_text_time(is_early ? info->not_before : info->not_after, limit);
	wt_text_time(at, now);
	wt_fail(reason, WT_NO, objections[row].code, object,
		"%s (%s) %s %s, and the time asked for is %s", info->subject,
		info->sha1, objections[row].text, limit, now);
}

static void tell(const struct wt_trust_path *path,
	const struct finding *finding, const char *host, int64_t at,
	const char *object, struct wt_error *reason)
{
	const struct wt_trust_node *node = wt_trust_at(path, 0);
	const struct wt_cert_info *info = NULL;
	size_t row = finding->rank;

	for (size_t i = 0; i < path->count; i++) {
		if (wt_trust_at(path, i)->x509 == finding->x509)
			node = wt_trust_at(path, i);
	}
	info = wt_cert_info(node->cert);
	if (row == OBJECTION_COUNT)
		wt_fail(reason, WT_NO, "chain-invalid", object,
			"OpenSSL refuses %s (%s): %s", info->subject,
			info->sha1,
			X509_verify_cert_error_string(finding->native));
	else if (!objections[row].text)
		tell_wrong_host(path, host, object, reason);
	else if (objections[row].native == X509_V_ERR_CERT_HAS_EXPIRED ||
		 objections[row].native == X509_V_ERR_CERT_NOT_YET_VALID)
		tell_time(info, row, at, object, reason);
	else
		wt_fail(reason, WT_NO, objections[row].code, object,
			"%s (%s) %s", info->subject, info->sha1,
			objections[row].text);
	if (row == OBJECTION_COUNT)
		wt_error_hint(reason, "get the chain from the server anew, or "
				      "have the certificate issued anew");
	else if (objections[row].hint)
		wt_error_hint(reason, "%s", objections[row].hint);
	wt_error_native(reason, WT_DOMAIN_OPENSSL, finding->native);
}

/* What Windows refuses for its cryptography, whatever the stores say. */
static bool is_weak(const struct wt_trust_path *path, const char *object,
	struct wt_error *reason)
{
	for (size_t i = 0; i < path->count; i++) {
		const struct wt_cert *cert = wt_trust_at(path, i)->cert;
		const struct wt_cert_info *info = wt_cert_info(cert);
		int nid = NID_undef;

		if (EVP_PKEY_is_a(
			    X509_get0_pubkey(wt_cert_x509(cert)), "RSA") &&
			info->key_bits < RSA_BITS_MIN) {
			wt_fail(reason, WT_NO, "weak-key", object,
				"%s (%s) has a key of %u bits; Windows refuses "
				"RSA under %d",
				info->subject, info->sha1, info->key_bits,
				RSA_BITS_MIN);
			wt_error_hint(reason, "issue it anew with RSA 2048");
			return true;
		}
		/* The root's own signature proves nothing. */
		if (i + 1 == path->count ||
			X509_get_signature_info(wt_cert_x509(cert), &nid, NULL,
				NULL, NULL) != 1)
			continue;
		if (nid == NID_md2 || nid == NID_md4 || nid == NID_md5) {
			wt_fail(reason, WT_NO, "weak-signature", object,
				"%s (%s) is signed with %s, which Windows "
				"refuses",
				info->subject, info->sha1, OBJ_nid2ln(nid));
			wt_error_hint(reason, "issue it anew with SHA-256");
			return true;
		}
	}
	return false;
}

static bool set_up(X509_STORE_CTX *ctx, const char *host, int64_t at)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_time(param, (time_t)at);
	/* Windows does not weigh keys and hashes as OpenSSL's levels do; a
	 * root's SHA-1 in particular is nothing to it. See is_weak(). */
	X509_VERIFY_PARAM_set_auth_level(param, 0);
	X509_VERIFY_PARAM_set_depth(param, WT_TRUST_DEPTH_MAX);
	X509_VERIFY_PARAM_set_hostflags(
		param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) != 1)
		return false;
	if (!host)
		return true;
	if (wt_trust_is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

/* Who OpenSSL would not even take for the issuer, with a worse message. */
static void check_issuers(
	const struct wt_trust_path *path, struct finding *finding)
{
	for (size_t i = 1; i < path->count; i++) {
		X509 *issuer = wt_trust_at(path, i)->x509;
		X509 *x509 = wt_trust_at(path, i - 1)->x509;
		int native = X509_check_issued(issuer, x509);

		if (native == X509_V_ERR_KEYUSAGE_NO_CERTSIGN)
			finding_add(finding, native, issuer);
		else if (native != X509_V_OK)
			finding_add(finding, native, x509);
	}
}

enum wt_status wt_trust_verify(const struct wt_trust_path *path,
	const char *host, int64_t at, const char *object,
	struct wt_error *reason, struct wt_error *err)
{
	enum wt_status status = WT_ERR_FILE;
	STACK_OF(X509) *roots = sk_X509_new_null();
	STACK_OF(X509) *others = sk_X509_new_null();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	struct finding finding = {.native = X509_V_OK};
	size_t last = path->count - 1;
	int is_good = 0;

	check_issuers(path, &finding);
	if (finding.native != X509_V_OK)
		tell(path, &finding, host, at, object, reason);
	if (finding.native != X509_V_OK || is_weak(path, object, reason)) {
		status = WT_OK;
		goto out;
	}
	if (!roots || !others || !ctx ||
		sk_X509_push(roots, wt_trust_at(path, last)->x509) <= 0)
		goto no_memory;
	for (size_t i = 1; i < last; i++) {
		if (sk_X509_push(others, wt_trust_at(path, i)->x509) <= 0)
			goto no_memory;
	}
	if (X509_STORE_CTX_init(
		    ctx, NULL, wt_trust_at(path, 0)->x509, others) != 1 ||
		X509_STORE_CTX_set_app_data(ctx, &finding) != 1)
		goto no_memory;
	X509_STORE_CTX_set0_trusted_stack(ctx, roots);
	X509_STORE_CTX_set_verify_cb(ctx, on_verify);
	if (!set_up(ctx, host, at))
		goto no_memory;
	is_good = X509_verify_cert(ctx);
	if (is_good != 1 && finding.native == X509_V_OK)
		goto no_memory;
	if (finding.native != X509_V_OK)
		tell(path, &finding, host, at, object, reason);
	else
		memset(reason, 0, sizeof(*reason));
	status = WT_OK;
	goto out;
no_memory:
	status = wt_fail_memory(err);
out:
	/* Without memory OpenSSL finds faults that are none. */
	if (status == WT_OK && reason->status != WT_OK &&
		wt_trust_is_no_memory())
		status = wt_fail_memory(err);
	X509_STORE_CTX_free(ctx);
	sk_X509_free(others);
	sk_X509_free(roots);
	return status;
}
