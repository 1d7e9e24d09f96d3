/* SPDX-License-Identifier: MIT
 * error.h: how a call of the library says that it failed. */
#ifndef WIMTRUST_ERROR_H
#define WIMTRUST_ERROR_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WT_API __attribute__((visibility("default")))
#define WT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define WT_API
#define WT_PRINTF(fmt, args)
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
	WT_NO = 1,	    /**< verify, check, diff or remove says no */
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
 * The library fills its errors with these, and a program that reports in the
 * same way may use them too.
 */

/**
 * Fills err (NULL allowed) and returns status, so that a failing function can
 * say `return wt_fail(...)`. object may be NULL.
 */
WT_API enum wt_status wt_fail(struct wt_error *err, enum wt_status status,
	const char *code, const char *object, const char *fmt, ...)
	WT_PRINTF(5, 6);

/**
 * The same for a failed system call: errno is read first, kept as the native
 * code, and its text follows the formatted one after ": ".
 */
WT_API enum wt_status wt_fail_errno(struct wt_error *err, enum wt_status status,
	const char *code, const char *object, const char *fmt, ...)
	WT_PRINTF(5, 6);

/** Out of memory, the one failure without an object. */
WT_API enum wt_status wt_fail_memory(struct wt_error *err);

/** Adds the native code of another library. Returns err->status. */
WT_API enum wt_status wt_error_native(
	struct wt_error *err, enum wt_domain domain, int native);

/** Adds the remedy, unless the error has one. */
WT_API void wt_error_hint(struct wt_error *err, const char *fmt, ...)
	WT_PRINTF(2, 3);

/** WT_INTERRUPTED with the signal's number when *cancel is set, else WT_OK.
 *  Long work asks this between steps. */
WT_API enum wt_status wt_cancelled(
	const volatile sig_atomic_t *cancel, struct wt_error *err);

#ifdef __cplusplus
}
#endif

#endif
