/* SPDX-License-Identifier: MIT
 * trust/tell.c: why a chain is not trusted because of where it leads. */
#include "trust/tell.h"

#include "trust/reason.h"

#include <openssl/x509v3.h>

#include <string.h>

#define HINT_ADD "if you trust it, add it: wimtrust add TARGET ROOT.cer"

bool wt_trust_is_same(const struct wt_cert *a, const struct wt_cert *b)
{
	return memcmp(wt_cert_sha1(a), wt_cert_sha1(b), WT_SHA1_LEN) == 0 &&
	       memcmp(wt_cert_sha256(a), wt_cert_sha256(b), WT_SHA256_LEN) == 0;
}

const struct wt_trust_node *wt_trust_find_veto(const struct wt_trust_path *path)
{
	for (size_t i = 0; i < path->count; i++) {
		if (wt_trust_at(path, i)->veto)
			return wt_trust_at(path, i);
	}
	return NULL;
}

void wt_trust_tell_veto(const struct wt_trust_scene *scene,
	const struct wt_trust_node *node, struct wt_error *reason)
{
	const struct wt_cert_info *info = wt_cert_info(node->cert);

	wt_fail(reason, WT_NO, "disallowed", scene->object,
		"%s (%s) is in the image's %s store", info->subject, info->sha1,
		node->veto->source);
	wt_error_hint(reason,
		"if it was put there by mistake: wimtrust remove -s disallowed "
		"TARGET %s",
		info->sha1);
}

/* The first copy on the chain whose properties say no. */
bool wt_trust_tell_limit(const struct wt_trust_scene *scene,
	const struct wt_trust_path *path, struct wt_error *reason)
{
	for (size_t i = 0; i < path->count; i++) {
		const struct wt_trust_node *node = wt_trust_at(path, i);

		for (size_t j = 0;
			node->is_limited && j < scene->query->store_count;
			j++) {
			const struct wt_trust_cert *copy =
				&scene->query->stores[j];

			if (wt_trust_is_same(copy->cert, node->cert) &&
				wt_trust_limits(copy, &scene->use,
					scene->object, reason) != WT_OK)
				return true;
		}
	}
	return false;
}

/* Property 0x80, of which only the name is known. */
void wt_trust_doubt_cas(const struct wt_trust_scene *scene,
	const struct wt_trust_path *path, struct wt_trust_doubts *doubts)
{
	for (size_t i = 0; i < path->count; i++) {
		const struct wt_trust_node *node = wt_trust_at(path, i);

		for (size_t j = 0; j < scene->query->store_count; j++) {
			const struct wt_cert *copy =
				scene->query->stores[j].cert;
			const struct wt_cert_limits *limits =
				wt_cert_limits(copy);

			if (limits->has_disallowed_ca &&
				scene->use.at >= limits->disallowed_ca_from &&
				wt_trust_is_same(copy, node->cert))
				wt_trust_doubt(doubts, "disallowed-ca", node,
					"has property 0x80, whose name means "
					"distrusted as a CA");
		}
	}
}

void wt_trust_tell_root(const struct wt_trust_scene *scene,
	const struct wt_trust_path *path, struct wt_error *reason)
{
	const struct wt_trust_node *root = wt_trust_at(path, path->count - 1);
	const struct wt_cert_info *info = wt_cert_info(root->cert);
	const char *where = "the server sends it, which gives no trust";

	if (path->count == 1)
		where = "it is the server's own, self-signed";
	else if (!root->is_sent)
		where = "it is in another store, which gives no trust";
	wt_fail(reason, WT_NO, "root-not-in-image", scene->object,
		"the root %s (%s) is not in the image's Root store; %s",
		info->subject, info->sha1, where);
	wt_error_hint(reason, HINT_ADD);
}

/* A certificate of the wanted name with another key: a renewed CA. */
static const struct wt_trust_node *find_namesake(
	const struct wt_trust_scene *scene, const struct wt_trust_node *top)
{
	for (size_t i = 0; i < scene->node_count; i++) {
		const struct wt_trust_node *node = &scene->nodes[i];

		if (node != top &&
			X509_NAME_cmp(X509_get_subject_name(node->x509),
				X509_get_issuer_name(top->x509)) == 0)
			return node;
	}
	return NULL;
}

/* There are issuers, but all are in the chain already. */
static void tell_circle(const struct wt_trust_scene *scene,
	const struct wt_cert_info *info, struct wt_error *reason)
{
	wt_fail(reason, WT_NO, "root-not-in-image", scene->object,
		"the chain above %s (%s) goes in a circle, or does not end; "
		"the image has no root of it",
		info->subject, info->sha1);
	wt_error_hint(reason, HINT_ADD);
}

static void tell_renewed(const struct wt_trust_scene *scene,
	const struct wt_cert_info *info, const struct wt_trust_node *namesake,
	struct wt_error *reason)
{
	wt_fail(reason, WT_NO, "root-not-in-image", scene->object,
		"the %s that issued %s is not in the image; %s (%s) has that "
		"name, but another key",
		info->issuer, info->subject, namesake->source,
		wt_cert_info(namesake->cert)->sha1);
	wt_error_hint(reason,
		"if the CA was renewed, add the certificate with the key in "
		"use: wimtrust add TARGET CA.cer");
}

void wt_trust_tell_open(const struct wt_trust_scene *scene,
	const struct wt_trust_path *path, struct wt_error *reason)
{
	const struct wt_trust_node *top = wt_trust_at(path, path->count - 1);
	const struct wt_trust_node *namesake = find_namesake(scene, top);
	const struct wt_cert_info *info = wt_cert_info(top->cert);

	if (top->issuer_count > 0) {
		tell_circle(scene, info, reason);
	} else if (namesake) {
		tell_renewed(scene, info, namesake, reason);
	} else if (path->count == 1) {
		wt_fail(reason, WT_NO, "intermediate-missing", scene->object,
			"the issuer of the server's certificate, %s, is "
			"neither sent by the server nor in the image",
			info->issuer);
		wt_error_hint(reason, "let the server send it too, or add it "
				      "and its root: wimtrust add TARGET "
				      "CA.cer ROOT.cer");
	} else {
		wt_fail(reason, WT_NO, "root-not-in-image", scene->object,
			"the root %s, which issued %s (%s), is not in the "
			"image",
			info->issuer, info->subject, info->sha1);
		wt_error_hint(reason, HINT_ADD);
	}
}
