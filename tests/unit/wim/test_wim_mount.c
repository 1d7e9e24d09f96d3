/* SPDX-License-Identifier: MIT
 * test_wim_mount.c: hives get into a WIM through FUSE, and nothing else
 * happens. */
#include "wim/wim.h"

#include <wimlib.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "testfile.h"

/* Where the daemon is stopped, or what it does instead of serving. */
enum moment {
	NEVER,
	NO_MOUNT,      /* nothing is ever mounted */
	BEFORE_MOUNT,  /* while the client waits for it */
	BEFORE_CUT,    /* when the client has looked at the hive */
	BEFORE_WRITE,  /* after some of the hive */
	BEFORE_COMMIT, /* before the client unmounts */
};

struct shared {
	enum moment moment;
	pid_t daemon;
	atomic_int writes;
	atomic_bool has_stopped; /* and waits for nobody */
	atomic_bool is_later;	 /* than any limit, once it has stopped */
	atomic_bool is_hasty;	 /* waits do not sleep, once it has */
};

static struct shared *shared;

int __real_unshare(int flags);
int __real_wimlib_mount_image(WIMStruct *wim, int image, const char *dir,
	int flags, const char *staging);
int __real_wimlib_unmount_image(const char *dir, int flags);
int __real_truncate64(const char *path, off_t len);
ssize_t __real_pwrite64(int fd, const void *data, size_t len, off_t offset);
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __real_poll(struct pollfd *fds, nfds_t count, int ms);
long __real_syscall(long number, ...);
int __real_access(const char *path, int mode);
uid_t __real_geteuid(void);

static int openat2_error;
static bool is_without_mtab;

static void stop_at(enum moment moment)
{
	if (shared->moment != moment || atomic_load(&shared->has_stopped))
		return;
	kill(shared->daemon, SIGSTOP);
	atomic_store(&shared->has_stopped, true);
}

int __wrap_wimlib_mount_image(WIMStruct *wim, int image, const char *dir,
	int flags, const char *staging)
{
	shared->daemon = getpid();
	if (shared->moment == NO_MOUNT || shared->moment == BEFORE_MOUNT)
		atomic_store(&shared->has_stopped, true);
	if (shared->moment == BEFORE_MOUNT)
		raise(SIGSTOP);
	while (shared->moment == NO_MOUNT)
		pause();
	return __real_wimlib_mount_image(wim, image, dir, flags, staging);
}

int __wrap_wimlib_unmount_image(const char *dir, int flags)
{
	stop_at(BEFORE_COMMIT);
	return __real_wimlib_unmount_image(dir, flags);
}

int __wrap_truncate64(const char *path, off_t len)
{
	stop_at(BEFORE_CUT);
	return __real_truncate64(path, len);
}

ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	if (shared->daemon > 0 && atomic_fetch_add(&shared->writes, 1) == 2)
		stop_at(BEFORE_WRITE);
	return __real_pwrite64(fd, data, len, offset);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int ret = __real_clock_gettime(clock, now);

	if (shared && atomic_load(&shared->has_stopped) &&
		atomic_load(&shared->is_later))
		now->tv_sec += 3600;
	return ret;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int ms)
{
	if (atomic_load(&shared->has_stopped) && atomic_load(&shared->is_hasty))
		ms = 0;
	return __real_poll(fds, count, ms);
}

long __wrap_syscall(long number, long a, long b, long c, long d)
{
	if (number != SYS_openat2 || openat2_error == 0)
		return __real_syscall(number, a, b, c, d);
	errno = openat2_error;
	return -1;
}

int __wrap_access(const char *path, int mode)
{
	if (!is_without_mtab || strcmp(path, "/etc/mtab") != 0)
		return __real_access(path, mode);
	errno = ENOENT;
	return -1;
}

uid_t __wrap_geteuid(void)
{
	return is_without_mtab ? 65534 : __real_geteuid();
}

static char folder[] = "/tmp/test-wim-mount-XXXXXX";
static struct wt_wim_options options;
static bool is_unshare_refused;

int __wrap_unshare(int flags)
{
	if (!is_unshare_refused)
		return __real_unshare(flags);
	errno = EPERM;
	return -1;
}

