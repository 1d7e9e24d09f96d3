# SPDX-License-Identifier: MIT
# test_hostile.py: root works in a folder of somebody who exchanges things for
# links meanwhile. Nothing outside of that folder may be touched.
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from clitest import (HANG, HIVES, IS_SANITIZED, NOBODY, ROOT_DER, WIMS,
                     WIMTRUST, Case, environment, main, skip)

RUNS = 3 if IS_SANITIZED else 12

# What the other user runs (a process of root's until it could read its own
# interpreter): whatever appears under a name of ours becomes a
# link, and so does now and then what stands under the names that are given.
RACER = r'''
import os, random, sys
place, outside, names = sys.argv[1], sys.argv[2], sys.argv[3:]
os.chdir(place)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
victim, count = outside + '/victim', 0
print('ready', flush=True)

def exchange(name, link):
    """name becomes a link; what stood there is put aside."""
    global count
    count += 1
    os.rename(name, 'aside%d' % count)
    os.symlink(link, name)
    return 'aside%d' % count

while True:
    for name in os.listdir('.'):
        try:
            if '.wimtrust-' not in name or os.path.islink(name):
                continue
            if os.path.isdir(name):
                os.rename(name, 'aside-' + name)
                os.mkdir(name)
                for inner in ('new', '.boot.wim.wimtrust-new'):
                    os.symlink(victim, name + '/' + inner)
            elif random.random() < .5:
                exchange(name, victim)
        except OSError:
            pass
    for name in names:
        try:
            if not os.path.lexists(name):
                os.symlink(victim, name)
            elif random.random() < .3 and not os.path.islink(name):
                end = os.path.basename(name)
                inside = {'SOFTWARE': '/Windows/System32/config/SOFTWARE',
                          'config': '/Windows/System32/config',
                          'System32': '/Windows/System32',
                          'Windows': '/Windows'}.get(end, '/victim')
                aside = exchange(name, outside + inside)
                for _ in range(random.randrange(200)):
                    pass
                os.unlink(name)
                os.rename(aside, name)
        except OSError:
            pass
'''


class Hostile(Case):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o711)
        self.outside = self.folder / 'outside'
        self.place = self.folder / 'place'
        self.temp = self.folder / 'tmp'
        self.temp.mkdir()
        config = self.outside / 'Windows' / 'System32' / 'config'
        config.mkdir(parents=True)
        shutil.copyfile(HIVES / 'software-1.3', config / 'SOFTWARE')
        # Under the names of what a killed run leaves.
        (config / '.SOFTWARE.wimtrust-abcdefgh').write_text('not yours')
        victim = self.outside / 'victim'
        victim.write_text('root:x:0:0\n')
        victim.chmod(0o600)

    def state(self):
        """Of all that stands outside."""
        found = []
        for path in sorted([self.outside, *self.outside.rglob('*')]):
            stat = path.lstat()
            found.append((
                path, stat.st_mode, stat.st_uid, stat.st_gid, stat.st_nlink,
                stat.st_mtime_ns, path.is_file() and
                hashlib.sha256(path.read_bytes()).hexdigest()))
        return found

    def race(self, fill, args, names):
        before = self.state()
        statuses = set()
        for _ in range(RUNS):
            shutil.rmtree(self.place, ignore_errors=True)
            self.place.mkdir()
            fill()
            subprocess.run(['chown', '-R', f'{NOBODY}:{NOBODY}', self.place],
                           check=True)
            racer = subprocess.Popen(
                [sys.executable, '-c', RACER, self.place, self.outside,
                 *names], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            try:
                self.assertEqual(racer.stdout.readline(), b'ready\n')
                done = subprocess.run(
                    [WIMTRUST, 'add', *args, ROOT_DER], cwd='/',
                    capture_output=True, check=False, timeout=HANG,
                    env=environment(TMPDIR=os.fspath(self.temp)))
            finally:
                racer.kill()
                racer.wait()
                racer.stdout.close()
            self.assertIn(done.returncode, (0, 4, 5, 6, 7), done.stderr)
            self.assertNotIn(b'Sanitizer', done.stderr)
            self.assertEqual(self.state(), before, (args, done.stderr))
            statuses.add(done.returncode)
        return statuses

    def test_image(self):
        target = self.place / 'boot.wim'
        for more in ([], ['--commit', 'append'], ['--rebuild'], ['--backup'],
                     ['--commit', 'append', '--backup'],
                     ['-o', self.place / 'out.wim']):
            with self.subTest(options=more):
                self.race(lambda: shutil.copyfile(WIMS / 'two.wim', target),
                          ['--access', 'update', *more, target],
                          ['boot.wim.bak', '.boot.wim.wimtrust-undo'])

    def test_image_that_becomes_a_link(self):
        target = self.place / 'boot.wim'
        self.race(lambda: shutil.copyfile(WIMS / 'two.wim', target),
                  ['--access', 'update', target], ['boot.wim'])

    def test_hive_in_a_folder(self):
        tree = pathlib.PurePath('Windows', 'System32', 'config')

        def fill():
            (self.place / tree).mkdir(parents=True)
            shutil.copyfile(HIVES / 'software-1.3',
                            self.place / tree / 'SOFTWARE')

        names = [tree / 'SOFTWARE', tree, tree.parent, tree.parts[0],
                 tree / '.SOFTWARE.wimtrust-undo', tree / 'SOFTWARE.bak']
        for more in ([], ['--backup']):
            for at in range(len(names)):
                with self.subTest(options=more, exchanged=names[at]):
                    self.race(fill, [*more, self.place],
                              [os.fspath(names[at])])


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('only root can have another user\'s process race with it')
    main()
