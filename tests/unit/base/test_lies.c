/* SPDX-License-Identifier: MIT
 * test_lies.c: a child that hostile input has taken over answers what it
 * likes, and its parent bears it. */
#include "base/child.h"
#include "base/io.h"
#include "kinds.h"
#include "wim/wim.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What each child is made to say in turn. */
#define LIES 28

/* The memory that children share with their parents. */
static struct {
	void *at;
	size_t len;
} shares[16];

static int lie = -1;	  /* which one; -1: none */
static int liar, started; /* the child that tells it, those so far */

static struct {
	wt_child_fn *fn;
	void *arg;
	const struct wt_sandbox *sandbox;
} truth;

void *__real_wt_shared_new(size_t len);
void __real_wt_shared_free(void *shared, size_t len);
enum wt_status __real_wt_child_start(const struct wt_child *how,
	wt_child_fn *fn, void *arg, struct wt_child_job **ret_job,
	struct wt_error *err);
enum wt_status __real_wt_child_run(const struct wt_child *how, wt_child_fn *fn,
	void *arg, struct wt_error *err);

void __real_wt_wim_free(struct wt_wim *wim);

#define ASSERT_ENDS(text) assert_non_null(memchr(text, 0, sizeof(text)))

/* Whatever the child said of an image, its texts end where they may. */
void __wrap_wt_wim_free(struct wt_wim *wim)
{
	for (int i = 0; wim && i < wim->info.image_count; i++) {
		const struct wt_wim_image *image = &wim->images[i];

		ASSERT_ENDS(image->name);
		ASSERT_ENDS(image->description);
		ASSERT_ENDS(image->arch);
		ASSERT_ENDS(image->version);
		ASSERT_ENDS(image->hive_path);
		ASSERT_ENDS(image->winre_path);
		ASSERT_ENDS(image->hive_error.reason);
		for (size_t k = 0; k < WT_HIVE_LOGS; k++)
			ASSERT_ENDS(image->log_paths[k]);
	}
	__real_wt_wim_free(wim);
}

void *__wrap_wt_shared_new(size_t len)
{
	void *shared = __real_wt_shared_new(len);

	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		if (!shares[i].at) {
			shares[i].at = shared;
			shares[i].len = len;
			break;
		}
	return shared;
}

void __wrap_wt_shared_free(void *shared, size_t len)
{
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		if (shares[i].at == shared)
			shares[i].at = NULL;
	__real_wt_shared_free(shared, len);
}

/* Texts do not end: what is behind them is no longer zero. */
static void ends_spoil(uint8_t *bytes, size_t len)
{
	for (size_t i = 0, run = 0; i < len; i = i + run + 1) {
		for (run = 0; i + run < len && bytes[i + run] == 0; run++)
			continue;
		if (run >= 40)
			memset(bytes + i, 0x41, run);
	}
}

/* All of it becomes one byte, or all behind some counts; or all becomes
 * anything, or some numbers in it do. */
static void spoil(uint8_t *bytes, size_t len)
{
	static const uint8_t all[] = {0xFF, 0x41, 0x01};
	const size_t counts_len = 24;

	if (lie >= 26) {
		ends_spoil(bytes, len);
		return;
	}
	if ((size_t)lie / 2 < sizeof(all))
		memset(bytes, all[lie / 2], len);
	else if (lie < 8 && len > counts_len)
		memset(bytes + counts_len, 0x41, len - counts_len);
	/* Counts that memory might hold. */
	for (size_t i = 0; i < len && lie >= 24; i++)
		bytes[i] = i % 8 == 3 ? 4 : 0;
	for (size_t i = 0; i < len && lie >= 8 && lie < 10; i++)
		bytes[i] = (uint8_t)rand();
	for (int i = 0; i < 40 && len > 0 && lie >= 10 && lie < 24; i++) {
		size_t at = (size_t)rand() % len & ~(size_t)7;

		for (size_t k = at; k < at + 1 + (size_t)i % 8 && k < len; k++)
			bytes[k] = (uint8_t)rand();
	}
}

static void spoil_file(int fd)
{
	static uint8_t bytes[1 << 16];
	ssize_t len = pread(fd, bytes, sizeof(bytes), 0);

	/* An empty answer becomes some. */
	if (len == 0 && lie >= 2)
		len = 1000;
	if (len > 0) {
		spoil(bytes, (size_t)len);
		(void)!pwrite(fd, bytes, (size_t)len, 0);
	}
}

/* What it is asked for, and then the lie. */
static enum wt_status answer(void *arg, struct wt_error *err)
{
	enum wt_status ret = truth.fn(truth.arg, err);

	(void)arg;
	srand((unsigned)lie);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		if (shares[i].at)
			spoil(shares[i].at, shares[i].len);
	for (size_t i = 0; i < truth.sandbox->fd_count; i++)
		if (truth.sandbox->fds[i] >= 0)
			spoil_file(truth.sandbox->fds[i]);
	/* Who shows how far it is reads that meanwhile. */
	if (lie < 2)
		wt_io_sleep_ms(70);
	return lie % 2 ? ret : WT_OK;
}

static bool is_liar(const struct wt_child *how, wt_child_fn *fn, void *arg)
{
	if (lie < 0 || !how->sandbox || started++ != liar)
		return false;
	truth.fn = fn;
	truth.arg = arg;
	truth.sandbox = how->sandbox;
	return true;
}

enum wt_status __wrap_wt_child_start(const struct wt_child *how,
	wt_child_fn *fn, void *arg, struct wt_child_job **ret_job,
	struct wt_error *err)
{
	if (is_liar(how, fn, arg))
		fn = answer;
	return __real_wt_child_start(how, fn, arg, ret_job, err);
}

enum wt_status __wrap_wt_child_run(const struct wt_child *how, wt_child_fn *fn,
	void *arg, struct wt_error *err)
{
	if (is_liar(how, fn, arg))
		fn = answer;
	return __real_wt_child_run(how, fn, arg, err);
}

/* kinds.c looks at what comes out; nothing else is asked for than that the
 * parent goes on. */
static void each_parent_bears_each_lie(void **state)
{
	(void)state;
	for (size_t k = 0; k < kind_count; k++) {
		int count = 1;

		for (liar = 0; liar < count; liar++) {
			for (lie = 0; lie < LIES; lie++) {
				started = 0;
				kinds[k].run();
				/* A lie may end the work early. */
				if (started > count)
					count = started;
			}
		}
		lie = -1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_parent_bears_each_lie),
	};
	int ret = 1;

	if (kinds_begin()) {
		ret = cmocka_run_group_tests(tests, NULL, NULL);
		kinds_end();
	}
	return ret;
}
