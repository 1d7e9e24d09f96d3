/* SPDX-License-Identifier: MIT
 * table.c: aligned columns that fit the terminal. */
#include "output/table.h"

#include "cli.h"
#include "output/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2
/* A column that would get less room goes to a line of its own. */
#define SHRINK_MIN 24

struct row {
	char **cells;
	enum cli_tint tint;
};

struct cli_table {
	const struct cli_column *columns;
	size_t column_count;
	size_t *widths; /* the widest cell of each column */
	struct row *rows;
	size_t row_count;
};

struct cli_table *cli_table_new(const struct cli_column *columns, size_t count)
{
	struct cli_table *table = cli_alloc(1, sizeof(*table));

	table->columns = columns;
	table->column_count = count;
	table->widths = cli_alloc(count, sizeof(*table->widths));
	for (size_t i = 0; i < count; i++) {
		if (columns[i].title)
			table->widths[i] = strlen(columns[i].title);
	}
	return table;
}

void cli_table_add(
	struct cli_table *table, const char *const *cells, enum cli_tint tint)
{
	struct row *row = NULL;

	/* Room doubles at each power of two. */
	if ((table->row_count & (table->row_count - 1)) == 0)
		table->rows = cli_grow(table->rows,
			table->row_count ? 2 * table->row_count : 1,
			sizeof(*table->rows));
	row = &table->rows[table->row_count++];
	row->tint = tint;
	row->cells = cli_alloc(table->column_count, sizeof(*row->cells));
	for (size_t i = 0; i < table->column_count; i++) {
		size_t width = 0;

		row->cells[i] = cli_text_safe(cells[i]);
		width = cli_text_width(row->cells[i]);
		if (width > table->widths[i])
			table->widths[i] = width;
	}
}

void cli_table_free(struct cli_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->row_count; i++) {
		for (size_t j = 0; j < table->column_count; j++)
			free(table->rows[i].cells[j]);
		free(table->rows[i].cells);
	}
	free(table->rows);
	free(table->widths);
	free(table);
}

void cli_tinted(
	const struct cli_screen *screen, enum cli_tint tint, const char *text)
{
	static const char *const starts[] = {
		[CLI_GOOD] = "\033[32m",
		[CLI_NOTE] = "\033[33m",
		[CLI_BAD] = "\033[31m",
	};

	if (screen->has_color && tint != CLI_PLAIN)
		fprintf(screen->file, "%s%s\033[0m", starts[tint], text);
	else
		fputs(text, screen->file);
}

/* Columns that hold nothing in any row take no room. */
static bool is_shown(const struct cli_table *table, size_t column)
{
	for (size_t i = 0; i < table->row_count; i++) {
		if (table->rows[i].cells[column][0] != '\0')
			return true;
	}
	return false;
}

/* How the columns are laid out on this screen. */
struct layout {
	size_t indent;
	size_t *widths;	   /* 0: not shown */
	bool is_stacked;   /* shrinkable cells stand on lines of their own */
	size_t line_width; /* of such a line, 0 for no limit */
};

/* Takes from the widest shrinkable column until the row fits. */
static void fit_columns(const struct cli_table *table, struct layout *layout,
	size_t total, size_t width)
{
	while (total > width) {
		size_t widest = table->column_count;

		for (size_t i = 0; i < table->column_count; i++) {
			if (table->columns[i].may_shrink &&
				layout->widths[i] > SHRINK_MIN &&
				(widest == table->column_count ||
					layout->widths[i] >
						layout->widths[widest]))
				widest = i;
		}
		if (widest == table->column_count) {
			layout->is_stacked = true;
			return;
		}
		layout->widths[widest]--;
		total--;
	}
}

