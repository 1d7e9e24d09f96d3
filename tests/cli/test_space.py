# SPDX-License-Identifier: MIT
# test_space.py: no room: beside the image on ext4, in the folder for temporary
# files, and in wimlib's staging folder.
import os
import re
import shutil
import subprocess
import sys
from errno import EDQUOT, ENOSPC

from clitest import Case, HIVES, ROOT_DER, WIMS, WIMTRUST, environment, main, \
    wimtrust

sys.path.insert(0, os.path.join(os.environ['WT_SOURCE'], 'tests', 'support'))

import wt
from faults import ALWAYS, Faults

KB = 1024
MB = 1024 * KB
# The whole sentence: what is needed and what there is, in numbers.
NUMBERS = re.compile(r'needs .*[\d.]+ [kMG]B.* has [\d.]+ [kMG]B free')


class Space(Case):
    def setUp(self):
        super().setUp()
        self.temp = self.folder / 'tmp'
        self.place = self.folder / 'place'
        self.temp.mkdir()
        self.place.mkdir()
        self.env = environment(TMPDIR=os.fspath(self.temp))

    def accesses(self):
        return (['mount'] if wt.fuse_works() else []) + ['update']

    def mount(self, where, *args):
        if os.geteuid() != 0:
            self.skipTest('mounting needs root')
        done = subprocess.run(['mount', *args, where], capture_output=True,
                              check=False)
        if done.returncode != 0:
            self.skipTest('cannot mount here')
        self.addCleanup(subprocess.run, ['umount', '-q', where], check=False)

    def large(self):
        """A WIM with a hive of 12 MB that does not compress to nothing."""
        return wt.sample('hive-12.wim', '--hive', wt.hive(
            'hive-12', '--keys', '5000', '--size', '12'))


class Ext4(Space):
    """The target's file system, with every amount of room that matters."""

    def make_disk(self):
        disk = self.folder / 'disk'
        with open(disk, 'wb') as file:
            file.truncate(24 * MB)
        made = subprocess.run(['mkfs.ext4', '-q', '-m', '0', '-O',
                               '^has_journal', disk], capture_output=True,
                              check=False)
        if made.returncode != 0:
            self.skipTest('no ext4 here')
        self.mount(self.place, '-o', 'loop', disk)
        shutil.rmtree(self.place / 'lost+found')

    def leave(self, room):
        """A file beside it takes all but that many bytes."""
        filler = os.open(self.place / 'filler', os.O_WRONLY | os.O_CREAT)
        block = bytes(4 * KB)
        os.fsync(filler)
        try:
            while True:
                os.write(filler, block)
        except OSError:
            pass
        os.fsync(filler)
        os.ftruncate(filler, os.fstat(filler).st_size - room)
        os.fsync(filler)
        os.close(filler)

    def sweep(self, name, args, rooms):
        target = self.place / name
        statuses = []
        for room in rooms:
            (self.place / 'filler').unlink(missing_ok=True)
            shutil.copyfile(self.source, target)
            old = target.read_bytes()
            self.leave(room)
            run = wimtrust(*args, target, ROOT_DER, env=self.env)
            why = (args, room, run.err)
            statuses.append(run.status)
            self.assertIn(run.status, (0, 7), why)
            if run.status == 7:
                # What ext4 keeps back for itself it calls free to root.
                if 'No space left on device' not in run.err:
                    self.assertRegex(run.err, NUMBERS, why)
                self.assertIn('hint: make room', run.err, why)
                self.assertEqual(target.read_bytes(), old, why)
            else:
                self.assertEqual(
                    wimtrust('verify', target, ROOT_DER).status, 0, why)
            self.assertEqual(sorted(os.listdir(self.place)),
                             sorted(['filler', name]), why)
            self.assertEqual(os.listdir(self.temp), [], why)
        # Each room that is enough is followed by such only.
        self.assertEqual(statuses, sorted(statuses, reverse=True), args)
        self.assertEqual(set(statuses), {0, 7}, args)

    def test_replace(self):
        self.make_disk()
        self.source = WIMS / 'two.wim'
        length = self.source.stat().st_size
        for access in self.accesses():
            self.sweep('boot.wim', ['add', '--access', access], (
                0, 4 * KB, 64 * KB, length, length + 100 * KB,
                length + 4 * MB, length + 6 * MB))

    def test_append_to_the_block(self):
        self.make_disk()
        self.source = WIMS / 'two.wim'
        for access in self.accesses():
            self.sweep('boot.wim', ['add', '--access', access, '--commit',
                                    'append'],
                       (0, 4 * KB, *range(136 * KB, 164 * KB, 4 * KB),
                        300 * KB))

    def test_hive_in_place(self):
        self.make_disk()
        self.source = HIVES / 'software-1.3'
        self.sweep('SOFTWARE', ['add'], (*range(0, 64 * KB, 8 * KB),
                                         300 * KB))


class Temporary(Space):
    def test_large_hive_in_the_staging_folder(self):
        source = self.large()
        target = self.place / 'boot.wim'
        old = wt.read(source)
        for access in self.accesses():
            statuses = []
            for size in (1, 4, 8, 11, 12, 12.5, 13, 14, 40):
                shutil.copyfile(source, target)
                self.mount(self.temp, '-t', 'tmpfs', '-o',
                           f'size={int(size * KB)}k', 'none')
                try:
                    run = wimtrust('add', '--access', access, target,
                                   ROOT_DER, env=self.env)
                    why = (access, size, run.err)
                    statuses.append(run.status)
                    self.assertIn(run.status, (0, 7), why)
                    self.assertEqual(os.listdir(self.temp), [], why)
                finally:
                    subprocess.run(['umount', self.temp], check=True)
                if run.status == 7:
                    self.assertIn('TMPDIR', run.err)
                    self.assertEqual(target.read_bytes(), old, why)
                    self.assertEqual(os.listdir(self.place), ['boot.wim'])
                    if size < 12:
                        self.assertRegex(run.err, NUMBERS)
            self.assertEqual(set(statuses), {0, 7}, access)

    def test_full_from_any_write_on(self):
        """Room that somebody else takes while the run goes on."""
        source = self.large()
        target = self.place / 'boot.wim'
        shutil.copyfile(source, target)
        old = target.read_bytes()
        for access in self.accesses():
            args = [WIMTRUST, 'add', '--access', access, target, ROOT_DER]
            watch = Faults(self.folder, self.temp)
            done = watch.run(args, env=self.env)
            self.assertEqual(done.returncode, 0, done.stderr)
            calls = watch.calls()
            shutil.copyfile(source, target)
            self.assertGreater(calls, 8)
            points = sorted({1, 2, 3, 5, calls // 4, calls // 2,
                             3 * calls // 4, calls - 8})
            for at in points:
                for native in (ENOSPC, EDQUOT) if at == 5 else (ENOSPC,):
                    done = watch.run(args, at, ALWAYS, native, env=self.env)
                    why = (access, at, calls, watch.name(), done.stderr)
                    if done.returncode == 0:
                        # Only what is removed afterwards could not be.
                        self.assertEqual(watch.name(), 'unlink', why)
                        shutil.copyfile(source, target)
                    else:
                        self.assertEqual(done.returncode, 7, why)
                    self.assertEqual(target.read_bytes(), old, why)
                    self.assertEqual(os.listdir(self.place), ['boot.wim'])
                    shutil.rmtree(self.temp)
                    self.temp.mkdir()


if __name__ == '__main__':
    main()
