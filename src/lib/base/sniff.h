/* SPDX-License-Identifier: MIT
 * base/sniff.h: what a file is that is not what was asked for. */
#ifndef WT_BASE_SNIFF_H
#define WT_BASE_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Enough of a file's beginning to know all that is known, in bytes. */
#define WT_SNIFF_LEN 0x8006
/** The same of its end. */
#define WT_SNIFF_TAIL_LEN 512

/** A kind of file, for people: static text. */
struct wt_sniff {
	const char *name; /**< "a web page" */
	/** What to do when a certificate was asked for; NULL when that follows
	 *  from the name. A command in it takes the file's name as FILE. */
	const char *for_cert;
	/** The same when a boot image was asked for. */
	const char *for_target;
};

/** Does it begin as a registry hive does, and as no text? */
bool wt_sniff_is_hive(const uint8_t *data, size_t len);

/** Enough of a file's beginning to tell that, in bytes. */
#define WT_SNIFF_HIVE_LEN 32

/**
 * Tells by its bytes what a file is that holds neither certificates nor
 * Windows, whatever else may be found in it.
 *
 * @param data  its beginning, or all of it
 * @param tail  its last bytes, WT_SNIFF_TAIL_LEN of them; NULL for none
 * @return NULL when nothing is known
 */
const struct wt_sniff *wt_sniff_binary(
	const uint8_t *data, size_t len, const uint8_t *tail, size_t tail_len);

/** Tells what a text is in which no certificate was found; NULL as above. */
const struct wt_sniff *wt_sniff_text(const char *text, size_t len);

#endif
