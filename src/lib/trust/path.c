/* SPDX-License-Identifier: MIT
 * trust/path.c: one candidate chain, and whether it holds.
 *
 * OpenSSL's functions judge each certificate and each pair. Its verification
 * of whole chains is not used: it builds the chain anew, and takes a
 * certificate that is named like its issuer for the end of it.
 */
#include "trust/path.h"

#include "trust/reason.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Windows refuses shorter ones in every certificate (KB2661254). */
#define RSA_BITS_MIN 1023

const struct wt_trust_node *wt_trust_at(
	const struct wt_trust_path *path, size_t i)
{
	return &path->nodes[path->items[i]];
}

bool wt_trust_name_hash(const X509_NAME *name, unsigned long *ret_hash)
{
	int is_good = 0;

	*ret_hash = X509_NAME_hash_ex(name, NULL, NULL, &is_good);
	return is_good == 1;
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

/* One path on trial, and what came out so far. */
struct judge {
	const struct wt_trust_trial *trial;
	struct wt_trust_work *work;
	struct wt_trust_doubts *doubts;
	struct wt_trust_finding finding;
	size_t count;
	bool has_no_memory;
};

static const struct wt_trust_node *node_at(const struct judge *judge, size_t i)
{
	return wt_trust_at(judge->trial->path, i);
}

static void object_to(struct judge *judge, int native, size_t index)
{
	if (native == X509_V_ERR_OUT_OF_MEM)
		judge->has_no_memory = true;
	else if (native != X509_V_OK)
		wt_trust_finding_add(&judge->finding, native, index);
}

/*
 * Cryptography
 */

static bool refuse_crypto(const struct wt_trust_trial *trial,
	const struct wt_cert_info *info, const char *code, const char *what,
	const char *hint, struct wt_error *reason)
{
	wt_fail(reason, WT_NO, code, trial->object, "%s (%s): %s",
		info->subject, info->sha1, what);
	wt_error_hint(reason, "%s", hint);
	return true;
}

static bool is_key_refused(const struct judge *judge,
	const struct wt_trust_node *node, struct wt_error *reason)
{
	const struct wt_cert_info *info = wt_cert_info(node->cert);
	char what[WT_ALGORITHM_TEXT_MAX] = "", text[256] = "";
	enum wt_algorithm state = wt_cert_key_algorithm(node->cert, what);

	if (wt_cert_is_key_too_large(node->cert)) {
		snprintf(text, sizeof(text),
			"its key (%.60s) has more than %d bits, or an exponent "
			"of more than %d; wimtrust does not use it",
			info->key, WT_RSA_BITS_MAX, WT_RSA_EXPONENT_BITS_MAX);
		return refuse_crypto(judge->trial, info, "key-too-large", text,
			"issue it again with RSA 4096", reason);
	}
	if (state == WT_ALGORITHM_UNKNOWN) {
		snprintf(text, sizeof(text),
			"%s is of a kind that Windows' chain engine does not "
			"know",
			what);
		return refuse_crypto(judge->trial, info, "unknown-algorithm",
			text, "issue it again with RSA or the curve P-256",
			reason);
	}
	if (state == WT_ALGORITHM_UNSURE) {
		snprintf(text, sizeof(text),
			"may be refused: it is not known whether Windows "
			"supports %s",
			what);
		wt_trust_doubt(judge->doubts, "unsure-algorithm", node, text);
	}
	if (!EVP_PKEY_is_a(X509_get0_pubkey(node->x509), "RSA") ||
		info->key_bits >= RSA_BITS_MIN)
		return false;
	snprintf(text, sizeof(text),
		"its key has %u bits, and Windows refuses RSA under %d",
		info->key_bits, RSA_BITS_MIN);
	return refuse_crypto(judge->trial, info, "weak-key", text,
		"issue it again with RSA 2048", reason);
}

/* Below the root, whose own signature proves nothing. */
static bool is_signature_refused(const struct judge *judge,
	const struct wt_trust_node *node, struct wt_error *reason)
{
	const struct wt_cert_info *info = wt_cert_info(node->cert);
	char what[WT_ALGORITHM_TEXT_MAX] = "", text[256] = "";

	switch (wt_cert_hash_nid(node->cert)) {
	case NID_md2:
	case NID_md4:
		snprintf(text, sizeof(text),
			"it is signed with %.60s, which is broken",
			info->signature);
		return refuse_crypto(judge->trial, info, "weak-signature", text,
			"issue it again with SHA-256", reason);
	case NID_md5:
		wt_trust_doubt(judge->doubts, "md5-signature", node,
			"is signed with MD5, which Windows refuses below the "
			"roots of Microsoft's own program");
		return false;
	case NID_sha1:
		wt_trust_doubt(judge->doubts, "sha1-signature", node,
			"is signed with SHA-1, which may be refused below the "
			"roots of Microsoft's own program");
		return false;
	default:
		break;
	}
	if (wt_cert_signature_algorithm(node->cert, what) == WT_ALGORITHM_KNOWN)
		return false;
	snprintf(text, sizeof(text),
		"may be refused: it is not known whether Windows supports %s",
		what);
	wt_trust_doubt(judge->doubts, "unsure-algorithm", node, text);
	return false;
}

static bool is_crypto_refused(
	const struct judge *judge, struct wt_error *reason)
{
	for (size_t i = judge->count; i > 0; i--) {
		if (is_key_refused(judge, node_at(judge, i - 1), reason))
			return true;
	}
	for (size_t i = 0; i + 1 < judge->count; i++) {
		if (is_signature_refused(judge, node_at(judge, i), reason))
			return true;
	}
	return false;
}

/*
 * Each pair
 */

static void check_pairs(struct judge *judge)
{
	for (size_t i = 1; i < judge->count; i++) {
		int native = X509_check_issued(
			node_at(judge, i)->x509, node_at(judge, i - 1)->x509);

		object_to(judge, native,
			native == X509_V_ERR_KEYUSAGE_NO_CERTSIGN ? i : i - 1);
		if (node_at(judge, i - 1)->edge == WT_EDGE_BAD)
			object_to(judge, X509_V_ERR_CERT_SIGNATURE_FAILURE,
				i - 1);
	}
}

/*
 * Each certificate
 */

static bool has_extension(X509 *x509, int nid)
{
	return X509_get_ext_by_NID(x509, nid, -1) >= 0;
}

/* basicConstraints are asked of all but a root, which need not have them: so
 * it is with Microsoft's own of 1997. */
static bool may_issue(struct judge *judge, size_t i)
{
	const struct wt_trust_node *node = node_at(judge, i);
	int kind = X509_check_ca(node->x509);

	if (kind == 1 || i + 1 < judge->count)
		return kind == 1;
	if (X509_get_version(node->x509) == X509_VERSION_1)
		return true;
	if (has_extension(node->x509, NID_basic_constraints) ||
		(kind == 0 && has_extension(node->x509, NID_key_usage)))
		return false;
	wt_trust_doubt(judge->doubts, "no-basic-constraints", node,
		"has no basicConstraints, so Windows may not take it for a CA");
	return true;
}

static bool is_for_servers(X509 *x509)
{
	uint32_t usage = X509_get_extended_key_usage(x509);

	/* All bits: there is no such extension. */
	return (usage & (XKU_SSL_SERVER | XKU_SGC | XKU_ANYEKU)) != 0;
}

static void check_key_usage(struct judge *judge)
{
	const struct wt_trust_node *server = node_at(judge, 0);
	uint32_t usage = X509_get_key_usage(server->x509);

	if (usage &
		(KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT))
		return;
	wt_trust_doubt(judge->doubts, "key-usage", server,
		"has a keyUsage that does not fit TLS; Windows may refuse it");
}

static void check_each(struct judge *judge)
{
	long below = 0; /* CAs that are not named like their issuer */

	for (size_t i = 0; i < judge->count; i++) {
		X509 *x509 = node_at(judge, i)->x509;
		uint32_t flags = X509_get_extension_flags(x509);
		long depth = X509_get_pathlen(x509);

		if (flags & EXFLAG_INVALID)
			object_to(judge, X509_V_ERR_INVALID_EXTENSION, i);
		if (flags & EXFLAG_CRITICAL)
			object_to(judge,
				X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, i);
		if (flags & EXFLAG_PROXY)
			object_to(judge,
				X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED, i);
		if (i > 0 && !may_issue(judge, i))
			object_to(judge, X509_V_ERR_INVALID_CA, i);
		if (!is_for_servers(x509))
			object_to(judge, X509_V_ERR_INVALID_PURPOSE, i);
		if (i > 1 && depth >= 0 && below > depth)
			object_to(judge, X509_V_ERR_PATH_LENGTH_EXCEEDED, i);
		below += i > 0 && !(flags & EXFLAG_SI);
	}
	check_key_usage(judge);
}

/* The first and the last second count. */
static void check_times(struct judge *judge)
{
	for (size_t i = judge->count; i > 0; i--) {
		const struct wt_trust_node *node = node_at(judge, i - 1);
		const struct wt_cert_info *info = wt_cert_info(node->cert);

		if (wt_cert_has_odd_date(node->cert))
			wt_trust_doubt(judge->doubts, "cert-odd-date", node,
				"has dates without seconds, with an offset or "
				"a fraction: it is not known whether Windows "
				"reads them");

		if (judge->trial->at < info->not_before)
			object_to(judge, X509_V_ERR_CERT_NOT_YET_VALID, i - 1);
		if (judge->trial->at > info->not_after)
			object_to(judge, X509_V_ERR_CERT_HAS_EXPIRED, i - 1);
	}
}

/*
 * Name constraints
 */

/* OpenSSL compares each name with each subtree, a million times at most. */
static uint64_t name_cost(X509 *x509, const NAME_CONSTRAINTS *constraints)
{
	uint64_t subtrees = 0;
	int len = i2d_X509(x509, NULL);

	if (constraints->permittedSubtrees)
		subtrees += (uint64_t)sk_GENERAL_SUBTREE_num(
			constraints->permittedSubtrees);
	if (constraints->excludedSubtrees)
		subtrees += (uint64_t)sk_GENERAL_SUBTREE_num(
			constraints->excludedSubtrees);
	subtrees *= (uint64_t)len / 4;
	return (subtrees < 1 << 20 ? subtrees : 1 << 20) / 16 + 5;
}

/* The common name counts where there is no DNS name. */
static bool has_dns_name(X509 *x509)
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	bool has_name = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		if (sk_GENERAL_NAME_value(names, i)->type == GEN_DNS)
			has_name = true;
	GENERAL_NAMES_free(names);
	return has_name;
}

