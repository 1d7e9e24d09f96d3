# SPDX-License-Identifier: MIT
# test_filesystems.py: the program on file systems with other manners than
# those of a Linux disk, which mannerfs.c has. The argument names one.
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

from clitest import (HANG, HIVES, ROOT_DER, WIMS, WIMTRUST, Place, main,
                     make_root, skip, wait_until, wimtrust)
from faults import KILL_AFTER, KILL_BEFORE, Faults

MANNERFS = os.environ.get('WT_MANNERFS', '')

NO_ROOM = 'fallocate=ENOTSUP,copy-range=ENOTSUP,'
SMB = 'xattr=ENOTSUP,rename-flags=EINVAL,chmod=silent,mode=755,'
DRIVE = ('link=EPERM,xattr=ENOTSUP,chown=ENOTSUP,chmod=silent,'
         'rename-flags=EINVAL,seek=ENOSYS,mode=777,flock=kernel,' + NO_ROOM)
PLACES = {
    # SMB without byte-range locks, and the same where the server has links.
    'smb-nobrl': SMB + 'rename-over-open=lose,chown=silent,link=ENOTSUP',
    'smb-nobrl-links': SMB + 'rename-over-open=lose,chown=silent',
    # SMB as it is mounted by default.
    'smb': SMB + NO_ROOM + 'flock=mandatory,link=ENOTSUP',
    'smb-whole': SMB + NO_ROOM + 'flock=mandatory,rename-over-open=lose,'
                 'link=ENOTSUP',
    # Drives of Windows under WSL: plain, in use, and of somebody else.
    'drive-mount': DRIVE,
    'drive-mount-busy': DRIVE + 'rename-over-open=refuse',
    'drive-mount-strict': 'link=EPERM,xattr=EPERM,chown=EPERM,chmod=EPERM,'
                          'rename-flags=EPERM,seek=ENOSYS,mode=777,'
                          'flock=kernel,' + NO_ROOM,
    # ntfs-3g and exfat-fuse; a stick; gvfs.
    'ntfs': 'mode=777,chmod=silent,chown=silent,remove-open=rename,'
            'flock=kernel',
    'vfat': 'link=EPERM,symlink=EPERM,xattr=ENOTSUP,rename-flags=EINVAL,'
            'chmod=silent,chown=EPERM,seek=ENOSYS,mode=755,grain=2,'
            'flock=kernel,' + NO_ROOM,
    'no-chmod': 'link=ENOTSUP,xattr=ENOTSUP,rename-flags=EINVAL,'
                'chmod=ENOTSUP,mode=755,flock=kernel',
    # A network file system whose server does not lock.
    'no-locks': 'link=ENOTSUP,xattr=ENOTSUP,chown=EPERM,rename-flags=EINVAL,'
                'seek=ENOSYS,flock=ENOLCK,' + NO_ROOM,
    'no-flock': 'link=ENOTSUP,xattr=ENOTSUP,chown=EPERM,rename-flags=EINVAL,'
                'seek=ENOSYS,flock=ENOSYS,' + NO_ROOM,
    'no-mmap': 'mmap=none,flock=kernel,link=EACCES',
    # NFS: no exclusive lock for who cannot write.
    'nfs': 'flock=writable,remove-open=rename,rename-flags=EINVAL',
    # sshfs and mergerfs: each name of a file has a number of its own.
    'odd-inodes': 'inodes=odd,remove-open=rename,flock=kernel',
    # bindfs --chmod-deny, --chmod-ignore: modes are real, chmod() is not.
    'modes-refused': 'chmod=EPERM,chown=EPERM,flock=kernel',
    'modes-ignored': 'chmod=silent,chown=silent,flock=kernel',
    'folder-fsync': 'folder-sync=EPERM,flock=kernel',
    'folder-fsync-badf': 'folder-sync=EBADF,flock=kernel',
    # rclone: extended attributes and links answer as a broken disk does.
    'broken-attributes': 'xattr=EIO,link=EIO,rename-flags=EINVAL,flock=kernel',
}
PLACE = sys.argv.pop(1)
# Where each run waits for what was closed, every moment costs more.
KILLS = 3 if 'rename-over-open' in PLACES[PLACE] else 4


