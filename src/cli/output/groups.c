/* SPDX-License-Identifier: MIT
 * groups.c: what holds for several images, said once. */
#include "output/groups.h"

#include "output/output.h"
#include "output/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Room for the numbers of images; what does not fit ends with an ellipsis. */
#define NUMBERS_MAX 200

/* An entry in one image. */
struct use {
	const struct wt_entry *entry;
	size_t image; /* index into the report's images */
	size_t order; /* the how many-eth use of the report */
};

/* An entry that several images share: uses that follow each other. */
struct group {
	const struct use *uses;
	size_t count;
	bool heads_action;
};

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_values(
	const struct wt_cert_info *a, const struct wt_cert_info *b)
{
	size_t a_len = a && a->blob ? a->blob_len : 0;
	size_t b_len = b && b->blob ? b->blob_len : 0;

	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return a_len > 0 ? memcmp(a->blob, b->blob, a_len) : 0;
}

static int compare_heads(const struct wt_entry *a, const struct wt_entry *b)
{
	if (a->action != b->action)
		return a->action < b->action ? -1 : 1;
	if (a->store != b->store)
		return a->store < b->store ? -1 : 1;
	return compare_texts(a->place, b->place);
}

/* Whether two images say the same with it, the whole value included. */
static int compare_entries(const struct wt_entry *a, const struct wt_entry *b)
{
	int order = compare_heads(a, b);

	if (!order)
		order = strcasecmp(a->key ? a->key : "", b->key ? b->key : "");
	if (!order)
		order = compare_texts(a->problem.code, b->problem.code);
	if (!order)
		order = compare_texts(a->problem.reason, b->problem.reason);
	return order ? order : compare_values(a->cert, b->cert);
}

static int compare_uses(const void *left, const void *right)
{
	const struct use *a = left, *b = right;
	int order = compare_entries(a->entry, b->entry);

	if (order)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Whether two groups share a head: images, action and store. */
static int compare_blocks(const struct group *a, const struct group *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (a->uses[i].image != b->uses[i].image)
			return a->uses[i].image < b->uses[i].image ? -1 : 1;
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return a->heads_action ? compare_heads(a->uses->entry, b->uses->entry)
			       : 0;
}

static int compare_groups(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	int order = compare_blocks(a, b);

	if (order)
		return order;
	return a->uses->order < b->uses->order ? -1 : 1;
}

/* A run of groups below one head. */
struct block {
	const struct group *groups;
	size_t count;
};

static int compare_firsts(const void *left, const void *right)
{
	const struct block *a = left, *b = right;

	return a->groups->uses->order < b->groups->uses->order ? -1 : 1;
}

static struct use *collect_uses(const struct wt_report *report, size_t *ret)
{
	struct use *uses = NULL;
	size_t count = 0;

	for (size_t i = 0; i < report->image_count; i++)
		if (wt_report_image(report, i)->is_chosen)
			count += wt_report_image(report, i)->entry_count;
	uses = cli_alloc(count + 1, sizeof(*uses));
	count = 0;
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		for (size_t j = 0; image->is_chosen && j < image->entry_count;
			j++, count++)
			uses[count] = (struct use){
				wt_image_entry(image, j), i, count};
	}
	*ret = count;
	return uses;
}

void cli_number_images(const struct wt_report *report,
	bool (*is_in)(const struct wt_image *image, const void *ctx),
	const void *ctx, char *buf, size_t size)
{
	size_t used = 0, count = report->image_count;

	buf[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		size_t last = i;

		if (!is_in(wt_report_image(report, i), ctx))
			continue;
		if (used + 16 > size) {
			snprintf(buf + used, size - used, ", ...");
			return;
		}
		while (last + 1 < count &&
			is_in(wt_report_image(report, last + 1), ctx))
			last++;
		used += (size_t)snprintf(buf + used, size - used, "%s%d",
			used ? ", " : "", wt_report_image(report, i)->index);
		if (last > i)
			used += (size_t)snprintf(buf + used, size - used,
				"%s%d", last == i + 1 ? ", " : "-",
				wt_report_image(report, last)->index);
		i = last;
	}
}

