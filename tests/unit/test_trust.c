/* SPDX-License-Identifier: MIT
 * test_trust.c: would this image trust that server? */
#include "trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "chains.h"

#define CHAINS WT_TESTDATA "/chains/"
/* 2025-06-01 12:00 UTC */
#define NOON INT64_C(1748779200)

#define ROOT WT_TRUST_ANCHOR
#define CA WT_TRUST_INTERMEDIATE
#define VETO WT_TRUST_VETO

#define SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define ANY_USAGE "2.5.29.37.0"

/* How openssl verify's answer stands to ours. */
enum other {
	SAME = 0,
	DIFFERS, /* and has to, or the reason for our own is gone */
	UNASKED, /* it knows nothing of what is asked */
};

struct store {
	const char *file;
	enum wt_trust_kind kind;
	const char *source;
	const char *usage;	      /* property 0x09 */
	const char *disallowed_from;  /* property 0x68: seconds, or "" */
	const char *disallowed_usage; /* property 0x7A */
	const char *not_before;	      /* property 0x7E */
	const char *not_before_usage; /* property 0x7F */
};

struct question {
	const char *name;
	const char *chain[5];
	struct store stores[6];
	const char *host;
	const char *code;  /* NULL: trusted */
	const char *links; /* the sources, comma-separated */
	const char *says;  /* stands in the reason */
	int64_t at;	   /* 0: NOON */
	enum other other;
};

#define IN_ROOT(file)                                                          \
	{                                                                      \
		file, ROOT, "AuthRoot", 0, 0, 0, 0, 0                          \
	}
#define IN_CA(file)                                                            \
	{                                                                      \
		file, CA, "CA", 0, 0, 0, 0, 0                                  \
	}
#define IN_VETO(file)                                                          \
	{                                                                      \
		file, VETO, "Disallowed", 0, 0, 0, 0, 0                        \
	}

