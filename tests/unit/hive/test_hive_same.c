/* SPDX-License-Identifier: MIT
 * test_hive_same.c: hivex does the wrong thing on purpose, and the comparison
 * of both hives finds each. */
#include "hive/children.h"
#include "hivefile.h"

#include <fcntl.h>
#include <hivex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NEW "00112233445566778899AABBCCDDEEFF00112233"
#define OLD "0123456789ABCDEF0123456789ABCDEF01234567"
#define OTHER "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
#define STORES "Microsoft\\SystemCertificates\\"
#define VENDOR "Software\\Vendor"

/* What hivex does wrong; tamper changes the bytes that it wrote. */
struct wrong {
	const char *name;
	const char *said; /* part of the message */
	void (*tamper)(struct wt_hive_raw *raw);
	enum {
		AS_ASKED,
		ADDS_MORE,
		SETS_NOTHING,
		SETS_MORE,
		SETS_ELSEWHERE,
		DELETES_NOTHING,
		DELETES_MORE
	} hivex;
};

static const struct wrong *wrong; /* in the child */

hive_node_h __real_hivex_node_add_child(
	hive_h *hive, hive_node_h node, const char *name);
hive_node_h __wrap_hivex_node_add_child(
	hive_h *hive, hive_node_h node, const char *name)
{
	if (wrong->hivex == ADDS_MORE)
		__real_hivex_node_add_child(hive, hivex_root(hive), "Extra");
	return __real_hivex_node_add_child(hive, node, name);
}

int __real_hivex_node_set_value(
	hive_h *hive, hive_node_h node, const hive_set_value *value, int flags);
int __wrap_hivex_node_set_value(
	hive_h *hive, hive_node_h node, const hive_set_value *value, int flags)
{
	hive_set_value more = *value;
	char name[] = "More";

	more.key = name;
	if (wrong->hivex == SETS_NOTHING)
		return 0;
	if (wrong->hivex == SETS_MORE)
		__real_hivex_node_set_value(hive, node, &more, flags);
	if (wrong->hivex == SETS_ELSEWHERE)
		__real_hivex_node_set_value(
			hive, hivex_root(hive), &more, flags);
	return __real_hivex_node_set_value(hive, node, value, flags);
}

int __real_hivex_node_delete_child(hive_h *hive, hive_node_h node);
int __wrap_hivex_node_delete_child(hive_h *hive, hive_node_h node)
{
	if (wrong->hivex == DELETES_NOTHING)
		return 0;
	if (wrong->hivex == DELETES_MORE) {
		hive_node_h more = hivex_root(hive);

		more = hivex_node_get_child(hive, more, "Microsoft");
		more = hivex_node_get_child(hive, more, "SystemCertificates");
		more = hivex_node_get_child(hive, more, "CA");
		__real_hivex_node_delete_child(hive, more);
	}
	return __real_hivex_node_delete_child(hive, node);
}

int __real_hivex_commit(hive_h *hive, const char *path, int flags);
int __wrap_hivex_commit(hive_h *hive, const char *path, int flags)
{
	int ret = __real_hivex_commit(hive, path, flags);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct wt_hive_raw raw = {0};
	struct stat st = {0};
	uint8_t *data = NULL;

	if (!wrong->tamper || fd < 0 || fstat(fd, &st) != 0)
		return ret;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
		MAP_SHARED, fd, 0);
	if (data == MAP_FAILED ||
		wt_hive_raw_open(&raw, data, (size_t)st.st_size, 0, "hive",
			NULL) != WT_OK)
		_exit(9);
	wrong->tamper(&raw);
	return ret;
}

