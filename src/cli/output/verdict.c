/* SPDX-License-Identifier: MIT
 * verdict.c: the last line, which answers what was asked. */
#include "output/groups.h"
#include "output/output.h"
#include "output/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS_MAX 200

/* The answer comes first. */
static const enum wt_action order[] = {WT_ACTION_ADDED, WT_ACTION_REPAIRED,
	WT_ACTION_REPLACED, WT_ACTION_REMOVED, WT_ACTION_EXTRA,
	WT_ACTION_UNSOUND, WT_ACTION_MISSING, WT_ACTION_REFUSED,
	WT_ACTION_UNCHANGED, WT_ACTION_PRESENT};

/* The verb of an action that changes the target, or NULL. */
static const char *const verbs[] = {
	[WT_ACTION_ADDED] = "add",
	[WT_ACTION_REPAIRED] = "repair",
	[WT_ACTION_REPLACED] = "replace",
	[WT_ACTION_REMOVED] = "remove",
	[WT_ACTION_EXTRA] = NULL,
};

const char *cli_written(const struct wt_report *report)
{
	return report->output ? report->output : report->target;
}

static bool is_wish(const struct cli_request *request, enum wt_action action)
{
	return request->options.dry_run && verbs[action];
}

const char *cli_action_text(
	const struct cli_request *request, enum wt_action action, char buf[40])
{
	if (is_wish(request, action))
		snprintf(buf, 40, "would %s", verbs[action]);
	else
		snprintf(buf, 40, "%s", wt_action_name(action));
	return buf;
}

static bool has_action(const struct wt_image *image, const void *ctx)
{
	const enum wt_action *action = ctx;

	for (size_t i = 0; image->is_chosen && i < image->entry_count; i++)
		if (wt_image_entry(image, i)->action == *action)
			return true;
	return false;
}

/* A hive is its own image. */
static bool has_images(const struct wt_report *report)
{
	return report->image_count > 0 && wt_report_image(report, 0)->index > 0;
}

/* " to image 2", " to 3 images", or nothing for a hive */
static void say_images(const struct wt_report *report, enum wt_action action,
	size_t count, char *buf, size_t size)
{
	char number[NUMBERS_MAX] = "";

	buf[0] = '\0';
	/* A file that cannot be read belongs to no image. */
	if (!has_images(report) || count == 0)
		return;
	if (count > 1) {
		snprintf(buf, size, " %s %zu images", cli_action_place(action),
			count);
		return;
	}
	cli_number_images(report, has_action, &action, number, sizeof(number));
	snprintf(buf, size, " %s image %s", cli_action_place(action), number);
}

/* "1 certificate added to 2 images, 3 unchanged in 2 images" */
static void say_actions(const struct cli_request *request,
	const struct cli_outcome *outcome, char *buf, size_t size)
{
	const struct wt_report *report = outcome->report;
	size_t used = 0;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		char images[NUMBERS_MAX + 32] = "", action[40] = "";
		char what[48] = "";
		size_t image_count = 0;
		size_t count = cli_count_certs(report, order[i], &image_count);

		if (order[i] == WT_ACTION_REFUSED)
			count += wt_cert_list_refused_count(outcome->certs);

		if (count == 0 || used >= size)
			continue;
		say_images(
			report, order[i], image_count, images, sizeof(images));
		snprintf(what, sizeof(what), "%zu%s", count,
			used	     ? ""
			: count == 1 ? " certificate"
				     : " certificates");
		cli_action_text(request, order[i], action);
		used += (size_t)snprintf(buf + used, size - used, "%s%s %s%s",
			used ? ", " : "",
			is_wish(request, order[i]) ? action : what,
			is_wish(request, order[i]) ? what : action, images);
	}
	if (used == 0)
		snprintf(buf, size, "%s",
			request->command->bit == CLI_REMOVE
				? "nothing to remove: it is not there"
				: "nothing to do");
}

/* Below that, holes are not worth a line. */
#define HOLES_MIN 1000000

/* What each append leaves behind is about as long as what it adds. */
static void say_holes(
	const struct cli_request *request, const struct cli_outcome *outcome)
{
	const struct wt_report *report = outcome->report;
	uint64_t holes = report->unused_len;
	char size[CLI_SIZE_MAX] = "";

	if (report->size_after > report->size_before)
		holes += report->size_after - report->size_before;
	if (report->kind == WT_TARGET_WIM && !request->options.rebuild &&
		holes >= HOLES_MIN)
		cli_line(stdout,
			"%s: about %s of it are holes, which --rebuild would "
			"save",
			cli_written(report), cli_text_size(size, holes));
}

