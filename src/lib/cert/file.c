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
#include <strings.h>
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

/* Waits until there is something to read, in short steps: a signal that comes
 * just before read() would not end it. */
static enum wt_status fd_wait(
	const struct wt_cert_list *list, int fd, struct wt_error *err)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	enum wt_status ret = WT_OK;

	do
		ret = wt_cert_list_cancelled(list, err);
	while (ret == WT_OK && poll(&readable, 1, LOOK_MS) <= 0);
	return ret;
}

/* Reads to the end. Wipes each buffer that becomes too small: there may be a
 * key in it. */
static enum wt_status fd_read(const struct wt_cert_list *list, int fd,
	size_t expected_len, uint8_t **data, size_t *data_len,
	const char *object, struct wt_error *err)
{
	size_t capacity = expected_len + READ_STEP, len = 0;
	enum wt_status ret = WT_OK;
	uint8_t *grown = NULL;
	ssize_t got = 0;

	*data = malloc(capacity);
	if (!*data)
		return wt_fail_memory(err);
	for (;;) {
		*data_len = len;
		ret = fd_wait(list, fd, err);
		if (ret != WT_OK)
			return ret;
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

/* Everything in the open file, into a list of its own. */
static enum wt_status fd_fill(struct wt_cert_list *found, int fd,
	const char *object, struct wt_error *err)
{
	struct stat st = {0};
	uint8_t *data = NULL;
	size_t data_len = 0, expected_len = 0;
	enum wt_status ret = WT_OK;

	if (fstat(fd, &st) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "cert-read", object,
			"cannot be read");
	if (S_ISREG(st.st_mode)) {
		if (st.st_size > (off_t)WT_CERT_FILE_MAX)
			return too_large(err, object);
		expected_len = (size_t)st.st_size;
	}
	ret = fd_read(found, fd, expected_len, &data, &data_len, object, err);
	if (ret == WT_OK)
		ret = wt_cert_kind_read_apart(
			found, data, data_len, object, err);
	if (data)
		OPENSSL_cleanse(data, data_len);
	free(data);
	return ret;
}

/* Moves what a file gave, and what was wrong with it, to the list. */
static enum wt_status file_end(struct wt_cert_list *list,
	struct wt_cert_list *found, enum wt_status status,
	const struct wt_error *why, const char *path, struct wt_error *err)
{
	status = wt_cert_list_refuse(found, status, why, err);
	if (status == WT_OK)
		status = wt_cert_list_end_file(found, path, err);
	if (status == WT_OK)
		status = wt_cert_list_move(list, found, err);
	wt_cert_list_free(found);
	return status;
}

enum wt_status wt_cert_file_read_fd(struct wt_cert_list *list, int fd,
	const char *object, struct wt_error *err)
{
	struct wt_cert_list *found = NULL;
	struct wt_error why = {0};
	enum wt_status ret = wt_cert_list_new_like(list, &found, err);

	if (ret != WT_OK)
		return ret;
	ret = fd_fill(found, fd, object, &why);
	return file_end(list, found, ret, &why, object, err);
}

enum wt_status wt_cert_list_read_memory(struct wt_cert_list *list,
	const void *data, size_t data_len, const char *object,
	struct wt_error *err)
{
	struct wt_cert_list *found = NULL;
	struct wt_error why = {0};
	enum wt_status ret = WT_OK;

	if (!(list && (data || data_len == 0) && object))
		return wt_fail_argument(err, __func__);
	ret = wt_cert_list_new_like(list, &found, err);
	if (ret != WT_OK)
		return ret;
	if (data_len > WT_CERT_FILE_MAX)
		ret = too_large(&why, object);
	else
		ret = wt_cert_kind_read_apart(
			found, data, data_len, object, &why);
	return file_end(list, found, ret, &why, object, err);
}

/* -1 when it cannot be opened. A FIFO is waited for where that can be ended. */
static int file_open(const char *path, struct wt_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		wt_fail_errno(err, WT_ERR_FILE, "cert-open", path,
			"cannot be opened");
	return fd;
}

static enum wt_status file_fill(
	struct wt_cert_list *found, const char *path, struct wt_error *err)
{
	int fd = file_open(path, err);
	enum wt_status ret = WT_OK;

	if (fd < 0)
		return WT_ERR_FILE;
	ret = fd_fill(found, fd, path, err);
	close(fd);
	return ret;
}

/* The deepest folder that is read. */
#define FOLDER_DEPTH_MAX 32

/* A folder that is being read. */
struct walk {
	struct wt_cert_list *list; /* keeps going */
	size_t file_count;	   /* with certificates in them */
	size_t folder_count;	   /* that are left out */
	char first_folder[256];
};

/* Does the file's name promise certificates? */
static bool is_claimed(const char *name)
{
	static const char *const ends[] = {".cer", ".crt", ".pem", ".der",
		".p7b", ".p7c", ".spc", ".sst", ".reg", ".stl"};
	const char *end = strrchr(name, '.');

	for (size_t i = 0; end && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcasecmp(end, ends[i]) == 0)
			return true;
	return false;
}

/* Files of these kinds are usually beside certificates. */
static bool is_skipped(const struct wt_cert_list *found, const char *name)
{
	static const char *const codes[] = {"cert-none", "cert-empty",
		"cert-pkcs12", "cert-too-large", "pkcs7-not-a-bundle"};
	const struct wt_error *why = wt_cert_list_refused(found, 0);
	const char *end = strrchr(name, '.');

	if (!why || wt_cert_list_refused_count(found) > 1 ||
		wt_cert_list_read_count(found) > 0)
		return false;
	/* A key in PEM is named as a certificate in PEM is. */
	if (is_claimed(name) && !(wt_cert_list_has_other(found) &&
					strcasecmp(end, ".pem") == 0))
		return false;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(why->code, codes[i]) == 0)
			return true;
	return false;
}

/* One file of a folder. That it cannot be read is no reason to stop. */
static enum wt_status entry_read(struct walk *walk, const char *path,
	const char *name, struct wt_error *err)
{
	struct wt_cert_list *found = NULL;
	struct wt_error why = {0};
	enum wt_status ret = wt_cert_list_new_like(walk->list, &found, err);

	if (ret != WT_OK)
		return ret;
	ret = file_fill(found, path, &why);
	if (ret == WT_ERR_FILE && strncmp(why.code, "cert-", 5) == 0)
		ret = WT_ERR_CERT;
	ret = wt_cert_list_refuse(found, ret, &why, err);
	if (ret != WT_OK || !is_skipped(found, name)) {
		walk->file_count++;
		return file_end(walk->list, found, ret, &why, path, err);
	}
	ret = wt_cert_list_add_note(walk->list, err, "%s: skipped, %s", path,
		wt_cert_list_refused(found, 0)->reason);
	wt_cert_list_free(found);
	return ret;
}

static enum wt_status folder_walk(
	struct walk *walk, const char *path, int depth, struct wt_error *err);

static enum wt_status subfolder_walk(struct walk *walk, const char *path,
	const char *name, int depth, struct wt_error *err)
{
	struct stat st = {0};

	/* Hidden files are not meant, and links lead to another folder. */
	if (name[0] == '.')
		return WT_OK;
	if (wt_cert_list_is_recursive(walk->list) && lstat(path, &st) == 0 &&
		S_ISDIR(st.st_mode) && depth < FOLDER_DEPTH_MAX)
		return folder_walk(walk, path, depth + 1, err);
	if (walk->folder_count++ == 0)
		snprintf(walk->first_folder, sizeof(walk->first_folder), "%s",
			path);
	return WT_OK;
}

static enum wt_status name_walk(struct walk *walk, const char *folder,
	const char *name, int depth, struct wt_error *err)
{
	struct wt_error why = {0};
	struct stat st = {0};
	enum wt_status ret = WT_OK;
	char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return wt_fail_memory(err);
	if (stat(path, &st) != 0) {
		wt_fail_errno(&why, WT_ERR_FILE, "cert-open", path,
			"cannot be opened");
		ret = wt_cert_list_refuse(walk->list, WT_ERR_CERT, &why, err);
	} else if (S_ISDIR(st.st_mode)) {
		ret = subfolder_walk(walk, path, name, depth, err);
	} else if (!S_ISREG(st.st_mode)) {
		ret = wt_cert_list_add_note(
			walk->list, err, "%s: skipped, not a file", path);
	} else {
		ret = entry_read(walk, path, name, err);
	}
	free(path);
	return ret;
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

static enum wt_status folder_walk(
	struct walk *walk, const char *path, int depth, struct wt_error *err)
{
	struct dirent **entries = NULL;
	enum wt_status ret = WT_OK;
	int entry_count = scandir(path, &entries, is_entry, entry_compare);

	if (entry_count < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "cert-open", path,
			"cannot be opened");
	for (int i = 0; i < entry_count && ret == WT_OK; i++)
		ret = name_walk(walk, path, entries[i]->d_name, depth, err);
	for (int i = 0; i < entry_count; i++)
		free(entries[i]);
	free(entries);
	return ret;
}

static enum wt_status folder_read(
	struct wt_cert_list *list, const char *path, struct wt_error *err)
{
	struct walk walk = {0};
	struct wt_error why = {0};
	enum wt_status ret = wt_cert_list_new_like(list, &walk.list, err);

	if (ret != WT_OK)
		return ret;
	wt_cert_list_keep_going(walk.list, true);
	ret = folder_walk(&walk, path, 0, err);
	if (ret == WT_OK && walk.folder_count > 0)
		ret = wt_cert_list_add_note(walk.list, err,
			"%s: %zu folder%s in it %s not searched, the first "
			"%s; --recursive searches them",
			path, walk.folder_count,
			walk.folder_count == 1 ? "" : "s",
			walk.folder_count == 1 ? "is" : "are",
			walk.first_folder);
	if (ret == WT_OK && walk.file_count == 0 &&
		wt_cert_list_refused_count(walk.list) == 0) {
		wt_fail(&why, WT_ERR_CERT, "cert-none", path,
			"no file in this folder holds a certificate");
		if (walk.folder_count > 0)
			wt_error_hint(&why,
				"--recursive searches the folders in it too");
		ret = wt_cert_list_refuse(walk.list, WT_ERR_CERT, &why, err);
	}
	if (ret == WT_OK)
		ret = wt_cert_list_move(list, walk.list, err);
	wt_cert_list_free(walk.list);
	return ret;
}

enum wt_status wt_cert_list_read(
	struct wt_cert_list *list, const char *path, struct wt_error *err)
{
	struct stat st = {0};
	enum wt_status ret = WT_OK;
	int fd = -1;

	if (!(list && path))
		return wt_fail_argument(err, __func__);
	if (strcmp(path, "-") == 0)
		return wt_cert_file_read_fd(
			list, STDIN_FILENO, "standard input", err);
	if (stat(path, &st) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "cert-open", path,
			"cannot be opened");
	if (S_ISDIR(st.st_mode))
		return folder_read(list, path, err);
	fd = file_open(path, err);
	if (fd < 0)
		return WT_ERR_FILE;
	ret = wt_cert_file_read_fd(list, fd, path, err);
	close(fd);
	return ret;
}
