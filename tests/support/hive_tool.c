/* SPDX-License-Identifier: MIT
 * hive_tool.c: reads and changes a hive from a script.
 *
 *   hive_tool list HIVE
 *   hive_tool set HIVE OUT STORE KEY BYTE LENGTH [COUNT]
 *   hive_tool delete HIVE OUT STORE KEY
 *   hive_tool apply HIVE OUT <LINES
 *
 * All in Microsoft\SystemCertificates. The value is LENGTH times BYTE; with
 * COUNT so many keys are made, called KEY and eight hex digits. LINES are STORE
 * KEY BYTE LENGTH, which sets, or STORE KEY, which deletes. Exit status
 * and stderr say how it went: the status, and the code on a line. */
#include "hivefile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const struct wt_error *err)
{
	fprintf(stderr, "%s\n%s: %s\n", err->code, err->object, err->reason);
	return (int)err->status;
}

static int list(const char *path, int fd)
{
	struct wt_hive_content *content = NULL;
	struct wt_error err = {0};

	if (hive_read_now(fd, path, NULL, &content, &err) != WT_OK)
		return failed(&err);
	printf("%llu keys\n", (unsigned long long)content->key_count);
	for (size_t i = 0; i < content->entry_count; i++)
		printf("%s\\%s\\%s %zu\n",
			wt_hive_place_path(content->entries[i].place),
			wt_store_name(content->entries[i].store),
			content->entries[i].key, content->entries[i].blob_len);
	wt_hive_content_free(content);
	return 0;
}

static int save(int fd, const char *path)
{
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct stat st = {0};
	off_t done = 0;

	if (out < 0 || fstat(fd, &st) != 0)
		return WT_ERR_FILE;
	while (done < st.st_size)
		if (sendfile(out, fd, &done, (size_t)(st.st_size - done)) <= 0)
			return WT_ERR_FILE;
	return close(out) == 0 ? 0 : WT_ERR_FILE;
}

static int change(char **argv, int argc, int fd)
{
	size_t len = argc > 7 ? strtoul(argv[7], NULL, 0) : 0;
	size_t count = argc > 8 ? strtoul(argv[8], NULL, 0) : 1;
	struct wt_hive_change *changes = calloc(count, sizeof(*changes));
	uint8_t *blob = malloc(len + 1);
	struct wt_error err = {0};
	enum wt_store store = WT_STORE_AUTO;
	int out = -1;
	int ret = 0;

	if (!changes || !blob || !wt_store_from_name(argv[4], &store))
		return WT_ERR_USAGE;
	if (argc > 7)
		memset(blob, (int)strtol(argv[6], NULL, 0), len);
	for (size_t i = 0; i < count; i++) {
		char *key = malloc(strlen(argv[5]) + 9);

		if (!key)
			return WT_ERR_FILE;
		strcpy(key, argv[5]);
		if (argc > 8)
			sprintf(key + strlen(key), "%08zX", i);
		changes[i].store = store;
		changes[i].key = key;
		changes[i].blob = argc > 7 ? blob : NULL;
		changes[i].blob_len = len;
	}
	ret = (int)hive_write_now(
		fd, argv[2], changes, count, NULL, &out, &err);
	ret = ret != 0 ? failed(&err) : save(out, argv[3]);
	for (size_t i = 0; i < count; i++)
		free((char *)changes[i].key);
	free(changes);
	free(blob);
	return ret;
}

static int apply(int fd, const char *object, const char *path)
{
	enum { MAX = 4000 };
	struct wt_hive_change *changes = calloc(MAX, sizeof(*changes));
	struct wt_error err = {0};
	char line[256] = "";
	size_t count = 0;
	int out = -1;
	int ret = 0;

	while (changes && count < MAX && fgets(line, sizeof(line), stdin)) {
		struct wt_hive_change *change = &changes[count++];
		char store[32] = "", key[128] = "";
		unsigned byte = 0, len = 0;
		int found = sscanf(
			line, "%31s %127s %u %u", store, key, &byte, &len);

		change->key = strdup(key);
		if (found < 2 || !change->key ||
			!wt_store_from_name(store, &change->store))
			return WT_ERR_USAGE;
		if (found < 4)
			continue;
		change->blob_len = len;
		change->blob = memset(malloc(len + 1), (int)byte, len + 1);
	}
	ret = (int)hive_write_now(fd, object, changes, count, NULL, &out, &err);
	ret = ret != 0 ? failed(&err) : save(out, path);
	for (size_t i = 0; i < count; i++) {
		free((char *)changes[i].key);
		free((uint8_t *)changes[i].blob);
	}
	free(changes);
	return ret;
}

int main(int argc, char **argv)
{
	int fd = argc > 2 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return WT_ERR_USAGE;
	if (strcmp(argv[1], "list") == 0)
		return list(argv[2], fd);
	if (strcmp(argv[1], "apply") == 0 && argc == 4)
		return apply(fd, argv[2], argv[3]);
	return argc >= 6 ? change(argv, argc, fd) : WT_ERR_USAGE;
}
