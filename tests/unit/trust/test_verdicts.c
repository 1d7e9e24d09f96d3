/* SPDX-License-Identifier: MIT
 * test_verdicts.c: every question of testdata/verdicts has its answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "chains.h"
#include "trust/trust.h"

/* OpenSSL loses the policyConstraints of a certificate without policies (see
 * policy_cache_new()). */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#define LEAKS_BEGIN(line)                                                      \
	if (strstr(line, "need0-bare"))                                        \
	__lsan_disable()
#define LEAKS_END(line)                                                        \
	if (strstr(line, "need0-bare"))                                        \
	__lsan_enable()
#else
#define LEAKS_BEGIN(line) (void)0
#define LEAKS_END(line) (void)0
#endif

#define FOLDER WT_TESTDATA "/verdicts/"
#define PEM_END "-----END CERTIFICATE-----\n"
#define QUESTIONS_MIN 150
#define FIELDS 6
#define STORES_MAX 4

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(file);
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

/* The PEM block behind the line that is the name alone. */
static const char *find_pem(const char *certs, const char *name, size_t *len)
{
	char line[64] = "";
	const char *found = certs;

	snprintf(line, sizeof(line), "\n%s\n-----BEGIN", name);
	if (strncmp(certs, line + 1, strlen(line + 1)) != 0)
		found = strstr(certs, line);
	if (!found)
		fail_msg("there is no certificate %s", name);
	found = strstr(found, "-----BEGIN");
	*len = (size_t)(strstr(found, PEM_END) - found) + strlen(PEM_END);
	return found;
}

/* As the program reads what a server sends. */
static struct wt_cert_list *read_chain(const char *certs, char *names)
{
	struct wt_cert_list *list = NULL;
	struct wt_error err = {0};
	char path[] = "/tmp/wimtrust-verdicts-XXXXXX";
	char *rest = NULL;
	FILE *file = fdopen(mkstemp(path), "w");

	assert_non_null(file);
	for (char *name = strtok_r(names, ",", &rest); name;
		name = strtok_r(NULL, ",", &rest)) {
		size_t len = 0;
		const char *pem = find_pem(certs, name, &len);

		fwrite(pem, 1, len, file);
	}
	fclose(file);
	assert_int_equal(wt_cert_list_new(&list, NULL), WT_OK);
	if (wt_cert_list_read_chain(list, path, &err) != WT_OK)
		fail_msg("%s: %s", path, err.reason);
	unlink(path);
	return list;
}

/* "68=0;7a=1.2.3+4.5.6" */
static struct chains_properties read_properties(char *text)
{
	struct chains_properties properties = {0};
	char *rest = NULL;

	for (char *word = strtok_r(text, ";", &rest); word;
		word = strtok_r(NULL, ";", &rest)) {
		char *value = strchr(word, '=');

		assert_non_null(value);
		*value++ = '\0';
		for (char *c = value; *c; c++)
			*c = *c == '+' ? ',' : *c;
		if (strcmp(word, "09") == 0)
			properties.usage = value;
		else if (strcmp(word, "68") == 0)
			properties.disallowed_from = value;
		else if (strcmp(word, "7a") == 0)
			properties.disallowed_usage = value;
		else if (strcmp(word, "7e") == 0)
			properties.not_before = value;
		else if (strcmp(word, "7f") == 0)
			properties.not_before_usage = value;
		else if (strcmp(word, "80") == 0)
			properties.disallowed_ca = value;
		else
			fail_msg("there is no property %s", word);
	}
	return properties;
}