void cli_name_images(const struct wt_report *report,
	bool (*is_in)(const struct wt_image *image, const void *ctx),
	const void *ctx, char *buf, size_t size)
{
	const struct wt_image *first = NULL;
	char numbers[NUMBERS_MAX] = "", boot[32] = "";
	size_t count = 0;

	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		if (!is_in(image, ctx))
			continue;
		if (count++ == 0)
			first = image;
		if (image->is_boot)
			snprintf(boot, sizeof(boot), " (boot: %d)",
				image->index);
	}
	buf[0] = '\0';
	if (!first || first->index == 0)
		return;
	cli_number_images(report, is_in, ctx, numbers, sizeof(numbers));
	if (count > 1)
		snprintf(buf, size, "images %s%s", numbers, boot);
	else
		snprintf(buf, size, "image %s%s%s%s%s", numbers,
			first->name && first->name[0] ? " \"" : "",
			first->name ? first->name : "",
			first->name && first->name[0] ? "\"" : "",
			first->is_boot ? ", boot" : "");
}

/* The images of a group, as cli_name_images() asks for them. */
struct membership {
	const struct wt_report *report;
	const struct group *group;
};

static bool is_member(const struct wt_image *image, const void *ctx)
{
	const struct membership *in = ctx;

	for (size_t i = 0; i < in->group->count; i++)
		if (wt_report_image(in->report, in->group->uses[i].image) ==
			image)
			return true;
	return false;
}

/* What became of a certificate, and the word before the place. */
static const char *const places[] = {
	[WT_ACTION_PRESENT] = "in",
	[WT_ACTION_ADDED] = "to",
	[WT_ACTION_UNCHANGED] = "in",
	[WT_ACTION_REPAIRED] = "in",
	[WT_ACTION_REPLACED] = "in",
	[WT_ACTION_REMOVED] = "from",
	[WT_ACTION_REFUSED] = "for",
	[WT_ACTION_MISSING] = "from",
	[WT_ACTION_UNSOUND] = "in",
	[WT_ACTION_EXTRA] = "in",
};

const char *cli_action_place(enum wt_action action)
{
	return places[action];
}

/* "boot.wim: added to AuthRoot of images 1, 2" */
static void print_action_head(const struct cli_request *request,
	const struct cli_outcome *outcome, const struct cli_screen *screen,
	const struct wt_entry *entry, const char *images)
{
	char store[64] = "", action[40] = "";
	char *target = cli_text_safe(cli_written(outcome->report));

	if (entry->store != WT_STORE_AUTO)
		cli_entry_store(entry, store);
	fprintf(screen->file, "%s: ", target);
	cli_tinted(screen, cli_action_tint(entry->action),
		cli_action_text(request, entry->action, action));
	if (store[0])
		cli_line(screen->file, " %s %s%s%s",
			cli_action_place(entry->action), store,
			images[0] ? " of " : "", images);
	else
		cli_line(screen->file, "%s%s%s%s", images[0] ? " " : "",
			images[0] ? cli_action_place(entry->action) : "",
			images[0] ? " " : "", images);
	free(target);
}

static void print_head(const struct cli_request *request,
	const struct cli_outcome *outcome, const struct cli_screen *screen,
	const struct cli_listing *listing, const struct group *group)
{
	const struct membership in = {outcome->report, group};
	char images[CLI_IMAGES_MAX] = "";

	cli_name_images(
		outcome->report, is_member, &in, images, sizeof(images));
	if (listing->heads_action)
		print_action_head(
			request, outcome, screen, group->uses->entry, images);
	else
		cli_line(screen->file, "%s%s%s", outcome->report->target,
			images[0] ? ": " : "", images);
}

static void print_block(const struct cli_request *request,
	const struct cli_outcome *outcome, const struct cli_screen *screen,
	const struct cli_listing *listing, const struct block *block)
{
	struct cli_table *table =
		cli_table_new(listing->columns, listing->column_count);

	print_head(request, outcome, screen, listing, block->groups);
	for (size_t i = 0; i < block->count; i++) {
		const struct wt_entry *entry = block->groups[i].uses->entry;

		if (request->is_verbose && listing->print_whole)
			listing->print_whole(entry);
		else
			listing->add_row(table, entry);
	}
	cli_table_print(table, screen, 2);
	cli_table_free(table);
}

static bool is_empty(const struct wt_image *image, const void *ctx)
{
	return image->is_chosen && image->entry_count == 0 &&
	       (!ctx || ctx == image);
}

