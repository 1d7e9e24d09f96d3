/* SPDX-License-Identifier: MIT
 * test_trust_memory.c: want of memory never makes a server trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "questions.h"

/* OpenSSL 3.0 leaks a part of the policies when memory runs out in between.
 * Only a stack without gaps tells its leaks from ours, and each frame of it
 * takes time. */
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);

const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0:malloc_context_size=12";
}

const char *__lsan_default_suppressions(void)
{
	return "leak:X509_policy_check\n";
}

enum owner { OURS, OPENSSL };

static enum owner fail_owner; /* whose calls are counted */
static long fail_at;	      /* which of them fails; 0: none */
static long call_count;
static bool has_failed;

static bool fails_now(enum owner owner)
{
	if (fail_at == 0 || owner != fail_owner || ++call_count != fail_at)
		return false;
	has_failed = true;
	return true;
}

void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now(OURS) ? NULL : __real_calloc(count, size);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails_now(OPENSSL) ? NULL : malloc(size);
}

static void *openssl_realloc(
	void *data, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails_now(OPENSSL) ? NULL : realloc(data, size);
}

static void openssl_free(void *data, const char *file, int line)
{
	(void)file;
	(void)line;
	free(data);
}

/*
 * OpenSSL swallows some of its own failures and goes on with a wrong "no", so
 * that it can be held to less: want of memory never makes a server trusted.
 */
static void check_answer(const struct question *question, long n,
	const struct wt_trust_result *result)
{
	bool is_right = strcmp(result->verdict.code,
				question->code ? question->code : "") == 0;

	if (fail_owner == OPENSSL && !result->is_trusted)
		return;
	if (!is_right)
		fail_msg("%s: call %ld: %s: %s", question->name, n,
			result->verdict.code, result->verdict.reason);
}

static void sweep(const struct question *question, long calls_min)
{
	const long calls_max = 100000;
	long n = 0;

	for (n = 1, has_failed = true; has_failed; n++) {
		struct wt_trust_result *result = NULL;
		struct wt_error err = {0};
		struct ready ready;
		enum wt_status status = WT_OK;

		assert_true(n < calls_max);
		get_ready(question, &ready);
		call_count = 0;
		has_failed = false;
		fail_at = n;
		status = wt_trust_check(&ready.query, "image 1", &result, &err);
		fail_at = 0;
		if (status != WT_OK) {
			assert_int_equal(status, WT_ERR_FILE);
			assert_string_equal(err.code, "no-memory");
			assert_null(result);
		} else {
			assert_non_null(result);
			check_answer(question, n, result);
			wt_trust_result_free(result);
		}
		assert_int_equal(ERR_peek_error(), 0);
		let_go(&ready);
	}
	assert_true(n > calls_min);
}

static void want_of_memory_never_makes_a_server_trusted(void **state)
{
	static const char *const names[] = {
		"the old root signed the new one",
		"another host",
		"under a CA for any usage",
		"inside the names that the root may issue for",
		"outside of them",
		"without the policy that a CA above it requires",
		"the root is sent, but not in the image",
		"self-signed and in the image",
		"altered after it was signed",
		"a server's certificate signed with MD5",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t j = 0;

		while (j < question_count &&
			strcmp(questions[j].name, names[i]) != 0)
			j++;
		assert_true(j < question_count);
		fail_owner = OURS;
		sweep(&questions[j], 5);
		fail_owner = OPENSSL;
		sweep(&questions[j], 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(want_of_memory_never_makes_a_server_trusted),
	};

	if (CRYPTO_set_mem_functions(
		    openssl_malloc, openssl_realloc, openssl_free) != 1)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
