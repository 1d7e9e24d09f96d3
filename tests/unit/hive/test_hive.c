/* SPDX-License-Identifier: MIT
 * test_hive.c: certificate stores are listed and changed. */
#include "hive/check.h"
#include "hivefile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "testfile.h"

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

	if (hive_read_now(fd, "hive", NULL, &content, &err) != WT_OK)
		fail_msg("%s: %s", err.code, err.reason);
	return content;
}

static int hive_write(
	int fd, const struct wt_hive_change *changes, size_t count)
{
	struct wt_error err = {0};
	int out = -1;

	if (hive_write_now(fd, "hive", changes, count, NULL, &out, &err) !=
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
	for (int i = 0; i < (int)WT_PLACE_COUNT * (int)WT_STORE_COUNT; i++) {
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
		if (!entry) /* gcc does not know what was asserted */
			return;
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

static void a_changed_hive_is_clean_and_few_of_its_pages_differ(void **state)
{
	static const uint8_t blob[1500] = "value";
	struct wt_hive_change change = {.store = WT_STORE_AUTHROOT,
		.key = KEY,
		.blob = blob,
		.blob_len = sizeof(blob)};
	int fd = hive_open("software");
	int out = hive_write(fd, &change, 1);
	size_t old_len = 0;
	size_t new_len = 0;
	uint8_t *old_data = contents(fd, &old_len);
	uint8_t *new_data = contents(out, &new_len);
	struct wt_hive_base before = {0};
	struct wt_hive_base after = {0};
	unsigned pages = 0;

	(void)state;
	wt_hive_base_get(old_data, &before);
	wt_hive_base_get(new_data, &after);
	assert_true(after.is_checksum_good);
	assert_int_equal(after.primary, before.primary + 1);
	assert_int_equal(after.secondary, before.primary + 1);
	/* hivex leaves times alone: the same change gives the same bytes. */
	assert_true(after.time == before.time);
	assert_true(after.time == wt_get64(new_data + WT_HIVE_PAGE + 20));
	assert_int_equal(after.bins_len + WT_HIVE_PAGE, new_len);
	/* The file is longer than its bins, as Windows leaves it. */
	assert_true(old_len > before.bins_len + WT_HIVE_PAGE);
	old_len = before.bins_len + WT_HIVE_PAGE;
	assert_in_range(new_len, old_len, old_len + WT_HIVE_PAGE);
	for (size_t at = 0; at < old_len; at += WT_HIVE_PAGE)
		pages +=
			memcmp(old_data + at, new_data + at, WT_HIVE_PAGE) != 0;
	assert_in_range(pages, 2, 6);
	free(old_data);
	free(new_data);
	close(out);
	close(fd);
}

static void a_change_that_is_there_already_changes_no_byte(void **state)
{
	static const uint8_t blob[1500] = "value";
	struct wt_hive_change change = {.store = WT_STORE_AUTHROOT,
		.key = KEY,
		.blob = blob,
		.blob_len = sizeof(blob)};
	int fd = hive_open("software");
	int out = hive_write(fd, &change, 1);
	int again = hive_write(out, &change, 1);
	size_t out_len = 0;
	size_t again_len = 0;
	uint8_t *out_data = contents(out, &out_len);
	uint8_t *again_data = contents(again, &again_len);

	(void)state;
	assert_int_equal(out_len, again_len);
	assert_memory_equal(out_data, again_data, out_len);
	free(out_data);
	free(again_data);
	close(again);
	close(out);
	close(fd);
}

static struct wt_hive_change *many_new(
	size_t count, const uint8_t *blob, size_t len, char (**ret_keys)[41])
{
	struct wt_hive_change *changes = calloc(count, sizeof(*changes));
	char(*keys)[41] = calloc(count, sizeof(*keys));

	assert_non_null(changes);
	assert_non_null(keys);
	for (uint32_t i = 0; i < count; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%08X%032X",
			i * UINT32_C(2654435761), i);
		changes[i].store = WT_STORE_AUTHROOT;
		changes[i].key = keys[i];
		changes[i].blob = blob;
		changes[i].blob_len = len;
	}
	*ret_keys = keys;
	return changes;
}

/* As many as Microsoft's own list has. */
static void many_keys_come_and_go_within_bounds(void **state)
{
	enum { COUNT = 507, LEN = 1500, GROWTH_MAX = 3 << 20 };
	static const uint8_t blob[LEN] = "value";
	char(*keys)[41] = NULL;
	struct wt_hive_change *changes = many_new(COUNT, blob, LEN, &keys);
	struct wt_hive_content *content = NULL;
	int fd = hive_open("software");
	size_t old_len = (size_t)lseek(fd, 0, SEEK_END);
	int out = hive_write(fd, changes, COUNT);
	size_t new_len = (size_t)lseek(out, 0, SEEK_END);
	int again = -1;

	(void)state;
	assert_in_range(new_len, old_len + COUNT * LEN, old_len + GROWTH_MAX);
	content = hive_read(out);
	assert_int_equal(content->entry_count, COUNT);
	assert_string_equal(content->fault, "");
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(content->entries[i].blob_len, LEN);
		changes[i].blob = NULL;
	}
	wt_hive_content_free(content);
	close(fd);
	fd = hive_write(out, changes, COUNT);
	content = hive_read(fd);
	assert_int_equal(content->entry_count, 0);
	wt_hive_content_free(content);
	/* One more costs a page at most. */
	changes[0].blob = blob;
	again = hive_write(fd, changes, 1);
	assert_in_range(lseek(again, 0, SEEK_END), 0,
		lseek(fd, 0, SEEK_END) + WT_HIVE_PAGE);
	close(again);
	close(fd);
	close(out);
	free(changes);
	free(keys);
}

static void too_many_new_keys_in_a_store_are_refused(void **state)
{
	enum { COUNT = 2001 };
	static const uint8_t blob[] = "value";
	char(*keys)[41] = NULL;
	struct wt_hive_change *changes =
		many_new(COUNT, blob, sizeof(blob), &keys);
	struct wt_error err = {0};
	int fd = hive_open("software");
	int out = -1;

	(void)state;
	assert_int_equal(
		hive_write_now(fd, "hive", changes, COUNT, NULL, &out, &err),
		WT_ERR_HIVE);
	assert_string_equal(err.code, "hive-full");
	assert_int_equal(out, -1);
	changes[0].store = WT_STORE_ROOT;
	out = hive_write(fd, changes, COUNT);
	close(out);
	close(fd);
	free(changes);
	free(keys);
}

/* No time and no address comes into the hive. */
static void the_same_changes_give_the_same_bytes(void **state)
{
	static const uint8_t blob[1500] = "value";
	const struct wt_hive_change change = {.store = WT_STORE_AUTHROOT,
		.key = KEY,
		.blob = blob,
		.blob_len = sizeof(blob)};
	int fd = hive_open("software");
	size_t len[2] = {0};
	uint8_t *data[2] = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int out = hive_write(fd, &change, 1);

		data[i] = contents(out, &len[i]);
		close(out);
		usleep(20000); /* a FILETIME has steps of 100 ns */
	}
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(data[0], data[1], len[0]);
	free(data[0]);
	free(data[1]);
	close(fd);
}

