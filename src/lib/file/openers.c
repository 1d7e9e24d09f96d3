/* SPDX-License-Identifier: MIT
 * file/openers.c: who else has a file open or locked. */
#include "file/openers.h"

#include "base/io.h"
#include "file/traits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define POLL_MS 20

int wt_lease_take(int fd)
{
	/* When somebody opens the file the kernel sends a signal, by default
	 * SIGIO, which ends a process. This one is ignored by default. */
	if (fcntl(fd, F_SETSIG, SIGURG) != 0)
		return -1;
	return fcntl(fd, F_SETLEASE, F_WRLCK);
}

void wt_lease_drop(int fd)
{
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
}

enum wt_openers wt_openers_wait(int fd, bool keep_lease, int64_t max_ms,
	const volatile sig_atomic_t *cancel)
{
	int64_t end = wt_io_now_ms() + max_ms;

	for (;;) {
		if (wt_lease_take(fd) == 0) {
			if (!keep_lease)
				wt_lease_drop(fd);
			return WT_OPENERS_NONE;
		}
		if (errno != EAGAIN)
			return WT_OPENERS_UNKNOWN;
		if (wt_io_now_ms() >= end || wt_cancel_number(cancel) != 0)
			return wt_traits_has_server_leases(fd)
				       ? WT_OPENERS_UNKNOWN
				       : WT_OPENERS_SOME;
		wt_io_sleep_ms(POLL_MS);
	}
}

/* "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF": the pid when the line
 * is about this inode. The device is compared only for its own sake: btrfs
 * and overlayfs show another one to stat(). */
static long holder_from_line(
	const char *line, const struct stat *file, bool *ret_same_dev)
{
	unsigned dev_major = 0;
	unsigned dev_minor = 0;
	uint64_t inode = 0;
	long pid = 0;

	if (!strstr(line, "FLOCK") || strstr(line, "->"))
		return 0;
	if (sscanf(line, "%*s %*s %*s %*s %ld %x:%x:%" SCNu64, &pid, &dev_major,
		    &dev_minor, &inode) != 4)
		return 0;
	if (inode != (uint64_t)file->st_ino || pid <= 0)
		return 0;
	*ret_same_dev = dev_major == major(file->st_dev) &&
			dev_minor == minor(file->st_dev);
	return pid;
}

static void process_name(long pid, char dst[32])
{
	char path[64];
	FILE *stream = NULL;

	dst[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	stream = fopen(path, "re");
	if (!stream)
		return;
	if (!fgets(dst, 32, stream))
		dst[0] = '\0';
	dst[strcspn(dst, "\n")] = '\0';
	fclose(stream);
}

const char *wt_lock_holder(const struct stat *file, char dst[96])
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256];
	char name[32];
	long holder = 0;

	snprintf(dst, 96, "another process");
	if (!locks)
		return dst;
	while (fgets(line, sizeof(line), locks)) {
		bool is_same_dev = false;
		long pid = holder_from_line(line, file, &is_same_dev);

		if (pid > 0 && (holder == 0 || is_same_dev))
			holder = pid;
		if (pid > 0 && is_same_dev)
			break;
	}
	fclose(locks);
	if (holder == 0)
		return dst;
	process_name(holder, name);
	if (name[0] != '\0')
		snprintf(dst, 96, "process %ld (%s)", holder, name);
	else
		snprintf(dst, 96, "process %ld", holder);
	return dst;
}
