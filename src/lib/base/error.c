/* SPDX-License-Identifier: MIT
 * base/error.c: fills a struct wt_error; the only place messages are formatted.
 */

#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void error_start(struct wt_error *err, enum wt_status status,
	const char *code, const char *object)
{
	memset(err, 0, sizeof(*err));
	err->status = status;
	snprintf(err->code, sizeof(err->code), "%s", code ? code : "");
	snprintf(err->object, sizeof(err->object), "%s", object ? object : "");
}

static void error_format(char *dst, size_t size, const char *fmt, va_list args)
	WT_PRINTF(3, 0);

/* Marks text that did not fit, instead of dropping it silently. */
static void error_format(char *dst, size_t size, const char *fmt, va_list args)
{
	int len = fmt ? vsnprintf(dst, size, fmt, args) : 0;

	if (len >= 0 && (size_t)len >= size)
		memcpy(dst + size - 4, "...", 4);
}

enum wt_status wt_fail(struct wt_error *err, enum wt_status status,
	const char *code, const char *object, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return status;
	error_start(err, status, code, object);
	va_start(args, fmt);
	error_format(err->reason, sizeof(err->reason), fmt, args);
	va_end(args);
	return status;
}

enum wt_status wt_fail_errno(struct wt_error *err, enum wt_status status,
	const char *code, const char *object, const char *fmt, ...)
{
	int saved = errno;
	size_t used = 0;
	va_list args;

	if (!err)
		return status;
	error_start(err, status, code, object);
	err->domain = WT_DOMAIN_SYSTEM;
	err->native = saved;
	va_start(args, fmt);
	error_format(err->reason, sizeof(err->reason), fmt, args);
	va_end(args);
	used = strlen(err->reason);
	snprintf(err->reason + used, sizeof(err->reason) - used, ": %s",
		strerror(saved));
	return status;
}

enum wt_status wt_fail_memory(struct wt_error *err)
{
	return wt_fail(err, WT_ERR_FILE, "no-memory", NULL, "out of memory");
}

enum wt_status wt_fail_as(struct wt_error *err, const struct wt_error *why)
{
	if (err)
		*err = *why;
	return why->status;
}

enum wt_status wt_fail_argument(struct wt_error *err, const char *function)
{
	wt_fail(err, WT_ERR_USAGE, "bad-argument", function,
		"an argument is NULL that must not be");
	wt_error_hint(err, "the comment of %s in wimtrust.h says which may be",
		function);
	return WT_ERR_USAGE;
}

enum wt_status wt_error_native(
	struct wt_error *err, enum wt_domain domain, int native)
{
	if (!err)
		return WT_OK;
	err->domain = domain;
	err->native = native;
	return err->status;
}

void wt_error_hint(struct wt_error *err, const char *fmt, ...)
{
	va_list args;

	if (!err || err->hint[0] != '\0')
		return;
	va_start(args, fmt);
	error_format(err->hint, sizeof(err->hint), fmt, args);
	va_end(args);
}

void wt_error_copy(struct wt_error *err, const struct wt_error *from)
{
	*err = *from;
	if ((unsigned)err->status > WT_INTERRUPTED)
		err->status = WT_ERR_FILE;
	if ((unsigned)err->domain > WT_DOMAIN_SIGNAL)
		err->domain = WT_DOMAIN_NONE;
	err->code[sizeof(err->code) - 1] = '\0';
	err->object[sizeof(err->object) - 1] = '\0';
	err->reason[sizeof(err->reason) - 1] = '\0';
	err->hint[sizeof(err->hint) - 1] = '\0';
}

int wt_cancel_number(const volatile sig_atomic_t *cancel)
{
	return cancel ? (int)__atomic_load_n(cancel, __ATOMIC_RELAXED) : 0;
}

enum wt_status wt_cancelled(
	const volatile sig_atomic_t *cancel, struct wt_error *err)
{
	int number = wt_cancel_number(cancel);

	if (number == 0)
		return WT_OK;
	wt_fail(err, WT_INTERRUPTED, "interrupted", NULL,
		"interrupted by signal %d (%s); nothing was changed", number,
		strsignal(number));
	wt_error_native(err, WT_DOMAIN_SIGNAL, number);
	return WT_INTERRUPTED;
}

/* Has the path only characters that a shell leaves alone? A place inside of a
 * file, as in "FILE, certificate 2", has others. */
static bool is_plain_path(const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789"
				    "./_-";

	return path && path[0] && path[0] != '-' &&
	       path[strspn(path, plain)] == '\0';
}

void wt_error_hint_file(
	struct wt_error *err, const char *text, const char *path)
{
	const char *at = strstr(text, "FILE");

	if (at && is_plain_path(path))
		wt_error_hint(err, "%.*s%s%s", (int)(at - text), text, path,
			at + strlen("FILE"));
	else
		wt_error_hint(err, "%s", text);
}
