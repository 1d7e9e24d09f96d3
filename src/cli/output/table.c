/* SPDX-License-Identifier: MIT
 * table.c: aligned columns that fit the terminal. */
#include "output/table.h"

#include "cli.h"
#include "output/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2
/* With less room beside the others, a wrapped cell goes below them. */
#define SHRINK_MIN 36

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

size_t cli_table_count(const struct cli_table *table)
{
	return table->row_count;
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

/* How the columns are laid out on this screen. Nothing is ever cut off: what
 * does not fit is wrapped. */
struct layout {
	size_t indent;
	size_t width;	 /* of a line, 0 for no limit */
	size_t *widths;	 /* 0: not shown */
	bool is_wrapped; /* shrinkable cells stand one below the other, */
	size_t start;	 /* from this column on, */
	bool is_below;	 /* on lines of their own */
};

static void put_below(struct layout *layout)
{
	layout->is_below = true;
	layout->start = layout->indent + GAP;
}

static void lay_out(const struct cli_table *table,
	const struct cli_screen *screen, struct layout *layout)
{
	size_t total = layout->indent;
	size_t fixed = total;

	layout->width = screen->width;
	layout->widths = cli_alloc(table->column_count, sizeof(size_t));
	for (size_t i = 0; i < table->column_count; i++) {
		if (!is_shown(table, i))
			continue;
		layout->widths[i] = table->widths[i];
		total += table->widths[i] + GAP;
		if (!table->columns[i].may_shrink)
			fixed += table->widths[i] + GAP;
	}
	/* No gap behind the last column. */
	if (screen->width == 0 || total - GAP <= screen->width)
		return;
	layout->is_wrapped = true;
	layout->start = fixed;
	if (fixed + SHRINK_MIN > screen->width)
		put_below(layout);
}

static bool is_wrapped_column(const struct cli_table *table,
	const struct layout *layout, size_t column)
{
	return layout->is_wrapped && table->columns[column].may_shrink;
}

/* The columns of one line end where nothing more follows. */
static bool is_last_cell(const struct cli_table *table,
	const struct layout *layout, const char *const *cells, size_t column)
{
	for (size_t i = column + 1; i < table->column_count; i++) {
		if (layout->widths[i] > 0 && cells[i] && cells[i][0] &&
			!is_wrapped_column(table, layout, i))
			return false;
	}
	return true;
}

/* The cells side by side. They are not cut where the screen is too
 * narrow even for them, but go on in a new line. Returns the column reached. */
static size_t print_side(const struct cli_table *table,
	const struct cli_screen *screen, const struct layout *layout,
	const char *const *cells, enum cli_tint tint)
{
	size_t at = layout->indent, gap = 0;

	fprintf(screen->file, "%*s", (int)layout->indent, "");
	for (size_t i = 0; i < table->column_count; i++) {
		const char *cell = cells[i] ? cells[i] : "";
		size_t width = layout->widths[i], used = cli_text_width(cell);

		if (width == 0 || is_wrapped_column(table, layout, i))
			continue;
		if (layout->width > 0 && at > layout->indent &&
			at + gap + used > layout->width) {
			at = layout->indent + GAP;
			gap = 0;
			fprintf(screen->file, "\n%*s", (int)at, "");
		}
		fprintf(screen->file, "%*s", (int)gap, "");
		cli_tinted(screen, i == 0 ? tint : CLI_PLAIN, cell);
		at += gap + used;
		if (is_last_cell(table, layout, cells, i))
			break;
		gap = used < width + GAP ? width + GAP - used : 0;
	}
	return at;
}

/* A cell that may be wrapped, from layout->start on. */
static void print_wrapped(const struct cli_screen *screen,
	const struct layout *layout, const char *label, const char *cell)
{
	size_t room = layout->width > layout->start
			      ? layout->width - layout->start
			      : 1;
	size_t used = cli_text_width(label);

	fputs(label, screen->file);
	for (const char *s = cell; *s;) {
		size_t len = cli_text_wrap(s, room > used ? room - used : 1);
		size_t shown = len;

		if (s != cell)
			fprintf(screen->file, "\n%*s", (int)layout->start, "");
		while (shown > 0 && s[shown - 1] == ' ')
			shown--;
		fwrite(s, 1, shown, screen->file);
		s += len;
		s += strspn(s, " ");
		used = 0;
	}
}

/* "only for: ": the first of them explains itself, the others are led by
 * their column's title. */
static void make_label(const struct cli_table *table, size_t column,
	bool is_first, char *label, size_t size)
{
	const char *title = table->columns[column].title;

	label[0] = '\0';
	if (title && !is_first)
		snprintf(label, size, "%s: ", title);
	for (char *c = label; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

/* A row with a common name that would be cut has the whole line for it. */
static bool cuts_name(const struct cli_table *table,
	const struct layout *layout, const char *const *cells)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (is_wrapped_column(table, layout, i) && cells[i] &&
			cli_text_cn_width(cells[i]) >
				layout->width - layout->start)
			return true;
	return false;
}

static void print_row(const struct cli_table *table,
	const struct cli_screen *screen, const struct layout *table_layout,
	const char *const *cells, enum cli_tint tint)
{
	struct layout own = *table_layout;
	const struct layout *layout = &own;
	size_t at = print_side(table, screen, layout, cells, tint);
	bool is_first = true, is_below = false;

	if (!own.is_below && cuts_name(table, &own, cells))
		put_below(&own);
	is_below = own.is_below;
	for (size_t i = 0; layout->is_wrapped && i < table->column_count; i++) {
		char label[32] = "";

		if (!table->columns[i].may_shrink)
			continue;
		if (cells[i] && cells[i][0]) {
			if (is_below)
				fputc('\n', screen->file);
			fprintf(screen->file, "%*s",
				(int)(is_below ? layout->start
					: at < layout->start
						? layout->start - at
						: 0),
				"");
			make_label(table, i, is_first, label, sizeof(label));
			print_wrapped(screen, layout, label, cells[i]);
			is_below = true;
		}
		is_first = false;
	}
	fputc('\n', screen->file);
}

void cli_table_print(const struct cli_table *table,
	const struct cli_screen *screen, size_t indent)
{
	struct layout layout = {.indent = indent};
	const char **titles = NULL;
	bool is_first = true;

	if (table->row_count == 0)
		return;
	lay_out(table, screen, &layout);
	titles = cli_alloc(table->column_count, sizeof(*titles));
	for (size_t i = 0; i < table->column_count; i++) {
		bool is_wrapped = is_wrapped_column(table, &layout, i);

		if (!is_wrapped || is_first)
			titles[i] = table->columns[i].title;
		is_first = is_first && !is_wrapped;
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
