# SPDX-License-Identifier: MIT
# test_crash.py: the program itself, killed, interrupted and out of room, with
# both accesses and both commits, and many writers at once.
import fcntl
import os
import shutil
import signal
import subprocess
import time
from errno import EINVAL, EIO, ENOSPC, EPERM

from clitest import (IS_SANITIZED, ROOT_DER, WIMS, WIMTRUST, Place, accesses,
                     main, make_root, wimtrust)
from faults import ALWAYS, KILL_BEFORE, ONCE, Faults

STEP = 4 if IS_SANITIZED else 1
# For each access and commit.
MOMENTS = int(os.environ.get('WT_MOMENTS', '24'))
IMAGE = WIMS / 'two.wim'
HEADER = 208


WAYS = [(access, commit)
        for access in accesses()
        for commit in ('replace', 'append')]


class Crash(Place):
    def setUp(self):
        super().setUp()
        self.target = self.place / 'boot.wim'
        self.old = IMAGE.read_bytes()
        self.restart()

    def restart(self):
        shutil.rmtree(self.place)
        self.place.mkdir()
        self.target.write_bytes(self.old)

    def add(self, access, commit):
        return ['add', '--access', access, '--commit', commit, self.target,
                ROOT_DER]

    def run_add(self, access, commit):
        return wimtrust(*self.add(access, commit), env=self.env)

    def assert_whole(self, why):
        """Readers see a whole image, the next run finishes, all is tidy."""
        run = wimtrust('list', self.target, env=self.env)
        self.assertEqual(run.status, 0, (why, run.err))
        self.assertEqual(run.out.count('AuthRoot') > 0, self.is_new(), why)
        run = wimtrust('add', '--access', 'update', self.target, ROOT_DER,
                       env=self.env)
        self.assertEqual(run.status, 0, (why, run.err))
        self.assert_new(why)
        self.assert_tidy('boot.wim', why=why)

    def is_new(self):
        return wimtrust('verify', self.target, ROOT_DER,
                        env=self.env).status == 0

    def assert_new(self, why):
        self.assertTrue(self.is_new(), why)
        data = self.target.read_bytes()
        self.assertEqual(data[HEADER:len(self.old)], self.old[HEADER:], why)
        done = subprocess.run(['wimlib-imagex', 'verify', self.target],
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, (why, done.stderr))

    def assert_old_or_whole(self, why):
        """For replace: at every instant, before any other run."""
        if self.target.read_bytes() != self.old:
            self.assert_new(why)


class Killed(Crash):
    def test_at_every_change_of_the_folder(self):
        for access, commit in WAYS:
            watch = Faults(self.folder, self.place)
            self.restart()
            args = [WIMTRUST, *self.add(access, commit)]
            done = watch.run(args, env=self.env)
            self.assertEqual(done.returncode, 0, done.stderr)
            calls = watch.calls()
            self.assertGreater(calls, 6)
            for at in range(1, calls + 1, STEP):
                self.restart()
                done = watch.run(args, at, KILL_BEFORE, env=self.env)
                why = (access, commit, at, watch.name(), done.stderr)
                self.assertEqual(done.returncode, -signal.SIGKILL, why)
                if commit == 'replace':
                    self.assert_old_or_whole(why)
                self.assert_whole(why)

    def test_at_moments_spread_over_the_run(self):
        for access, commit in WAYS:
            self.restart()
            start = time.monotonic()
            self.assertEqual(self.run_add(access, commit).status, 0)
            took = time.monotonic() - start
            for i in range(0, MOMENTS, STEP):
                self.restart()
                process = subprocess.Popen(
                    [WIMTRUST, *map(os.fspath, self.add(access, commit))],
                    env=self.env, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL)
                time.sleep(took * i / (MOMENTS - 2))
                process.kill()
                process.wait()
                why = (access, commit, i)
                if commit == 'replace':
                    self.assert_old_or_whole(why)
                self.assert_whole(why)