static const char *sample(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", WT_WIMS, name);
	return path;
}

static bool is_mounted_below(const char *path)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096] = "";
	bool found = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char *at = strstr(line, path);

		found = found || (at && at[strlen(path)] == '/');
	}
	fclose(file);
	return found;
}

static int remove_one(
	const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level > 0 ? remove(path) : 0;
}

static void empty_folder(void)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* A hive of len bytes that compresses badly. */
static int new_hive(size_t len)
{
	int fd = memfd_create("hive", MFD_CLOEXEC);
	uint32_t *data = malloc(len);
	uint32_t seed = 1;

	assert_non_null(data);
	for (size_t i = 0; i < len / sizeof(*data); i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = seed ^ seed >> 16;
	}
	assert_int_equal(write(fd, data, len), len);
	free(data);
	return fd;
}

static enum wt_status make(const char *name, const char *hive_path,
	enum wt_access access, size_t hive_len, struct wt_wim_patch *ret_patch,
	struct wt_error *err)
{
	struct wt_wim_put puts[2] = {{.image = 0, .hive_fd = -1, .old_fd = -1},
		{.image = 1, .hive_fd = -1, .old_fd = -1}};
	struct wt_wim *wim = NULL;
	enum wt_status ret = WT_OK;

	ret = wt_wim_read(sample(name), &options, &wim, err);
	if (ret != WT_OK)
		return ret;
	if (hive_path)
		snprintf(wim->images[0].hive_path,
			sizeof(wim->images[0].hive_path), "%s", hive_path);
	puts[0].hive_fd = puts[1].hive_fd = new_hive(hive_len);
	ret = wt_wim_make_patch(sample(name), wim, puts,
		(size_t)wim->info.image_count, access, &options, ret_patch,
		err);
	close(puts[0].hive_fd);
	wt_wim_free(wim);
	return ret;
}

