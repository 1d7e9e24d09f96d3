/* SPDX-License-Identifier: MIT
 * file/attributes.c: owner, mode, lists and attributes of a new file. */
#include "file/attributes.h"

#include "base/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ACCESS_LIST "system.posix_acl_access"
#define UMASK_DEFAULT 022

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* 0, or -1 with errno when an attribute that matters is not on dst. */
static int attribute_copy(int src_fd, int dst_fd, const char *name)
{
	ssize_t len = fgetxattr(src_fd, name, NULL, 0);
	char *value = NULL;
	int saved = 0;
	int ret = 0;

	if (len < 0)
		return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -1;
	value = malloc((size_t)len + 1);
	if (!value)
		return -1;
	len = fgetxattr(src_fd, name, value, (size_t)len);
	if (len >= 0)
		ret = fsetxattr(dst_fd, name, value, (size_t)len, 0);
	saved = errno;
	free(value);
	errno = saved;
	if (len < 0 || ret != 0) {
		/* The system sets labels itself, and lets root alone set
		 * others: no reason to refuse the whole. Nor is what it shows
		 * of a server's lists, and does not take. */
		if ((has_prefix(name, "security.") ||
			    has_prefix(name, "trusted.")) &&
			errno != ENOSPC && errno != EDQUOT)
			return 0;
		if (errno == EOPNOTSUPP && has_prefix(name, "system.") &&
			strcmp(name, ACCESS_LIST) != 0)
			return 0;
		return errno == ENODATA ? 0 : -1;
	}
	return 0;
}

static int attributes_copy(int src_fd, int dst_fd)
{
	ssize_t len = flistxattr(src_fd, NULL, 0);
	char *names = NULL;
	int saved = 0;
	int ret = 0;

	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -1;
	if (len == 0)
		return 0;
	names = malloc((size_t)len + 1);
	if (!names)
		return -1;
	len = flistxattr(src_fd, names, (size_t)len);
	if (len < 0)
		ret = -1;
	else
		names[len] = '\0';
	for (ssize_t at = 0; ret == 0 && at < len;
		at += (ssize_t)strlen(names + at) + 1) {
		const char *name = names + at;

		if (strcmp(name, "security.ima") == 0 ||
			strcmp(name, "security.evm") == 0)
			continue;
		ret = attribute_copy(src_fd, dst_fd, name);
	}
	saved = errno;
	free(names);
	errno = saved;
	return ret;
}

/* No room is another matter than what cannot be had at all. */
static enum wt_status not_kept(
	struct wt_error *err, const char *object, const char *what)
{
	if (errno == ENOSPC || errno == EDQUOT || errno == ENOMEM)
		return wt_io_fail(err, object, "%s", what);
	return wt_fail_errno(err, WT_ERR_FILE, "not-kept", object, "%s", what);
}

enum wt_status wt_attributes_copy(int src_fd, const struct stat *src,
	int dst_fd, const struct wt_traits *traits, const char *object,
	struct wt_error *err)
{
	struct stat dst = {0};
	char what[128];

	if (fstat(dst_fd, &dst) != 0)
		return wt_io_fail(err, object, "cannot read its new copy");
	/* The folder's default list may have given it one. */
	(void)fremovexattr(dst_fd, ACCESS_LIST);
	if (!traits->has_no_owners &&
		((dst.st_uid != src->st_uid &&
			 fchown(dst_fd, src->st_uid, (gid_t)-1) != 0) ||
			(dst.st_gid != src->st_gid &&
				fchown(dst_fd, (uid_t)-1, src->st_gid) != 0))) {
		snprintf(what, sizeof(what),
			"a new copy cannot be given its owner %ld and group "
			"%ld",
			(long)src->st_uid, (long)src->st_gid);
		not_kept(err, object, what);
		wt_error_hint(err, "run this as the owner, or write into the "
				   "file itself with --commit append");
		return WT_ERR_FILE;
	}
	/* Compared first: file systems without modes refuse to set one. */
	if (fstat(dst_fd, &dst) != 0 ||
		(!traits->has_no_modes &&
			(dst.st_mode & 07777) != (src->st_mode & 07777) &&
			fchmod(dst_fd, src->st_mode & 07777) != 0) ||
		(!traits->has_no_attributes &&
			attributes_copy(src_fd, dst_fd) != 0)) {
		not_kept(err, object,
			"a new copy cannot be given its mode and attributes");
		wt_error_hint(err, "write into the file itself with --commit "
				   "append");
		return WT_ERR_FILE;
	}
	return WT_OK;
}

enum wt_status wt_attributes_check(const struct stat *src, int dst_fd,
	const char *object, struct wt_error *err)
{
	struct stat dst = {0};

	if (fstat(dst_fd, &dst) != 0)
		return wt_io_fail(err, object, "cannot read its new copy");
	if (dst.st_uid == src->st_uid && dst.st_gid == src->st_gid &&
		(dst.st_mode & 07777) == (src->st_mode & 07777))
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "not-kept", object,
		"a new copy cannot be given its owner, group and mode here");
	wt_error_hint(err, "write into the file itself with --commit append, "
			   "or another file with -o FILE");
	return WT_ERR_FILE;
}

/* Read, not set and set back: umask() is the whole process's. */
static mode_t current_umask(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned mask = UMASK_DEFAULT;
	char line[128];

	if (!status)
		return UMASK_DEFAULT;
	while (fgets(line, sizeof(line), status)) {
		if (sscanf(line, "Umask: %o", &mask) == 1)
			break;
	}
	fclose(status);
	return (mode_t)(mask & 0777);
}

enum wt_status wt_attributes_new_file(const struct stat *src, int dst_fd,
	const struct wt_traits *traits, const char *object,
	struct wt_error *err)
{
	mode_t mode = ((src->st_mode & 0777) | 0600) & ~current_umask();
	struct stat dst = {0};

	if (fstat(dst_fd, &dst) != 0 ||
		(!traits->has_no_modes && (dst.st_mode & 07777) != mode &&
			fchmod(dst_fd, mode) != 0))
		return wt_io_fail(err, object, "cannot set its mode");
	return WT_OK;
}
