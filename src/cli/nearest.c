/* SPDX-License-Identifier: MIT
 * nearest.c: finds the word that is closest to a mistyped one. */
#include "options.h"

#include <string.h>

#define WORD_MAX 32
/* More slips than this are another word. */
#define SLIPS_MAX 2

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters added, left out, changed or swapped with their neighbour between
 * the two: the optimal string alignment distance. */
static size_t count_slips(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	size_t d[WORD_MAX + 1][WORD_MAX + 1];

	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return WORD_MAX;
	for (size_t i = 0; i <= a_len; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = a[i - 1] != b[j - 1];

			d[i][j] = least(d[i - 1][j - 1] + change,
				least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[a_len][b_len];
}

const char *cli_nearest(const char *word, const char *const *words)
{
	size_t best = SLIPS_MAX + 1;
	const char *nearest = NULL;

	for (; *words; words++) {
		size_t slips = count_slips(word, *words);

		/* A beginning is not a slip: "comp" means completion. */
		if (strlen(word) > 1 &&
			strncmp(*words, word, strlen(word)) == 0)
			slips = 0;
		/* Half of a short word changed is no slip any more. */
		if (slips < best && slips * 2 < strlen(word) + 1) {
			best = slips;
			nearest = *words;
		}
	}
	return nearest;
}
