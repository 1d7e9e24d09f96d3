/* SPDX-License-Identifier: MIT
 * test_cli_progress.c: one line on stderr for a step that takes long. */
#include "output/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct cli_progress progress;

/* stderr is a file while a test runs. */
static int caught_fd, stderr_fd;
static char caught_text[512];

static int catch_begin(void **state)
{
	(void)state;
	memset(caught_text, 0, sizeof(caught_text));
	fflush(stderr);
	caught_fd = memfd_create("caught", MFD_CLOEXEC);
	stderr_fd = dup(STDERR_FILENO);
	if (caught_fd < 0 || stderr_fd < 0)
		return -1;
	dup2(caught_fd, STDERR_FILENO);
	cli_progress_init(&progress, true, false, 80);
	return 0;
}

static const char *catch_end(void)
{
	fflush(stderr);
	dup2(stderr_fd, STDERR_FILENO);
	close(stderr_fd);
	assert_true(
		pread(caught_fd, caught_text, sizeof(caught_text) - 1, 0) >= 0);
	close(caught_fd);
	return caught_text;
}

/* A step that began over half a second ago. */
static void run_long(void)
{
	cli_progress_step(&progress, "copy", 1, 100000000);
	progress.step_start.tv_sec--;
	cli_progress_step(&progress, "copy", 50000000, 100000000);
}

static void long_step_is_shown_and_erased(void **state)
{
	(void)state;
	run_long();
	cli_progress_clear(&progress);
	assert_string_equal(catch_end(), "copy  50 % of 100.0 MB\r\033[K");
}

static void next_step_erases_the_last(void **state)
{
	(void)state;
	run_long();
	cli_progress_step(&progress, "check", 1, 2);
	assert_string_equal(catch_end(), "copy  50 % of 100.0 MB\r\033[K");
}

static void dumb_terminal_gets_no_escape(void **state)
{
	(void)state;
	cli_progress_init(&progress, true, true, 80);
	run_long();
	cli_progress_clear(&progress);
	assert_string_equal(catch_end(),
		"copy  50 % of 100.0 MB\r                      \r");
}

static void narrow_terminal_is_not_overrun(void **state)
{
	(void)state;
	cli_progress_init(&progress, true, false, 12);
	run_long();
	assert_int_equal(progress.drawn, 11);
	cli_progress_clear(&progress);
	catch_end();
}

static void short_step_shows_nothing(void **state)
{
	(void)state;
	for (uint64_t i = 0; i <= 1000; i++)
		cli_progress_step(&progress, "copy", i, 1000);
	cli_progress_clear(&progress);
	assert_string_equal(catch_end(), "");
}

static void child_of_the_library_draws_nothing(void **state)
{
	int wait_status = 0;
	pid_t child = 0;

	(void)state;
	child = fork();
	if (child == 0) {
		run_long();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &wait_status, 0), child);
	assert_int_equal(wait_status, 0);
	assert_string_equal(catch_end(), "");
}

static void switched_off_shows_nothing(void **state)
{
	(void)state;
	cli_progress_init(&progress, false, false, 80);
	run_long();
	cli_progress_clear(&progress);
	assert_string_equal(catch_end(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			long_step_is_shown_and_erased, catch_begin),
		cmocka_unit_test_setup(next_step_erases_the_last, catch_begin),
		cmocka_unit_test_setup(
			dumb_terminal_gets_no_escape, catch_begin),
		cmocka_unit_test_setup(
			narrow_terminal_is_not_overrun, catch_begin),
		cmocka_unit_test_setup(short_step_shows_nothing, catch_begin),
		cmocka_unit_test_setup(
			child_of_the_library_draws_nothing, catch_begin),
		cmocka_unit_test_setup(switched_off_shows_nothing, catch_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
