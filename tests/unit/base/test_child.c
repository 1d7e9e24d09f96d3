/* SPDX-License-Identifier: MIT
 * test_child.c: work in a child process, its limits and its death. */
#include "base/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct wt_child plain = {
	.object = "thing",
	.died_status = WT_ERR_HIVE,
	.died_code = "hive-crash",
	.limits.seconds = 30,
};

static enum wt_status share_seven(void *arg, struct wt_error *err)
{
	(void)err;
	*(int *)arg = 7;
	return WT_OK;
}

static enum wt_status refuse(void *arg, struct wt_error *err)
{
	return wt_fail(err, WT_ERR_WIM, "no-such", arg, "is not there");
}

static enum wt_status crash(void *arg, struct wt_error *err)
{
	(void)arg;
	(void)err;
	signal(SIGABRT, SIG_DFL);
	kill(getpid(), SIGABRT);
	return WT_OK;
}

static enum wt_status hang(void *arg, struct wt_error *err)
{
	(void)arg;
	(void)err;
	while (pause() != 0)
		continue;
	return WT_OK;
}

static void result_comes_back_through_shared_memory(void **state)
{
	int *shared = wt_shared_new(sizeof(*shared));

	(void)state;
	assert_non_null(shared);
	assert_int_equal(
		wt_child_run(&plain, share_seven, shared, NULL), WT_OK);
	assert_int_equal(*shared, 7);
	wt_shared_free(shared, sizeof(*shared));
}

static void error_comes_back_whole(void **state)
{
	struct wt_error err = {0};
	char object[] = "key";

	(void)state;
	assert_int_equal(
		wt_child_run(&plain, refuse, object, &err), WT_ERR_WIM);
	assert_string_equal(err.code, "no-such");
	assert_string_equal(err.object, "key");
	assert_string_equal(err.reason, "is not there");
}

static void death_becomes_the_named_error(void **state)
{
	struct wt_error err = {0};

	(void)state;
	assert_int_equal(wt_child_run(&plain, crash, NULL, &err), WT_ERR_HIVE);
	assert_string_equal(err.code, "hive-crash");
	assert_string_equal(err.object, "thing");
	assert_int_equal(err.domain, WT_DOMAIN_SIGNAL);
	assert_int_equal(err.native, SIGABRT);
}

static enum wt_status end_by(void *arg, struct wt_error *err)
{
	const int *number = arg;

	(void)err;
	signal(*number, SIG_DFL);
	kill(getpid(), *number);
	return WT_OK;
}

