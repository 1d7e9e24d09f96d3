/* SPDX-License-Identifier: MIT
 * cert/list.c: a list of certificates, each once. */
#include "cert/list.h"

#include "base/text.h"
#include "cert/fetch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

/* At most this many refusals become notes of their own; the last of them counts
 * the rest. */
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
	struct wt_error *refused;
	size_t refused_count;
	size_t refused_capacity;
	struct wt_cert_file *files;
	size_t file_count;
	size_t file_capacity;
	size_t read_count;
	/* the part of both counts that belongs to no file yet */
	size_t file_read, file_refused;
	bool names_skipped;
	bool keeps_going;
	bool is_recursive;
	bool has_other;
	bool is_chain; /* what a server sends: signatures are not verified */
	bool is_full;
	size_t chain_len; /* bytes of all its certificates */
	const volatile sig_atomic_t *cancel;
};

/* Refusals beyond these are only counted: hostile input may consist of nothing
 * else. */
#define REFUSED_MAX 1000

enum wt_status wt_cert_list_new(
	struct wt_cert_list **ret_list, struct wt_error *err)
{
	struct wt_cert_list *list = NULL;

	if (!(ret_list))
		return wt_fail_argument(err, __func__);
	list = calloc(1, sizeof(*list));
	if (!list)
		return wt_fail_memory(err);
	*ret_list = list;
	return WT_OK;
}

enum wt_status wt_cert_list_new_like(const struct wt_cert_list *list,
	struct wt_cert_list **ret_list, struct wt_error *err)
{
	enum wt_status ret = wt_cert_list_new(ret_list, err);

	if (ret == WT_OK) {
		(*ret_list)->names_skipped = list->names_skipped;
		(*ret_list)->is_recursive = list->is_recursive;
		(*ret_list)->is_chain = list->is_chain;
		(*ret_list)->cancel = list->cancel;
	}
	return ret;
}

void wt_cert_list_cancel_with(
	struct wt_cert_list *list, const volatile sig_atomic_t *cancel)
{
	if (list)
		list->cancel = cancel;
}

enum wt_status wt_cert_list_cancelled(
	const struct wt_cert_list *list, struct wt_error *err)
{
	return wt_cancelled(list->cancel, err);
}

void wt_cert_list_keep_going(struct wt_cert_list *list, bool keeps_going)
{
	if (list)
		list->keeps_going = keeps_going;
}

bool wt_cert_list_keeps_going(const struct wt_cert_list *list)
{
	return list->keeps_going;
}

void wt_cert_list_recurse(struct wt_cert_list *list, bool is_recursive)
{
	if (list)
		list->is_recursive = is_recursive;
}

bool wt_cert_list_is_recursive(const struct wt_cert_list *list)
{
	return list->is_recursive;
}

bool wt_cert_list_has_other(const struct wt_cert_list *list)
{
	return list->has_other;
}

void wt_cert_list_set_other(struct wt_cert_list *list)
{
	list->has_other = true;
}

const volatile sig_atomic_t *wt_cert_list_cancel(
	const struct wt_cert_list *list)
{
	return list->cancel;
}

bool wt_cert_list_is_chain(const struct wt_cert_list *list)
{
	return list->is_chain;
}

bool wt_cert_list_is_full(const struct wt_cert_list *list)
{
	return list->is_full;
}

void wt_cert_list_take(struct wt_cert_list *list, size_t read_count,
	bool has_other, bool is_full)
{
	list->read_count = read_count;
	list->has_other = has_other;
	list->is_full = is_full;
}

size_t wt_cert_list_read_count(const struct wt_cert_list *list)
{
	return list->read_count;
}

size_t wt_cert_list_refused_count(const struct wt_cert_list *list)
{
	return list ? list->refused_count : 0;
}

const struct wt_error *wt_cert_list_refused(
	const struct wt_cert_list *list, size_t index)
{
	return list && index < list->refused_count ? &list->refused[index]
						   : NULL;
}

size_t wt_cert_list_file_count(const struct wt_cert_list *list)
{
	return list ? list->file_count : 0;
}

const struct wt_cert_file *wt_cert_list_file(
	const struct wt_cert_list *list, size_t index)
{
	return list && index < list->file_count ? &list->files[index] : NULL;
}

void wt_cert_list_name_skipped(struct wt_cert_list *list, bool names_skipped)
{
	if (list)
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
	for (size_t i = 0; i < list->file_count; i++)
		free((char *)(uintptr_t)list->files[i].path);
	free(list->certs);
	free(list->slots);
	free(list->notes);
	free(list->refused);
	free(list->files);
	free(list);
}

size_t wt_cert_list_count(const struct wt_cert_list *list)
{
	return list ? list->count : 0;
}

const struct wt_cert *wt_cert_list_get(
	const struct wt_cert_list *list, size_t index)
{
	return list && index < list->count ? list->certs[index] : NULL;
}

size_t wt_cert_list_note_count(const struct wt_cert_list *list)
{
	return list ? list->note_count : 0;
}

