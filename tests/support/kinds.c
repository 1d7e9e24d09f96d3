/* SPDX-License-Identifier: MIT
 * kinds.c: the kinds of children, each by the calls that start them. */
#include "kinds.h"

#include "base/child.h"
#include "base/io.h"
#include "cert/fetch.h"
#include "cert/kind.h"
#include "hivefile.h"
#include "iso/iso.h"
#include "wim/wim.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

char kind_folder[] = "/tmp/wt-kinds-XXXXXX";
char kind_target[64];
int kind_victim_fd = -1;

static void show(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)done;
	(void)total;
	assert_true(strcmp(what, "check") == 0 || strcmp(what, "write") == 0);
}

static struct wt_wim_options options = {
	.temp_folder = kind_folder, .progress = show};

bool kinds_begin(void)
{
	if (!mkdtemp(kind_folder))
		return false;
	snprintf(kind_target, sizeof(kind_target), "%s/target", kind_folder);
	options.told = wt_shared_new(sizeof(*options.told));
	return options.told != NULL;
}

int kinds_end(void)
{
	wt_shared_free(options.told, sizeof(*options.told));
	unlink(kind_target);
	return rmdir(kind_folder);
}

static int file_copy(const char *name)
{
	char path[4096];
	char *bytes = NULL;
	size_t len = 0;
	FILE *in = NULL;
	int fd =
		open(kind_target, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	snprintf(path, sizeof(path), "%s", name);
	in = fopen(path, "rb");
	assert_non_null(in);
	bytes = malloc(1 << 25);
	assert_non_null(bytes);
	len = fread(bytes, 1, 1 << 25, in);
	fclose(in);
	assert_int_equal(write(fd, bytes, len), len);
	free(bytes);
	return fd;
}

#define ASSERT_ENDS(text) assert_non_null(memchr(text, 0, sizeof(text)))

static void read_hive(void)
{
	struct wt_hive_content *content = NULL;
	int fd = file_copy(WT_HIVES "/software");

	kind_victim_fd = fd;
	if (hive_read_now(fd, "hive", NULL, &content, NULL) == WT_OK)
		ASSERT_ENDS(content->fault);
	wt_hive_content_free(content);
	close(fd);
}

static void read_hive_in_memory(void)
{
	struct wt_hive_content *content = NULL;
	int file = file_copy(WT_HIVES "/software");

	assert_int_equal(
		wt_io_memory_file("hive", NULL, &kind_victim_fd, NULL), WT_OK);
	assert_int_equal(wt_io_copy(file, 0, kind_victim_fd, 0,
				 (uint64_t)lseek(file, 0, SEEK_END), NULL),
		0);
	close(file);
	(void)hive_read_now(kind_victim_fd, "hive", NULL, &content, NULL);
	wt_hive_content_free(content);
	close(kind_victim_fd);
}

static void read_certs(void)
{
	struct wt_cert_list *list = NULL;

	kind_victim_fd = file_copy(WT_HIVES "/software");
	assert_int_equal(wt_cert_list_new(&list, NULL), WT_OK);
	(void)wt_cert_list_read(list, WT_TESTDATA "/certs/bundle.pem", NULL);
	wt_cert_list_free(list);
	close(kind_victim_fd);
}

/* A hive with its logs: they are looked at, applied and given up. */
static void replay_logs(void)
{
	struct wt_hive_files files = {
		.hive_fd = file_copy(WT_HIVES "/dirty/new-two-logs"),
		.log_fds = {-1,
			open(WT_HIVES "/dirty/new-two-logs.LOG1",
				O_RDONLY | O_CLOEXEC),
			open(WT_HIVES "/dirty/new-two-logs.LOG2",
				O_RDONLY | O_CLOEXEC)},
		.object = "hive"};
	struct wt_hive_state hive = {0};
	bool is_stopped = false;
	int fd = -1;

	kind_victim_fd = files.hive_fd;
	(void)wt_hive_state(&files, &hive, NULL);
	if (wt_hive_replay(&files, &fd, &is_stopped, NULL) == WT_OK)
		close(fd);
	if (wt_hive_discard_logs(&files, &fd, NULL) == WT_OK)
		close(fd);
	for (size_t i = 1; i < 3; i++)
		close(files.log_fds[i]);
	close(files.hive_fd);
}

/* A server that ends each connection. */
static pid_t server_start(char name[32])
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	socklen_t len = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid = 0;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&here, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &len), 0);
	snprintf(name, 32, "127.0.0.1:%d", ntohs(here.sin_port));
	pid = fork();
	while (pid == 0)
		close(accept(fd, NULL, NULL));
	assert_true(pid > 0);
	close(fd);
	return pid;
}

