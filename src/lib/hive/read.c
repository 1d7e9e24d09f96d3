/* SPDX-License-Identifier: MIT
 * hive/read.c: lists the certificate stores of a hive, by hivex in a child. */
#include "base/buf.h"
#include "hive/hive.h"
#include "hive/hivex.h"
#include "hive/map.h"
#include "hive/tasks.h"

#include <errno.h>
#include <hivex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/*
 * What the child hands back: one record for each entry, in a memfd.
 *
 * offset  size  meaning
 *      0     4  place
 *      4     4  store
 *      8     4  length of the key's name
 *     12     4  length of the blob, or WT_HIVE_NONE when there is none
 *     16     4  type of the value
 *     20     …  the name, then the blob
 */
#define RECORD_HEAD_LEN 20

/* What the child tells. */
struct reading_counts {
	uint64_t key_count;
	uint64_t records_len;
	uint64_t entry_count;
	char fault[sizeof(((struct wt_hive_content *)NULL)->fault)];
};

struct wt_hive_reading {
	int hive_fd;
	int records_fd;
	char object[sizeof(((struct wt_error *)NULL)->object)];
	struct wt_child_job *job;
	struct reading_counts *shared;
	/* In the child */
	const struct wt_hive_raw *raw;
	hive_h *hive;
	struct wt_writer records;
	size_t limit;
};

static const char *const places[WT_PLACE_COUNT] = {
	[WT_PLACE_MACHINE] = "Microsoft\\SystemCertificates",
	[WT_PLACE_POLICY] = "Policies\\Microsoft\\SystemCertificates",
	[WT_PLACE_ENTERPRISE] = "Microsoft\\EnterpriseCertificates",
};

const char *wt_hive_place_path(enum wt_hive_place place)
{
	return (unsigned)place < WT_PLACE_COUNT ? places[place] : "?";
}

void wt_hive_content_free(struct wt_hive_content *content)
{
	if (!content)
		return;
	for (size_t i = 0; i < content->entry_count; i++) {
		free(content->entries[i].key);
		free(content->entries[i].blob);
	}
	free(content->entries);
	free(content);
}

/* errno must be what hivex left. */
static enum wt_status hivex_failed(const struct wt_hive_reading *reader,
	const char *what, struct wt_error *err)
{
	return wt_hivex_failed(reader->raw, false, what, err);
}

static enum wt_status records_add(struct wt_hive_reading *reader,
	const void *data, size_t data_len, struct wt_error *err)
{
	/* No hive holds more than its own length; one value that many keys
	 * share would. */
	if (data_len > reader->limit - reader->records.len)
		return wt_fail(err, WT_ERR_HIVE, "hive-damaged", reader->object,
			"its certificate stores claim more data than the "
			"registry hive holds");
	wt_writer_bytes(&reader->records, data, data_len);
	return reader->records.has_failed ? wt_fail_memory(err) : WT_OK;
}

/* The value "Blob" of a key; *ret_blob is NULL when there is none. */
static enum wt_status blob_read(struct wt_hive_reading *reader,
	hive_node_h node, char **ret_blob, size_t *ret_len, uint32_t *ret_type,
	struct wt_error *err)
{
	hive_value_h value = 0;
	hive_type type = 0;
	size_t len = 0;
	char *blob = NULL;

	errno = 0;
	value = hivex_node_get_value(reader->hive, node, "Blob");
	if (value == 0 && (errno == 0 || errno == HIVEX_NO_KEY))
		return WT_OK;
	if (value != 0)
		blob = hivex_value_value(reader->hive, value, &type, &len);
	if (!blob)
		return hivex_failed(
			reader, "cannot read a certificate's value", err);
	*ret_blob = blob;
	*ret_len = len;
	*ret_type = type;
	return WT_OK;
}