static const struct question questions[] = {
	{"server and issuing CA sent, root in the image", {"server", "inter"},
		{IN_ROOT("root")}, "server.example", NULL,
		"server,server,AuthRoot", "", 0, SAME},
	{"the issuing CA stands in the image", {"server"},
		{IN_CA("inter"), IN_ROOT("root")}, NULL, NULL,
		"server,CA,AuthRoot", "", 0, SAME},
	{"issued by the root itself", {"server-direct"}, {IN_ROOT("root")},
		"direct.example", NULL, "server,AuthRoot", "", 0, SAME},
	{"the chain is upside down", {"root", "inter", "server"},
		{IN_ROOT("root")}, "server.example", NULL,
		"server,server,AuthRoot", "", 0, SAME},
	{"the chain has strangers in it", {"other", "inter", "server", "named"},
		{IN_ROOT("root")}, "server.example", NULL,
		"server,server,AuthRoot", "", 0, SAME},
	{"an intermediate in Root leads on to the root", {"server"},
		{{"inter", ROOT, "ROOT", 0, 0, 0, 0, 0}, IN_ROOT("root")}, NULL,
		NULL, "server,ROOT,AuthRoot", "", 0, SAME},

	{"nothing in the image", {"server", "inter"}, {{0}}, NULL,
		"root-not-in-image", "server,server", "CN=Chain Root", 0, SAME},
	{"the root is sent, but not in the image", {"server", "inter", "root"},
		{IN_ROOT("other")}, NULL, "root-not-in-image",
		"server,server,server", "the server sends it", 0, SAME},
	{"the root stands in CA", {"server", "inter"}, {IN_CA("root")}, NULL,
		"root-not-in-image", "server,server,CA", "another store", 0,
		UNASKED},
	{"an intermediate in Root is no anchor", {"server", "inter"},
		{{"inter", ROOT, "ROOT", 0, 0, 0, 0, 0}}, NULL,
		"root-not-in-image", "server,ROOT", "CN=Chain Root", 0, SAME},
	{"the root was renewed", {"server", "inter"}, {IN_ROOT("root-renewed")},
		NULL, "root-not-in-image", "server,server", "another key", 0,
		SAME},
	{"the issuing CA is missing", {"server"}, {IN_ROOT("root")}, NULL,
		"intermediate-missing", "server", "CN=Chain Issuing CA", 0,
		SAME},
	{"signed by itself and not in the image", {"selfsigned"},
		{IN_ROOT("root")}, "self.example", "root-not-in-image",
		"server", "signed by itself", 0, SAME},
	{"signed by itself and in the image", {"selfsigned"},
		{IN_ROOT("selfsigned")}, "self.example", NULL, "AuthRoot", "",
		0, SAME},
	{"signed by itself, named by its common name only", {"selfsigned-cn"},
		{IN_ROOT("selfsigned-cn")}, "selfcn.example", NULL, "AuthRoot",
		"", 0, SAME},

	{"two ways up, the first is open", {"server", "inter", "inter-cross"},
		{IN_ROOT("other")}, NULL, NULL, "server,server,AuthRoot", "", 0,
		DIFFERS},
	{"two ways up, the second is open", {"server", "inter-cross", "inter"},
		{IN_ROOT("root")}, NULL, NULL, "server,server,AuthRoot", "", 0,
		DIFFERS},
	{"the old root signed the new one", {"server", "inter", "root-cross"},
		{IN_ROOT("other")}, NULL, NULL, "server,server,server,AuthRoot",
		"", 0, SAME},
	{"the shorter way is taken", {"server", "inter", "root-cross"},
		{IN_ROOT("other"), IN_ROOT("root")}, NULL, NULL,
		"server,server,AuthRoot", "", 0, SAME},
	{"an expired twin of the issuing CA does no harm",
		{"server", "inter-expired", "inter"}, {IN_ROOT("root")}, NULL,
		NULL, "server,server,AuthRoot", "", 0, SAME},
	{"a namesake with another key does no harm", {"server", "inter"},
		{IN_ROOT("root-renewed"), IN_ROOT("root")}, NULL, NULL,
		"server,server,AuthRoot", "", 0, SAME},

	{"the server's certificate expired", {"server-expired", "inter"},
		{IN_ROOT("root")}, "server.example", "cert-expired",
		"server,server,AuthRoot", "expired on 2024-01-01 00:00:00 UTC",
		0, SAME},
	{"the server's certificate is from the future",
		{"server-future", "inter"}, {IN_ROOT("root")}, NULL,
		"cert-not-yet-valid", "server,server,AuthRoot",
		"valid only from 2030-01-01 00:00:00 UTC", 0, SAME},
	{"asked for a time when it is valid", {"server-future", "inter"},
		{IN_ROOT("root")}, NULL, NULL, "server,server,AuthRoot", "",
		INT64_C(1900000000), SAME},
	{"the clock is at zero", {"server", "inter"}, {IN_ROOT("root")}, NULL,
		"cert-not-yet-valid", "server,server,AuthRoot",
		"asked for is 1970-01-01 00:00:01 UTC", 1, SAME},
	{"the issuing CA expired", {"server", "inter-expired"},
		{IN_ROOT("root")}, NULL, "cert-expired",
		"server,server,AuthRoot", "CN=Chain Issuing CA", 0, SAME},
	{"the root expired", {"server-oldroot"}, {IN_ROOT("oldroot")}, NULL,
		"cert-expired", "server,AuthRoot", "CN=Chain Expired Root", 0,
		SAME},

	{"another host", {"server", "inter"}, {IN_ROOT("root")},
		"elsewhere.example", "wrong-host", "server,server,AuthRoot",
		"it is for server.example, *.wild.example, "
		"xn--bcher-kva.example, address 192.0.2.10, address "
		"2001:db8::10",
		0, SAME},
	{"case and a final dot do not matter", {"server", "inter"},
		{IN_ROOT("root")}, "SERVER.Example.", NULL,
		"server,server,AuthRoot", "", 0, UNASKED},
	{"a wildcard stands for one label", {"server", "inter"},
		{IN_ROOT("root")}, "any.wild.example", NULL,
		"server,server,AuthRoot", "", 0, SAME},
	{"and not for two", {"server", "inter"}, {IN_ROOT("root")},
		"one.more.wild.example", "wrong-host", "server,server,AuthRoot",
		"", 0, SAME},
	{"nor for none", {"server", "inter"}, {IN_ROOT("root")}, "wild.example",
		"wrong-host", "server,server,AuthRoot", "", 0, SAME},
	{"an international name in its ASCII form", {"server", "inter"},
		{IN_ROOT("root")}, "xn--bcher-kva.example", NULL,
		"server,server,AuthRoot", "", 0, SAME},
	{"an IPv4 address", {"server", "inter"}, {IN_ROOT("root")},
		"192.0.2.10", NULL, "server,server,AuthRoot", "", 0, SAME},
	{"an IPv6 address in another spelling", {"server", "inter"},
		{IN_ROOT("root")}, "[2001:DB8:0::0:10]", NULL,
		"server,server,AuthRoot", "", 0, UNASKED},
	{"another address", {"server", "inter"}, {IN_ROOT("root")},
		"192.0.2.11", "wrong-host", "server,server,AuthRoot", "", 0,
		SAME},
	{"the common name counts where there is no other",
		{"server-plain", "inter"}, {IN_ROOT("root")}, "plain.example",
		NULL, "server,server,AuthRoot", "", 0, SAME},
	{"and is told", {"server-plain", "inter"}, {IN_ROOT("root")},
		"server.example", "wrong-host", "server,server,AuthRoot",
		"it is for plain.example", 0, SAME},

	{"a wildcard stands for no part of a label",
		{"server-partial", "inter"}, {IN_ROOT("root")},
		"part.wild.example", "wrong-host", "server,server,AuthRoot",
		"it is for par*.wild.example", 0, DIFFERS},
	{"what is worse is told", {"server-expired", "inter"},
		{IN_ROOT("root")}, "elsewhere.example", "cert-expired",
		"server,server,AuthRoot", "", 0, SAME},

	{"for TLS clients only", {"server-client", "inter"}, {IN_ROOT("root")},
		NULL, "not-for-server-auth", "server,server,AuthRoot",
		"CN=server.example", 0, SAME},
	{"for any usage, which Windows takes", {"server-any", "inter"},
		{IN_ROOT("root")}, NULL, NULL, "server,server,AuthRoot", "", 0,
		DIFFERS},
	{"under a CA for any usage", {"server-any-ca", "inter-any"},
		{IN_ROOT("root")}, NULL, NULL, "server,server,AuthRoot", "", 0,
		DIFFERS},
	{"under a CA for mail only", {"server-mail", "inter-email"},
		{IN_ROOT("root")}, NULL, "not-for-server-auth",
		"server,server,AuthRoot", "CN=Chain Mail CA", 0, SAME},

	{"issued by a server's certificate", {"rogue", "server", "inter"},
		{IN_ROOT("root")}, "rogue.example", "not-a-ca",
		"server,server,server,AuthRoot", "CN=server.example", 0, SAME},
	{"which is found in any order", {"server", "rogue", "inter"},
		{IN_ROOT("root")}, "rogue.example", "not-a-ca",
		"server,server,server,AuthRoot", "", 0, UNASKED},
	{"a CA that names a host is no server beside one",
		{"selfsigned", "server", "inter"}, {IN_ROOT("root")},
		"server.example", NULL, "server,server,AuthRoot", "", 0,
		UNASKED},
	{"it names another key of its issuer", {"server-keyid", "inter"},
		{IN_ROOT("root")}, NULL, "chain-invalid",
		"server,server,AuthRoot", "key identifier", 0, SAME},
	{"issued by a CA that must not sign", {"server-nosign", "inter-nosign"},
		{IN_ROOT("root")}, NULL, "not-a-ca", "server,server,AuthRoot",
		"keyCertSign", 0, SAME},
	{"one CA too many", {"server-toolow", "inter-toolow", "inter-last"},
		{IN_ROOT("root")}, NULL, "path-too-long",
		"server,server,server,AuthRoot", "", 0, SAME},
	{"altered after it was signed", {"bad-server-signature", "inter"},
		{IN_ROOT("root")}, NULL, "bad-signature",
		"server,server,AuthRoot", "CN=server.example", 0, SAME},
	{"inside the names that the root may issue for", {"server-named"},
		{IN_ROOT("named")}, "in.corp.example", NULL, "server,AuthRoot",
		"", 0, SAME},
	{"outside of them", {"server-misnamed"}, {IN_ROOT("named")},
		"out.example", "name-constraint", "server,AuthRoot",
		"CN=out.example", 0, SAME},
	{"a name that the root must not issue for", {"server-unnamed"},
		{IN_ROOT("unnamed")}, NULL, "name-constraint",
		"server,AuthRoot", "must not issue", 0, SAME},
	{"a critical extension that nobody knows", {"server-critical", "inter"},
		{IN_ROOT("root")}, NULL, "critical-extension",
		"server,server,AuthRoot", "", 0, SAME},

	{"a root with a SHA-1 signature", {"server-sha1root"},
		{IN_ROOT("sha1root")}, NULL, NULL, "server,AuthRoot", "", 0,
		SAME},
	{"a root with an MD5 signature", {"server-md5root"},
		{IN_ROOT("md5root")}, NULL, NULL, "server,AuthRoot", "", 0,
		SAME},
	{"a server's certificate signed with SHA-1", {"server-sha1"},
		{IN_ROOT("sha1root")}, NULL, NULL, "server,AuthRoot", "", 0,
		SAME},
	{"a server's certificate signed with MD5", {"server-md5"},
		{IN_ROOT("sha1root")}, NULL, "weak-signature",
		"server,AuthRoot", "signed with md5", 0, DIFFERS},
	{"a server's key of 768 bits", {"server-short", "inter"},
		{IN_ROOT("root")}, NULL, "weak-key", "server,server,AuthRoot",
		"key of 768 bits", 0, DIFFERS},
	{"a root's key of 768 bits", {"server-shortroot"},
		{IN_ROOT("shortroot")}, NULL, "weak-key", "server,AuthRoot",
		"CN=Chain Short Root", 0, DIFFERS},

	{"the server's certificate is disallowed", {"server", "inter"},
		{IN_ROOT("root"), IN_VETO("server")}, NULL, "disallowed",
		"server,server,AuthRoot", "CN=server.example", 0, UNASKED},
	{"the issuing CA is disallowed", {"server", "inter"},
		{IN_ROOT("root"), IN_VETO("inter")}, NULL, "disallowed",
		"server,server,AuthRoot", "CN=Chain Issuing CA", 0, UNASKED},
	{"the root is disallowed", {"server", "inter"},
		{IN_VETO("root"), IN_ROOT("root")}, NULL, "disallowed",
		"server,server,AuthRoot", "Disallowed store", 0, UNASKED},
	{"the root is disallowed and nowhere else", {"server", "inter"},
		{IN_VETO("root")}, NULL, "disallowed",
		"server,server,Disallowed", "CN=Chain Root", 0, UNASKED},
	{"what is disallowed is gone round", {"server", "inter", "root-cross"},
		{IN_ROOT("root"), IN_ROOT("other"), IN_VETO("root")}, NULL,
		NULL, "server,server,server,AuthRoot", "", 0, UNASKED},
	{"what is disallowed comes before what is missing",
		{"server", "inter", "root-cross", "other"},
		{IN_ROOT("root"), IN_VETO("root")}, NULL, "disallowed",
		"server,server,AuthRoot", "CN=Chain Root", 0, UNASKED},
	{"a stranger is disallowed", {"server", "inter"},
		{IN_ROOT("root"), IN_VETO("other")}, NULL, NULL,
		"server,server,AuthRoot", "", 0, UNASKED},

	{"the root is for server authentication too", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", CLIENT_AUTH "," SERVER_AUTH, 0, 0,
			0, 0}},
		NULL, NULL, "server,server,AuthRoot", "", 0, UNASKED},
	{"the root is for any usage", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", ANY_USAGE, 0, 0, 0, 0}}, NULL, NULL,
		"server,server,AuthRoot", "", 0, UNASKED},
	{"the root is for clients only", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", CLIENT_AUTH, 0, 0, 0, 0}}, NULL,
		"usage-not-allowed", "server,server,AuthRoot", "property 0x09",
		0, UNASKED},
	{"the root is for no usage at all", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", "", 0, 0, 0, 0}}, NULL,
		"usage-not-allowed", "server,server,AuthRoot", "", 0, UNASKED},
	{"one of two copies says no", {"server", "inter"},
		{IN_ROOT("root"),
			{"root", ROOT, "ROOT", CLIENT_AUTH, 0, 0, 0, 0}},
		NULL, "usage-not-allowed", "server,server,AuthRoot",
		"ROOT store", 0, UNASKED},
	{"a root that is not for servers is gone round",
		{"server", "inter", "root-cross"},
		{{"root", ROOT, "AuthRoot", CLIENT_AUTH, 0, 0, 0, 0},
			IN_ROOT("other")},
		NULL, NULL, "server,server,server,AuthRoot", "", 0, UNASKED},
	{"an intermediate that is not for servers", {"server"},
		{{"inter", CA, "CA", CLIENT_AUTH, 0, 0, 0, 0}, IN_ROOT("root")},
		NULL, "usage-not-allowed", "server,CA,AuthRoot", "CA store", 0,
		UNASKED},
	{"the usage was taken from the root", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, 0, SERVER_AUTH, 0, 0}}, NULL,
		"usage-not-allowed", "server,server,AuthRoot", "property 0x7A",
		0, UNASKED},
	{"another usage was taken from the root", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, 0, CLIENT_AUTH, 0, 0}}, NULL,
		NULL, "server,server,AuthRoot", "", 0, UNASKED},

	{"distrusted since last year", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, "1704067200", 0, 0, 0}}, NULL,
		"disallowed-since", "server,server,AuthRoot",
		"since 2024-01-01 00:00:00 UTC", 0, UNASKED},
	{"distrusted from next year on", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, "1767225600", 0, 0, 0}}, NULL,
		NULL, "server,server,AuthRoot", "", 0, UNASKED},
	{"distrusted from this second on", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, "1748779200", 0, 0, 0}}, NULL,
		"disallowed-since", "server,server,AuthRoot", "", 0, UNASKED},
	{"distrusted from always on", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, "", 0, 0, 0}}, NULL,
		"disallowed-since", "server,server,AuthRoot",
		"is distrusted by", 0, UNASKED},
	{"distrusted for servers", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, "1704067200", SERVER_AUTH, 0,
			0}},
		NULL, "disallowed-since", "server,server,AuthRoot", "", 0,
		UNASKED},
	{"distrusted for clients", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, "1704067200", CLIENT_AUTH, 0,
			0}},
		NULL, NULL, "server,server,AuthRoot", "", 0, UNASKED},

	{"issued before the root's last day", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, 0, 0, "1704067200", 0}}, NULL,
		NULL, "server,server,AuthRoot", "", 0, UNASKED},
	{"issued in the root's last second", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, 0, 0, "1577836800", 0}}, NULL,
		NULL, "server,server,AuthRoot", "", 0, UNASKED},
	{"issued after the root's last day", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, 0, 0, "1577836799", 0}}, NULL,
		"issued-too-late", "server,server,AuthRoot",
		"is from 2020-01-01 00:00:00 UTC", 0, UNASKED},
	{"too late, but for clients", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, 0, 0, "1577836799",
			CLIENT_AUTH}},
		NULL, NULL, "server,server,AuthRoot", "", 0, UNASKED},
	{"too late for servers", {"server", "inter"},
		{{"root", ROOT, "AuthRoot", 0, 0, 0, "1577836799",
			CLIENT_AUTH "," SERVER_AUTH}},
		NULL, "issued-too-late", "server,server,AuthRoot", "", 0,
		UNASKED},
};