/* ctx of is_empty(): one image, or NULL for all of them. */
static void say_nothing(const struct cli_outcome *outcome,
	const struct cli_listing *listing, const struct wt_image *one)
{
	char images[CLI_IMAGES_MAX] = "";

	cli_name_images(outcome->report, is_empty, one, images, sizeof(images));
	cli_line(stdout, "%s%s%s", outcome->report->target,
		images[0] ? ": " : "", images);
	cli_line(stdout, "  %s", listing->nothing);
}

static void print_nothing(const struct cli_request *request,
	const struct cli_outcome *outcome, const struct cli_listing *listing)
{
	for (size_t i = 0; i < outcome->report->image_count; i++) {
		const struct wt_image *image =
			wt_report_image(outcome->report, i);

		if (!is_empty(image, NULL))
			continue;
		say_nothing(
			outcome, listing, request->is_verbose ? image : NULL);
		if (!request->is_verbose)
			return;
	}
}

void cli_print_listing(const struct cli_request *request,
	const struct cli_outcome *outcome, const struct cli_listing *listing)
{
	struct cli_screen screen = cli_screen(request);
	size_t use_count = 0, group_count = 0, block_count = 0;
	struct use *uses = collect_uses(outcome->report, &use_count);
	struct group *groups = cli_alloc(use_count + 1, sizeof(*groups));
	struct block *blocks = cli_alloc(use_count + 1, sizeof(*blocks));

	if (!request->is_verbose)
		qsort(uses, use_count, sizeof(*uses), compare_uses);
	for (size_t i = 0; i < use_count; i++) {
		struct group *group =
			group_count ? &groups[group_count - 1] : NULL;

		if (group && !request->is_verbose &&
			!compare_entries(group->uses->entry, uses[i].entry))
			group->count++;
		else
			groups[group_count++] = (struct group){
				&uses[i], 1, listing->heads_action};
	}
	qsort(groups, group_count, sizeof(*groups), compare_groups);
	for (size_t i = 0; i < group_count; i++) {
		struct block *block =
			block_count ? &blocks[block_count - 1] : NULL;

		if (block && !compare_blocks(block->groups, &groups[i]))
			block->count++;
		else
			blocks[block_count++] = (struct block){&groups[i], 1};
	}
	qsort(blocks, block_count, sizeof(*blocks), compare_firsts);
	for (size_t i = 0; i < block_count; i++)
		print_block(request, outcome, &screen, listing, &blocks[i]);
	if (listing->nothing)
		print_nothing(request, outcome, listing);
	free(blocks);
	free(groups);
	free(uses);
}

static void problem_row(struct cli_table *table, const struct wt_entry *entry)
{
	char problem[CLI_PROBLEM_MAX] = "";
	const char *cells[] = {
		entry->key, entry->cert ? entry->cert->subject : NULL, problem};

	cli_problem_text(&entry->problem, problem);
	cli_table_add(table, cells, CLI_PLAIN);
}

bool cli_print_actions(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status,
	void (*add_row)(struct cli_table *table, const struct wt_entry *entry),
	void (*print_whole)(const struct wt_entry *entry))
{
	static const struct cli_column columns[] = {
		{NULL, false}, {NULL, true}, {NULL, true}};
	const struct cli_listing listing = {.columns = columns,
		.column_count = 3,
		.add_row = add_row ? add_row : problem_row,
		.print_whole = print_whole,
		.heads_action = true};

	if (request->is_quiet || (status != WT_OK && status != WT_NO))
		return false;
	cli_print_listing(request, outcome, &listing);
	return true;
}

static int compare_keys(const void *left, const void *right)
{
	return strcasecmp(
		*(const char *const *)left, *(const char *const *)right);
}

size_t cli_count_certs(const struct wt_report *report, enum wt_action action,
	size_t *ret_images)
{
	size_t use_count = 0, count = 0, different = 0;
	struct use *uses = collect_uses(report, &use_count);
	const char **keys = cli_alloc(use_count + 1, sizeof(*keys));
	size_t last_image = SIZE_MAX;

	*ret_images = 0;
	for (size_t i = 0; i < use_count; i++) {
		const struct wt_entry *entry = uses[i].entry;

		if (entry->action != action)
			continue;
		keys[count++] = entry->cert ? entry->cert->sha256 : entry->key;
		*ret_images += uses[i].image != last_image;
		last_image = uses[i].image;
	}
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < count; i++)
		different += i == 0 || compare_keys(&keys[i - 1], &keys[i]);
	free(keys);
	free(uses);
	return different;
}