static enum wt_status entry_read(struct wt_hive_reading *reader, uint32_t place,
	uint32_t store, hive_node_h node, struct wt_error *err)
{
	char *name = hivex_node_name(reader->hive, node);
	size_t name_len = name ? strlen(name) : 0;
	uint8_t head[RECORD_HEAD_LEN] = {0};
	enum wt_status ret = WT_OK;
	uint32_t type = 0;
	char *blob = NULL;
	size_t len = 0;

	if (!name)
		return hivex_failed(reader, "cannot read a key's name", err);
	ret = blob_read(reader, node, &blob, &len, &type, err);
	if (ret != WT_OK)
		goto out;
	wt_put32(head, place);
	wt_put32(head + 4, store);
	wt_put32(head + 8, (uint32_t)name_len);
	wt_put32(head + 12, blob ? (uint32_t)len : WT_HIVE_NONE);
	wt_put32(head + 16, type);
	ret = records_add(reader, head, sizeof(head), err);
	if (ret == WT_OK)
		ret = records_add(reader, name, name_len, err);
	if (ret == WT_OK && blob)
		ret = records_add(reader, blob, len, err);
	reader->shared->entry_count++;
out:
	free(blob);
	free(name);
	return ret;
}

/* The key named so below node; *ret_child is 0 when there is none. */
static enum wt_status child_find(struct wt_hive_reading *reader,
	hive_node_h node, const char *name, hive_node_h *ret_child,
	struct wt_error *err)
{
	errno = 0;
	*ret_child = hivex_node_get_child(reader->hive, node, name);
	if (*ret_child == 0 && errno != 0 && errno != HIVEX_NO_KEY)
		return hivex_failed(reader, "cannot read its keys", err);
	return WT_OK;
}

static enum wt_status store_read(struct wt_hive_reading *reader, uint32_t place,
	uint32_t store, hive_node_h node, struct wt_error *err)
{
	hive_node_h *children = NULL;
	hive_node_h certificates = 0;
	enum wt_status ret =
		child_find(reader, node, "Certificates", &certificates, err);

	if (ret != WT_OK || certificates == 0)
		return ret;
	children = hivex_node_children(reader->hive, certificates);
	if (!children)
		return hivex_failed(
			reader, "cannot read a certificate store", err);
	for (size_t i = 0; ret == WT_OK && children[i] != 0; i++)
		ret = entry_read(reader, place, store, children[i], err);
	free(children);
	return ret;
}

static enum wt_status place_read(struct wt_hive_reading *reader, uint32_t place,
	hive_node_h root, struct wt_error *err)
{
	const char *rest = places[place];
	hive_node_h node = root;
	enum wt_status ret = WT_OK;

	while (*rest != '\0') {
		size_t len = strcspn(rest, "\\");
		char name[64] = {0};

		memcpy(name, rest, len);
		rest += len + (rest[len] == '\\');
		ret = child_find(reader, node, name, &node, err);
		if (ret != WT_OK || node == 0)
			return ret;
	}
	for (int store = WT_STORE_AUTHROOT; store < WT_STORE_COUNT; store++) {
		hive_node_h key = 0;

		ret = child_find(reader, node,
			wt_store_name((enum wt_store)store), &key, err);
		if (ret == WT_OK && key != 0)
			ret = store_read(
				reader, place, (uint32_t)store, key, err);
		if (ret != WT_OK)
			return ret;
	}
	return WT_OK;
}

static enum wt_status stores_read(
	struct wt_hive_reading *reader, int fd, struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	char path[32] = "";
	hive_node_h root = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader->hive = hivex_open(path, 0);
	if (!reader->hive)
		return hivex_failed(
			reader, "hivex cannot open the registry hive", err);
	root = hivex_root(reader->hive);
	if (root == 0)
		ret = hivex_failed(reader, "it has no root key", err);
	for (uint32_t i = 0; ret == WT_OK && i < WT_PLACE_COUNT; i++)
		ret = place_read(reader, i, root, err);
	if (ret == WT_OK)
		ret = wt_io_write_all(reader->records_fd, reader->records.data,
			reader->records.len, 0, reader->object, err);
	reader->shared->records_len = reader->records.len;
	wt_writer_free(&reader->records);
	hivex_close(reader->hive);
	return ret;
}

