/* SPDX-License-Identifier: MIT
 * trust-root.c: puts the certificates of a file into a boot image, then lists
 * what each image of it holds.
 *
 *     cc trust-root.c $(pkg-config --cflags --libs wimtrust) -o trust-root
 *     ./trust-root boot.wim root.cer
 */
#include <wimtrust/wimtrust.h>

#include <stdio.h>

/* Text may come from a file, which must not steer the terminal. */
static void print_safe(const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text,
			stderr);
}

static void print_error(const struct wt_error *err)
{
	print_safe(err->object);
	fputs(": ", stderr);
	print_safe(err->reason);
	fprintf(stderr, " [%s]\nhint: ", err->code);
	print_safe(err->hint[0] ? err->hint : "none");
	fputc('\n', stderr);
}

static void print_entries(const struct wt_report *report)
{
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		for (size_t j = 0; j < image->entry_count; j++) {
			const struct wt_entry *entry = wt_image_entry(image, j);

			printf("image %d: %s %s %s\n", image->index,
				wt_action_name(entry->action),
				wt_store_name(entry->store), entry->key);
		}
	}
}

static enum wt_status add(
	const char *target, const char *path, struct wt_error *err)
{
	struct wt_cert_list *certs = NULL;
	struct wt_report *report = NULL;
	struct wt_options options;
	enum wt_status status = WT_OK;

	wt_options_init(&options);
	status = wt_cert_list_new(&certs, err);
	if (status == WT_OK)
		status = wt_cert_list_read(certs, path, err);
	if (status == WT_OK)
		status = wt_report_new(&report, err);
	if (status == WT_OK)
		status = wt_target_add(target, certs, &options, report, err);
	if (status == WT_OK)
		print_entries(report);
	/* The report points into the certificates: it goes first. */
	wt_report_free(report);
	wt_cert_list_free(certs);
	return status;
}

static enum wt_status list(const char *target, struct wt_error *err)
{
	struct wt_report *report = NULL;
	struct wt_options options;
	enum wt_status status = wt_report_new(&report, err);

	wt_options_init(&options);
	if (status == WT_OK)
		status = wt_target_list(target, &options, report, err);
	if (status == WT_OK)
		print_entries(report);
	wt_report_free(report);
	return status;
}

int main(int argc, char **argv)
{
	struct wt_error err;
	enum wt_status status = WT_OK;

	if (argc != 3) {
		fprintf(stderr, "usage: trust-root TARGET CERT\n");
		return WT_ERR_USAGE;
	}
	status = add(argv[1], argv[2], &err);
	if (status == WT_OK)
		status = list(argv[1], &err);
	if (status != WT_OK)
		print_error(&err);
	return (int)status;
}
