/* SPDX-License-Identifier: MIT
 * trust/trust.c: every chain from the server to the image's stores, and the
 * best.
 *
 * OpenSSL builds one chain and looks no further when that is bad, so that the
 * order of the certificates decides. Windows weighs all chains. Here the
 * chains are searched, and each is given to OpenSSL with nothing beside it.
 */
#include "trust/trust.h"

#include "base/buf.h"
#include "base/child.h"
#include "trust/path.h"
#include "trust/reason.h"
#include "trust/server.h"
#include "trust/tell.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

/* The search stops after it has looked at so many certificates. */
#define STEPS_MAX 20000

/** How far a chain got: the higher, the nearer to trust. */
enum reach {
	REACH_NONE = 0,
	REACH_OPEN,	 /**< an issuer is missing */
	REACH_ROOT,	 /**< a root, not in the image's Root store */
	REACH_VETO,	 /**< an anchor, but Disallowed says no */
	REACH_LIMIT,	 /**< an anchor, but a property says no */
	REACH_UNTRUSTED, /**< an anchor, but the chain is bad */
	REACH_TRUSTED,
};

/* The place of a node among those of its subject. */
struct named {
	unsigned long hash;
	size_t index;
};

struct search {
	struct wt_trust_scene scene;
	struct wt_trust_node *nodes; /* scene's */
	const char *host;
	struct wt_trust_work work;
	size_t *slots; /* open addressing by SHA-256: index + 1, 0 is free */
	size_t slot_count;
	struct named *named; /* the nodes by their subjects' hash */
	size_t server;	     /* index of the server's own */
	struct wt_trust_path path;
	size_t path_count;
	size_t step_count;
	bool is_given_up;
	/* the best so far */
	struct wt_trust_path best;
	enum reach reach;
	struct wt_error reason;
	struct wt_trust_doubts doubts;
};

void wt_trust_result_free(struct wt_trust_result *result)
{
	if (!result)
		return;
	free(result->links);
	free(result);
}

/*
 * Nodes
 */

/* Finds cert's node, or makes one. There is room for every certificate. */
static struct wt_trust_node *node_of(
	struct search *search, const struct wt_cert *cert)
{
	struct wt_trust_node *node = NULL;
	size_t pos = 0;

	memcpy(&pos, wt_cert_sha256(cert), sizeof(pos));
	for (pos &= search->slot_count - 1; search->slots[pos] != 0;
		pos = (pos + 1) & (search->slot_count - 1)) {
		node = &search->nodes[search->slots[pos] - 1];
		if (wt_trust_is_same(node->cert, cert))
			return node;
	}
	node = &search->nodes[search->scene.node_count++];
	search->slots[pos] = search->scene.node_count;
	node->cert = cert;
	node->x509 = wt_cert_x509(cert);
	return node;
}

static void add_store(struct search *search, const struct wt_trust_cert *copy)
{
	struct wt_trust_node *node = node_of(search, copy->cert);

	switch (copy->kind) {
	case WT_TRUST_VETO:
		if (!node->veto)
			node->veto = copy;
		return;
	case WT_TRUST_ANCHOR:
		if (!node->anchor) {
			node->anchor = copy;
			node->source = copy->source;
		}
		break;
	case WT_TRUST_INTERMEDIATE:
		if (!node->source)
			node->source = copy->source;
		break;
	}
	if (wt_trust_limits(copy, &search->scene.use, NULL, NULL) != WT_OK)
		node->is_limited = true;
}

static int order_by_name(const void *a, const void *b)
{
	const struct named *one = a, *other = b;

	if (one->hash != other->hash)
		return one->hash < other->hash ? -1 : 1;
	return one->index < other->index ? -1 : one->index > other->index;
}

static enum wt_status name_nodes(struct search *search, struct wt_error *err)
{
	for (size_t i = 0; i < search->scene.node_count; i++) {
		search->named[i].index = i;
		if (!wt_trust_name_hash(
			    X509_get_subject_name(search->nodes[i].x509),
			    &search->named[i].hash))
			return wt_fail_memory(err);
	}
	qsort(search->named, search->scene.node_count, sizeof(*search->named),
		order_by_name);
	return WT_OK;
}

