# SPDX-License-Identifier: MIT
# clitest.py: what the tests of the command line share.
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

# nohup, and shells that start a job in the background, have these ignored.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

WIMTRUST = os.environ['WIMTRUST']
HIVES = pathlib.Path(os.environ['WT_HIVES'])
WIMS = pathlib.Path(os.environ['WT_WIMS'])
SOURCE = pathlib.Path(os.environ['WT_SOURCE'])
ROOT_DER = SOURCE / 'testdata' / 'windows10-rsa4096-sha256.der'

# Every error and warning ends with its code.
CODED = re.compile(r'(.*\S) \[([a-z0-9]+(?:-[a-z0-9]+)*)\]')


class Run:
    """What a run of the program came to."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode('utf-8', 'surrogateescape')
        self.err = done.stderr.decode('utf-8', 'surrogateescape')
        self.raw = done.stdout
        # Whatever the command and its input: no lock stops the work.
        if '[sandbox]' in self.err or '"code": "sandbox"' in self.out:
            raise AssertionError('stopped by the sandbox: ' +
                                 self.err + self.out)

    @property
    def json(self):
        return json.loads(self.raw.decode('utf-8'))


def environment(**more):
    env = {k: v for k, v in os.environ.items()
           if k not in ('COLUMNS', 'NO_COLOR', 'LANG', 'LC_ALL', 'LC_CTYPE')}
    env.update({'LC_ALL': 'C.UTF-8', 'TERM': 'xterm'})
    env.update(more)
    return env


def wimtrust(*args, stdin=subprocess.DEVNULL, env=None, program=WIMTRUST,
             **kwargs):
    kwargs.setdefault('stdout', subprocess.PIPE)
    kwargs.setdefault('stderr', subprocess.PIPE)
    done = subprocess.run(
        [program, *map(os.fspath, args)],
        stdin=None if 'input' in kwargs else stdin,
        env=env or environment(), timeout=120, check=False, **kwargs)
    done.stdout = done.stdout or b''
    done.stderr = done.stderr or b''
    return Run(done)


def on_terminal(*args, columns=80, env=None):
    """Runs the program on a terminal of its own: (exit status, what it
    showed, with LF for CRLF)."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ,
                struct.pack('HHHH', 24, columns, 0, 0))
    process = subprocess.Popen(
        [WIMTRUST, *map(os.fspath, args)], stdin=slave, stdout=slave,
        stderr=slave, env=env or environment(), start_new_session=True)
    os.close(slave)
    shown = b''
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([master], [], [], 1)[0]:
            continue
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(master)
    status = process.wait(timeout=10)
    return status, shown.decode('utf-8', 'replace').replace('\r\n', '\n')


def make_root(path, subject, key='ec', more=()):
    """A self-signed CA certificate; openssl's own subject syntax."""
    kind = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    if key.startswith('rsa'):
        kind = [key]
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', *kind, '-nodes', '-keyout', '/dev/null', '-utf8',
         '-days', '3650', '-subj', subject, '-out', os.fspath(path), *more],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    return path


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='wimtrust-cli-'))
        self.addCleanup(shutil.rmtree, self.folder)

    def hive(self, name='software-1.3'):
        return self.copy(HIVES / name, 'SOFTWARE')

    def wim(self, name='two.wim'):
        return self.copy(WIMS / name, name)

    def copy(self, source, name):
        target = self.folder / name
        shutil.copyfile(source, target)
        return target

    def assert_fails(self, run, status, line, hint=None, code=None):
        """Exactly one line that ends with a code, and one hint where there
        is one."""
        self.assertEqual(run.status, status, run.err)
        lines = run.err.splitlines()
        match = CODED.fullmatch(lines[0])
        self.assertIsNotNone(match, run.err)
        self.assertEqual(match[1], 'wimtrust: ' + line)
        if code:
            self.assertEqual(match[2], code)
        self.assertEqual(lines[1:], ['hint: ' + hint] if hint else [])


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main():
    """Where all are skipped, so is the file."""
    result = unittest.main(verbosity=1, exit=False).result
    if result.wasSuccessful() and result.testsRun and \
            len(result.skipped) == result.testsRun:
        sys.exit(77)
    sys.exit(not result.wasSuccessful())


def skip(reason):
    print('skipped:', reason)
    sys.exit(77)
