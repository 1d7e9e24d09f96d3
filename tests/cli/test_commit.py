# SPDX-License-Identifier: MIT
# test_commit.py: a commit that is killed, fails or loses power at any point.
#
# The commit alone, through patch-driver: small files, every point.
import errno
import os
import random
import shutil
import signal
import subprocess
import time

from clitest import HANG, IS_SANITIZED, Case, main, skip
import powercut
from faults import (ALWAYS, FAULTFS, KILL_AFTER, KILL_BEFORE, ONCE, SHORT,
                    Faults)

DRIVER = os.environ['WT_PATCH_DRIVER']
WAYS = (('copy', 'wim'), ('place', 'wim'), ('place', 'pages'),
        ('place', 'shorter'))
NAME = 'boot.wim'
# With sanitizers each run takes ten times as long: every fourth point.
STEP = 4 if IS_SANITIZED else 1


def run(*args, env=None):
    return subprocess.run(
        [DRIVER, *map(os.fspath, args)], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=HANG, env=env,
        check=False)


class Commit(Case):
    def setUp(self):
        super().setUp()
        self.place = self.folder / 'place'
        self.target = self.place / NAME
        self.new_file = self.folder / 'new'
        self.old = self.new = b''

    def prepare(self, kind, old_len=40960, tail_len=20000):
        rng = random.Random(7)
        self.old = rng.randbytes(old_len)
        changed = bytearray(self.old)
        if kind == 'wim':
            changed[0:208] = rng.randbytes(208)
        else:
            for page in (0, 2, 3, 7):
                changed[page * 4096:page * 4096 + 4096] = rng.randbytes(4096)
        self.new = bytes(changed) + rng.randbytes(tail_len)
        if kind == 'shorter':
            self.new = bytes(changed[:-4096])
        self.new_file.write_bytes(self.new)
        self.restart()

    def restart(self):
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        self.target.write_bytes(self.old)

    def change(self, how, kind):
        return [DRIVER, how, kind, self.target, self.new_file]

    def assert_whole(self, why, must_be_new=False):
        """A reader sees a whole state, and the next run leaves one, alone."""
        seen = self.folder / 'seen'
        done = run('read', self.target, seen)
        self.assertEqual(done.returncode, 0, (why, done.stderr))
        self.assertIn(seen.read_bytes(), (self.old, self.new), why)
        was_new = seen.read_bytes() == self.new
        done = run('recover', self.target)
        self.assertEqual(done.returncode, 0, (why, done.stderr))
        data = self.target.read_bytes()
        self.assertTrue(data in (self.old, self.new), why)
        self.assertEqual(data == self.new, was_new,
                         (why, 'the reader saw another state'))
        self.assertEqual(os.listdir(self.place), [NAME], why)
        if must_be_new:
            self.assertEqual(data, self.new, why)
        return data == self.new


class Killed(Commit):
    def test_before_and_after_every_call(self):
        for how, kind in WAYS:
            self.prepare(kind)
            watch = Faults(self.folder, self.place)
            self.assertEqual(
                watch.run(self.change(how, kind)).returncode, 0)
            self.assert_whole((how, kind), must_be_new=True)
            calls = watch.calls()
            self.assertGreater(calls, 6)
            outcomes = set()
            for mode in (KILL_BEFORE, KILL_AFTER):
                for at in range(1, calls + 1, STEP):
                    self.restart()
                    done = watch.run(self.change(how, kind), at, mode)
                    self.assertEqual(done.returncode, -signal.SIGKILL,
                                     (how, kind, at, done.stderr))
                    outcomes.add(self.assert_whole(
                        (how, kind, mode, at, watch.name())))
            if STEP == 1:
                self.assertEqual(outcomes, {True, False}, (how, kind))

    def test_at_200_moments(self):
        for how, kind in WAYS:
            self.prepare(kind, old_len=4 << 20, tail_len=1 << 20)
            start = time.monotonic()
            self.assertEqual(
                run(*self.change(how, kind)[1:]).returncode, 0)
            took = time.monotonic() - start
            for i in range(0, 67, STEP):
                self.restart()
                process = subprocess.Popen(
                    [os.fspath(a) for a in self.change(how, kind)],
                    stderr=subprocess.DEVNULL)
                time.sleep(took * i / 60)
                process.kill()
                process.wait()
                self.assert_whole((how, kind, i))


