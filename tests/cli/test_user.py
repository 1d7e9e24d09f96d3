# SPDX-License-Identifier: MIT
# test_user.py: mounts of an ordinary user, and what is left of them.
import os
import shutil
import signal
import stat
import subprocess
import sys
import time

from clitest import (HANG, NOBODY, ROOT_DER, WIMS, WIMTRUST, Place,
                     environment, main, skip)


# In a namespace of its own: the device as it is where udev runs.
DEVICE = '''
mount -t tmpfs none "$1" && mknod -m 666 "$1/fuse" c 10 229 &&
mount --bind "$1/fuse" /dev/fuse
umount -l "$1"
shift
exec "$@"
'''


class User(Place):
    def setUp(self):
        super().setUp()
        # Nobody can reach into the folders of who builds.
        self.program = shutil.copy(WIMTRUST, self.folder)
        self.root = shutil.copy(ROOT_DER, self.folder)
        self.faults = shutil.copy(os.environ['WT_FAULTFS'], self.folder)
        self.target = self.place / 'boot.wim'
        shutil.copyfile(WIMS / 'two.wim', self.target)
        self.old = self.target.read_bytes()
        subprocess.run(['chown', '-R', f'{NOBODY}:{NOBODY}', self.folder],
                       check=True)
        self.env = environment(TMPDIR=os.fspath(self.temp), HOME='/')

    def start(self, *args, env=None):
        return subprocess.Popen(
            [self.program, *map(os.fspath, args)],
            env={**self.env, **(env or {})}, user=NOBODY,
            group=NOBODY, extra_groups=[], cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def run_it(self, *args, env=None):
        process = self.start(*args, env=env)
        out, err = process.communicate(timeout=HANG)
        return process.returncode, out.decode(), err.decode()

    def ways(self):
        """Those in which this user can mount: in a namespace of one's own,
        and by the set-uid fusermount, which others see."""
        fusermount = {'LD_PRELOAD': self.faults, 'WT_FAULT_UNSHARE': '1',
                      'ASAN_OPTIONS': 'verify_asan_link_order=0'}
        for env in ({}, fusermount):
            output = self.folder / 'tried.wim'
            status, _, err = self.run_it(
                'add', '--access', 'mount', '-o', output, self.target,
                self.root, env=env)
            output.unlink(missing_ok=True)
            if status == 0:
                yield env
                continue
            self.assertEqual(status, 7, err)
            self.assertIn('--access update needs no mount', err)

    def test_adds_with_either_access_and_commit(self):
        ways = [('update', {}), ('auto', {})]
        ways += [('mount', env) for env in self.ways()]
        for access, env in ways:
            for commit in ('replace', 'append'):
                self.target.write_bytes(self.old)
                status, _, err = self.run_it(
                    'add', '--access', access, '--commit', commit,
                    self.target, self.root, env=env)
                self.assertEqual(status, 0, (access, commit, env, err))
                status, _, err = self.run_it('verify', self.target, self.root)
                self.assertEqual(status, 0, (access, commit, env, err))
                self.assertEqual(self.target.stat().st_uid, NOBODY)
                self.assert_tidy('boot.wim')

    def test_what_a_new_file_cannot_keep_is_appended_to(self):
        self.place.chmod(0o777)
        # Somebody else's, and of a group that is not ours.
        for owner, group in ((0, NOBODY), (NOBODY, 0)):
            self.target.write_bytes(self.old)
            os.chown(self.target, owner, group)
            self.target.chmod(0o666)
            status, _, err = self.run_it(
                'add', '--access', 'update', '--commit', 'replace',
                self.target, self.root)
            self.assertEqual(status, 7, err)
            self.assertIn('[not-kept]', err)
            self.assertIn('--commit append', err)
            self.assertEqual(self.target.read_bytes(), self.old)
            self.assert_tidy('boot.wim')
            status, out, err = self.run_it(
                'add', '-v', '--access', 'update', self.target, self.root)
            self.assertEqual(status, 0, err)
            self.assertIn('commit   append: a new copy cannot be given its '
                          'owner %d and group %d' % (owner, group), out)
            found = self.target.stat()
            self.assertEqual((found.st_uid, found.st_gid), (owner, group))
            self.assert_tidy('boot.wim')
            os.chown(self.target, NOBODY, NOBODY)

    def test_what_a_killed_mount_leaves_goes_with_the_next_run(self):
        ways = list(self.ways())
        if not ways:
            self.skipTest('an ordinary user cannot mount here')
        for env in ways:
            args = ('add', '--access', 'mount', self.target, self.root)
            self.target.write_bytes(self.old)
            start = time.monotonic()
            self.assertEqual(self.run_it(*args, env=env)[0], 0)
            took = time.monotonic() - start
            for i in range(16):
                self.target.write_bytes(self.old)
                process = self.start(*args, env=env)
                time.sleep(took * i / 16)
                process.send_signal(signal.SIGKILL)
                process.communicate()
                status, _, err = self.run_it(
                    'add', '--access', 'update', self.target, self.root)
                self.assertEqual(status, 0, err)
                self.assert_tidy('boot.wim')


def device_open():
    """Again, where everybody may open /dev/fuse."""
    mode = os.stat('/dev/fuse').st_mode if os.path.exists('/dev/fuse') else 0
    if mode & stat.S_IWOTH or 'WT_DEVICE' in os.environ or not mode:
        return
    os.environ['WT_DEVICE'] = 'tried'
    os.execvp('unshare', ['unshare', '--mount', 'sh', '-c', DEVICE, 'sh',
                          '/mnt', sys.executable, '-B', *sys.argv])


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('only root can become another user')
    if shutil.which('unshare'):
        device_open()
    main()
