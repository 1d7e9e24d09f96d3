/* SPDX-License-Identifier: MIT
 * test_trust.c: would this image trust that server? */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "questions.h"

static void join_sources(
	const struct wt_trust_result *result, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < result->link_count; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s",
			i ? "," : "", result->links[i].source);
}

static void every_question_has_its_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < question_count; i++) {
		const struct question *question = &questions[i];
		struct wt_trust_result *result = NULL;
		struct wt_error err = {0};
		struct ready ready;
		char sources[128] = "";

		get_ready(question, &ready);
		if (wt_trust_check(&ready.query, "image 1", &result, &err) !=
			WT_OK)
			fail_msg("%s: %s: %s", question->name, err.code,
				err.reason);
		join_sources(result, sources, sizeof(sources));
		if (result->is_trusted != !question->code ||
			strcmp(result->verdict.code,
				question->code ? question->code : "") != 0 ||
			strcmp(sources, question->links) != 0 ||
			!strstr(result->verdict.reason, question->says))
			fail_msg("%s: %s: %s [%s]", question->name,
				result->verdict.code, result->verdict.reason,
				sources);
		assert_int_equal(
			result->verdict.status, question->code ? WT_NO : WT_OK);
		if (question->code) {
			assert_string_equal(result->verdict.object, "image 1");
			assert_string_not_equal(result->verdict.hint, "");
			/* An ordinary case must lose nothing. */
			assert_null(strstr(result->verdict.reason, "..."));
			assert_null(strstr(result->verdict.hint, "..."));
		}
		wt_trust_result_free(result);
		let_go(&ready);
	}
}

static const char *server_of(const struct question *question)
{
	static const char *const starts[] = {
		"server", "bad-server", "rogue", "selfsigned"};

	for (size_t i = 0; i < 5 && question->chain[i]; i++) {
		for (size_t j = 0; j < 4; j++) {
			if (strncmp(question->chain[i], starts[j],
				    strlen(starts[j])) == 0)
				return question->chain[i];
		}
	}
	return "none";
}

/* The same through the program, which shares the library but not our code. */
static bool ask_openssl(const struct question *question)
{
	char command[4096] = "";
	size_t used = 0;

#define ADD(...)                                                               \
	used += (size_t)snprintf(                                              \
		command + used, sizeof(command) - used, __VA_ARGS__)
	ADD("exec openssl verify -no-CApath -no-CAstore -auth_level 0 "
	    "-purpose sslserver -attime %lld",
		(long long)(question->at ? question->at : NOON));
	if (question->host)
		ADD(" -verify_%s '%s'",
			strspn(question->host, "0123456789.") ==
					strlen(question->host)
				? "ip"
				: "hostname",
			question->host);
	if (!question->stores[0].file)
		ADD(" -no-CAfile");
	for (size_t i = 0; i < 6 && question->stores[i].file; i++)
		ADD(" -%s '%s'",
			question->stores[i].kind == WT_TRUST_ANCHOR
				? "trusted"
				: "untrusted",
			chain_path(question->stores[i].file));
	for (size_t i = 0; i < 5 && question->chain[i]; i++)
		ADD(" -untrusted '%s'", chain_path(question->chain[i]));
	ADD(" '%s' >/dev/null 2>&1", chain_path(server_of(question)));
#undef ADD
	return system(command) == 0;
}

static void openssl_verify_answers_alike(void **state)
{
	size_t asked = 0;

	(void)state;
	if (system("openssl version >/dev/null 2>&1") != 0)
		skip();
	for (size_t i = 0; i < question_count; i++) {
		const struct question *question = &questions[i];
		bool is_same = question->other == SAME;

		if (question->other == UNASKED)
			continue;
		asked++;
		if ((ask_openssl(question) == !question->code) != is_same)
			fail_msg("%s: openssl %s", question->name,
				is_same ? "says otherwise" : "agrees");
	}
	assert_true(asked > 40);
}

static void a_saved_chain_is_read_in_each_form(void **state)
{
	static const char *const files[] = {
		"fullchain.pem", "backwards.pem", "fullchain.p7b"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct wt_trust_result *result = NULL;
		char path[512] = "";
		struct ready ready;

		get_ready(&(struct question){.stores = {IN_ROOT("root")}},
			&ready);
		snprintf(path, sizeof(path), CHAINS "%s", files[i]);
		assert_int_equal(
			wt_cert_list_read(ready.chain, path, NULL), WT_OK);
		assert_int_equal(
			wt_trust_check(&ready.query, files[i], &result, NULL),
			WT_OK);
		assert_true(result->is_trusted);
		assert_string_equal(
			wt_cert_info(result->links[0].cert)->subject,
			"CN=server.example");
		wt_trust_result_free(result);
		let_go(&ready);
	}
}

static void a_question_without_sense_is_an_error(void **state)
{
	static const struct {
		struct question question;
		enum wt_status status;
		const char *code;
	} rows[] = {
		{{.name = "no certificate"}, WT_ERR_CERT, "cert-none"},
		{{.chain = {"root"}}, WT_ERR_CERT, "no-server-cert"},
		{{.chain = {"inter", "root"}}, WT_ERR_CERT, "no-server-cert"},
		{{.chain = {"selfsigned-cn"}}, WT_ERR_CERT, "no-server-cert"},
		{{.chain = {"server"}, .host = ""}, WT_ERR_USAGE, "bad-host"},
		{{.chain = {"server"}, .host = "."}, WT_ERR_USAGE, "bad-host"},
		{{.chain = {"server"}, .host = ".example"}, WT_ERR_USAGE,
			"bad-host"},
		{{.chain = {"server"}, .host = "a..example"}, WT_ERR_USAGE,
			"bad-host"},
		{{.chain = {"server"}, .host = "server.example:443"},
			WT_ERR_USAGE, "bad-host"},
		{{.chain = {"server"}, .host = "https://server.example/"},
			WT_ERR_USAGE, "bad-host"},
		{{.chain = {"server"}, .host = "*.wild.example"}, WT_ERR_USAGE,
			"bad-host"},
		{{.chain = {"server"}, .host = "192.0.2.300"}, WT_ERR_USAGE,
			"bad-host"},
		{{.chain = {"server"}, .host = "[server.example]"},
			WT_ERR_USAGE, "bad-host"},
		{{.chain = {"server"},
			 .host = "b\xc3\xbc"
				 "cher.example"},
			WT_ERR_USAGE, "bad-host"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wt_trust_result *result = (void *)&rows;
		struct wt_error err = {0};
		struct ready ready;

		get_ready(&rows[i].question, &ready);
		assert_int_equal(
			wt_trust_check(&ready.query, "chain", &result, &err),
			rows[i].status);
		assert_string_equal(err.code, rows[i].code);
		assert_ptr_equal(result, &rows);
		let_go(&ready);
	}
}

static void result_free_takes_null(void **state)
{
	(void)state;
	wt_trust_result_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_question_has_its_answer),
		cmocka_unit_test(openssl_verify_answers_alike),
		cmocka_unit_test(a_saved_chain_is_read_in_each_form),
		cmocka_unit_test(a_question_without_sense_is_an_error),
		cmocka_unit_test(result_free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
