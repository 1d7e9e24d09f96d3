/* SPDX-License-Identifier: MIT
 * wim/describe.c: what a WIM's XML data say of an image. */
#include "wim/describe.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned property_number(
	const WIMStruct *wim, int index, const char *name)
{
	const char *text = wimlib_get_image_property(wim, index, name);

	return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

/* Names come as their author wrote them. */
static bool copy_text(char *dst, size_t size, const char *text)
{
	char *clean =
		wt_text_clean_dup(text ? text : "", text ? strlen(text) : 0);

	if (!clean)
		return false;
	wt_text_cut(clean, size);
	snprintf(dst, size, "%s", clean);
	free(clean);
	return true;
}

enum wt_status wt_wim_describe(
	const WIMStruct *wim, struct wt_wim_image *image, struct wt_error *err)
{
	static const struct {
		const char *number;
		const char *name;
	} archs[] = {
		{"0", "x86"},
		{"5", "arm"},
		{"6", "ia64"},
		{"9", "x64"},
		{"12", "arm64"},
	};
	const char *arch = NULL;

	if (!copy_text(image->name, sizeof(image->name),
		    wimlib_get_image_name(wim, image->index)) ||
		!copy_text(image->description, sizeof(image->description),
			wimlib_get_image_description(wim, image->index)))
		return wt_fail_memory(err);
	image->file_count = property_number(wim, image->index, "FILECOUNT");
	arch = wimlib_get_image_property(wim, image->index, "WINDOWS/ARCH");
	for (size_t i = 0; arch && i < sizeof(archs) / sizeof(archs[0]); i++)
		if (strcmp(arch, archs[i].number) == 0)
			snprintf(image->arch, sizeof(image->arch), "%s",
				archs[i].name);
	if (wimlib_get_image_property(
		    wim, image->index, "WINDOWS/VERSION/MAJOR"))
		snprintf(image->version, sizeof(image->version), "%u.%u.%u.%u",
			property_number(
				wim, image->index, "WINDOWS/VERSION/MAJOR"),
			property_number(
				wim, image->index, "WINDOWS/VERSION/MINOR"),
			property_number(
				wim, image->index, "WINDOWS/VERSION/BUILD"),
			property_number(
				wim, image->index, "WINDOWS/VERSION/SPBUILD"));
	return WT_OK;
}
