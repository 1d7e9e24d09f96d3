/* SPDX-License-Identifier: MIT
 * cert/kind.h: the kinds of files that hold certificates. */
#ifndef WT_CERT_KIND_H
#define WT_CERT_KIND_H

#include "base/buf.h"
#include "cert/list.h"

/** The largest input that is read, in bytes. */
#define WT_CERT_FILE_MAX ((size_t)64 * 1024 * 1024)

/**
 * Adds every certificate in data to list. The kind is told by content. What
 * is wrong with one certificate is refused in the list, and what follows is
 * read anyway; an error of the whole file is returned.
 */
enum wt_status wt_cert_kind_read(struct wt_cert_list *list, const uint8_t *data,
	size_t data_len, const char *object, struct wt_error *err);

/**
 * Does the same in a child process with a sandbox.
 * @return also WT_ERR_CERT: cert-crash, sandbox; WT_ERR_FILE: no-process
 */
enum wt_status wt_cert_kind_read_apart(struct wt_cert_list *list,
	const uint8_t *data, size_t data_len, const char *object,
	struct wt_error *err);

/** Writes list as the answer of that process. */
void wt_cert_answer_write(
	struct wt_writer *writer, const struct wt_cert_list *list);

/**
 * Checks an answer and adds it to list. Hostile input may control the process
 * that wrote it.
 * @return WT_ERR_CERT: cert-crash, or what is wrong with a certificate in it
 */
enum wt_status wt_cert_answer_read(struct wt_cert_list *list,
	const uint8_t *answer, size_t len, const char *object,
	struct wt_error *err);

/** The same for data that was decoded depth times. */
enum wt_status wt_cert_kind_read_inner(struct wt_cert_list *list,
	const uint8_t *data, size_t data_len, const char *object,
	unsigned depth, struct wt_error *err);

/**
 * The same for one DER structure: a certificate or a PKCS#7. Anything else is
 * named in the error: cert-none, cert-pkcs12.
 */
enum wt_status wt_cert_kind_read_der(struct wt_cert_list *list,
	const uint8_t *der, size_t der_len, const char *object,
	struct wt_error *err);

/**
 * Does a certificate or a PKCS#7 in DER begin here? Its first bytes, which
 * may be all that there is, are such as no text has.
 */
bool wt_cert_kind_is_der(const uint8_t *data, size_t data_len);

/** Is it DER in which a transfer in text mode made CR LF of each LF? */
bool wt_cert_kind_is_text_mode(const uint8_t *data, size_t data_len);

/** Fails for a file without a certificate, and says what it is if that is
 *  known. */
enum wt_status wt_cert_kind_unknown(const uint8_t *data, size_t data_len,
	const char *object, struct wt_error *err);

/** The certificates of a PKCS#7 SignedData in DER or BER. */
enum wt_status wt_pkcs7_read(struct wt_cert_list *list, const uint8_t *data,
	size_t data_len, const char *object, struct wt_error *err);

/** Is it a ContentInfo, that is PKCS#7 or CMS? */
bool wt_pkcs7_is_likely(const uint8_t *data, size_t data_len);

/** A serialized store (.sst). */
enum wt_status wt_sstfile_read(struct wt_cert_list *list, const uint8_t *data,
	size_t data_len, const char *object, struct wt_error *err);

bool wt_sstfile_is_likely(const uint8_t *data, size_t data_len);

#endif