/* What verify --exact has found out besides. */
static const char *exact_note(
	const struct cli_request *request, enum wt_status status)
{
	if (!request->options.is_exact || status != WT_OK)
		return "";
	return request->options.base ? ", and no others but those of the base"
				     : ", and no others";
}

void cli_print_verdict(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status)
{
	const struct wt_report *report = outcome->report;
	bool is_writer = request->command->bit & CLI_WRITERS;
	const char *note = exact_note(request, status);
	char text[1200] = "";

	if (is_writer && request->options.dry_run)
		note = " (dry run: nothing was written)";
	else if (is_writer && !report->is_changed)
		note = " (nothing was written)";
	say_actions(request, outcome, text, sizeof(text));
	if (is_writer)
		say_holes(request, outcome);
	cli_line(stdout, "%s: %s%s%s%s", cli_written(report), text, note,
		report->other ? ", compared with " : "",
		report->other ? report->other->target : "");
	cli_print_details(request, outcome);
}

/* Images of check: those that trust or do not, but for the one that boots. */
struct side {
	bool is_trusted;
};

static bool is_other(const struct wt_image *image, const void *ctx)
{
	const struct side *side = ctx;

	return image->is_chosen && !image->is_boot &&
	       image->is_trusted == side->is_trusted;
}

/* "by the image that boots (2), not by 1" */
static void say_who(
	const struct wt_report *report, bool is_trusted, char *buf, size_t size)
{
	const struct side same = {is_trusted}, other = {!is_trusted};
	char sames[NUMBERS_MAX] = "", others[NUMBERS_MAX] = "";
	const struct wt_image *boot = NULL;

	for (size_t i = 0; i < report->image_count; i++)
		if (wt_report_image(report, i)->is_boot &&
			wt_report_image(report, i)->is_chosen)
			boot = wt_report_image(report, i);
	cli_number_images(report, is_other, &same, sames, sizeof(sames));
	cli_number_images(report, is_other, &other, others, sizeof(others));
	if (boot)
		snprintf(buf, size, " by the image that boots (%d)%s%s%s%s",
			boot->index,
			!sames[0]    ? ""
			: is_trusted ? " and by "
				     : " nor by ",
			sames,
			!others[0]   ? ""
			: is_trusted ? ", not by "
				     : ", only by ",
			others);
	else
		snprintf(buf, size, " by image%s %s%s%s",
			strpbrk(sames, ",-") ? "s" : "", sames,
			!others[0]   ? ""
			: is_trusted ? ", not by "
				     : ", only by ",
			others);
}

/* The image that boots speaks first; without it, the good news do. */
static bool check_says_yes(const struct wt_report *report)
{
	bool is_any = false;

	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		if (image->is_chosen && image->is_boot)
			return image->is_trusted;
		is_any |= image->is_chosen && image->is_trusted;
	}
	return is_any;
}

static void say_server(const struct cli_request *request,
	const struct cli_outcome *outcome, char *buf, size_t size)
{
	const struct wt_report *report = outcome->report;
	char *name = NULL;

	snprintf(buf, size, "the server");
	if (request->host) {
		snprintf(buf, size, "%s", request->host);
		return;
	}
	for (size_t i = 0; i < report->image_count; i++) {
		if (wt_report_image(report, i)->chain_count == 0)
			continue;
		name = cli_text_name(
			wt_image_link(wt_report_image(report, i), 0)
				->cert->subject);
		snprintf(buf, size, "the server \"%s\"", name);
		free(name);
		return;
	}
}

void cli_print_check_verdict(
	const struct cli_request *request, const struct cli_outcome *outcome)
{
	const struct wt_report *report = outcome->report;
	struct cli_screen screen = cli_screen(request);
	bool is_trusted = check_says_yes(report);
	char server[300] = "", who[2 * NUMBERS_MAX + 64] = "";
	char date[CLI_TIME_MAX] = "", *target = cli_text_safe(report->target);
	char *safe = NULL;
	bool is_now = request->at == request->options.now;

	say_server(request, outcome, server, sizeof(server));
	safe = cli_text_safe(server);
	if (has_images(report))
		say_who(report, is_trusted, who, sizeof(who));
	printf("%s: %s ", target, safe);
	cli_tinted(&screen, is_trusted ? CLI_GOOD : CLI_BAD,
		is_trusted ? "would be trusted" : "would NOT be trusted");
	cli_line(stdout, "%s%s%s%s", is_now ? "" : " on ",
		is_now ? "" : cli_text_date(date, request->at), who,
		request->host ? "" : " (name not checked: no --host)");
	free(safe);
	free(target);
	cli_print_details(request, outcome);
}
