/* SPDX-License-Identifier: MIT
 * hive/map.c: hives as mapped files, and the child that works on them. */
#include "hive/map.h"

#include <errno.h>
#include <iconv.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <threads.h>
#include <unistd.h>

/* A hive of 12 MB takes some hundredths of a second; this is for machines
 * that are very busy. */
#define CHILD_SECONDS 120
#define MIB (UINT64_C(1) << 20)

enum wt_status wt_hive_file_len(
	int fd, const char *object, uint64_t *ret_len, struct wt_error *err)
{
	struct stat st = {0};

	if (fstat(fd, &st) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "read-failed", object,
			"cannot read the registry hive");
	if (!S_ISREG(st.st_mode))
		return wt_fail(err, WT_ERR_HIVE, "hive-not-a-hive", object,
			"this is not a registry hive (it is not a regular "
			"file)");
	*ret_len = (uint64_t)st.st_size;
	return WT_OK;
}

enum wt_status wt_hive_map_open(struct wt_hive_map *ret_map, int fd,
	bool is_shared, const char *object, struct wt_error *err)
{
	uint64_t len = 0;
	enum wt_status ret = wt_hive_file_len(fd, object, &len, err);
	void *data = NULL;

	if (ret != WT_OK)
		return ret;
	if (len == 0)
		return wt_fail(err, WT_ERR_HIVE, "hive-not-a-hive", object,
			"this is not a registry hive (it is empty)");
	if (len > SIZE_MAX)
		return wt_fail_memory(err);
	data = mmap(NULL, (size_t)len, PROT_READ | (is_shared ? PROT_WRITE : 0),
		(is_shared ? MAP_SHARED : MAP_PRIVATE) | MAP_POPULATE, fd, 0);
	if (data == MAP_FAILED)
		return wt_fail_errno(err, WT_ERR_FILE, "read-failed", object,
			"cannot map the registry hive into memory");
	*ret_map = (struct wt_hive_map){.data = data, .len = (size_t)len};
	return WT_OK;
}

void wt_hive_map_close(struct wt_hive_map *map)
{
	if (map->data)
		munmap(map->data, map->len);
	map->data = NULL;
}

/* The address space that this process has mapped, which its child inherits
 * and which counts against the child's limit. */
static uint64_t mapped_len(void)
{
	FILE *statm = fopen("/proc/self/statm", "re");
	unsigned long long pages = 0;

	if (!statm)
		return 0;
	if (fscanf(statm, "%llu", &pages) != 1)
		pages = 0;
	fclose(statm);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The C library loads the tables of a conversion from files, which a locked
 * child could not open, and keeps them while a converter is open: so these are
 * never closed. What fails here is tried anew by the next hive, and named when
 * hivex wants it. */
static void conversions_load(void)
{
	static const char *const pairs[4][2] = {{"UTF-16LE", "UTF-8"},
		{"UTF-8", "UTF-16LE"}, {"UTF-8", "LATIN1"},
		{"LATIN1", "UTF-8"}};
	static _Atomic(iconv_t) kept[4];

	for (size_t i = 0; i < 4; i++) {
		iconv_t none = NULL, converter = NULL;

		if (atomic_load(&kept[i]))
			continue;
		converter = iconv_open(pairs[i][0], pairs[i][1]);
		if (converter != (iconv_t)-1 &&
			!atomic_compare_exchange_strong(
				&kept[i], &none, converter))
			iconv_close(converter);
	}
}

struct wt_sandbox wt_hive_sandbox(int hive_fd, const int *own_fd)
{
	static once_flag once = ONCE_FLAG_INIT;

	/* Once in this process is cheaper than in each child. A child that is
	 * made while another thread loads would inherit a lock of the C library
	 * that nobody releases, so all threads wait for the first. */
	call_once(&once, conversions_load);
	conversions_load();
	return (struct wt_sandbox){
		.fds = own_fd,
		.fd_count = 1,
		.read_fd = hive_fd,
		.writes = true,
	};
}

struct wt_child wt_hive_child(uint64_t hive_len, uint64_t new_len,
	const char *object, const volatile sig_atomic_t *cancel)
{
	uint64_t mapped = mapped_len();
	/* The hive, hivex' copy of it, the changed one, and counts. */
	uint64_t own = 6 * (hive_len + new_len) + 64 * MIB;

	return (struct wt_child){
		.limits = {.memory_len = mapped ? mapped + own : 0,
			.file_len = 2 * (hive_len + new_len) + 16 * MIB,
			.seconds = CHILD_SECONDS},
		.object = object,
		.died_status = WT_ERR_HIVE,
		.died_code = "hive-crash",
		.cancel = cancel,
	};
}
