# SPDX-License-Identifier: MIT
# test_space.py: no room: beside the image on ext4, in the folder for temporary
# files, and in wimlib's staging folder.
import os
import re
import shutil
import subprocess
from errno import EDQUOT, ENOSPC

from clitest import (HIVES, ROOT_DER, WIMS, WIMTRUST, Place, accesses, main,
                     run_other, sample, sample_hive, wait_until, wimtrust)
from faults import ALWAYS, Faults

KB = 1024
MB = 1024 * KB
# The whole sentence: what is needed and what there is, in numbers.
NUMBERS = re.compile(r'needs .*[\d.]+ ([kMG]B|bytes).* has [\d.]+ '
                     r'([kMG]B|bytes) free')


class Space(Place):
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
        return sample('hive-12.wim', '--hive', sample_hive(
            'hive-12', '--keys', '5000', '--size', '12'))


class Ext4(Space):
    """The target's file system, with every amount of room that matters: what
    is not enough is known beforehand, also for root, from whom ext4 keeps
    some blocks as well."""

    output = None

    def make_disk(self, roots_percent=0, size=24 * MB):
        disk = self.folder / 'disk'
        with open(disk, 'wb') as file:
            file.truncate(size)
        made = subprocess.run(['mkfs.ext4', '-q', '-m', str(roots_percent), '-O',
                               '^has_journal', disk], capture_output=True,
                              check=False)
        if made.returncode != 0:
            self.skipTest('no ext4 here')
        self.mount(self.place, '-o', 'loop', disk)
        shutil.rmtree(self.place / 'lost+found')
        self.empty = os.statvfs(self.place).f_bfree

    def leave(self, room):
        """A file beside it takes all but that many bytes."""
        filler = os.open(self.place / 'filler', os.O_WRONLY | os.O_CREAT)
        block = bytes(4 * KB)
        os.fsync(filler)
        # What waits to be written keeps more reserved than it will take: the
        # disk is full when nothing goes in after that has been written.
        is_full = False
        while not is_full:
            is_full = True
            try:
                while True:
                    os.write(filler, block)
                    is_full = False
            except OSError:
                os.fsync(filler)
        os.ftruncate(filler, os.fstat(filler).st_size - room)
        os.fsync(filler)
        os.close(filler)

    def wait_for_room(self):
        """The kernel keeps a file that a sandbox named for some milliseconds
        after the last process of it has gone."""
        wait_until(lambda: os.statvfs(self.place).f_bfree >= self.empty,
                   'blocks are lost')

    def sweep(self, name, args, rooms, more=()):
        """more: names that a run leaves that has enough room."""
        target = self.place / name
        statuses = []
        for room in rooms:
            for old_name in os.listdir(self.place):
                (self.place / old_name).unlink()
            self.wait_for_room()
            shutil.copyfile(self.source, target)
            old = target.read_bytes()
            self.leave(room)
            run = wimtrust(*args, target, ROOT_DER, env=self.env)
            why = (args, room, run.err)
            statuses.append(run.status)
            self.assertIn(run.status, (0, 7), why)
            names = ['filler', name]
            if run.status == 7:
                self.assertRegex(run.err, NUMBERS, why)
                self.assertIn('hint: make room', run.err, why)
                self.assertEqual(target.read_bytes(), old, why)
            else:
                result = self.output or target
                self.assertEqual(
                    wimtrust('verify', result, ROOT_DER).status, 0, why)
                names += more
            self.assertEqual(sorted(os.listdir(self.place)), sorted(names),
                             why)
            self.assertEqual(os.listdir(self.temp), [], why)
        # Each room that is enough is followed by such only.
        self.assertEqual(statuses, sorted(statuses, reverse=True), args)
        self.assertEqual(set(statuses), {0, 7}, args)

    def test_replace(self):
        self.make_disk()
        self.source = WIMS / 'two.wim'
        length = self.source.stat().st_size
        for access in accesses():
            self.sweep('boot.wim', ['add', '--access', access], (
                0, 4 * KB, 64 * KB, length, length + 100 * KB,
                *range(length + 200 * KB, length + 2 * MB, 300 * KB)))

    def test_blocks_that_are_reserved_for_root(self):
        self.make_disk(roots_percent=5)
        self.source = WIMS / 'two.wim'
        length = self.source.stat().st_size
        self.sweep('boot.wim', ['add', '--access', 'update'], (
            0, 64 * KB, length, length + 100 * KB, length + 4 * MB))

    def test_rebuild_makes_a_second_file(self):
        self.make_disk(size=48 * MB)
        self.source = self.copy(WIMS / 'two.wim', 'source.wim')
        noise = self.folder / 'noise'
        noise.write_bytes(os.urandom(8 * MB))
        run_other('wimlib-imagex', 'update', self.source, '1',
               f'--command=add {noise} /noise')
        length = self.source.stat().st_size
        self.sweep('boot.wim', ['add', '--access', 'update', '--rebuild'], (
            0, length, *range(length + 4 * MB, 2 * length, MB),
            2 * length + 14 * MB))

    def test_output(self):
        self.make_disk()
        self.source = WIMS / 'two.wim'
        length = self.source.stat().st_size
        self.output = self.place / 'out.wim'
        self.sweep('boot.wim', ['add', '--access', 'update', '-o',
                                self.output], (
            0, 64 * KB, length, length + 100 * KB,
            *range(length + 200 * KB, length + 2 * MB, 300 * KB)),
                   ['out.wim'])

    def test_backup_of_what_is_appended_to(self):
        self.make_disk()
        self.source = WIMS / 'two.wim'
        length = self.source.stat().st_size
        self.sweep('boot.wim', ['add', '--access', 'update', '--backup',
                                '--commit', 'append'], (
            0, 64 * KB, 200 * KB, length,
            *range(length + 100 * KB, length + 200 * KB, 8 * KB),
            length + 400 * KB), ['boot.wim.bak'])

    def test_append_to_the_block(self):
        self.make_disk()
        self.source = WIMS / 'two.wim'
        for access in accesses():
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
        old = source.read_bytes()
        for access in accesses():
            statuses = []
            need = 0
            for part in (0, 0.2, 0.4, 0.6, 0.8, 0.99, 1.01):
                shutil.copyfile(source, target)
                self.mount(self.temp, '-t', 'tmpfs', '-o',
                           f'size={max(1000, int(need * part / KB))}k',
                           'none')
                try:
                    run = wimtrust('add', '--access', access, target,
                                   ROOT_DER, env=self.env)
                    why = (access, part, run.err)
                    statuses.append(run.status)
                    self.assertIn(run.status, (0, 7), why)
                    self.assertEqual(os.listdir(self.temp), [], why)
                finally:
                    subprocess.run(['umount', self.temp], check=True)
                # So much was said to be needed: all less is refused with
                # numbers, and so much is enough.
                self.assertEqual(run.status, 0 if part > 1 else 7, why)
                if run.status == 7:
                    self.assertRegex(run.err, NUMBERS, why)
                    need = need or 1e6 * float(
                        re.search(r'room for ([\d.]+) MB', run.err)[1])
                    self.assertIn(f'wimtrust: {self.temp}: ', run.err)
                    self.assertIn('TMPDIR', run.err)
                    self.assertEqual(target.read_bytes(), old, why)
                    self.assertEqual(os.listdir(self.place), ['boot.wim'])
            self.assertEqual(set(statuses), {0, 7}, access)

    def test_full_from_any_write_on(self):
        """Room that somebody else takes while the run goes on."""
        source = self.large()
        target = self.place / 'boot.wim'
        shutil.copyfile(source, target)
        old = target.read_bytes()
        for access in accesses():
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
