# SPDX-License-Identifier: MIT
# test_iso.py: images of discs as targets, of ISO 9660, Joliet and UDF.
import os
import random
import re
import shutil
import subprocess

from clitest import (Case, ROOT_DER, SOURCE, WIMS, digest, main, skip,
                     wimtrust)

SECTOR = 2048
NO_BOOT = 'is an ISO image without sources/boot.wim'


class Iso(Case):
    def make(self, name, *options, member='sources/boot.wim', wim='two.wim'):
        tree = self.folder / (name + '.tree')
        path = tree / member
        path.parent.mkdir(parents=True)
        (tree / 'readme.txt').write_text('This disc has UDF.\n')
        shutil.copyfile(WIMS / wim, path)
        iso = self.folder / name
        subprocess.run(['genisoimage', '-quiet', *options, '-o', iso, tree],
                       check=True, stdin=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        return iso

    def udf_only(self, name='udf.iso'):
        """As Microsoft's: what ISO 9660 knows of it is empty."""
        iso = self.make(name, '-udf')
        data = bytearray(iso.read_bytes())
        at = SECTOR * int.from_bytes(
            data[16 * SECTOR + 158:16 * SECTOR + 162], 'little')
        data[at:at + SECTOR] = bytes(SECTOR)
        iso.write_bytes(data)
        return iso

    def assert_nothing_left(self):
        self.assertEqual([name for name in os.listdir(self.folder)
                          if name.startswith(('wimtrust-', '.'))], [])

    def run_here(self, *args):
        return wimtrust(*args, env=dict(os.environ, LC_ALL='C.UTF-8',
                                        TMPDIR=str(self.folder)))


class Read(Iso):
    def test_each_file_system(self):
        wimtrust('add', '-i', '2', '-o', self.folder / 'with.wim',
                 WIMS / 'two.wim', ROOT_DER)
        for iso in (self.make('plain.iso', '-iso-level', '3'),
                    self.make('joliet.iso', '-J', '-R',
                              member='Sources/Boot.Wim'),
                    self.make('bridge.iso', '-udf', member='SOURCES/BOOT.WIM'),
                    self.udf_only()):
            with self.subTest(iso=iso.name):
                before = digest(iso)
                run = self.run_here('info', iso)
                self.assertEqual((run.status, run.err), (0, ''))
                self.assertIn('ISO image', run.out)
                run = self.run_here('list', '--json', iso)
                self.assertEqual(run.status, 0, run.err)
                target = run.json['target']
                self.assertEqual((target['member'], target['kind']),
                                 ('sources/boot.wim', 'wim'))
                self.assertEqual(target['sha256_before'].lower(),
                                 digest(WIMS / 'two.wim'))
                run = self.run_here('verify', iso, ROOT_DER)
                self.assertEqual(run.status, 1)
                # Nothing is added to an ISO itself.
                self.assertIn('hint: to add it: wimtrust add -o boot.wim '
                              f'{iso} {ROOT_DER}\n', run.err)
                run = self.run_here('diff', iso, self.folder / 'with.wim')
                self.assertEqual(run.status, 1, run.err)
                self.assertIn('1 certificate added to image 2', run.out)
                self.assertEqual(
                    self.run_here('diff', iso, WIMS / 'two.wim').status, 0)
                self.assertEqual(digest(iso), before)
                self.assert_nothing_left()

    def test_source_of_an_output(self):
        for iso in (self.make('plain.iso'), self.udf_only()):
            new = self.folder / (iso.name + '.wim')
            before = digest(iso)
            run = self.run_here('add', '-o', new, iso, ROOT_DER)
            self.assertEqual((run.status, run.err), (0, ''))
            self.assertTrue(run.out.startswith(f'{new}: added to '))
            self.assertTrue(run.out.endswith(
                f'{new}: 1 certificate added to 2 images\n'))
            self.assertEqual(self.run_here('verify', new, ROOT_DER).status, 0)
            subprocess.run(['wimlib-imagex', 'verify', new], check=True,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            mask = os.umask(0)
            os.umask(mask)
            self.assertEqual(new.stat().st_mode & 0o777, 0o666 & ~mask)
            self.assertEqual(digest(iso), before)
            self.assert_nothing_left()

    def test_nothing_writes_into_one(self):
        iso = self.make('plain.iso')
        iso.chmod(0o444)
        before = digest(iso)
        for args in (['add', iso, ROOT_DER], ['remove', iso, ROOT_DER],
                     ['add', '-n', iso, ROOT_DER],
                     ['add', '--commit', 'append', iso, ROOT_DER]):
            self.assert_fails(
                self.run_here(*args), 7, f'{iso}: is an ISO image, and '
                'wimtrust does not write into one', '-o boot.wim writes the '
                'changed boot image beside it; put that on the media',
                'iso-read-only')
        other = self.folder / 'other.wim'
        other.symlink_to(iso)
        for name, code in ((iso, 'bad-value'), (other, 'output-is-target')):
            run = self.run_here('add', '-f', '-o', name, iso, ROOT_DER)
            self.assertEqual(run.status, 2)
            self.assertIn('[%s]' % code, run.err)
        other.unlink()
        self.assertEqual(digest(iso), before)
        self.assert_nothing_left()


class Page(Iso):
    def test_disc_that_the_page_makes_keeps_names_for_windows(self):
        if not shutil.which('xorriso'):
            self.skipTest('xorriso is not installed')
        page = (SOURCE / 'docs' / 'media.md').read_text(encoding='utf-8')
        command = re.search(r'^xorriso -indev \S+ -outdev (?:.*\\\n)*.*\n',
                            page, re.M)[0]
        (self.folder / 'media').mkdir()
        long = 'a name longer than 8.3.sdi'
        tree = self.folder / 'tree'
        (tree / 'sources').mkdir(parents=True)
        (tree / long).write_text('x')
        shutil.copyfile(WIMS / 'two.wim', tree / 'sources' / 'boot.wim')
        subprocess.run(['genisoimage', '-quiet', '-udf', '-J', '-o',
                        self.folder / 'media' / 'windows.iso', tree],
                       check=True, stderr=subprocess.DEVNULL)
        wimtrust('add', '-o', self.folder / 'changed.wim', WIMS / 'two.wim',
                 ROOT_DER)
        subprocess.run(['sh', '-ec', command], cwd=self.folder, check=True,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        new = self.folder / 'new.iso'
        self.assertTrue(long.encode('utf-16-be') in new.read_bytes(),
                        'Joliet is lost')
        self.assertEqual(self.run_here('verify', new, ROOT_DER).status, 0)


class Wrong(Iso):
    def test_without_a_boot_image(self):
        for options in ([], ['-udf']):
            iso = self.make(f'{len(options)}.iso', *options,
                            member='source/boot.wim')
            run = self.run_here('list', iso)
            self.assertEqual(run.status, 6)
            self.assertIn(f'{iso}: {NO_BOOT} [iso-no-boot-wim]', run.err)
        self.assert_nothing_left()

    def test_cut_off(self):
        for name, options in (('plain.iso', []), ('bridge.iso', ['-udf'])):
            iso = self.make(name, *options)
            at = iso.read_bytes().index((WIMS / 'two.wim').read_bytes())
            for end in (at + 100000, at, 20 * SECTOR):
                os.truncate(iso, end)
                run = self.run_here('list', iso)
                self.assertEqual(run.status, 4, run.err)
                self.assertIn('[iso-damaged]', run.err)
        self.assert_nothing_left()

    def test_boot_image_that_is_none(self):
        iso = self.make('odd.iso', wim='bad-split.swm')
        self.assertEqual(self.run_here('list', iso).status, 4)
        self.assert_nothing_left()

    def test_any_damage_is_an_answer(self):
        """Descriptors and folders with bytes changed at random: an answer or
        a code each time, and in time."""
        source = random.Random(7)
        for iso in (self.make('joliet.iso', '-J', '-R'), self.udf_only()):
            good = iso.read_bytes()
            wim = (WIMS / 'two.wim').read_bytes()
            at = good.index(wim)
            for _ in range(60):
                data = bytearray(good)
                for _ in range(source.randrange(1, 30)):
                    place = source.randrange(16 * SECTOR, at)
                    data[place] = source.choice((0, 255, source.randrange(256)))
                iso.write_bytes(data)
                run = self.run_here('list', iso)
                self.assertIn(run.status, (0, 4, 6, 7), run.err)
                self.assertNotIn('Sanitizer', run.err)
                self.assertNotIn('iso-crash', run.err)
        self.assert_nothing_left()


if __name__ == '__main__':
    if not shutil.which('genisoimage'):
        skip('genisoimage is not installed')
    main()
