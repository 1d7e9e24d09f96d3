# SPDX-License-Identifier: MIT
# test_sandbox.py: which parts of the sandbox are in force is said, and where
# the system lacks some of them the program works without, or refuses to.
import ctypes
import os
import platform
import struct
import sys

from clitest import (Case, HIVES, ROOT_DER, WIMS, main, skip, subprocess,
                     wimtrust)

ALL = ['privileges', 'landlock', 'seccomp']
# The numbers of the system calls.
CALLS = {'landlock': 444,
         'seccomp': {'x86_64': 317, 'aarch64': 277}.get(platform.machine())}

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38


class Program(ctypes.Structure):
    _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.c_char_p)]


def forbid(parts):
    """Lets the calls that make these parts fail, as an old kernel or a
    container does: with ENOSYS or EPERM."""
    def before():
        code = [(0x20, 0, 0, 0)]                         # A = number
        for part in parts:
            error = 38 if part == 'landlock' else 1
            code += [(0x15, 0, 1, CALLS[part]),          # if A == number
                     (0x06, 0, 0, 0x00050000 | error)]   # return the error
        code.append((0x06, 0, 0, 0x7FFF0000))            # allow
        packed = b''.join(struct.pack('=HBBI', *line) for line in code)
        program = Program(len(code), packed)
        if LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or LIBC.prctl(
                PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0) != 0:
            os._exit(99)
    return before


class Sandbox(Case):
    def run_without(self, parts, *args):
        return wimtrust(*args, preexec_fn=forbid(parts))

    def said(self, parts, command=('list', '-v')):
        """What --version, -v and the JSON say of it, which is the same."""
        version = self.run_without(parts, '--version')
        line = version.out.splitlines()[-1]
        self.assertTrue(line.startswith('sandbox '), line)
        names = line.split(None, 1)[1]
        shown = self.run_without(parts, *command, WIMS / 'two.wim')
        self.assertEqual(shown.status, 0, shown.err)
        self.assertIn(f'sandbox  {names}\n', shown.out)
        told = self.run_without(parts, 'list', '--json', WIMS / 'two.wim')
        self.assertEqual(told.status, 0, told.err)
        self.assertEqual(
            names.split(', '), told.json['sandbox'] or ['none'])
        return told.json['sandbox']

    def test_complete(self):
        parts = self.said([])
        self.assertEqual([part for part in parts if part != 'user'], ALL)
        if os.geteuid() == 0:
            self.assertIn('user', parts)
        run = wimtrust('list', '--require-sandbox', WIMS / 'two.wim')
        self.assertEqual((run.status, run.err), (0, ''))

    def test_each_part_may_lack(self):
        for lacking in (['landlock'], ['seccomp'], ['landlock', 'seccomp']):
            with self.subTest(lacking=lacking):
                parts = self.said(lacking)
                self.assertEqual([part for part in parts if part != 'user'],
                                 [part for part in ALL if part not in lacking])

    def test_without_a_part_all_works(self):
        target = self.folder / 'boot.wim'
        for lacking in (['landlock'], ['seccomp'], ['landlock', 'seccomp']):
            with self.subTest(lacking=lacking):
                target.write_bytes((WIMS / 'two.wim').read_bytes())
                run = self.run_without(lacking, 'add', '--access', 'update',
                                       target, ROOT_DER)
                self.assertEqual(run.status, 0, run.err)
                run = self.run_without(lacking, 'verify', target, ROOT_DER)
                self.assertEqual(run.status, 0, run.err)

    def test_require_sandbox_refuses_before_anything_is_read(self):
        """TARGET and certificates alike: what is malformed in them is not
        found out."""
        broken = self.folder / 'broken'
        broken.write_bytes(b'MSWIM\0\0\0' + bytes(300))
        text = self.folder / 'broken.pem'
        text.write_text('-----BEGIN CERTIFICATE-----\nAAAA\n'
                        '-----END CERTIFICATE-----\n')
        good, hive = WIMS / 'two.wim', HIVES / 'software'
        for lacking in ALL[1:]:
            for args in (('list', good), ('info', hive), ('list', broken),
                         ('add', '-n', good, text), ('add', '-n', good, ROOT_DER),
                         ('remove', '-n', good, text), ('verify', good, text),
                         ('check', good, text), ('diff', broken, good),
                         ('export', good, '-o', self.folder / 'out')):
                with self.subTest(lacking=lacking, args=args):
                    run = self.run_without(
                        [lacking], args[0], '--require-sandbox', *args[1:])
                    self.assertEqual(run.status, 7, run.err)
                    self.assertIn('is not opened: the sandbox of this system '
                                  f'lacks {lacking} [sandbox-missing]',
                                  run.err)
                    self.assertEqual(run.out, '')


if __name__ == '__main__':
    if os.environ['WT_SANITIZE']:
        skip('a sanitizer build has no seccomp filter')
    if not CALLS['seccomp']:
        skip('the number of seccomp() is not known here')
    if 'seccomp' not in wimtrust('--version').out:
        skip('this system lacks a part itself')
    main()