/* The first in named whose hash is not below this one. */
static size_t find_name(const struct search *search, unsigned long hash)
{
	size_t low = 0, high = search->scene.node_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (search->named[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static enum wt_status add_nodes(struct search *search, struct wt_error *err)
{
	const struct wt_trust_query *query = search->scene.query;
	size_t chain_count = wt_cert_list_count(query->chain), count = 0;
	const struct wt_cert *server =
		wt_cert_list_get(query->chain, search->server);

	if (query->store_count > SIZE_MAX / 8 || chain_count > SIZE_MAX / 8)
		return wt_fail_memory(err);
	count = query->store_count + chain_count;
	search->slot_count = 16;
	while (search->slot_count < 2 * count)
		search->slot_count *= 2;
	search->nodes = calloc(count, sizeof(*search->nodes));
	search->slots = calloc(search->slot_count, sizeof(*search->slots));
	search->named = calloc(count, sizeof(*search->named));
	if (!search->nodes || !search->slots || !search->named)
		return wt_fail_memory(err);
	/* The server's own first, whose dates the limits need. */
	search->scene.use.at = query->at;
	search->scene.use.issued = wt_cert_info(server)->not_before;
	node_of(search, server);
	search->server = 0;
	for (size_t i = 0; i < chain_count; i++)
		node_of(search, wt_cert_list_get(query->chain, i))->is_sent =
			true;
	for (size_t i = 0; i < query->store_count; i++)
		add_store(search, &query->stores[i]);
	for (size_t i = 0; i < search->scene.node_count; i++) {
		struct wt_trust_node *node = &search->nodes[i];

		/* The source to tell: the store that makes it trusted,
		 * otherwise where it came from. */
		if (node->is_sent && !node->anchor)
			node->source = "server";
		else if (!node->source)
			node->source = node->veto->source;
	}
	return name_nodes(search, err);
}

/* What the names say of a certificate that the server sent was not verified
 * when it was read. */
static bool is_root(struct search *search, struct wt_trust_node *node)
{
	if (node->is_root_known)
		return node->is_root;
	node->is_root_known = true;
	node->is_root = wt_cert_info(node->cert)->is_self_signed;
	if (!node->is_root || !wt_cert_is_self_unverified(node->cert))
		return node->is_root;
	node->is_root = wt_trust_spend(&search->work,
				wt_cert_verify_cost(node->cert, node->cert)) &&
			wt_cert_verify_self(node->cert);
	return node->is_root;
}

/*
 * Who issued whom
 */

static enum wt_status edge_of(struct search *search,
	const struct wt_trust_node *issuer, const struct wt_trust_node *node,
	enum wt_trust_edge *ret_edge, struct wt_error *err)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer->x509);
	bool is_usable = key && wt_cert_is_key_known(issuer->cert) &&
			 !wt_cert_is_key_too_large(issuer->cert);
	int issued = 0;

	*ret_edge = WT_EDGE_NONE;
	if (issuer == node || !wt_trust_spend(&search->work, 2) ||
		X509_NAME_cmp(X509_get_subject_name(issuer->x509),
			X509_get_issuer_name(node->x509)) != 0)
		return WT_OK;
	issued = X509_check_issued(issuer->x509, node->x509);
	if (is_usable && !wt_trust_spend(&search->work,
				 wt_cert_verify_cost(issuer->cert, node->cert)))
		return WT_OK;
	if (is_usable && X509_verify(node->x509, key) == 1)
		*ret_edge = WT_EDGE_GOOD;
	else if (issued == X509_V_OK || !is_usable)
		*ret_edge = WT_EDGE_BAD;
	if (*ret_edge != WT_EDGE_GOOD && wt_trust_is_no_memory())
		return wt_fail_memory(err);
	return WT_OK;
}

/* The likelier an issuer leads to trust, the earlier it is tried. */
static int likelihood(struct search *search, size_t index)
{
	struct wt_trust_node *node = &search->nodes[index];
	const struct wt_cert_info *info = wt_cert_info(node->cert);
	int weight = 0;

	if (!node->veto && !node->is_limited)
		weight += 8;
	if (search->scene.use.at >= info->not_before &&
		search->scene.use.at <= info->not_after)
		weight += 4;
	if (!is_root(search, node))
		weight += 1;
	else if (node->anchor)
		weight += 2;
	return weight;
}

static enum wt_status insert_issuer(struct search *search,
	struct wt_trust_node *node, size_t index, struct wt_error *err)
{
	size_t count = node->issuer_count;
	size_t i = count;
	int weight = likelihood(search, index);
	size_t *issuers = wt_array_grow(node->issuers, count, sizeof(*issuers));

	if (!issuers)
		return wt_fail_memory(err);
	node->issuers = issuers;
	while (i > 0 && likelihood(search, node->issuers[i - 1]) < weight) {
		node->issuers[i] = node->issuers[i - 1];
		i--;
	}
	node->issuers[i] = index;
	node->issuer_count++;
	return WT_OK;
}

/* A bad signature counts only where no good one explains the certificate. */
static enum wt_status link_node(
	struct search *search, struct wt_trust_node *node, struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	enum wt_trust_edge edge = WT_EDGE_NONE;
	unsigned long hash = 0;

	if (node->is_linked)
		return WT_OK;
	if (!wt_trust_name_hash(X509_get_issuer_name(node->x509), &hash))
		return wt_fail_memory(err);
	for (size_t i = find_name(search, hash);
		ret == WT_OK && i < search->scene.node_count &&
		search->named[i].hash == hash;
		i++) {
		size_t index = search->named[i].index;

		ret = edge_of(search, &search->nodes[index], node, &edge, err);
		if (ret != WT_OK || edge == WT_EDGE_NONE ||
			(edge == WT_EDGE_BAD && node->edge == WT_EDGE_GOOD))
			continue;
		if (edge == WT_EDGE_GOOD && node->edge != WT_EDGE_GOOD)
			node->issuer_count = 0;
		node->edge = edge;
		ret = insert_issuer(search, node, index, err);
	}
	node->is_linked = true;
	return ret;
}

/* A chain that ends in an anchor. */
static enum wt_status judge_anchored(struct search *search,
	enum reach *ret_reach, struct wt_trust_doubts *ret_doubts,
	struct wt_error *reason, struct wt_error *err)
{
	const struct wt_trust_trial trial = {
		.path = &search->path,
		.host = search->host,
		.at = search->scene.use.at,
		.object = search->scene.object,
	};
	enum wt_status ret = WT_OK;

	if (wt_trust_tell_limit(&search->scene, &search->path, reason)) {
		*ret_reach = REACH_LIMIT;
		return WT_OK;
	}
	ret = wt_trust_verify(&trial, &search->work, ret_doubts, reason, err);
	wt_trust_doubt_cas(&search->scene, &search->path, ret_doubts);
	*ret_reach = reason->status == WT_OK ? REACH_TRUSTED : REACH_UNTRUSTED;
	return ret;
}

/* Judges the chain in search->path, and keeps the best. */
static enum wt_status judge(
	struct search *search, bool has_root, struct wt_error *err)
{
	const struct wt_trust_path *path = &search->path;
	const struct wt_trust_node *veto = wt_trust_find_veto(path);
	const struct wt_trust_node *top = wt_trust_at(path, path->count - 1);
	enum wt_status ret = WT_OK;
	enum reach reach = REACH_OPEN;
	struct wt_error reason = {0};
	struct wt_trust_doubts doubts = {.count = 0};

	if (has_root)
		reach = top->anchor ? REACH_VETO : REACH_ROOT;
	if (veto)
		wt_trust_tell_veto(&search->scene, veto, &reason);
	else if (!has_root)
		wt_trust_tell_open(&search->scene, path, &reason);
	else if (!top->anchor)
		wt_trust_tell_root(&search->scene, path, &reason);
	else
		ret = judge_anchored(search, &reach, &doubts, &reason, err);
	search->path_count++;
	if (ret != WT_OK || reach < search->reach ||
		(reach == search->reach && path->count <= search->best.count))
		return ret;
	search->best = *path;
	search->reach = reach;
	search->reason = reason;
	search->doubts = doubts;
	return WT_OK;
}

/*
 * The search
 */

/* RFC 4158: the same name with the same key twice leads nowhere new. */
static bool is_on_path(
	const struct wt_trust_path *path, const struct wt_trust_node *node)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(node->x509);

	for (size_t i = 0; i < path->count; i++) {
		X509 *x509 = wt_trust_at(path, i)->x509;

		if (X509_NAME_cmp(X509_get_subject_name(x509),
			    X509_get_subject_name(node->x509)) == 0 &&
			ASN1_STRING_cmp(X509_get0_pubkey_bitstr(x509), key) ==
				0)
			return true;
	}
	return false;
}

