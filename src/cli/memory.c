/* SPDX-License-Identifier: MIT
 * memory.c: memory for what is printed, or the end of the program. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>

/* The library has finished or not begun when the program itself allocates, so
 * that nothing is left half done. */
static void *checked(void *memory)
{
	if (memory)
		return memory;
	fputs("wimtrust: out of memory [no-memory]\n", stderr);
	exit(WT_ERR_FILE);
}

void *cli_alloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size));
}

void *cli_grow(void *old, size_t count, size_t size)
{
	return checked(reallocarray(old, count ? count : 1, size));
}
