/* SPDX-License-Identifier: MIT
 * cert/policy.c: may this certificate be trusted, and where does it belong? */
#include "cert/policy.h"

#include "base/text.h"
#include "cert/blob.h"

#include <stdio.h>
#include <time.h>

#define DAY (24 * 60 * 60)

static enum wt_status refuse(struct wt_error *err, const char *code,
	const struct wt_cert_info *info, const char *allow, const char *reason)
{
	wt_fail(err, WT_ERR_CERT, code, info->subject, "%s", reason);
	if (allow)
		wt_error_hint(err, "--allow %s adds it anyway (thumbprint %s)",
			allow, info->sha1);
	return WT_ERR_CERT;
}

static enum wt_status validity_check(const struct wt_cert_info *info,
	unsigned allow, int64_t now, struct wt_error *err)
{
	char reason[96] = "";
	char date[32] = "";

	if (now > info->not_after && !(allow & WT_ALLOW_EXPIRED)) {
		wt_text_date(info->not_after, date);
		snprintf(reason, sizeof(reason),
			"the certificate expired on %s", date);
		return refuse(err, "cert-expired", info, "expired", reason);
	}
	if (now < info->not_before && !(allow & WT_ALLOW_NOT_YET_VALID)) {
		wt_text_date(info->not_before, date);
		snprintf(reason, sizeof(reason),
			"the certificate is not valid before %s", date);
		return refuse(err, "cert-not-yet-valid", info, "not-yet-valid",
			reason);
	}
	return WT_OK;
}

/* RSA under 2048 bits, EC under 224, DSA of any size, and what is unknown. */
static bool is_weak_key(const struct wt_cert *cert)
{
	unsigned bits = wt_cert_info(cert)->key_bits;

	if (!wt_cert_is_key_known(cert) || wt_cert_is_key_dsa(cert))
		return true;
	return bits < (wt_cert_is_key_elliptic(cert) ? WT_EC_BITS_MIN
						     : WT_RSA_BITS_MIN);
}

static enum wt_status key_check(
	const struct wt_cert *cert, unsigned allow, struct wt_error *err)
{
	const struct wt_cert_info *info = wt_cert_info(cert);
	char reason[192] = "";

	if ((allow & WT_ALLOW_WEAK_KEY) || !is_weak_key(cert))
		return WT_OK;
	snprintf(reason, sizeof(reason),
		wt_cert_is_key_known(cert)
			? "its key (%.100s) is too weak to be trusted"
			: "its key (%.100s) is of an unknown kind",
		info->key);
	return refuse(err, "cert-weak-key", info, "weak-key", reason);
}

/* The store that was named, or the one that follows; WT_STORE_AUTO for none. */
static enum wt_store store_find(
	const struct wt_cert *cert, enum wt_store store, const char **ret_why)
{
	const struct wt_cert_info *info = wt_cert_info(cert);

	*ret_why = "asked for";
	if (store != WT_STORE_AUTO)
		return store;
	*ret_why = "it comes from this store";
	if (wt_cert_stood_in(cert) != WT_STORE_AUTO)
		return wt_cert_stood_in(cert);
	*ret_why = "self-signed";
	if (info->is_self_signed)
		return WT_STORE_AUTHROOT;
	*ret_why = "a CA issued by another";
	if (info->is_ca)
		return WT_STORE_CA;
	*ret_why = "neither self-signed nor a CA";
	return WT_STORE_AUTO;
}

/* A root that its own key did not sign, and whose store would trust it. */
static enum wt_status signature_check(const struct wt_cert *cert,
	enum wt_store asked, enum wt_store store, unsigned allow,
	struct wt_error *err)
{
	const struct wt_cert_info *info = wt_cert_info(cert);
	bool is_renewed =
		wt_cert_is_self_issued_only(cert) &&
		(asked == WT_STORE_AUTO || asked == WT_STORE_AUTHROOT ||
			asked == WT_STORE_ROOT);

	if (store == WT_STORE_DISALLOWED || (allow & WT_ALLOW_BAD_SIGNATURE))
		return WT_OK;
	if (info->has_bad_signature)
		return refuse(err, "cert-bad-signature", info, "bad-signature",
			"the certificate is self-signed, but its own signature "
			"does not verify: it was altered or damaged");
	if (!is_renewed)
		return WT_OK;
	refuse(err, "cert-bad-signature", info, NULL,
		"subject and issuer have the same name, but its own key did "
		"not sign it: it was altered, or another key of that name "
		"signed it");
	wt_error_hint(err, "get it again; if a CA renewed its key this way, "
			   "--store ca adds it as an intermediate; --allow "
			   "bad-signature takes it for a root");
	return WT_ERR_CERT;
}