static uint32_t key_find(const struct wt_hive_raw *raw, const char *path)
{
	uint32_t key = raw->base.root;

	while (*path != '\0') {
		struct wt_hive_children children = {0};
		uint16_t units[WT_HIVE_NAME_MAX] = {0};
		struct wt_hive_name name = {0};
		char text[64] = "";
		size_t len = strcspn(path, "\\"), index = 0;

		memcpy(text, path, len);
		path += len + (path[len] == '\\');
		wt_hive_name_from_utf8(text, units, &name);
		if (wt_hive_children_open(&children, raw, key, NULL) != WT_OK ||
			wt_hive_children_find(&children, &name, &index) != 1)
			_exit(10);
		key = children.at[index].key;
		wt_hive_children_close(&children);
	}
	return key;
}

static uint8_t *node(const struct wt_hive_raw *raw, const char *path)
{
	return wt_hive_key(raw, key_find(raw, path));
}

static uint8_t *cell(const struct wt_hive_raw *raw, const uint8_t *offset)
{
	return wt_hive_cell(raw, wt_get32(offset), 0, NULL);
}

static uint8_t *value(
	const struct wt_hive_raw *raw, const char *path, size_t index)
{
	uint8_t *list = cell(raw, node(raw, path) + WT_NK_VALUES);

	return cell(raw, list + 4 * index);
}

static uint8_t *data(
	const struct wt_hive_raw *raw, const char *path, size_t index)
{
	return cell(raw, value(raw, path, index) + WT_VK_DATA);
}

static uint8_t *list(const struct wt_hive_raw *raw, const char *path)
{
	return cell(raw, node(raw, path) + WT_NK_SUBKEYS);
}

static void swap(uint8_t *left, uint8_t *right, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t kept = left[i];

		left[i] = right[i];
		right[i] = kept;
	}
}

/* The first subkey is no longer in the list. */
static void unlink_first(struct wt_hive_raw *raw, const char *path)
{
	uint8_t *at = node(raw, path);
	uint8_t *keys = list(raw, path);
	uint32_t count = wt_get32(at + WT_NK_SUBKEY_COUNT);

	memmove(keys + 4, keys + 12, 8 * (count - 1));
	wt_put16(keys + 2, count - 1);
	wt_put32(at + WT_NK_SUBKEY_COUNT, count - 1);
}

static void free_cell(uint8_t *contents)
{
	wt_put32(contents - 4, 0u - wt_get32(contents - 4));
}

#define TAMPER(name, statement)                                                \
	static void name(struct wt_hive_raw *raw)                              \
	{                                                                      \
		statement;                                                     \
	}

TAMPER(base_name, raw->data[60] ^= 1)
TAMPER(bin_magic, raw->data[WT_HIVE_PAGE]++)
TAMPER(base_version, raw->data[WT_BASE_MINOR] ^= 1)
TAMPER(base_end, raw->data[WT_HIVE_PAGE - 8] ^= 1)
TAMPER(key_flags, node(raw, VENDOR)[WT_NK_FLAGS] ^= 0x80)
TAMPER(key_time, node(raw, VENDOR)[WT_NK_TIME] ^= 1)
TAMPER(key_name, node(raw, VENDOR)[WT_NK_NAME] ^= 1)
TAMPER(key_name_len, node(raw, VENDOR)[WT_NK_NAME_LEN]--)
TAMPER(key_class, cell(raw, node(raw, VENDOR "\\Product 1") + WT_NK_CLASS)[2]++)
TAMPER(key_class_len, node(raw, VENDOR "\\Product 1")[WT_NK_CLASS_LEN] = 2)
TAMPER(key_security,
	cell(raw, node(raw, VENDOR "\\Twin 1") + WT_NK_SECURITY)[40] ^= 1)
TAMPER(key_other_security, memcpy(node(raw, VENDOR "\\Twin 1") + WT_NK_SECURITY,
				   node(raw, VENDOR) + WT_NK_SECURITY, 4))
TAMPER(security_signature,
	cell(raw, node(raw, VENDOR "\\Twin 1") + WT_NK_SECURITY)[1] ^= 1)
