/* SPDX-License-Identifier: MIT
 * test_edit.c: every call fails in turn under add, remove and what reads;
 * nothing is lost, nothing leaks, and the failure is reported. */
#include "fail.h"
#include "testfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOT WT_TESTDATA "/windows10-rsa4096-sha256.der"
#define ROOT_SHA1 "7A645AEB801671DB9CE1C3E421FD11E0B52D6C2F"
#define CALLS_MAX 20000
/* Stop after this many runs without a failure: then every call has failed once.
 * A failure that a child recovers from cannot be seen. */
/* Each run starts several children, which takes long under the sanitizers. */
#ifdef __SANITIZE_ADDRESS__
#define STEP 29
#define QUIET_MAX 2
#else
#define STEP 1
#define QUIET_MAX 20
#endif

void *__wrap_realloc(void *data, size_t len);
void *__wrap_reallocarray(void *data, size_t count, size_t len)
{
	return __wrap_realloc(data, count * len);
}

/* What one test works with. */
struct fixture {
	char folder[64];
	char temp[80];
	char target[80];
	char other[80]; /* an output */
	struct wt_cert_list *certs;
};

typedef enum wt_status run_fn(const struct fixture *fixture,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err);

static enum wt_status run_add(const struct fixture *fixture,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	return wt_target_add(
		fixture->target, fixture->certs, options, report, err);
}

static enum wt_status run_remove(const struct fixture *fixture,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	static const char *const thumbprints[] = {ROOT_SHA1};

	return wt_target_remove(
		fixture->target, thumbprints, 1, NULL, options, report, err);
}

static enum wt_status run_list(const struct fixture *fixture,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	return wt_target_list(fixture->target, options, report, err);
}

static enum wt_status run_verify(const struct fixture *fixture,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	return wt_target_verify(
		fixture->target, NULL, 0, fixture->certs, options, report, err);
}

/* The target is its own base, and certs are in it. */
static enum wt_status run_exact(const struct fixture *fixture,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	static const char *const thumbprints[] = {ROOT_SHA1};
	struct wt_options exact = *options;

	exact.is_exact = true;
	exact.base = fixture->target;
	return wt_target_verify(fixture->target, thumbprints, 1, fixture->certs,
		&exact, report, err);
}

static enum wt_status run_diff(const struct fixture *fixture,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	return wt_target_diff(
		fixture->target, fixture->target, options, report, err);
}

static enum wt_status run_check(const struct fixture *fixture,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	return wt_target_check(fixture->target, fixture->certs, NULL,
		options->now, options, report, err);
}

static struct wt_options options_for(const struct fixture *fixture)
{
	struct wt_options options = {0};

	wt_options_init(&options);
	options.now = 1700000000;
	options.access = WT_ACCESS_UPDATE;
	options.temp_parent = fixture->temp;
	options.threads = 1;
	options.wait_seconds = 1;
	options.hash_target = true;
	return options;
}

static void bytes_write(const char *path, const struct bytes *bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes->data, bytes->len), bytes->len);
	close(fd);
}

static bool is_equal(const char *path, const struct bytes *bytes)
{
	struct bytes found = bytes_read(path);
	bool result = found.len == bytes->len &&
		      memcmp(found.data, bytes->data, found.len) == 0;

	free(found.data);
	return result;
}

static size_t descriptors_count(void)
{
	return names_count("/proc/self/fd");
}

static void fixture_new(struct fixture *fixture, const char *source)
{
	const char *parent = getenv("TMPDIR");
	struct bytes bytes = bytes_read(source);

	memset(fixture, 0, sizeof(*fixture));
	snprintf(fixture->folder, sizeof(fixture->folder), "%.40s/edit-XXXXXX",
		parent ? parent : "/tmp");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->temp, sizeof(fixture->temp), "%s/tmp",
		fixture->folder);
	snprintf(fixture->target, sizeof(fixture->target), "%s/target",
		fixture->folder);
	snprintf(fixture->other, sizeof(fixture->other), "%s/other",
		fixture->folder);
	assert_int_equal(mkdir(fixture->temp, 0700), 0);
	bytes_write(fixture->target, &bytes);
	free(bytes.data);
	assert_int_equal(wt_cert_list_new(&fixture->certs, NULL), WT_OK);
	assert_int_equal(wt_cert_list_read(fixture->certs, ROOT, NULL), WT_OK);
}