static void constrain(
	struct judge *judge, size_t i, NAME_CONSTRAINTS *constraints)
{
	X509 *x509 = node_at(judge, i)->x509;
	int native = X509_V_OK;

	if (!wt_trust_spend(judge->work, name_cost(x509, constraints)))
		return;
	native = NAME_CONSTRAINTS_check(x509, constraints);
	if (native == X509_V_OK && i == 0 && !has_dns_name(x509))
		native = NAME_CONSTRAINTS_check_CN(x509, constraints);
	object_to(judge, native, i);
}

static void check_names(struct judge *judge)
{
	for (size_t i = 1; i < judge->count; i++) {
		int position = -1;
		NAME_CONSTRAINTS *constraints =
			X509_get_ext_d2i(node_at(judge, i)->x509,
				NID_name_constraints, &position, NULL);

		if (!constraints && position != -1)
			object_to(judge, X509_V_ERR_INVALID_EXTENSION, i);
		for (size_t j = 0; constraints && j < i; j++) {
			if (j == 0 || !(X509_get_extension_flags(
						node_at(judge, j)->x509) &
					      EXFLAG_SI))
				constrain(judge, j, constraints);
		}
		NAME_CONSTRAINTS_free(constraints);
	}
}

/*
 * Policies: Windows honours what a chain requires of them, although nobody
 * asks for one.
 */

