/* SPDX-License-Identifier: MIT
 * trust/tell.h: why a chain is not trusted because of where it leads. */
#ifndef WT_TRUST_TELL_H
#define WT_TRUST_TELL_H

#include "trust/path.h"

/** What a chain is built from. */
struct wt_trust_scene {
	const struct wt_trust_query *query;
	const char *object; /**< goes into the verdicts */
	struct wt_trust_use use;
	const struct wt_trust_node *nodes;
	size_t node_count;
};

bool wt_trust_is_same(const struct wt_cert *a, const struct wt_cert *b);

/** The first of path that Disallowed holds, or NULL. */
const struct wt_trust_node *wt_trust_find_veto(
	const struct wt_trust_path *path);
void wt_trust_tell_veto(const struct wt_trust_scene *scene,
	const struct wt_trust_node *node, struct wt_error *reason);

/** The first certificate of the chain that the properties of a copy in the
 *  image forbid; false for none. */
bool wt_trust_tell_limit(const struct wt_trust_scene *scene,
	const struct wt_trust_path *path, struct wt_error *reason);

/** Property 0x80, of which only the name is known. */
void wt_trust_doubt_cas(const struct wt_trust_scene *scene,
	const struct wt_trust_path *path, struct wt_trust_doubts *doubts);

/** The chain ends in a root that is not in the image's Root store. */
void wt_trust_tell_root(const struct wt_trust_scene *scene,
	const struct wt_trust_path *path, struct wt_error *reason);

/** The chain ends below a root. */
void wt_trust_tell_open(const struct wt_trust_scene *scene,
	const struct wt_trust_path *path, struct wt_error *reason);

#endif