#define QUESTION_COUNT (sizeof(questions) / sizeof(questions[0]))

static char *path_of(const char *file)
{
	static char path[512];

	snprintf(path, sizeof(path), CHAINS "%s.pem", file);
	return path;
}

/* A question made ready; the lists own the certificates. */
struct ready {
	struct wt_cert_list *chain;
	struct wt_cert_list *stores[6];
	struct wt_trust_cert copies[6];
	struct wt_trust_query query;
};

static void get_ready(const struct question *question, struct ready *ready)
{
	struct wt_error err = {0};

	memset(ready, 0, sizeof(*ready));
	assert_int_equal(wt_cert_list_new(&ready->chain, NULL), WT_OK);
	for (size_t i = 0; i < 5 && question->chain[i]; i++) {
		if (wt_cert_list_read(ready->chain, path_of(question->chain[i]),
			    &err) != WT_OK)
			fail_msg("%s: %s", err.object, err.reason);
	}
	for (size_t i = 0; i < 6 && question->stores[i].file; i++) {
		const struct store *store = &question->stores[i];
		const struct chains_properties properties = {
			.usage = store->usage,
			.disallowed_from = store->disallowed_from,
			.disallowed_usage = store->disallowed_usage,
			.not_before = store->not_before,
			.not_before_usage = store->not_before_usage,
		};

		ready->stores[i] =
			chains_read_value(path_of(store->file), &properties);
		ready->copies[i].cert = wt_cert_list_get(ready->stores[i], 0);
		ready->copies[i].kind = store->kind;
		ready->copies[i].source = store->source;
		ready->query.store_count++;
	}
	ready->query.stores = ready->copies;
	ready->query.chain = ready->chain;
	ready->query.host = question->host;
	ready->query.at = question->at ? question->at : NOON;
}

