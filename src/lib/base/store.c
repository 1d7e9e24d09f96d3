/* SPDX-License-Identifier: MIT
 * base/store.c: the names of Windows' certificate stores. */
#include <wimtrust/wimtrust.h>

#include <strings.h>

/* As Windows spells the keys. */
static const char *const names[WT_STORE_COUNT] = {
	[WT_STORE_AUTO] = "auto",
	[WT_STORE_AUTHROOT] = "AuthRoot",
	[WT_STORE_ROOT] = "ROOT",
	[WT_STORE_CA] = "CA",
	[WT_STORE_TRUSTEDPUBLISHER] = "TrustedPublisher",
	[WT_STORE_TRUSTEDPEOPLE] = "TrustedPeople",
	[WT_STORE_DISALLOWED] = "Disallowed",
};

const char *wt_store_name(enum wt_store store)
{
	if ((unsigned)store >= WT_STORE_COUNT)
		return "?";
	return names[store];
}

bool wt_store_from_name(const char *name, enum wt_store *ret_store)
{
	for (int i = 0; name && ret_store && i < WT_STORE_COUNT; i++) {
		if (strcasecmp(name, names[i]) == 0) {
			*ret_store = (enum wt_store)i;
			return true;
		}
	}
	return false;
}
