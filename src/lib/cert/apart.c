/* SPDX-License-Identifier: MIT
 * cert/apart.c: a child process with a sandbox parses certificates.
 *
 * The child has the bytes in its memory and writes an answer, which the parent
 * checks. Numbers are little-endian; a text is 4 bytes of length and its bytes:
 *
 *   size  meaning
 *      4  1: the input has other objects, too; 2: the list is full
 *      4  certificates read, duplicates counted
 *      4  certificates in this answer, and of each:
 *           4  1: a registry value; 2: its own signature is good; 4: its
 *              signature is not verified yet
 *           4  the store where it was (enum wt_store)
 *           4  1: elsewhere; 2: among a user's roots
 *           …  the name of that place, a text
 *           …  its name in messages, a text
 *           …  its DER or its registry value, as a text
 *      4  notes, each a text
 *      4  refused certificates, each a struct wt_error
 */
#include "cert/kind.h"

#include "base/child.h"
#include "base/io.h"
#include "base/text.h"
#include "cert/blob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#define HAS_OTHER 1u
#define IS_FULL 2u
#define IS_BLOB 1u
#define IS_GOOD 2u
#define IS_UNVERIFIED 4u
#define IS_ELSEWHERE 1u
#define IS_USER 2u

/* More than the largest file of certificates needs. */
#define MEMORY_MAX ((uint64_t)8 << 30)
#define ANSWER_MAX ((uint64_t)1 << 30)
/* A large bundle takes some seconds; this is for machines that are busy. */
#define SECONDS_MAX 600

static void text_write(struct wt_writer *writer, const void *text, size_t len)
{
	wt_writer_u32(writer, (uint32_t)len);
	wt_writer_bytes(writer, text, len);
}

static void cert_write(struct wt_writer *writer, const struct wt_cert *cert)
{
	const struct wt_cert_info *info = wt_cert_info(cert);
	const struct wt_origin *origin = wt_cert_origin(cert);
	uint32_t flags = info->blob ? IS_BLOB : 0;

	if (wt_cert_is_self_unverified(cert))
		flags |= IS_UNVERIFIED;
	else if (info->is_self_signed && !info->has_bad_signature)
		flags |= IS_GOOD;
	wt_writer_u32(writer, flags);
	wt_writer_u32(writer, (uint32_t)origin->store);
	wt_writer_u32(writer, (origin->is_elsewhere ? IS_ELSEWHERE : 0) |
				      (origin->is_user ? IS_USER : 0));
	text_write(writer, origin->name, strlen(origin->name));
	text_write(writer, info->source, strlen(info->source));
	if (info->blob)
		text_write(writer, info->blob, info->blob_len);
	else
		text_write(writer, info->der, info->der_len);
}

void wt_cert_answer_write(
	struct wt_writer *writer, const struct wt_cert_list *list)
{
	size_t cert_count = wt_cert_list_count(list);
	size_t note_count = wt_cert_list_note_count(list);
	size_t refused_count = wt_cert_list_refused_count(list);

	wt_writer_u32(
		writer, (wt_cert_list_has_other(list) ? HAS_OTHER : 0) |
				(wt_cert_list_is_full(list) ? IS_FULL : 0));
	wt_writer_u32(writer, (uint32_t)wt_cert_list_read_count(list));
	wt_writer_u32(writer, (uint32_t)cert_count);
	for (size_t i = 0; i < cert_count; i++)
		cert_write(writer, wt_cert_list_get(list, i));
	wt_writer_u32(writer, (uint32_t)note_count);
	for (size_t i = 0; i < note_count; i++)
		text_write(writer, wt_cert_list_note(list, i),
			strlen(wt_cert_list_note(list, i)));
	wt_writer_u32(writer, (uint32_t)refused_count);
	for (size_t i = 0; i < refused_count; i++)
		wt_writer_bytes(writer, wt_cert_list_refused(list, i),
			sizeof(struct wt_error));
}

static enum wt_status answer_fail(struct wt_error *err, const char *object)
{
	return wt_fail(err, WT_ERR_CERT, "cert-crash", object,
		"the process that read it gave a malformed answer");
}

