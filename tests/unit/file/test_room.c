/* SPDX-License-Identifier: MIT
 * test_room.c: what a file system's numbers mean. */
#include "file/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/magic.h>

static void roots_blocks_count_only_where_they_are_known(void **state)
{
	static const struct {
		long type;
		uint64_t bfree, bavail;
		bool is_root;
		uint64_t free_blocks;
	} cases[] = {
		/* Nothing reserved for root: what ext4 keeps is not free. */
		{EXT4_SUPER_MAGIC, 10000, 9509, true, 9509},
		{EXT4_SUPER_MAGIC, 491, 0, true, 0},
		/* A large disk, with a twentieth for root. */
		{EXT4_SUPER_MAGIC, 3000000, 1000000, true, 2995904},
		{EXT4_SUPER_MAGIC, 3000000, 1000000, false, 1000000},
		{EXT4_SUPER_MAGIC, 50000, 0, true, 45904},
		{OVERLAYFS_SUPER_MAGIC, 50000, 0, true, 45904},
		/* Free to nobody. */
		{BTRFS_SUPER_MAGIC, 3000000, 0, true, 0},
		{XFS_SUPER_MAGIC, 3000, 3000, true, 3000},
		{TMPFS_MAGIC, 3000, 3000, false, 3000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct statfs fs = {.f_blocks = 4000000,
			.f_type = cases[i].type,
			.f_bfree = cases[i].bfree,
			.f_bavail = cases[i].bavail,
			.f_bsize = 65536,
			.f_frsize = 1024};
		struct wt_room room = wt_room_read(&fs, cases[i].is_root);

		assert_int_equal(room.unit_len, 1024);
		assert_int_equal(room.free_len, cases[i].free_blocks * 1024);
	}
}

static void a_file_takes_whole_units(void **state)
{
	const struct wt_room room = {.unit_len = 4096};

	(void)state;
	assert_int_equal(wt_room_of_file(&room, 0), 4096);
	assert_int_equal(wt_room_of_file(&room, 1), 2 * 4096);
	assert_int_equal(wt_room_of_file(&room, 4096), 2 * 4096);
	assert_int_equal(wt_room_of_file(&room, 4097), 3 * 4096);
	assert_true(wt_room_of_file(&room, UINT64_MAX) > (UINT64_MAX >> 1));
}

static void two_sizes_are_told_apart(void **state)
{
	const struct wt_room room = {.free_len = 12345678, .unit_len = 4096};
	struct wt_room_texts texts = wt_room_texts(&room, 23456789);

	(void)state;
	assert_string_equal(texts.need, "23.5 MB");
	assert_string_equal(texts.free, "12.3 MB");
	texts = wt_room_texts(&room, 12345679);
	assert_string_equal(texts.need, "12345679 bytes");
	assert_string_equal(texts.free, "12345678 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_blocks_count_only_where_they_are_known),
		cmocka_unit_test(a_file_takes_whole_units),
		cmocka_unit_test(two_sizes_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
