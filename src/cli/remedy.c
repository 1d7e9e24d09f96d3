/* SPDX-License-Identifier: MIT
 * remedy.c: what to do about a failure, where it is not said with it. */
#include "remedy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SPELLING                                                               \
	"look at the spelling; a path without a leading / begins in the "      \
	"current folder"
#define RIGHTS "ls -l shows who has permission; run it as such a user"
#define EXPORT_ANEW "export or download it again"
#define INTACT_HIVE "take the hive from an intact copy of the image"
#define INTACT_WIM                                                             \
	"copy it again from where it came from; wimlib-imagex verify looks "   \
	"at "                                                                  \
	"all of it"
#define ANOTHER_PROGRAM "run it again when that program is done"

/* By the code, and by errno where it is not 0. The first that fits counts. */
static const struct {
	const char *code; /* one that ends with '-' stands for all that begin
			   * so */
	int native;
	const char *hint;
} remedies[] = {
	{"not-found", ENOENT, SPELLING},
	{"not-found", ENOTDIR, SPELLING},
	{"cert-open", ENOENT, SPELLING},
	{"cert-open", ENOTDIR, SPELLING},
	{"output", ENOENT, SPELLING},
	{"cert-open", EACCES, RIGHTS},
	{"output", EACCES, RIGHTS},
	{"permission", 0, RIGHTS},
	{"not-a-file", 0, "give a file; save what comes from a pipe in one"},
	{"bad-suffix", 0, "an ending has no slash: --backup=.old"},
	{"changed", 0, ANOTHER_PROGRAM},
	{"write-failed", EFBIG,
		"raise the limit of a file's length (ulimit -f)"},
	{"output", EFBIG, "raise the limit of a file's length (ulimit -f)"},
	{"read-failed", EIO, "look at the disk: dmesg names what failed"},
	{"io-error", 0, "look at the disk: dmesg names what failed"},
	{"no-memory", 0, "free memory, or raise the limit (ulimit -v)"},
	{"no-process", 0, "raise the limit of processes (ulimit -u)"},
	{"mount-failed", 0, "--access update needs no FUSE"},
	/* Certificates */
	{"cert-none", 0,
		"give the file that holds the certificate itself: .cer, .crt, "
		".pem, .p7b, .sst or .reg"},
	{"cert-too-large", 0, "give a file that holds certificates only"},
	{"friendly-name-not-utf8", 0, "write it in UTF-8"},
	{"reg-bad-root-name", 0, "a name has no backslash and no bracket"},
	{"cert-empty", 0, EXPORT_ANEW},
	{"cert-bad-signature", 0, EXPORT_ANEW},
	{"cert-malformed", 0, EXPORT_ANEW},
	{"cert-not-der", 0, EXPORT_ANEW},
	{"cert-truncated", 0, EXPORT_ANEW},
	{"pkcs7-", 0, EXPORT_ANEW},
	{"pem-", 0, EXPORT_ANEW},
	{"sst-", 0, EXPORT_ANEW},
	{"reg-", 0, EXPORT_ANEW},
	{"blob-", 0, EXPORT_ANEW},
	/* WIM files */
	{"wim-not-a-wim", 0,
		"give a .wim or .esd file, a SOFTWARE hive, or the folder that "
		"holds the Windows folder"},
	{"wim-damaged", 0, INTACT_WIM},
	{"wim-integrity", 0, INTACT_WIM},
	{"wim-truncated", 0, INTACT_WIM},
	{"wim-unsupported", 0,
		"wimlib-imagex export writes it again in the usual format"},
	{"wim-not-interrupted", 0, "leave out --repair"},
	{"hive-path-link", 0,
		"no image of Windows has a link there: take the image again "
		"from where it came from"},
	{"hive-is-folder", 0,
		"no image of Windows has a folder there: take the image again "
		"from where it came from"},
	{"hive-encrypted", 0, "decrypt it on Windows: cipher /d"},
	/* Hives */
	{"hive-not-a-hive", 0, INTACT_HIVE},
	{"hive-truncated", 0, INTACT_HIVE},
	{"hive-damaged", 0, INTACT_HIVE},
	{"hive-duplicate-key", 0, INTACT_HIVE},
	{"hive-bad-", 0, INTACT_HIVE},
};

static bool is_code(const char *code, const char *pattern)
{
	size_t len = strlen(pattern);

	return pattern[len - 1] == '-' ? strncmp(code, pattern, len) == 0
				       : strcmp(code, pattern) == 0;
}

void cli_remedy(struct wt_error *err)
{
	if (err->hint[0] || err->status == WT_NO)
		return;
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
		if (!is_code(err->code, remedies[i].code) ||
			(remedies[i].native &&
				(err->domain != WT_DOMAIN_SYSTEM ||
					err->native != remedies[i].native)))
			continue;
		snprintf(err->hint, sizeof(err->hint), "%s", remedies[i].hint);
		return;
	}
}
