/* SPDX-License-Identifier: MIT
 * wimtrust.h: trusted root certificates in offline Windows boot images. */
#ifndef WIMTRUST_WIMTRUST_H
#define WIMTRUST_WIMTRUST_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WT_API __attribute__((visibility("default")))
#else
#define WT_API
#endif

/*
 * Errors
 *
 * Every function that can fail returns an enum wt_status and takes a struct
 * wt_error last, which may be NULL. On success the error is left as it was;
 * outputs are written on success only.
 */

/** What a call came to. The values are the exit statuses of the program. */
enum wt_status {
	WT_OK = 0,	    /**< done, or already so */
	WT_NO = 1,	    /**< verify, check or remove says no */
	WT_ERR_USAGE = 2,   /**< the request contradicts itself */
	WT_ERR_CERT = 3,    /**< certificate input is bad or refused */
	WT_ERR_WIM = 4,	    /**< the WIM is bad or refused */
	WT_ERR_HIVE = 5,    /**< the registry hive is bad or refused */
	WT_ERR_IMAGE = 6,   /**< no such image, or no hive in it */
	WT_ERR_FILE = 7,    /**< file system: space, permission, locked */
	WT_INTERRUPTED = 8, /**< cancelled; native is the signal's number */
};

/** Where a native error code comes from. */
enum wt_domain {
	WT_DOMAIN_NONE = 0,
	WT_DOMAIN_SYSTEM,  /**< native is an errno */
	WT_DOMAIN_OPENSSL, /**< native is the OpenSSL reason code */
	WT_DOMAIN_WIMLIB,  /**< native is an enum wimlib_error_code */
	WT_DOMAIN_HIVEX,   /**< native is the errno that hivex set */
	WT_DOMAIN_SIGNAL,  /**< native is a signal's number */
};

/**
 * Why a call failed: a plain value that owns nothing. All text is UTF-8,
 * NUL-terminated, cut to the array, and may hold what a file said: escape it
 * before it reaches a terminal.
 */
struct wt_error {
	enum wt_status status;
	enum wt_domain domain;
	int native;
	char code[32];	  /**< stable word, "hive-dirty" */
	char object[256]; /**< what the call failed on, mostly a path */
	char reason[384]; /**< one line, without the object */
	char hint[384];	  /**< the remedy in one line, or "" */
};

/*
 * Certificates
 */

#define WT_SHA1_LEN 20
#define WT_SHA1_HEX_LEN 40
#define WT_SHA256_LEN 32
#define WT_SHA256_HEX_LEN 64
/** The longest registry value that can be written into a hive, in bytes. */
#define WT_BLOB_MAX 16344
/** The longest registry value that is written without a warning, in bytes. */
#define WT_BLOB_LARGE 12288

/** A certificate, and what a registry value or store file said about it. */
struct wt_cert;

/** What is in a certificate. Strings belong to the certificate. */
struct wt_cert_info {
	const uint8_t *der;
	size_t der_len;
	char sha1[WT_SHA1_HEX_LEN + 1];	    /**< upper-case: the thumbprint */
	char sha256[WT_SHA256_HEX_LEN + 1]; /**< upper-case */
	const char *subject;		    /**< RFC 2253, UTF-8 */
	const char *issuer;		    /**< RFC 2253, UTF-8 */
	const char *serial;		    /**< upper-case hex */
	int64_t not_before;		    /**< seconds since 1970, UTC */
	int64_t not_after;		    /**< seconds since 1970, UTC */
	const char *key;		    /**< "RSA 4096", "EC P-256" */
	unsigned key_bits;
	const char *signature; /**< "sha256WithRSAEncryption" */
	bool is_self_signed;   /**< issued by itself, signature verified */
	bool is_ca;	       /**< may issue certificates */
	/* What the registry value or store file added; NULL when it did not */
	const char *friendly_name; /**< property 0x0B, UTF-8 */
	const char *usages;	   /**< property 0x09: names, comma-separated */
	const uint8_t *blob;	   /**< the value as it was read */
	size_t blob_len;
};

/** Borrowed from cert; valid as long as it is. */
WT_API const struct wt_cert_info *wt_cert_info(const struct wt_cert *cert);

