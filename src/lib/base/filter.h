/* SPDX-License-Identifier: MIT
 * base/filter.h: the filters of system calls. */
#ifndef WT_BASE_FILTER_H
#define WT_BASE_FILTER_H

#include <linux/filter.h>

/** What a filter allows more than work in memory: bits of its number. */
enum wt_filter {
	WT_FILTER_WRITES = 1,  /**< opens files for writing */
	WT_FILTER_CHANGES = 2, /**< that, and renames and removes files */
	WT_FILTER_FORKS = 4,   /**< starts children */
	WT_FILTER_MOUNTS = 8,  /**< alone: all that a mount may need */
	WT_FILTER_COUNT
};

/** A placeholder in a filter for the number of the process that takes it. No
 *  process has this number. */
#define WT_FILTER_OWN_PID 0x7F5A3C1E

/** The filters by their numbers. make_filters.c prints them when the library
 *  is built; to make them in each run would take up to 0.4 ms for each. */
extern struct sock_fprog wt_filters[WT_FILTER_COUNT];

#endif