TAMPER(security_gone,
	free_cell(cell(raw, node(raw, VENDOR "\\Twin 1") + WT_NK_SECURITY)))
TAMPER(key_longest, node(raw, VENDOR)[WT_NK_SUBKEY_NAME_MAX]++)
TAMPER(value_data, data(raw, VENDOR "\\Product 2", 0)[0] ^= 1)
TAMPER(value_type, value(raw, VENDOR "\\Product 2", 0)[WT_VK_TYPE] ^= 2)
TAMPER(value_name, value(raw, VENDOR "\\Product 2", 0)[WT_VK_NAME] ^= 1)
TAMPER(value_name_len, value(raw, VENDOR "\\Product 2", 0)[WT_VK_NAME_LEN]--)
TAMPER(value_len, value(raw, VENDOR "\\Product 2", 0)[WT_VK_DATA_LEN]--)
TAMPER(value_inline, value(raw, VENDOR "\\Product 0", 2)[WT_VK_DATA] ^= 1)
TAMPER(value_count, node(raw, VENDOR "\\Product 2")[WT_NK_VALUE_COUNT] = 0)
TAMPER(value_segment,
	cell(raw, cell(raw, data(raw, VENDOR "\\Product 0", 1) + 4) + 8)[9] ^=
	1)
TAMPER(value_segment_count, data(raw, VENDOR "\\Product 0", 1)[2]--)
TAMPER(value_order,
	swap(cell(raw, node(raw, VENDOR "\\Product 0") + WT_NK_VALUES),
		cell(raw, node(raw, VENDOR "\\Product 0") + WT_NK_VALUES) + 4,
		4))
TAMPER(value_shared,
	memcpy(cell(raw, node(raw, VENDOR "\\Twin 2") + WT_NK_VALUES),
		cell(raw, node(raw, VENDOR "\\Twin 1") + WT_NK_VALUES), 4))
TAMPER(subkey_gone, unlink_first(raw, VENDOR))
TAMPER(subkey_order, swap(list(raw, VENDOR) + 4, list(raw, VENDOR) + 12, 8))
TAMPER(store_gone, unlink_first(raw, STORES "CA"))
TAMPER(store_order, swap(list(raw, STORES) + 4, list(raw, STORES) + 12, 8))
TAMPER(store_hash, list(raw, "")[8] ^= 1)
TAMPER(store_other_hash, list(raw, STORES)[16] ^= 1)
TAMPER(store_flags, node(raw, STORES)[WT_NK_FLAGS] ^= 8)
TAMPER(set_shared,
	memcpy(value(raw, STORES "AuthRoot\\Certificates\\" NEW, 0) +
			WT_VK_DATA,
		value(raw, STORES "ROOT\\Certificates\\" OLD, 0) + WT_VK_DATA,
		4))
TAMPER(set_class,
	node(raw, STORES "ROOT\\Certificates\\" OLD)[WT_NK_CLASS_LEN] = 2)
TAMPER(set_other_data, data(raw, STORES "ROOT\\Certificates\\" OLD, 1)[0] ^= 1)
TAMPER(set_other_inline,
	value(raw, STORES "ROOT\\Certificates\\" OLD, 2)[WT_VK_DATA] ^= 1)
TAMPER(set_other_gone,
	node(raw, STORES "ROOT\\Certificates\\" OLD)[WT_NK_VALUE_COUNT] = 2)
TAMPER(set_data, data(raw, STORES "ROOT\\Certificates\\" OLD, 0)[899] ^= 1)
TAMPER(set_len,
	value(raw, STORES "ROOT\\Certificates\\" OLD, 0)[WT_VK_DATA_LEN]--)
TAMPER(set_type,
	value(raw, STORES "ROOT\\Certificates\\" OLD, 0)[WT_VK_TYPE] = 1)
TAMPER(set_longest, wt_put32(node(raw, STORES "ROOT\\Certificates\\" OLD) +
				     WT_NK_VALUE_DATA_MAX,
			    0))
