/* SPDX-License-Identifier: MIT
 * test_hive.c: certificate stores are listed and changed. */
#include "hive.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY "00112233445566778899AABBCCDDEEFF00112233"

static int hive_open(const char *name)
{
	char path[4096] = WT_HIVES "/";
	int fd = -1;

	strncat(path, name, 256);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static struct wt_hive_content *hive_read(int fd)
{
	struct wt_hive_content *content = NULL;
	struct wt_error err = {0};

	if (wt_hive_read(fd, "hive", NULL, &content, &err) != WT_OK)
		fail_msg("%s: %s", err.code, err.reason);
	return content;
}

static int hive_write(
	int fd, const struct wt_hive_change *changes, size_t count)
{
	struct wt_error err = {0};
	int out = -1;

	if (wt_hive_write(fd, "hive", changes, count, NULL, &out, &err) !=
		WT_OK)
		fail_msg("%s: %s", err.code, err.reason);
	return out;
}

static const struct wt_hive_entry *entry_find(
	const struct wt_hive_content *content, enum wt_hive_place place,
	enum wt_store store, const char *key)
{
	for (size_t i = 0; i < content->entry_count; i++) {
		const struct wt_hive_entry *entry = &content->entries[i];

		if (entry->place == place && entry->store == store &&
			strcasecmp(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

static void a_written_entry_is_read_back_from_every_store(void **state)
{
	static const uint8_t blob[] = "not a certificate";

	(void)state;
	for (int i = 0; i < WT_PLACE_COUNT * WT_STORE_COUNT; i++) {
		struct wt_hive_change change = {
			.place = (enum wt_hive_place)(i / WT_STORE_COUNT),
			.store = (enum wt_store)(i % WT_STORE_COUNT),
			.key = KEY,
			.blob = blob,
			.blob_len = sizeof(blob)};
		struct wt_hive_content *content = NULL;
		const struct wt_hive_entry *entry = NULL;
		int fd = hive_open(i % 2 ? "no-stores" : "software");
		int out = -1;

		if (change.store == WT_STORE_AUTO) {
			close(fd);
			continue;
		}
		out = hive_write(fd, &change, 1);
		content = hive_read(out);
		assert_int_equal(content->entry_count, 1);
		entry = entry_find(content, change.place, change.store, KEY);
		assert_non_null(entry);
		assert_int_equal(entry->blob_type, 3);
		assert_int_equal(entry->blob_len, sizeof(blob));
		assert_memory_equal(entry->blob, blob, sizeof(blob));
		wt_hive_content_free(content);
		close(out);
		close(fd);
	}
}

static void all_entries_are_listed_in_order(void **state)
{
	int fd = hive_open("entries");
	struct wt_hive_content *content = hive_read(fd);

	(void)state;
	assert_int_equal(content->entry_count, 1203);
	for (size_t i = 0; i < content->entry_count; i++) {
		const struct wt_hive_entry *entry = &content->entries[i];

		assert_int_equal(
			entry->store, i < 3 ? WT_STORE_ROOT : WT_STORE_CA);
		assert_int_equal(entry->blob_len, 612);
		assert_int_equal(strlen(entry->key), 40);
		if (i > 0 && i != 3)
			assert_true(strcmp(entry[-1].key, entry->key) < 0);
	}
	assert_in_range(content->key_count, 1220, 2000);
	wt_hive_content_free(content);
	close(fd);
}

static void a_deleted_entry_is_gone_and_all_others_stay(void **state)
{
	int fd = hive_open("entries");
	struct wt_hive_content *before = hive_read(fd);
	struct wt_hive_content *after = NULL;
	struct wt_hive_change change = {.place = WT_PLACE_MACHINE,
		.store = WT_STORE_CA,
		.key = before->entries[600].key};
	int out = hive_write(fd, &change, 1);

	(void)state;
	after = hive_read(out);
	assert_int_equal(after->key_count, before->key_count - 1);
	assert_int_equal(after->entry_count, before->entry_count - 1);
	assert_null(
		entry_find(after, WT_PLACE_MACHINE, WT_STORE_CA, change.key));
	wt_hive_content_free(after);
	wt_hive_content_free(before);
	close(out);
	close(fd);
}

static void what_is_no_hive_is_refused(void **state)
{
	struct wt_hive_content *content = NULL;
	struct wt_error err = {0};
	int fd = open(__FILE__, O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(
		wt_hive_read(fd, "hive", NULL, &content, &err), WT_ERR_HIVE);
	assert_string_equal(err.code, "hive-not-a-hive");
	assert_null(content);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_written_entry_is_read_back_from_every_store),
		cmocka_unit_test(all_entries_are_listed_in_order),
		cmocka_unit_test(a_deleted_entry_is_gone_and_all_others_stay),
		cmocka_unit_test(what_is_no_hive_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
