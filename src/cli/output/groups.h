/* SPDX-License-Identifier: MIT
 * groups.h: what holds for several images, said once. */
#ifndef CLI_GROUPS_H
#define CLI_GROUPS_H

#include "cli.h"
#include "output/table.h"

/** Room for what cli_name_images() says. */
#define CLI_IMAGES_MAX 800

/** How a command shows its entries. */
struct cli_listing {
	const struct cli_column *columns;
	size_t column_count;
	void (*add_row)(struct cli_table *table, const struct wt_entry *entry);
	/** With -v, instead of a row; NULL for none. */
	void (*print_whole)(const struct wt_entry *entry);
	/** Action and store head the rows, not the images alone. */
	bool heads_action;
	/** What is said of images without an entry; NULL for nothing. */
	const char *nothing;
};

/**
 * Prints each entry once, below a line that names the images it is about.
 * With -v, every image has its own list.
 */
void cli_print_listing(const struct cli_request *request,
	const struct cli_outcome *outcome, const struct cli_listing *listing);

/**
 * The same for a command that changes or compares: below a line with the action
 * and the store, thumbprint, subject and problem of each entry. Prints nothing
 * if the run is quiet or failed.
 *
 * @param add_row      NULL for just these three
 * @param print_whole  as in cli_listing
 * @return whether it printed
 */
bool cli_print_actions(const struct cli_request *request,
	const struct cli_outcome *outcome, enum wt_status status,
	void (*add_row)(struct cli_table *table, const struct wt_entry *entry),
	void (*print_whole)(const struct wt_entry *entry));

/** The number of certificates with this action, and of images that have one
 *  of them. */
size_t cli_count_certs(const struct wt_report *report, enum wt_action action,
	size_t *ret_images);

/** "1-3, 5": the images for which is_in says so. */
void cli_number_images(const struct wt_report *report,
	bool (*is_in)(const struct wt_image *image, const void *ctx),
	const void *ctx, char *buf, size_t size);

/** 'image 1 "Setup", boot', or 'images 1-3 (boot: 2)', for which is_in says so;
 *  "" for a hive. */
void cli_name_images(const struct wt_report *report,
	bool (*is_in)(const struct wt_image *image, const void *ctx),
	const void *ctx, char *buf, size_t size);

#endif
