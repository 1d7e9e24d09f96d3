/* SPDX-License-Identifier: MIT
 * wim/find.c: the place of the SOFTWARE hive in an image. */
#include "wim/find.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The way to the hive, a step at a time. */
static const char *const steps[] = {
	"Windows", "System32", "config", "SOFTWARE"};
#define STEP_COUNT (sizeof(steps) / sizeof(steps[0]))

static const char *const log_names[WT_HIVE_LOGS] = {
	"SOFTWARE.LOG", "SOFTWARE.LOG1", "SOFTWARE.LOG2"};

#define NAME_MAX_LEN 32

/* What one folder holds under the name that is looked for. */
struct step {
	const char *name;
	bool is_last;
	unsigned count;		     /* names that fit */
	char names[2][NAME_MAX_LEN]; /* the first two of them, as stored */
	uint32_t attributes;
	unsigned links;
	uint64_t len;
	struct wt_wim_extent place;
	bool is_alone;
	uint8_t sha1[WT_SHA1_LEN];
	bool is_missing;
	unsigned stream_count;
	uint8_t stream_sha1s[WT_HIVE_STREAMS_MAX][WT_SHA1_LEN];
	char logs[WT_HIVE_LOGS][NAME_MAX_LEN];
	uint64_t log_lens[WT_HIVE_LOGS];
	char recovery[NAME_MAX_LEN]; /* the folder Recovery, as stored */
};

static void note_log(struct step *step, const struct wimlib_dir_entry *entry)
{
	const uint32_t unusable = WIMLIB_FILE_ATTRIBUTE_DIRECTORY |
				  WIMLIB_FILE_ATTRIBUTE_REPARSE_POINT |
				  WIMLIB_FILE_ATTRIBUTE_ENCRYPTED;

	for (size_t i = 0; i < WT_HIVE_LOGS; i++) {
		if (strcasecmp(entry->filename, log_names[i]) != 0 ||
			(entry->attributes & unusable) != 0 ||
			entry->streams[0].resource.is_missing)
			continue;
		snprintf(step->logs[i], sizeof(step->logs[i]), "%s",
			entry->filename);
		step->log_lens[i] =
			entry->streams[0].resource.uncompressed_size;
	}
}

/* Windows RE is kept in a folder beside the hive's. */
static void note_recovery(
	struct step *step, const struct wimlib_dir_entry *entry)
{
	if (strcasecmp(entry->filename, "Recovery") == 0 &&
		(entry->attributes & WIMLIB_FILE_ATTRIBUTE_DIRECTORY))
		snprintf(step->recovery, sizeof(step->recovery), "%s",
			entry->filename);
}

static int on_entry(const struct wimlib_dir_entry *entry, void *ctx)
{
	const struct wimlib_resource_entry *data = &entry->streams[0].resource;
	struct step *step = ctx;

	if (!entry->filename)
		return 0;
	if (step->is_last)
		note_log(step, entry);
	note_recovery(step, entry);
	if (strcasecmp(entry->filename, step->name) != 0)
		return 0;
	if (step->count < 2)
		snprintf(step->names[step->count],
			sizeof(step->names[step->count]), "%s",
			entry->filename);
	step->count++;
	step->attributes = entry->attributes;
	step->links = entry->num_links;
	step->len = data->uncompressed_size;
	step->is_missing = data->is_missing;
	step->place.offset =
		data->packed ? data->raw_resource_offset_in_wim : data->offset;
	step->place.len = data->packed ? data->raw_resource_compressed_size
				       : data->compressed_size;
	step->is_alone = data->is_compressed && !data->packed;
	memcpy(step->sha1, data->sha1_hash, sizeof(step->sha1));
	step->stream_count = entry->num_named_streams;
	for (unsigned i = 0; i < step->stream_count && i < WT_HIVE_STREAMS_MAX;
		i++)
		memcpy(step->stream_sha1s[i],
			entry->streams[1 + i].resource.sha1_hash, WT_SHA1_LEN);
	return 0;
}

