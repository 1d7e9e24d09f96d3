# SPDX-License-Identifier: MIT
# test_machine.py: what small machines lack is named, and never called damage.
import glob
import os
import shutil
import subprocess
import unittest

from clitest import (IS_SANITIZED, ROOT_DER, WIMS, WIMTRUST, Case, main, skip,
                     wimtrust)

USER = 65534


class Machine(Case):
    def setUp(self):
        super().setUp()
        self.target = self.wim()
        self.old = self.target.read_bytes()
        self.empty = self.folder / 'empty'
        self.empty.mkdir()

    def without(self, hidden, *args):
        """A run where an empty folder lies over another."""
        return wimtrust(
            '--mount', 'sh', '-c',
            'mount --bind "$1" "$2" && shift 2 && exec "$@"', 'sh',
            self.empty, hidden, *args, program='unshare')

    @unittest.skipIf(IS_SANITIZED,
                     'sanitizers need /proc themselves')
    def test_proc_that_is_not_mounted(self):
        for target in (self.target, self.hive()):
            run = self.without('/proc', WIMTRUST, 'list', target)
            self.assert_fails(
                run, 7, f'{target}: cannot be opened: /proc is not mounted '
                'here', 'run: mount -t proc proc /proc')

    def test_a_root_without_devices_has_the_same_sandbox(self):
        for target in (self.target, self.hive()):
            here = wimtrust('list', '--json', target)
            there = self.without('/dev', WIMTRUST, 'list', '--json', target)
            self.assertEqual(there.status, 0, there.err)
            self.assertEqual(there.json['sandbox'], here.json['sandbox'])

    @unittest.skipIf(IS_SANITIZED, 'LeakSanitizer does not work under strace')
    def test_every_child_that_asks_for_landlock_has_it(self):
        trace = self.folder / 'trace'
        for command in (['add', '--rebuild'], ['remove', '--rebuild'],
                        ['add', '--access=update'], ['list']):
            run = wimtrust(
                '-f', '-e', 'trace=/landlock', '-e', 'signal=none', '-o',
                trace, WIMTRUST, *command, self.target,
                *([] if command == ['list'] else [ROOT_DER]),
                program='strace')
            if 'Operation not permitted' in run.err:
                self.skipTest('tracing is refused')
            self.assertEqual(run.status, 0, run.err)
            calls = trace.read_text()
            self.assertEqual(calls.count('landlock_create_ruleset({'),
                             calls.count('landlock_restrict_self('), calls)

    def test_conversions_that_are_missing(self):
        folders = glob.glob('/usr/lib/*/gconv')
        if len(folders) != 1:
            self.skipTest('gconv modules are not in one folder')
        for target in (self.target, self.hive()):
            run = self.without(folders[0], WIMTRUST, 'list', target)
            self.assertEqual(run.status, 7, run.err)
            self.assertIn('cannot convert LATIN1', run.err)
            self.assertIn('gconv', run.err)
            self.assertNotIn('damaged', run.err)

    def add_as_user(self, hidden, access, *env):
        """By fusermount, since a namespace of one's own is refused."""
        program = shutil.copy(WIMTRUST, self.folder)
        faults = shutil.copy(os.environ['WT_FAULTFS'], self.folder)
        root = shutil.copy(ROOT_DER, self.folder)
        temp = self.folder / 'tmp'
        temp.mkdir(exist_ok=True)
        subprocess.run(['chown', '-R', f'{USER}:{USER}', self.folder],
                       check=True)
        run = self.without(
            hidden, shutil.which('setpriv'), f'--reuid={USER}',
            f'--regid={USER}', '--clear-groups', shutil.which('env'),
            'HOME=/', f'TMPDIR={temp}', f'LD_PRELOAD={faults}',
            'WT_FAULT_UNSHARE=1', 'ASAN_OPTIONS=verify_asan_link_order=0',
            *env, program, 'add', '--access', access, '--verbose',
            self.target, root)
        self.assertEqual(os.listdir(temp), [])
        with open('/proc/self/mountinfo', encoding='utf-8') as table:
            self.assertNotIn(os.fspath(self.folder), table.read())
        return run

    def test_what_a_user_lacks_for_a_mount(self):
        if not os.path.exists('/dev/fuse'):
            self.skipTest('no /dev/fuse')
        for hidden, env, what in (
                ('/mnt', ['PATH=/mnt'], 'there is no fusermount3'),
                ('/etc', [], 'there is no /etc/mtab')):
            run = self.add_as_user(hidden, 'mount', *env)
            self.assertEqual(run.status, 7, run.err)
            self.assertIn(what, run.err)
            self.assertEqual(self.target.read_bytes(), self.old)
            run = self.add_as_user(hidden, 'auto', *env)
            self.assertEqual(run.status, 0, run.err)
            self.assertIn(what, run.out + run.err)
            shutil.copyfile(WIMS / 'two.wim', self.target)


if __name__ == '__main__':
    if os.geteuid() != 0 or not shutil.which('unshare'):
        skip('only root can hide parts of the machine')
    if subprocess.run(['unshare', '--mount', 'true'], check=False).returncode:
        skip('namespaces are refused here')
    main()
