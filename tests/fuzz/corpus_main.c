/* SPDX-License-Identifier: MIT
 * corpus_main.c: runs a fuzz target on files and folders of files. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static size_t count;

static int file_run(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long len = 0;
	int result = 1;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (len = ftell(file)) < 0)
		goto out;
	rewind(file);
	/* exactly as long as the input, so that asan sees one byte more */
	data = malloc(len ? (size_t)len : 1);
	if (!data || fread(data, 1, (size_t)len, file) != (size_t)len)
		goto out;
	/* seen only when it crashes */
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, (size_t)len);
	count++;
	result = 0;
out:
	if (result != 0)
		perror(path);
	free(data);
	if (file)
		fclose(file);
	return result;
}

static int folder_run(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry = NULL;
	char name[4096] = "";
	int result = 0;

	/* A target in which the fuzzer never found a fault has no folder. */
	if (!folder)
		return errno == ENOENT ? 0 : file_run(path);
	while (result == 0 && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		result = file_run(name);
	}
	closedir(folder);
	return result;
}

int main(int argc, char **argv)
{
	int result = 0;

	for (int i = 1; result == 0 && i < argc; i++)
		result = folder_run(argv[i]);
	printf("%zu inputs\n", count);
	return result == 0 && count > 0 ? 0 : 1;
}