/* The state of the search at one certificate of the path. */
static enum wt_status enter(struct search *search, size_t index,
	bool *ret_is_end, struct wt_error *err)
{
	struct wt_trust_node *node = &search->nodes[index];
	enum wt_status ret = link_node(search, node, err);
	bool has_way = false;

	if (ret != WT_OK)
		return ret;
	search->path.items[search->path.count++] = index;
	*ret_is_end = is_root(search, node);
	if (*ret_is_end)
		return judge(search, true, err);
	for (size_t i = 0; i < node->issuer_count; i++) {
		if (!is_on_path(
			    &search->path, &search->nodes[node->issuers[i]]))
			has_way = true;
	}
	*ret_is_end = !has_way || search->path.count == WT_TRUST_DEPTH_MAX;
	return *ret_is_end ? judge(search, false, err) : WT_OK;
}

/* Depth first; next[] is the issuer that is to be tried at each depth. */
static enum wt_status walk(struct search *search, struct wt_error *err)
{
	size_t next[WT_TRUST_DEPTH_MAX] = {0};
	bool is_end = false;
	enum wt_status ret = enter(search, search->server, &is_end, err);

	if (is_end)
		search->path.count--;
	while (ret == WT_OK && search->path.count > 0 &&
		search->reach != REACH_TRUSTED) {
		size_t depth = search->path.count - 1;
		const struct wt_trust_node *node =
			wt_trust_at(&search->path, depth);
		size_t index = 0;

		if (next[depth] == node->issuer_count) {
			search->path.count--;
			continue;
		}
		if (search->path_count >= WT_TRUST_PATHS_MAX ||
			search->work.is_spent ||
			++search->step_count > STEPS_MAX) {
			search->is_given_up = true;
			break;
		}
		index = node->issuers[next[depth]++];
		if (is_on_path(&search->path, &search->nodes[index]))
			continue;
		next[depth + 1] = 0;
		ret = enter(search, index, &is_end, err);
		if (is_end)
			search->path.count--;
	}
	return ret;
}

