/* SPDX-License-Identifier: MIT
 * test_cert_file.c: certificates from files, folders and pipes. */
#include "cert/file.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "cert/blob.h"
#include "certfile.h"
#include "fail.h"

/* What becomes of the process that parses. */
static enum { APART, HERE, DIES, LIES } way;

enum wt_status __real_wt_child_run(const struct wt_child *how, wt_child_fn *fn,
	void *arg, struct wt_error *err);

static enum wt_status die(void *arg, struct wt_error *err)
{
	(void)arg;
	(void)err;
	abort();
}

/* A process that may write anything writes a status and an error that do not
 * exist. */
static enum wt_status lie(void *arg, struct wt_error *err)
{
	(void)arg;
	memset(err, 'x', sizeof(*err));
	return WT_ERR_CERT;
}

enum wt_status __wrap_wt_child_run(const struct wt_child *how, wt_child_fn *fn,
	void *arg, struct wt_error *err)
{
	switch (way) {
	case HERE:
		return fn(arg, err);
	case DIES:
		return __real_wt_child_run(how, die, arg, err);
	case LIES:
		return __real_wt_child_run(how, lie, arg, err);
	default:
		return __real_wt_child_run(how, fn, arg, err);
	}
}

static void input_over_the_limit_is_refused_unread(void **state)
{
	char path[] = "/tmp/wimtrust-test-XXXXXX";
	int fd = mkstemp(path);
	struct wt_cert_list *list = list_new();
	struct wt_error err = {0};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)WT_CERT_FILE_MAX + 1), 0);
	assert_int_equal(wt_cert_list_read(list, path, &err), WT_ERR_CERT);
	assert_string_equal(err.code, "cert-too-large");
	close(fd);
	unlink(path);
	wt_cert_list_free(list);
}

static void pipe_is_read_like_a_file(void **state)
{
	struct bytes bytes = bytes_read(CERTS "bundle.p7b");
	struct wt_cert_list *list = list_new();
	struct wt_error err = {0};
	int ends[2] = {-1, -1};

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(
		write(ends[1], bytes.data, bytes.len), (ssize_t)bytes.len);
	close(ends[1]);
	assert_ok(wt_cert_file_read_fd(list, ends[0], "standard input", &err),
		&err);
	assert_int_equal(wt_cert_list_count(list), 3);
	close(ends[0]);
	wt_cert_list_free(list);
	free(bytes.data);
}

static void long_pipe_is_read_to_its_end(void **state)
{
	struct bytes bytes = bytes_read(CERTS "bundle.pem");
	struct wt_cert_list *list = list_new();
	struct wt_error err = {0};
	char line[81] = "";
	int ends[2] = {-1, -1};
	int child_status = 0;
	pid_t child = 0;

	(void)state;
	memset(line, ' ', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		bool is_written = true;

		for (int i = 0; i < 10000 && is_written; i++)
			is_written = write(ends[1], line, sizeof(line)) ==
				     sizeof(line);
		if (is_written)
			is_written = write(ends[1], bytes.data, bytes.len) ==
				     (ssize_t)bytes.len;
		_exit(is_written ? 0 : 1);
	}
	close(ends[1]);
	assert_ok(wt_cert_file_read_fd(list, ends[0], "pipe", &err), &err);
	assert_int_equal(wt_cert_list_count(list), 3);
	close(ends[0]);
	waitpid(child, &child_status, 0);
	assert_int_equal(child_status, 0);
	wt_cert_list_free(list);
	free(bytes.data);
}

static void copy_into(const char *folder, const char *name, const char *as)
{
	char path[512] = "";
	struct bytes bytes = {0};
	FILE *file = NULL;

	snprintf(path, sizeof(path), CERTS "%s", name);
	bytes = bytes_read(path);
	snprintf(path, sizeof(path), "%s/%s", folder, as);
	file = fopen(path, "wb");
	assert_non_null(file);
	fwrite(bytes.data, 1, bytes.len, file);
	fclose(file);
	free(bytes.data);
}

static void folder_clear(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry = NULL;
	char path[512] = "";

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0)
			remove(path);
	}
	closedir(dir);
	rmdir(folder);
}

