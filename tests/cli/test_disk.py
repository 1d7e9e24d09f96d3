# SPDX-License-Identifier: MIT
# test_disk.py: disks that cannot read a sector, or keep something else than
# was written; mannerfs.c has their manners.
import os
import shutil
import subprocess

from clitest import (HANG, HIVES, ROOT_DER, WIMS, Case, environment, main,
                     skip, wait_until, wimtrust)

MANNERFS = os.environ.get('WT_MANNERFS', '')


class Disk(Case):
    def mount(self, manners):
        self.place = self.folder / 'place'
        real, temp = self.folder / 'real', self.folder / 'tmp'
        for path in (real, self.place, temp):
            path.mkdir()
        daemon = subprocess.Popen(
            [MANNERFS, real, manners + ',flock=kernel,copy-range=ENOTSUP',
             self.place, '-f', '-s'])

        def unmount():
            subprocess.run(['fusermount3', '-u', '-z', self.place],
                           check=False)
            daemon.wait(timeout=HANG)

        self.addCleanup(unmount)
        wait_until(lambda: os.path.ismount(self.place), 'the mount')
        self.env = environment(TMPDIR=os.fspath(temp))
        return real

    def refused(self, code, *args):
        run = wimtrust(*args, env=self.env)
        self.assertEqual(run.status, 7, (args, run.out, run.err))
        self.assertIn(f'[{code}]', run.err)
        return run.err


class BadSector(Disk):
    def test_in_a_hive_is_no_damage_of_the_hive(self):
        real = self.mount('bad-sector=40960')
        hive = self.place / 'SOFTWARE'
        config = self.place / 'Windows' / 'System32' / 'config'
        config.mkdir(parents=True)
        for path in (hive, config / 'SOFTWARE'):
            shutil.copyfile(HIVES / 'software-1.3',
                            real / path.relative_to(self.place))
        for target in (hive, self.place):
            for args in (['list', target], ['add', target, ROOT_DER],
                         ['verify', target, ROOT_DER]):
                said = self.refused('io-error', *args)
                self.assertIn('Input/output error', said)
                self.assertNotIn('malformed', said)


class Lies(Disk):
    def test_about_a_hive_in_an_image_are_found_before_it_counts(self):
        old = (WIMS / 'two.wim').read_bytes()
        real = self.mount(f'flip={len(old) + 5000}')
        target = self.place / 'boot.wim'
        for more in (['--commit', 'replace'], ['--commit', 'append'],
                     ['--backup', '--commit', 'replace']):
            shutil.copyfile(WIMS / 'two.wim', real / 'boot.wim')
            run = wimtrust('add', '--access', 'update', *more, target,
                           ROOT_DER, env=self.env)
            self.assertEqual(run.status, 7, (more, run.err))
            self.assertIn('does not hold what was written', run.err)
            self.assertEqual((real / 'boot.wim').read_bytes(), old, more)

    def test_about_a_bare_hive_are_found(self):
        real = self.mount('flip=20000')
        old = bytearray((HIVES / 'software-1.3').read_bytes())
        hive = self.place / 'SOFTWARE'
        (real / 'SOFTWARE').write_bytes(old)
        run = wimtrust('add', '-o', self.place / 'new', hive, ROOT_DER,
                       env=self.env)
        self.assertEqual(run.status, 7, run.err)
        self.assertEqual(sorted(os.listdir(real)), ['SOFTWARE'])


if __name__ == '__main__':
    if not MANNERFS or not os.access('/dev/fuse', os.R_OK | os.W_OK):
        skip('no file system by FUSE here')
    main()
