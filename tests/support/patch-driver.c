/* SPDX-License-Identifier: MIT
 * patch-driver.c: makes one file into another by the means of workfile.h.
 *
 *   patch-driver copy|place KIND TARGET NEW        change TARGET into NEW
 *   patch-driver copy|place grow TARGET N          add 512 bytes of value N
 *   patch-driver output KIND TARGET NEW OUT        the same, to OUT
 *   patch-driver read TARGET STATE                 what a reader sees, to STATE
 *   patch-driver recover TARGET                    what the next writer does
 *
 * KIND "wim" replaces the first 208 bytes, another one all pages that differ.
 * Exits with the status and says the code, as the program does. */
#include "file/workfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_LEN 208
#define PAGE_LEN 4096
#define GROW_LEN 512
#define EXTENTS_MAX 4096
#define WAIT_SECONDS 60

static volatile sig_atomic_t cancel;

static void on_signal(int number)
{
	cancel = number;
}

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static uint64_t len_of(int fd)
{
	struct stat found;

	if (fstat(fd, &found) != 0)
		die("fstat");
	return (uint64_t)found.st_size;
}

static void add(
	struct wt_patch *patch, int src_fd, uint64_t offset, uint64_t len)
{
	if (patch->extent_count == EXTENTS_MAX)
		die("too many pages");
	patch->extents[patch->extent_count++] = (struct wt_extent){
		.offset = offset,
		.len = len,
		.src_fd = src_fd,
		.src_offset = offset,
	};
}

static void add_pages(struct wt_patch *patch, int old_fd, int new_fd)
{
	char old_page[PAGE_LEN];
	char new_page[PAGE_LEN];

	for (uint64_t at = 0; at + PAGE_LEN <= patch->old_len &&
			      at + PAGE_LEN <= patch->new_len;
		at += PAGE_LEN) {
		if (pread(old_fd, old_page, PAGE_LEN, (off_t)at) != PAGE_LEN ||
			pread(new_fd, new_page, PAGE_LEN, (off_t)at) !=
				PAGE_LEN)
			die("pread");
		if (memcmp(old_page, new_page, PAGE_LEN) != 0)
			add(patch, new_fd, at, PAGE_LEN);
	}
}

/* A new head, one higher, and bytes that say who was here. */
static int grown_new(int old_fd, const char *number)
{
	char data[HEAD_LEN + GROW_LEN];
	int fd = memfd_create("grown", MFD_CLOEXEC);

	memset(data, atoi(number), sizeof(data));
	if (fd < 0 || pread(old_fd, data, HEAD_LEN, 0) != HEAD_LEN)
		die("head");
	data[0]++;
	if (write(fd, data, sizeof(data)) != sizeof(data))
		die("write");
	return fd;
}

static void patch_fill(
	struct wt_patch *patch, const char *kind, int old_fd, int new_fd)
{
	if (strcmp(kind, "grow") == 0) {
		patch->new_len = patch->old_len + GROW_LEN;
		add(patch, new_fd, 0, HEAD_LEN);
		add(patch, new_fd, patch->old_len, GROW_LEN);
		patch->extents[1].src_offset = HEAD_LEN;
		return;
	}
	patch->new_len = len_of(new_fd);
	if (strcmp(kind, "wim") == 0)
		add(patch, new_fd, 0, HEAD_LEN);
	else
		add_pages(patch, old_fd, new_fd);
	if (patch->new_len > patch->old_len)
		add(patch, new_fd, patch->old_len,
			patch->new_len - patch->old_len);
}

static enum wt_status change(const char *how, const char *kind,
	const char *target, const char *new_path, const char *output,
	struct wt_error *err)
{
	static struct wt_extent extents[EXTENTS_MAX];
	struct wt_patch patch = {.extents = extents};
	struct wt_publish publish = {
		.output = output,
		.backup_suffix = getenv("PATCH_DRIVER_BACKUP"),
		.cancel = &cancel,
	};
	struct wt_workfile *file = NULL;
	struct wt_copy *copy = NULL;
	enum wt_status ret = WT_OK;
	int new_fd = -1;

	ret = wt_workfile_lock(target, -1, WAIT_SECONDS, &cancel, &file, err);
	if (ret != WT_OK)
		goto out;
	if (file->note[0] != '\0')
		fprintf(stderr, "note: %s\n", file->note);
	patch.old_len = file->len;
	new_fd = strcmp(kind, "grow") == 0 ? grown_new(file->fd, new_path)
					   : open(new_path, O_RDONLY);
	if (new_fd < 0)
		die(new_path);
	patch_fill(&patch, kind, file->fd, new_fd);
	if (strcmp(how, "place") == 0) {
		ret = wt_workfile_patch(file, &patch, &publish, err);
	} else {
		ret = wt_copy_begin(file, &publish,
			patch.new_len > patch.old_len
				? patch.new_len - patch.old_len
				: 0,
			&copy, err);
		if (ret == WT_OK)
			ret = wt_copy_publish(copy, &patch, err);
	}
out:
	wt_workfile_close(file);
	if (new_fd >= 0)
		close(new_fd);
	return ret;
}

static enum wt_status state_read(
	const char *target, const char *state, struct wt_error *err)
{
	static char buffer[65536];
	struct wt_workfile *file = NULL;
	enum wt_status ret = wt_workfile_open(target, -1, &file, err);
	int fd = -1;

	if (ret != WT_OK)
		return ret;
	if (file->note[0] != '\0')
		fprintf(stderr, "note: %s\n", file->note);
	fd = open(state, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (uint64_t at = 0; at < file->len;) {
		size_t want = sizeof(buffer);
		ssize_t got = 0;

		if (want > file->len - at)
			want = (size_t)(file->len - at);
		got = pread(file->fd, buffer, want, (off_t)at);
		if (got <= 0 || write(fd, buffer, (size_t)got) != got)
			die("copy");
		at += (uint64_t)got;
	}
	close(fd);
	wt_workfile_close(file);
	return ret;
}

static enum wt_status recover(const char *target, struct wt_error *err)
{
	struct wt_workfile *file = NULL;
	enum wt_status ret =
		wt_workfile_lock(target, -1, WAIT_SECONDS, &cancel, &file, err);

	if (ret == WT_OK && file->note[0] != '\0')
		fprintf(stderr, "note: %s\n", file->note);
	wt_workfile_close(file);
	return ret;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct wt_error err = {0};
	enum wt_status ret = WT_ERR_USAGE;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	if (argc >= 5)
		ret = change(argv[1], argv[2], argv[3], argv[4], argv[5], &err);
	else if (argc == 4 && strcmp(argv[1], "read") == 0)
		ret = state_read(argv[2], argv[3], &err);
	else if (argc == 3 && strcmp(argv[1], "recover") == 0)
		ret = recover(argv[2], &err);
	if (ret != WT_OK)
		fprintf(stderr, "%s: %s: %s\n", err.code, err.object,
			err.reason);
	return ret == WT_INTERRUPTED ? 128 + err.native : (int)ret;
}
