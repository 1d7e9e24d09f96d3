# SPDX-License-Identifier: MIT
# test_codes.py: the codes of failures and warnings that no other test asks for.
import ctypes
import errno
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import unittest

from clitest import (CERTS, HIVES, IS_SANITIZED, NOBODY, ROOT_DER, WIMS,
                     WIMTRUST, Case, environment, main, wimtrust)
from faults import KILL_BEFORE, Faults

IS_ROOT = os.geteuid() == 0


def without_landlock():
    """From here on landlock_create_ruleset answers ENOSYS."""
    # Each is code, jump if true, if false, operand: the call's number is
    # loaded; 444 is refused; everything else is allowed.
    program = b''.join(struct.pack('HBBI', *one) for one in (
        (0x20, 0, 0, 0), (0x15, 0, 1, 444), (6, 0, 0, 0x50000 | errno.ENOSYS),
        (6, 0, 0, 0x7fff0000)))
    code = ctypes.create_string_buffer(program)
    filter_ = struct.pack('HxxxxxxP', len(program) // 8,
                          ctypes.addressof(code))
    prctl = ctypes.CDLL(None).prctl
    if prctl(38, 1, 0, 0, 0) != 0 or prctl(22, 2, filter_) != 0:
        raise OSError('no seccomp here')


class Codes(Case):
    def assert_code(self, code, status, *args):
        run = wimtrust(*args, '--json')
        self.assertEqual(run.status, status, run.err)
        self.assertEqual(run.json['error']['code'], code)

    def assert_warns(self, code, *args):
        run = wimtrust(*args, '--json')
        self.assertEqual(run.status, 0, run.err)
        self.assertIn(code, [one['code'] for one in run.json['warnings']])

    def test_of_files_that_are_no_certificates(self):
        for code, name in (('cert-malformed', 'bad-rsa-key.der'),
                           ('cert-not-der', 'bad-ber-length.der'),
                           ('pkcs7-malformed', 'bad-p7b-truncated.p7b'),
                           ('reg-malformed', 'bad-reg-hex.reg'),
                           ('reg-truncated', 'bad-reg-truncated.reg'),
                           ('sst-trailing-data', 'bad-sst-trailing.sst'),
                           ('sst-truncated', 'bad-sst-truncated.sst')):
            run = wimtrust('show', '--json', CERTS / name)
            self.assertEqual(run.status, 3, name)
            self.assertIn(f'"code":"{code}"', run.out.replace(' ', ''), name)

    def test_of_what_does_not_go_together(self):
        image = self.copy(WIMS / 'plain.wim', 'boot.wim')
        interrupted = self.copy(WIMS / 'bad-interrupted.wim', 'i.wim')
        self.assert_code('bad-thumbprint', 2, 'remove', image, '12345')
        self.assert_code('rebuild-append', 2, 'add', '--rebuild', '--commit',
                         'append', image, ROOT_DER)
        self.assert_code('repair-output', 2, 'add', '--repair', '-o',
                         self.folder / 'out', interrupted, ROOT_DER)

    def test_of_a_certificate_that_cannot_be_read(self):
        self.assert_code('cert-read', 7, 'show', '/proc/self/mem')

    def test_of_what_is_left_out(self):
        hive = self.copy(HIVES / 'software-1.3', 'SOFTWARE')
        self.assertEqual(
            wimtrust('add', '-s', 'disallowed', hive, ROOT_DER).status, 0)
        run = wimtrust('export', '--format', 'pem', hive)
        self.assertIn('[disallowed-left-out]', run.err)

    def test_of_transaction_logs(self):
        for code, option, name in (
                ('logs-replayed', '--replay-logs', 'old'),
                ('logs-discarded', '--discard-logs', 'unflushed')):
            hive = self.copy(HIVES / 'dirty' / name, 'SOFTWARE')
            self.copy(HIVES / 'dirty' / (name + '.LOG1'), 'SOFTWARE.LOG1')
            self.assert_warns(code, 'add', option, hive, ROOT_DER)

    def test_of_a_run_that_was_interrupted(self):
        place = self.folder / 'place'
        place.mkdir()
        hive = place / 'SOFTWARE'
        watch = Faults(self.folder, place)
        command = [WIMTRUST, 'add', hive, ROOT_DER]
        shutil.copyfile(HIVES / 'software-1.3', hive)
        self.assertEqual(watch.run(command).returncode, 0)
        calls = watch.calls()
        for at in range(calls - 8, calls + 1):
            shutil.copyfile(HIVES / 'software-1.3', hive)
            watch.run(command, at, KILL_BEFORE)
            if watch.name() == 'unlink':
                break
        self.assertEqual(len(os.listdir(place)), 2, watch.name())
        self.assert_warns('interrupted-run', 'add', hive, ROOT_DER)

    def as_nobody(self, *args, program=WIMTRUST, before=None):
        if not IS_ROOT:
            self.skipTest('needs root')
        self.folder.chmod(0o755)
        return subprocess.run(
            [os.fspath(a) for a in (program, *args)], user=NOBODY,
            group=NOBODY, extra_groups=[], check=False, preexec_fn=before,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment(TMPDIR='/tmp'))

    def test_of_what_the_user_may_not(self):
        image = self.copy(WIMS / 'plain.wim', 'boot.wim')
        pathlib.Path(image).chmod(0o644)
        done = self.as_nobody('add', '--commit', 'append', image, ROOT_DER)
        self.assertEqual(done.returncode, 7)
        self.assertIn(b'[permission]', done.stderr)

    @unittest.skipIf(IS_SANITIZED, 'the leak check starts a process of its own')
    def test_of_a_user_who_may_start_no_process(self):
        image = self.copy(WIMS / 'plain.wim', 'boot.wim')
        pathlib.Path(image).chmod(0o644)
        done = self.as_nobody('list', image, before=lambda: resource.setrlimit(
            resource.RLIMIT_NPROC, (0, 0)))
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn(b'[no-process]', done.stderr)

    def test_of_a_server_without_an_address(self):
        image = self.copy(WIMS / 'plain.wim', 'boot.wim')
        self.assert_code('connect-name', 7, 'check', '--connect',
                         'no.such.invalid', image)

    def test_of_set_user_id(self):
        program = self.folder / 'wimtrust'
        shutil.copyfile(WIMTRUST, program)
        program.chmod(0o4755)
        done = self.as_nobody('--version', program=program)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b'[set-user-id]', done.stderr)

    def test_of_a_place_without_proc(self):
        if not IS_ROOT or IS_SANITIZED:
            self.skipTest('needs root; sanitizers need /proc themselves')
        image = self.copy(WIMS / 'plain.wim', 'boot.wim')
        done = subprocess.run(
            ['unshare', '-m', 'sh', '-c',
             'mount -t tmpfs none /proc || exit 77; exec "$@"', 'sh',
             WIMTRUST, 'list', image], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode == 77 or b'unshare' in done.stderr:
            self.skipTest('no mount namespace here')
        self.assertEqual(done.returncode, 7)
        self.assertIn(b'[no-proc]', done.stderr)

    def test_of_a_kernel_without_landlock(self):
        image = self.copy(WIMS / 'plain.wim', 'boot.wim')
        done = subprocess.run(
            [WIMTRUST, 'list', '--require-sandbox', image], check=False,
            preexec_fn=without_landlock, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn(b'lacks landlock [sandbox-missing]', done.stderr)


if __name__ == '__main__':
    main()
