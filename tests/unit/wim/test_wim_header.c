/* SPDX-License-Identifier: MIT
 * test_wim_header.c: a WIM's header and what is wrong with it. */
#include "wim/header.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_LEN 100000

static void put(uint8_t *p, uint64_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static void put_resource(
	uint8_t *p, uint64_t len, uint64_t offset, uint64_t original_len)
{
	put(p, len, 7);
	put(p + 8, offset, 8);
	put(p + 16, original_len, 8);
}

/* A header of two images that is as it should be. */
static void make_header(uint8_t bytes[WT_WIM_HEADER_LEN])
{
	memset(bytes, 0, WT_WIM_HEADER_LEN);
	memcpy(bytes, "MSWIM\0\0", 8);
	put(bytes + 8, WT_WIM_HEADER_LEN, 4);
	put(bytes + 12, 0x10d00, 4);
	put(bytes + 16, 0x40002, 4);
	put(bytes + 20, 32768, 4);
	put(bytes + 40, 1, 2);
	put(bytes + 42, 1, 2);
	put(bytes + 44, 2, 4);
	put_resource(bytes + 48, 500, 90000, 500);
	put_resource(bytes + 72, 1000, 90500, 1000);
	put_resource(bytes + 96, 300, 80000, 700);
	put(bytes + 120, 2, 4);
	put_resource(bytes + 124, 52, 91500, 52);
}

static void fields_and_end_are_read(void **state)
{
	uint8_t bytes[WT_WIM_HEADER_LEN] = {0};
	struct wt_wim_header header = {0};

	(void)state;
	make_header(bytes);
	assert_int_equal(
		wt_wim_header_parse(bytes, FILE_LEN, "x.wim", &header, NULL),
		WT_OK);
	assert_int_equal(header.image_count, 2);
	assert_int_equal(header.boot_index, 2);
	assert_int_equal(header.chunk_len, 32768);
	assert_int_equal(header.used_len, 91552);
	assert_false(header.is_pipable);
	assert_false(header.is_solid);
	assert_true(wt_wim_header_is_ordered(&header));
	put_resource(bytes + 124, 52, 208, 52);
	assert_int_equal(
		wt_wim_header_parse(bytes, FILE_LEN, "x.wim", &header, NULL),
		WT_OK);
	assert_false(wt_wim_header_is_ordered(&header));
}

static void each_lie_has_its_code(void **state)
{
	static const struct {
		size_t offset, len;
		uint64_t value;
		const char *code;
	} rows[] = {
		{0, 1, 'm', "wim-not-a-wim"},
		{0, 4, 0x04034b50, "wim-not-a-wim"},
		{8, 4, 207, "wim-unsupported"},
		{12, 4, 0x10c00, "wim-unsupported"},
		{40, 2, 0, "wim-damaged"},
		{40, 2, 2, "wim-damaged"},
		{44, 4, 65535, "wim-unsupported"},
		{44, 4, 0, "wim-damaged"},  /* boot index beyond it */
		{44, 4, 11, "wim-damaged"}, /* no room in the blob table */
		{120, 4, 3, "wim-damaged"},
		{48, 7, FILE_LEN, "wim-truncated"},
		{48, 7, ((uint64_t)1 << 56) - 1, "wim-truncated"},
		{56, 8, FILE_LEN - 499, "wim-truncated"},
		{56, 8, UINT64_MAX, "wim-truncated"},
		{56, 8, 207, "wim-damaged"},
		{64, 8, (uint64_t)1 << 40, "wim-damaged"},
		{64, 8, 50, "wim-damaged"},
		{72, 7, 0, "wim-damaged"},
		{80, 8, FILE_LEN, "wim-truncated"},
		{88, 8, (uint64_t)1 << 40, "wim-damaged"},
		{104, 8, FILE_LEN, "wim-truncated"},
		{132, 8, FILE_LEN, "wim-truncated"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[WT_WIM_HEADER_LEN] = {0};
		struct wt_wim_header header = {0};
		struct wt_error err = {0};

		make_header(bytes);
		put(bytes + rows[i].offset, rows[i].value, rows[i].len);
		assert_int_equal(wt_wim_header_parse(bytes, FILE_LEN, "x.wim",
					 &header, &err),
			WT_ERR_WIM);
		assert_string_equal(err.code, rows[i].code);
		assert_string_equal(err.object, "x.wim");
		assert_int_equal(header.used_len, 0);
	}
}

static void other_files_are_named(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, offset;
		const char *code, *word;
	} rows[] = {
		{"", 0, 0, "wim-not-a-wim", "empty"},
		{"short", 5, 0, "wim-not-a-wim", "first bytes"},
		{"MSWIM\0\0", 8, 0, "wim-truncated", "header"},
		{"CD001", 5, 32769, "wim-not-a-wim", "ISO"},
		{"PK\3\4", 4, 0, "wim-not-a-wim", ".zip"},
		{"vhdxfile", 8, 0, "wim-not-a-wim", "VHDX"},
		{"WLPWM\0\0", 8, 0, "wim-unsupported", "header"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = memfd_create("bad", MFD_CLOEXEC);
		struct wt_wim_header header = {0};
		struct wt_error err = {0};

		assert_int_equal(pwrite(fd, rows[i].bytes, rows[i].len,
					 (off_t)rows[i].offset),
			rows[i].len);
		assert_int_equal(wt_wim_header_read(fd, "thing", &header, NULL,
					 NULL, &err),
			WT_ERR_WIM);
		assert_string_equal(err.code, rows[i].code);
		assert_non_null(strstr(err.reason, rows[i].word));
		close(fd);
	}
}

static void cut_off_pipable_wim_is_told(void **state)
{
	uint8_t zeroes[600] = "WLPWM\0\0";
	int fd = memfd_create("bad", MFD_CLOEXEC);
	struct wt_wim_header header = {0};
	struct wt_error err = {0};

	(void)state;
	assert_int_equal(write(fd, zeroes, sizeof(zeroes)), sizeof(zeroes));
	assert_int_equal(
		wt_wim_header_read(fd, "thing", &header, NULL, NULL, &err),
		WT_ERR_WIM);
	assert_string_equal(err.code, "wim-truncated");
	close(fd);
}

static void real_file_cut_anywhere_is_told(void **state)
{
	static uint8_t data[4 << 20];
	int fd = open(WT_WIMS "/two.wim", O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, data, sizeof(data));
	uint8_t bytes[WT_WIM_HEADER_LEN] = {0};
	struct wt_wim_header header = {0};
	uint64_t file_len = 0;

	(void)state;
	assert_true(len > WT_WIM_HEADER_LEN);
	assert_int_equal(wt_wim_header_read(
				 fd, "thing", &header, bytes, &file_len, NULL),
		WT_OK);
	assert_int_equal(file_len, len);
	assert_int_equal(header.used_len, len);
	assert_memory_equal(bytes, data, sizeof(bytes));
	close(fd);
	for (ssize_t cut = 8; cut < len; cut += cut < 300 ? 1 : len / 50) {
		struct wt_error err = {0};
		int cut_fd = memfd_create("cut", MFD_CLOEXEC);

		assert_int_equal(write(cut_fd, data, (size_t)cut), cut);
		assert_int_equal(wt_wim_header_read(cut_fd, "thing", &header,
					 NULL, NULL, &err),
			WT_ERR_WIM);
		assert_string_equal(err.code, "wim-truncated");
		close(cut_fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_and_end_are_read),
		cmocka_unit_test(each_lie_has_its_code),
		cmocka_unit_test(other_files_are_named),
		cmocka_unit_test(cut_off_pipable_wim_is_told),
		cmocka_unit_test(real_file_cut_anywhere_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