static void let_go(struct ready *ready)
{
	wt_cert_list_free(ready->chain);
	for (size_t i = 0; i < 6; i++)
		wt_cert_list_free(ready->stores[i]);
}

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
	for (size_t i = 0; i < QUESTION_COUNT; i++) {
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
			/* Nothing of it may be lost in an ordinary case. */
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
			question->stores[i].kind == ROOT ? "trusted"
							 : "untrusted",
			path_of(question->stores[i].file));
	for (size_t i = 0; i < 5 && question->chain[i]; i++)
		ADD(" -untrusted '%s'", path_of(question->chain[i]));
	ADD(" '%s' >/dev/null 2>&1", path_of(server_of(question)));
#undef ADD
	return system(command) == 0;
}

static void openssl_verify_answers_alike(void **state)
{
	size_t asked = 0;

	(void)state;
	if (system("openssl version >/dev/null 2>&1") != 0)
		skip();
	for (size_t i = 0; i < QUESTION_COUNT; i++) {
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

/*
 * Many certificates
 */

static double seconds_since(const struct timespec *start)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static enum wt_status ask(const struct chains_set *set,
	struct wt_trust_result **ret_result, double *ret_seconds)
{
	const struct wt_trust_query query = {
		.stores = set->copies,
		.store_count = set->copy_count,
		.chain = set->chain,
		.at = NOON,
	};
	struct timespec start = {0};
	enum wt_status status = WT_OK;

	clock_gettime(CLOCK_MONOTONIC, &start);
	status = wt_trust_check(&query, "image 1", ret_result, NULL);
	*ret_seconds = seconds_since(&start);
	return status;
}

static void a_full_image_is_searched_quickly(void **state)
{
	struct wt_trust_result *result = NULL;
	struct chains_set *set = chains_make_image(150, 500);
	double seconds = 0;

	(void)state;
	assert_int_equal(set->copy_count, 650);
	assert_int_equal(ask(set, &result, &seconds), WT_OK);
	assert_true(result->is_trusted);
	assert_int_equal(result->link_count, 4);
	assert_string_equal(result->links[1].source, "CA");
	if (seconds > 2)
		fail_msg("took %.2f s", seconds);
	wt_trust_result_free(result);
	chains_free(set);
}

static void a_maze_of_cross_signed_cas_is_given_up(void **state)
{
	struct wt_trust_result *result = NULL;
	struct chains_set *set = chains_make_maze(12);
	double seconds = 0;

	(void)state;
	assert_int_equal(ask(set, &result, &seconds), WT_OK);
	assert_false(result->is_trusted);
	assert_string_equal(result->verdict.code, "too-many-paths");
	if (seconds > 5)
		fail_msg("took %.2f s", seconds);
	wt_trust_result_free(result);
	chains_free(set);
}

static void many_bad_ways_do_not_hide_the_good_one(void **state)
{
	struct wt_trust_result *result = NULL;
	struct chains_set *set = chains_make_twins(WT_TRUST_PATHS_MAX + 6);
	double seconds = 0;

	(void)state;
	assert_int_equal(ask(set, &result, &seconds), WT_OK);
	assert_true(result->is_trusted);
	assert_ptr_equal(result->links[1].cert,
		wt_cert_list_get(
			set->certs, wt_cert_list_count(set->certs) - 1));
	wt_trust_result_free(result);
	chains_free(set);
}

static void a_namesake_is_not_blamed_for_a_missing_root(void **state)
{
	struct wt_trust_result *result = NULL;
	struct chains_set *set = chains_make_namesake();
	double seconds = 0;

	(void)state;
	assert_int_equal(ask(set, &result, &seconds), WT_OK);
	assert_string_equal(result->verdict.code, "root-not-in-image");
	assert_non_null(strstr(result->verdict.reason, "CN=Missing"));
	assert_int_equal(result->link_count, 2);
	wt_trust_result_free(result);
	chains_free(set);
}

static void cas_that_sign_each_other_are_a_circle(void **state)
{
	(void)state;
	for (size_t i = 2; i <= 3; i++) {
		struct wt_trust_result *result = NULL;
		struct chains_set *set = chains_make_maze(i);
		double seconds = 0;

		assert_int_equal(ask(set, &result, &seconds), WT_OK);
		assert_string_equal(result->verdict.code, "root-not-in-image");
		assert_non_null(strstr(result->verdict.reason, "in a circle"));
		assert_int_equal(result->link_count, i + 1);
		wt_trust_result_free(result);
		chains_free(set);
	}
}

/*
 * Out of memory
 */

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
void *__wrap_calloc(size_t count, size_t size);

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
		"the root is sent, but not in the image",
		"signed by itself and in the image",
		"altered after it was signed",
		"a server's certificate signed with MD5",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t j = 0;

		while (j < QUESTION_COUNT &&
			strcmp(questions[j].name, names[i]) != 0)
			j++;
		assert_true(j < QUESTION_COUNT);
		fail_owner = OURS;
		sweep(&questions[j], 5);
		fail_owner = OPENSSL;
		sweep(&questions[j], 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_question_has_its_answer),
		cmocka_unit_test(openssl_verify_answers_alike),
		cmocka_unit_test(a_saved_chain_is_read_in_each_form),
		cmocka_unit_test(a_question_without_sense_is_an_error),
		cmocka_unit_test(result_free_takes_null),
		cmocka_unit_test(a_full_image_is_searched_quickly),
		cmocka_unit_test(a_maze_of_cross_signed_cas_is_given_up),
		cmocka_unit_test(many_bad_ways_do_not_hide_the_good_one),
		cmocka_unit_test(a_namesake_is_not_blamed_for_a_missing_root),
		cmocka_unit_test(cas_that_sign_each_other_are_a_circle),
		cmocka_unit_test(want_of_memory_never_makes_a_server_trusted),
	};

	if (CRYPTO_set_mem_functions(
		    openssl_malloc, openssl_realloc, openssl_free) != 1)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