/* These are for certificates of people and programs: who names one consents. */
static bool takes_leaves(enum wt_store store)
{
	return store == WT_STORE_DISALLOWED ||
	       store == WT_STORE_TRUSTEDPUBLISHER ||
	       store == WT_STORE_TRUSTEDPEOPLE;
}

static enum wt_status ca_check(const struct wt_cert *cert, enum wt_store store,
	unsigned allow, struct wt_error *err)
{
	const struct wt_cert_info *info = wt_cert_info(cert);

	if (info->is_ca || takes_leaves(store))
		return WT_OK;
	if (!(allow & WT_ALLOW_NOT_CA)) {
		refuse(err, "cert-not-ca", info, NULL,
			info->is_self_signed
				? "the certificate is not a CA: it may not "
				  "issue others"
				: "the certificate is not a CA and not "
				  "self-signed: trust the root above it");
		wt_error_hint(err, "--allow not-ca%s adds it anyway",
			store != WT_STORE_AUTO ? "" : " with a named --store");
		return WT_ERR_CERT;
	}
	if (store == WT_STORE_AUTO) {
		refuse(err, "cert-no-store", info, NULL,
			"the certificate is neither a CA nor self-signed, so "
			"wimtrust cannot choose a store");
		wt_error_hint(err, "name one with --store");
		return WT_ERR_CERT;
	}
	return WT_OK;
}

/* The store that is named, or that follows from what the certificate is and
 * where it comes from; WT_STORE_AUTO for none. */
static enum wt_store store_choose(const struct wt_cert *cert,
	enum wt_store asked, unsigned allow, const char **ret_why)
{
	enum wt_store store = store_find(cert, asked, ret_why);

	if (asked == WT_STORE_AUTO && store != WT_STORE_DISALLOWED &&
		!wt_cert_origin(cert)->is_elsewhere &&
		wt_cert_is_self_issued_only(cert) &&
		(allow & WT_ALLOW_BAD_SIGNATURE))
		return WT_STORE_AUTHROOT;
	return store;
}

enum wt_store wt_cert_store(
	const struct wt_cert *cert, enum wt_store asked, unsigned allow)
{
	const char *why = NULL;

	return store_choose(cert, asked, allow, &why);
}

static enum wt_status origin_check(
	const struct wt_cert *cert, enum wt_store asked, struct wt_error *err)
{
	const struct wt_origin *origin = wt_cert_origin(cert);
	char reason[192] = "";

	if (asked != WT_STORE_AUTO || !origin->is_elsewhere)
		return WT_OK;
	snprintf(reason, sizeof(reason),
		"it comes from the store %s, which gives no trust for TLS",
		origin->name);
	refuse(err, "cert-other-store", wt_cert_info(cert), NULL, reason);
	wt_error_hint(err, "to trust it for TLS: --store authroot");
	return WT_ERR_CERT;
}

enum wt_status wt_cert_policy(const struct wt_cert *cert, enum wt_store store,
	unsigned allow, int64_t now, enum wt_store *ret_store,
	const char **ret_why, struct wt_error *err)
{
	const char *why = NULL;
	enum wt_store chosen = WT_STORE_AUTO;
	enum wt_status ret = WT_OK;

	if (!(cert && ret_store))
		return wt_fail_argument(err, __func__);
	chosen = store_choose(cert, store, allow, &why);
	ret = origin_check(cert, store, err);
	if (ret == WT_OK)
		ret = signature_check(cert, store, chosen, allow, err);
	if (ret == WT_OK)
		ret = ca_check(cert, chosen, allow, err);
	/* Never allowed: a hive that hivex writes cannot hold it. */
	if (ret == WT_OK)
		ret = wt_cert_value_check(
			cert, wt_cert_value(cert), false, err);
	/* Anything may be distrusted. */
	if (ret == WT_OK && chosen != WT_STORE_DISALLOWED)
		ret = validity_check(wt_cert_info(cert), allow, now, err);
	if (ret == WT_OK && chosen != WT_STORE_DISALLOWED)
		ret = key_check(cert, allow, err);
	if (ret != WT_OK)
		return ret;
	*ret_store = chosen;
	if (ret_why)
		*ret_why = why;
	return WT_OK;
}