const char *wt_cert_list_note(const struct wt_cert_list *list, size_t index)
{
	return list && index < list->note_count ? list->notes[index] : NULL;
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

/* Room for more elements of size in an array; NULL when there is none. */
static void *array_reserve(
	void *array, size_t count, size_t more, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity : 8;

	if (more == 0 || more <= *capacity - count)
		return array;
	while (wanted - count < more)
		wanted *= 2;
	array = realloc(array, wanted * size);
	if (array)
		*capacity = wanted;
	return array;
}

static bool notes_reserve(struct wt_cert_list *list, size_t count)
{
	char **notes = array_reserve(list->notes, list->note_count, count,
		&list->note_capacity, sizeof(*notes));

	if (notes)
		list->notes = notes;
	return notes || count == 0;
}

static bool refused_reserve(struct wt_cert_list *list, size_t count)
{
	struct wt_error *refused =
		array_reserve(list->refused, list->refused_count, count,
			&list->refused_capacity, sizeof(*refused));

	if (refused)
		list->refused = refused;
	return refused || count == 0;
}

static bool files_reserve(struct wt_cert_list *list, size_t count)
{
	struct wt_cert_file *files = array_reserve(list->files,
		list->file_count, count, &list->file_capacity, sizeof(*files));

	if (files)
		list->files = files;
	return files || count == 0;
}

/* Fails, and ends the reading. */
static enum wt_status chain_too_long(
	struct wt_cert_list *list, const char *object, struct wt_error *err)
{
	list->is_full = true;
	wt_fail(err, WT_ERR_CERT, "chain-too-long", object,
		"a server's chain has no more than %d certificates and %zu MiB",
		WT_CHAIN_CERTS_MAX, WT_CHAIN_LEN_MAX >> 20);
	wt_error_hint(err, "give only what the server sends");
	return WT_ERR_CERT;
}

/* Room has been made. */
static void refused_put(
	struct wt_cert_list *list, const struct wt_error *refused)
{
	if (list->refused_count < REFUSED_MAX)
		list->refused[list->refused_count++] = *refused;
	else if (list->refused_count == REFUSED_MAX)
		wt_fail(&list->refused[list->refused_count++], WT_ERR_CERT,
			"cert-many-refused", refused->object,
			"more than %d were refused; these are not listed",
			REFUSED_MAX);
}

enum wt_status wt_cert_list_refuse(struct wt_cert_list *list,
	enum wt_status ret, const struct wt_error *why, struct wt_error *err)
{
	if (ret == WT_OK)
		return WT_OK;
	if (ret != WT_ERR_CERT || list->is_full) {
		if (err)
			*err = *why;
		return ret;
	}
	if (list->is_chain && list->refused_count == REFUSED_MAX)
		return chain_too_long(list, why->object, err);
	if (!refused_reserve(list, 1))
		return wt_fail_memory(err);
	refused_put(list, why);
	return WT_OK;
}

/* Where a certificate was in two stores, Disallowed wins, whichever comes
 * first. Otherwise the store that trusts it for more wins. */
static struct wt_origin origin_merge(
	const struct wt_origin *one, const struct wt_origin *other)
{
	struct wt_origin both = {0};

	if (one->store == WT_STORE_DISALLOWED)
		return *one;
	if (other->store == WT_STORE_DISALLOWED || one->is_elsewhere)
		return *other;
	if (other->is_elsewhere ||
		(one->store == other->store && one->is_user == other->is_user))
		return *one;
	return both;
}

/* Room has been made. */
static void cert_put(struct wt_cert_list *list, struct wt_cert *cert)
{
	size_t *slot = slot_find(list, wt_cert_sha256(cert));
	struct wt_origin origin = {0};
	struct wt_cert **old = NULL;

	if (*slot == 0) {
		list->certs[list->count++] = cert;
		*slot = list->count;
		return;
	}
	old = &list->certs[*slot - 1];
	origin = origin_merge(wt_cert_origin(cert), wt_cert_origin(*old));
	wt_cert_set_origin(cert, &origin);
	wt_cert_set_origin(*old, &origin);
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
	enum wt_status ret = wt_cancelled(list->cancel, err);

	if (ret == WT_OK && !certs_reserve(list, 1))
		ret = wt_fail_memory(err);
	if (ret != WT_OK) {
		wt_cert_free(cert);
		return ret;
	}
	cert_put(list, cert);
	list->read_count++;
	return WT_OK;
}

enum wt_status wt_cert_list_add_der(struct wt_cert_list *list,
	const uint8_t *der, size_t der_len, const char *object,
	struct wt_error *err)
{
	uint8_t sha256[WT_SHA256_LEN] = {0};
	struct wt_origin origin = {0};
	struct wt_cert *cert = NULL;
	enum wt_status ret = wt_cancelled(list->cancel, err);

	if (ret != WT_OK)
		return ret;
	if (EVP_Digest(der, der_len, sha256, NULL, EVP_sha256(), NULL) != 1)
		return wt_fail_memory(err);
	if (list->slot_count > 0 && *slot_find(list, sha256) != 0) {
		cert = list->certs[*slot_find(list, sha256) - 1];
		origin = origin_merge(wt_cert_origin(cert), &origin);
		wt_cert_set_origin(cert, &origin);
		list->read_count++;
		return WT_OK;
	}
	list->chain_len += list->is_chain ? der_len : 0;
	if (list->is_chain && (list->count >= WT_CHAIN_CERTS_MAX ||
				      list->chain_len > WT_CHAIN_LEN_MAX))
		return chain_too_long(list, object, err);
	ret = list->is_chain
		      ? wt_cert_from_der_unverified(
				der, der_len, object, &cert, err)
		      : wt_cert_from_der(der, der_len, object, &cert, err);
	return ret == WT_OK ? wt_cert_list_add(list, cert, err) : ret;
}

enum wt_status wt_cert_list_add_note(
	struct wt_cert_list *list, struct wt_error *err, const char *fmt, ...)
{
	char text[1024] = "";
	va_list args;
	enum wt_status ret = wt_cancelled(list->cancel, err);

	if (ret != WT_OK)
		return ret;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return wt_cert_list_put_note(
		list, wt_text_clean_dup(text, strlen(text)), err);
}

enum wt_status wt_cert_list_put_note(
	struct wt_cert_list *list, char *note, struct wt_error *err)
{
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
		!notes_reserve(list, from->note_count) ||
		!refused_reserve(list, from->refused_count) ||
		!files_reserve(list, from->file_count))
		return wt_fail_memory(err);
	for (size_t i = 0; i < from->refused_count; i++)
		refused_put(list, &from->refused[i]);
	for (size_t i = 0; i < from->file_count; i++)
		list->files[list->file_count++] = from->files[i];
	from->file_count = 0;
	if (from->refused_count > 0 && !list->keeps_going)
		return wt_fail_as(err, &from->refused[0]);
	for (size_t i = 0; i < from->count; i++)
		cert_put(list, from->certs[i]);
	for (size_t i = 0; i < from->note_count; i++)
		list->notes[list->note_count++] = from->notes[i];
	from->count = 0;
	from->note_count = 0;
	return WT_OK;
}