/* As many stores as there are places and names of stores. */
#define STORES_MAX ((size_t)WT_PLACE_COUNT * WT_STORE_COUNT)

/* The first key that Windows may not find: the step that is depth steps from
 * the root on, or a key beside it. */
static void fault_note(struct wt_hive_reading *reader,
	const struct wt_hive_store *store, size_t depth, bool is_step,
	const char *why)
{
	char *text = reader->shared->fault;
	size_t size = sizeof(reader->shared->fault);
	size_t len = 0;

	if (!why || *text != '\0')
		return;
	if (!is_step)
		len += (size_t)snprintf(text, size, "a key of %s",
			depth == 0 ? "the root" : "");
	for (size_t i = 0; i < depth + is_step; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s",
			i > 0 ? "\\" : "", store->steps[i].text);
	snprintf(text + len, size - len, ": %s", why);
}

/* What is wrong with keys of a store, or beside a step. Beside it, a link may
 * be right; Windows removes keys whose order or parent is not. */
static void faults_note(struct wt_hive_reading *reader,
	const struct wt_hive_children *children, uint32_t parent,
	const struct wt_hive_store *store, size_t depth)
{
	for (size_t i = 0; i < children->count; i++) {
		const uint8_t *node =
			wt_hive_key(reader->raw, children->at[i].key);

		if (depth == store->step_count ||
			!children->at[i].is_in_order ||
			wt_get32(node + WT_NK_PARENT) != parent)
			fault_note(reader, store, depth, false,
				wt_hive_child_fault(
					reader->raw, children, parent, i));
	}
}

/* Goes down to the stores, which all are on the way to below key, and over
 * their keys, as Windows does. Each list is read once. */
static enum wt_status faults_find(struct wt_hive_reading *reader,
	const struct wt_hive_store *stores, size_t count, uint32_t key,
	size_t depth, struct wt_error *err)
{
	struct wt_hive_children children = {0};
	size_t end = 0;
	enum wt_status ret =
		wt_hive_children_open(&children, reader->raw, key, err);

	if (ret == WT_OK && depth == stores->step_count)
		count = 0; /* no store is below another */
	for (size_t i = 0; ret == WT_OK && i < count; i = end) {
		const struct wt_hive_step *step = &stores[i].steps[depth];
		size_t index = 0;

		for (end = i + 1; end < count; end++)
			if (strcmp(stores[end].steps[depth].text, step->text))
				break;
		if (wt_hive_children_find(&children, &step->name, &index) == 0)
			continue;
		fault_note(reader, &stores[i], depth, true,
			wt_hive_child_fault(
				reader->raw, &children, key, index));
		ret = faults_find(reader, stores + i, end - i,
			children.at[index].key, depth + 1, err);
	}
	if (ret == WT_OK)
		faults_note(reader, &children, key, stores, depth);
	wt_hive_children_close(&children);
	return ret;
}

static enum wt_status stores_find(
	struct wt_hive_reading *reader, struct wt_error *err)
{
	/* Those with the same first steps together. */
	static const enum wt_hive_place order[WT_PLACE_COUNT] = {
		WT_PLACE_MACHINE, WT_PLACE_ENTERPRISE, WT_PLACE_POLICY};
	struct wt_hive_store *stores = calloc(STORES_MAX, sizeof(*stores));
	size_t count = 0;
	enum wt_status ret = WT_OK;

	if (!stores)
		return wt_fail_memory(err);
	for (size_t i = 0; i < WT_PLACE_COUNT; i++)
		for (int j = WT_STORE_AUTHROOT; j < WT_STORE_COUNT; j++)
			wt_hive_store_steps(
				&stores[count++], order[i], (enum wt_store)j);
	ret = faults_find(
		reader, stores, count, reader->raw->base.root, 0, err);
	free(stores);
	return ret;
}

