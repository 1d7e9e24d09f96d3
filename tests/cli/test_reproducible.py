#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""With SOURCE_DATE_EPOCH the same input gives the same bytes, whenever, where
and however it is made; what it gives is in docs/reproducible.md."""

import os
import subprocess
import time

from clitest import (ROOT_DER, ROOT_SHA1, Case, digest, environment,
                     fuse_works, main, wimtrust)

WHEN = '1700000000'
# The SOFTWARE hive that tests/support/make-hive makes, and that ROOT went
# into: hivex writes no time, so this holds without SOURCE_DATE_EPOCH too.
GOLDEN_HIVE = (
    '0866b9ed268c3b2f7a7ce6540e2a2de6013da12f71cb0f11cea3f6774a069f44')


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

    def test_nonsense_is_refused(self):
        for text in ('abc', '-1', '1.5', '99999999999999999999', '1 '):
            run = wimtrust('add', self.hive(), ROOT_DER,
                           env=environment(SOURCE_DATE_EPOCH=text))
            self.assertEqual(run.status, 2, text)
            self.assertIn('[bad-value]', run.err)


if __name__ == '__main__':
    main()