/*
 * The question
 */

static bool is_issuer_of_any(
	struct search *search, const struct wt_trust_node *node)
{
	wt_trust_spend(&search->work, search->scene.node_count / 16);
	for (size_t i = 0; i < search->scene.node_count; i++) {
		const struct wt_trust_node *other = &search->nodes[i];

		if (other != node && other->is_sent &&
			X509_NAME_cmp(X509_get_subject_name(node->x509),
				X509_get_issuer_name(other->x509)) == 0)
			return true;
	}
	return false;
}

/* What the server sends and no chain can use. Whoever made the file or set up
 * the server ought to know. */
static enum wt_status tell_left_out(struct search *search,
	const struct wt_trust_path *best, struct wt_trust_doubts *ret_left_out,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	for (size_t i = 0; ret == WT_OK && i < search->scene.node_count; i++) {
		struct wt_trust_node *node = &search->nodes[i];
		bool is_used = false, is_sound = false;

		for (size_t j = 0; j < best->count; j++)
			is_used |= best->items[j] == i;
		if (!node->is_sent || is_used)
			continue;
		is_sound = is_root(search, node);
		if (!is_sound)
			ret = link_node(search, node, err);
		/* Unverified is not unsound. */
		if (search->work.is_spent)
			break;
		if (ret == WT_OK && !is_issuer_of_any(search, node))
			wt_trust_doubt(ret_left_out, "left-out", node,
				"is left out: it issued none of the others");
		else if (ret == WT_OK && !is_sound &&
			 node->edge != WT_EDGE_GOOD &&
			 (node->edge == WT_EDGE_BAD ||
				 X509_NAME_cmp(
					 X509_get_subject_name(node->x509),
					 X509_get_issuer_name(node->x509)) ==
					 0))
			wt_trust_doubt(ret_left_out, "left-out", node,
				"is left out: it was altered, or another key "
				"signed it than the one its names say");
	}
	return ret;
}

/* The root of the nearest chain, unless the image holds it. */
static void name_root(const struct search *search,
	const struct wt_trust_path *best, struct wt_trust_result *result)
{
	const struct wt_trust_node *top = wt_trust_at(best, best->count - 1);

	if (search->reach == REACH_ROOT) {
		result->root_name = wt_cert_info(top->cert)->subject;
		memcpy(result->root_sha1, wt_cert_info(top->cert)->sha1,
			sizeof(result->root_sha1));
	} else if (search->reach == REACH_OPEN && best->count > 1 &&
		   top->issuer_count == 0) {
		result->root_name = wt_cert_info(top->cert)->issuer;
	}
}