static enum wt_status read_in_child(void *arg, struct wt_error *err)
{
	struct wt_hive_reading *reader = arg;
	struct wt_hive_map map = {0};
	struct wt_hive_raw raw = {0};
	int copy = -1;
	enum wt_status ret = wt_hive_map_open(
		&map, reader->hive_fd, false, reader->object, err);

	if (ret != WT_OK)
		return ret;
	ret = wt_hive_raw_open(&raw, map.data, map.len, WT_HIVE_MAY_BE_DIRTY,
		reader->object, err);
	if (ret != WT_OK)
		goto out;
	reader->raw = &raw;
	reader->shared->key_count = raw.key_count;
	reader->limit = raw.len + raw.len / 2;
	ret = wt_hivex_copy(&raw, reader->hive_fd, map.len, &copy, err);
	if (ret == WT_OK)
		ret = stores_find(reader, err);
	if (ret == WT_OK)
		ret = stores_read(
			reader, copy < 0 ? reader->hive_fd : copy, err);
	if (copy >= 0)
		close(copy);
out:
	wt_hive_raw_close(&raw);
	wt_hive_map_close(&map);
	return ret;
}

static int by_place_store_key(const void *left, const void *right)
{
	const struct wt_hive_entry *a = left;
	const struct wt_hive_entry *b = right;
	int order = (int)a->place - (int)b->place;

	if (order == 0)
		order = (int)a->store - (int)b->store;
	if (order == 0)
		order = strcasecmp(a->key, b->key);
	return order ? order : strcmp(a->key, b->key);
}

/* One record; returns how long it is, or 0 when the child wrote nonsense or
 * memory is out (*ret_memory then). */
static size_t record_parse(const uint8_t *at, size_t len,
	struct wt_hive_entry *ret_entry, bool *ret_memory)
{
	struct wt_hive_entry entry = {0};
	uint32_t key_len = 0;
	uint32_t blob_len = 0;

	if (len < RECORD_HEAD_LEN)
		return 0;
	key_len = wt_get32(at + 8);
	blob_len = wt_get32(at + 12);
	entry.place = (enum wt_hive_place)wt_get32(at);
	entry.store = (enum wt_store)wt_get32(at + 4);
	entry.blob_len = blob_len == WT_HIVE_NONE ? 0 : blob_len;
	entry.blob_type = wt_get32(at + 16);
	if ((unsigned)entry.place >= WT_PLACE_COUNT ||
		(unsigned)entry.store >= WT_STORE_COUNT ||
		key_len > len - RECORD_HEAD_LEN ||
		entry.blob_len > len - RECORD_HEAD_LEN - key_len)
		return 0;
	entry.key = malloc((size_t)key_len + 1);
	if (entry.key && blob_len != WT_HIVE_NONE)
		entry.blob = malloc(entry.blob_len + 1);
	if (!entry.key || (!entry.blob && blob_len != WT_HIVE_NONE)) {
		free(entry.key);
		free(entry.blob);
		*ret_memory = true;
		return 0;
	}
	memcpy(entry.key, at + RECORD_HEAD_LEN, key_len);
	entry.key[key_len] = '\0';
	if (entry.blob)
		memcpy(entry.blob, at + RECORD_HEAD_LEN + key_len,
			entry.blob_len);
	*ret_entry = entry;
	return RECORD_HEAD_LEN + key_len + entry.blob_len;
}

static enum wt_status records_parse(const struct wt_hive_reading *reader,
	const uint8_t *records, size_t len, struct wt_hive_content *content,
	struct wt_error *err)
{
	uint64_t count = reader->shared->entry_count;
	bool is_memory = false;

