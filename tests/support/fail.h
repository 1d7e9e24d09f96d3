/* SPDX-License-Identifier: MIT
 * fail.h: makes the n-th system or memory call of our own objects fail.
 *
 * The test is linked with tests/support/fail.c and --wrap for each function
 * of WT_FAIL_WRAP (tests/unit/CMakeLists.txt). Counting is done in all
 * threads. */
#ifndef FAIL_H
#define FAIL_H

#include <stdbool.h>

enum fail_mode {
	FAIL_ONCE,   /**< call n alone */
	FAIL_ALWAYS, /**< call n and all after it, as a dead disk does */
	FAIL_SHORT,  /**< call n, if it reads or writes, does half of it */
};

/** Arms: call n (from 1) fails with this errno. */
void fail_arm(unsigned n, enum fail_mode mode, int native);

/** Disarms. Returns whether call n was reached. */
bool fail_disarm(void);

/** How many calls failed, those of children too: each of them counts on from
 * where it began, so several may fail at call n. */
unsigned fail_count(void);

/** The function that failed last, for messages; "" for none. */
const char *fail_name(void);

#endif
