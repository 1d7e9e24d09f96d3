/* SPDX-License-Identifier: MIT
 * test_wim_reuse.c: of a new hive only those chunks are compressed that the
 * old one does not have. */
#include "base/child.h"
#include "wim/lib.h"
#include "wim/wim.h"

#include <wimlib.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "testfile.h"

#define CHUNK_LEN 32768
/* The blob table in the header, and its entries. */
#define TABLE_OFFSET 48
#define ENTRY_LEN 50
#define ENTRY_HASH 30

static char folder[] = "/tmp/test-wim-reuse-XXXXXX";
static struct wt_wim_options options;

/* How often wimlib_compress() was called, by children too. */
static atomic_int *compressed;

size_t __real_wimlib_compress(const void *data, size_t len, void *dst,
	size_t room, struct wimlib_compressor *compressor);
size_t __wrap_wimlib_compress(const void *data, size_t len, void *dst,
	size_t room, struct wimlib_compressor *compressor)
{
	atomic_fetch_add(compressed, 1);
	return __real_wimlib_compress(data, len, dst, room, compressor);
}

/* What wimlib is to do besides when it writes. */
static int (*meddle)(WIMStruct *wim);

/* Which entry of the blob table the disk changes when it is written. */
static int damaged_entry = -1;

/* A bit of its hash. */
static void damage_table(void)
{
	char path[4096] = "";
	uint64_t offset = 0;
	uint8_t byte = 0;
	int fd = -1;

	snprintf(path, sizeof(path), "%s/skeleton.wim", folder);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &offset, 8, TABLE_OFFSET + 8) != 8)
		_exit(99);
	offset += (uint64_t)damaged_entry * ENTRY_LEN + ENTRY_HASH;
	if (pread(fd, &byte, 1, (off_t)offset) != 1)
		_exit(99);
	byte ^= 1;
	if (pwrite(fd, &byte, 1, (off_t)offset) != 1)
		_exit(99);
	close(fd);
}

int __real_wimlib_overwrite(WIMStruct *wim, int flags, unsigned threads);
int __wrap_wimlib_overwrite(WIMStruct *wim, int flags, unsigned threads)
{
	int code = meddle ? meddle(wim) : 0;

	if (code == 0)
		code = __real_wimlib_overwrite(wim, flags, threads);
	if (code == 0 && damaged_entry >= 0)
		damage_table();
	return code;
}

/* What two children tell each other. */
static struct {
	atomic_bool is_torn, is_read;
} *meeting;

/* Without a system call, of which a child may make few. */
static void await(const atomic_bool *event)
{
	time_t end = time(NULL) + 5;

	while (!atomic_load(event) && time(NULL) < end)
		continue;
}

/* Half a header, until the hives that stand there already are read back. */
static int tear_header(WIMStruct *wim)
{
	uint64_t offset = 0, beyond = UINT64_C(1) << 32;
	char path[4096] = "";
	int fd = -1;

	(void)wim;
	snprintf(path, sizeof(path), "%s/skeleton.wim", folder);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &offset, 8, TABLE_OFFSET + 8) != 8 ||
		pwrite(fd, &beyond, 8, TABLE_OFFSET + 8) != 8)
		_exit(99);
	atomic_store(&meeting->is_torn, true);
	await(&meeting->is_read);
	if (pwrite(fd, &offset, 8, TABLE_OFFSET + 8) != 8)
		_exit(99);
	close(fd);
	return 0;
}

/* The child that reads hives back is the second one of a patch. */
static unsigned children;
static struct {
	wt_child_fn *fn;
	void *arg;
} held;

static enum wt_status held_run(void *arg, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	(void)arg;
	await(&meeting->is_torn);
	ret = held.fn(held.arg, err);
	atomic_store(&meeting->is_read, true);
	return ret;
}

enum wt_status __real_wt_wim_child_start(const char *object, unsigned seconds,
	const struct wt_wim_options *how, const struct wt_sandbox *sandbox,
	wt_child_fn *fn, void *arg, struct wt_child_job **ret_job,
	struct wt_error *err);