static const uint8_t *text_read(struct wt_reader *reader, size_t *ret_len)
{
	*ret_len = wt_reader_u32(reader);
	return reader->has_failed ? NULL : wt_reader_bytes(reader, *ret_len);
}

static bool origin_read(struct wt_reader *reader, struct wt_origin *origin)
{
	uint32_t store = wt_reader_u32(reader);
	uint32_t flags = wt_reader_u32(reader);
	size_t len = 0;
	const uint8_t *name = text_read(reader, &len);

	if (!name || store >= WT_STORE_COUNT || len >= sizeof(origin->name))
		return false;
	origin->store = (enum wt_store)store;
	origin->is_elsewhere = flags & IS_ELSEWHERE;
	origin->is_user = flags & IS_USER;
	memcpy(origin->name, name, len);
	return true;
}

static enum wt_status cert_read(struct wt_cert_list *list,
	struct wt_reader *reader, const char *object, struct wt_error *err)
{
	struct wt_origin origin = {0};
	struct wt_cert *cert = NULL;
	enum wt_status ret = WT_OK;
	uint32_t flags = wt_reader_u32(reader);
	size_t source_len = 0, len = 0;
	const uint8_t *source = NULL, *data = NULL;
	char *name = NULL;

	if (origin_read(reader, &origin)) {
		source = text_read(reader, &source_len);
		data = text_read(reader, &len);
	}
	if (!source || !data)
		return answer_fail(err, object);
	name = wt_text_clean_dup(source, source_len);
	if (!name)
		return wt_fail_memory(err);
	ret = flags & IS_BLOB ? wt_certblob_decode_unverified(
					data, len, name, &cert, err)
			      : wt_cert_from_der_unverified(
					data, len, name, &cert, err);
	free(name);
	if (ret != WT_OK)
		return ret;
	wt_cert_set_origin(cert, &origin);
	if (!(flags & IS_UNVERIFIED))
		wt_cert_take_self(cert, flags & IS_GOOD);
	return wt_cert_list_add(list, cert, err);
}

static enum wt_status note_read(struct wt_cert_list *list,
	struct wt_reader *reader, const char *object, struct wt_error *err)
{
	size_t len = 0;
	const uint8_t *text = text_read(reader, &len);

	if (!text)
		return answer_fail(err, object);
	return wt_cert_list_put_note(list, wt_text_clean_dup(text, len), err);
}

static enum wt_status refused_read(struct wt_cert_list *list,
	struct wt_reader *reader, const char *object, struct wt_error *err)
{
	const uint8_t *data = wt_reader_bytes(reader, sizeof(struct wt_error));
	struct wt_error there = {0}, why = {0};

	if (!data)
		return answer_fail(err, object);
	memcpy(&there, data, sizeof(there));
	wt_error_copy(&why, &there);
	if (why.status != WT_ERR_CERT)
		return answer_fail(err, object);
	return wt_cert_list_refuse(list, WT_ERR_CERT, &why, err);
}

enum wt_status wt_cert_answer_read(struct wt_cert_list *list,
	const uint8_t *answer, size_t len, const char *object,
	struct wt_error *err)
{
	static enum wt_status (*const readers[])(struct wt_cert_list *list,
		struct wt_reader *reader, const char *object,
		struct wt_error *err) = {cert_read, note_read, refused_read};
	struct wt_reader reader = wt_reader_init(answer, len);
	uint32_t flags = wt_reader_u32(&reader);
	uint32_t read_count = wt_reader_u32(&reader);
	enum wt_status ret = WT_OK;

	if (wt_cert_list_is_chain(list) && len > 2 * WT_CHAIN_LEN_MAX)
		return answer_fail(err, object);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		uint32_t count = wt_reader_u32(&reader);