static enum wt_status make_result(struct search *search,
	struct wt_trust_result **ret_result, struct wt_error *err)
{
	/* Given up before there was a chain. */
	const struct wt_trust_path alone = {
		.nodes = search->nodes, .items = {search->server}, .count = 1};
	const struct wt_trust_path *best = &search->best;
	struct wt_trust_result *result = calloc(1, sizeof(*result));
	enum wt_status ret = WT_OK;

	if (best->count == 0)
		best = &alone;
	if (result)
		result->links = calloc(best->count, sizeof(*result->links));
	if (!result || !result->links) {
		free(result);
		return wt_fail_memory(err);
	}
	result->is_trusted = search->reach == REACH_TRUSTED;
	result->verdict = search->reason;
	result->link_count = best->count;
	for (size_t i = 0; i < best->count; i++) {
		result->links[i].cert = wt_trust_at(best, i)->cert;
		result->links[i].source = wt_trust_at(best, i)->source;
	}
	result->doubts = search->doubts;
	if (!result->is_trusted)
		name_root(search, best, result);
	if (search->work.is_spent && !result->is_trusted) {
		wt_fail(&result->verdict, WT_NO, "too-much-work",
			search->scene.object,
			"the check stopped, because the certificates cost too "
			"much to "
			"verify%s%s",
			search->reason.reason[0] ? "; the nearest chain: " : "",
			search->reason.reason);
		wt_error_hint(
			&result->verdict, "give only what the server sends");
	} else if (search->is_given_up && !result->is_trusted) {
		wt_fail(&result->verdict, WT_NO, "too-many-paths",
			search->scene.object,
			"none of the first %d chains is trusted; the nearest: "
			"%s",
			WT_TRUST_PATHS_MAX, search->reason.reason);
		wt_error_hint(&result->verdict, "%s", search->reason.hint);
	}
	/* The last, as it may spend what is left. */
	ret = tell_left_out(search, best, &result->left_out, err);
	if (ret == WT_OK)
		*ret_result = result;
	else
		wt_trust_result_free(result);
	return ret;
}

/* So that a file with many images costs little more than one with few, and
 * each image gets an answer unless its own stores are hostile. */
static uint64_t work_share(const uint64_t *call_work)
{
	if (!call_work || *call_work > WT_TRUST_WORK_MAX)
		return WT_TRUST_WORK_MAX;
	return *call_work > WT_TRUST_WORK_MIN ? *call_work : WT_TRUST_WORK_MIN;
}

static void work_count(uint64_t *call_work, uint64_t spent)
{
	if (call_work)
		*call_work -= spent < *call_work ? spent : *call_work;
}

enum wt_status wt_trust_check(const struct wt_trust_query *query,
	const char *object, struct wt_trust_result **ret_result,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	struct search *search = NULL;
	char host[256] = "";
	uint64_t share = 0;

	if (query->host) {
		ret = wt_trust_host(query->host, host, err);
		if (ret != WT_OK)
			return ret;
	}
	search = calloc(1, sizeof(*search));
	if (!search)
		return wt_fail_memory(err);
	ERR_clear_error();
	share = work_share(query->work);
	search->work.left = share;
	search->work.cancel = query->cancel;
	search->scene.query = query;
	search->scene.object = object;
	search->host = query->host ? host : NULL;
	ret = wt_trust_server(query->chain, search->host, object, &search->work,
		&search->server, err);
	if (ret == WT_OK)
		ret = add_nodes(search, err);
	search->scene.nodes = search->path.nodes = search->nodes;
	if (ret == WT_OK)
		ret = walk(search, err);
	if (ret == WT_OK)
		ret = wt_cancelled(query->cancel, err);
	if (ret == WT_OK)
		ret = make_result(search, ret_result, err);
	work_count(query->work, share - search->work.left);
	for (size_t i = 0; i < search->scene.node_count; i++)
		free(search->nodes[i].issuers);
	free(search->nodes);
	free(search->slots);
	free(search->named);
	free(search);
	ERR_clear_error();
	return ret;
}
