/* SPDX-License-Identifier: MIT
 * fuzz_hive_log.c: hives with transaction logs. The input is the hive and
 * then its logs; each begins with "regf" at a multiple of 512. */
#include "fuzz.h"
#include "hive/log.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEED UINT64_C(0xC5554E7A884DEF82)
#define INPUT_LEN_MAX (1u << 20)

/* Sets the right hashes, or nothing behind them would ever be reached. Some
 * flags keep them wrong. */
static void hashes_mend(uint8_t *log, size_t len)
{
	size_t at = 512;

	while (len > at && len - at >= 40 && memcmp(log + at, "HvLE", 4) == 0) {
		size_t entry_len = wt_get32(log + at + 4);

		if (entry_len < 40 || entry_len > len - at)
			return;
		if (wt_get32(log + at + 8) < 2) {
			wt_put64(log + at + 24,
				wt_hive_marvin(
					SEED, log + at + 40, entry_len - 40));
			wt_put64(log + at + 32,
				wt_hive_marvin(SEED, log + at, 32));
		}
		at += entry_len;
	}
}

static int part_open(uint8_t *data, size_t len, bool is_log)
{
	int fd = memfd_create("part", MFD_CLOEXEC);

	/* A lost base block may have any type. */
	if (len >= 512 && (is_log || data[4088 % len] != 0x55))
		wt_put32(data + WT_BASE_CHECKSUM, wt_hive_checksum(data));
	if (is_log)
		hashes_mend(data, len);
	FUZZ_REQUIRE(fd >= 0);
	FUZZ_REQUIRE(write(fd, data, len) == (ssize_t)len);
	return fd;
}

static bool work_done(const struct wt_hive_files *files,
	enum wt_status (*work)(const struct wt_hive_files *files, int fd,
		struct wt_error *err),
	int *ret_fd)
{
	struct wt_error err = {0};

	*ret_fd = memfd_create("whole", MFD_CLOEXEC);
	FUZZ_REQUIRE(*ret_fd >= 0);
	if (work(files, *ret_fd, &err) == WT_OK)
		return true;
	FUZZ_REQUIRE(err.status == WT_ERR_HIVE);
	close(*ret_fd);
	return false;
}

static enum wt_status replay(
	const struct wt_hive_files *files, int fd, struct wt_error *err)
{
	bool is_stopped = false;

	return wt_replay_apply(files, fd, &is_stopped, err);
}

/* In this process, rather than in the child of wt_hive_state() and others. */
static void files_check(const struct wt_hive_files *files)
{
	struct wt_hive_state state = {0};
	struct wt_hive_state after = {0};
	struct wt_error err = {0};
	int fd = -1;

	if (wt_replay_state(files, &state, &err) != WT_OK) {
		FUZZ_REQUIRE(err.status == WT_ERR_HIVE);
		return;
	}
	FUZZ_REQUIRE(state.has_usable_log == (state.log_entry_count > 0));
	if (work_done(files, replay, &fd)) {
		struct wt_hive_files clean = {.hive_fd = fd,
			.log_fds = {-1, -1, -1},
			.object = "clean"};

		FUZZ_REQUIRE(!state.is_dirty || state.has_usable_log);
		FUZZ_REQUIRE(wt_replay_state(&clean, &after, &err) == WT_OK);
		FUZZ_REQUIRE(!after.is_dirty);
		close(fd);
	}
	if (work_done(files, wt_replay_discard, &fd))
		close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wt_hive_files files = {
		.hive_fd = -1, .log_fds = {-1, -1, -1}, .object = "fuzz"};
	uint8_t *copy = malloc(len + 1);
	size_t begin = 0;
	int part = 0;

	FUZZ_REQUIRE(copy);
	memcpy(copy, data, len);
	for (size_t at = 512; len <= INPUT_LEN_MAX && part < 4; at += 512) {
		int fd = -1;

		if (at < len &&
			(len - at < 4 || memcmp(copy + at, "regf", 4) != 0))
			continue;
		fd = part_open(
			copy + begin, (at < len ? at : len) - begin, part > 0);
		if (part == 0)
			files.hive_fd = fd;
		else
			files.log_fds[part % 3] = fd;
		part++;
		begin = at;
		if (at >= len)
			break;
	}
	if (files.hive_fd >= 0)
		files_check(&files);
	close(files.hive_fd);
	for (size_t i = 0; i < 3; i++)
		if (files.log_fds[i] >= 0)
			close(files.log_fds[i]);
	free(copy);
	return 0;
}