static void lay_out(const struct cli_table *table,
	const struct cli_screen *screen, struct layout *layout)
{
	size_t total = layout->indent;

	layout->widths = cli_alloc(table->column_count, sizeof(size_t));
	for (size_t i = 0; i < table->column_count; i++) {
		if (!is_shown(table, i))
			continue;
		layout->widths[i] = table->widths[i];
		total += table->widths[i] + GAP;
	}
	if (screen->width == 0)
		return;
	layout->line_width = screen->width > layout->indent + GAP
				     ? screen->width - layout->indent - GAP
				     : 1;
	/* No gap behind the last column. */
	fit_columns(table, layout, total - GAP, screen->width);
}

static void print_cell(const struct cli_screen *screen, const char *cell,
	size_t width, bool is_last, enum cli_tint tint)
{
	char *fitted = cli_text_shorten(cell, width);
	size_t used = cli_text_width(fitted);

	cli_tinted(screen, tint, fitted);
	if (!is_last)
		fprintf(screen->file, "%*s",
			(int)(used < width ? width - used + GAP : GAP), "");
	free(fitted);
}

/* The columns of one line end where nothing more follows. */
static bool is_last_cell(const struct cli_table *table,
	const struct layout *layout, const char *const *cells, size_t column)
{
	for (size_t i = column + 1; i < table->column_count; i++) {
		if (layout->widths[i] > 0 && cells[i] && cells[i][0] &&
			!(layout->is_stacked && table->columns[i].may_shrink))
			return false;
	}
	return true;
}

/* A cell on a line of its own. The first explains itself; the others are led
 * by their column's title. */
static void print_stacked(const struct cli_table *table,
	const struct cli_screen *screen, const struct layout *layout,
	size_t column, const char *cell)
{
	const char *title = table->columns[column].title;
	bool is_first = true;
	char label[32] = "";
	size_t len = 0;

	for (size_t i = 0; i < column; i++)
		is_first = is_first && !table->columns[i].may_shrink;
	if (title && !is_first)
		snprintf(label, sizeof(label), "%s: ", title);
	for (; label[len]; len++)
		label[len] = (char)tolower((unsigned char)label[len]);
	fprintf(screen->file, "%*s%s", (int)(layout->indent + GAP), "", label);
	print_cell(screen, cell,
		layout->line_width > len ? layout->line_width - len : 1, true,
		CLI_PLAIN);
	fputc('\n', screen->file);
}

static void print_row(const struct cli_table *table,
	const struct cli_screen *screen, const struct layout *layout,
	const char *const *cells, enum cli_tint tint)
{
	fprintf(screen->file, "%*s", (int)layout->indent, "");
	for (size_t i = 0; i < table->column_count; i++) {
		bool is_last = is_last_cell(table, layout, cells, i);
		bool is_below =
			layout->is_stacked && table->columns[i].may_shrink;

		if (layout->widths[i] == 0 || is_below)
			continue;
		print_cell(screen, cells[i] ? cells[i] : "", layout->widths[i],
			is_last, i == 0 ? tint : CLI_PLAIN);
		if (is_last)
			break;
	}
	fputc('\n', screen->file);
	for (size_t i = 0; layout->is_stacked && i < table->column_count; i++) {
		if (table->columns[i].may_shrink && cells[i] && cells[i][0])
			print_stacked(table, screen, layout, i, cells[i]);
	}
}

void cli_table_print(const struct cli_table *table,
	const struct cli_screen *screen, size_t indent)
{
	struct layout layout = {.indent = indent};
	const char **titles = NULL;

	if (table->row_count == 0)
		return;
	lay_out(table, screen, &layout);
	titles = cli_alloc(table->column_count, sizeof(*titles));
	for (size_t i = 0; i < table->column_count; i++) {
		if (!layout.is_stacked || !table->columns[i].may_shrink)
			titles[i] = table->columns[i].title;
	}
	if (table->columns[0].title)
		print_row(table, screen, &layout, titles, CLI_PLAIN);
	for (size_t i = 0; i < table->row_count; i++)
		print_row(table, screen, &layout,
			(const char *const *)table->rows[i].cells,
			table->rows[i].tint);
	free(titles);
	free(layout.widths);
}
