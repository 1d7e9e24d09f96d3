/* SPDX-License-Identifier: MIT
 * wim/xml.h: a WIM's XML data, checked before wimlib parses it. */
#ifndef WT_WIM_XML_H
#define WT_WIM_XML_H

#include "wim/header.h"

#include <stddef.h>

/** Far more than in any real file. Attributes of an element; declarations of
 *  namespaces, and comments, CDATA sections and processing instructions, in
 *  the whole. */
#define WT_WIM_XML_ATTRIBUTES_MAX 64
#define WT_WIM_XML_NAMESPACES_MAX 64
#define WT_WIM_XML_OTHERS_MAX 256

/**
 * Refuses XML that a parser may need minutes for, though it is short: libxml2
 * compares each attribute of an element with all others, each prefix with all
 * namespaces, and formats a message for each error; wimlib's own parser copies
 * the text so far for each comment in it. Takes time in proportion to the
 * length. What passes may still be malformed.
 *
 * @param bytes  UTF-16LE
 * @return WT_ERR_WIM: wim-damaged (malformed), wim-unsupported
 */
enum wt_status wt_wim_xml_check(const uint8_t *bytes, size_t len,
	const char *object, struct wt_error *err);

/**
 * Reads the XML data that the header names, and checks it. Call it in a child.
 *
 * @return as wt_wim_xml_check(), and WT_ERR_FILE (read-failed, no-memory)
 */
enum wt_status wt_wim_xml_check_file(int fd, const struct wt_wim_header *header,
	const char *object, struct wt_error *err);

#endif