static void check_policies(struct judge *judge)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	STACK_OF(ASN1_OBJECT) *wanted = sk_ASN1_OBJECT_new_null();
	X509_POLICY_TREE *tree = NULL;
	int is_explicit = 0, answer = X509_PCY_TREE_INTERNAL;
	bool is_ready = chain && wanted;

	for (size_t i = 0; is_ready && i < judge->count; i++)
		is_ready = sk_X509_push(chain, node_at(judge, i)->x509) > 0;
	if (is_ready &&
		sk_ASN1_OBJECT_push(wanted, OBJ_nid2obj(NID_any_policy)) > 0)
		answer = X509_policy_check(
			&tree, &is_explicit, chain, wanted, 0);
	if (answer == X509_PCY_TREE_INTERNAL)
		judge->has_no_memory = true;
	else if (answer == X509_PCY_TREE_INVALID)
		object_to(judge, X509_V_ERR_INVALID_POLICY_EXTENSION, 0);
	else if (answer == X509_PCY_TREE_FAILURE)
		object_to(judge, X509_V_ERR_NO_EXPLICIT_POLICY, 0);
	X509_policy_tree_free(tree);
	sk_ASN1_OBJECT_free(wanted);
	sk_X509_free(chain);
}

/*
 * The server's name
 */