		/* Each has a length, at least. */
		if (count > wt_reader_left(&reader) / 4 ||
			(wt_cert_list_is_chain(list) && i == 0 &&
				count > WT_CHAIN_CERTS_MAX))
			return answer_fail(err, object);
		while (ret == WT_OK && count-- > 0)
			ret = readers[i](list, &reader, object, err);
		if (ret != WT_OK)
			return ret;
	}
	if (reader.has_failed || wt_reader_left(&reader) > 0)
		return answer_fail(err, object);
	wt_cert_list_take(list, read_count, flags & HAS_OTHER, flags & IS_FULL);
	return WT_OK;
}

/* What the child works on. */
struct work {
	const struct wt_cert_list *list;
	const uint8_t *data;
	size_t data_len;
	const char *object;
	int fd; /* for the answer */
};

static enum wt_status answer_store(const struct work *work,
	const struct wt_cert_list *found, struct wt_error *err)
{
	struct wt_writer answer = {0};
	enum wt_status ret = WT_OK;

	wt_cert_answer_write(&answer, found);
	if (answer.has_failed)
		ret = wt_fail_memory(err);
	else
		ret = wt_io_write_all(work->fd, answer.data, answer.len, 0,
			work->object, err);
	wt_writer_free(&answer);
	return ret;
}

/* Runs in the child. An error keeps the certificates that came before it. */
static enum wt_status parse(void *arg, struct wt_error *err)
{
	const struct work *work = arg;
	struct wt_cert_list *found = NULL;
	struct wt_error why = {0};
	enum wt_status stored = WT_OK;
	enum wt_status ret = wt_cert_list_new_like(work->list, &found, err);

	if (ret != WT_OK)
		return ret;
	ret = wt_cert_kind_read(
		found, work->data, work->data_len, work->object, err);
	if (ret == WT_OK || ret == WT_ERR_CERT)
		stored = answer_store(work, found, &why);
	wt_cert_list_free(found);
	if (stored == WT_OK)
		return ret;
	return wt_fail_as(err, &why);
}

/* The answer is empty if the child ended before it wrote one. */
static enum wt_status answer_load(struct wt_cert_list *list, int fd,
	const char *object, struct wt_error *err)
{
	struct stat st = {0};
	uint8_t *answer = NULL;
	enum wt_status ret = WT_OK;

	if (fstat(fd, &st) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "read-failed", object,
			"cannot be read");
	if (st.st_size == 0)
		return WT_OK;
	if ((uint64_t)st.st_size > ANSWER_MAX)
		return answer_fail(err, object);
	answer = malloc((size_t)st.st_size);
	if (!answer)
		return wt_fail_memory(err);
	ret = wt_io_read_all(fd, answer, (size_t)st.st_size, 0, object, err);
	if (ret == WT_OK)
		ret = wt_cert_answer_read(
			list, answer, (size_t)st.st_size, object, err);
	free(answer);
	return ret;
}

enum wt_status wt_cert_kind_read_apart(struct wt_cert_list *list,
	const uint8_t *data, size_t data_len, const char *object,
	struct wt_error *err)
{
	struct work work = {.list = list,
		.data = data,
		.data_len = data_len,
		.object = object,
		.fd = -1};
	const struct wt_sandbox in_memory = {.fds = &work.fd, .fd_count = 1};
	const struct wt_child how = {
		.limits = {.memory_len = MEMORY_MAX,
			.file_len = ANSWER_MAX,
			.seconds = SECONDS_MAX},
		.object = object,
		.died_status = WT_ERR_CERT,
		.died_code = "cert-crash",
		.cancel = wt_cert_list_cancel(list),
		.sandbox = &in_memory,
	};
	struct wt_error why = {0};
	enum wt_status loaded = WT_OK;
	enum wt_status ret =
		wt_io_memory_file("wimtrust-certs", object, &work.fd, err);

	if (ret != WT_OK)
		return ret;
	/* The child cannot open OpenSSL's configuration file. */
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	ret = wt_child_run(&how, parse, &work, err);
	if (ret == WT_OK || ret == WT_ERR_CERT)
		loaded = answer_load(list, work.fd, object, &why);
	close(work.fd);
	if (ret != WT_OK || loaded == WT_OK)
		return ret;
	return wt_fail_as(err, &why);
}