/* A root's own signature proves nothing. */
static void algorithms_warn(const struct wt_cert *cert,
	void (*emit)(void *ctx, const char *code, const char *text), void *ctx)
{
	char what[WT_ALGORITHM_TEXT_MAX] = "", text[256] = "";
	enum wt_algorithm state = wt_cert_key_algorithm(cert, what);

	if (state == WT_ALGORITHM_KNOWN && !wt_cert_info(cert)->is_self_signed)
		state = wt_cert_signature_algorithm(cert, what);
	if (wt_cert_is_key_too_large(cert)) {
		emit(ctx, "cert-unknown-algorithm",
			"its RSA key or public exponent is larger than any "
			"that Windows uses, so nothing below it is trusted");
	} else if (state == WT_ALGORITHM_UNKNOWN) {
		snprintf(text, sizeof(text),
			"%s is of a kind that Windows' chain engine does not "
			"know, so nothing below it is trusted",
			what);
		emit(ctx, "cert-unknown-algorithm", text);
	} else if (state == WT_ALGORITHM_UNSURE) {
		snprintf(text, sizeof(text),
			"it is not known whether Windows supports %s", what);
		emit(ctx, "cert-unsure-algorithm", text);
	}
}

/* The store that it comes from trusts it for less, or for one user only. */
static void origin_warn(const struct wt_cert *cert,
	void (*emit)(void *ctx, const char *code, const char *text), void *ctx)
{
	const struct wt_origin *origin = wt_cert_origin(cert);
	char text[256] = "";

	if (origin->is_elsewhere)
		snprintf(text, sizeof(text),
			"it comes from the store %s, which "
			"gives no trust for TLS",
			origin->name);
	else if (origin->is_user)
		snprintf(text, sizeof(text),
			"it comes from the store %s, not from the machine's "
			"stores",
			origin->name);
	else if (origin->store == WT_STORE_CA &&
		 wt_cert_info(cert)->is_self_signed)
		snprintf(text, sizeof(text),
			"it comes from the store CA, where a "
			"root gives no trust; --store authroot trusts it");
	if (text[0])
		emit(ctx, "cert-other-store", text);
}

void wt_cert_warnings(const struct wt_cert *cert, int64_t now,
	void (*emit)(void *ctx, const char *code, const char *text), void *ctx)
{
	const struct wt_cert_info *info = wt_cert_info(cert);
	size_t blob_len = 0;
	char text[256] = "";
	char date[32] = "";

	if (!cert || !emit)
		return;
	blob_len = wt_cert_value(cert)->len;
	if (now <= info->not_after &&
		info->not_after - now < WT_EXPIRY_WARN_DAYS * DAY) {
		wt_text_date(info->not_after, date);
		snprintf(text, sizeof(text), "expires within %d days, on %s",
			WT_EXPIRY_WARN_DAYS, date);
		emit(ctx, "cert-expires-soon", text);
	}
	if (!info->is_self_signed && wt_cert_has_weak_signature(cert)) {
		snprintf(text, sizeof(text),
			"its signature uses a broken hash (%.100s)",
			info->signature);
		emit(ctx, "cert-weak-signature", text);
	}
	algorithms_warn(cert, emit, ctx);
	if (info->has_bad_signature)
		emit(ctx, "cert-bad-signature",
			"its own signature does not verify");
	else if (wt_cert_is_self_issued_only(cert))
		emit(ctx, "cert-bad-signature",
			"subject and issuer have the same name, but its own "
			"key did not sign it, so wimtrust check does not take "
			"it for a root");
	if (wt_cert_has_odd_date(cert))
		emit(ctx, "cert-odd-date",
			"its dates have no seconds, an offset or a fraction: "
			"it is not known whether Windows reads them");
	origin_warn(cert, emit, ctx);
	if (wt_cert_stood_in(cert) == WT_STORE_DISALLOWED)
		emit(ctx, "cert-distrusted",
			"it comes from the store Disallowed");
	else if (wt_cert_limits(cert)->is_disallowed)
		emit(ctx, "cert-distrusted",
			"a property that came with it tells Windows to "
			"distrust it; as PEM or DER it would have none");
	if (blob_len > WT_BLOB_LARGE) {
		snprintf(text, sizeof(text),
			"its registry value is large: %zu bytes", blob_len);
		emit(ctx, "blob-large", text);
	}
}
