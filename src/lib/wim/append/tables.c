/* SPDX-License-Identifier: MIT
 * wim/append/tables.c: a WIM's tables after an append, compared with those
 * before. */
#include "wim/append/tables.h"

#include "base/text.h"
#include "wim/find.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The entries of a blob table (see WT_WIM_BLOB_LEN), to be found by their
 * hashes: open addressing, index + 1 of an entry, 0 is free. */
struct table {
	uint8_t *entries;
	size_t count;
	uint32_t *slots;
	size_t mask; /* how many slots there are, less 1 */
};

static bool is_same_hash(const uint8_t *entry, const uint8_t *other)
{
	return memcmp(entry + WT_WIM_BLOB_SHA1_OFFSET,
		       other + WT_WIM_BLOB_SHA1_OFFSET, WT_SHA1_LEN) == 0;
}

static size_t slot_first(const struct table *table, const uint8_t *entry)
{
	return wt_get32(entry + WT_WIM_BLOB_SHA1_OFFSET) & table->mask;
}

/* The next entry with this one's hash from a slot on, or NULL; *slot is the
 * one behind it. */
static const uint8_t *same_next(
	const struct table *table, const uint8_t *entry, size_t *slot)
{
	while (table->slots[*slot] != 0) {
		const uint8_t *found =
			table->entries +
			(size_t)(table->slots[*slot] - 1) * WT_WIM_BLOB_LEN;

		*slot = (*slot + 1) & table->mask;
		if (is_same_hash(found, entry))
			return found;
	}
	return NULL;
}

static bool has_same_hash(const struct table *table, const uint8_t *entry)
{
	size_t slot = slot_first(table, entry);

	return same_next(table, entry, &slot) != NULL;
}

static enum wt_status table_read(int fd, const struct wt_wim_resource *resource,
	const char *object, struct table *table, struct wt_error *err)
{
	size_t slot_count = 2;
	enum wt_status ret = WT_OK;

	table->count = (size_t)resource->len / WT_WIM_BLOB_LEN;
	while (slot_count < 2 * table->count)
		slot_count *= 2;
	table->mask = slot_count - 1;
	table->slots = calloc(slot_count, sizeof(*table->slots));
	table->entries = malloc((size_t)resource->len + 1);
	if (!table->entries || !table->slots)
		return wt_fail_memory(err);
	ret = wt_io_read_all(fd, table->entries, (size_t)resource->len,
		resource->offset, object, err);
	for (size_t i = 0; ret == WT_OK && i < table->count; i++) {
		size_t slot =
			slot_first(table, table->entries + i * WT_WIM_BLOB_LEN);

		while (table->slots[slot] != 0)
			slot = (slot + 1) & table->mask;
		table->slots[slot] = (uint32_t)i + 1;
	}
	return ret;
}

static void table_free(struct table *table)
{
	free(table->entries);
	free(table->slots);
}

static bool is_same_place(const uint8_t *entry, const uint8_t *other)
{
	const struct wt_wim_resource one = wt_wim_resource_get(entry);
	const struct wt_wim_resource two = wt_wim_resource_get(other);
	const uint8_t flags = WT_WIM_RESOURCE_METADATA |
			      WT_WIM_RESOURCE_COMPRESSED |
			      WT_WIM_RESOURCE_SOLID;

	/* In a solid resource the third number has no meaning. */
	return one.offset == two.offset && one.len == two.len &&
	       ((one.flags ^ two.flags) & flags) == 0 &&
	       (one.original_len == two.original_len ||
		       (one.flags & WT_WIM_RESOURCE_SOLID));
}

/* Is there an entry with the same hash and place? */
static const uint8_t *find(const struct table *table, const uint8_t *entry)
{
	size_t slot = slot_first(table, entry);
	const uint8_t *found = NULL;

	while ((found = same_next(table, entry, &slot)))
		if (is_same_place(found, entry))
			return found;
	return NULL;
}

static bool has_hash(const uint8_t *entry)
{
	static const uint8_t none[WT_SHA1_LEN];

	return memcmp(entry + WT_WIM_BLOB_SHA1_OFFSET, none, sizeof(none)) != 0;
}

static bool is_new_hive(
	const struct wt_wim_append *append, const uint8_t *entry)
{
	for (size_t i = 0; i < append->put_count; i++)
		if (memcmp(entry + WT_WIM_BLOB_SHA1_OFFSET, append->sha1s[i],
			    WT_SHA1_LEN) == 0)
			return true;
	return false;
}

/*
 * What stands in a solid resource is given by its place in the decompressed
 * data, so that only the resource's own entry, which has no hash, says where
 * in the file it is. One that wimlib appended holds new hives alone.
 */
static bool is_appended(const struct wt_wim_append *append,
	const uint8_t *entry, uint64_t new_len)
{
	const struct wt_wim_resource resource = wt_wim_resource_get(entry);

	if ((resource.flags & WT_WIM_RESOURCE_SOLID) && has_hash(entry))
		return is_new_hive(append, entry);
	return resource.offset >= append->skeleton->len &&
	       resource.offset <= new_len &&
	       resource.len <= new_len - resource.offset;
}

/* An alternate data stream of the hive's file? Update loses them. */
static bool is_stream(const struct wt_wim_image *image, const uint8_t *sha1)
{
	for (unsigned i = 0; i < image->stream_count && i < WT_HIVE_STREAMS_MAX;
		i++)
		if (memcmp(image->stream_sha1s[i], sha1, WT_SHA1_LEN) == 0)
			return true;
	return false;
}

