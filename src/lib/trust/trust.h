/* SPDX-License-Identifier: MIT
 * trust/trust.h: would Windows with these stores trust this TLS server? */
#ifndef WT_TRUST_TRUST_H
#define WT_TRUST_TRUST_H

#include <wimtrust/wimtrust.h>

/** What a store's certificate is to the chain. */
enum wt_trust_kind {
	/** Logical Root: ROOT and AuthRoot, and Root at the policy and the
	 *  enterprise place. A chain has to end in one that is self-signed;
	 *  one that is not serves as an intermediate, as on Windows. */
	WT_TRUST_ANCHOR = 0,
	WT_TRUST_INTERMEDIATE, /**< CA, at any place */
	WT_TRUST_VETO,	       /**< Disallowed, at any place */
};

/** A certificate of the image, with the properties its value has. */
struct wt_trust_cert {
	const struct wt_cert *cert; /**< borrowed */
	enum wt_trust_kind kind;
	const char *source; /**< the store's name, "AuthRoot"; borrowed */
};

/** The question. Nothing in it is kept longer than the result. */
struct wt_trust_query {
	const struct wt_trust_cert *stores; /**< the image's, in any order */
	size_t store_count;
	/** What the server sends, in any order, its own certificate in it. */
	const struct wt_cert_list *chain;
	/** DNS name in ASCII, or an IPv4 or IPv6 address; NULL: any. */
	const char *host;
	int64_t at; /**< the client's clock: seconds since 1970, UTC */
	const volatile sig_atomic_t *cancel; /**< NULL, or a signal's number */
	/** What is left for all the questions of a call, which each lessens;
	 *  NULL: no more are asked. */
	uint64_t *work;
};

/** For all the questions of a call together: about three seconds. */
#define WT_TRUST_CALL_WORK_MAX 3000000

/** What Windows may refuse in a chain that is good here. */
struct wt_trust_doubt {
	const char *code; /**< static text */
	char text[512];	  /**< one line that names the certificate */
};

#define WT_TRUST_DOUBTS_MAX 8

struct wt_trust_doubts {
	struct wt_trust_doubt items[WT_TRUST_DOUBTS_MAX];
	size_t count;
};

/** One certificate of the chain that was built. */
struct wt_trust_link {
	const struct wt_cert *cert; /**< the query's */
	const char *source;	    /**< "server", or the query's */
};

/** The answer. */
struct wt_trust_result {
	bool is_trusted;
	/**
	 * Why not: status WT_NO, code, reason and remedy; status WT_OK when
	 * trusted. For what OpenSSL found, native is its X509_V_ERR_ number.
	 *
	 * - root-not-in-image: the chain ends outside the image's Root store
	 * - intermediate-missing: the server's own issuer is to be found
	 *   neither in what it sends nor in the image
	 * - cert-expired, cert-not-yet-valid: a certificate, at that time
	 * - wrong-host: the server's certificate has other names
	 * - disallowed: a certificate is in Disallowed
	 * - disallowed-since: property 0x68 of a store's certificate
	 * - issued-too-late: property 0x7E of a store's certificate
	 * - usage-not-allowed: property 0x09 of a store's certificate
	 * - not-for-server-auth: a certificate's own usage extension
	 * - not-a-ca, path-too-long, name-constraint, critical-extension
	 * - policy-missing: the chain requires a policy that the server's has
	 * not
	 * - key-identifier: a certificate names another issuer
	 * - bad-signature, weak-signature (below the root), weak-key
	 * - key-too-large, unknown-algorithm: wimtrust does not use it
	 * - too-many-paths: stopped after WT_TRUST_PATHS_MAX
	 * - too-much-work: stopped after WT_TRUST_WORK_MAX, or earlier when
	 *   the call has done too much
	 * - chain-invalid: anything else, in OpenSSL's words
	 */
	struct wt_error verdict;
	/** The server's own first; as far as the chain could be built. */
	struct wt_trust_link *links;
	size_t link_count;
	struct wt_trust_doubts doubts; /**< about a chain that is trusted */
	/** What the server sends and is not on the way: strangers, and what
	 *  another key signed. */
	struct wt_trust_doubts left_out;
	/**
	 * The root that is needed and not in the image: its name, borrowed
	 * from query, and its thumbprint, "" when it is not at hand. NULL when
	 * it is in the image, or when nothing tells which it is.
	 */
	const char *root_name;
	char root_sha1[WT_SHA1_HEX_LEN + 1];
};

/** How many chains are verified before the search stops. */
#define WT_TRUST_PATHS_MAX 64

void wt_trust_result_free(struct wt_trust_result *result);

/**
 * Answers query: every chain from the server's certificate through what it
 * sends and what the image holds is tried until one is trusted.
 *
 * @param object      names the image or the chain's file in messages
 * @param ret_result  borrows from query; wt_trust_result_free()
 * @return WT_OK also when the answer is no. WT_INTERRUPTED. WT_ERR_CERT:
 * cert-none (the chain is empty), no-server-cert (it holds CAs only).
 * WT_ERR_USAGE: bad-host (host is neither a DNS name nor an address).
 * WT_ERR_FILE: no-memory.
 */
enum wt_status wt_trust_check(const struct wt_trust_query *query,
	const char *object, struct wt_trust_result **ret_result,
	struct wt_error *err);

/**
 * Do the properties of a certificate's value let a TLS server below it be
 * trusted whose certificate is issued now?
 */
bool wt_trust_serves(const struct wt_cert *cert, int64_t now);

#endif
