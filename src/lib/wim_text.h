/* SPDX-License-Identifier: MIT
 * wim_text.h: text from a WIM, made valid. */
#ifndef WT_WIM_TEXT_H
#define WT_WIM_TEXT_H

#include <stddef.h>

/**
 * Copies text, with U+FFFD for each byte that is not valid UTF-8, and cut
 * between two characters where it does not fit.
 *
 * @param text  NUL-terminated, any bytes; NULL counts as ""
 * @param size  of dst, at least 1
 */
void wt_wim_text_copy(char *dst, size_t size, const char *text);

#endif
