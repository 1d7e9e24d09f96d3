/* SPDX-License-Identifier: MIT
 * cert/list.h: filling a list of certificates, each once. */
#ifndef WT_CERT_LIST_H
#define WT_CERT_LIST_H

#include "cert/cert.h"

/**
 * Adds a certificate, which is the list's from then on, also when this fails.
 * One that is there already is dropped, unless the new one came with a
 * registry value and the old one did not.
 */
enum wt_status wt_cert_list_add(
	struct wt_cert_list *list, struct wt_cert *cert, struct wt_error *err);

/** An empty list with the same settings. */
enum wt_status wt_cert_list_new_like(const struct wt_cert_list *list,
	struct wt_cert_list **ret_list, struct wt_error *err);

/** wt_cancelled() of what the list is cancelled with. */
enum wt_status wt_cert_list_cancelled(
	const struct wt_cert_list *list, struct wt_error *err);

/** How many certificates were added so far; one that came twice counts twice.
 */
size_t wt_cert_list_read_count(const struct wt_cert_list *list);

/**
 * Keeps a refusal, so that reading can go on: WT_ERR_CERT is added to the
 * refused ones of the list, and WT_OK is returned. Any other status is
 * returned, with the reason in err.
 */
enum wt_status wt_cert_list_refuse(struct wt_cert_list *list,
	enum wt_status status, const struct wt_error *why,
	struct wt_error *err);

/** Was something found that is no certificate, and whole: a key, a CRL? */
bool wt_cert_list_has_other(const struct wt_cert_list *list);
void wt_cert_list_set_other(struct wt_cert_list *list);

/** The flag that cancels reading; NULL: none. */
const volatile sig_atomic_t *wt_cert_list_cancel(
	const struct wt_cert_list *list);

/** Is it a server's chain? Then its signatures are not verified yet. */
bool wt_cert_list_is_chain(const struct wt_cert_list *list);

/** Has it more than a server's chain may have? */
bool wt_cert_list_is_full(const struct wt_cert_list *list);

/** Sets what another process counted and saw while it read the list. */
void wt_cert_list_take(struct wt_cert_list *list, size_t read_count,
	bool has_other, bool is_full);

/** Is a folder read with the folders in it? */
bool wt_cert_list_is_recursive(const struct wt_cert_list *list);

/** Is each skipped key and value to be named in a note? */
bool wt_cert_list_names_skipped(const struct wt_cert_list *list);

/** Parses and adds; one that is there already is not parsed again. */
enum wt_status wt_cert_list_add_der(struct wt_cert_list *list,
	const uint8_t *der, size_t der_len, const char *object,
	struct wt_error *err);

/** The most certificates that a server's chain may have, and their bytes: as
 *  many as one message of TLS holds. */
#define WT_CHAIN_CERTS_MAX 2000
#define WT_CHAIN_LEN_MAX ((size_t)16 * 1024 * 1024)

/** Adds a note, made valid UTF-8 without control characters. */
enum wt_status wt_cert_list_add_note(struct wt_cert_list *list,
	struct wt_error *err, const char *fmt, ...) WT_PRINTF(3, 4);

/** Adds a note. The list frees it, also when this fails. NULL means that the
 *  caller had no memory for it. */
enum wt_status wt_cert_list_put_note(
	struct wt_cert_list *list, char *note, struct wt_error *err);

/**
 * Moves the certificates and refusals that were read from path into the list.
 * If something was refused and the list does not keep going, moves the refusals
 * only, and returns the first. The caller frees from.
 */
enum wt_status wt_cert_list_move(struct wt_cert_list *list,
	struct wt_cert_list *from, struct wt_error *err);

/** Counts what was read so far as one file's. */
enum wt_status wt_cert_list_end_file(
	struct wt_cert_list *list, const char *path, struct wt_error *err);

#endif