enum wt_status __wrap_wt_wim_child_start(const char *object, unsigned seconds,
	const struct wt_wim_options *how, const struct wt_sandbox *sandbox,
	wt_child_fn *fn, void *arg, struct wt_child_job **ret_job,
	struct wt_error *err)
{
	if (meddle == tear_header && ++children == 2) {
		held.fn = fn;
		held.arg = arg;
		fn = held_run;
	}
	return __real_wt_wim_child_start(
		object, seconds, how, sandbox, fn, arg, ret_job, err);
}

static int set_up(void **state)
{
	(void)state;
	options.temp_folder = mkdtemp(folder);
	compressed = wt_shared_new(sizeof(*compressed));
	meeting = wt_shared_new(sizeof(*meeting));
	return options.temp_folder && compressed && meeting ? 0 : 1;
}

static int tear_down(void **state)
{
	(void)state;
	wt_shared_free(compressed, sizeof(*compressed));
	wt_shared_free(meeting, sizeof(*meeting));
	return rmdir(folder);
}

static uint8_t *read_path(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *data = NULL;

	assert_true(fd >= 0);
	data = contents(fd, ret_len);
	close(fd);
	return data;
}

/* A WIM in the folder and its hives, as they are and as they shall be. */
struct world {
	char path[4096], result[4096];
	struct wt_wim *wim;
	int hives[2];
	struct wt_wim_put puts[2];
	size_t put_count;
};