class Failing(Commit):
    def sweep(self, how, kind, mode, native):
        watch = Faults(self.folder, self.place)
        for at in range(1, 1000, STEP):
            self.restart()
            done = watch.run(self.change(how, kind), at, mode, native)
            if watch.calls() < at:
                # Nothing is counted where the library is not preloaded.
                self.assertGreater(at, 6)
                return
            why = (how, kind, errno.errorcode.get(native), at, watch.name(),
                   done.stderr)
            self.assertIn(done.returncode, (0, 7), why)
            if done.returncode == 0:
                self.assertEqual(self.target.read_bytes(), self.new, why)
            elif native in (errno.ENOSPC, errno.EDQUOT) and \
                    watch.name() != 'unlink':
                self.assertIn(b'no-space', done.stderr, why)
            self.assert_whole(why)
        self.fail('there is no end to it')

    def test_every_call_in_turn(self):
        for how, kind in WAYS:
            self.prepare(kind)
            for native in (errno.EIO, errno.ENOSPC, errno.EDQUOT,
                           errno.EINTR):
                self.sweep(how, kind, ONCE, native)
            self.sweep(how, kind, ALWAYS, errno.EIO)
            self.sweep(how, kind, ALWAYS, errno.ENOSPC)
            self.sweep(how, kind, SHORT, 0)

    def test_signals_and_short_writes_are_no_errors(self):
        for how, kind in WAYS:
            self.prepare(kind)
            watch = Faults(self.folder, self.place)
            for at in range(1, 1000, STEP):
                self.restart()
                done = watch.run(self.change(how, kind), at, SHORT)
                if watch.calls() < at:
                    break
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.target.read_bytes(), self.new)
            self.assertGreater(at, 6)


class PowerCut(Commit):
    STATES = 12 // STEP

    def cut_everywhere(self, start, operations, why, is_after_success):
        """Every state after every call. Gives back those that leave work to
        the next run."""
        rng = random.Random(11)
        disk = powercut.Disk(self.place, start)
        seen = set()
        unfinished = []
        for n in range(len(operations) + 1):
            for state in disk.states(rng, self.STATES):
                key = tuple(sorted(state.items()))
                if key in seen:
                    continue
                seen.add(key)
                if os.fsencode(NAME) not in state:
                    self.fail((why, n, 'the name is gone'))
                powercut.lay_out(self.place, state)
                self.assert_whole((why, n, operations[max(n - 1, 0)]))
                if len(state) > 1:
                    unfinished.append(state)
            if n < len(operations):
                disk.do(operations[n])
        # It reported success: from then on it has to be there.
        if is_after_success:
            for state in disk.states(rng, 3 * self.STATES):
                powercut.lay_out(self.place, state)
                self.assert_whole((why, 'after success'), must_be_new=True)
        self.assertGreater(len(seen), 20 // STEP, why)
        return unfinished

    def record(self, args):
        watch = Faults(self.folder, self.place)
        start = powercut.snapshot(self.place)
        done = watch.run(args, record=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        operations = powercut.read_log(watch.log)
        return start, operations

    def test_at_every_point_of_a_commit(self):
        for how, kind in WAYS:
            self.prepare(kind)
            folder_inode = os.stat(self.place).st_ino
            start, operations = self.record(self.change(how, kind))
            self.assertEqual(self.target.read_bytes(), self.new)
            self.assertEqual(os.stat(self.place).st_ino, folder_inode)
            unfinished = self.cut_everywhere(
                start, operations, (how, kind), True)
            self.cut_again(unfinished, (how, kind))

    def cut_again(self, states, why):
        """The power goes once more while the next run puts things right."""
        rng = random.Random(13)
        for state in rng.sample(states, min(8 // STEP, len(states))):
            powercut.lay_out(self.place, state)
            start, operations = self.record([DRIVER, 'recover', self.target])
            disk = powercut.Disk(self.place, start)
            for n in range(len(operations) + 1):
                for again in disk.states(rng, 6):
                    powercut.lay_out(self.place, again)
                    self.assert_whole((why, 'again', n))
                if n < len(operations):
                    disk.do(operations[n])


class Interrupted(Commit):
    def test_by_a_signal_in_the_middle_of_a_copy(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.prepare('wim', old_len=200 << 20)
            process = subprocess.Popen(
                [os.fspath(a) for a in self.change('copy', 'wim')],
                stderr=subprocess.PIPE)
            while len(os.listdir(self.place)) == 1:
                self.assertIsNone(process.poll())
                time.sleep(0.0005)
            process.send_signal(number)
            process.communicate(timeout=HANG)
            self.assertEqual(process.returncode, 128 + number)
            self.assertEqual(self.target.read_bytes(), self.old)
            self.assertEqual(os.listdir(self.place), [NAME])


class Together(Commit):
    def test_eight_writers_take_turns(self):
        """Each adds to what it finds; nobody's addition is lost."""
        self.prepare('wim', tail_len=0)
        for how in ('copy', 'place'):
            self.restart()
            writers = [subprocess.Popen(
                [DRIVER, how, 'grow', os.fspath(self.target), str(i)],
                stderr=subprocess.PIPE) for i in range(8)]
            for writer in writers:
                _, text = writer.communicate(timeout=HANG)
                self.assertEqual(writer.returncode, 0, text)
            data = self.target.read_bytes()
            self.assertEqual(len(data), len(self.old) + 8 * 512)
            self.assertEqual(data[208:len(self.old)], self.old[208:])
            added = sorted(data[at] for at in
                           range(len(self.old), len(data), 512))
            self.assertEqual(added, list(range(8)))
            self.assertEqual(os.listdir(self.place), [NAME])


if __name__ == '__main__':
    if not FAULTFS:
        skip('no preloadable library')
    main()
