/* SPDX-License-Identifier: MIT
 * kinds.h: the kinds of children, each by the calls that start them. */
#ifndef WT_TESTS_KINDS_H
#define WT_TESTS_KINDS_H

#include <stdbool.h>
#include <stddef.h>

/** Where they work, and the file that they work on. */
extern char kind_folder[], kind_target[64];
extern int kind_victim_fd; /**< that file, which the program has open */

struct kind {
	const char *name;
	void (*run)(void);
	int starts_min; /**< how many children it starts, at least */
};

extern const struct kind kinds[];
extern const size_t kind_count;

/** Makes the folder, and removes it. */
bool kinds_begin(void);
int kinds_end(void);

#endif