def loses():
    return 'rename-over-open=lose' in PLACES[PLACE]


def locks():
    return not re.search('flock=E', PLACES[PLACE])


class Manners(Place):
    """A folder on the file system: what is at self.place is mounted there,
    and self.real is what the file system keeps of it."""

    def setUp(self):
        super().setUp()
        self.real = self.folder / 'real'
        self.real.mkdir()
        # In the foreground, to know when it has ended; one request after the
        # other, so that a file is closed when close() was called before.
        self.daemon = subprocess.Popen(
            [MANNERFS, self.real, PLACES[PLACE], self.place, '-f', '-s', '-o',
             'default_permissions'])
        self.addCleanup(self.unmount)
        wait_until(lambda: os.path.ismount(self.place), 'the mount')
        self.target = self.place / 'boot.wim'

    def unmount(self):
        subprocess.run(['fusermount3', '-u', '-z', self.place], check=False)
        # Another program's mount namespace may have a copy of the mount.
        self.daemon.kill()
        self.daemon.wait()

    def start(self, *args, **env):
        return subprocess.Popen(
            [WIMTRUST, *map(os.fspath, args)], env=dict(self.env, **env),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def clear(self):
        for path in self.place.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def restart(self, *names):
        """The image alone, under these names."""
        self.clear()
        for name in names or ('boot.wim',):
            shutil.copyfile(WIMS / 'two.wim', self.place / name)

    def assert_done(self, run):
        self.assertEqual(run.status, 0, run.err)

    def assert_tidy(self, *names, why=None):
        # What was closed last is removed a moment later.
        wait_until(lambda: sorted(os.listdir(self.real)) == sorted(names),
                   why)
        self.assertEqual(os.listdir(self.temp), [], why)

    def is_new(self, path, why=None):
        """False: the old image. Anything else is a failure."""
        if path.read_bytes() == (WIMS / 'two.wim').read_bytes():
            return False
        done = subprocess.run(['wimlib-imagex', 'verify', path],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 0, (why, done.stderr))
        self.assertEqual(wimtrust('verify', path, ROOT_DER).status, 0, why)
        return True


@unittest.skipIf(locks(), 'there are locks here')
class NoLocks(Manners):
    def test_nothing_is_touched(self):
        for more in ([], ['--backup'], ['--commit', 'append'], ['--rebuild']):
            self.restart()
            run = self.run_it('add', *more, self.target, ROOT_DER)
            self.assertEqual(run.status, 7, run.err)
            self.assertIn('[no-locks]', run.err)
            self.assertIn('-o FILE', run.err)
            self.assertFalse(self.is_new(self.real / 'boot.wim'))
            self.assert_tidy('boot.wim', why=more)

    def test_hive_and_folder(self):
        old = (HIVES / 'software-1.3').read_bytes()
        config = self.place / 'Windows' / 'System32' / 'config'
        config.mkdir(parents=True)
        for target, hive in ((self.place / 'SOFTWARE',) * 2,
                             (self.place, config / 'SOFTWARE')):
            hive.write_bytes(old)
            run = self.run_it('add', target, ROOT_DER)
            self.assertEqual(run.status, 7, run.err)
            self.assertIn('[no-locks]', run.err)
            self.assertEqual(hive.read_bytes(), old)

    def test_remedy_works(self):
        self.restart()
        self.assert_done(self.run_it('list', self.target))
        self.assert_done(self.run_it('add', '-o', self.place / 'new.wim',
                                     self.target, ROOT_DER))
        self.assertTrue(self.is_new(self.real / 'new.wim'))
        self.assert_tidy('boot.wim', 'new.wim')


@unittest.skipUnless(locks(), 'nothing is written without locks')
@unittest.skipIf('mode=' in PLACES[PLACE], 'every file has the same mode here')
class Modes(Manners):
    def test_mode_is_kept_or_a_new_file_refused(self):
        for commit, statuses in (('auto', (0,)), ('replace', (0, 7))):
            self.restart()
            os.chmod(self.real / 'boot.wim', 0o640)
            before = (self.real / 'boot.wim').read_bytes()
            run = self.run_it('add', '--commit', commit, self.target, ROOT_DER)
            self.assertIn(run.status, statuses, run.err)
            if run.status:
                self.assertIn('[not-kept]', run.err)
                self.assertIn('--commit append', run.err)
                self.assertEqual((self.real / 'boot.wim').read_bytes(), before)
                self.assertEqual(os.listdir(self.real), ['boot.wim'])
            self.assertEqual(
                (self.real / 'boot.wim').stat().st_mode & 0o7777, 0o640)
            self.assertEqual(self.is_new(self.target), run.status == 0)
            self.assertEqual(run.status != 0, 'modes' in PLACE
                             and commit == 'replace')


@unittest.skipIf('modes' in PLACE, 'no new file takes the name here')
@unittest.skipUnless(locks(), 'nothing is written without locks')
class Commits(Manners):
    def test_every_commit_leaves_the_new_image_alone(self):
        for more in ([], ['--commit', 'append'], ['--rebuild'],
                     ['--access', 'update']):
            self.restart()
            self.assert_done(self.run_it('add', *more, self.target, ROOT_DER))
            self.assertTrue(self.is_new(self.real / 'boot.wim'), more)
            self.assert_tidy('boot.wim', why=more)
            self.assert_done(self.run_it('remove', *more, self.target,
                                         ROOT_DER))
            self.assert_tidy('boot.wim', why=more)

    def test_every_backup_is_the_old_image(self):
        for more in ([], ['--commit', 'append']):
            for had in (False, True):
                self.restart()
                if had:
                    (self.place / 'boot.wim.bak').write_bytes(b'older')
                self.assert_done(self.run_it('add', '--backup', *more,
                                             self.target, ROOT_DER))
                self.assertTrue(self.is_new(self.real / 'boot.wim'))
                self.assertFalse(self.is_new(self.real / 'boot.wim.bak'))
                self.assert_tidy('boot.wim', 'boot.wim.bak', why=more)

    def test_output_takes_the_place_of_what_is_there(self):
        for name in ('new.wim', 'boot.wim'):
            self.restart()
            self.assert_done(self.run_it('add', '-f', '-o', self.place / name,
                                         WIMS / 'two.wim', ROOT_DER))
            self.assertTrue(self.is_new(self.real / name))
            self.assert_tidy(*{'boot.wim', name})
            run = self.run_it('add', '-o', self.place / name,
                              WIMS / 'two.wim', ROOT_DER)
            self.assertEqual(run.status, 7, run.err)
            self.assertIn('exists already', run.err)

    def test_export(self):
        shutil.copyfile(WIMS / 'two.wim', self.folder / 'new.wim')
        self.assert_done(self.run_it('add', self.folder / 'new.wim', ROOT_DER))
        for force in ([], ['-f'], ['-f']):
            self.assert_done(self.run_it(
                'export', *force, '-o', self.place / 'out.reg',
                self.folder / 'new.wim'))
            self.assertEqual((self.real / 'out.reg').read_bytes()[:2],
                             b'\xff\xfe')
            self.assert_tidy('out.reg')
        self.assertEqual(self.run_it(
            'export', '-o', self.place / 'out.reg',
            self.folder / 'new.wim').status, 7)

    def test_hive_and_folder(self):
        config = self.place / 'Windows' / 'System32' / 'config'
        config.mkdir(parents=True)
        for target, hive in ((self.place / 'SOFTWARE',) * 2,
                             (self.place, config / 'SOFTWARE')):
            shutil.copyfile(HIVES / 'software-1.3', hive)
            self.assert_done(self.run_it('add', target, ROOT_DER))
            self.assert_done(self.run_it('verify', target, ROOT_DER))
            self.assert_done(self.run_it('remove', target, ROOT_DER))
            self.assertEqual(os.listdir(hive.parent).count('SOFTWARE'), 1)
        self.assert_tidy('SOFTWARE', 'Windows')


class Temporary(Manners):
    """TMPDIR is on it."""

    def setUp(self):
        super().setUp()
        self.inside = self.place / 'tmp'
        self.inside.mkdir()
        self.env['TMPDIR'] = os.fspath(self.inside)
        self.target = self.folder / 'boot.wim'
        shutil.copyfile(WIMS / 'two.wim', self.target)

    def assert_empty(self, why=None):
        wait_until(lambda: os.listdir(self.real / 'tmp') == [], why)

    @unittest.skipUnless('mandatory' in PLACES[PLACE], 'wimlib works here')
    def test_where_wimlib_cannot_work_it_is_told(self):
        run = self.run_it('add', self.target, ROOT_DER)
        self.assertEqual(run.status, 7, run.err)
        self.assertIn('[temp-locks]', run.err)
        self.assertIn('set TMPDIR to a folder on a local disk', run.err)
        self.assertFalse(self.is_new(self.target))
        self.assert_empty()

    @unittest.skipIf('mandatory' in PLACES[PLACE], 'wimlib cannot work here')
    def test_nothing_stays(self):
        for access in ('update', 'auto'):
            self.assert_done(self.run_it('add', '--access', access,
                                         self.target, ROOT_DER))
            self.assertTrue(self.is_new(self.target))
            self.assert_empty(access)
            self.assert_done(self.run_it('remove', self.target, ROOT_DER))
            self.assert_empty(access)

    @unittest.skipIf('mandatory' in PLACES[PLACE], 'wimlib cannot work here')
    def test_the_next_run_removes_what_a_killed_one_left(self):
        watch = Faults(self.folder, self.inside)
        command = [WIMTRUST, 'add', '--access', 'update', self.target,
                   ROOT_DER]
        env = dict(self.env)
        self.assertEqual(watch.run(command, env=env).returncode, 0)
        calls = watch.calls()
        self.assertGreater(calls, 3)
        left = 0
        for at in sorted({3 + i * (calls - 3) // KILLS
                          for i in range(KILLS)}):
            shutil.copyfile(WIMS / 'two.wim', self.target)
            done = watch.run(command, at, KILL_BEFORE, env=env)
            why = (at, watch.name(), done.stderr)
            time.sleep(0.05)
            left += os.listdir(self.real / 'tmp') != []
            self.assert_done(self.run_it('list', self.target))
            self.assert_empty(why)
        self.assertGreater(left, 0)


@unittest.skipUnless(locks(), 'nothing is written without locks')
@unittest.skipIf('modes' in PLACE, 'no new file takes the name here')
class Kills(Manners):
    """Old or new, and the backup too, whenever the run is killed; the next
    run goes on from there."""

    def try_kills(self, more, names):
        watch = Faults(self.folder, self.place)
        command = [WIMTRUST, 'add', '--access', 'update', *more, self.target,
                   ROOT_DER]
        self.restart(*names)
        done = watch.run(command, env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        calls = watch.calls()
        self.assertGreater(calls, 6)
        # All of the end, where names change; some of what is before.
        moments = {1 + i * calls // KILLS for i in range(KILLS)}
        moments |= set(range(max(1, calls - 5), calls + 1))
        for at in sorted(moments):
            mode = KILL_AFTER if at % 2 else KILL_BEFORE
            self.restart(*names)
            done = watch.run(command, at, mode, env=self.env)
            why = (more, at, watch.name(), done.stderr)
            self.assertIn(done.returncode, (-signal.SIGKILL, 0), why)
            # Closed by the kernel, and then by the file system.
            time.sleep(0.05)
            if 'append' not in more:
                for name in names:
                    self.is_new(self.real / name, why)
            run = self.run_it(*command[1:])
            self.assertEqual(run.status, 0, (why, run.err))
            self.assertTrue(self.is_new(self.real / 'boot.wim', why))
            if len(names) > 1:
                self.is_new(self.real / 'boot.wim.bak', why)
            self.assert_tidy(*names, why=why)

    def test_replace(self):
        self.try_kills([], ['boot.wim'])

    def test_replace_with_backup(self):
        self.try_kills(['--backup'], ['boot.wim', 'boot.wim.bak'])

    def test_append(self):
        self.try_kills(['--commit', 'append'], ['boot.wim'])

    def try_hive(self, target, hive):
        """Written in place: readers see one state or the other, and the next
        run puts it right, a torn one too."""
        old = (HIVES / 'software-1.3').read_bytes()
        watch = Faults(self.folder, self.place)
        command = [WIMTRUST, 'add', target, ROOT_DER]
        hive.write_bytes(old)
        done = watch.run(command, env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        calls = watch.calls()
        states = set()
        for at in sorted({1 + i * calls // (2 * KILLS)
                          for i in range(2 * KILLS)}):
            hive.write_bytes(old)
            done = watch.run(command, at, KILL_AFTER, env=self.env)
            why = (at, watch.name(), done.stderr)
            self.assertEqual(done.returncode, -signal.SIGKILL, why)
            seen = self.run_it('verify', target, ROOT_DER)
            self.assertIn(seen.status, (0, 1), (why, seen.err))
            # Removes nothing, and so shows what it found.
            run = self.run_it('remove', target, '0' * 40)
            self.assertEqual(run.status, 1, (why, run.err))
            is_new = hive.read_bytes() != old
            self.assertEqual(is_new, seen.status == 0, why)
            self.assertEqual(os.listdir(hive.parent), [hive.name], why)
            states.add(is_new)
        self.assertIn(False, states)

    def test_hive(self):
        self.try_hive(self.place / 'SOFTWARE', self.place / 'SOFTWARE')

    def test_folder(self):
        config = self.place / 'Windows' / 'System32' / 'config'
        config.mkdir(parents=True)
        self.try_hive(self.place, config / 'SOFTWARE')


@unittest.skipUnless(locks(), 'nothing is written without locks')
class Others(Manners):
    """Other programs have it open, or write at the same time."""

    def test_two_writers_lose_no_change(self):
        roots = [make_root(self.folder / ('%d.pem' % i), '/CN=Root %d' % i)
                 for i in range(3)]
        for _ in range(2):
            self.restart()
            runs = [self.start('add', '--wait', str(HANG), self.target, root)
                    for root in roots]
            for run in runs:
                out, err = run.communicate(timeout=HANG)
                self.assertEqual(run.returncode, 0, err)
            self.assert_done(self.run_it('verify', self.target, *roots))
            self.assert_tidy('boot.wim')

    def test_reader_is_waited_for(self):
        self.restart()
        with open(self.target, 'rb') as reader:
            run = self.start('add', self.target, ROOT_DER)
            time.sleep(0.5)
            if loses():
                self.assertIsNone(run.poll())
        self.assertEqual(run.wait(timeout=HANG), 0, run.stderr.read())
        run.communicate()
        self.assertTrue(self.is_new(self.real / 'boot.wim'))
        self.assert_tidy('boot.wim')

    def stopped_at_rename(self, opened, *more):
        """A run that has been stopped just before it renames over what
        another program has opened since then."""
        watch = Faults(self.folder, self.place)
        names = ['boot.wim', 'boot.wim.bak'] if more else ['boot.wim']
        command = [WIMTRUST, 'add', '--access', 'update', *more, self.target,
                   ROOT_DER]
        # The last renames of a run, from its end.
        self.restart(*names)
        self.assertEqual(watch.run(command, env=self.env).returncode, 0)
        calls = watch.calls()
        at = calls
        while at > 0:
            self.restart(*names)
            watch.run(command, at, KILL_BEFORE, env=self.env)
            if watch.name().startswith('rename'):
                if opened == 'boot.wim' or at < calls - 4:
                    break
            at -= 1
        self.assertGreater(at, 0)
        self.restart(*names)
        process = watch.stopped(command, at, env=self.env)
        return process, open(self.place / opened, 'rb')

    def resume(self, process):
        os.killpg(process.pid, signal.SIGCONT)

    @unittest.skipUnless(loses(), 'nothing can be lost here')
    def test_opened_too_late_and_closed_soon(self):
        process, reader = self.stopped_at_rename('boot.wim')
        with reader:
            self.resume(process)
            time.sleep(0.5)
        err = process.communicate(timeout=HANG)[1]
        self.assertEqual(process.returncode, 0, err)
        self.assertTrue(self.is_new(self.real / 'boot.wim'))
        self.assert_tidy('boot.wim')

    @unittest.skipUnless(loses(), 'nothing can be lost here')
    def test_opened_too_late_and_not_closed(self):
        process, reader = self.stopped_at_rename('boot.wim')
        with reader:
            self.resume(process)
            err = process.communicate(timeout=HANG)[1].decode()
        self.assertEqual(process.returncode, 7, err)
        wait_until(lambda: 'boot.wim' not in os.listdir(self.real), err)
        self.assertIn('the finished file is kept: %s/' % self.place, err)
        kept = self.real / os.listdir(self.real)[0]
        self.assertIn(kept.name, err)
        kept.rename(self.real / 'boot.wim')
        self.assertTrue(self.is_new(self.real / 'boot.wim'))

    @unittest.skipUnless(loses(), 'nothing can be lost here')
    def test_opened_too_late_and_the_run_killed(self):
        """The next run names what is left."""
        process, reader = self.stopped_at_rename('boot.wim')
        with reader:
            self.resume(process)
            time.sleep(0.5)
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)
        time.sleep(0.1)
        left = [name for name in os.listdir(self.place)
                if not name.endswith('-lock')]
        self.assertEqual(len(left), 1, left)
        for command in (['list', self.target],
                        ['add', self.target, ROOT_DER]):
            run = self.run_it(*command)
            self.assertEqual(run.status, 7, run.err)
            self.assertIn('[not-found]', run.err)
            self.assertIn(os.fspath(self.place / left[0]), run.err)
        (self.place / left[0]).rename(self.target)
        self.assertTrue(self.is_new(self.real / 'boot.wim'))
        self.assert_done(self.run_it('remove', self.target, ROOT_DER))
        self.assert_tidy('boot.wim')

    @unittest.skipUnless(loses(), 'nothing can be lost here')
    def test_backup_opened_too_late_and_not_closed(self):
        process, reader = self.stopped_at_rename('boot.wim.bak', '--backup')
        with reader:
            self.resume(process)
            err = process.communicate(timeout=HANG)[1].decode()
        self.assertEqual(process.returncode, 7, err)
        # What is lost is lost a moment after it was closed.
        wait_until(lambda: len([name for name in os.listdir(self.real)
                                if name in err]) == 2, err)
        self.assertFalse(self.is_new(self.real / 'boot.wim'))


if __name__ == '__main__':
    if not MANNERFS:
        skip('libfuse 3 was not there when this was built')
    if not os.access('/dev/fuse', os.R_OK | os.W_OK):
        skip('/dev/fuse cannot be opened')
    main()
