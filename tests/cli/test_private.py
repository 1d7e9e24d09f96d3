# SPDX-License-Identifier: MIT
# test_private.py: what a run creates is its own: modes and flags of every file
# and folder that it makes, as the kernel sees them.
import os
import re
import shutil
import subprocess

from clitest import (HIVES, ROOT_DER, WIMS, WIMTRUST, Place, environment, main,
                     skip)

CREATED = re.compile(
    r'(openat|open|creat|mkdir|mkdirat)\((.*)\) = \d+')


def can_trace():
    return shutil.which('strace') is not None and subprocess.run(
        ['strace', '-f', '-o', '/dev/null', 'true'], capture_output=True,
        check=False).returncode == 0


class Private(Place):
    def setUp(self):
        super().setUp()
        # Files in a process' own memory and in wimlib's mount do not count.
        self.watched = (os.fspath(self.place), os.fspath(self.temp))

    def created(self, *args):
        """(call, rest of the line) for each file or folder that was made."""
        log = self.folder / 'trace'
        done = subprocess.run(
            ['strace', '-f', '-y', '-qq', '-s', '300', '-o', log, '-e',
             'trace=open,openat,creat,mkdir,mkdirat', WIMTRUST, *args],
            env=environment(TMPDIR=os.fspath(self.temp),
                            ASAN_OPTIONS='detect_leaks=0'),
            umask=0, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = []
        for line in log.read_text(errors='replace').splitlines():
            match = CREATED.search(line)
            if match and ('mkdir' in match[1] or 'O_CREAT' in match[2]) and \
                    any(folder in line for folder in self.watched):
                found.append(match.groups())
        return found

    def assert_private(self, found):
        self.assertGreater(len(found), 0)
        for call, rest in found:
            why = (call, rest)
            mode = int(re.search(r', 0([0-7]{3,4})\b', rest)[1], 8)
            self.assertEqual(mode & 0o077, 0, why)
            # wimlib's staging folder is below our own.
            if 'mkdir' not in call and '/staging/' not in rest:
                self.assertIn('O_EXCL', rest, why)

    def test_for_every_access_and_commit(self):
        target = self.place / 'boot.wim'
        for access in ('update', 'mount'):
            if access == 'mount' and not os.access('/dev/fuse', os.W_OK):
                continue
            for more in ([], ['--commit', 'append'], ['--backup'],
                         ['-f', '-o', self.place / 'out.wim']):
                shutil.copyfile(WIMS / 'two.wim', target)
                target.chmod(0o600)
                self.assert_private(self.created(
                    'add', '--access', access, *more, target, ROOT_DER))

    def test_for_a_hive(self):
        target = self.place / 'SOFTWARE'
        shutil.copyfile(HIVES / 'software-1.3', target)
        target.chmod(0o600)
        self.assert_private(self.created('add', target, ROOT_DER))


if __name__ == '__main__':
    if not can_trace():
        skip('processes cannot be traced here')
    main()