/* The patched WIM at folder/patched.wim. */
static void apply(const char *source, const struct wt_wim_patch *patch)
{
	char command[8192] = "";
	char path[4096] = "";
	uint8_t *tail = malloc(patch->new_len);
	int fd = -1;

	snprintf(path, sizeof(path), "%s/patched.wim", folder);
	snprintf(command, sizeof(command), "cp %s %s", source, path);
	assert_int_equal(system(command), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_non_null(tail);
	assert_int_equal(
		pread(patch->fd, tail, patch->new_len, 0), patch->new_len);
	assert_int_equal(pwrite(fd, tail + patch->tail_offset,
				 patch->new_len - patch->tail_offset,
				 (off_t)patch->tail_offset),
		patch->new_len - patch->tail_offset);
	assert_int_equal(
		pwrite(fd, tail, WT_WIM_HEADER_LEN, 0), WT_WIM_HEADER_LEN);
	free(tail);
	close(fd);
}

static FILE *list_details(const char *path)
{
	char command[8192] = "";
	FILE *pipe = NULL;

	snprintf(command, sizeof(command),
		"wimlib-imagex dir --detailed %s 2>/dev/null", path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	return pipe;
}

static bool may_differ(const char *line)
{
	static const char *const fields[] = {
		"Last Write Time ", "Last Access Time ", "Hash ",
		"Uncompressed size ", "Compressed size ", "Offset in WIM ",
		"Flags ", /* whether the data is compressed */
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strncmp(line, fields[i], strlen(fields[i])) == 0)
			return true;
	return false;
}

static void only_data_and_times_of_the_hive_differ(void **state)
{
	struct wt_wim_patch patch = {.fd = -1};
	struct wt_error err = {0};
	char before[4096] = "";
	char after[4096] = "";
	char path[4096] = "";
	bool in_hive = false;
	unsigned differing = 0;
	unsigned lines = 0;
	FILE *old = NULL;
	FILE *new = NULL;
	struct stat st = {0};

	(void)state;
	if (stat(sample("ntfs.wim"), &st) != 0 || st.st_size == 0)
		skip();
	if (make("ntfs.wim", NULL, WT_ACCESS_MOUNT, 300000, &patch, &err) !=
		WT_OK)
		fail_msg("%s", err.reason);
	apply(sample("ntfs.wim"), &patch);
	close(patch.fd);
	snprintf(path, sizeof(path), "%s/patched.wim", folder);
	old = list_details(sample("ntfs.wim"));
	new = list_details(path);
	while (fgets(before, sizeof(before), old)) {
		lines++;
		assert_non_null(fgets(after, sizeof(after), new));
		if (strncmp(before, "Full Path", 9) == 0)
			in_hive = strstr(before, "config/SOFTWARE\"") != NULL;
		if (strcmp(before, after) == 0)
			continue;
		differing++;
		if (!in_hive || !may_differ(before))
			fail_msg("%s became %s", before, after);
	}
	assert_null(fgets(after, sizeof(after), new));
	assert_true(lines > 300);
	assert_true(differing >= 3);
	pclose(old);
	pclose(new);
	unlink(path);
	assert_int_equal(names_count(folder), 0);
}

static void both_images_are_put(void **state)
{
	static const char *const names[] = {
		"two.wim", "solid-integrity.esd", "xpress.wim"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_error err = {0};
		char command[8192] = "";

		if (make(names[i], NULL, WT_ACCESS_AUTO, 70000, &patch, &err) !=
			WT_OK)
			fail_msg("%s: %s", names[i], err.reason);
		assert_int_equal(patch.access, WT_ACCESS_MOUNT);
		assert_string_equal(patch.access_reason, "");
		assert_int_equal(names_count(folder), 0);
		apply(sample(names[i]), &patch);
		close(patch.fd);
		snprintf(command, sizeof(command),
			"wimlib-imagex verify %s/patched.wim >/dev/null 2>&1",
			folder);
		assert_int_equal(system(command), 0);
		empty_folder();
	}
}

static void link_to_this_machine_is_not_followed(void **state)
{
	struct wt_wim_patch patch = {.fd = -1};
	struct wt_error err = {0};
	struct stat st = {0};
	char host[4096] = "";
	int fd = -1;

	(void)state;
	snprintf(host, sizeof(host), "%s/host", WT_WIMS);
	mkdir(host, 0700);
	strcat(host, "/SOFTWARE");
	fd = open(host, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	assert_int_equal(
		make("bad-link-host.wim", "/Windows/System32/config/SOFTWARE",
			WT_ACCESS_MOUNT, 1000, &patch, &err),
		WT_ERR_IMAGE);
	assert_string_equal(err.code, "hive-path-link");
	assert_int_equal(stat(host, &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(names_count(folder), 0);
	assert_false(is_mounted_below(folder));
}

static void full_staging_folder_is_an_error(void **state)
{
	static const enum wt_access accesses[] = {
		WT_ACCESS_MOUNT, WT_ACCESS_AUTO, WT_ACCESS_UPDATE};
	const char *usual = options.temp_folder;
	char small[4096] = "";

	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(small, sizeof(small), "%s/small", folder);
	assert_int_equal(mkdir(small, 0700), 0);
	if (mount("none", small, "tmpfs", 0, "size=1m") != 0) {
		rmdir(small);
		skip();
	}
	options.temp_folder = small;
	for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_error err = {0};

		assert_int_equal(make("plain.wim", NULL, accesses[i],
					 (size_t)2 << 20, &patch, &err),
			WT_ERR_FILE);
		assert_string_equal(err.code, "no-space");
		assert_int_not_equal(err.hint[0], '\0');
		assert_int_equal(patch.fd, -1);
		assert_int_equal(names_count(small), 0);
	}
	options.temp_folder = usual;
	assert_int_equal(umount(small), 0);
	assert_int_equal(rmdir(small), 0);
}

static void without_a_private_namespace_it_mounts_openly(void **state)
{
	struct wt_wim_patch patch = {.fd = -1};
	struct wt_error err = {0};

	(void)state;
	is_unshare_refused = true;
	if (make("two.wim", NULL, WT_ACCESS_MOUNT, 70000, &patch, &err) !=
		WT_OK)
		fail_msg("%s", err.reason);
	is_unshare_refused = false;
	assert_int_equal(patch.access, WT_ACCESS_MOUNT);
	close(patch.fd);
	assert_int_equal(names_count(folder), 0);
	assert_false(is_mounted_below(folder));
}

static void without_fuse_auto_says_why(void **state)
{
	struct wt_wim_patch patch = {.fd = -1};
	struct wt_error err = {0};

	(void)state;
	if (geteuid() != 0 || __real_unshare(CLONE_NEWNS) != 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("/dev/null", "/dev/fuse", NULL, MS_BIND, NULL) != 0)
		skip();
	assert_int_equal(
		make("two.wim", NULL, WT_ACCESS_MOUNT, 70000, &patch, &err),
		WT_ERR_FILE);
	assert_string_equal(err.code, "mount-failed");
	assert_non_null(strstr(err.hint, "--access update"));
	/* A caller that does not ask why is not told. */
	assert_int_equal(
		make("two.wim", NULL, WT_ACCESS_MOUNT, 70000, &patch, NULL),
		WT_ERR_FILE);
	if (make("two.wim", NULL, WT_ACCESS_AUTO, 70000, &patch, &err) != WT_OK)
		fail_msg("%s", err.reason);
	assert_int_equal(patch.access, WT_ACCESS_UPDATE);
	assert_int_not_equal(patch.access_reason[0], '\0');
	close(patch.fd);
	assert_int_equal(names_count(folder), 0);
	assert_int_equal(umount("/dev/fuse"), 0);
}

static volatile sig_atomic_t cancel;

static void on_alarm(int number)
{
	cancel = number;
}

static void cancelled_at_any_time_nothing_is_left(void **state)
{
	(void)state;
	signal(SIGALRM, on_alarm);
	options.cancel = &cancel;
	for (int ms = 1; ms < 60; ms += 3) {
		const struct itimerval timer = {.it_value.tv_usec = ms * 1000};
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_error err = {0};

		cancel = 0;
		is_unshare_refused = ms % 2 == 0;
		setitimer(ITIMER_REAL, &timer, NULL);
		if (make("two.wim", NULL, WT_ACCESS_MOUNT, (size_t)4 << 20,
			    &patch, &err) == WT_OK)
			close(patch.fd);
		else
			assert_string_equal(err.code, "interrupted");
		assert_int_equal(names_count(folder), 0);
		assert_false(is_mounted_below(folder));
		while (cancel == 0)
			usleep(1000);
	}
	is_unshare_refused = false;
	options.cancel = NULL;
	signal(SIGALRM, SIG_DFL);
}

/* In a chroot the root is no mount, and mounts cannot be made private. So the
 * next run must remove what a killed one left. */
static bool can_be_private(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS |
			      (geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0 ||
			mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) !=
				0);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void killed_at_any_time_no_process_or_mount_is_left(void **state)
{
	(void)state;
	if (!can_be_private())
		skip();
	for (int ms = 2; ms < 80; ms += 7) {
		struct pollfd gone = {.events = POLLIN};
		const struct timespec time = {0, ms * 1000000L};
		int alive[2] = {-1, -1};
		pid_t pid = -1;

		assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
		pid = fork();
		if (pid == 0) {
			struct wt_wim_patch patch = {.fd = -1};
			struct wt_error err = {0};

			make("two.wim", NULL, WT_ACCESS_MOUNT, (size_t)4 << 20,
				&patch, &err);
			_exit(0); /* no test goes on in here */
		}
		close(alive[1]);
		nanosleep(&time, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		gone.fd = alive[0];
		/* All of its processes have ended when the pipe has. */
		assert_int_equal(poll(&gone, 1, 5000), 1);
		close(alive[0]);
		assert_false(is_mounted_below(folder));
		empty_folder();
	}
}

static const enum moment moments[] = {
	BEFORE_MOUNT, BEFORE_CUT, BEFORE_WRITE, BEFORE_COMMIT};

static int64_t now_ms(void)
{
	struct timespec now = {0};

	__real_clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void stop_daemon(enum moment moment)
{
	memset(shared, 0, sizeof(*shared));
	shared->moment = moment;
}

/* All processes that hold the other end of the pipe end. */
static void assert_ends(int alive_fd)
{
	struct pollfd gone = {.fd = alive_fd, .events = POLLIN};

	assert_int_equal(__real_poll(&gone, 1, 5000), 1);
	close(alive_fd);
}

/* One run, whose daemon is stopped, with another thing that happens then. */
static enum wt_status run_stopped(enum moment moment, enum wt_access access,
	struct wt_wim_patch *patch, struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	int alive[2] = {-1, -1};

	shared->moment = moment;
	assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
	ret = make("two.wim", NULL, access, (size_t)4 << 20, patch, err);
	assert_true(atomic_load(&shared->has_stopped));
	close(alive[1]);
	assert_ends(alive[0]);
	assert_int_equal(names_count(folder), 0);
	assert_false(is_mounted_below(folder));
	return ret;
}

static volatile int64_t cancelled_ms;

/* A busy machine may take long until the daemon has stopped. */
static void on_alarm_once_stopped(int number)
{
	if (cancel != 0 || !atomic_load(&shared->has_stopped))
		return;
	cancelled_ms = now_ms();
	cancel = number;
}

static void stopped_daemon_does_not_outlast_a_signal(void **state)
{
	(void)state;
	signal(SIGALRM, on_alarm_once_stopped);
	options.cancel = &cancel;
	for (size_t i = 0; i < 2 * sizeof(moments) / sizeof(moments[0]); i++) {
		const struct itimerval none = {0};
		const struct itimerval timer = {.it_value.tv_usec = 700000,
			.it_interval.tv_usec = 50000};
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_error err = {0};

		cancel = 0;
		is_unshare_refused = i % 2 != 0;
		stop_daemon(moments[i / 2]);
		setitimer(ITIMER_REAL, &timer, NULL);
		assert_int_equal(run_stopped(moments[i / 2], WT_ACCESS_MOUNT,
					 &patch, &err),
			WT_INTERRUPTED);
		setitimer(ITIMER_REAL, &none, NULL);
		/* Without the signal it would be 30 seconds. */
		assert_true(now_ms() - cancelled_ms < 25000);
	}
	options.cancel = NULL;
	signal(SIGALRM, SIG_DFL);
}

static void stopped_daemon_does_not_outlast_the_time_limit(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_error err = {0};

		stop_daemon(moments[i]);
		atomic_store(&shared->is_later, true);
		assert_int_equal(
			run_stopped(moments[i], WT_ACCESS_MOUNT, &patch, &err),
			WT_ERR_WIM);
		assert_non_null(strstr(err.reason, "within 900 seconds"));
	}
}

static void stopped_daemon_does_not_outlast_a_killed_run(void **state)
{
	(void)state;
	if (!can_be_private())
		skip();
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		int alive[2] = {-1, -1};
		pid_t pid = -1;

		stop_daemon(moments[i]);
		assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
		pid = fork();
		if (pid == 0) {
			struct wt_wim_patch patch = {.fd = -1};
			struct wt_error err = {0};

			make("two.wim", NULL, WT_ACCESS_MOUNT, (size_t)4 << 20,
				&patch, &err);
			_exit(0); /* no test goes on in here */
		}
		close(alive[1]);
		while (!atomic_load(&shared->has_stopped))
			usleep(1000);
		usleep(50000); /* the client asks, and waits */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_ends(alive[0]);
		assert_false(is_mounted_below(folder));
		empty_folder();
	}
}

static void update_takes_over_from_a_stopped_daemon(void **state)
{
	static const enum moment before_commit[] = {
		BEFORE_MOUNT, BEFORE_CUT, BEFORE_WRITE};

	(void)state;
	for (size_t i = 0; i < 2 * 3; i++) {
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_error err = {0};

		is_unshare_refused = i % 2 != 0;
		stop_daemon(before_commit[i / 2]);
		atomic_store(&shared->is_hasty, true);
		if (run_stopped(before_commit[i / 2], WT_ACCESS_AUTO, &patch,
			    &err) != WT_OK)
			fail_msg("%s", err.reason);
		assert_int_equal(patch.access, WT_ACCESS_UPDATE);
		assert_non_null(strstr(patch.access_reason, "FUSE"));
		close(patch.fd);
		stop_daemon(before_commit[i / 2]);
		atomic_store(&shared->is_hasty, true);
		assert_int_equal(run_stopped(before_commit[i / 2],
					 WT_ACCESS_MOUNT, &patch, &err),
			WT_ERR_FILE);
		assert_string_equal(err.code, "mount-failed");
		assert_non_null(strstr(err.hint, "--access update"));
	}
}

/* In real time: wimtrust waits 4 seconds if update can replace the mount,
 * otherwise 30. */
static void mount_that_never_comes_is_not_waited_for(void **state)
{
	struct wt_wim_patch patch = {.fd = -1};
	struct wt_error err = {0};
	int64_t start_ms = now_ms();

	(void)state;
	if (run_stopped(NO_MOUNT, WT_ACCESS_AUTO, &patch, &err) != WT_OK)
		fail_msg("%s", err.reason);
	assert_int_equal(patch.access, WT_ACCESS_UPDATE);
	assert_true(now_ms() - start_ms < 29000);
	close(patch.fd);
}

static void without_a_call_or_a_file_that_it_needs_it_does_not_mount(
	void **state)
{
	static const struct {
		int openat2_error;
		bool is_without_mtab;
		const char *reason;
	} cases[] = {
		{ENOSYS, false, "the container has no openat2"},
		{EPERM, false, "the container has no openat2"},
		{0, true, "there is no /etc/mtab"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_error err = {0};

		openat2_error = cases[i].openat2_error;
		is_without_mtab = is_unshare_refused = cases[i].is_without_mtab;
		assert_int_equal(make("two.wim", NULL, WT_ACCESS_MOUNT, 70000,
					 &patch, &err),
			WT_ERR_FILE);
		assert_string_equal(err.code, "mount-failed");
		assert_non_null(strstr(err.reason, cases[i].reason));
		assert_non_null(strstr(err.hint, "--access update"));
		if (make("two.wim", NULL, WT_ACCESS_AUTO, 70000, &patch,
			    &err) != WT_OK)
			fail_msg("%s", err.reason);
		assert_int_equal(patch.access, WT_ACCESS_UPDATE);
		assert_non_null(strstr(patch.access_reason, cases[i].reason));
		close(patch.fd);
	}
}

static int make_folder(void **state)
{
	(void)state;
	options.temp_folder = mkdtemp(folder);
	return options.temp_folder ? 0 : 1;
}

static int clear(void **state)
{
	(void)state;
	empty_folder();
	is_unshare_refused = is_without_mtab = false;
	openat2_error = 0;
	memset(shared, 0, sizeof(*shared));
	options.temp_folder = folder;
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			only_data_and_times_of_the_hive_differ, clear),
		cmocka_unit_test_setup(both_images_are_put, clear),
		cmocka_unit_test_setup(
			link_to_this_machine_is_not_followed, clear),
		cmocka_unit_test_setup(full_staging_folder_is_an_error, clear),
		cmocka_unit_test_setup(
			without_a_private_namespace_it_mounts_openly, clear),
		cmocka_unit_test_setup(
			cancelled_at_any_time_nothing_is_left, clear),
		cmocka_unit_test_setup(
			killed_at_any_time_no_process_or_mount_is_left, clear),
		cmocka_unit_test_setup(
			stopped_daemon_does_not_outlast_a_signal, clear),
		cmocka_unit_test_setup(
			stopped_daemon_does_not_outlast_the_time_limit, clear),
		cmocka_unit_test_setup(
			stopped_daemon_does_not_outlast_a_killed_run, clear),
		cmocka_unit_test_setup(
			update_takes_over_from_a_stopped_daemon, clear),
		cmocka_unit_test_setup(
			mount_that_never_comes_is_not_waited_for, clear),
		cmocka_unit_test_setup(
			without_a_call_or_a_file_that_it_needs_it_does_not_mount,
			clear),
		cmocka_unit_test_setup(without_fuse_auto_says_why, clear),
	};
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "skipped: /dev/fuse cannot be opened: %s\n",
			strerror(errno));
		return 77;
	}
	close(fd);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