	if (count > len / RECORD_HEAD_LEN)
		return wt_fail(err, WT_ERR_HIVE, "hive-crash", reader->object,
			"what was read from it makes no sense");
	if (count == 0)
		return WT_OK;
	content->entries = calloc((size_t)count, sizeof(*content->entries));
	if (!content->entries)
		return wt_fail_memory(err);
	while (content->entry_count < count) {
		size_t used = record_parse(records, len,
			&content->entries[content->entry_count], &is_memory);

		if (is_memory)
			return wt_fail_memory(err);
		if (used == 0)
			return wt_fail(err, WT_ERR_HIVE, "hive-crash",
				reader->object,
				"what was read from it makes no sense");
		content->entry_count++;
		records += used;
		len -= used;
	}
	qsort(content->entries, content->entry_count, sizeof(*content->entries),
		by_place_store_key);
	return WT_OK;
}

static enum wt_status content_load(const struct wt_hive_reading *reader,
	struct wt_hive_content **ret_content, struct wt_error *err)
{
	struct wt_hive_content *content = calloc(1, sizeof(*content));
	struct wt_hive_map map = {0};
	enum wt_status ret = WT_OK;

	if (!content)
		return wt_fail_memory(err);
	content->key_count = reader->shared->key_count;
	/* Hostile input may have written it. */
	memcpy(content->fault, reader->shared->fault,
		sizeof(content->fault) - 1);
	if (reader->shared->records_len > 0) {
		ret = wt_hive_map_open(
			&map, reader->records_fd, false, reader->object, err);
		if (ret == WT_OK)
			ret = records_parse(
				reader, map.data, map.len, content, err);
		wt_hive_map_close(&map);
	}
	if (ret != WT_OK) {
		wt_hive_content_free(content);
		return ret;
	}
	*ret_content = content;
	return WT_OK;
}

static void reading_free(struct wt_hive_reading *reading)
{
	if (reading->records_fd >= 0)
		close(reading->records_fd);
	wt_shared_free(reading->shared, sizeof(*reading->shared));
	free(reading);
}

static enum wt_status reading_start(struct wt_hive_reading *reading,
	const volatile sig_atomic_t *cancel, struct wt_error *err)
{
	struct wt_sandbox sandbox = {0};
	struct wt_child child = {0};
	uint64_t len = 0;
	enum wt_status ret =
		wt_hive_file_len(reading->hive_fd, reading->object, &len, err);

	if (ret != WT_OK)
		return ret;
	reading->shared = wt_shared_new(sizeof(*reading->shared));
	if (!reading->shared)
		return wt_fail_memory(err);
	ret = wt_io_memory_file(
		"wimtrust-records", reading->object, &reading->records_fd, err);
	if (ret != WT_OK)
		return ret;
	child = wt_hive_child(len, 0, reading->object, cancel);
	sandbox = wt_hive_sandbox(reading->hive_fd, &reading->records_fd);
	child.sandbox = &sandbox;
	return wt_child_start(
		&child, read_in_child, reading, &reading->job, err);
}

enum wt_status wt_hive_read_start(int hive_fd, const char *object,
	const volatile sig_atomic_t *cancel,
	struct wt_hive_reading **ret_reading, struct wt_error *err)
{
	struct wt_hive_reading *reading = calloc(1, sizeof(*reading));
	enum wt_status ret = WT_OK;

	if (!reading)
		return wt_fail_memory(err);
	reading->hive_fd = hive_fd;
	reading->records_fd = -1;
	snprintf(reading->object, sizeof(reading->object), "%s", object);
	ret = reading_start(reading, cancel, err);
	if (ret != WT_OK) {
		reading_free(reading);
		return ret;
	}
	*ret_reading = reading;
	return WT_OK;
}

enum wt_status wt_hive_read_finish(struct wt_hive_reading *reading,
	struct wt_hive_content **ret_content, struct wt_error *err)
{
	enum wt_status ret = wt_child_finish(reading->job, NULL, NULL, err);

	if (ret == WT_OK)
		ret = content_load(reading, ret_content, err);
	reading_free(reading);
	return ret;
}

void wt_hive_read_stop(struct wt_hive_reading *reading)
{
	if (!reading)
		return;
	wt_child_stop(reading->job);
	reading_free(reading);
}
