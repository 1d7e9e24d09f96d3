/* SPDX-License-Identifier: MIT
 * wim/wim.h: hives in the images of a WIM. */
#ifndef WT_WIM_WIM_H
#define WT_WIM_WIM_H

#include <wimtrust/wimtrust.h>

#include <stdatomic.h>

#define WT_WIM_HEADER_LEN 208
#define WT_WIM_IMAGES_MAX 256 /**< more than any real file holds */
#define WT_WIM_TEXT_MAX 512
#define WT_WIM_PATH_MAX 256
/** A larger SOFTWARE is refused before it is read. Bytes. */
#define WT_HIVE_MAX ((uint64_t)512 << 20)

/** More alternate data streams than any hive's file has: real ones have none.
 */
#define WT_HIVE_STREAMS_MAX 16

/** Transaction logs that may be beside a hive: .LOG, .LOG1, .LOG2. */
#define WT_HIVE_LOGS 3

/** What hives may take in memory while the images are read. Bytes. */
#define WT_WIM_READ_HIVES_MAX ((uint64_t)32 << 20)

/** Some bytes of a WIM. */
struct wt_wim_extent {
	uint64_t offset, len;
};

/** One image of a WIM. Text is valid UTF-8. */
struct wt_wim_image {
	int index; /**< 1 is the first */
	bool is_boot;
	char name[WT_WIM_TEXT_MAX];
	char description[WT_WIM_TEXT_MAX];
	char arch[32];	  /**< "x64", or "" */
	char version[64]; /**< "10.0.26100.1", or "" */
	uint64_t file_count;
	/** The hive's path as stored, "/Windows/System32/config/SOFTWARE";
	 *  "" when there is none. */
	char hive_path[WT_WIM_PATH_MAX];
	uint64_t hive_len;
	/** The resource that it is in: alone, or with other files. */
	struct wt_wim_extent hive_place;
	bool is_hive_alone; /**< and compressed */
	uint8_t hive_sha1[WT_SHA1_LEN];
	unsigned hive_links; /**< names that the hive's file has */
	/** Its alternate data streams, and the hashes of the first of them. */
	unsigned stream_count;
	uint8_t stream_sha1s[WT_HIVE_STREAMS_MAX][WT_SHA1_LEN];
	/** .LOG, .LOG1 and .LOG2 beside the hive, as stored; length 0 when
	 *  there is none, or an empty one. */
	char log_paths[WT_HIVE_LOGS][WT_WIM_PATH_MAX];
	uint64_t log_lens[WT_HIVE_LOGS];
	/** Windows RE in it, an image of its own; "" when there is none. */
	char winre_path[WT_WIM_PATH_MAX];
	/** Why there is no hive, when that is an error and not an absence:
	 *  found twice, a link in the path, a folder, too large. */
	struct wt_error hive_error;
	int hive_fd; /**< the hive in memory; -1: not taken out */
};

/** What a WIM's header and XML say. */
struct wt_wim_info {
	uint64_t len;	      /**< of the file, bytes */
	uint64_t used_len;    /**< up to the header's last resource, bytes */
	uint64_t unused_len;  /**< of these, what no resource takes, bytes */
	char compression[16]; /**< "LZX", "XPRESS", "LZMS", "None" */
	uint32_t chunk_len;
	char guid[33];
	int image_count;
	int boot_index; /**< 0 for none */
	/** The header says that an image starts, and names the metadata of
	 *  another, or of none. */
	bool has_wrong_boot;
	/** It says that none starts, and names the metadata of one. */
	bool has_unnamed_boot;
	bool has_integrity_table;
	bool is_interrupted; /**< a writer left WRITE_IN_PROGRESS set */
	bool is_pipable;
	bool is_solid;
	bool is_read_only; /**< the header's own flag */
	bool is_ordered;   /**< its tables stand where one can append */
	int part, part_count;
};

/** A WIM as it was read; no handle of wimlib's is behind it. */
struct wt_wim {
	struct wt_wim_info info;
	struct wt_wim_extent *extents; /**< what wimlib reads to append */
	size_t extent_count;
	uint64_t tables_len; /**< of the metadata, the tables and the header */
	uint8_t boot_metadata[24];    /**< as the header should have it */
	struct wt_wim_image images[]; /**< info.image_count of them */
};

/** Which step a child is at, and how far: in memory from wt_shared_new(). */
struct wt_wim_told {
	atomic_int step;
	_Atomic(uint64_t) done, total;
};

/** How WIMs are worked on. */
struct wt_wim_options {
	const char *object; /**< the WIM's name in messages; NULL: path */
	unsigned threads;   /**< 0: one a processor */
	bool check_integrity;
	/** Read the header, the blob table and the XML only: of the images
	 *  there is the index then. */
	bool skip_images;
	/** Which hives to take out while the images are read, asked in a
	 *  child; NULL: none. */
	bool (*wants_hive)(const void *ctx, const struct wt_wim_image *image);
	const void *wants_ctx;
	bool is_stamped; /**< times that are written are not later than stamp */
	int64_t stamp;	 /**< seconds since 1970 */
	const char *temp_folder; /**< private, exists, on this machine */
	const volatile sig_atomic_t *cancel;
	/** Where children tell how far they are; NULL: progress is silent. */
	struct wt_wim_told *told;
	/** NULL for none; bytes. Called in this process. */
	void (*progress)(
		void *ctx, const char *what, uint64_t done, uint64_t total);
	void *progress_ctx;
};

