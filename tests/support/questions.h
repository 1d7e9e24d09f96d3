/* SPDX-License-Identifier: MIT
 * questions.h: would this image trust that server, and what is the answer? */
#ifndef WT_QUESTIONS_H
#define WT_QUESTIONS_H

#include "trust/trust.h"

#define CHAINS WT_TESTDATA "/chains/"
/** 2025-06-01 12:00 UTC: when a question is asked that says nothing else. */
#define NOON INT64_C(1748779200)

/* clang-format off */
#define IN_ROOT(file) {file, WT_TRUST_ANCHOR, "AuthRoot", 0, 0, 0, 0, 0}
/* clang-format on */

/* How openssl verify's answer relates to ours. */
enum other {
	SAME = 0,
	DIFFERS, /* and must, or our own rule has no reason any more */
	UNASKED, /* it knows nothing of what is asked */
};

struct store {
	const char *file;
	enum wt_trust_kind kind;
	const char *source;
	const char *usage;	      /* property 0x09 */
	const char *disallowed_from;  /* property 0x68: seconds, or "" */
	const char *disallowed_usage; /* property 0x7A */
	const char *not_before;	      /* property 0x7E */
	const char *not_before_usage; /* property 0x7F */
};

struct question {
	const char *name;
	const char *chain[5];
	struct store stores[6];
	const char *host;
	const char *code;  /* NULL: trusted */
	const char *links; /* the sources, comma-separated */
	const char *says;  /* stands in the reason */
	int64_t at;	   /* 0: NOON */
	enum other other;
};

extern const struct question questions[];
extern const size_t question_count;

/** The file of a certificate of testdata/chains; overwritten by the next. */
char *chain_path(const char *file);

/** A question made ready; the lists own the certificates. */
struct ready {
	struct wt_cert_list *chain;
	struct wt_cert_list *stores[6];
	struct wt_trust_cert copies[6];
	struct wt_trust_query query;
};

void get_ready(const struct question *question, struct ready *ready);
void let_go(struct ready *ready);

#endif
