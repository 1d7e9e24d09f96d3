/* SPDX-License-Identifier: MIT
 * base/digest.c: hashes of files, and whether two files hold the same. */
#include "base/digest.h"

#include "base/child.h"
#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Large enough that the calls do not count, small enough for the cache. */
#define CHUNK_LEN ((size_t)256 << 10)

static enum wt_status digest_update(EVP_MD_CTX *md, int fd, uint64_t offset,
	uint64_t len, uint8_t *chunk, const char *object,
	const volatile sig_atomic_t *cancel, struct wt_error *err)
{
	const bool is_rest = len == WT_DIGEST_REST;
	enum wt_status ret = WT_OK;

	while (ret == WT_OK && len > 0) {
		size_t wanted = len < CHUNK_LEN ? (size_t)len : CHUNK_LEN;
		size_t got = 0;

		ret = wt_cancelled(cancel, err);
		if (ret == WT_OK)
			ret = wt_io_read_some(
				fd, chunk, wanted, offset, object, &got, err);
		if (ret == WT_OK && EVP_DigestUpdate(md, chunk, got) != 1)
			ret = wt_fail_memory(err);
		offset += got;
		if (ret == WT_OK && got < wanted && !is_rest)
			ret = wt_io_fail_short(offset, object, err);
		len = got < wanted ? 0 : len - got;
	}
	return ret;
}

static enum wt_status digest_make(int fd, uint64_t offset, uint64_t len,
	const EVP_MD *kind, const char *object,
	const volatile sig_atomic_t *cancel, uint8_t *ret_digest,
	struct wt_error *err)
{
	uint8_t *chunk = malloc(CHUNK_LEN);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	enum wt_status ret = WT_OK;

	if (!chunk || !md || EVP_DigestInit_ex(md, kind, NULL) != 1)
		ret = wt_fail_memory(err);
	if (ret == WT_OK)
		ret = digest_update(
			md, fd, offset, len, chunk, object, cancel, err);
	if (ret == WT_OK && EVP_DigestFinal_ex(md, ret_digest, NULL) != 1)
		ret = wt_fail_memory(err);
	EVP_MD_CTX_free(md);
	free(chunk);
	return ret;
}

enum wt_status wt_digest_file(int fd, uint64_t len, const char *object,
	const volatile sig_atomic_t *cancel,
	char ret_hex[WT_SHA256_HEX_LEN + 1], struct wt_error *err)
{
	uint8_t digest[WT_SHA256_LEN] = {0};
	enum wt_status ret = digest_make(
		fd, 0, len, EVP_sha256(), object, cancel, digest, err);

	if (ret == WT_OK)
		wt_text_hex(digest, sizeof(digest), ret_hex);
	return ret;
}

enum wt_status wt_digest_sha1(int fd, uint64_t offset, uint64_t len,
	const char *object, const volatile sig_atomic_t *cancel,
	uint8_t ret_sha1[WT_SHA1_LEN], struct wt_error *err)
{
	return digest_make(
		fd, offset, len, EVP_sha1(), object, cancel, ret_sha1, err);
}

enum wt_status wt_files_equal(int fd, int other_fd, uint64_t len,
	const char *object, bool *ret_equal, struct wt_error *err)
{
	uint8_t *chunks = malloc(2 * CHUNK_LEN);
	enum wt_status ret = chunks ? WT_OK : wt_fail_memory(err);
	size_t got = CHUNK_LEN, other_got = 0;
	bool is_equal = true;

	for (uint64_t at = 0; ret == WT_OK && is_equal && got == CHUNK_LEN;
		at += got) {
		size_t want =
			len - at < CHUNK_LEN ? (size_t)(len - at) : CHUNK_LEN;

		ret = wt_io_read_some(fd, chunks, want, at, object, &got, err);
		if (ret == WT_OK)
			ret = wt_io_read_some(other_fd, chunks + CHUNK_LEN,
				want, at, object, &other_got, err);
		is_equal = ret == WT_OK && got == other_got &&
			   memcmp(chunks, chunks + CHUNK_LEN, got) == 0;
	}
	free(chunks);
	if (ret == WT_OK)
		*ret_equal = is_equal;
	return ret;
}