/* A fault of the machine is not blamed on the file. */
static void want_of_memory_and_a_bad_disk_are_told_apart(void **state)
{
	static const struct {
		int number;
		const char *code;
	} rows[] = {{SIGKILL, "no-memory"}, {SIGBUS, "io-error"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int number = rows[i].number;
		struct wt_error err = {0};

		assert_int_equal(wt_child_run(&plain, end_by, &number, &err),
			WT_ERR_FILE);
		assert_string_equal(err.code, rows[i].code);
		assert_string_not_equal(err.hint, "");
		assert_int_equal(err.native, number);
	}
}

static void hanging_child_is_killed_when_time_is_up(void **state)
{
	struct wt_child how = plain;
	struct wt_error err = {0};

	(void)state;
	how.limits.seconds = 1;
	assert_int_equal(wt_child_run(&how, hang, NULL, &err), WT_ERR_HIVE);
	assert_string_equal(err.code, "hive-crash");
	assert_non_null(strstr(err.reason, "1 seconds"));
}

static void count_tick(void *ctx)
{
	++*(int *)ctx;
}

static void parent_works_beside_a_started_child(void **state)
{
	int *shared = wt_shared_new(sizeof(*shared));
	struct wt_child_job *job = NULL;

	(void)state;
	assert_int_equal(
		wt_child_start(&plain, share_seven, shared, &job, NULL), WT_OK);
	assert_int_equal(wt_child_finish(job, NULL, NULL, NULL), WT_OK);
	assert_int_equal(*shared, 7);
	wt_shared_free(shared, sizeof(*shared));
}

static void waiting_tells_in_between(void **state)
{
	struct wt_child how = plain;
	struct wt_child_job *job = NULL;
	int ticks = 0;

	(void)state;
	how.limits.seconds = 1;
	assert_int_equal(wt_child_start(&how, hang, NULL, &job, NULL), WT_OK);
	assert_int_equal(
		wt_child_finish(job, count_tick, &ticks, NULL), WT_ERR_HIVE);
	assert_true(ticks > 3);
}

static void stopped_child_is_gone(void **state)
{
	struct wt_child_job *job = NULL;

	(void)state;
	assert_int_equal(wt_child_start(&plain, hang, NULL, &job, NULL), WT_OK);
	wt_child_stop(job);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	wt_child_stop(NULL);
}

static volatile sig_atomic_t cancelled;

static void note_signal(int number)
{
	cancelled = number;
}

static void signal_ends_the_child_and_is_named(void **state)
{
	struct wt_child how = plain;
	struct wt_error err = {0};

	(void)state;
	how.cancel = &cancelled;
	signal(SIGALRM, note_signal);
	alarm(1);
	assert_int_equal(wt_child_run(&how, hang, NULL, &err), WT_INTERRUPTED);
	assert_int_equal(err.native, SIGALRM);
	assert_int_equal(wt_child_run(&how, hang, NULL, &err), WT_INTERRUPTED);
	cancelled = 0;
}

static int kills;

int __real_kill(pid_t pid, int number);
int __wrap_kill(pid_t pid, int number)
{
	kills++;
	return __real_kill(pid, number);
}

/* What wimlib and libfuse do to run fusermount. */
static enum wt_status run_a_process(void *arg, struct wt_error *err)
{
	pid_t pid = fork();
	int status = 0;

	(void)arg;
	(void)err;
	if (pid == 0)
		_exit(3);
	return waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3
		       ? WT_OK
		       : WT_NO;
}

/* Daemons do that, and what they start inherits it. */
static void caller_may_ignore_what_becomes_of_its_children(void **state)
{
	int *shared = wt_shared_new(sizeof(*shared));
	struct wt_child_job *job = NULL;
	struct wt_error err = {0};

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(
		wt_child_run(&plain, share_seven, shared, NULL), WT_OK);
	assert_int_equal(*shared, 7);
	assert_int_equal(wt_child_run(&plain, crash, NULL, &err), WT_ERR_HIVE);
	assert_string_equal(err.code, "hive-crash");
	assert_int_equal(
		wt_child_run(&plain, run_a_process, NULL, NULL), WT_OK);
	/* A process that has ended has no number any more, or another process
	 * has it. */
	assert_int_equal(
		wt_child_start(&plain, share_seven, shared, &job, NULL), WT_OK);
	while (waitpid(-1, NULL, WNOHANG) >= 0)
		usleep(1000);
	kills = 0;
	wt_child_stop(job);
	assert_int_equal(kills, 0);
	signal(SIGCHLD, SIG_DFL);
	wt_shared_free(shared, sizeof(*shared));
}

/* Starts a process that ends a while after the child that started it. */
static enum wt_status outlived(void *arg, struct wt_error *err)
{
	const struct timespec while_after = {.tv_nsec = 300000000};
	volatile bool *has_ended = arg;

	(void)err;
	if (fork() != 0)
		return WT_OK;
	nanosleep(&while_after, NULL);
	*has_ended = true;
	_exit(0);
}

static void what_a_child_started_is_waited_for(void **state)
{
	const struct wt_child how = {.object = "child"};
	volatile bool *has_ended = wt_shared_new(sizeof(*has_ended));
	struct wt_child_job *job = NULL;

	(void)state;
	assert_non_null((const void *)has_ended);
	assert_int_equal(
		wt_child_run(&how, outlived, (void *)has_ended, NULL), WT_OK);
	assert_true(*has_ended);
	*has_ended = false;
	assert_int_equal(
		wt_child_start(&how, outlived, (void *)has_ended, &job, NULL),
		WT_OK);
	usleep(100000);
	assert_int_equal(wt_child_end(job, WT_NO, NULL), WT_NO);
	assert_true(*has_ended);
	wt_shared_free((void *)has_ended, sizeof(*has_ended));
}

/* Tells, and refuses once it is asked. */
static enum wt_status tell_and_refuse(void *arg, struct wt_error *err)
{
	const volatile bool *is_asked = arg;
	char object[] = "key";

	wt_child_tell();
	while (!*is_asked)
		usleep(1000);
	return refuse(object, err);
}

static enum wt_status tell_and_be_outlived(void *arg, struct wt_error *err)
{
	wt_child_tell();
	return outlived(arg, err);
}

/* Starts a process that holds the pipe for longer than its own end takes. */
static enum wt_status be_outlived_for_long(void *arg, struct wt_error *err)
{
	volatile bool *has_ended = arg;

	(void)err;
	if (fork() != 0)
		return WT_OK;
	sleep(3);
	*has_ended = true;
	_exit(0);
}

static void a_child_tells_and_goes_on(void **state)
{
	volatile bool *flag = wt_shared_new(sizeof(*flag));
	struct wt_child_job *job = NULL;
	struct wt_error err = {0};

	(void)state;
	assert_non_null((const void *)flag);
	assert_int_equal(wt_child_start(&plain, tell_and_refuse, (void *)flag,
				 &job, NULL),
		WT_OK);
	assert_true(wt_child_told(job));
	*flag = true;
	assert_int_equal(wt_child_end(job, WT_OK, &err), WT_ERR_WIM);
	assert_string_equal(err.code, "no-such");
	/* What nobody waited for is not taken for the end of all. */
	*flag = false;
	assert_int_equal(
		wt_child_run(&plain, tell_and_be_outlived, (void *)flag, NULL),
		WT_OK);
	assert_true(*flag);
	/* This process has no parent that waits. */
	wt_child_tell();
	wt_shared_free((void *)flag, sizeof(*flag));
}

static void assert_tells_nothing(
	const struct wt_child *how, wt_child_fn *fn, enum wt_status status)
{
	int *shared = wt_shared_new(sizeof(*shared));
	struct wt_child_job *job = NULL;

	assert_non_null(shared);
	assert_int_equal(wt_child_start(how, fn, shared, &job, NULL), WT_OK);
	assert_false(wt_child_told(job));
	assert_int_equal(wt_child_finish(job, NULL, NULL, NULL), status);
	wt_shared_free(shared, sizeof(*shared));
}

static void the_end_of_a_child_ends_the_wait_for_its_word(void **state)
{
	volatile bool *has_ended = wt_shared_new(sizeof(*has_ended));
	struct wt_child_job *job = NULL;
	struct wt_child how = plain;

	(void)state;
	assert_non_null((const void *)has_ended);
	assert_int_equal(wt_child_start(&plain, be_outlived_for_long,
				 (void *)has_ended, &job, NULL),
		WT_OK);
	assert_false(wt_child_told(job));
	assert_false(*has_ended);
	wt_child_stop(job);
	wt_shared_free((void *)has_ended, sizeof(*has_ended));
	assert_tells_nothing(&plain, share_seven, WT_OK);
	assert_tells_nothing(&plain, crash, WT_ERR_HIVE);
	how.limits.seconds = 1;
	assert_tells_nothing(&how, hang, WT_ERR_HIVE);
	how = plain;
	how.cancel = &cancelled;
	signal(SIGALRM, note_signal);
	alarm(1);
	assert_tells_nothing(&how, hang, WT_INTERRUPTED);
	cancelled = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_child_started_is_waited_for),
		cmocka_unit_test(a_child_tells_and_goes_on),
		cmocka_unit_test(the_end_of_a_child_ends_the_wait_for_its_word),
		cmocka_unit_test(result_comes_back_through_shared_memory),
		cmocka_unit_test(error_comes_back_whole),
		cmocka_unit_test(death_becomes_the_named_error),
		cmocka_unit_test(want_of_memory_and_a_bad_disk_are_told_apart),
		cmocka_unit_test(hanging_child_is_killed_when_time_is_up),
		cmocka_unit_test(parent_works_beside_a_started_child),
		cmocka_unit_test(waiting_tells_in_between),
		cmocka_unit_test(stopped_child_is_gone),
		cmocka_unit_test(signal_ends_the_child_and_is_named),
		cmocka_unit_test(
			caller_may_ignore_what_becomes_of_its_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
