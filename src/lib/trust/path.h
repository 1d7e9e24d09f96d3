/* SPDX-License-Identifier: MIT
 * trust/path.h: one candidate chain, and whether it holds. */
#ifndef WT_TRUST_PATH_H
#define WT_TRUST_PATH_H

#include "cert/cert.h"
#include "trust/limits.h"
#include "trust/work.h"

/** Certificates in a chain at most, the server's own and the root's too. */
#define WT_TRUST_DEPTH_MAX 32

/** The relation of a certificate to one that it may have issued. */
enum wt_trust_edge {
	WT_EDGE_NONE = 0,
	/** The name and the key fit; whether it may issue is not asked. */
	WT_EDGE_GOOD,
	/** Only the name and the key identifier fit: the signature is bad, or
	 *  cannot be verified with such a key. */
	WT_EDGE_BAD,
};

/** A certificate of the question, each once, with all that is known. */
struct wt_trust_node {
	const struct wt_cert *cert;
	X509 *x509;	    /**< cert's */
	const char *source; /**< where a link of it is said to come from */
	const struct wt_trust_cert *anchor; /**< first copy in Root, or NULL */
	const struct wt_trust_cert *veto;   /**< in Disallowed, or NULL */
	bool is_sent;			    /**< by the server */
	bool is_limited;    /**< a copy's properties do not let it serve */
	bool is_root_known; /**< the following is */
	bool is_root;	    /**< self-signed */
	bool is_linked;	    /**< the following are known */
	size_t *issuers;    /**< indexes, the likeliest first */
	size_t issuer_count;
	enum wt_trust_edge edge; /**< to all of issuers */
};

/** A candidate: indexes into nodes, the server's own first. */
struct wt_trust_path {
	const struct wt_trust_node *nodes;
	size_t items[WT_TRUST_DEPTH_MAX];
	size_t count;
};

/** The certificate at position i of path. */
const struct wt_trust_node *wt_trust_at(
	const struct wt_trust_path *path, size_t i);

/** The question about a path. */
struct wt_trust_trial {
	const struct wt_trust_path *path;
	const char *host;   /**< a DNS name or an address; NULL: any */
	int64_t at;	    /**< the client's clock */
	const char *object; /**< goes into the verdict */
};

/** A hash that equal names share. @return false for want of memory */
bool wt_trust_name_hash(const X509_NAME *name, unsigned long *ret_hash);

/** Did OpenSSL run out of memory? Empties its queue of errors. */
bool wt_trust_is_no_memory(void);

/**
 * Is a chain that ends in an anchor without limits good for TLS?
 *
 * @param doubts  what Windows may refuse in a chain that is good
 * @param reason  why not, status WT_NO; WT_OK when it is good
 * @return WT_ERR_FILE (no-memory)
 */
enum wt_status wt_trust_verify(const struct wt_trust_trial *trial,
	struct wt_trust_work *work, struct wt_trust_doubts *doubts,
	struct wt_error *reason, struct wt_error *err);

/** Is host an IPv4 or IPv6 address? */
bool wt_trust_is_address(const char *host);

#endif
