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

/* stderr is a file while a test runs. */
struct caught {
	int fd, stderr_fd;
	char text[512];
};

static void catch_begin(struct caught *caught)
{
	memset(caught, 0, sizeof(*caught));
	fflush(stderr);
	caught->fd = memfd_create("caught", MFD_CLOEXEC);
	caught->stderr_fd = dup(STDERR_FILENO);
	assert_true(caught->fd >= 0 && caught->stderr_fd >= 0);
	dup2(caught->fd, STDERR_FILENO);
}

static const char *catch_end(struct caught *caught)
{
	fflush(stderr);
	dup2(caught->stderr_fd, STDERR_FILENO);
	close(caught->stderr_fd);
	assert_true(pread(caught->fd, caught->text, sizeof(caught->text) - 1,
			    0) >= 0);
	close(caught->fd);
	return caught->text;
}

/* A step that began over half a second ago. */
static void run_long(struct cli_progress *progress)
{
	cli_progress_step(progress, "copy", 1, 100000000);
	progress->step_start.tv_sec--;
	cli_progress_step(progress, "copy", 50000000, 100000000);
}

static void long_step_is_shown_and_erased(void **state)
{
	struct cli_progress progress;
	struct caught caught;

	(void)state;
	catch_begin(&caught);
	cli_progress_init(&progress, true, false, 80);
	run_long(&progress);
	cli_progress_clear(&progress);
	assert_string_equal(
		catch_end(&caught), "copy  50 % of 100.0 MB\r\033[K");
}

static void next_step_erases_the_last(void **state)
{
	struct cli_progress progress;
	struct caught caught;

	(void)state;
	catch_begin(&caught);
	cli_progress_init(&progress, true, false, 80);
	run_long(&progress);
	cli_progress_step(&progress, "check", 1, 2);
	assert_string_equal(
		catch_end(&caught), "copy  50 % of 100.0 MB\r\033[K");
}

static void dumb_terminal_gets_no_escape(void **state)
{
	struct cli_progress progress;
	struct caught caught;

	(void)state;
	catch_begin(&caught);
	cli_progress_init(&progress, true, true, 80);
	run_long(&progress);
	cli_progress_clear(&progress);
	assert_string_equal(catch_end(&caught),
		"copy  50 % of 100.0 MB\r                      \r");
}

static void narrow_terminal_is_not_overrun(void **state)
{
	struct cli_progress progress;
	struct caught caught;

	(void)state;
	catch_begin(&caught);
	cli_progress_init(&progress, true, false, 12);
	run_long(&progress);
	assert_int_equal(progress.drawn, 11);
	cli_progress_clear(&progress);
	catch_end(&caught);
}

static void short_step_shows_nothing(void **state)
{
	struct cli_progress progress;
	struct caught caught;

	(void)state;
	catch_begin(&caught);
	cli_progress_init(&progress, true, false, 80);
	for (uint64_t i = 0; i <= 1000; i++)
		cli_progress_step(&progress, "copy", i, 1000);
	cli_progress_clear(&progress);
	assert_string_equal(catch_end(&caught), "");
}

static void child_of_the_library_draws_nothing(void **state)
{
	struct cli_progress progress;
	struct caught caught;
	int wait_status = 0;
	pid_t child = 0;

	(void)state;
	catch_begin(&caught);
	cli_progress_init(&progress, true, false, 80);
	child = fork();
	if (child == 0) {
		run_long(&progress);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &wait_status, 0), child);
	assert_int_equal(wait_status, 0);
	assert_string_equal(catch_end(&caught), "");
}

static void switched_off_shows_nothing(void **state)
{
	struct cli_progress progress;
	struct caught caught;

	(void)state;
	catch_begin(&caught);
	cli_progress_init(&progress, false, false, 80);
	run_long(&progress);
	cli_progress_clear(&progress);
	assert_string_equal(catch_end(&caught), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_step_is_shown_and_erased),
		cmocka_unit_test(next_step_erases_the_last),
		cmocka_unit_test(dumb_terminal_gets_no_escape),
		cmocka_unit_test(narrow_terminal_is_not_overrun),
		cmocka_unit_test(short_step_shows_nothing),
		cmocka_unit_test(child_of_the_library_draws_nothing),
		cmocka_unit_test(switched_off_shows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
