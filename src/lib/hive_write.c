/* SPDX-License-Identifier: MIT
 * hive_write.c: writes a changed copy of a hive, in a child. */
#include "hive.h"
#include "hive_map.h"

#include <errno.h>
#include <hivex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct writer {
	int hive_fd;
	int out_fd;
	const char *object;
	const struct wt_hive_change *changes;
	size_t change_count;
};

static enum wt_status hivex_failed(
	const struct writer *writer, const char *what, struct wt_error *err)
{
	int number = errno;

	if (number == ENOMEM)
		return wt_fail_memory(err);
	wt_fail(err, WT_ERR_HIVE, "hive-damaged", writer->object, "%s: %s",
		what, strerror(number));
	wt_error_native(err, WT_DOMAIN_HIVEX, number);
	return WT_ERR_HIVE;
}

static enum wt_status change_apply(const struct writer *writer, hive_h *hive,
	const struct wt_hive_change *change, struct wt_error *err)
{
	hive_node_h node = hivex_root(hive);
	hive_set_value value = {.key = (char *)"Blob",
		.t = hive_t_REG_BINARY,
		.len = change->blob_len,
		.value = (char *)change->blob};
	char path[512] = "";
	char *rest = path;

	snprintf(path, sizeof(path), "%s\\%s\\Certificates\\%s",
		wt_hive_place_path(change->place), wt_store_name(change->store),
		change->key);
	for (char *name = strtok_r(path, "\\", &rest); name;
		name = strtok_r(NULL, "\\", &rest)) {
		hive_node_h child = hivex_node_get_child(hive, node, name);

		if (child == 0 && !change->blob)
			return WT_OK;
		if (child == 0)
			child = hivex_node_add_child(hive, node, name);
		if (child == 0)
			return hivex_failed(writer, "cannot add a key", err);
		node = child;
	}
	if (!change->blob ? hivex_node_delete_child(hive, node) != 0
			  : hivex_node_set_value(hive, node, &value, 0) != 0)
		return hivex_failed(writer, "cannot change a key", err);
	return WT_OK;
}

static enum wt_status write_in_child(void *arg, struct wt_error *err)
{
	const struct writer *writer = arg;
	enum wt_status ret = WT_OK;
	char path[32] = "";
	hive_h *hive = NULL;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", writer->hive_fd);
	hive = hivex_open(path, HIVEX_OPEN_WRITE);
	if (!hive)
		return hivex_failed(writer, "hivex cannot open it", err);
	for (size_t i = 0; ret == WT_OK && i < writer->change_count; i++)
		ret = change_apply(writer, hive, &writer->changes[i], err);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", writer->out_fd);
	if (ret == WT_OK && hivex_commit(hive, path, 0) != 0)
		ret = hivex_failed(writer, "cannot write the hive", err);
	hivex_close(hive);
	return ret;
}

enum wt_status wt_hive_write(int hive_fd, const char *object,
	const struct wt_hive_change *changes, size_t change_count,
	const volatile sig_atomic_t *cancel, int *ret_fd, struct wt_error *err)
{
	struct writer writer = {.hive_fd = hive_fd,
		.out_fd = -1,
		.object = object,
		.changes = changes,
		.change_count = change_count};
	struct wt_child child = {0};
	uint64_t len = 0;
	uint64_t new_len = 0;
	enum wt_status ret = wt_hive_file_len(hive_fd, object, &len, err);

	for (size_t i = 0; i < change_count; i++)
		new_len += changes[i].blob_len + WT_HIVE_PAGE;
	if (ret == WT_OK)
		ret = wt_hive_memfd(
			"wimtrust-hive", object, &writer.out_fd, err);
	if (ret != WT_OK)
		return ret;
	child = wt_hive_child(len, new_len, object, cancel);
	ret = wt_child_run(&child, write_in_child, &writer, err);
	if (ret != WT_OK) {
		close(writer.out_fd);
		return ret;
	}
	*ret_fd = writer.out_fd;
	return WT_OK;
}
