/* SPDX-License-Identifier: MIT
 * table.h: aligned columns that fit the terminal. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum cli_tint { CLI_PLAIN, CLI_GOOD, CLI_NOTE, CLI_BAD };

/** Where output goes and what it may look like. */
struct cli_screen {
	FILE *file;
	size_t width; /**< columns, 0 for no limit */
	bool has_color;
};

struct cli_column {
	const char *title; /**< NULL in each column: no head line */
	/** May be shortened, or go to a line of its own where it is narrow.
	 *  Such columns come last. */
	bool may_shrink;
};

struct cli_table;

/** columns is borrowed. */
struct cli_table *cli_table_new(const struct cli_column *columns, size_t count);

/** Adds a row; cells are copied and made safe, NULL counts as "". tint is
 *  for the first cell. */
void cli_table_add(
	struct cli_table *table, const char *const *cells, enum cli_tint tint);

/** Prints the table, each line behind indent spaces. */
void cli_table_print(const struct cli_table *table,
	const struct cli_screen *screen, size_t indent);

size_t cli_table_count(const struct cli_table *table);

void cli_table_free(struct cli_table *table);

/** Prints text in colour when the screen has it; text is ours, not a file's. */
void cli_tinted(
	const struct cli_screen *screen, enum cli_tint tint, const char *text);

#endif
