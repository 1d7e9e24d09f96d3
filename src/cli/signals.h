/* SPDX-License-Identifier: MIT
 * signals.h: signals that end a run, noted for the library to see. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/** Notes SIGINT, SIGTERM and SIGHUP from now on, unless they were ignored,
 *  as under nohup. A closed pipe becomes an error of the write. */
void cli_signals_init(void);

/** For struct wt_options: 0, or the number of the signal that came. */
const volatile sig_atomic_t *cli_signals_flag(void);

/** From now on a signal ends the program at once, with these words on standard
 *  error. Nothing is to be cleaned up any more. words is borrowed for good. */
void cli_signals_end_now(const char *words);

/** Ends the program as SIGPIPE would have, where it was not ignored. */
void cli_signals_die_of_pipe(void);

#endif
