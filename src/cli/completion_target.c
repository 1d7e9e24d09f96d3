/* SPDX-License-Identifier: MIT
 * completion_target.c: what the completion scripts ask about a target. */
#include "completion.h"
#include "output/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cli_completion_is_question(const struct cli_request *request)
{
	return request->operand_count == 2 &&
	       (strcmp(request->operands[0], "images") == 0 ||
		       strcmp(request->operands[0], "thumbprints") == 0);
}

/* A word for a shell and what it means. What could command a terminal, or is
 * more than one line, is left out. */
static void print_word(const char *word, const char *meaning)
{
	char *safe = cli_text_safe(word);

	if (word[0] && strcmp(safe, word) == 0)
		printf("%s\t%s\n", word, meaning);
	free(safe);
}

static void print_images(const struct wt_report *report)
{
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);
		char number[16] = "", *name = cli_text_safe(image->name);

		snprintf(number, sizeof(number), "%d", image->index);
		if (image->index > 0)
			printf("%s\t%s%s\n", number, name,
				image->is_boot ? " (boot)" : "");
		free(name);
	}
	printf("all\tevery image\nboot\tthe image that boots\n");
	for (size_t i = 0; i < report->image_count; i++) {
		char text[32] = "";

		snprintf(text, sizeof(text), "image %d",
			wt_report_image(report, i)->index);
		print_word(wt_report_image(report, i)->name, text);
	}
}

/* Several images and stores hold the same certificate. */
static bool is_offered(
	const struct wt_report *report, const struct wt_entry *last)
{
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		for (size_t j = 0; j < image->entry_count; j++) {
			const struct wt_entry *entry = wt_image_entry(image, j);

			if (entry == last)
				return false;
			if (entry->cert &&
				!strcmp(entry->cert->sha1, last->cert->sha1))
				return true;
		}
	}
	return false;
}

static void print_thumbprints(const struct wt_report *report)
{
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		for (size_t j = 0; j < image->entry_count; j++) {
			const struct wt_entry *entry = wt_image_entry(image, j);
			char *name = NULL, *safe = NULL;

			if (!entry->cert || is_offered(report, entry))
				continue;
			name = cli_text_name(entry->cert->subject);
			safe = cli_text_safe(name);
			printf("%s\t%s\n", entry->cert->sha1, safe);
			free(safe);
			free(name);
		}
	}
}

void cli_completion_answer(
	const struct cli_request *request, const struct wt_report *report)
{
	if (strcmp(request->operands[0], "images") == 0)
		print_images(report);
	else
		print_thumbprints(report);
}