static void ask_server(void)
{
	char name[32] = "";
	pid_t server = server_start(name);
	char *pem = NULL;
	size_t len = 0;

	kind_victim_fd = file_copy(WT_HIVES "/software");
	(void)wt_fetch_pem(name, NULL, 5, NULL, &pem, &len, NULL);
	free(pem);
	close(kind_victim_fd);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

#ifdef WT_HAS_ISO
static void read_iso(void)
{
	const struct wt_iso_options how = {.object = "disc"};
	uint64_t len = 0;
	int out_fd = -1;

	kind_victim_fd = file_copy(WT_HIVES "/software");
	assert_int_equal(wt_io_memory_file("out", NULL, &out_fd, NULL), WT_OK);
	(void)wt_iso_extract(kind_victim_fd, out_fd, &how, &len, NULL);
	close(out_fd);
	close(kind_victim_fd);
}
#endif

/* What the children said of the images can be read. */
static void wim_check(const struct wt_wim *wim)
{
	for (int i = 0; i < wim->info.image_count; i++) {
		const struct wt_wim_image *image = &wim->images[i];

		assert_int_equal(image->index, i + 1);
		assert_true(image->hive_len <= WT_HIVE_MAX);
		ASSERT_ENDS(image->name);
		ASSERT_ENDS(image->description);
		ASSERT_ENDS(image->arch);
		ASSERT_ENDS(image->version);
		ASSERT_ENDS(image->hive_path);
		ASSERT_ENDS(image->winre_path);
		ASSERT_ENDS(image->hive_error.reason);
		for (size_t k = 0; k < WT_HIVE_LOGS; k++)
			ASSERT_ENDS(image->log_paths[k]);
	}
}

static void extract_wim(void)
{
	static const int image = 0;
	struct wt_wim *wim = NULL;
	int logs[WT_HIVE_LOGS] = {-1, -1, -1};
	int fd = -1;

	kind_victim_fd = file_copy(WT_WIMS "/two.wim");
	if (wt_wim_read(kind_target, &options, &wim, NULL) == WT_OK) {
		wim_check(wim);
		if (wt_wim_extract(kind_target, wim, &image, 1, &options, &fd,
			    NULL) == WT_OK)
			close(fd);
		if (wt_wim_extract_logs(kind_target, wim, 0, WT_HIVE_LOG_MAX,
			    &options, logs, NULL) == WT_OK)
			wt_wim_fds_close(logs, WT_HIVE_LOGS);
	}
	wt_wim_free(wim);
	close(kind_victim_fd);
}

static void rebuild_wim(void)
{
	char path[64] = "";

	snprintf(path, sizeof(path), "%s/copy", kind_folder);
	kind_victim_fd = file_copy(WT_WIMS "/two.wim");
	(void)wt_wim_rebuild(kind_target, path, &options, NULL);
	unlink(path);
	close(kind_victim_fd);
}

static void write_hive(void)
{
	static const uint8_t blob[32] = {3};
	const struct wt_hive_change change = {.store = WT_STORE_ROOT,
		.key = "0123456789012345678901234567890123456789",
		.blob = blob,
		.blob_len = sizeof(blob)};
	int fd = file_copy(WT_HIVES "/software");
	int new_fd = -1;

	kind_victim_fd = fd;
	(void)hive_write_now(fd, "hive", &change, 1, NULL, &new_fd, NULL);
	if (new_fd >= 0)
		close(new_fd);
	close(fd);
}

static void append_wim(void)
{
	struct wt_wim_patch patch = {.fd = -1};
	struct wt_wim *wim = NULL;
	char path[32];
	int fd = file_copy(WT_WIMS "/two.wim");
	int hive_fd = -1;

	kind_victim_fd = fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (wt_wim_read(path, &options, &wim, NULL) == WT_OK &&
		wt_io_memory_file("hive", NULL, &hive_fd, NULL) == WT_OK) {
		const struct wt_wim_put put = {
			.image = 0, .hive_fd = hive_fd, .old_fd = -1};

		assert_int_equal(ftruncate(hive_fd, 8192), 0);
		(void)wt_wim_make_patch(path, wim, &put, 1, WT_ACCESS_UPDATE,
			&options, &patch, NULL);
		if (patch.fd >= 0)
			close(patch.fd);
		close(hive_fd);
	}
	wt_wim_free(wim);
	close(fd);
}

const struct kind kinds[] = {
	{"read_hive", read_hive, 1},
	{"read_hive_in_memory", read_hive_in_memory, 1},
	{"write_hive", write_hive, 1},
	{"read_certs", read_certs, 1},
	{"replay_logs", replay_logs, 3},
	{"ask_server", ask_server, 1},
#ifdef WT_HAS_ISO
	{"read_iso", read_iso, 1},
#endif
	{"extract_wim", extract_wim, 2},
	{"append_wim", append_wim, 4},
	{"rebuild_wim", rebuild_wim, 1},
};
const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);
