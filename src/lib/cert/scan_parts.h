/* SPDX-License-Identifier: MIT
 * cert/scan_parts.h: what the parts of the search for certificates share. */
#ifndef WT_CERT_SCAN_PARTS_H
#define WT_CERT_SCAN_PARTS_H

#include "base/buf.h"
#include "cert/list.h"
#include "cert/mark.h"

/* Enough to name what was found. */
#define WT_SCAN_OTHERS 4

struct wt_scan {
	struct wt_cert_list *list;
	const char *object;
	const uint8_t *data;
	size_t len;
	unsigned depth;
	size_t pos;   /* what stands before it was decided on */
	size_t gap;   /* where the text before pos began that is none */
	size_t thing; /* how far the search has come: pos, or behind it */
	size_t count; /* certificates and what should be one */
	size_t line;  /* number of the line that line_pos is in */
	size_t line_pos;
	bool is_behind_der, is_behind_pkcs7;
	bool is_in_data; /* what was passed over last is no text */
	/* of a block that was refused: its END, and before that its body */
	bool is_end_due, is_body_due;
	bool has_dashes; /* five in a row, so - is of no alphabet */
	struct wt_mark mark;
	size_t key_count;
	size_t trusted_count;
	size_t commented_count, commented_line;
	size_t stray_count, stray_pos; /* bytes that are no text */
	char *others[WT_SCAN_OTHERS];
	size_t other_count;
};

/* scan_notes.c */

size_t wt_scan_line(struct wt_scan *scan, size_t pos);

/** "bundle.pem, certificate 2 (line 21)"; the next one that is counted. */
void wt_scan_object(
	struct wt_scan *scan, size_t pos, bool is_text, char ret_object[256]);

/** Refuses what is at pos, in the list. hint may be NULL, and have FILE. */
enum wt_status wt_scan_refuse(struct wt_scan *scan, size_t pos,
	const char *code, const char *reason, const char *hint,
	struct wt_error *err);

/** Counts a block that is no certificate, and keeps the first names. */
enum wt_status wt_scan_add_other(
	struct wt_scan *scan, const char *label, struct wt_error *err);

/** Fails for a file without a certificate, and says what it has. */
enum wt_status wt_scan_fail_none(
	const struct wt_scan *scan, struct wt_error *err);

/** Says in the list what was left out beside the certificates. */
enum wt_status wt_scan_add_notes(
	const struct wt_scan *scan, struct wt_error *err);

/* scan.c */

/** Reads what was decoded as a file in itself: DER as a rule, but also what
 *  certutil -encode was given by mistake. */
enum wt_status wt_scan_read_inner(struct wt_scan *scan,
	const struct wt_writer *inner, const char *object,
	struct wt_error *err);

/** Wipes it: there may be a key in it. */
void wt_scan_free_inner(struct wt_writer *inner);

bool wt_scan_is_space(uint8_t byte);

/** White space, what fills a block up, and marks of byte order. */
bool wt_scan_is_padding(uint8_t byte);

/** scan_block.c: BEGIN or END was found, and is in scan->mark. */
enum wt_status wt_scan_mark(struct wt_scan *scan, struct wt_error *err);

/** scan_base64.c: Base64 without BEGIN was found, at scan->pos. It is read if
 *  it can mean nothing else. Otherwise what decodes to a certificate is
 *  refused. */
enum wt_status wt_scan_base64(struct wt_scan *scan, struct wt_error *err);

#endif
