/* SPDX-License-Identifier: MIT
 * cert/list.c: a list of certificates, each once. */
#include "cert/list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"

/* So many that were left out are named, with the last one. */
#define LEFT_OUT_SAID 10

struct wt_cert_list {
	struct wt_cert **certs;
	size_t count;
	size_t capacity;
	/* Open addressing by SHA-256: index + 1 of a certificate, 0 is free */
	size_t *slots;
	size_t slot_count;
	char **notes;
	size_t note_count;
	size_t note_capacity;
	bool names_skipped;
	/* A server's chain: what is no good is left out. */
	bool is_chain;
	struct wt_error left_out; /* the first that was */
	size_t left_out_count;
	size_t chain_len; /* bytes of all its certificates */
	const volatile sig_atomic_t *cancel;
};

enum wt_status wt_cert_list_new(
	struct wt_cert_list **ret_list, struct wt_error *err)
{
	struct wt_cert_list *list = calloc(1, sizeof(*list));

	if (!list)
		return wt_fail_memory(err);
	*ret_list = list;
	return WT_OK;
}

enum wt_status wt_cert_list_new_like(const struct wt_cert_list *list,
	struct wt_cert_list **ret_list, struct wt_error *err)
{
	enum wt_status status = wt_cert_list_new(ret_list, err);

	if (status == WT_OK) {
		(*ret_list)->names_skipped = list->names_skipped;
		(*ret_list)->is_chain = list->is_chain;
		(*ret_list)->cancel = list->cancel;
	}
	return status;
}

void wt_cert_list_cancel_with(
	struct wt_cert_list *list, const volatile sig_atomic_t *cancel)
{
	list->cancel = cancel;
}

enum wt_status wt_cert_list_cancelled(
	const struct wt_cert_list *list, struct wt_error *err)
{
	return wt_cancelled(list->cancel, err);
}

void wt_cert_list_name_skipped(struct wt_cert_list *list, bool names_skipped)
{
	list->names_skipped = names_skipped;
}

bool wt_cert_list_names_skipped(const struct wt_cert_list *list)
{
	return list->names_skipped;
}

void wt_cert_list_free(struct wt_cert_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		wt_cert_free(list->certs[i]);
	for (size_t i = 0; i < list->note_count; i++)
		free(list->notes[i]);
	free(list->certs);
	free(list->slots);
	free(list->notes);
	free(list);
}

size_t wt_cert_list_count(const struct wt_cert_list *list)
{
	return list->count;
}

const struct wt_cert *wt_cert_list_get(
	const struct wt_cert_list *list, size_t index)
{
	return index < list->count ? list->certs[index] : NULL;
}

size_t wt_cert_list_note_count(const struct wt_cert_list *list)
{
	return list->note_count;
}

const char *wt_cert_list_note(const struct wt_cert_list *list, size_t index)
{
	return index < list->note_count ? list->notes[index] : NULL;
}

/* The slot of a certificate, or the free one where it belongs. */
static size_t *slot_find(
	const struct wt_cert_list *list, const uint8_t sha256[WT_SHA256_LEN])
{
	size_t pos = 0;

	memcpy(&pos, sha256, sizeof(pos));
	for (pos &= list->slot_count - 1; list->slots[pos] != 0;
		pos = (pos + 1) & (list->slot_count - 1)) {
		const struct wt_cert *cert = list->certs[list->slots[pos] - 1];

		if (memcmp(wt_cert_sha256(cert), sha256, WT_SHA256_LEN) == 0)
			break;
	}
	return &list->slots[pos];
}

/* Makes room for count more, and keeps the index at most half full. */
static bool certs_reserve(struct wt_cert_list *list, size_t count)
{
	size_t capacity = list->capacity ? list->capacity : 16;
	struct wt_cert **certs = NULL;
	size_t *slots = NULL;

	if (count <= list->capacity - list->count)
		return true;
	while (capacity - list->count < count)
		capacity *= 2;
	certs = realloc(list->certs, capacity * sizeof(struct wt_cert *));
	if (!certs)
		return false;
	list->certs = certs;
	slots = calloc(2 * capacity, sizeof(*slots));
	if (!slots)
		return false;
	free(list->slots);
	list->slots = slots;
	list->slot_count = 2 * capacity;
	list->capacity = capacity;
	for (size_t i = 0; i < list->count; i++)
		*slot_find(list, wt_cert_sha256(certs[i])) = i + 1;
	return true;
}

static bool notes_reserve(struct wt_cert_list *list, size_t count)
{
	size_t capacity = list->note_capacity ? list->note_capacity : 8;
	char **notes = NULL;

	if (count <= list->note_capacity - list->note_count)
		return true;
	while (capacity - list->note_count < count)
		capacity *= 2;
	notes = realloc(list->notes, capacity * sizeof(*notes));
	if (!notes)
		return false;
	list->notes = notes;
	list->note_capacity = capacity;
	return true;
}

/* Of two stores that one certificate stood in: distrust wins, whichever comes
 * first, and what is trusted for more than the other, otherwise. */
static void stood_in_merge(struct wt_cert *one, struct wt_cert *other)
{
	enum wt_store first = wt_cert_stood_in(one);
	enum wt_store second = wt_cert_stood_in(other);
	enum wt_store both = WT_STORE_AUTO;

	if (first == second)
		return;
	if (first == WT_STORE_DISALLOWED || second == WT_STORE_DISALLOWED)
		both = WT_STORE_DISALLOWED;
	wt_cert_set_stood_in(one, both);
	wt_cert_set_stood_in(other, both);
}

