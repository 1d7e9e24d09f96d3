/* SPDX-License-Identifier: MIT
 * wim_patch.c: what has to be written to a WIM so that it holds new hives. */
#include "wim_append.h"
#include "wim_extract.h"
#include "wim_find.h"
#include "wim_reuse.h"

#include <openssl/evp.h>

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS_MAX 300

static enum wt_status hive_hash(int fd, const char *object,
	uint8_t ret_sha1[WT_SHA1_LEN], struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	struct stat st = {0};
	void *map = NULL;
	size_t len = 0;

	if (fstat(fd, &st) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "read-failed", object,
			"cannot read the new hive");
	len = (size_t)st.st_size;
	if (len > 0)
		map = mmap(
			NULL, len, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED)
		return wt_fail_errno(err, WT_ERR_FILE, "read-failed", object,
			"cannot map the new hive into memory");
	if (EVP_Digest(map, len, ret_sha1, NULL, EVP_sha1(), NULL) != 1)
		ret = wt_fail_memory(err);
	if (map)
		munmap(map, len);
	return ret;
}

/* Does the hive that the image names have the hash of the one given, and does
 * what stands in the file have that hash? The second is wimlib's own check of
 * whatever it decompresses. */
static enum wt_status verify_put(WIMStruct *wim,
	const struct wt_wim_append *append, const struct wt_wim_put *put,
	struct wt_error *err)
{
	const struct wt_wim_image *image = &append->wim->images[put->image];
	struct wt_error hive_error = {0};
	struct wt_wim_found found = {0};
	const uint8_t *sha1 = append->sha1s[put - append->puts];
	enum wt_status ret = WT_OK;
	int null_fd = -1;

	ret = wt_wim_find(
		wim, image->index, append->object, &found, &hive_error, err);
	if (ret != WT_OK)
		return ret;
	if (strcmp(found.path, image->hive_path) != 0)
		return wt_fail(err, WT_ERR_WIM, "wim-append", append->object,
			"wimlib wrote image %d without its hive", image->index);
	/* wimlib writes nothing when the WIM holds the same bytes already,
	 * as another image's hive for example. */
	if (found.resource.offset < append->skeleton->len) {
		ret = wt_wim_skeleton_fill(append->skeleton, append->path,
			&found.resource, append->object, err);
		if (ret != WT_OK)
			return ret;
	}
	if (memcmp(sha1, found.sha1, WT_SHA1_LEN) != 0)
		return wt_fail(err, WT_ERR_WIM, "wim-append", append->object,
			"the hive that wimlib wrote to image %d is not the "
			"one it was given",
			image->index);
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null_fd < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "open-failed",
			"/dev/null", "cannot open it");
	ret = wt_wim_extract_file(
		wim, image->index, found.path, null_fd, append->object, err);
	close(null_fd);
	return ret;
}

/* An image that was not changed has the hive that it had. */
static enum wt_status verify_kept(WIMStruct *wim,
	const struct wt_wim_append *append, const struct wt_wim_image *image,
	struct wt_error *err)
{
	struct wt_wim_found found = {0};
	struct wt_error hive_error = {0};
	char sha1[WT_SHA1_HEX_LEN + 1] = "";
	enum wt_status ret = wt_wim_find(
		wim, image->index, append->object, &found, &hive_error, err);

	if (ret != WT_OK)
		return ret;
	if (found.path[0] != '\0')
		wt_wim_sha1_text(found.sha1, sha1);
	if (strcmp(found.path, image->hive_path) == 0 &&
		strcmp(sha1, image->hive_sha1) == 0)
		return WT_OK;
	return wt_fail(err, WT_ERR_WIM, "wim-append", append->object,
		"wimlib changed image %d, which it was not to", image->index);
}

static enum wt_status verify_image(WIMStruct *wim,
	const struct wt_wim_append *append, int image, struct wt_error *err)
{
	for (size_t i = 0; i < append->put_count; i++)
		if (append->puts[i].image == image)
			return verify_put(wim, append, &append->puts[i], err);
	return verify_kept(wim, append, &append->wim->images[image], err);
}

static enum wt_status verify_in_child(void *arg, struct wt_error *err)
{
	const struct wt_wim_append *append = arg;
	enum wt_status ret = WT_OK;
	WIMStruct *wim = NULL;

