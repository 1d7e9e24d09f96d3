# SPDX-License-Identifier: MIT
# test_kill.py: the program killed, whatever it was doing: hives and folders,
# and the commands and options that test_crash.py does not try.
import os
import shutil
import signal
import subprocess
import time

from clitest import (HIVES, IS_SANITIZED, ROOT_DER, WIMS, WIMTRUST,
                     Place, accesses, fuse_works, main, run_other, skip,
                     wimtrust)
from faults import FAULTFS, KILL_BEFORE, Faults

# With sanitizers each run takes ten times as long.
STEP = 6 if IS_SANITIZED else 1
NOBODY = '0' * 40
REMOVED = '7A645AEB801671DB9CE1C3E421FD11E0B52D6C2F'


def keys_and_values(path):
    """By reglookup, but for the times."""
    text = subprocess.run(['reglookup', path], capture_output=True,
                          check=True).stdout.decode()
    return sorted(line.rsplit(',', 1)[0] for line in text.splitlines())


class Kill(Place):
    def restart(self, source, target):
        shutil.rmtree(self.place)
        target.parent.mkdir(parents=True)
        shutil.copyfile(source, target)

    def everywhere(self, args, restart, check):
        """Kills a run before each change of the folder; check comes after
        each."""
        watch = Faults(self.folder, self.place)
        command = [WIMTRUST, *args]
        restart()
        done = watch.run(command, env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        calls = watch.calls()
        self.assertGreater(calls, 6, args)
        for at in range(1, calls + 1, STEP):
            restart()
            done = watch.run(command, at, KILL_BEFORE, env=self.env)
            why = (args, at, watch.name(), done.stderr)
            # What wimlib does a child does: its death is an error. Locked in,
            # it may not even kill.
            if done.returncode != -signal.SIGKILL:
                is_locked_in = b'[sandbox]' in done.stderr
                self.assertEqual(done.returncode, 4 if is_locked_in else 7,
                                 why)
                self.assertIn(b'(kill)' if is_locked_in else b'signal 9',
                              done.stderr, why)
            check(why)

    def at_moments(self, args, restart, check, count):
        restart()
        start = time.monotonic()
        self.assertEqual(self.run_it(*args).status, 0)
        took = time.monotonic() - start
        for i in range(0, count, STEP):
            restart()
            process = subprocess.Popen(
                [WIMTRUST, *map(os.fspath, args)], env=self.env,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(took * i / count)
            process.kill()
            process.wait()
            check((args, i))

class InPlace(Kill):
    """Hives are written where they stand, guarded by an undo file."""

    SOURCE = HIVES / 'software-1.3'
    MOMENTS = 60

    def try_target(self, hive, target):
        old = self.SOURCE.read_bytes()
        old_keys = keys_and_values(self.SOURCE)

        def restart():
            self.restart(self.SOURCE, hive)

        restart()
        inode = hive.stat().st_ino
        self.assertEqual(self.run_it('add', target, ROOT_DER).status, 0)
        self.assertEqual(hive.stat().st_ino, inode)
        new_keys = keys_and_values(hive)
        self.assertNotEqual(new_keys, old_keys)
        states = set()

        def check(why):
            seen = self.run_it('verify', target, ROOT_DER)
            self.assertIn(seen.status, (0, 1), (why, seen.err))
            # Writes nothing by itself, and so puts right what there is.
            run = self.run_it('remove', target, NOBODY)
            self.assertEqual(run.status, 1, (why, run.err))
            is_new = hive.read_bytes() != old
            self.assertEqual(is_new, seen.status == 0, why)
            if is_new:
                self.assertEqual(keys_and_values(hive), new_keys, why)
            self.assertEqual(os.listdir(hive.parent), [hive.name], why)
            states.add(is_new)

        args = ['add', target, ROOT_DER]
        self.everywhere(args, restart, check)
        self.at_moments(args, restart, check, self.MOMENTS)
        if STEP == 1:
            self.assertEqual(states, {True, False})

    def test_bare_hive(self):
        hive = self.place / 'SOFTWARE'
        self.try_target(hive, hive)

    def test_hive_in_a_folder(self):
        self.try_target(
            self.place / 'Windows' / 'System32' / 'config' / 'SOFTWARE',
            self.place)


class WithoutModes(InPlace):
    """On NTFS, where everybody may write everything."""

    MOMENTS = 20

    def setUp(self):
        super().setUp()
        volume, root = self.folder / 'volume', self.folder / 'root'
        if not shutil.which('mkntfs') or not fuse_works():
            self.skipTest('an NTFS volume cannot be made here')
        with open(volume, 'wb') as file:
            file.truncate(16 << 20)
        run_other('mkntfs', '-qF', volume)
        root.mkdir()
        if subprocess.run(['ntfs-3g', volume, root], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest('an NTFS volume cannot be mounted here')
        self.addCleanup(subprocess.run, ['umount', root], check=False)
        self.place = root / 'place'
        self.place.mkdir()
        self.assertEqual(self.place.stat().st_mode & 0o777, 0o777)


class Wims(Kill):
    def setUp(self):
        super().setUp()
        self.target = self.place / 'boot.wim'

    def is_whole(self, path):
        return subprocess.run(['wimlib-imagex', 'verify', path],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL,
                              check=False).returncode == 0

    def try_option(self, source, args, states, finish, names=('boot.wim',)):
        """states: whole contents that the target may have besides the new
        one, for which finish gives the status of verify."""
        def restart():
            self.restart(source, self.target)

        def check(why):
            if '--commit' not in args and \
                    self.target.read_bytes() not in states:
                self.assertTrue(self.is_whole(self.target), why)
                self.assertEqual(
                    self.run_it('verify', self.target, ROOT_DER).status,
                    finish, why)
            run = self.run_it(*args)
            # Removed already: then it says that it is not there.
            self.assertIn(run.status, (0, 1) if finish else (0,),
                          (why, run.err))
            self.assertTrue(self.is_whole(self.target), why)
            self.assertEqual(
                self.run_it('verify', self.target, ROOT_DER).status, finish,
                why)
            self.assert_tidy(*names, why=why)

        self.everywhere(args, restart, check)

    def with_root(self):
        path = self.folder / 'with-root.wim'
        shutil.copyfile(WIMS / 'two.wim', path)
        self.assertEqual(
            wimtrust('add', '--access', 'update', path, ROOT_DER).status, 0)
        return path

    def test_remove(self):
        source = self.with_root()
        for more in ([], ['--commit', 'append']):
            self.try_option(
                source, ['remove', '--access', 'update', *more, self.target,
                         REMOVED], [source.read_bytes()], 1)

    def test_rebuild(self):
        source = WIMS / 'two.wim'
        self.try_option(
            source, ['add', '--access', 'update', '--rebuild', self.target,
                     ROOT_DER], [source.read_bytes()], 0)

    def test_repair(self):
        source = WIMS / 'bad-interrupted.wim'
        old = source.read_bytes()
        self.restart(source, self.target)
        # Nothing is removed, but it is repaired first.
        self.assertEqual(
            self.run_it('remove', '--repair', self.target, NOBODY).status, 1)
        repaired = self.target.read_bytes()
        self.assertLess(len(repaired), len(old))
        self.assertEqual(repaired[208:], old[208:len(repaired)])
        # It is written in place: an undo file may stand beside it, of which
        # only the next run knows what to make.
        args = ['add', '--access', 'update', '--repair', self.target,
                ROOT_DER]

        def check(why):
            run = self.run_it('info', self.target)
            self.assertEqual(run.status, 0, (why, run.err))
            run = self.run_it('remove', '--repair', self.target, NOBODY)
            self.assertEqual(run.status, 1, (why, run.err))
            if self.target.read_bytes() != repaired:
                self.assertTrue(self.is_whole(self.target), why)
                self.assertEqual(
                    self.run_it('verify', self.target, ROOT_DER).status, 0,
                    why)
            self.assertEqual(self.run_it(*args).status, 0, why)
            self.assertTrue(self.is_whole(self.target), why)
            self.assert_tidy('boot.wim', why=why)

        self.everywhere(args, lambda: self.restart(source, self.target),
                        check)

    def test_backup(self):
        source = WIMS / 'two.wim'
        old = source.read_bytes()
        backup = self.place / 'boot.wim.bak'
        for commit in ('replace', 'append'):
            args = ['add', '--access', 'update', '--backup', '--commit',
                    commit, self.target, ROOT_DER]

            def check(why):
                if backup.exists():
                    self.assertEqual(backup.read_bytes(), old, why)
                is_new = self.run_it('verify', self.target,
                                     ROOT_DER).status == 0
                run = self.run_it(*args)
                self.assertEqual(run.status, 0, (why, run.err))
                self.assertEqual(backup.read_bytes(), old, (why, is_new))
                self.assertNotEqual(self.target.read_bytes(), old, why)
                self.assertTrue(self.is_whole(self.target), why)
                self.assert_tidy('boot.wim', 'boot.wim.bak', why=why)

            self.everywhere(args, lambda: self.restart(source, self.target),
                            check)

    def test_output(self):
        source = WIMS / 'two.wim'
        old = source.read_bytes()
        output = self.place / 'out.wim'
        args = ['add', '--access', 'update', '-f', '-o', output, self.target,
                ROOT_DER]

        def check(why):
            self.assertEqual(self.target.read_bytes(), old, why)
            if output.exists():
                self.assertTrue(self.is_whole(output), why)
                self.assertEqual(
                    self.run_it('verify', output, ROOT_DER).status, 0, why)
            self.assertEqual(self.run_it(*args).status, 0, why)
            self.assertTrue(self.is_whole(output), why)
            self.assertEqual(self.target.read_bytes(), old, why)
            self.assert_tidy('boot.wim', 'out.wim', why=why)

        self.everywhere(args, lambda: self.restart(source, self.target),
                        check)


class Temporary(Kill):
    """What a killed run leaves in TMPDIR the next run removes, whatever it
    is to do."""

    def setUp(self):
        super().setUp()
        self.target = self.place / 'boot.wim'
        self.with_root = self.folder / 'with-root.wim'
        shutil.copyfile(WIMS / 'two.wim', self.with_root)
        self.assertEqual(
            self.run_it('add', '--access', 'update', self.with_root,
                        ROOT_DER).status, 0)

    def next_runs(self):
        """None of them makes a folder of its own."""
        hive = HIVES / 'software-1.3'
        while True:
            yield 0, ('list', hive)
            yield 0, ('info', self.with_root)
            yield 0, ('verify', self.with_root, ROOT_DER)
            yield 0, ('add', self.with_root, ROOT_DER)
            yield 1, ('remove', self.with_root, NOBODY)
            yield 0, ('add', '--dry-run', hive, ROOT_DER)
            yield 7, ('list', self.folder / 'nothing')

    def test_is_removed_by_any_run(self):
        runs = self.next_runs()
        for access in accesses():
            args = [WIMTRUST, 'add', '--access', access, self.target,
                    ROOT_DER]
            watch = Faults(self.folder, self.temp)
            self.restart(WIMS / 'two.wim', self.target)
            done = watch.run(args, env=self.env)
            self.assertEqual(done.returncode, 0, done.stderr)
            calls = watch.calls()
            self.assertGreater(calls, 8)
            left = 0
            for at in range(1, calls + 1, STEP):
                self.restart(WIMS / 'two.wim', self.target)
                done = watch.run(args, at, KILL_BEFORE, env=self.env)
                left += len(os.listdir(self.temp)) > 0
                status, words = next(runs)
                run = self.run_it(*words)
                why = (access, at, watch.name(), words, run.err)
                self.assertEqual(run.status, status, why)
                self.assertEqual(os.listdir(self.temp), [], why)
            self.assertGreater(left, 4 // STEP)

    def test_of_a_live_run_stays(self):
        self.restart(WIMS / 'two.wim', self.target)
        runs = self.next_runs()
        process = subprocess.Popen(
            [WIMTRUST, 'add', '--access', 'update', self.target, ROOT_DER],
            env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # With something in it: an empty one may not be locked yet, and a run
        # whose folder was taken then makes another.
        while process.poll() is None and not any(self.temp.glob('*/*')):
            pass
        process.send_signal(signal.SIGSTOP)
        names = os.listdir(self.temp)
        for _ in range(6):
            status, words = next(runs)
            self.assertEqual(self.run_it(*words).status, status, words)
            self.assertEqual(os.listdir(self.temp), names, words)
        process.send_signal(signal.SIGCONT)
        _, text = process.communicate()
        self.assertEqual(process.returncode, 0, text)
        self.assertEqual(len(names), 1)
        self.assertEqual(os.listdir(self.temp), [])

    def test_of_others_is_no_error(self):
        left = self.temp / 'wimtrust-abcdef'
        left.mkdir()
        left.chmod(0o1700)
        if os.geteuid() == 0:
            os.chown(left, 65534, 65534)
        else:
            self.temp.chmod(0o500)
        run = self.run_it('list', HIVES / 'software-1.3')
        self.temp.chmod(0o700)
        self.assertEqual((run.status, run.err), (0, ''))
        self.assertTrue(left.exists())
        self.env['TMPDIR'] = os.fspath(self.folder / 'nothing')
        run = self.run_it('list', HIVES / 'software-1.3')
        self.assertEqual((run.status, run.err), (0, ''))


if __name__ == '__main__':
    if not FAULTFS:
        skip('no preloadable library')
    main()
