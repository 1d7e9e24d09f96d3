/* SPDX-License-Identifier: MIT
 * test_hive_bad.c: malformed hives are refused by name, odd ones are not. */
#include "hive/check.h"
#include "hivefile.h"

#include <fcntl.h>
#include <hivex.h>
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

#define NEW "00112233445566778899AABBCCDDEEFF00112233"
#define OLD "0123456789ABCDEF0123456789ABCDEF01234567"

/* What each of four calls says; NULL where it succeeds. */
struct bad_case {
	const char *name;
	const char *read;
	const char *set_new; /* a new key in another store */
	const char *set_old; /* the key OLD in ROOT, which is there */
	const char *remove;  /* the same */
};

#define ALL(code) code, code, code, code
#define BAD_VALUE "hive-bad-value", "hive-bad-value"
#define HIDDEN "hive-hidden-key", "hive-hidden-key"
#define SHARED "hive-shared-cell", "hive-shared-cell"
#define TWICE "hive-duplicate-key", "hive-duplicate-key"

/* What hivex_open() does to the child, for hives that no check stops. */
static enum { HIVEX_WORKS, HIVEX_ABORTS, HIVEX_EXITS } hivex_mood;

hive_h *__real_hivex_open(const char *path, int flags);
hive_h *__wrap_hivex_open(const char *path, int flags)
{
	if (hivex_mood == HIVEX_ABORTS) {
		signal(SIGABRT, SIG_DFL);
		raise(SIGABRT);
	}
	if (hivex_mood == HIVEX_EXITS)
		_exit(3);
	return __real_hivex_open(path, flags);
}