/* Is it the old hive of a changed image? Perhaps no image needs it any more. */
static bool is_old_hive(
	const struct wt_wim_append *append, const uint8_t *entry)
{
	const uint8_t *sha1 = entry + WT_WIM_BLOB_SHA1_OFFSET;

	for (size_t i = 0; i < append->put_count; i++) {
		const struct wt_wim_image *image =
			&append->wim->images[append->puts[i].image];

		if (memcmp(image->hive_sha1, sha1, WT_SHA1_LEN) == 0 ||
			is_stream(image, sha1))
			return true;
	}
	return false;
}

static bool is_of_part(const uint8_t *entry, uint16_t part)
{
	return entry[WT_WIM_BLOB_PART_OFFSET] == (uint8_t)part &&
	       entry[WT_WIM_BLOB_PART_OFFSET + 1] == part >> 8;
}

/* May wimlib leave the entry out? It drops what it reads twice, what no image
 * uses, what is in another part, and solid resources in which nothing is left.
 */
static bool is_droppable(const struct wt_wim_append *append,
	const struct table *new, const uint8_t *entry, uint16_t part)
{
	const struct wt_wim_resource resource = wt_wim_resource_get(entry);

	return (resource.flags & WT_WIM_RESOURCE_METADATA) ||
	       resource.len == 0 || resource.original_len == 0 ||
	       !is_of_part(entry, part) ||
	       wt_get32(entry + WT_WIM_BLOB_REFERENCES_OFFSET) == 0 ||
	       !has_hash(entry) || has_same_hash(new, entry) ||
	       is_old_hive(append, entry);
}

/* Does a new entry mean the same as an old one, or what was appended? A put or
 * replaced hive may be used by a different number of images. */
static bool is_entry_right(const struct wt_wim_append *append,
	const struct table *old, const uint8_t *entry,
	const struct wt_wim_header *header)
{
	const uint8_t *before = find(old, entry);

	if (!is_of_part(entry, header->part))
		return false;
	if (!before)
		return is_appended(append, entry, header->used_len);
	return wt_get32(entry + WT_WIM_BLOB_REFERENCES_OFFSET) ==
		       wt_get32(before + WT_WIM_BLOB_REFERENCES_OFFSET) ||
	       is_old_hive(append, entry) || is_new_hive(append, entry);
}

static bool is_table_right(const struct wt_wim_append *append,
	const struct table *old, const struct table *new,
	const struct wt_wim_header *header)
{
	for (size_t i = 0; i < new->count; i++)
		if (!is_entry_right(append, old,
			    new->entries + i *WT_WIM_BLOB_LEN, header))
			return false;
	for (size_t i = 0; i < old->count; i++) {
		const uint8_t *entry = old->entries + i * WT_WIM_BLOB_LEN;

		if (!find(new, entry) &&
			!is_droppable(append, new, entry, header->part))
			return false;
	}
	return true;
}

static enum wt_status fail_table(const struct wt_wim_append *append,
	const char *which, struct wt_error *err)
{
	wt_fail(err, WT_ERR_WIM, "wim-append", append->object,
		"the %s that was to be written to it was damaged on its way "
		"through the folder for temporary files; it was thrown away",
		which);
	wt_error_hint(err,
		"set TMPDIR to a folder on another disk, and look at what "
		"dmesg says of this one");
	return WT_ERR_WIM;
}

static enum wt_status blobs_check(const struct wt_wim_append *append,
	int old_fd, const struct wt_wim_header *old,
	const struct wt_wim_header *new, struct wt_error *err)
{
	const struct wt_wim_skeleton *skeleton = append->skeleton;
	struct table before = {0}, after = {0};
	enum wt_status ret = WT_OK;

	if ((old->blob_table.flags | new->blob_table.flags) &
		(WT_WIM_RESOURCE_COMPRESSED | WT_WIM_RESOURCE_SOLID))
		return WT_OK;
	ret = table_read(
		old_fd, &old->blob_table, append->object, &before, err);
	if (ret == WT_OK)
		ret = table_read(skeleton->fd, &new->blob_table, skeleton->path,
			&after, err);
	if (ret == WT_OK && !is_table_right(append, &before, &after, new))
		ret = fail_table(append, "blob table", err);
	table_free(&before);
	table_free(&after);
	return ret;
}

enum wt_status wt_wim_tables_check(
	const struct wt_wim_append *append, struct wt_error *err)
{
	const struct wt_wim_skeleton *skeleton = append->skeleton;
	struct wt_wim_header old = {0}, new = {0};
	enum wt_status ret = WT_OK;
	int old_fd = open(append->path, O_RDONLY | O_CLOEXEC);
	bool is_right = true;

	if (old_fd < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "open-failed",
			append->object, "cannot open it");
	ret = wt_wim_header_read(old_fd, append->object, &old, NULL, NULL, err);
	if (ret == WT_OK)
		ret = wt_wim_header_read(
			skeleton->fd, skeleton->path, &new, NULL, NULL, err);
	if (ret == WT_OK)
		ret = blobs_check(append, old_fd, &old, &new, err);
	if (ret == WT_OK && new.integrity.len > 0)
		ret = wt_wim_skeleton_check_sums(
			skeleton, old_fd, &old, &new, &is_right, err);
	if (ret == WT_OK && !is_right)
		ret = fail_table(append, "integrity table", err);
	close(old_fd);
	return ret;
}