enum wt_status wt_cert_list_end_file(
	struct wt_cert_list *list, const char *path, struct wt_error *err)
{
	char *copy = wt_text_clean_dup(path, strlen(path));

	if (!copy || !files_reserve(list, 1)) {
		free(copy);
		return wt_fail_memory(err);
	}
	list->files[list->file_count++] =
		(struct wt_cert_file){copy, list->read_count - list->file_read,
			list->refused_count - list->file_refused};
	list->file_read = list->read_count;
	list->file_refused = list->refused_count;
	return WT_OK;
}

/* What was refused from first on was no part of the chain: a note each. */
static enum wt_status refused_note(
	struct wt_cert_list *list, size_t first, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	for (size_t i = first; ret == WT_OK && i < list->refused_count; i++)
		if (i - first < LEFT_OUT_SAID)
			ret = wt_cert_list_add_note(list, err,
				"%s: left out: %s [%s]",
				list->refused[i].object,
				list->refused[i].reason, list->refused[i].code);
		else if (i - first == LEFT_OUT_SAID)
			ret = wt_cert_list_add_note(list, err,
				"%s: left out, and more",
				list->refused[i].object);
	list->refused_count = first;
	return ret;
}

/* The end of reading what a server sends: what was refused is left out. */
static enum wt_status chain_end(struct wt_cert_list *list,
	const struct wt_cert_list *before, enum wt_status status,
	struct wt_error *err)
{
	size_t refused_count = before->refused_count;

	list->is_chain = false;
	list->keeps_going = before->keeps_going;
	if (status != WT_OK || list->refused_count == refused_count)
		return status;
	if (list->count > before->count)
		return refused_note(list, refused_count, err);
	/* Nothing but what was left out: so that is what is wrong. */
	return wt_fail_as(err, &list->refused[refused_count]);
}

enum wt_status wt_cert_list_read_chain(
	struct wt_cert_list *list, const char *path, struct wt_error *err)
{
	struct wt_cert_list before = {0};

	if (!(list && path))
		return wt_fail_argument(err, __func__);
	before = *list;
	list->is_chain = list->keeps_going = true;
	return chain_end(
		list, &before, wt_cert_list_read(list, path, err), err);
}

enum wt_status wt_cert_list_fetch(struct wt_cert_list *list, const char *server,
	const char *name, unsigned seconds, const volatile sig_atomic_t *cancel,
	struct wt_error *err)
{
	struct wt_cert_list before = {0};
	char *pem = NULL;
	size_t len = 0;
	enum wt_status ret = WT_OK;

	if (!(list && server))
		return wt_fail_argument(err, __func__);
	before = *list;
	ret = wt_fetch_pem(server, name, seconds, cancel, &pem, &len, err);
	if (ret != WT_OK)
		return ret;
	list->is_chain = list->keeps_going = true;
	ret = chain_end(list, &before,
		wt_cert_list_read_memory(list, pem, len, server, err), err);
	free(pem);
	return ret;
}