static void the_later_of_two_changes_to_one_key_counts(void **state)
{
	struct wt_hive_change changes[] = {
		{.store = WT_STORE_CA,
			.key = KEY,
			.blob = (const uint8_t *)"first",
			.blob_len = 5},
		{.store = WT_STORE_ROOT,
			.key = KEY,
			.blob = (const uint8_t *)"other",
			.blob_len = 5},
		{.store = WT_STORE_CA,
			.key = KEY,
			.blob = (const uint8_t *)"second",
			.blob_len = 6},
		{.store = WT_STORE_ROOT,
			.key = KEY,
			.blob = (const uint8_t *)"value",
			.blob_len = 5},
	};
	int fd = hive_open("software");
	int out = hive_write(fd, changes, 4);
	struct wt_hive_content *content = hive_read(out);

	(void)state;
	assert_int_equal(content->entry_count, 2);
	assert_int_equal(content->entries[0].store, WT_STORE_ROOT);
	assert_memory_equal(content->entries[0].blob, "value", 5);
	assert_int_equal(content->entries[1].store, WT_STORE_CA);
	assert_memory_equal(content->entries[1].blob, "second", 6);
	wt_hive_content_free(content);
	close(out);
	close(fd);
}

static void what_a_hive_cannot_take_is_refused(void **state)
{
	static const uint8_t blob[WT_BLOB_MAX + 1] = "long";
	static const struct {
		struct wt_hive_change change;
		const char *code;
	} cases[] = {
		{{.store = WT_STORE_CA,
			 .key = KEY,
			 .blob = blob,
			 .blob_len = sizeof(blob)},
			"hive-big-value"},
		{{.store = WT_STORE_CA, .key = "", .blob = blob},
			"hive-bad-name"},
		{{.store = WT_STORE_CA, .key = "a\\b", .blob = blob},
			"hive-bad-name"},
		{{.store = WT_STORE_CA, .key = "\xFF", .blob = blob},
			"hive-bad-name"},
		{{.store = WT_STORE_CA, .key = "no such key"},
			"hive-hidden-key"},
		{{.place = WT_PLACE_POLICY,
			 .store = WT_STORE_TRUSTEDPEOPLE,
			 .key = "no such store"},
			"hive-hidden-key"},
	};
	int fd = hive_open("software");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_error err = {0};
		int out = -1;

		assert_int_equal(hive_write_now(fd, "hive", &cases[i].change, 1,
					 NULL, &out, &err),
			WT_ERR_HIVE);
		assert_string_equal(err.code, cases[i].code);
		assert_int_equal(out, -1);
	}
	close(fd);
}

static void a_signal_ends_the_work(void **state)
{
	volatile sig_atomic_t cancel = SIGTERM;
	struct wt_hive_content *content = NULL;
	struct wt_error err = {0};
	int fd = hive_open("software");
	int out = -1;

	(void)state;
	assert_int_equal(hive_read_now(fd, "hive", &cancel, &content, &err),
		WT_INTERRUPTED);
	assert_int_equal(err.native, SIGTERM);
	assert_int_equal(
		hive_write_now(fd, "hive", NULL, 0, &cancel, &out, &err),
		WT_INTERRUPTED);
	assert_int_equal(out, -1);
	close(fd);
}

static void what_is_no_hive_is_refused(void **state)
{
	struct wt_hive_content *content = NULL;
	struct wt_error err = {0};
	int fd = open(__FILE__, O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(
		hive_read_now(fd, "hive", NULL, &content, &err), WT_ERR_HIVE);
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
		cmocka_unit_test(
			a_changed_hive_is_clean_and_few_of_its_pages_differ),
		cmocka_unit_test(
			a_change_that_is_there_already_changes_no_byte),
		cmocka_unit_test(many_keys_come_and_go_within_bounds),
		cmocka_unit_test(too_many_new_keys_in_a_store_are_refused),
		cmocka_unit_test(the_same_changes_give_the_same_bytes),
		cmocka_unit_test(the_later_of_two_changes_to_one_key_counts),
		cmocka_unit_test(what_a_hive_cannot_take_is_refused),
		cmocka_unit_test(a_signal_ends_the_work),
		cmocka_unit_test(what_is_no_hive_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
