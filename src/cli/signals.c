/* SPDX-License-Identifier: MIT
 * signals.c: signals that end a run, noted for the library to see. */
#include "signals.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t came;
static const char *volatile last_words;
static struct sigaction old_pipe;

static void note(int number)
{
	const char *words = last_words;

	came = number;
	if (!words)
		return;
	(void)!write(STDERR_FILENO, words, strlen(words));
	_exit(128 + number);
}

void cli_signals_init(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = note}, old = {0};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (sigaction(numbers[i], NULL, &old) == 0 &&
			old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
	/* The library must not die in the middle of a commit because whoever
	 * reads stdout or stderr has gone. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, &old_pipe);
	/* A file may not grow past the limit (ulimit -f): an error as well. */
	sigaction(SIGXFSZ, &action, NULL);
}

const volatile sig_atomic_t *cli_signals_flag(void)
{
	return &came;
}

void cli_signals_end_now(const char *words)
{
	last_words = words;
}

void cli_signals_die_of_pipe(void)
{
	if (old_pipe.sa_handler == SIG_IGN)
		return;
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}