/**
 * Reads the header and XML of the WIM and looks for the hive in each image.
 * Takes those out that options->wants_hive asks for, while wimlib has the file
 * open. Left out are those that cannot be read, or would make all together
 * more than WT_WIM_READ_HIVES_MAX: wt_wim_extract() takes those, or says why
 * not.
 *
 * An interrupted, pipable or read-only WIM is read too; see
 * wt_wim_check_writable(). An image without a hive is no failure.
 *
 * @param path     may be /proc/self/fd/N
 * @param ret_wim  free with wt_wim_free()
 * @return WT_ERR_WIM: wim-not-a-wim, wim-truncated, wim-damaged, wim-split,
 *         wim-unsupported, wim-encrypted, wim-integrity; WT_ERR_FILE
 */
enum wt_status wt_wim_read(const char *path,
	const struct wt_wim_options *options, struct wt_wim **ret_wim,
	struct wt_error *err);
void wt_wim_free(struct wt_wim *wim);

/** Closes what is open of these and sets it to -1. */
void wt_wim_fds_close(int *fds, size_t count);

/**
 * May a WIM like this be changed?
 *
 * @return WT_ERR_WIM: image-interrupted, wim-pipable, wim-read-only-flag,
 *         each with the remedy
 */
enum wt_status wt_wim_check_writable(const struct wt_wim_info *info,
	const char *object, struct wt_error *err);

/**
 * Takes the hives of some images out of a WIM, all at once into memory.
 *
 * @param wim        from wt_wim_read() of the same file
 * @param images     indexes into wim->images, image_count of them
 * @param ret_hives  image_count memfds, written on success only
 * @return WT_ERR_WIM (wim-damaged)
 */
enum wt_status wt_wim_extract(const char *path, const struct wt_wim *wim,
	const int *images, size_t image_count,
	const struct wt_wim_options *options, int *ret_hives,
	struct wt_error *err);

/**
 * Takes the transaction logs beside the hive of an image out of a WIM.
 *
 * @param image     index into wim->images
 * @param max_len   a longer log is left out
 * @param ret_logs  memfds; -1 where there is none, or it is empty or too long
 */
enum wt_status wt_wim_extract_logs(const char *path, const struct wt_wim *wim,
	int image, uint64_t max_len, const struct wt_wim_options *options,
	int ret_logs[WT_HIVE_LOGS], struct wt_error *err);

/**
 * Has a hive that was taken out the hash that its image says? To be asked of
 * each, since taking out does not; so it can be done while a child already
 * looks at the hive.
 *
 * @param object  names the hive in messages
 * @return WT_ERR_WIM (wim-damaged), WT_INTERRUPTED
 */
enum wt_status wt_wim_hive_check(const struct wt_wim_image *image, int hive_fd,
	const char *object, const volatile sig_atomic_t *cancel,
	struct wt_error *err);

/** One image's new hive. */
struct wt_wim_put {
	int image;   /**< index into wim->images */
	int hive_fd; /**< the new content, from offset 0 to the end */
	int old_fd;  /**< what the image holds; -1: not known */
	/** hive_fd is a file in options->temp_folder, not in memory. */
	bool is_parked;
};

/**
 * What has to be written to a WIM, and where, so that images hold new hives.
 *
 * The WIM itself is not written. wimlib appends to a skeleton of it: a sparse
 * file of the same length in options->temp_folder that holds the header, the
 * tables and the metadata at their places and nothing else. What wimlib wrote
 * there beyond the old end (the tail) and the new header are all that the
 * real file lacks.
 */
struct wt_wim_patch {
	int fd;			   /**< the skeleton after the append */
	uint64_t old_len, new_len; /**< length of the WIM before and after */
	uint64_t tail_offset;	   /**< tail: from here to new_len in fd */
	enum wt_access access;	   /**< the one that was used, never AUTO */
	char access_reason[160];   /**< why not mount, or "" */
};

/**
 * Builds the patch. Each put hive is read back from the skeleton, and its hash
 * compared with that of the hive given, before this returns.
 *
 * @param put_count  1 or more; a file that is not changed is not appended to
 * @param ret_patch  the caller closes ret_patch->fd
 */
enum wt_status wt_wim_make_patch(const char *path, const struct wt_wim *wim,
	const struct wt_wim_put *puts, size_t put_count, enum wt_access access,
	const struct wt_wim_options *options, struct wt_wim_patch *ret_patch,
	struct wt_error *err);

/** The header of the WIM in fd with the metadata of the image that starts.
 *  Returns what reading a header does. */
enum wt_status wt_wim_mend_boot(int fd, const char *object,
	const struct wt_wim *wim, uint8_t ret_header[WT_WIM_HEADER_LEN],
	struct wt_error *err);

/**
 * The header that the WIM in fd had before a writer was interrupted: the same
 * without the flag. Written at offset 0, and the file cut to ret_used_len, it
 * gives the old WIM back.
 *
 * @return WT_ERR_WIM (wim-not-interrupted) when the flag is not set
 */
enum wt_status wt_wim_repair(int fd, const char *object,
	uint8_t ret_header[WT_WIM_HEADER_LEN], uint64_t *ret_used_len,
	struct wt_error *err);

/** Rebuilds the WIM as new_path, without the holes that appends left. */
enum wt_status wt_wim_rebuild(const char *path, const char *new_path,
	const struct wt_wim_options *options, struct wt_error *err);

/** wimlib's version, "1.13.6". */
const char *wt_wim_library_version(void);

#endif