static void check_host(struct judge *judge)
{
	const struct wt_trust_node *server = node_at(judge, 0);
	const char *host = judge->trial->host;
	int answer = 0;

	if (!host)
		return;
	if (wt_trust_is_address(host)) {
		answer = X509_check_ip_asc(server->x509, host, 0);
		if (answer == 0)
			object_to(judge, X509_V_ERR_IP_ADDRESS_MISMATCH, 0);
	} else {
		answer = X509_check_host(server->x509, host, 0,
			X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL);
		if (answer == 0 &&
			X509_check_host(server->x509, host, 0, 0, NULL) == 1)
			wt_trust_doubt(judge->doubts, "partial-wildcard",
				server,
				"has the name only as a wildcard for part of a "
				"label, which Windows may refuse");
		else if (answer == 0)
			object_to(judge, X509_V_ERR_HOSTNAME_MISMATCH, 0);
	}
	if (answer < 0)
		judge->has_no_memory = true;
}

static void tell_spent(
	const struct wt_trust_trial *trial, struct wt_error *reason)
{
	wt_fail(reason, WT_NO, "too-much-work", trial->object,
		"the check stopped: its certificates cost too much to "
		"verify");
	wt_error_hint(reason, "give only what the server sends");
}

enum wt_status wt_trust_verify(const struct wt_trust_trial *trial,
	struct wt_trust_work *work, struct wt_trust_doubts *doubts,
	struct wt_error *reason, struct wt_error *err)
{
	struct judge judge = {
		.trial = trial,
		.work = work,
		.doubts = doubts,
		.finding = {.native = X509_V_OK},
		.count = trial->path->count,
	};

	doubts->count = 0;
	memset(reason, 0, sizeof(*reason));
	if (!wt_trust_spend(work, 30 * judge.count)) {
		tell_spent(trial, reason);
		return WT_OK;
	}
	if (is_crypto_refused(&judge, reason))
		return WT_OK;
	check_pairs(&judge);
	check_each(&judge);
	check_times(&judge);
	check_names(&judge);
	check_policies(&judge);
	check_host(&judge);
	/* If memory is short, OpenSSL reports faults that do not exist. */
	if (wt_trust_is_no_memory() || judge.has_no_memory)
		return wt_fail_memory(err);
	if (work->is_spent)
		tell_spent(trial, reason);
	else if (judge.finding.native != X509_V_OK)
		wt_trust_finding_tell(&judge.finding, trial, reason);
	return WT_OK;
}