/** A growing list of certificates, each once (by SHA-256 of its DER). */
struct wt_cert_list;

WT_API enum wt_status wt_cert_list_new(
	struct wt_cert_list **ret_list, struct wt_error *err);
WT_API void wt_cert_list_free(struct wt_cert_list *list);
WT_API size_t wt_cert_list_count(const struct wt_cert_list *list);
/** Borrowed from list; index is below wt_cert_list_count(). */
WT_API const struct wt_cert *wt_cert_list_get(
	const struct wt_cert_list *list, size_t index);
/** How many notes the reading left, "3 other keys skipped" and the like. */
WT_API size_t wt_cert_list_note_count(const struct wt_cert_list *list);
WT_API const char *wt_cert_list_note(
	const struct wt_cert_list *list, size_t index);

/**
 * Reads every certificate that path holds and adds it to list.
 *
 * @param path  a file, a folder (every file in it that holds certificates),
 *              or "-" for standard input. The kind is told by content: PEM,
 *              DER, PKCS#7, serialized store (.sst), registry export (.reg),
 *              or a raw registry value.
 * @return WT_ERR_CERT when there is no certificate or the input is malformed,
 *         WT_ERR_FILE when it cannot be read; list is unchanged then.
 */
WT_API enum wt_status wt_cert_list_read(
	struct wt_cert_list *list, const char *path, struct wt_error *err);

/** The same from memory; object names the input in messages. */
WT_API enum wt_status wt_cert_list_read_memory(struct wt_cert_list *list,
	const void *data, size_t data_len, const char *object,
	struct wt_error *err);

/** A certificate store of Windows. */
enum wt_store {
	WT_STORE_AUTO = 0, /**< AuthRoot or CA, as the certificate says */
	WT_STORE_AUTHROOT,
	WT_STORE_ROOT,
	WT_STORE_CA,
	WT_STORE_TRUSTEDPUBLISHER,
	WT_STORE_TRUSTEDPEOPLE,
	WT_STORE_DISALLOWED,
	WT_STORE_COUNT,
};

/** The key's name as Windows spells it ("AuthRoot"); "auto" for AUTO. */
WT_API const char *wt_store_name(enum wt_store store);
/** Case does not matter. @return false when there is no such store. */
WT_API bool wt_store_from_name(const char *name, enum wt_store *ret_store);

/** Refusals that can be overridden, one bit each. */
enum wt_allow {
	WT_ALLOW_EXPIRED = 1 << 0,
	WT_ALLOW_NOT_YET_VALID = 1 << 1,
	WT_ALLOW_WEAK_KEY = 1 << 2,
	WT_ALLOW_NOT_CA = 1 << 3,
};

/**
 * May this certificate be trusted, and in which store does it belong?
 *
 * @param store      WT_STORE_AUTO, or the store that was asked for
 * @param allow      enum wt_allow bits
 * @param now        seconds since 1970
 * @param ret_store  never WT_STORE_AUTO; also written when refused, if known
 * @param ret_why    one line: why this store; borrowed static text
 * @return WT_ERR_CERT when it is refused, with the code and the remedy
 */
WT_API enum wt_status wt_cert_policy(const struct wt_cert *cert,
	enum wt_store store, unsigned allow, int64_t now,
	enum wt_store *ret_store, const char **ret_why, struct wt_error *err);

/** Warnings that do not refuse, as text lines; calls emit for each. */
WT_API void wt_cert_warnings(const struct wt_cert *cert, int64_t now,
	void (*emit)(void *ctx, const char *code, const char *text), void *ctx);

/**
 * The registry value for a certificate, as Windows 10 writes it. A value
 * that was read with the certificate is given back as it was.
 *
 * @param friendly_name  UTF-8, replaces the one read; NULL keeps that
 * @param ret_blob       free with wt_free()
 * @return WT_ERR_CERT (blob-too-large) over WT_BLOB_MAX
 */
WT_API enum wt_status wt_cert_encode(const struct wt_cert *cert,
	const char *friendly_name, uint8_t **ret_blob, size_t *ret_blob_len,
	struct wt_error *err);

/** Frees what a function of this library gave with the words "wt_free()". */
WT_API void wt_free(void *data);

#ifdef __cplusplus
}
#endif

#endif