static void fixture_free(struct fixture *fixture)
{
	wt_cert_list_free(fixture->certs);
	unlink(fixture->target);
	unlink(fixture->other);
	assert_int_equal(rmdir(fixture->temp), 0);
	assert_int_equal(rmdir(fixture->folder), 0);
}

static enum wt_status call(const struct fixture *fixture, run_fn *run,
	const struct wt_options *options, struct wt_error *err)
{
	struct wt_report *report = NULL;
	enum wt_status ret = wt_report_new(&report, err);

	if (ret == WT_OK)
		ret = run(fixture, options, report, err);
	wt_report_free(report);
	return ret;
}

/* One use of the library, on a hive or an image. */
struct way {
	const char *name;
	run_fn *run;
	const char *wim; /* NULL: a hive */
	bool is_added;	 /* the certificate stands there already */
	bool is_written; /* it changes the target */
	bool has_output;
	bool is_appended;
};

static const struct way ways[] = {
	{"list a hive", run_list, .is_added = true},
	{"verify a hive", run_verify, .is_added = true},
	{"verify a hive exactly", run_exact, .is_added = true},
	{"compare a hive", run_diff, .is_added = true},
	{"check a hive", run_check, .is_added = true},
	{"add to a hive", run_add, .is_written = true},
	{"add to a hive that has it", run_add, .is_added = true},
	{"remove from a hive", run_remove, .is_added = true,
		.is_written = true},
	{"hive to an output", run_add, .is_added = true, .has_output = true},
	{"list an image", run_list, .wim = WT_WIMS "/plain.wim"},
	{"replace an image", run_add, .wim = WT_WIMS "/plain.wim",
		.is_written = true},
	{"replace two images", run_add, .wim = WT_WIMS "/two.wim",
		.is_written = true},
	{"append to an image", run_add, .wim = WT_WIMS "/plain.wim",
		.is_written = true, .is_appended = true},
};

/* Nothing but the target and the output in the folder, none in the temporary
 * one? */
static bool is_tidy(const struct fixture *fixture)
{
	size_t count = access(fixture->other, F_OK) == 0 ? 3 : 2;

	return names_count(fixture->temp) == 0 &&
	       names_count(fixture->folder) == count;
}

/* The state after a failure: whole, and either the old one or the new. */
static void state_check(const struct fixture *fixture, const struct way *way,
	const struct bytes *old, enum wt_status status,
	const struct wt_error *err, unsigned n)
{
	struct wt_options options = options_for(fixture);
	struct wt_error next = {0};
	bool is_removal = way->run == run_remove;

	if (status != WT_OK && (err->code[0] == '\0' || err->reason[0] == '\0'))
		fail_msg("%s: call %u, %s: says nothing", way->name, n,
			fail_name());
	if (is_equal(fixture->target, old)) {
		if (status == WT_OK && way->is_written)
			fail_msg("%s: call %u, %s: success, but old", way->name,
				n, fail_name());
		return;
	}
	if (!way->is_written)
		fail_msg("%s: call %u, %s: wrote", way->name, n, fail_name());
	/* A child and this process may both have failed at call n. If taking
	 * back fails too, the next run does it. */
	if (!is_tidy(fixture))
		call(fixture, run_add, &options, NULL);
	else if (call(fixture, run_verify, &options, &next) !=
		 (is_removal ? WT_NO : WT_OK))
		fail_msg("%s: call %u, %s: neither old nor new: %s", way->name,
			n, fail_name(), next.reason);
}

/* @return whether a call failed, as far as this process can see: the children
 * count on, and they do most of the work */