/* Room has been made. */
static void cert_put(struct wt_cert_list *list, struct wt_cert *cert)
{
	size_t *slot = slot_find(list, wt_cert_sha256(cert));
	struct wt_cert **old = NULL;

	if (*slot == 0) {
		list->certs[list->count++] = cert;
		*slot = list->count;
		return;
	}
	old = &list->certs[*slot - 1];
	stood_in_merge(cert, *old);
	if (wt_cert_info(cert)->blob && !wt_cert_info(*old)->blob) {
		wt_cert_free(*old);
		*old = cert;
	} else {
		wt_cert_free(cert);
	}
}

enum wt_status wt_cert_list_add(
	struct wt_cert_list *list, struct wt_cert *cert, struct wt_error *err)
{
	enum wt_status status = wt_cancelled(list->cancel, err);

	if (status == WT_OK && !certs_reserve(list, 1))
		status = wt_fail_memory(err);
	if (status != WT_OK) {
		wt_cert_free(cert);
		return status;
	}
	cert_put(list, cert);
	return WT_OK;
}

static enum wt_status chain_too_long(const char *object, struct wt_error *err)
{
	wt_fail(err, WT_ERR_CERT, "chain-too-long", object,
		"a server's chain has no more than %d certificates and %zu MiB",
		WT_CHAIN_CERTS_MAX, WT_CHAIN_LEN_MAX >> 20);
	wt_error_hint(err, "give what the server sends alone");
	return WT_ERR_CERT;
}

enum wt_status wt_cert_list_add_der(struct wt_cert_list *list,
	const uint8_t *der, size_t der_len, const char *object,
	struct wt_error *err)
{
	uint8_t sha256[WT_SHA256_LEN] = {0};
	struct wt_cert *cert = NULL;
	struct wt_error why = {0};
	enum wt_status status = wt_cancelled(list->cancel, err);

	if (status != WT_OK)
		return status;
	if (EVP_Digest(der, der_len, sha256, NULL, EVP_sha256(), NULL) != 1)
		return wt_fail_memory(err);
	if (list->slot_count > 0 && *slot_find(list, sha256) != 0)
		return WT_OK;
	list->chain_len += list->is_chain ? der_len : 0;
	if (list->is_chain && (list->count >= WT_CHAIN_CERTS_MAX ||
				      list->chain_len > WT_CHAIN_LEN_MAX))
		return chain_too_long(object, err);
	status = list->is_chain
			 ? wt_cert_from_der_unverified(
				   der, der_len, object, &cert, &why)
			 : wt_cert_from_der(der, der_len, object, &cert, &why);
	if (status == WT_OK)
		return wt_cert_list_add(list, cert, err);
	return wt_cert_list_leave_out(list, &why, err);
}

enum wt_status wt_cert_list_leave_out(struct wt_cert_list *list,
	const struct wt_error *why, struct wt_error *err)
{
	if (!list->is_chain || why->status != WT_ERR_CERT ||
		strcmp(why->code, "chain-too-long") == 0) {
		if (err)
			*err = *why;
		return why->status;
	}
	if (list->left_out.status == WT_OK)
		list->left_out = *why;
	if (++list->left_out_count > WT_CHAIN_CERTS_MAX)
		return chain_too_long(why->object, err);
	if (list->left_out_count == LEFT_OUT_SAID)
		return wt_cert_list_add_note(
			list, err, "%s: left out, and more", why->object);
	if (list->left_out_count > LEFT_OUT_SAID)
		return WT_OK;
	return wt_cert_list_add_note(list, err, "%s: left out: %s [%s]",
		why->object, why->reason, why->code);
}

enum wt_status wt_cert_list_add_note(
	struct wt_cert_list *list, struct wt_error *err, const char *fmt, ...)
{
	char text[1024] = "";
	char *note = NULL;
	va_list args;
	enum wt_status status = wt_cancelled(list->cancel, err);

	if (status != WT_OK)
		return status;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	note = wt_text_clean_dup(text, strlen(text));
	if (!note || !notes_reserve(list, 1)) {
		free(note);
		return wt_fail_memory(err);
	}
	list->notes[list->note_count++] = note;
	return WT_OK;
}

enum wt_status wt_cert_list_move(struct wt_cert_list *list,
	struct wt_cert_list *from, struct wt_error *err)
{
	if (!certs_reserve(list, from->count) ||
		!notes_reserve(list, from->note_count))
		return wt_fail_memory(err);
	for (size_t i = 0; i < from->count; i++)
		cert_put(list, from->certs[i]);
	for (size_t i = 0; i < from->note_count; i++)
		list->notes[list->note_count++] = from->notes[i];
	from->count = 0;
	from->note_count = 0;
	if (list->left_out.status == WT_OK)
		list->left_out = from->left_out;
	return WT_OK;
}

enum wt_status wt_cert_list_read_chain(
	struct wt_cert_list *list, const char *path, struct wt_error *err)
{
	size_t count = list->count;
	enum wt_status status = WT_OK;

	list->is_chain = true;
	list->left_out = (struct wt_error){0};
	status = wt_cert_list_read(list, path, err);
	list->is_chain = false;
	if (status != WT_OK || list->count > count ||
		list->left_out.status == WT_OK)
		return status;
	/* Nothing but what was left out: so that is what is wrong. */
	if (err)
		*err = list->left_out;
	return list->left_out.status;
}