static void world_open(struct world *world, const char *name)
{
	int all[] = {0, 1};
	uint8_t *data = NULL;
	char source[4096];
	size_t len = 0;
	int fd = -1;

	snprintf(source, sizeof(source), "%s/%s", WT_WIMS, name);
	snprintf(world->path, sizeof(world->path), "%s/old.wim", folder);
	snprintf(world->result, sizeof(world->result), "%s/new.wim", folder);
	data = read_path(source, &len);
	fd = open(world->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
	free(data);
	assert_int_equal(
		wt_wim_read(world->path, &options, &world->wim, NULL), WT_OK);
	world->put_count = (size_t)world->wim->info.image_count;
	assert_int_equal(
		wt_wim_extract(world->path, world->wim, all, world->put_count,
			&options, world->hives, NULL),
		WT_OK);
	for (size_t i = 0; i < world->put_count; i++) {
		data = contents(world->hives[i], &len);
		fd = memfd_create("hive", MFD_CLOEXEC);
		assert_int_equal(write(fd, data, len), len);
		free(data);
		world->puts[i] = (struct wt_wim_put){.image = (int)i,
			.hive_fd = fd,
			.old_fd = world->hives[i]};
	}
}

static void world_close(struct world *world)
{
	for (size_t i = 0; i < world->put_count; i++)
		close(world->puts[i].hive_fd);
	wt_wim_fds_close(world->hives, world->put_count);
	wt_wim_free(world->wim);
	unlink(world->path);
	unlink(world->result);
}

static void flip(int fd, off_t at)
{
	uint8_t byte = 0;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x55;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

/* Makes the patch, applies it to a copy of the WIM, and lets wimlib verify
 * that and compare each hive. Returns how many chunks were compressed. */
static int put_all(struct world *world)
{
	struct wt_wim_patch patch = {.fd = -1};
	int hives[2];
	struct wt_error err = {0};
	struct wt_wim *wim = NULL;
	uint8_t *old = NULL, *new = NULL;
	size_t old_len = 0, new_len = 0;
	char command[8300];
	int all[] = {0, 1};
	int fd = -1;

	atomic_store(compressed, 0);
	if (wt_wim_make_patch(world->path, world->wim, world->puts,
		    world->put_count, WT_ACCESS_UPDATE, &options, &patch,
		    &err) != WT_OK)
		fail_msg("%s (%s)", err.reason, err.code);
	old = read_path(world->path, &old_len);
	new = contents(patch.fd, &new_len);
	memcpy(new + WT_WIM_HEADER_LEN, old + WT_WIM_HEADER_LEN,
		patch.tail_offset - WT_WIM_HEADER_LEN);
	fd = open(
		world->result, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, new, new_len), new_len);
	close(fd);
	close(patch.fd);
	free(old);
	free(new);
	snprintf(command, sizeof(command),
		"wimlib-imagex verify %s >/dev/null 2>&1", world->result);
	assert_int_equal(system(command), 0);
	assert_int_equal(
		wt_wim_read(world->result, &options, &wim, NULL), WT_OK);
	assert_int_equal(wt_wim_extract(world->result, wim, all,
				 world->put_count, &options, hives, NULL),
		WT_OK);
	for (size_t i = 0; i < world->put_count; i++) {
		old = contents(world->puts[i].hive_fd, &old_len);
		new = contents(hives[i], &new_len);
		assert_int_equal(new_len, old_len);
		assert_memory_equal(new, old, new_len);
		free(old);
		free(new);
	}
	wt_wim_fds_close(hives, world->put_count);
	wt_wim_free(wim);
	return atomic_load(compressed);
}

static void only_chunks_that_differ_are_compressed(void **state)
{
	static const char *const names[] = {"plain.wim", "xpress.wim"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct world world = {0};

		world_open(&world, names[i]);
		flip(world.puts[0].hive_fd, CHUNK_LEN + 100);
		assert_int_equal(put_all(&world), 1);
		flip(world.puts[0].hive_fd, 100);
		assert_int_equal(put_all(&world), 2);
		world_close(&world);
	}
}

static void hives_are_read_back_whatever_wimlib_writes_meanwhile(void **state)
{
	struct world world = {0};

	(void)state;
	world_open(&world, "plain.wim");
	flip(world.puts[0].hive_fd, 100);
	meddle = tear_header;
	assert_int_equal(put_all(&world), 1);
	meddle = NULL;
	assert_true(atomic_load(&meeting->is_torn));
	assert_true(atomic_load(&meeting->is_read));
	world_close(&world);
}

static void hive_of_another_length_is_put(void **state)
{
	struct world world = {0};
	uint64_t len = 0;
	uint64_t chunks = 0;
	int fd = -1;

	(void)state;
	world_open(&world, "no-slack.wim");
	fd = world.puts[0].hive_fd;
	len = world.wim->images[0].hive_len;
	chunks = (len + CHUNK_LEN - 1) / CHUNK_LEN;
	assert_true(chunks >= 3 && len % CHUNK_LEN != 0);
	/* The last chunk becomes whole, another follows. */
	assert_int_equal(ftruncate(fd, (off_t)(chunks * CHUNK_LEN + 4096)), 0);
	assert_int_equal(put_all(&world), 2);
	assert_int_equal(ftruncate(fd, (off_t)(chunks * CHUNK_LEN)), 0);
	assert_int_equal(put_all(&world), 1);
	/* Whole chunks of the old one, all of them. */
	assert_int_equal(ftruncate(fd, 2 * CHUNK_LEN), 0);
	assert_int_equal(put_all(&world), 0);
	/* The first chunk is whole in the old hive and is not in this one. */
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(put_all(&world), 1);
	world_close(&world);
}

static void what_does_not_apply_is_left_to_wimlib(void **state)
{
	static const char *const names[] = {
		"none.wim", "two.wim", "solid.esd", "lzms.wim"};
	struct world world = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		world = (struct world){0};
		world_open(&world, names[i]);
		flip(world.puts[0].hive_fd, 100);
		assert_int_equal(put_all(&world), 0);
		world_close(&world);
	}
	world = (struct world){0};
	world_open(&world, "plain.wim");
	flip(world.puts[0].hive_fd, 100);
	world.puts[0].old_fd = -1;
	assert_int_equal(put_all(&world), 0);
	world_close(&world);
}

/* The file does not change between reading the hive and its chunks. If it did,
 * the result would be refused or right. */