static bool one_failure(struct fixture *fixture, const struct way *way,
	const struct bytes *old, enum wt_status usual, unsigned n, int native)
{
	struct wt_options options = options_for(fixture);
	size_t before = descriptors_count();
	struct wt_error err = {0};
	enum wt_status ret = WT_OK;
	bool is_reached = false;

	options.commit =
		way->is_appended ? WT_COMMIT_APPEND : WT_COMMIT_REPLACE;
	options.output = way->has_output ? fixture->other : NULL;
	bytes_write(fixture->target, old);
	unlink(fixture->other);
	fail_arm(n, FAIL_ONCE, native);
	ret = call(fixture, way->run, &options, &err);
	is_reached = fail_disarm();
	state_check(fixture, way, old, ret, &err, n);
	if (descriptors_count() != before)
		fail_msg("%s: call %u, %s: leaves a descriptor open", way->name,
			n, fail_name());
	if (way->has_output && access(fixture->other, F_OK) == 0 &&
		!is_equal(fixture->other, old))
		fail_msg("%s: call %u, %s: another output", way->name, n,
			fail_name());
	if (!is_tidy(fixture)) {
		/* A removal that fails alone excuses what is left, and so does
		 * a second failure, in taking back what a child's led to. The
		 * next run removes that. */
		if (fail_count() == 1 &&
			!strstr("unlinkat openat fstat64 fstatat64 fdopendir "
				"calloc malloc asprintf",
				fail_name()))
			fail_msg("%s: call %u, %s: leaves something", way->name,
				n, fail_name());
		bytes_write(fixture->target, old);
		call(fixture, way->is_added ? run_remove : run_add, &options,
			NULL);
		assert_true(is_tidy(fixture));
	}
	return is_reached || ret != usual;
}

static void way_sweep(const struct way *way, int native)
{
	struct fixture fixture = {0};
	struct wt_options options = {0};
	struct wt_error err = {0};
	struct bytes old = {0};
	enum wt_status usual = WT_OK; /* without a failure */
	unsigned n = 1, quiet = 0;

	fixture_new(&fixture, way->wim ? way->wim : WT_HIVES "/software-1.3");
	options = options_for(&fixture);
	if (way->is_added)
		assert_ok(call(&fixture, run_add, &options, &err), &err);
	old = bytes_read(fixture.target);
	if (!way->is_written && !way->has_output)
		usual = call(&fixture, way->run, &options, NULL);
	for (; n < CALLS_MAX && quiet < QUIET_MAX; n += STEP)
		quiet = one_failure(&fixture, way, &old, usual, n, native)
				? 0
				: quiet + 1;
	assert_true(n > 20 && n < CALLS_MAX);
	free(old.data);
	fixture_free(&fixture);
}

static void each_call_on_a_hive_failing_loses_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!ways[i].wim)
			way_sweep(&ways[i], i % 2 ? ENOSPC : EIO);
}

static void calls_on_an_image_failing_lose_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (ways[i].wim)
			way_sweep(&ways[i], i % 2 ? ENOSPC : EIO);
}

static void a_hive_that_has_it_goes_to_an_output_as_it_is(void **state)
{
	struct fixture fixture = {0};
	struct wt_options options = {0};
	struct wt_error err = {0};
	struct bytes old = {0};

	(void)state;
	fixture_new(&fixture, WT_HIVES "/software-1.3");
	options = options_for(&fixture);
	assert_ok(call(&fixture, run_add, &options, &err), &err);
	old = bytes_read(fixture.target);
	options.output = fixture.other;
	assert_ok(call(&fixture, run_add, &options, &err), &err);
	assert_true(is_equal(fixture.other, &old));
	options.output = NULL;
	options.rebuild = true;
	assert_ok(call(&fixture, run_add, &options, &err), &err);
	assert_true(is_equal(fixture.target, &old));
	free(old.data);
	fixture_free(&fixture);
}

static void thumbprints_are_told_from_other_words(void **state)
{
	static const struct {
		const char *text;
		bool is_one;
	} cases[] = {
		{ROOT_SHA1, true},
		{"7a:64:5a:eb:80:16:71:db:9c:e1:c3:e4:21:fd:11:e0:b5:2d:6c:2f",
			true},
		{"\xE2\x80\x8E"
		 "7a 64 5a eb 80 16 71 db 9c e1 c3 e4 21 fd 11 "
		 "e0 b5 2d 6c 2f",
			true},
		{ROOT_SHA1 "0", false},
		{"7A645AEB801671DB9CE1C3E421FD11E0B52D6C2", false},
		{"7A645AEB801671DB9CE1C3E421FD11E0B52D6C2G", false},
		{ROOT_SHA1 "000000000000000000000000", true},
		{ROOT_SHA1 "0000000000000000000000000", false},
		{"root.cer", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (wt_is_thumbprint(cases[i].text) != cases[i].is_one)
			fail_msg("%s", cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hive_that_has_it_goes_to_an_output_as_it_is),
		cmocka_unit_test(thumbprints_are_told_from_other_words),
		cmocka_unit_test(each_call_on_a_hive_failing_loses_nothing),
		cmocka_unit_test(calls_on_an_image_failing_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