class Interrupted(Crash):
    def test_all_is_cleaned_up_at_once(self):
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for access, commit in WAYS:
            self.restart()
            start = time.monotonic()
            self.assertEqual(self.run_add(access, commit).status, 0)
            took = time.monotonic() - start
            for i in range(0, 24, STEP):
                self.restart()
                process = subprocess.Popen(
                    [WIMTRUST, *map(os.fspath, self.add(access, commit))],
                    env=self.env, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE)
                time.sleep(took * i / 24)
                number = numbers[i % 3]
                process.send_signal(number)
                sent = time.monotonic()
                _, text = process.communicate()
                why = (access, commit, i, text)
                self.assertLess(time.monotonic() - sent, 2, why)
                # Before it listens, or when it was done already.
                if process.returncode not in (0, -number):
                    self.assertEqual(process.returncode, 128 + number, why)
                    # It says which of the two it left.
                    self.assertEqual(self.target.read_bytes() != self.old,
                                     b'was changed, but' in text, why)
                    self.assert_tidy('boot.wim', why=why)


class Failing(Crash):
    def test_every_change_of_the_folder(self):
        for access, commit in WAYS:
            for native, mode in ((EIO, ONCE), (ENOSPC, ALWAYS)):
                watch = Faults(self.folder, self.place)
                args = [WIMTRUST, *self.add(access, commit)]
                for at in range(1, 1000, STEP):
                    self.restart()
                    done = watch.run(args, at, mode, native, env=self.env)
                    if watch.calls() < at:
                        break
                    why = (access, commit, native, at, watch.name(),
                           done.stderr)
                    if done.returncode == 0:
                        self.assert_new(why)
                    else:
                        self.assertEqual(done.returncode, 7, why)
                        self.assert_whole(why)
                else:
                    self.fail('there is no end to it')
                # Nothing is recorded where the library is not preloaded.
                self.assertGreater(at, 6)


class OtherFileSystems(Crash):
    """Some know no hard links, or no rename that does not replace."""

    def sweep(self, native, *args):
        """Each call fails once so; gives back how often that was no harm."""
        watch = Faults(self.folder, self.place)
        passed = 0
        for at in range(1, 1000):
            self.restart()
            done = watch.run([WIMTRUST, *map(os.fspath, args)], at, ONCE,
                             native, env=self.env)
            if watch.calls() < at:
                break
            why = (args, native, at, watch.name(), done.stderr)
            self.assertIn(done.returncode, (0, 7), why)
            yield watch.name(), done.returncode, why
            passed += done.returncode == 0
        else:
            self.fail('there is no end to it')
        self.assertGreater(passed, 0)

    def test_a_backup_is_a_copy_where_it_cannot_be_a_link(self):
        backup = self.place / 'boot.wim.bak'
        names = set()
        for name, status, why in self.sweep(
                EPERM, 'add', '--access', 'update', '--backup', self.target,
                ROOT_DER):
            if status == 0:
                self.assertEqual(backup.read_bytes(), self.old, why)
                self.assert_new(why)
            else:
                self.assert_old_or_whole(why)
            names.add(name)
            if name == 'link':
                self.assertEqual(status, 0, why)
        self.assertIn('link', names)

    def test_an_output_comes_into_being_whole_without_renameat2(self):
        output = self.place / 'new.wim'
        names = set()
        for name, status, why in self.sweep(
                EINVAL, 'add', '--access', 'update', '-o', output, self.target,
                ROOT_DER):
            self.assertEqual(self.target.read_bytes(), self.old, why)
            if status == 0:
                self.assertEqual(wimtrust('verify', output, ROOT_DER,
                                          env=self.env).status, 0, why)
            else:
                self.assertFalse(output.exists(), why)
            names.add(name)
            if name == 'rename':
                self.assertEqual(status, 0, why)
        self.assertIn('rename', names)


