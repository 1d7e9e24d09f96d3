/* SPDX-License-Identifier: MIT
 * entry.h: what an entry of a hive holds, and whether that holds. */
#ifndef WT_ENTRY_H
#define WT_ENTRY_H

#include "cert/cert.h"
#include "target/target.h"

/** The registry's type of a value that is bytes. */
#define REG_BINARY 3

/** Does TLS build its chains from this store? */
bool wt_entry_gives_tls_trust(enum wt_store store);

/**
 * The certificate of an entry's value.
 * @return WT_ERR_CERT: blob-missing, blob-bad-type, and as
 *         wt_certblob_decode()
 */
enum wt_status wt_entry_decode(const struct wt_hive_entry *from,
	const char *object, struct wt_cert **ret_cert, struct wt_error *err);

/** The entry in any store of roots, of any place; NULL if there is none. */
const struct wt_hive_entry *wt_content_find_root(
	const struct wt_hive_content *content, const char *key);

/** Where an entry is, for messages: "AuthRoot", "AuthRoot of a policy". Returns
 *  buf. */
const char *wt_content_where(const struct wt_hive_entry *entry, char buf[64]);

/** The entry of a store, or NULL. Case does not matter. */
const struct wt_hive_entry *wt_content_find(
	const struct wt_hive_content *content, enum wt_hive_place place,
	enum wt_store store, const char *key);

/**
 * Is the certificate in a store Disallowed of the hive, which vetoes it
 * wherever else it is? A value there that Windows cannot read is a warning, and
 * no veto.
 */
enum wt_status wt_entry_is_vetoed(const struct wt_target *target,
	const struct wt_target_hive *hive, const struct wt_cert_info *info,
	bool *ret_is_vetoed, struct wt_error *err);

/**
 * An entry whose value is sound: does it let the certificate do what it is in
 * its store for? Where it tells Windows to distrust it, or to trust no TLS
 * server below it, the entry gets a problem and is unsound.
 */
void wt_entry_judge(const struct wt_target *target, struct wt_entry *entry);

/** The same where Disallowed vetoes the certificate. */
enum wt_status wt_entry_judge_veto(const struct wt_target *target,
	const struct wt_target_hive *hive, struct wt_entry *entry,
	const struct wt_cert_info *info, struct wt_error *err);

/**
 * The first copy of an entry's certificate, in another store or place that TLS
 * builds its chains from, whose value lets no TLS server be trusted. The limits
 * of each copy count.
 *
 * @param ret_copy  without a certificate when there is none
 */
enum wt_status wt_entry_find_limited(const struct wt_target *target,
	const struct wt_target_hive *hive, const struct wt_entry *entry,
	const char *sha1, struct wt_entry *ret_copy, struct wt_error *err);

/** The same as wt_entry_judge() where such a copy limits the certificate. */
enum wt_status wt_entry_judge_copies(const struct wt_target *target,
	const struct wt_target_hive *hive, struct wt_entry *entry,
	const struct wt_cert_info *info, struct wt_error *err);

/**
 * Decodes the entry of a hive into an entry of the report: the certificate,
 * kept by the report, or the problem. Fails only for want of memory, or when
 * it is cancelled.
 */
enum wt_status wt_entry_describe(const struct wt_target *target,
	const struct wt_target_hive *hive, const struct wt_hive_entry *from,
	struct wt_entry *ret_entry, struct wt_error *err);

#endif
