/* SPDX-License-Identifier: MIT
 * test_wim_fail.c: whatever call fails while a WIM is read or a patch is made,
 * the error says so, outputs are untouched and nothing is left behind. */
#include "fail.h"
#include "wim/wim.h"

#include <wimlib.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "testfile.h"

/* After this many harmless failures in a row, no calls are left. Some may fail,
 * such as the probe for a better way. */
#define HARMLESS_MAX 25
#define CALLS_MAX 1000

static char folder[] = "/tmp/test-wim-fail-XXXXXX";
static struct wt_wim_options options;

/* Counted along the way from this process into its children. */
static bool is_armed;
static unsigned calls;
static unsigned fail_at;

static bool is_failing(void)
{
	return is_armed && ++calls == fail_at;
}

#define WRAP(type, name, failure, params, args)                                \
	type __real_##name params;                                             \
	type __wrap_##name params;                                             \
	type __wrap_##name params                                              \
	{                                                                      \
		if (is_failing()) {                                            \
			errno = EIO;                                           \
			return failure;                                        \
		}                                                              \
		return __real_##name args;                                     \
	}

WRAP(int, wimlib_global_init, WIMLIB_ERR_NOMEM, (int flags), (flags))
WRAP(int, wimlib_open_wim, WIMLIB_ERR_OPEN,
	(const char *path, int flags, WIMStruct **wim), (path, flags, wim))
WRAP(int, wimlib_open_wim_with_progress, WIMLIB_ERR_OPEN,
	(const char *path, int flags, WIMStruct **wim,
		wimlib_progress_func_t progress, void *ctx),
	(path, flags, wim, progress, ctx))
WRAP(int, wimlib_iterate_lookup_table, WIMLIB_ERR_NOMEM,
	(WIMStruct * wim, int flags,
		wimlib_iterate_lookup_table_callback_t callback, void *ctx),
	(wim, flags, callback, ctx))
WRAP(int, wimlib_iterate_dir_tree, WIMLIB_ERR_NOMEM,
	(WIMStruct * wim, int image, const char *path, int flags,
		wimlib_iterate_dir_tree_callback_t callback, void *ctx),
	(wim, image, path, flags, callback, ctx))
WRAP(int, wimlib_extract_paths, WIMLIB_ERR_READ,
	(WIMStruct * wim, int image, const char *target,
		const char *const *paths, size_t count, int flags),
	(wim, image, target, paths, count, flags))
WRAP(int, wimlib_update_image, WIMLIB_ERR_NOMEM,
	(WIMStruct * wim, int image,
		const struct wimlib_update_command *commands, size_t count,
		int flags),
	(wim, image, commands, count, flags))
WRAP(int, wimlib_overwrite, WIMLIB_ERR_WRITE,
	(WIMStruct * wim, int flags, unsigned threads), (wim, flags, threads))
WRAP(int, wimlib_write, WIMLIB_ERR_WRITE,
	(WIMStruct * wim, const char *path, int image, int flags,
		unsigned threads),
	(wim, path, image, flags, threads))
WRAP(int, wimlib_mount_image, WIMLIB_ERR_FUSE,
	(WIMStruct * wim, int image, const char *path, int flags,
		const char *staging),
	(wim, image, path, flags, staging))
WRAP(int, wimlib_unmount_image, WIMLIB_ERR_NOMEM, (const char *path, int flags),
	(path, flags))
WRAP(int, wimlib_create_compressor, WIMLIB_ERR_NOMEM,
	(enum wimlib_compression_type type, size_t len, unsigned level,
		struct wimlib_compressor **compressor),
	(type, len, level, compressor))
WRAP(pid_t, fork, -1, (void), ())
WRAP(int, mkdir, -1, (const char *path, mode_t mode), (path, mode))
WRAP(int, pipe2, -1, (int *fds, int flags), (fds, flags))
WRAP(int, dup2, -1, (int from, int to), (from, to))
WRAP(int, unshare, -1, (int flags), (flags))
WRAP(int, truncate64, -1, (const char *path, off_t len), (path, len))
WRAP(ssize_t, write, -1, (int fd, const void *data, size_t len),
	(fd, data, len))
WRAP(void *, mmap64, MAP_FAILED,
	(void *at, size_t len, int protection, int flags, int fd, off_t offset),
	(at, len, protection, flags, fd, offset))

static void arm(bool of_ours, unsigned n)
{
	if (of_ours) {
		calls = 0;
		fail_at = n;
		is_armed = true;
	} else {
		fail_arm(n, FAIL_ONCE, EIO);
	}
}