static void nonsense_between_chunks_is_not_followed(void **state)
{
	static const struct {
		uint8_t offset[4]; /* of the second chunk */
		enum wt_status status;
	} rows[] = {
		{{0xff, 0xff, 0xff, 0xff}, WT_OK},
		{{0, 0, 0, 0}, WT_OK},
		{{1, 0, 0, 0}, WT_ERR_WIM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_error err = {0};
		struct world world = {0};
		int fd = -1;

		world_open(&world, "plain.wim");
		flip(world.puts[0].hive_fd, CHUNK_LEN + 100);
		fd = open(world.path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(
			pwrite(fd, rows[i].offset, 4,
				(off_t)world.wim->images[0].hive_place.offset),
			4);
		close(fd);
		atomic_store(compressed, 0);
		assert_int_equal(
			wt_wim_make_patch(world.path, world.wim, world.puts, 1,
				WT_ACCESS_UPDATE, &options, &patch, &err),
			rows[i].status);
		if (patch.fd >= 0) {
			assert_int_equal(atomic_load(compressed), 2);
			close(patch.fd);
		}
		world_close(&world);
	}
}

static bool wants_each(const void *ctx, const struct wt_wim_image *image)
{
	(void)ctx;
	(void)image;
	return true;
}

/* Is the damage told, when the hive is taken out or when it is checked?
 * Returns 1 when only the check tells it. */
static int damage_is_told(const struct world *world)
{
	struct wt_wim_options taking = options;
	int hive = -1;
	struct wt_error err = {0};
	struct wt_wim *wim = NULL;
	bool is_taken = false;
	int first = 0;

	taking.wants_hive = wants_each;
	assert_int_equal(wt_wim_read(world->path, &taking, &wim, NULL), WT_OK);
	is_taken = wim->images[0].hive_fd >= 0;
	if (is_taken)
		assert_int_equal(
			wt_wim_hive_check(&wim->images[0],
				wim->images[0].hive_fd, "hive", NULL, &err),
			WT_ERR_WIM);
	else
		assert_int_equal(wt_wim_extract(world->path, wim, &first, 1,
					 &options, &hive, &err),
			WT_ERR_WIM);
	assert_string_equal(err.code, "wim-damaged");
	wt_wim_free(wim);
	return is_taken;
}

/* Many bytes of a chunk can change so that it still decompresses. */
static void damaged_chunks_are_told_and_not_put(void **state)
{
	static const char *const names[] = {"plain.wim", "xpress.wim"};
	int told = 0;

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		struct wt_wim_patch patch = {.fd = -1};
		const struct wt_wim_extent *stored = NULL;
		struct wt_error err = {0};
		struct world world = {0};
		int fd = -1;

		world_open(&world, names[i % 2]);
		stored = &world.wim->images[0].hive_place;
		/* The first chunk is compressed again, the last ones are not.
		 */
		flip(world.puts[0].hive_fd, 100);
		fd = open(world.path, O_RDWR | O_CLOEXEC);
		flip(fd, (off_t)(stored->offset + stored->len / 80 * (40 + i)));
		close(fd);
		told += damage_is_told(&world);
		assert_int_equal(
			wt_wim_make_patch(world.path, world.wim, world.puts, 1,
				WT_ACCESS_UPDATE, &options, &patch, &err),
			WT_ERR_WIM);
		assert_int_equal(patch.fd, -1);
		world_close(&world);
	}
	assert_true(told > 0);
}

static void hive_of_two_images_is_stored_once(void **state)
{
	struct world world = {0};
	struct stat one = {0}, two = {0};
	char command[8300];

	(void)state;
	world_open(&world, "plain.wim");
	flip(world.puts[0].hive_fd, 100);
	put_all(&world);
	assert_int_equal(stat(world.result, &one), 0);
	snprintf(command, sizeof(command),
		"wimlib-imagex export %s 1 %s again >/dev/null 2>&1",
		world.path, world.path);
	assert_int_equal(system(command), 0);
	wt_wim_free(world.wim);
	assert_int_equal(
		wt_wim_read(world.path, &options, &world.wim, NULL), WT_OK);
	assert_int_equal(world.wim->info.image_count, 2);
	world.puts[1] = world.puts[0];
	world.puts[1].image = 1;
	world.put_count = 2;
	assert_int_equal(put_all(&world), 1);
	assert_int_equal(stat(world.result, &two), 0);
	assert_true(two.st_size < one.st_size + CHUNK_LEN);
	world.put_count = 1;
	world_close(&world);
}

static int rename_image(WIMStruct *wim)
{
	return wimlib_set_image_name(wim, 1, "another");
}

static int describe_image(WIMStruct *wim)
{
	return wimlib_set_image_descripton(wim, 1, "another");
}

static int delete_file(WIMStruct *wim)
{
	return wimlib_delete_path(
		wim, 1, "/Windows/System32/config/SOFTWARE", 0);
}

static int make_other_bootable(WIMStruct *wim)
{
	const struct wimlib_wim_info info = {.boot_index = 0};

	return wimlib_set_wim_info(wim, &info, WIMLIB_CHANGE_BOOT_INDEX);
}

/* What puts a hive where it does not belong. */
static int other_fd;

static int put_hive(WIMStruct *wim, int image)
{
	char source[64] = "", path[] = "/Windows/System32/config/SOFTWARE";
	const struct wimlib_update_command command = {
		.op = WIMLIB_UPDATE_OP_ADD,
		.add.fs_source_path = source,
		.add.wim_target_path = path,
		.add.add_flags =
			WIMLIB_ADD_FLAG_DEREFERENCE | WIMLIB_ADD_FLAG_NORPFIX,
	};

	snprintf(source, sizeof(source), "/proc/self/fd/%d", other_fd);
	return wimlib_update_image(wim, image, &command, 1, 0);
}

static int put_other_hive(WIMStruct *wim)
{
	return put_hive(wim, 1);
}

static int change_other_image(WIMStruct *wim)
{
	return put_hive(wim, 2);
}

/* The hive that was given, in the image that it was given for. */
static void each_hive_goes_where_it_belongs(void **state)
{
	static const struct {
		int (*way)(WIMStruct *);
		const char *reason;
	} cases[] = {
		{put_other_hive, "hive that wimlib wrote to image 1 is not"},
		{change_other_image, "changed image 2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_error err = {0};
		struct world world = {0};

		world_open(&world, "two.wim");
		flip(world.puts[0].hive_fd, 100);
		other_fd = i == 0 ? world.hives[0] : world.puts[0].hive_fd;
		meddle = cases[i].way;
		assert_int_equal(
			wt_wim_make_patch(world.path, world.wim, world.puts, 1,
				WT_ACCESS_UPDATE, &options, &patch, &err),
			WT_ERR_WIM);
		meddle = NULL;
		assert_string_equal(err.code, "wim-append");
		if (!strstr(err.reason, cases[i].reason))
			fail_msg("%s", err.reason);
		world_close(&world);
	}
}

/* Whichever of its entries the disk changes. */
static void a_damaged_blob_table_is_refused(void **state)
{
	(void)state;
	for (damaged_entry = 0; damaged_entry < 4; damaged_entry++) {
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_error err = {0};
		struct world world = {0};

		world_open(&world, "plain.wim");
		flip(world.puts[0].hive_fd, 100);
		assert_int_equal(
			wt_wim_make_patch(world.path, world.wim, world.puts, 1,
				WT_ACCESS_UPDATE, &options, &patch, &err),
			WT_ERR_WIM);
		world_close(&world);
	}
	damaged_entry = -1;
}

/* Only the hive may differ in what wimlib writes. */
static void what_else_wimlib_changes_is_refused(void **state)
{
	int (*const ways[])(WIMStruct *) = {
		rename_image, describe_image, delete_file, make_other_bootable};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_error err = {0};
		struct world world = {0};

		world_open(&world, "plain.wim");
		flip(world.puts[0].hive_fd, 100);
		meddle = ways[i];
		assert_int_equal(
			wt_wim_make_patch(world.path, world.wim, world.puts, 1,
				WT_ACCESS_UPDATE, &options, &patch, &err),
			WT_ERR_WIM);
		meddle = NULL;
		assert_string_equal(err.code, "wim-append");
		assert_int_equal(patch.fd, -1);
		world_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_chunks_that_differ_are_compressed),
		cmocka_unit_test(
			hives_are_read_back_whatever_wimlib_writes_meanwhile),
		cmocka_unit_test(hive_of_another_length_is_put),
		cmocka_unit_test(what_does_not_apply_is_left_to_wimlib),
		cmocka_unit_test(nonsense_between_chunks_is_not_followed),
		cmocka_unit_test(damaged_chunks_are_told_and_not_put),
		cmocka_unit_test(hive_of_two_images_is_stored_once),
		cmocka_unit_test(each_hive_goes_where_it_belongs),
		cmocka_unit_test(a_damaged_blob_table_is_refused),
		cmocka_unit_test(what_else_wimlib_changes_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
