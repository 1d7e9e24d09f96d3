/* SPDX-License-Identifier: MIT
 * questions.c: would this image trust that server, and what is the answer? */
#include "questions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "chains.h"

#define ROOT WT_TRUST_ANCHOR
#define CA WT_TRUST_INTERMEDIATE
#define VETO WT_TRUST_VETO

#define SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define ANY_USAGE "2.5.29.37.0"

/* clang-format off */
#define IN_CA(file) {file, CA, "CA", 0, 0, 0, 0, 0}
#define IN_VETO(file) {file, VETO, "Disallowed", 0, 0, 0, 0, 0}
/* clang-format on */

const struct question questions[] = {
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
	{"self-signed and not in the image", {"selfsigned"}, {IN_ROOT("root")},
		"self.example", "root-not-in-image", "server", "self-signed", 0,
		SAME},
	{"self-signed and in the image", {"selfsigned"},
		{IN_ROOT("selfsigned")}, "self.example", NULL, "AuthRoot", "",
		0, SAME},
	{"self-signed, named by its common name only", {"selfsigned-cn"},
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
		"port.wild.example", "wrong-host", "server,server,AuthRoot",
		"it is for par*.wild.example", 0, SAME},
	{"but Windows may take one for part of it", {"server-partial", "inter"},
		{IN_ROOT("root")}, "part.wild.example", NULL,
		"server,server,AuthRoot", "", 0, SAME},
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
		{IN_ROOT("root")}, NULL, "key-identifier",
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
	{"without the policy that a CA above it requires",
		{"server-policyless", "inter-policy"}, {IN_ROOT("policyroot")},
		NULL, "policy-missing", "server,server,AuthRoot",
		"CN=server.example", 0, DIFFERS},
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
		{IN_ROOT("sha1root")}, NULL, NULL, "server,AuthRoot", "", 0,
		SAME},
	{"a server's certificate signed with MD4", {"server-md4"},
		{IN_ROOT("md4root")}, NULL, "weak-signature", "server,AuthRoot",
		"which is broken", 0, SAME},
	{"a server's key of 768 bits", {"server-short", "inter"},
		{IN_ROOT("root")}, NULL, "weak-key", "server,server,AuthRoot",
		"has 768 bits", 0, DIFFERS},
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

const size_t question_count = sizeof(questions) / sizeof(questions[0]);

char *chain_path(const char *file)
{
	static char path[512];

	snprintf(path, sizeof(path), CHAINS "%s.pem", file);
	return path;
}

void get_ready(const struct question *question, struct ready *ready)
{
	struct wt_error err = {0};

	memset(ready, 0, sizeof(*ready));
	assert_int_equal(wt_cert_list_new(&ready->chain, NULL), WT_OK);
	for (size_t i = 0; i < 5 && question->chain[i]; i++) {
		if (wt_cert_list_read(ready->chain,
			    chain_path(question->chain[i]), &err) != WT_OK)
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
			chains_read_value(chain_path(store->file), &properties);
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

void let_go(struct ready *ready)
{
	wt_cert_list_free(ready->chain);
	for (size_t i = 0; i < 6; i++)
		wt_cert_list_free(ready->stores[i]);
}