static void disarm(void)
{
	is_armed = false;
	fail_disarm();
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static const char sample[] = WT_WIMS "/logs.wim";

struct world {
	struct wt_wim *wim;
	int hive;
	int new_fd; /* the hive with another byte */
	enum wt_access access;
};

typedef enum wt_status step(struct world *world, struct wt_error *err);

static enum wt_status do_read(struct world *world, struct wt_error *err)
{
	struct wt_wim *wim = NULL;
	enum wt_status ret = wt_wim_read(sample, &options, &wim, err);

	(void)world;
	assert_true((ret == WT_OK) == (wim != NULL));
	wt_wim_free(wim);
	return ret;
}

static enum wt_status do_extract(struct world *world, struct wt_error *err)
{
	int hive = -7;
	int first = 0;
	enum wt_status ret = wt_wim_extract(
		sample, world->wim, &first, 1, &options, &hive, err);

	assert_true((ret == WT_OK) == (hive != -7));
	if (ret == WT_OK)
		wt_wim_fds_close(&hive, 1);
	return ret;
}

static enum wt_status do_patch(struct world *world, struct wt_error *err)
{
	const struct wt_wim_put put = {
		.image = 0, .hive_fd = world->new_fd, .old_fd = world->hive};
	struct wt_wim_patch patch = {.fd = -7};
	enum wt_status ret = wt_wim_make_patch(sample, world->wim, &put, 1,
		world->access, &options, &patch, err);

	assert_true((ret == WT_OK) == (patch.fd != -7));
	if (ret == WT_OK)
		close(patch.fd);
	return ret;
}

static enum wt_status do_rebuild(struct world *world, struct wt_error *err)
{
	char path[4096] = "";
	enum wt_status ret = WT_OK;

	(void)world;
	snprintf(path, sizeof(path), "%s/new.wim", folder);
	ret = wt_wim_rebuild(sample, path, &options, err);
	assert_true((ret == WT_OK) == (unlink(path) == 0));
	return ret;
}

static enum wt_status do_repair(struct world *world, struct wt_error *err)
{
	uint8_t header[WT_WIM_HEADER_LEN] = {0};
	uint64_t len = 0;
	int fd = open(WT_WIMS "/bad-interrupted.wim", O_RDONLY | O_CLOEXEC);
	enum wt_status ret = wt_wim_repair(fd, "w", header, &len, err);

	(void)world;
	close(fd);
	assert_true((ret == WT_OK) == (len != 0));
	return ret;
}

static int changed_copy(int fd)
{
	int copy = memfd_create("changed", MFD_CLOEXEC);
	uint8_t byte = 0;

	lseek(fd, 0, SEEK_SET);
	while (read(fd, &byte, 1) == 1)
		assert_int_equal(write(copy, &byte, 1), 1);
	byte ^= 1;
	assert_int_equal(pwrite(copy, &byte, 1, 5000), 1);
	return copy;
}

static void sweep(step *run, enum wt_access access, bool of_ours)
{
	struct world world = {.access = access};
	unsigned harmless = 0;
	unsigned failures = 0;
	int first = 0;
	int fds = 0;

	assert_int_equal(wt_wim_read(sample, &options, &world.wim, NULL), 0);
	assert_int_equal(wt_wim_extract(sample, world.wim, &first, 1, &options,
				 &world.hive, NULL),
		0);
	world.new_fd = changed_copy(world.hive);
	fds = count_fds();
	for (unsigned n = 1; harmless < HARMLESS_MAX; n++) {
		struct wt_error err = {0};
		enum wt_status ret = WT_OK;

		assert_true(n < CALLS_MAX);
		arm(of_ours, n);
		ret = run(&world, &err);
		disarm();
		assert_int_equal(count_fds(), fds);
		assert_int_equal(names_count(folder), 0);
		if (ret == WT_OK) {
			assert_int_equal(err.status, WT_OK);
			harmless++;
			continue;
		}
		assert_int_equal(err.status, ret);
		assert_int_not_equal(err.code[0], '\0');
		assert_int_not_equal(err.reason[0], '\0');
		failures++;
		harmless = 0;
	}
	assert_true(failures > 1);
	close(world.new_fd);
	wt_wim_fds_close(&world.hive, 1);
	wt_wim_free(world.wim);
}

static void read_survives_each_failing_call(void **state)
{
	(void)state;
	sweep(do_read, WT_ACCESS_UPDATE, false);
	sweep(do_read, WT_ACCESS_UPDATE, true);
}

static void extract_survives_each_failing_call(void **state)
{
	(void)state;
	sweep(do_extract, WT_ACCESS_UPDATE, false);
	sweep(do_extract, WT_ACCESS_UPDATE, true);
}

static void update_survives_each_failing_call(void **state)
{
	(void)state;
	sweep(do_patch, WT_ACCESS_UPDATE, false);
	sweep(do_patch, WT_ACCESS_UPDATE, true);
}

static void mount_survives_each_failing_call(void **state)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	(void)state;
	if (fd < 0)
		skip();
	close(fd);
	sweep(do_patch, WT_ACCESS_MOUNT, false);
	sweep(do_patch, WT_ACCESS_MOUNT, true);
}

static void rebuild_and_repair_survive_each_failing_call(void **state)
{
	(void)state;
	sweep(do_rebuild, WT_ACCESS_UPDATE, true);
	sweep(do_repair, WT_ACCESS_UPDATE, false);
}

static int make_folder(void **state)
{
	(void)state;
	options.temp_folder = mkdtemp(folder);
	return options.temp_folder ? 0 : 1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_survives_each_failing_call),
		cmocka_unit_test(extract_survives_each_failing_call),
		cmocka_unit_test(update_survives_each_failing_call),
		cmocka_unit_test(mount_survives_each_failing_call),
		cmocka_unit_test(rebuild_and_repair_survive_each_failing_call),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