static const struct bad_case cases[] = {
	{"bad-bin-magic", ALL("hive-bad-bin")},
	{"bad-bin-offset", ALL("hive-bad-bin")},
	{"bad-bin-size-long", ALL("hive-bad-bin")},
	{"bad-bin-size-zero", ALL("hive-bad-bin")},
	{"bad-cell-least", ALL("hive-bad-cell")},
	{"bad-cell-odd", ALL("hive-bad-cell")},
	{"bad-cell-past-bin", ALL("hive-bad-cell")},
	{"bad-cell-past-file", ALL("hive-bad-cell")},
	{"bad-cell-zero", ALL("hive-bad-cell")},
	{"bad-checksum", ALL("hive-bad-header")},
	{"bad-claims-1600-mb", ALL("hive-truncated")},
	{"bad-class-nowhere", NULL, NULL, NULL, "hive-bad-value"},
	{"bad-class-stale", NULL, NULL, NULL, "hive-bad-value"},
	{"bad-data-stale", NULL, NULL, BAD_VALUE},
	{"bad-deep", NULL, NULL, NULL, "hive-bad-key"},
	{"bad-dirty", NULL, "hive-dirty", "hive-dirty", "hive-dirty"},
	{"bad-empty", ALL("hive-not-a-hive")},
	{"bad-head-only", ALL("hive-truncated")},
	{"bad-key-loop", ALL("hive-bad-key")},
	{"bad-key-magic", ALL("hive-bad-key")},
	{"bad-key-name-long", ALL("hive-bad-key")},
	{"bad-key-own-child", ALL("hive-bad-key")},
	{"bad-key-twice", ALL("hive-bad-key")},
	{"bad-list-count-fewer", ALL("hive-bad-list")},
	{"bad-list-count-huge", ALL("hive-bad-list")},
	{"bad-list-count-more", ALL("hive-bad-list")},
	{"bad-list-magic", ALL("hive-bad-list")},
	{"bad-list-many", ALL("hive-bad-list")},
	{"bad-list-nested", ALL("hive-bad-list")},
	{"bad-list-own-root", ALL("hive-bad-list")},
	{"bad-list-twice", ALL("hive-bad-list")},
	{"bad-list-wild", ALL("hive-bad-list")},
	{"bad-log", ALL("hive-bad-header")},
	{"bad-name-foreign", ALL(NULL)},
	{"bad-root-value", ALL("hive-bad-key")},
	{"bad-root-wild", ALL("hive-bad-key")},
	{"bad-root-within-cell", ALL("hive-bad-key")},
	{"bad-security-few", NULL, NULL, NULL, "hive-bad-security"},
	{"bad-security-long", NULL, "hive-bad-security", NULL,
		"hive-bad-security"},
	{"bad-security-no-descriptor", NULL, "hive-bad-security",
		"hive-shared-cell", "hive-shared-cell"},
	{"bad-security-ring", NULL, NULL, NULL, "hive-bad-security"},
	{"bad-security-unused", NULL, "hive-bad-security", NULL,
		"hive-bad-security"},
	{"bad-security-wild", NULL, "hive-bad-security", NULL, NULL},
	{"bad-segments-shared", NULL, NULL, "hive-other-big-value",
		"hive-shared-cell"},
	{"bad-size-odd", ALL("hive-bad-size")},
	{"bad-size-zero", ALL("hive-bad-size")},
	{"bad-store-twice", NULL, NULL, TWICE},
	{"bad-text", ALL("hive-not-a-hive")},
	{"bad-truncated", ALL("hive-truncated")},
	{"bad-truncated-within-page", ALL("hive-truncated")},
	{"bad-value-inline-long", "hive-damaged", NULL, BAD_VALUE},
	{"bad-value-length", "hive-damaged", NULL, BAD_VALUE},
	{"bad-value-list-count", "hive-damaged", NULL, BAD_VALUE},
	{"bad-value-list-wild", "hive-damaged", NULL, BAD_VALUE},
	{"bad-value-magic", "hive-damaged", NULL, BAD_VALUE},
	{"bad-value-name-long", "hive-damaged", NULL, BAD_VALUE},
	{"bad-value-offset", "hive-damaged", NULL, BAD_VALUE},
	{"bad-version-1.2", ALL("hive-version")},
	{"bad-version-2", ALL("hive-version")},
	{"odd-1.3", ALL(NULL)},
	{"odd-1.3-big", ALL(NULL)},
	{"odd-1.3-li", NULL, NULL, NULL, "hive-li-list"},
	{"odd-20000-keys", ALL(NULL)},
	{"odd-big-blob", ALL(NULL)},
	{"odd-blob-twice", NULL, NULL, "hive-bad-value", NULL},
	{"odd-cases", ALL(NULL)},
	{"odd-garbage-behind", ALL(NULL)},
	{"odd-half-surrogate", "hive-foreign-name", "hive-foreign-name", NULL,
		NULL},
	{"odd-inline", ALL(NULL)},
	{"odd-more-values", NULL, NULL, "hive-other-big-value", NULL},
	{"odd-names", ALL(NULL)},
	{"odd-neighbours-unsorted", ALL(NULL)},
	{"odd-no-values", ALL(NULL)},
	{"odd-nothing", NULL, NULL, NULL, "hive-hidden-key"},
	{"odd-place-unsorted", NULL, "hive-hidden-key", HIDDEN},
	{"odd-plain", ALL(NULL)},
	{"odd-rich", ALL(NULL)},
	{"odd-shared-data", NULL, NULL, SHARED},
	{"odd-shared-list", NULL, NULL, SHARED},
	{"odd-shared-value", NULL, NULL, SHARED},
	{"odd-short-lists", ALL(NULL)},
	{"odd-text", ALL(NULL)},
	{"odd-twins", NULL, NULL, TWICE},
	{"odd-unsorted", NULL, NULL, HIDDEN},
	{"odd-way-hash", NULL, "hive-hidden-key", HIDDEN},
	{"odd-way-link", NULL, "hive-hidden-key", HIDDEN},
	{"odd-way-parent", NULL, "hive-hidden-key", HIDDEN},
	{"odd-way-unsorted", NULL, "hive-hidden-key", HIDDEN},
	{"odd-zeros-behind", ALL(NULL)},
};

/* Is what call said what was expected? */
static void expect(const char *name, const char *call, const char *expected,
	enum wt_status status, const struct wt_error *err)
{
	const char *said = status == WT_OK ? "success" : err->code;

	if (strcmp(said, expected ? expected : "success") != 0)
		fail_msg("%s: %s: %s (%s), not %s", name, call, said,
			err->reason, expected ? expected : "success");
	assert_int_equal(status, expected ? WT_ERR_HIVE : WT_OK);
	if (expected)
		assert_string_equal(err->object, name);
}

static void expect_read(const char *name, const char *expected, int fd)
{
	struct wt_hive_content *content = NULL;
	struct wt_error err = {0};
	enum wt_status status = hive_read_now(fd, name, NULL, &content, &err);

	expect(name, "read", expected, status, &err);
	assert_int_equal(content == NULL, expected != NULL);
	wt_hive_content_free(content);
}