	ret = wt_wim_open(
		append->skeleton->path, 0, append->options, &wim, err);
	for (int i = 0; ret == WT_OK && i < append->wim->info.image_count; i++)
		ret = verify_image(wim, append, i, err);
	return ret;
}

static enum wt_status check_puts(const struct wt_wim *wim,
	const struct wt_wim_put *puts, size_t put_count, const char *object,
	struct wt_error *err)
{
	assert(put_count > 0);
	for (size_t i = 0; i < put_count; i++) {
		const struct wt_wim_image *image = &wim->images[puts[i].image];

		if (image->hive_path[0] == '\0')
			return wt_fail(err, WT_ERR_IMAGE, "no-hive", object,
				"image %d has no SOFTWARE hive", image->index);
	}
	return WT_OK;
}

static enum wt_status hashes_new(
	struct wt_wim_append *append, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	append->sha1s = calloc(append->put_count, sizeof(*append->sha1s));
	if (!append->sha1s)
		return wt_fail_memory(err);
	for (size_t i = 0; ret == WT_OK && i < append->put_count; i++)
		ret = hive_hash(append->puts[i].hive_fd, append->object,
			append->sha1s[i], err);
	return ret;
}

/* Mount where it was asked for or may work, else update. */
static enum wt_status put_all(const struct wt_wim_append *append,
	enum wt_access access, struct wt_wim_patch *patch, struct wt_error *err)
{
	struct wt_error mount_error = {0};
	bool cannot_mount = false;
	enum wt_status ret = WT_OK;

	patch->access = WT_ACCESS_UPDATE;
	if (access == WT_ACCESS_UPDATE)
		return wt_wim_update(append, err);
	ret = wt_wim_mount(append, &cannot_mount, &mount_error);
	if (ret == WT_OK) {
		patch->access = WT_ACCESS_MOUNT;
		return WT_OK;
	}
	if (access == WT_ACCESS_MOUNT || !cannot_mount) {
		if (err)
			*err = mount_error;
		if (cannot_mount)
			wt_error_hint(err, "--access update needs no mount");
		return ret;
	}
	snprintf(patch->access_reason, sizeof(patch->access_reason), "%.159s",
		mount_error.reason);
	return wt_wim_update(append, err);
}

enum wt_status wt_wim_make_patch(const char *path, const struct wt_wim *wim,
	const struct wt_wim_put *puts, size_t put_count, enum wt_access access,
	const struct wt_wim_options *options, struct wt_wim_patch *ret_patch,
	struct wt_error *err)
{
	const char *object = wt_wim_object(path, options);
	struct wt_wim_skeleton skeleton = {.fd = -1};
	struct wt_wim_patch patch = {
		.old_len = wim->info.len,
		.tail_offset = wim->info.used_len,
	};
	struct wt_wim_append append = {
		.path = path,
		.skeleton = &skeleton,
		.wim = wim,
		.puts = puts,
		.put_count = put_count,
		.object = object,
		.options = options,
	};
	enum wt_status ret = WT_OK;

	ret = wt_wim_check_writable(wim, object, err);
	if (ret == WT_OK)
		ret = check_puts(wim, puts, put_count, object, err);
	if (ret == WT_OK)
		ret = hashes_new(&append, err);
	if (ret == WT_OK)
		ret = wt_wim_skeleton_new(path, wim, options, &skeleton, err);
	if (ret != WT_OK)
		goto out_hashes;
	ret = wt_wim_reuse(&append, err);
	if (ret != WT_OK)
		goto out;
	ret = put_all(&append, access, &patch, err);
	if (ret != WT_OK)
		goto out;
	ret = wt_wim_skeleton_check(
		&skeleton, path, wim, options, &patch.new_len, err);
	if (ret != WT_OK)
		goto out;
	ret = wt_wim_child_run(
		object, SECONDS_MAX, options, verify_in_child, &append, err);
	if (ret != WT_OK)
		goto out;
	patch.fd = skeleton.fd;
	skeleton.fd = -1; /* the caller's now, inside the patch */
	*ret_patch = patch;
out:
	wt_wim_skeleton_free(&skeleton);
out_hashes:
	free(append.sha1s);
	return ret;
}
