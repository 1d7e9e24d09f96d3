/* SPDX-License-Identifier: MIT
 * cert/file.c: certificates from files, folders and standard input. */
#include "cert/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#define READ_STEP ((size_t)64 * 1024)

/* How often a wait for a file looks whether it is cancelled. */
#define LOOK_MS 50

static enum wt_status too_large(struct wt_error *err, const char *object)
{
	return wt_fail(err, WT_ERR_CERT, "cert-too-large", object,
		"it is larger than the %zu MiB that a file of certificates may "
		"have",
		WT_CERT_FILE_MAX >> 20);
}

/* Waits until there is something to read, in looks that are short: a signal
 * between such a look and read() would be noticed by nobody. */
static enum wt_status fd_wait(
	const struct wt_cert_list *list, int fd, struct wt_error *err)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	enum wt_status status = WT_OK;

	do
		status = wt_cert_list_cancelled(list, err);
	while (status == WT_OK && poll(&readable, 1, LOOK_MS) <= 0);
	return status;
}

/* Reads to the end. What is outgrown is wiped: there may be a key in it. */
static enum wt_status fd_read(const struct wt_cert_list *list, int fd,
	size_t expected_len, uint8_t **data, size_t *data_len,
	const char *object, struct wt_error *err)
{
	size_t capacity = expected_len + READ_STEP, len = 0;
	enum wt_status status = WT_OK;
	uint8_t *grown = NULL;
	ssize_t got = 0;

	*data = malloc(capacity);
	if (!*data)
		return wt_fail_memory(err);
	for (;;) {
		*data_len = len;
		status = fd_wait(list, fd, err);
		if (status != WT_OK)
			return status;
		got = read(fd, *data + len, capacity - len);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return wt_fail_errno(err, WT_ERR_FILE, "cert-read",
				object, "cannot be read");
		if (got == 0)
			return WT_OK;
		len += (size_t)got;
		*data_len = len;
		if (len > WT_CERT_FILE_MAX)
			return too_large(err, object);
		if (len < capacity)
			continue;
		grown = malloc(2 * capacity);
		if (!grown)
			return wt_fail_memory(err);
		memcpy(grown, *data, len);
		OPENSSL_cleanse(*data, len);
		free(*data);
		*data = grown;
		capacity *= 2;
	}
}

enum wt_status wt_cert_file_read_fd(struct wt_cert_list *list, int fd,
	const char *object, struct wt_error *err)
{
	struct stat st = {0};
	uint8_t *data = NULL;
	size_t data_len = 0, expected_len = 0;
	enum wt_status status = WT_OK;

	if (fstat(fd, &st) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "cert-read", object,
			"cannot be read");
	if (S_ISREG(st.st_mode)) {
		if (st.st_size > (off_t)WT_CERT_FILE_MAX)
			return too_large(err, object);
		expected_len = (size_t)st.st_size;
	}
	status = fd_read(list, fd, expected_len, &data, &data_len, object, err);
	if (status == WT_OK)
		status = wt_cert_list_read_memory(
			list, data, data_len, object, err);
	if (data)
		OPENSSL_cleanse(data, data_len);
	free(data);
	return status;
}

enum wt_status wt_cert_list_read_memory(struct wt_cert_list *list,
	const void *data, size_t data_len, const char *object,
	struct wt_error *err)
{
	struct wt_cert_list *found = NULL;
	enum wt_status status = WT_OK;

	if (data_len > WT_CERT_FILE_MAX)
		return too_large(err, object);
	status = wt_cert_list_new_like(list, &found, err);
	if (status != WT_OK)
		return status;
	status = wt_cert_kind_read(found, data, data_len, object, err);
	if (status == WT_OK)
		status = wt_cert_list_move(list, found, err);
	wt_cert_list_free(found);
	return status;
}

static enum wt_status file_read(
	struct wt_cert_list *list, const char *path, struct wt_error *err)
{
	/* A FIFO is waited for where that can be ended. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	enum wt_status status = WT_OK;

	if (fd < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "cert-open", path,
			"cannot be opened");
	status = wt_cert_file_read_fd(list, fd, path, err);
	close(fd);
	return status;
}

/* Files of these kinds stand beside certificates as a rule. */
static bool is_skipped(const struct wt_error *err)
{
	return strcmp(err->code, "cert-none") == 0 ||
	       strcmp(err->code, "cert-empty") == 0 ||
	       strcmp(err->code, "cert-pkcs12") == 0 ||
	       strcmp(err->code, "cert-too-large") == 0;
}

static enum wt_status entry_read(struct wt_cert_list *list, const char *folder,
	const char *name, size_t *count, struct wt_error *err)
{
	struct wt_error why = {0};
	struct stat st = {0};
	enum wt_status status = WT_OK;
	char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return wt_fail_memory(err);
	if (stat(path, &st) != 0) {
		status = wt_fail_errno(err, WT_ERR_FILE, "cert-open", path,
			"cannot be opened");
	} else if (!S_ISREG(st.st_mode)) {
		status = wt_cert_list_add_note(list, err, "%s: skipped, %s",
			path,
			S_ISDIR(st.st_mode) ? "a folder in a folder"
					    : "not a file");
	} else {
		status = file_read(list, path, &why);
		if (status == WT_OK)
			(*count)++;
		else if (is_skipped(&why))
			status = wt_cert_list_add_note(
				list, err, "%s: skipped, %s", path, why.reason);
		else if (err)
			*err = why;
	}
	free(path);
	return status;
}

static int is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 &&
	       strcmp(entry->d_name, "..") != 0;
}

/* By bytes, so that the order does not depend on the locale. */
static int entry_compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum wt_status folder_read(
	struct wt_cert_list *list, const char *path, struct wt_error *err)
{
	struct wt_cert_list *found = NULL;
	struct dirent **entries = NULL;
	enum wt_status status = WT_OK;
	size_t count = 0;
	int entry_count = scandir(path, &entries, is_entry, entry_compare);

	if (entry_count < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "cert-open", path,
			"cannot be opened");
	status = wt_cert_list_new_like(list, &found, err);
	for (int i = 0; i < entry_count && status == WT_OK; i++)
		status = entry_read(
			found, path, entries[i]->d_name, &count, err);
	if (status == WT_OK && count == 0)
		status = wt_fail(err, WT_ERR_CERT, "cert-none", path,
			"no file in this folder holds a certificate");
	if (status == WT_OK)
		status = wt_cert_list_move(list, found, err);
	for (int i = 0; i < entry_count; i++)
		free(entries[i]);
	free(entries);
	wt_cert_list_free(found);
	return status;
}

enum wt_status wt_cert_list_read(
	struct wt_cert_list *list, const char *path, struct wt_error *err)
{
	struct stat st = {0};

	if (strcmp(path, "-") == 0)
		return wt_cert_file_read_fd(
			list, STDIN_FILENO, "standard input", err);
	if (stat(path, &st) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "cert-open", path,
			"cannot be opened");
	return S_ISDIR(st.st_mode) ? folder_read(list, path, err)
				   : file_read(list, path, err);
}