/* Is the entry there as often as it should be, in the hive that came out? */
static void expect_entry(int fd, const struct wt_hive_change *change)
{
	struct wt_hive_content *content = NULL;
	struct wt_error err = {0};
	size_t found = 0;

	assert_int_equal(
		hive_read_now(fd, "result", NULL, &content, &err), WT_OK);
	for (size_t i = 0; i < content->entry_count; i++) {
		const struct wt_hive_entry *entry = &content->entries[i];

		if (entry->store != change->store ||
			strcasecmp(entry->key, change->key) != 0)
			continue;
		found++;
		if (!change->blob)
			continue;
		assert_int_equal(entry->blob_type, 3);
		assert_int_equal(entry->blob_len, change->blob_len);
		assert_memory_equal(entry->blob, change->blob, entry->blob_len);
	}
	assert_int_equal(found > 0, change->blob != NULL);
	wt_hive_content_free(content);
}

static void expect_change(const struct bad_case *bad, const char *call,
	const char *expected, int fd, const struct wt_hive_change *change)
{
	struct wt_error err = {0};
	int out = -1;
	enum wt_status status =
		hive_write_now(fd, bad->name, change, 1, NULL, &out, &err);

	expect(bad->name, call, expected, status, &err);
	assert_int_equal(out >= 0, expected == NULL);
	/* A damaged value elsewhere stays what it is. */
	if (out >= 0 && !bad->read)
		expect_entry(out, change);
	if (out >= 0)
		close(out);
}

static void every_hive_gives_its_own_answer(void **state)
{
	uint8_t blob[900] = {0};
	const struct wt_hive_change set_new = {.store = WT_STORE_AUTHROOT,
		.key = NEW,
		.blob = blob,
		.blob_len = 600};
	const struct wt_hive_change set_old = {.store = WT_STORE_ROOT,
		.key = OLD,
		.blob = blob,
		.blob_len = 900};
	const struct wt_hive_change gone = {.store = WT_STORE_ROOT, .key = OLD};

	(void)state;
	memset(blob, 'B', sizeof(blob));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[4096] = "";
		uint8_t *before = NULL;
		uint8_t *after = NULL;
		size_t before_len = 0;
		size_t after_len = 0;
		int fd = -1;

		snprintf(path, sizeof(path), "%s/bad/%s", WT_HIVES,
			cases[i].name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		before = contents(fd, &before_len);
		expect_read(cases[i].name, cases[i].read, fd);
		expect_change(&cases[i], "set a new key", cases[i].set_new, fd,
			&set_new);
		expect_change(&cases[i], "set an old key", cases[i].set_old, fd,
			&set_old);
		expect_change(&cases[i], "remove", cases[i].remove, fd, &gone);
		after = contents(fd, &after_len);
		assert_int_equal(before_len, after_len);
		assert_memory_equal(before, after, after_len);
		free(before);
		free(after);
		close(fd);
	}
}

static void count_visit(void *ctx, uint32_t offset)
{
	(void)offset;
	++*(size_t *)ctx;
}

/* 50 values whose data is one list of 4,000 segments: made longer, it would
 * keep a machine busy for hours. */
static void what_is_shared_is_looked_at_once(void **state)
{
	int fd = open(WT_HIVES "/bad/bad-segments-shared", O_RDONLY);
	struct wt_hive_raw raw = {0};
	size_t visits = 0;
	size_t len = 0;
	uint8_t *data = NULL;

	(void)state;
	assert_true(fd >= 0);
	data = contents(fd, &len);
	assert_int_equal(wt_hive_raw_open(&raw, data, len, WT_HIVE_WITH_OWNERS,
				 "hive", NULL),
		WT_OK);
	for (uint32_t at = 0; at < raw.base.bins_len; at += 8)
		if (wt_hive_key(&raw, at))
			wt_hive_key_cells(&raw, at, count_visit, &visits);
	assert_in_range(visits, 150, 5000);
	wt_hive_raw_close(&raw);
	free(data);
	close(fd);
}

static void the_end_of_the_child_is_an_error_message(void **state)
{
	int fd = open(WT_HIVES "/bad/odd-plain", O_RDONLY | O_CLOEXEC);

	(void)state;
	hivex_mood = HIVEX_ABORTS;
	expect_read("crash", "hive-crash", fd);
	hivex_mood = HIVEX_EXITS;
	expect_read("exit", "hive-crash", fd);
	hivex_mood = HIVEX_WORKS;
	expect_read("works", NULL, fd);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_hive_gives_its_own_answer),
		cmocka_unit_test(what_is_shared_is_looked_at_once),
		cmocka_unit_test(the_end_of_the_child_is_an_error_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