static void folder_is_read_in_order_and_the_rest_is_noted(void **state)
{
	char folder[] = "/tmp/wimtrust-test-XXXXXX";
	char path[512] = "";
	struct wt_cert_list *list = list_new();
	struct wt_error err = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(wt_cert_list_read(list, folder, &err), WT_ERR_CERT);
	assert_string_equal(err.code, "cert-none");
	copy_into(folder, "root-ec-p256.der", "b.cer");
	copy_into(folder, "root-rsa2048.der", "a.cer");
	copy_into(folder, "bad-text.txt", "c.txt");
	copy_into(folder, "bad-pkcs12.p12", "d.p12");
	snprintf(path, sizeof(path), "%s/e", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/f.der", folder);
	assert_int_equal(symlink(CERTS "root-v1.der", path), 0);
	snprintf(path, sizeof(path), "%s/g", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_ok(wt_cert_list_read(list, folder, &err), &err);
	assert_int_equal(wt_cert_list_count(list), 3);
	assert_string_equal(info_at(list, 0)->key, "RSA 2048");
	assert_string_equal(info_at(list, 1)->key, "EC P-256");
	assert_non_null(strstr(info_at(list, 2)->subject, "Version 1"));
	assert_int_equal(wt_cert_list_note_count(list), 4);
	assert_non_null(strstr(wt_cert_list_note(list, 0), "c.txt: skipped"));
	assert_non_null(strstr(wt_cert_list_note(list, 1), "d.p12: skipped"));
	assert_non_null(strstr(wt_cert_list_note(list, 2), "not a file"));
	assert_non_null(strstr(wt_cert_list_note(list, 3),
		"1 folder in it is not searched, the first "));
	/* a damaged certificate is not skipped */
	copy_into(folder, "bad-truncated.der", "h.cer");
	assert_int_equal(wt_cert_list_read(list, folder, &err), WT_ERR_CERT);
	assert_string_equal(err.code, "cert-truncated");
	assert_int_equal(wt_cert_list_count(list), 3);
	folder_clear(folder);
	wt_cert_list_free(list);
}

static void missing_file_is_a_file_error(void **state)
{
	struct wt_cert_list *list = list_new();
	struct wt_error err = {0};

	(void)state;
	assert_int_equal(wt_cert_list_read(list, "/nonexistent/x.pem", &err),
		WT_ERR_FILE);
	assert_string_equal(err.object, "/nonexistent/x.pem");
	assert_int_equal(err.domain, WT_DOMAIN_SYSTEM);
	wt_cert_list_free(list);
}

static void failure_of_any_call_is_clean(void **state)
{
	static const char *const names[] = {"bundle.pem", "with-key.pem",
		"bundle.p7b", "three.sst", "two-and-others.reg",
		"distrusted.blob", "bundle-utf16be.pem", "root-md2.der"};
	bool has_failed = true;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wt_cert_list *whole = list_read(names[i]);
		char path[512] = "";

		snprintf(path, sizeof(path), CERTS "%s", names[i]);
		has_failed = true;
		for (unsigned n = 1; has_failed; n++) {
			struct wt_cert_list *list = list_new();
			struct wt_error err = {0};
			uint8_t *blob = NULL;
			size_t blob_len = 0;
			enum wt_status status = WT_OK;

			/* What the parser calls is to be counted. */
			way = HERE;
			fail_arm(n, FAIL_ONCE, EIO);
			status = wt_cert_list_read(list, path, &err);
			way = APART;
			if (status == WT_OK)
				status = wt_cert_encode(
					wt_cert_list_get(list, 0), "name",
					"server-auth", &blob, &blob_len, &err);
			has_failed = fail_disarm();
			if (has_failed != (status != WT_OK))
				fail_msg("%s: %s", names[i], fail_name());
			if (has_failed) {
				assert_int_equal(err.status, WT_ERR_FILE);
				assert_null(blob);
			} else {
				assert_int_equal(wt_cert_list_count(list),
					wt_cert_list_count(whole));
			}
			wt_free(blob);
			wt_cert_list_free(list);
		}
		wt_cert_list_free(whole);
	}
}

static void a_parser_that_dies_is_an_error(void **state)
{
	struct wt_cert_list *list = list_new();
	struct wt_error err = {0};

	(void)state;
	way = DIES;
	assert_int_equal(
		wt_cert_list_read(list, CERTS "bundle.pem", &err), WT_ERR_CERT);
	way = APART;
	assert_string_equal(err.code, "cert-crash");
	assert_string_equal(err.object, CERTS "bundle.pem");
	assert_int_equal(wt_cert_list_count(list), 0);
	wt_cert_list_free(list);
}

static void a_parser_that_lies_gives_an_error_that_ends(void **state)
{
	struct wt_cert_list *list = list_new();
	struct wt_error err = {0};

	(void)state;
	way = LIES;
	assert_int_equal(
		wt_cert_list_read(list, CERTS "bundle.pem", &err), WT_ERR_CERT);
	way = APART;
	assert_int_equal(err.status, WT_ERR_CERT);
	assert_int_equal(err.domain, WT_DOMAIN_NONE);
	assert_int_equal(strlen(err.code), sizeof(err.code) - 1);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
	wt_cert_list_free(list);
}

/* All that a list says, from answer to answer. */
static void assert_same_answer(
	const struct wt_writer *one, const uint8_t *data, size_t len)
{
	struct wt_cert_list *list = list_new();
	struct wt_writer again = {0};
	struct wt_error err = {0};

	assert_ok(wt_cert_answer_read(list, data, len, "answer", &err), &err);
	wt_cert_answer_write(&again, list);
	assert_int_equal(again.len, one->len);
	assert_memory_equal(again.data, one->data, one->len);
	wt_writer_free(&again);
	wt_cert_list_free(list);
}

static void an_answer_is_believed_only_as_far_as_it_holds(void **state)
{
	static const char *const names[] = {"bundle.pem", "with-key.pem",
		"three.sst", "two-and-others.reg", "distrusted.blob",
		"bad-pem-second.pem"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wt_cert_list *whole = list_new();
		struct wt_writer answer = {0};
		struct wt_error err = {0};
		uint8_t *copy = NULL;
		char path[512] = "";

		snprintf(path, sizeof(path), CERTS "%s", names[i]);
		wt_cert_list_keep_going(whole, true);
		assert_ok(wt_cert_list_read(whole, path, &err), &err);
		wt_cert_answer_write(&answer, whole);
		assert_same_answer(&answer, answer.data, answer.len);
		/* Of its own length, so that a read past the end shows. */
		for (size_t len = 0; len <= answer.len; len++) {
			struct wt_cert_list *list = list_new();
			bool is_whole = len == answer.len;

			copy = malloc(len + 1);
			memcpy(copy, answer.data, len);
			/* One byte more, or some too few. */
			assert_int_equal(wt_cert_answer_read(list, copy,
						 is_whole ? len + 1 : len,
						 "answer", &err),
				WT_ERR_CERT);
			free(copy);
			wt_cert_list_free(list);
		}
		for (size_t at = 0; at < answer.len; at++) {
			struct wt_cert_list *list = list_new();

			copy = malloc(answer.len);
			memcpy(copy, answer.data, answer.len);
			copy[at] = 0xFF;
			(void)wt_cert_answer_read(
				list, copy, answer.len, "answer", NULL);
			free(copy);
			wt_cert_list_free(list);
		}
		wt_writer_free(&answer);
		wt_cert_list_free(whole);
	}
}

static void short_reads_change_nothing(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 4; n++) {
		struct wt_cert_list *list = list_new();
		struct wt_error err = {0};
		enum wt_status status = WT_OK;

		fail_arm(n, FAIL_SHORT, 0);
		status = wt_cert_list_read(list, CERTS "bundle.pem", &err);
		fail_disarm();
		assert_ok(status, &err);
		assert_int_equal(wt_cert_list_count(list), 3);
		wt_cert_list_free(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_over_the_limit_is_refused_unread),
		cmocka_unit_test(pipe_is_read_like_a_file),
		cmocka_unit_test(long_pipe_is_read_to_its_end),
		cmocka_unit_test(folder_is_read_in_order_and_the_rest_is_noted),
		cmocka_unit_test(missing_file_is_a_file_error),
		cmocka_unit_test(failure_of_any_call_is_clean),
		cmocka_unit_test(a_parser_that_dies_is_an_error),
		cmocka_unit_test(a_parser_that_lies_gives_an_error_that_ends),
		cmocka_unit_test(an_answer_is_believed_only_as_far_as_it_holds),
		cmocka_unit_test(short_reads_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