static bool is_usable(const struct step *step, int image, const char *folder,
	const char *object, struct wt_error *err)
{
	const char *name = step->names[0];

	if (step->count > 1) {
		wt_fail(err, WT_ERR_IMAGE, "hive-path-ambiguous", object,
			"image %d holds both %s/%s and %s/%s, and Windows sees "
			"only one of them",
			image, folder, name, folder, step->names[1]);
		wt_error_hint(err, "remove the one that was added by mistake: "
				   "wimlib-imagex update");
		return false;
	}
	if (step->attributes & WIMLIB_FILE_ATTRIBUTE_REPARSE_POINT) {
		wt_fail(err, WT_ERR_IMAGE, "hive-path-link", object,
			"in image %d %s/%s is a link, which is not followed",
			image, folder, name);
		return false;
	}
	if (!step->is_last)
		return true;
	if (step->attributes & WIMLIB_FILE_ATTRIBUTE_DIRECTORY) {
		wt_fail(err, WT_ERR_IMAGE, "hive-is-folder", object,
			"in image %d %s/%s is a folder", image, folder, name);
		return false;
	}
	if (step->attributes & WIMLIB_FILE_ATTRIBUTE_ENCRYPTED) {
		wt_fail(err, WT_ERR_IMAGE, "hive-encrypted", object,
			"in image %d %s/%s is encrypted", image, folder, name);
		return false;
	}
	if (step->is_missing) {
		wt_fail(err, WT_ERR_WIM, "wim-damaged", object,
			"image %d names %s/%s, but the file does not hold its "
			"data",
			image, folder, name);
		return false;
	}
	if (step->len > WT_HIVE_MAX) {
		wt_fail(err, WT_ERR_HIVE, "hive-too-large", object,
			"in image %d %s/%s has %llu bytes; more than %llu are "
			"not read",
			image, folder, name, (unsigned long long)step->len,
			(unsigned long long)WT_HIVE_MAX);
		return false;
	}
	return true;
}

static void take(
	const struct step *step, const char *folder, struct wt_wim_image *found)
{
	snprintf(found->hive_path, sizeof(found->hive_path), "%.200s/%s",
		folder, step->names[0]);
	found->hive_len = step->len;
	found->hive_place = step->place;
	found->is_hive_alone = step->is_alone;
	found->hive_links = step->links;
	memcpy(found->hive_sha1, step->sha1, sizeof(found->hive_sha1));
	found->stream_count = step->stream_count;
	memcpy(found->stream_sha1s, step->stream_sha1s,
		sizeof(found->stream_sha1s));
	for (size_t i = 0; i < WT_HIVE_LOGS; i++) {
		if (step->log_lens[i] == 0)
			continue;
		snprintf(found->log_paths[i], sizeof(found->log_paths[i]),
			"%.200s/%s", folder, step->logs[i]);
		found->log_lens[i] = step->log_lens[i];
	}
}

static int on_recovery_entry(const struct wimlib_dir_entry *entry, void *ctx)
{
	char *name = ctx;

	if (entry->filename && strcasecmp(entry->filename, "winre.wim") == 0 &&
		!(entry->attributes & WIMLIB_FILE_ATTRIBUTE_DIRECTORY))
		snprintf(name, NAME_MAX_LEN, "%s", entry->filename);
	return 0;
}

/* An image that cannot be walked has none, as far as this can tell. */
static void winre_find(WIMStruct *wim, int image, const char *system32,
	const char *recovery, char *ret_path)
{
	char folder[WT_WIM_PATH_MAX] = "", name[NAME_MAX_LEN] = "";

	snprintf(folder, sizeof(folder), "%.150s/%.30s", system32, recovery);
	if (wimlib_iterate_dir_tree(wim, image, folder,
		    WIMLIB_ITERATE_DIR_TREE_FLAG_CHILDREN, on_recovery_entry,
		    name) == 0 &&
		name[0] != '\0')
		snprintf(ret_path, WT_WIM_PATH_MAX, "%.200s/%s", folder, name);
}

enum wt_status wt_wim_find(WIMStruct *wim, const char *object,
	struct wt_wim_image *image, struct wt_error *err)
{
	struct wt_wim_image found = *image;
	char folder[WT_WIM_PATH_MAX] = "";

	for (size_t i = 0; i < STEP_COUNT; i++) {
		struct step step = {
			.name = steps[i],
			.is_last = i + 1 == STEP_COUNT,
		};
		size_t used = strlen(folder);
		int code = 0;

		code = wimlib_iterate_dir_tree(wim, found.index,
			used > 0 ? folder : WIMLIB_WIM_ROOT_PATH,
			WIMLIB_ITERATE_DIR_TREE_FLAG_CHILDREN, on_entry, &step);
		if (code != 0)
			return wt_wim_fail(err, code, object,
				"cannot read the files of image %d",
				found.index);
		if (step.recovery[0] != '\0' && i == 2)
			winre_find(wim, found.index, folder, step.recovery,
				found.winre_path);
		if (step.count == 0 || !is_usable(&step, found.index, folder,
					       object, &found.hive_error))
			break;
		if (step.is_last)
			take(&step, folder, &found);
		else if (!(step.attributes & WIMLIB_FILE_ATTRIBUTE_DIRECTORY))
			break;
		snprintf(folder + used, sizeof(folder) - used, "/%s",
			step.names[0]);
	}
	*image = found;
	return WT_OK;
}
