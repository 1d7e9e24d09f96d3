/* SPDX-License-Identifier: MIT
 * base/digest.h: hashes of files, and whether two files hold the same. */
#ifndef WT_BASE_DIGEST_H
#define WT_BASE_DIGEST_H

#include <wimtrust/wimtrust.h>

/** To the end of the file. */
#define WT_DIGEST_REST UINT64_MAX

/**
 * SHA-256 of a file's first len bytes, upper-case hex. The offset is not moved.
 *
 * @return WT_ERR_FILE (read-failed) when the file ends before
 */
enum wt_status wt_digest_file(int fd, uint64_t len, const char *object,
	const volatile sig_atomic_t *cancel,
	char ret_hex[WT_SHA256_HEX_LEN + 1], struct wt_error *err);

/** SHA-1 of len bytes from offset on. The offset of the descriptor is not
 *  moved. Fails as the one above. */
enum wt_status wt_digest_sha1(int fd, uint64_t offset, uint64_t len,
	const char *object, const volatile sig_atomic_t *cancel,
	uint8_t ret_sha1[WT_SHA1_LEN], struct wt_error *err);

/** Do two files hold the same bytes up to len, or to their ends where these
 *  come first? WT_DIGEST_REST: to their ends. */
enum wt_status wt_files_equal(int fd, int other_fd, uint64_t len,
	const char *object, bool *ret_equal, struct wt_error *err);

#endif
