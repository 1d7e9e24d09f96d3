/* SPDX-License-Identifier: MIT
 * trust/reason.c: what is wrong with a chain, in words. */
#include "trust/reason.h"

#include "base/text.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* How many of the names of a certificate are told. */
#define NAMES_MAX 6

/* What may be wrong, by the numbers of OpenSSL. If several rows fit, the first
 * is told. */
static const struct {
	int native;
	const char *code;
	const char *text; /* follows the certificate's subject */
	const char *hint;
} objections[] = {
	{X509_V_ERR_CERT_SIGNATURE_FAILURE, "bad-signature",
		"has a signature that its issuer's key did not make",
		"the certificate is damaged, or its CA has a new key: get the "
		"chain from the server again, and add the CA's certificate "
		"with "
		"the key in use"},
	{X509_V_ERR_INVALID_EXTENSION, "chain-invalid",
		"has an extension that cannot be read",
		"have the certificate issued again"},
	{X509_V_ERR_AKID_SKID_MISMATCH, "key-identifier",
		"names another key identifier than the certificate above it "
		"has; sources differ on whether Windows takes that",
		"have it issued again with the right authority key identifier"},
	{X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH, "key-identifier",
		"names another issuer or serial number than the certificate "
		"above it has; Windows takes only the one that is named",
		"have it issued again with the right authority key identifier"},
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
		"is not for TLS servers (its extendedKeyUsage)",
		"issue a certificate with the usage serverAuth"},
	{X509_V_ERR_PERMITTED_VIOLATION, "name-constraint",
		"has a name outside those that a CA above it may issue for",
		"the server needs a certificate from another CA"},
	{X509_V_ERR_EXCLUDED_VIOLATION, "name-constraint",
		"has a name that a CA above it must not issue for",
		"the server needs a certificate from another CA"},
	{X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "critical-extension",
		"has a critical extension that is not known here",
		"only Windows can tell whether it knows it"},
	{X509_V_ERR_INVALID_POLICY_EXTENSION, "policy-missing",
		"has certificate policies that contradict themselves",
		"have it issued again with sound policies"},
	{X509_V_ERR_NO_EXPLICIT_POLICY, "policy-missing",
		"has no certificate policy that the chain allows, and a CA "
		"above it requires one",
		"the server needs a certificate with a policy of that CA"},
	{X509_V_ERR_HOSTNAME_MISMATCH, "wrong-host", NULL, NULL},
	{X509_V_ERR_IP_ADDRESS_MISMATCH, "wrong-host", NULL, NULL},
};

#define OBJECTION_COUNT (sizeof(objections) / sizeof(objections[0]))

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

static void tell_wrong_host(
	const struct wt_trust_trial *trial, struct wt_error *reason)
{
	char names[256] = "";

	list_names(wt_trust_at(trial->path, 0)->x509, names, sizeof(names));
	wt_fail(reason, WT_NO, "wrong-host", trial->object,
		"the server's certificate is not for %s; it is for %s",
		trial->host, names);
	wt_error_hint(reason, "reach the server by a name that its "
			      "certificate has, or issue one for this name");
}

static void tell_time(const struct wt_trust_trial *trial,
	const struct wt_cert_info *info, size_t row, struct wt_error *reason)
{
	bool is_early = objections[row].native == X509_V_ERR_CERT_NOT_YET_VALID;
	char limit[32] = "";
	char now[32] = "";

	wt_text_time(is_early ? info->not_before : info->not_after, limit);
	wt_text_time(trial->at, now);
	wt_fail(reason, WT_NO, objections[row].code, trial->object,
		"%s (%s) %s %s, and the time asked for is %s", info->subject,
		info->sha1, objections[row].text, limit, now);
}

void wt_trust_finding_add(
	struct wt_trust_finding *finding, int native, size_t index)
{
	size_t rank = 0;

	while (rank < OBJECTION_COUNT && objections[rank].native != native)
		rank++;
	if (finding->native != X509_V_OK && rank >= finding->rank)
		return;
	finding->rank = rank;
	finding->native = native;
	finding->index = index;
}

void wt_trust_finding_tell(const struct wt_trust_finding *finding,
	const struct wt_trust_trial *trial, struct wt_error *reason)
{
	const struct wt_cert_info *info =
		wt_cert_info(wt_trust_at(trial->path, finding->index)->cert);
	size_t row = finding->rank;

	if (row == OBJECTION_COUNT)
		wt_fail(reason, WT_NO, "chain-invalid", trial->object,
			"OpenSSL refuses %s (%s): %s", info->subject,
			info->sha1,
			X509_verify_cert_error_string(finding->native));
	else if (!objections[row].text)
		tell_wrong_host(trial, reason);
	else if (objections[row].native == X509_V_ERR_CERT_HAS_EXPIRED ||
		 objections[row].native == X509_V_ERR_CERT_NOT_YET_VALID)
		tell_time(trial, info, row, reason);
	else
		wt_fail(reason, WT_NO, objections[row].code, trial->object,
			"%s (%s) %s", info->subject, info->sha1,
			objections[row].text);
	if (row == OBJECTION_COUNT)
		wt_error_hint(reason, "get the chain from the server again, or "
				      "have the certificate issued again");
	else if (objections[row].hint)
		wt_error_hint(reason, "%s", objections[row].hint);
	wt_error_native(reason, WT_DOMAIN_OPENSSL, finding->native);
}

void wt_trust_doubt(struct wt_trust_doubts *doubts, const char *code,
	const struct wt_trust_node *node, const char *text)
{
	const struct wt_cert_info *info = wt_cert_info(node->cert);
	struct wt_trust_doubt *doubt = &doubts->items[doubts->count];

	if (doubts->count == WT_TRUST_DOUBTS_MAX)
		return;
	doubts->count++;
	doubt->code = code;
	snprintf(doubt->text, sizeof(doubt->text), "%.160s (%s) %s",
		info->subject, info->sha1, text);
	wt_text_cut(doubt->text, sizeof(doubt->text));
}