/* "AuthRoot:root;09=1.2.3" */
static struct wt_cert_list *read_store(
	const char *certs, char *text, struct wt_trust_cert *ret_copy)
{
	struct wt_cert_list *plain = NULL, *list = NULL;
	char *name = strchr(text, ':');
	char none[1] = "", *more = none;
	struct chains_properties properties;
	size_t len = 0;
	const char *pem = NULL;

	assert_non_null(name);
	*name++ = '\0';
	if (strchr(name, ';')) {
		more = strchr(name, ';');
		*more++ = '\0';
	}
	properties = read_properties(more);
	pem = find_pem(certs, name, &len);
	assert_int_equal(wt_cert_list_new(&plain, NULL), WT_OK);
	assert_int_equal(
		wt_cert_list_read_memory(plain, pem, len, name, NULL), WT_OK);
	list = chains_make_value(
		wt_cert_info(wt_cert_list_get(plain, 0)), &properties);
	wt_cert_list_free(plain);
	ret_copy->cert = wt_cert_list_get(list, 0);
	ret_copy->source = text;
	ret_copy->kind = WT_TRUST_ANCHOR;
	if (strcmp(text, "CA") == 0)
		ret_copy->kind = WT_TRUST_INTERMEDIATE;
	else if (strcmp(text, "Disallowed") == 0)
		ret_copy->kind = WT_TRUST_VETO;
	return list;
}

/* "trusted", and the codes of what Windows may refuse; or why not. */
static void describe(
	const struct wt_trust_result *result, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%s",
		result->is_trusted ? "trusted" : result->verdict.code);

	for (size_t i = 0; result->is_trusted && i < result->doubts.count; i++)
		used += (size_t)snprintf(text + used, size - used, " %s",
			result->doubts.items[i].code);
}

/* @return is the answer the expected one? */
static bool ask(const char *certs, const char *line, char **fields)
{
	struct wt_cert_list *lists[STORES_MAX] = {0};
	struct wt_trust_cert copies[STORES_MAX];
	struct wt_trust_query query = {.stores = copies};
	struct wt_trust_result *result = NULL;
	struct wt_error err = {0};
	struct wt_cert_list *chain = read_chain(certs, fields[0]);
	char *rest = NULL, answer[256] = "";
	bool is_right = false;

	for (char *store = strtok_r(fields[1], ",", &rest); store;
		store = strtok_r(NULL, ",", &rest)) {
		assert_true(query.store_count < STORES_MAX);
		lists[query.store_count] =
			read_store(certs, store, &copies[query.store_count]);
		query.store_count++;
	}
	query.chain = chain;
	query.host = strcmp(fields[2], "-") == 0 ? NULL : fields[2];
	query.at = strtoll(fields[3], NULL, 10);
	LEAKS_BEGIN(line);
	if (wt_trust_check(&query, "image", &result, &err) != WT_OK)
		fail_msg("%s\n%s: %s", line, err.code, err.reason);
	LEAKS_END(line);
	describe(result, answer, sizeof(answer));
	is_right = strcmp(answer, fields[4]) == 0;
	if (!is_right)
		print_error("%s\n  is: %s: %s\n", line, answer,
			result->verdict.reason);
	wt_trust_result_free(result);
	wt_cert_list_free(chain);
	for (size_t i = 0; i < query.store_count; i++)
		wt_cert_list_free(lists[i]);
	return is_right;
}

static void every_question_has_its_answer(void **state)
{
	char *certs = read_file(FOLDER "certs.pem");
	char *table = read_file(FOLDER "verdicts.tsv");
	char *rest = table;
	size_t count = 0, wrong = 0;

	(void)state;
	for (char *line = strsep(&rest, "\n"); line && *line;
		line = strsep(&rest, "\n")) {
		char *fields[FIELDS] = {NULL};
		char *whole = strdup(line);

		assert_non_null(whole);
		for (size_t i = 0; i < FIELDS; i++)
			fields[i] = strsep(&line, "\t");
		if (whole[0] != '#') {
			assert_non_null(fields[FIELDS - 1]);
			count++;
			wrong += !ask(certs, whole, fields);
		}
		free(whole);
	}
	free(certs);
	free(table);
	print_message("%zu questions\n", count);
	assert_true(count >= QUESTIONS_MIN);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_question_has_its_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
