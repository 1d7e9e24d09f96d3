/* SPDX-License-Identifier: MIT
 * cert/addresses.c: where a certificate says that more is to be had. */
#include "cert/cert.h"

#include "base/text.h"
#include "cert/x509.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

struct sink {
	wt_address_fn *emit;
	void *ctx;
	size_t count;
	bool has_failed;
};

static void give(
	struct sink *sink, enum wt_address kind, const GENERAL_NAME *name)
{
	char *text = NULL;

	if (name->type != GEN_URI || sink->count >= WT_ADDRESSES_MAX)
		return;
	text = wt_text_clean_dup(
		ASN1_STRING_get0_data(name->d.uniformResourceIdentifier),
		(size_t)ASN1_STRING_length(name->d.uniformResourceIdentifier));
	if (text)
		sink->emit(sink->ctx, kind, text);
	else
		sink->has_failed = true;
	sink->count++;
	free(text);
}

static void give_crls(struct sink *sink, X509 *x509)
{
	CRL_DIST_POINTS *points =
		X509_get_ext_d2i(x509, NID_crl_distribution_points, NULL, NULL);

	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT_NAME *where =
			sk_DIST_POINT_value(points, i)->distpoint;

		if (!where || where->type != 0)
			continue;
		for (int j = 0; j < sk_GENERAL_NAME_num(where->name.fullname);
			j++)
			give(sink, WT_ADDRESS_CRL,
				sk_GENERAL_NAME_value(where->name.fullname, j));
	}
	CRL_DIST_POINTS_free(points);
}

static void give_access(struct sink *sink, X509 *x509)
{
	AUTHORITY_INFO_ACCESS *list =
		X509_get_ext_d2i(x509, NID_info_access, NULL, NULL);

	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(list); i++) {
		const ACCESS_DESCRIPTION *access =
			sk_ACCESS_DESCRIPTION_value(list, i);
		int nid = OBJ_obj2nid(access->method);

		if (nid == NID_ad_OCSP)
			give(sink, WT_ADDRESS_OCSP, access->location);
		else if (nid == NID_ad_ca_issuers)
			give(sink, WT_ADDRESS_ISSUER, access->location);
	}
	AUTHORITY_INFO_ACCESS_free(list);
}

enum wt_status wt_cert_addresses(const struct wt_cert *cert,
	wt_address_fn *emit, void *ctx, struct wt_error *err)
{
	struct sink sink = {.emit = emit, .ctx = ctx};

	if (!(cert && emit))
		return wt_fail_argument(err, __func__);
	ERR_set_mark();
	give_crls(&sink, cert->x509);
	give_access(&sink, cert->x509);
	ERR_pop_to_mark();
	return sink.has_failed ? wt_fail_memory(err) : WT_OK;
}