TAMPER(set_flags,
	node(raw, STORES "ROOT\\Certificates\\" OLD)[WT_NK_FLAGS] ^= 8)
TAMPER(new_parent,
	wt_put32(node(raw, STORES "AuthRoot\\Certificates") + WT_NK_PARENT,
		raw->base.root))
TAMPER(new_flags, node(raw, STORES "AuthRoot")[WT_NK_FLAGS] |= 8)
TAMPER(new_class, node(raw, STORES "AuthRoot")[WT_NK_CLASS_LEN] = 2)
TAMPER(new_security, memcpy(node(raw, STORES "AuthRoot") + WT_NK_SECURITY,
			     node(raw, VENDOR "\\Twin 1") + WT_NK_SECURITY, 4))
TAMPER(new_data, data(raw, STORES "AuthRoot\\Certificates\\" NEW, 0)[0] ^= 1)
TAMPER(new_hash, list(raw, STORES "AuthRoot\\Certificates")[8] ^= 1)
TAMPER(new_link,
	node(raw, STORES "AuthRoot\\Certificates\\" NEW)[WT_NK_FLAGS] |= 0x10)
TAMPER(new_gone, unlink_first(raw, STORES "AuthRoot\\Certificates"))

static const struct wrong wrongs[] = {
	{"base_name", "its base block", base_name, 0},
	{"bin_magic", "not sound (hive-bad-bin)", bin_magic, 0},
	{"base_version", "its base block", base_version, 0},
	{"base_end", "its base block", base_end, 0},
	{"key_flags", "a cell that was to stay as it was", key_flags, 0},
	{"key_time", "a cell that was to stay as it was", key_time, 0},
	{"key_name", "a cell that was to stay as it was", key_name, 0},
	{"key_name_len", "a cell that was to stay as it was", key_name_len, 0},
	{"key_class", "a cell that was to stay as it was", key_class, 0},
	{"key_class_len", "a cell that was to stay as it was", key_class_len,
		0},
	{"key_security", "a cell that was to stay as it was", key_security, 0},
	{"key_other_security", "a cell that was to stay as it was",
		key_other_security, 0},
	{"security_signature", "a cell that was to stay as it was",
		security_signature, 0},
	{"security_gone", "a cell that was to stay as it was", security_gone,
		0},
	{"key_longest", "a cell that was to stay as it was", key_longest, 0},
	{"value_data", "a cell that was to stay as it was", value_data, 0},
	{"value_type", "a cell that was to stay as it was", value_type, 0},
	{"value_name", "a cell that was to stay as it was", value_name, 0},
	{"value_name_len", "a cell that was to stay as it was", value_name_len,
		0},
	{"value_len", "a cell that was to stay as it was", value_len, 0},
	{"value_inline", "a cell that was to stay as it was", value_inline, 0},
	{"value_count", "a cell that was to stay as it was", value_count, 0},
	{"value_segment", "a cell that was to stay as it was", value_segment,
		0},
	{"value_segment_count", "a cell that was to stay as it was",
		value_segment_count, 0},
	{"value_order", "a cell that was to stay as it was", value_order, 0},
	{"value_shared", "a cell that was to stay as it was", value_shared, 0},
	{"value_elsewhere", "a key above a store", NULL, SETS_ELSEWHERE},
	{"subkey_gone", "a cell that was to stay as it was", subkey_gone, 0},
	{"subkey_order", "a cell that was to stay as it was", subkey_order, 0},
	{"store_gone", "a cell that was to stay as it was", store_gone, 0},
	{"store_order", "a key", store_order, 0},
	{"store_hash", "Windows may not find a key", store_hash, 0},
	{"store_other_hash", "Windows may not find a key", store_other_hash, 0},
	{"store_flags", "a key above a store", store_flags, 0},
	{"set_shared", "a cell is used twice", set_shared, 0},
	{"set_class", "a key that was to be set", set_class, 0},
	{"set_other_data", "the values of a key", set_other_data, 0},
	{"set_other_inline", "the values of a key", set_other_inline, 0},
	{"set_other_gone", "the values of a key", set_other_gone, 0},
	{"set_data", "the values of a key", set_data, 0},
	{"set_len", "the values of a key", set_len, 0},
	{"set_type", "the values of a key", set_type, 0},
	{"set_longest", "the values of a key", set_longest, 0},
	{"set_flags", "a key that was to be set", set_flags, 0},
	{"set_nothing", "the values of a", NULL, SETS_NOTHING},
	{"set_more", "the values of a", NULL, SETS_MORE},
	{"new_more", "a key that was not asked for", NULL, ADDS_MORE},
	{"new_parent", "a key", new_parent, 0},
	{"new_flags", "the flags or the class of a new key", new_flags, 0},
	{"new_class", "the flags or the class of a new key", new_class, 0},
	{"new_security", "the security descriptor of a new key", new_security,
		0},
	{"new_data", "the values of a new key", new_data, 0},
	{"new_hash", "Windows may not find a key", new_hash, 0},
	{"new_link", "Windows may not find a key", new_link, 0},
	{"new_gone", "a new key is missing", new_gone, 0},
	{"removed_is_there", "a removed key is there", NULL, DELETES_NOTHING},
	{"removed_more", "a key is gone", NULL, DELETES_MORE},
};