class Together(Crash):
    def roots(self, count):
        return [make_root(self.folder / f'root{i}.pem', f'/CN=Root {i}')
                for i in range(count)]

    def test_every_root_is_in_the_result(self):
        roots = self.roots(6)
        extra = [self.folder / f'extra{i}' for i in range(2)]
        for path in extra:
            path.write_text(path.name)
        for commit in ('replace', 'append'):
            self.restart()
            writers = [subprocess.Popen(
                [WIMTRUST, 'add', '--access', 'update', '--commit', commit,
                 '--wait', '100', self.target, root],
                env=self.env, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE) for root in roots]
            others = [subprocess.Popen(
                ['wimlib-imagex', 'update', self.target, '1',
                 f'--command=add {path} /{path.name}'],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for path in extra]
            while any(w.poll() is None for w in writers):
                run = wimtrust('list', self.target, env=self.env)
                self.assertEqual(run.status, 0, (commit, run.err))
                time.sleep(0.02)
            for writer, root in zip(writers, roots):
                _, text = writer.communicate()
                self.assertEqual(writer.returncode, 0, (commit, text))
                self.assertEqual(
                    wimtrust('verify', self.target, root,
                             env=self.env).status, 0, (commit, root))
            # wimlib writes to the file that it opened, also when another one
            # has its name by now: what it added is not looked for.
            for other in others:
                other.wait()
            done = subprocess.run(['wimlib-imagex', 'verify', self.target],
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_tidy('boot.wim', why=commit)

    def test_a_writer_that_does_not_get_its_turn_names_the_holder(self):
        with open(self.target, 'r+b') as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            run = wimtrust('add', '--wait', '1', self.target, ROOT_DER,
                           env=self.env)
        self.assertEqual(run.status, 7)
        self.assertIn(f'process {os.getpid()}', run.err)
        self.assertEqual(self.target.read_bytes(), self.old)


class Output(Crash):
    def test_is_made_from_a_read_only_image(self):
        output = self.place / 'out.wim'
        self.target.chmod(0o444)
        run = wimtrust('add', self.target, ROOT_DER, env=self.env)
        self.assertEqual(run.status, 7)
        self.assertIn('chmod u+w', run.err)
        for access, _ in WAYS[::2]:
            run = wimtrust('add', '--access', access, '-f', '-o', output,
                           self.target, ROOT_DER, env=self.env)
            self.assertEqual(run.status, 0, run.err)
            self.assertEqual(wimtrust('verify', output, ROOT_DER,
                                      env=self.env).status, 0)
            self.assertEqual(self.target.read_bytes(), self.old)
            self.assertEqual(os.listdir(self.temp), [])


class NoRoom(Crash):
    """Small file systems of their own; root only."""

    def full(self, where, size):
        if os.geteuid() != 0:
            self.skipTest('mounting needs root')
        done = subprocess.run(
            ['mount', '-t', 'tmpfs', '-o', f'size={size}k,mode=0777',
             'wimtrust-test', where], capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest('cannot mount here')

    def sweep(self, where, sizes):
        statuses = set()
        for access, commit in WAYS:
            for size in sizes:
                self.full(where, size)
                try:
                    if where == self.place:
                        self.target.write_bytes(self.old)
                    else:
                        self.restart()
                    run = self.run_add(access, commit)
                    why = (access, commit, size, run.err)
                    statuses.add(run.status)
                    if run.status == 0:
                        self.assert_new(why)
                    else:
                        self.assertEqual(run.status, 7, why)
                        self.assertEqual(
                            self.target.read_bytes(), self.old, why)
                    self.assertEqual(
                        os.listdir(self.place), ['boot.wim'], why)
                    self.assertEqual(os.listdir(self.temp), [], why)
                finally:
                    subprocess.run(['umount', '-l', where], check=False)
        return statuses

    def test_beside_the_image(self):
        length = len(self.old) // 1024 + 5
        self.assertEqual(self.sweep(
            self.place, [length + more for more in
                         (0, 20, 60, 120, length - 8, length + 60)] +
            [4 * length + 40000]), {0, 7})

    def test_in_the_temporary_folder(self):
        self.assertEqual(
            self.sweep(self.temp, [8, 40, 100, 200, 400, 1000, 40000]),
            {0, 7})


if __name__ == '__main__':
    main()
