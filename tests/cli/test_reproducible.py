#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""With SOURCE_DATE_EPOCH the same input gives the same bytes, whenever, where
and however it is made; what it gives is in docs/reproducible.md."""

import os
import subprocess
import time

from clitest import (ROOT_DER, ROOT_SHA1, SOURCE, Case, digest, environment,
                     fuse_works, main, wimtrust)

WHEN = '1700000000'
GOLDEN = SOURCE / 'testdata' / 'golden.wim'
# The SOFTWARE hive that tests/support/make-hive makes, and that ROOT went
# into: hivex writes no time, so this holds without SOURCE_DATE_EPOCH too.
GOLDEN_HIVE = (
    '0866b9ed268c3b2f7a7ce6540e2a2de6013da12f71cb0f11cea3f6774a069f44')
# testdata/golden.wim that ROOT went into at WHEN, by access and by the version
# that wimlib calls itself: it compresses, and writes the XML data.
GOLDEN_WIM = {
    '1.13.5': {
        'update':
        '2c92ed9e9d718eeffae7140f02781e6c644fbac19a6728a0412b7d4af3817dd3',
        'mount':
        'fe926913a467e05c860ff5f156aad5c54a4a9c509bf8a1014e805f220e01816f',
        'rebuild':
        '2e533e94e29ab7cf3141930f4dc213a0e53e286a3031383186896d5d93efffc5'},
    '1.14.4': {
        'update':
        '273133268a4cbb4912cbf1ed8f1d920a5b863b34a2dd2694d80c9abe868d790b',
        'mount':
        '396e7f0c2f3c890ed249f53752091daa9cded7e4eeec89b7b565b0c1c5b31214',
        'rebuild':
        '444aa4d81d1a6f987919b3f94948bb604e0c23c0b899710b3b7d85028079f30c'},
}


class Reproducible(Case):
    def run_at(self, number, *args):
        """In another folder for temporary files each time."""
        folder = self.folder / ('tmp-%d' % number)
        os.makedirs(folder, exist_ok=True)
        run = wimtrust(*args, env=environment(
            SOURCE_DATE_EPOCH=WHEN, TMPDIR=str(folder)))
        self.assertEqual(run.status, 0, run.err)

    def assert_same(self, source, *options):
        """Added and removed, twice, at different times."""
        digests = []
        for number in range(2):
            path = self.copy(source, 'same-%d.wim' % number)
            threads = '--threads=%d' % (number + 1)
            self.run_at(number, 'add', '-q', threads, *options, path, ROOT_DER)
            added = digest(path)
            self.run_at(number, 'remove', '-q', threads, *options, path,
                        ROOT_SHA1)
            digests.append((added, digest(path)))
            os.remove(path)
            time.sleep(1.1)
        self.assertEqual(digests[0], digests[1], options)
        return digests[0]

    def test_update(self):
        source = self.wim()
        replaced = self.assert_same(source, '--access', 'update',
                                    '--commit', 'replace')
        appended = self.assert_same(source, '--access', 'update',
                                    '--commit', 'append')
        # The commit is how it gets there, not what.
        self.assertEqual(replaced, appended)

    def test_rebuild(self):
        self.assert_same(self.wim(), '--access', 'update', '--rebuild')

    def test_mount(self):
        if not fuse_works():
            self.skipTest('no FUSE here')
        for commit in ('replace', 'append'):
            self.assert_same(self.wim(), '--access', 'mount', '--commit',
                             commit)

    def test_output(self):
        source = self.wim()
        for number in range(2):
            self.run_at(number, 'add', '-q', '--access', 'update', '-o',
                        self.folder / ('out-%d.wim' % number), source, ROOT_DER)
            time.sleep(1.1)
        self.assertEqual(digest(self.folder / ('out-0.wim')),
                         digest(self.folder / ('out-1.wim')))

    def test_times_are_not_later(self):
        path = self.wim()
        self.run_at(0, 'add', '-q', '--access', 'update', path, ROOT_DER)
        info = subprocess.run(['wimlib-imagex', 'info', path], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        found = [line for line in info.splitlines()
                 if line.startswith('Last Modification Time')]
        self.assertTrue(found)
        for line in found:
            self.assertIn('Nov 14 22:13:20 2023', line)

    def test_a_later_date_does_not_reach_into_the_future(self):
        path = self.wim()
        run = wimtrust('add', '-q', '--access', 'update', path, ROOT_DER,
                       env=environment(SOURCE_DATE_EPOCH='4102444800'))
        self.assertEqual(run.status, 0, run.err)
        info = subprocess.run(['wimlib-imagex', 'info', path], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        self.assertNotIn('2100', info)

    def test_hive(self):
        path = self.hive('software')
        run = wimtrust('add', '-q', path, ROOT_DER)
        self.assertEqual(run.status, 0, run.err)
        self.assertEqual(digest(path), GOLDEN_HIVE)

    def test_folder(self):
        config = self.folder / 'pe' / 'Windows' / 'System32' / 'config'
        config.mkdir(parents=True)
        self.hive('software').rename(config / 'SOFTWARE')
        run = wimtrust('add', '-q', self.folder / 'pe', ROOT_DER)
        self.assertEqual(run.status, 0, run.err)
        self.assertEqual(digest(config / 'SOFTWARE'), GOLDEN_HIVE)
        self.assertEqual([path for path in (self.folder / 'pe').rglob('*')
                          if path.is_file()], [config / 'SOFTWARE'])

    def golden(self, name, *options, commits=('replace', 'append')):
        found = wimtrust('list', '--json', GOLDEN).json['versions']['wimlib']
        version = found.split('-')[0]
        if version not in GOLDEN_WIM:
            self.skipTest('no digest is known for wimlib ' + version)
        for commit in commits:
            path = self.copy(GOLDEN, 'golden.wim')
            self.run_at(0, 'add', '-q', '--commit', commit, *options, path,
                        ROOT_DER)
            self.assertEqual(digest(path), GOLDEN_WIM[version][name], commit)

    def test_golden_update(self):
        self.golden('update', '--access', 'update')

    def test_golden_mount(self):
        if not fuse_works():
            self.skipTest('no FUSE here')
        self.golden('mount', '--access', 'mount')

    def test_golden_rebuild(self):
        self.golden('rebuild', '--access', 'update', '--rebuild',
                    commits=['replace'])

    def test_nonsense_is_refused(self):
        for text in ('abc', '-1', '1.5', '99999999999999999999', '1 '):
            run = wimtrust('add', self.hive(), ROOT_DER,
                           env=environment(SOURCE_DATE_EPOCH=text))
            self.assertEqual(run.status, 2, text)
            self.assertIn('[bad-value]', run.err)


if __name__ == '__main__':
    main()
