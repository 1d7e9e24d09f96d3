/* SPDX-License-Identifier: MIT
 * floor.c: what cannot be left out when a hive in an image is changed.
 *
 *   floor [IMAGE.wim CHUNKS CERTS.pem]
 *
 * Without arguments: what a child takes, free and locked in. With them also
 * the median of several goes at: reading the image's metadata by wimlib,
 * decompressing its hive, compressing CHUNKS chunks of that, compressing the
 * metadata again; and of what OpenSSL alone takes to decode the certificates
 * and to verify their own signatures. All of it by one processor. */
#include "base/child.h"
#include "wim/append/append.h"
#include "wim/chunks.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define GOES 7
#define CHILD_GOES 500
#define CERTS_MAX 1000

static void die(const char *what)
{
	fprintf(stderr, "floor: %s\n", what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_size(const void *one, const void *other)
{
	double difference = *(const double *)one - *(const double *)other;

	return difference < 0 ? -1 : difference > 0;
}

static double report(const char *what, double goes[GOES])
{
	qsort(goes, GOES, sizeof(*goes), by_size);
	printf("%-32s %6.1f ms\n", what, goes[GOES / 2]);
	return goes[GOES / 2];
}

static int ignore(const struct wimlib_dir_entry *entry, void *ctx)
{
	(void)entry;
	(void)ctx;
	return 0;
}

static double metadata_read(const char *path)
{
	double goes[GOES];

	for (int i = 0; i < GOES; i++) {
		WIMStruct *wim = NULL;
		double begin = now_ms();

		if (wimlib_open_wim(path, 0, &wim) != 0 ||
			wimlib_iterate_dir_tree(wim, 1, WIMLIB_WIM_ROOT_PATH, 0,
				ignore, NULL) != 0)
			die("the image cannot be read");
		goes[i] = now_ms() - begin;
		wimlib_free(wim);
	}
	return report("read the metadata", goes);
}

/* Decompresses a whole resource; gives back what it holds. */
static uint8_t *unpack(const struct wt_wim_chunks *chunks)
{
	size_t count = wt_wim_chunk_count(chunks->data_len, chunks->chunk_len);
	struct wimlib_decompressor *decompressor = NULL;
	uint8_t *data = malloc(chunks->data_len);
	uint8_t *chunk = malloc(chunks->chunk_len);

	if (!data || !chunk ||
		wimlib_create_decompressor(
			chunks->type, chunks->chunk_len, &decompressor) != 0)
		die("no memory");
	for (size_t i = 0; i < count; i++) {
		size_t at = i * chunks->chunk_len, len = 0;
		size_t room = wt_wim_chunk_data_len(chunks, i);

		if (!wt_wim_chunk_read(chunks, i, chunk, &len))
			die("the resource is damaged");
		if (len == room)
			memcpy(data + at, chunk, len);
		else if (wimlib_decompress(chunk, len, data + at, room,
				 decompressor) != 0)
			die("the resource is damaged");
	}
	wimlib_free_decompressor(decompressor);
	free(chunk);
	return data;
}

static double unpack_timed(const char *what, const struct wt_wim_chunks *chunks,
	uint8_t **ret_data)
{
	double goes[GOES];

	for (int i = 0; i < GOES; i++) {
		double begin = now_ms();

		free(*ret_data);
		*ret_data = unpack(chunks);
		goes[i] = now_ms() - begin;
	}
	return report(what, goes);
}

static double pack_timed(const char *what, const struct wt_wim_chunks *chunks,
	const uint8_t *data, size_t count)
{
	struct wimlib_compressor *compressor = NULL;
	uint8_t *out = malloc(chunks->chunk_len);
	double goes[GOES];

	if (!out || wimlib_create_compressor(chunks->type, chunks->chunk_len,
			    WT_WIM_COMPRESSION_LEVEL, &compressor) != 0)
		die("no memory");
	for (int i = 0; i < GOES; i++) {
		double begin = now_ms();

		for (size_t k = 0, len = 0; k < count; k++) {
			len = wt_wim_chunk_data_len(chunks, k);
			if (len == 0)
				break;
			wimlib_compress(data + k * chunks->chunk_len, len, out,
				len - 1, compressor);
		}
		goes[i] = now_ms() - begin;
	}
	wimlib_free_compressor(compressor);
	free(out);
	return report(what, goes);
}

static struct wt_wim_chunks resource_open(const char *path,
	const struct wt_wim_header *header, uint64_t offset, uint64_t len,
	uint64_t data_len)
{
	struct wt_wim_chunks chunks = {
		.place = {.offset = offset, .len = len},
		.data_len = data_len,
		.chunk_len = header->chunk_len,
		.type = wt_wim_chunks_type(header),
	};

	if (!wt_wim_chunks_open(&chunks, path))
		die("a resource cannot be read");
	return chunks;
}

/* Certificates, as they are stored and as OpenSSL has them. */
struct certs {
	uint8_t *der[CERTS_MAX];
	int len[CERTS_MAX];
	X509 *x509[CERTS_MAX];
	size_t count;
};

static void certs_load(const char *path, struct certs *certs)
{
	FILE *file = fopen(path, "re");
	X509 *x509 = NULL;

	if (!file)
		die("the certificates cannot be read");
	while (certs->count < CERTS_MAX &&
		(x509 = PEM_read_X509(file, NULL, NULL, NULL))) {
		certs->len[certs->count] =
			i2d_X509(x509, &certs->der[certs->count]);
		certs->x509[certs->count++] = x509;
	}
	fclose(file);
}

static void certs_decode(struct certs *certs)
{
	for (size_t i = 0; i < certs->count; i++) {
		const uint8_t *der = certs->der[i];

		X509_free(certs->x509[i]);
		certs->x509[i] = d2i_X509(NULL, &der, certs->len[i]);
		if (!certs->x509[i])
			die("a certificate is damaged");
	}
}

static void certs_verify(struct certs *certs)
{
	for (size_t i = 0; i < certs->count; i++)
		if (X509_verify(certs->x509[i],
			    X509_get0_pubkey(certs->x509[i])) != 1)
			die("a certificate is not self-signed");
}

static void certs_timed(const char *what, struct certs *certs,
	void (*work)(struct certs *certs))
{
	double goes[GOES];

	for (int i = 0; i < GOES; i++) {
		double begin = now_ms();

		work(certs);
		goes[i] = now_ms() - begin;
	}
	report(what, goes);
}

static void certs_free(struct certs *certs)
{
	for (size_t i = 0; i < certs->count; i++) {
		OPENSSL_free(certs->der[i]);
		X509_free(certs->x509[i]);
	}
}

static enum wt_status nothing_do(void *arg, struct wt_error *err)
{
	(void)arg;
	(void)err;
	return WT_OK;
}

/* Processor time of this process and of the children that have ended: what a
 * busy machine does besides is not in it. */
static double cpu_ms(void)
{
	double sum = 0;

	for (int i = 0; i < 2; i++) {
		struct rusage used = {0};

		getrusage(i ? RUSAGE_CHILDREN : RUSAGE_SELF, &used);
		sum += (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) *
			       1e3 +
		       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) /
			       1e3;
	}
	return sum;
}

/* What it takes to start a child that does nothing: the mean, for the clock of
 * processor time may be coarse. */
static void child_timed(const char *what, const struct wt_sandbox *sandbox)
{
	const struct wt_child how = {.object = "floor",
		.died_status = WT_ERR_FILE,
		.died_code = "crash",
		.sandbox = sandbox};
	double begin = cpu_ms();

	for (int i = 0; i < CHILD_GOES; i++)
		if (wt_child_run(&how, nothing_do, NULL, NULL) != WT_OK)
			die("a child ended badly");
	printf("%-32s %6.2f ms\n", what, (cpu_ms() - begin) / CHILD_GOES);
}

int main(int argc, char **argv)
{
	static const struct wt_sandbox in_memory;

	static struct certs certs;
	const struct wt_wim_options options = {0};
	struct wt_wim_chunks hive = {0}, metadata = {0};
	struct wt_wim_header header = {0};
	struct wt_wim *wim = NULL;
	uint8_t *data = NULL;
	double sum = 0;
	int fd = -1;

	child_timed("start a child", NULL);
	child_timed("start a child and lock it in", &in_memory);
	if (argc == 1)
		return 0;
	if (argc != 4)
		die("usage: floor IMAGE.wim CHUNKS CERTS.pem");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 ||
		wt_wim_header_read(fd, argv[1], &header, NULL, NULL, NULL) !=
			WT_OK ||
		wt_wim_read(argv[1], &options, &wim, NULL) != WT_OK ||
		header.boot_metadata.len == 0)
		die("no WIM with a bootable image");
	hive = resource_open(argv[1], &header, wim->images[0].hive_place.offset,
		wim->images[0].hive_place.len, wim->images[0].hive_len);
	metadata = resource_open(argv[1], &header, header.boot_metadata.offset,
		header.boot_metadata.len, header.boot_metadata.original_len);
	sum += metadata_read(argv[1]);
	sum += unpack_timed("decompress the hive", &hive, &data);
	sum += pack_timed("compress what changed of it", &hive, data,
		(size_t)strtoul(argv[2], NULL, 10));
	free(data);
	data = unpack(&metadata);
	sum += pack_timed("compress the metadata", &metadata, data, SIZE_MAX);
	printf("%-32s %6.1f ms\n", "together", sum);
	certs_load(argv[3], &certs);
	printf("OpenSSL, %zu certificates:\n", certs.count);
	certs_timed("decode", &certs, certs_decode);
	certs_timed("verify", &certs, certs_verify);
	certs_free(&certs);
	free(data);
	wt_wim_chunks_close(&hive);
	wt_wim_chunks_close(&metadata);
	wt_wim_free(wim);
	close(fd);
	return 0;
}