static const uint8_t blob[900] = "blob";
static const struct wt_hive_change changes[] = {
	{.store = WT_STORE_ROOT, .key = OLD, .blob = blob, .blob_len = 900},
	{.store = WT_STORE_AUTHROOT, .key = NEW, .blob = blob, .blob_len = 600},
	{.store = WT_STORE_ROOT, .key = OTHER},
};

static void every_wrong_thing_is_found(void **state)
{
	int fd = open(WT_HIVES "/bad/odd-rich", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct wt_error err = {0};
		int out = -1;

		wrong = &wrongs[i];
		if (hive_write_now(fd, "hive", changes, 3, NULL, &out, &err) ==
				WT_OK ||
			strcmp(err.code, "hive-verify") != 0 ||
			!strstr(err.reason, wrong->said))
			fail_msg("%s: %s: %s", wrong->name,
				out >= 0 ? "success" : err.code, err.reason);
		assert_int_equal(err.status, WT_ERR_HIVE);
		assert_int_equal(out, -1);
	}
	close(fd);
}

static void an_empty_value_that_is_not_set_is_missed(void **state)
{
	static const struct wrong nothing = {
		.name = "nothing", .hivex = SETS_NOTHING};
	static const struct wt_hive_change empty = {
		.store = WT_STORE_AUTHROOT, .key = NEW, .blob = blob};
	int fd = open(WT_HIVES "/bad/odd-rich", O_RDONLY | O_CLOEXEC);
	struct wt_error err = {0};
	int out = -1;

	(void)state;
	wrong = &nothing;
	assert_int_equal(
		hive_write_now(fd, "hive", &empty, 1, NULL, &out, &err),
		WT_ERR_HIVE);
	assert_string_equal(err.code, "hive-verify");
	close(fd);
}

static void what_was_asked_for_is_let_through(void **state)
{
	static const struct wrong right = {.name = "right"};
	int fd = open(WT_HIVES "/bad/odd-rich", O_RDONLY | O_CLOEXEC);
	struct wt_error err = {0};
	int out = -1;

	(void)state;
	wrong = &right;
	assert_int_equal(
		hive_write_now(fd, "hive", changes, 3, NULL, &out, &err),
		WT_OK);
	close(out);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_asked_for_is_let_through),
		cmocka_unit_test(every_wrong_thing_is_found),
		cmocka_unit_test(an_empty_value_that_is_not_set_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
