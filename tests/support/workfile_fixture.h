/* SPDX-License-Identifier: MIT
 * workfile_fixture.h: a file with a patch, alone in a folder of its own. */
#ifndef WORKFILE_FIXTURE_H
#define WORKFILE_FIXTURE_H

#include "file/workfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define OLD_LEN ((size_t)40000)
#define HEAD_LEN ((size_t)208)
#define TAIL_LEN ((size_t)9000)
#define SHORT_LEN ((size_t)9 * 4096)

/** The patch is that of a WIM: a header and a tail. */
struct fixture {
	char *folder;
	char *target;
	uint8_t old_data[OLD_LEN];
	uint8_t new_data[OLD_LEN + TAIL_LEN];
	int src_fd; /**< new_data */
	struct wt_extent extents[8];
	struct wt_patch patch;
};

static inline char *fixture_path(
	const struct fixture *fixture, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", fixture->folder, name) > 0);
	return path;
}

static inline void fixture_write(
	const char *path, const void *data, size_t data_len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, data_len), data_len);
	close(fd);
}

static inline int fixture_new(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const char *parent = getenv("TMPDIR");

	assert_non_null(fixture);
	assert_true(asprintf(&fixture->folder, "%s/wt-test-XXXXXX",
			    parent ? parent : "/tmp") > 0);
	assert_non_null(mkdtemp(fixture->folder));
	fixture->target = fixture_path(fixture, "target.wim");
	for (size_t i = 0; i < OLD_LEN + TAIL_LEN; i++)
		fixture->new_data[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(fixture->old_data, fixture->new_data, OLD_LEN);
	for (size_t i = 0; i < HEAD_LEN; i++)
		fixture->new_data[i] ^= 0x5a;
	fixture_write(fixture->target, fixture->old_data, OLD_LEN);
	fixture->src_fd = memfd_create("patch", MFD_CLOEXEC);
	assert_int_equal(
		write(fixture->src_fd, fixture->new_data, OLD_LEN + TAIL_LEN),
		OLD_LEN + TAIL_LEN);
	fixture->extents[0] = (struct wt_extent){
		.offset = 0, .len = HEAD_LEN, .src_fd = fixture->src_fd};
	fixture->extents[1] = (struct wt_extent){.offset = OLD_LEN,
		.len = TAIL_LEN,
		.src_fd = fixture->src_fd,
		.src_offset = OLD_LEN};
	fixture->patch = (struct wt_patch){.old_len = OLD_LEN,
		.new_len = OLD_LEN + TAIL_LEN,
		.extents = fixture->extents,
		.extent_count = 2};
	*state = fixture;
	return 0;
}

/** Makes it a bare hive's: three pages, and some at the end. */
static inline void fixture_use_pages(struct fixture *fixture)
{
	static const size_t pages[] = {0, 3, 8};
	size_t count = 0;

	memcpy(fixture->new_data, fixture->old_data, HEAD_LEN);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		size_t offset = pages[i] * 4096;

		for (size_t at = offset; at < offset + 4096; at++)
			fixture->new_data[at] ^= 0x5a;
		fixture->extents[count++] = (struct wt_extent){.offset = offset,
			.len = 4096,
			.src_fd = fixture->src_fd,
			.src_offset = offset};
	}
	fixture->extents[count++] = (struct wt_extent){.offset = OLD_LEN,
		.len = TAIL_LEN,
		.src_fd = fixture->src_fd,
		.src_offset = OLD_LEN};
	fixture->patch.extent_count = count;
	assert_int_equal(pwrite(fixture->src_fd, fixture->new_data,
				 OLD_LEN + TAIL_LEN, 0),
		OLD_LEN + TAIL_LEN);
}

/** Makes it that of a hive with room behind its last bin, which goes. */
static inline void fixture_use_short(struct fixture *fixture)
{
	fixture_use_pages(fixture);
	fixture->patch.extent_count--;
	fixture->patch.new_len = SHORT_LEN;
}

/** Removes everything in the folder but the target. */
static inline void fixture_tidy(const struct fixture *fixture)
{
	DIR *dir = opendir(fixture->folder);
	struct dirent *entry = NULL;

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, "target.wim") != 0 &&
			unlinkat(dirfd(dir), entry->d_name, 0) != 0)
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

static inline int fixture_free(void **state)
{
	struct fixture *fixture = *state;

	fixture_tidy(fixture);
	unlink(fixture->target);
	rmdir(fixture->folder);
	close(fixture->src_fd);
	free(fixture->folder);
	free(fixture->target);
	free(fixture);
	return 0;
}

/** How many names the folder holds. */
static inline int fixture_count(const struct fixture *fixture)
{
	DIR *dir = opendir(fixture->folder);
	int count = -2;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static inline size_t fixture_len(const char *path)
{
	struct stat found = {0};

	assert_int_equal(stat(path, &found), 0);
	return (size_t)found.st_size;
}

static inline bool fixture_holds(int fd, const void *data, size_t len)
{
	uint8_t buffer[OLD_LEN + TAIL_LEN + 1];
	ssize_t got = pread(fd, buffer, sizeof(buffer), 0);

	return got == (ssize_t)len && memcmp(buffer, data, len) == 0;
}

static inline bool fixture_path_holds(
	const char *path, const void *data, size_t len)
{
	int fd = open(path, O_RDONLY);
	bool is_same = fd >= 0 && fixture_holds(fd, data, len);

	if (fd >= 0)
		close(fd);
	return is_same;
}

static inline bool fixture_is_old(
	const struct fixture *fixture, const char *path)
{
	return fixture_path_holds(path, fixture->old_data, OLD_LEN);
}

static inline bool fixture_is_new(
	const struct fixture *fixture, const char *path)
{
	return fixture_path_holds(
		path, fixture->new_data, fixture->patch.new_len);
}

#endif
