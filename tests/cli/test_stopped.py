# SPDX-License-Identifier: MIT
# test_stopped.py: a process of the program's that no longer answers, the
# daemon of a mount above all, and a signal that is to end the run.
import os
import pathlib
import select
import shutil
import signal
import subprocess
import time

from clitest import (IS_SANITIZED, ROOT_DER, WIMS, WIMTRUST, Place, children,
                     main, wait_until, wimtrust)
from faults import STOP_CHILD, Faults

STEP = 4 if IS_SANITIZED else 1
# Below the 30 seconds after which a run gives up what does not answer.
SECONDS_MAX = 25


def stopped(pid):
    """The children of a process that are stopped."""
    stats = [pathlib.Path(f'/proc/{pid}/stat') for pid in children(pid)]
    return [int(stat.parent.name) for stat in stats
            if stat.read_text().rpartition(')')[2].split()[0] == 'T']


class Stopped(Place):
    def setUp(self):
        super().setUp()
        self.target = self.place / 'boot.wim'
        self.watch = Faults(self.folder, self.temp, self.place)

    def start(self, args, at):
        """And a descriptor that ends with the last of its processes."""
        alive, held = os.pipe()
        process = subprocess.Popen(
            [os.fspath(a) for a in args],
            env=self.watch.prepare(at, STOP_CHILD, 0, self.env),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, pass_fds=[held])
        os.close(held)
        return process, alive

    def end_at(self, args, at, number):
        """Stops a child before a call; whether there was one."""
        process, alive = self.start(args, at)
        while process.poll() is None and not self.watch.is_met():
            time.sleep(0.002)
        time.sleep(0.05)
        if process.poll() is not None:
            process.communicate()
            os.close(alive)
            return False
        why = (at, self.watch.name())
        process.send_signal(number)
        start = time.monotonic()
        try:
            _, err = process.communicate(timeout=SECONDS_MAX)
            self.assertTrue(select.select([alive], [], [], SECONDS_MAX)[0],
                            why)
        finally:
            process.kill()
            os.close(alive)
        self.assertLess(time.monotonic() - start, SECONDS_MAX, why)
        if number == signal.SIGTERM:
            self.assertEqual(process.returncode, 128 + signal.SIGTERM,
                             (why, err))
        return True

    def everywhere(self, source, args, number):
        args = [WIMTRUST, *args, self.target, ROOT_DER]
        shutil.copyfile(source, self.target)
        done = self.watch.run(args, env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        stops = 0
        for at in range(1, self.watch.calls() + 1, STEP):
            shutil.copyfile(source, self.target)
            if not self.end_at(args, at, number):
                continue
            stops += 1
            # Nobody holds the lock, and nothing is in the way.
            run = wimtrust('add', '--access', 'update', '--wait', '0',
                           self.target, ROOT_DER, env=self.env)
            self.assertEqual(run.status, 0, (at, run.err))
            self.assertEqual(os.listdir(self.temp), [], at)
            self.assertEqual(os.listdir(self.place), ['boot.wim'], at)
        return stops

    def test_a_signal_ends_the_run(self):
        for access in ('mount', 'update'):
            if access == 'mount' and not os.access('/dev/fuse', os.R_OK):
                continue
            stops = self.everywhere(WIMS / 'two.wim', ['add', '--access',
                                                       access],
                                    signal.SIGTERM)
            self.assertGreater(stops, 10 // STEP)

    def test_a_killed_run_leaves_no_process(self):
        if not os.access('/dev/fuse', os.R_OK):
            self.skipTest('/dev/fuse cannot be opened')
        stops = self.everywhere(WIMS / 'two.wim', ['add', '--access', 'mount'],
                                signal.SIGKILL)
        self.assertGreater(stops, 10 // STEP)

    def test_the_process_that_copies_dies(self):
        args = [WIMTRUST, 'add', '--access', 'update', self.target, ROOT_DER]
        source = WIMS / 'two.wim'
        self.watch = Faults(self.folder, self.place)
        shutil.copyfile(source, self.target)
        self.assertEqual(self.watch.run(args, env=self.env).returncode, 0)
        for at in range(1, self.watch.calls() + 1):
            shutil.copyfile(source, self.target)
            process, alive = self.start(args, at)
            os.close(alive)
            wait_until(lambda: process.poll() is not None or
                       self.watch.is_met(), 'the call')
            if process.poll() is None:
                wait_until(lambda: stopped(process.pid), 'it stops')
                child = stopped(process.pid)[0]
                # Killed, it would be taken for one that had no memory.
                os.kill(child, signal.SIGABRT)
                os.kill(child, signal.SIGCONT)
            err = process.communicate(timeout=SECONDS_MAX)[1]
            if self.watch.name() == 'copy_file_range':
                break
        else:
            self.skipTest('nothing is copied where blocks are shared')
        self.assertEqual(process.returncode, 7, err)
        self.assertIn(b'[copy-died]', err)
        self.assertEqual(self.target.read_bytes(), source.read_bytes())
        self.assertEqual(os.listdir(self.place), ['boot.wim'])


if __name__ == '__main__':
    main()
