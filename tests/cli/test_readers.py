# SPDX-License-Identifier: MIT
# test_readers.py: who reads is never kept waiting by who writes, and sees the
# old state or the new one, never half of each.
import fcntl
import os
import re
import shutil
import signal
import time

from clitest import (HANG, HIVES, IS_SANITIZED, ROOT_DER, SOURCE, WIMS,
                     WIMTRUST, Place, digest, main, wimtrust)
from faults import Faults

# Below the 60 seconds of --wait, and what a reader needs on a machine with
# much to do.
SECONDS = 55
SERVER = SOURCE / 'testdata' / 'chains' / 'fullchain.pem'


def hash_of(path):
    return digest(path).upper()


class Readers(Place):
    def fill(self, source, name):
        """(what a command names, the file in it)"""
        shutil.rmtree(self.place, ignore_errors=True)
        file = self.place / name
        file.parent.mkdir(parents=True)
        shutil.copyfile(source, file)
        return (self.place if '/' in name else file), file

    def targets(self):
        yield self.fill(WIMS / 'two.wim', 'boot.wim')
        yield self.fill(HIVES / 'software-1.3', 'SOFTWARE')
        yield self.fill(HIVES / 'software-1.3',
                        'Windows/System32/config/SOFTWARE')

    def read_all(self, target):
        """What each command that reads says. None: the file cannot be opened
        in the milliseconds in which a lease is held on it."""
        found = []
        for args in (('list', target), ('info', target),
                     ('verify', target, ROOT_DER),
                     ('check', target, SERVER), ('export', target),
                     ('add', '-n', target, ROOT_DER)):
            start = time.monotonic()
            run = wimtrust(*args, env=self.env)
            self.assertLess(time.monotonic() - start, SECONDS, args)
            if run.status == 7 and 'its header is being changed' in run.err:
                return None
            self.assertIn(run.status, (0, 1), (args, run.err))
            # wimlib's compression varies by some bytes with the times.
            found.append((args[0], run.status,
                          re.sub(rb'  size .*', b'', run.raw), run.err))
        return found

    def test_do_not_wait_for_the_lock(self):
        for target, file in self.targets():
            before = self.read_all(target)
            with open(file, 'r+b') as holder:
                fcntl.flock(holder, fcntl.LOCK_EX)
                self.assertEqual(self.read_all(target), before)
                output = self.folder / 'out'
                if file.name != 'SOFTWARE' or target == file:
                    run = wimtrust('add', '-f', '-o', output, target,
                                   ROOT_DER, env=self.env)
                    self.assertEqual(run.status, 0, run.err)
                # The lock is one that a writer does wait for.
                run = wimtrust('add', '--wait', '0', target, ROOT_DER,
                               env=self.env)
                self.assertEqual(run.status, 7)
                self.assertIn(f'process {os.getpid()}', run.err)

    def stopped_everywhere(self, source, name, options):
        target, file = self.fill(source, name)
        command = [WIMTRUST, 'add', *options, target, ROOT_DER]
        watch = Faults(self.folder, self.place)
        old = self.read_all(target)
        done = watch.run(command, env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        calls = watch.calls()
        self.assertGreater(calls, 5)
        new = self.read_all(target)
        self.assertNotEqual(old, new)
        seen, leased, hashes = [], 0, set()
        # Each of the last ones, where the new state takes effect.
        for at in [*range(1, calls - 12, 8),
                   *range(max(1, calls - 12), calls + 1,
                          3 if IS_SANITIZED else 1)]:
            self.fill(source, name)
            process = watch.stopped(command, at, env=self.env)
            why = (options, at, watch.name())
            try:
                self.assertIsNone(process.poll(), why)
                found = self.read_all(target)
                if found is None:
                    self.assertIn('pwrite', watch.name(), why)
                    leased += 1
                for one, before, after in zip(found or [], old, new):
                    if one not in (before, after):
                        self.fail(why + one + before + after)
                    seen.append(one == after)
                hashed = wimtrust('list', '--json', target, env=self.env)
            finally:
                os.killpg(process.pid, signal.SIGCONT)
                _, err = process.communicate(timeout=HANG)
            self.assertEqual(process.returncode, 0, (why, err))
            # Of what was shown, and not of what is behind its end by then.
            if hashed.status == 0:
                hashes.add(hashed.json['target']['sha256_before'])
                self.assertIn(hashed.json['target']['sha256_before'],
                              (hash_of(source), hash_of(file)), why)
            for one, after in zip(self.read_all(target), new):
                if one != after:
                    self.fail(why + one + after)
        self.assertIn(False, seen)
        self.assertIn(hash_of(source), hashes)
        return leased

    def test_of_an_image_that_is_being_replaced(self):
        self.assertEqual(self.stopped_everywhere(
            WIMS / 'two.wim', 'boot.wim', ['--access', 'update']), 0)

    def test_of_an_image_that_is_being_appended_to(self):
        # The one write of the header.
        self.assertLessEqual(self.stopped_everywhere(
            WIMS / 'two.wim', 'boot.wim',
            ['--access', 'update', '--commit', 'append']), 1)

    def test_of_a_hive_that_is_being_changed(self):
        self.stopped_everywhere(HIVES / 'software-1.3', 'SOFTWARE', [])


if __name__ == '__main__':
    main()
