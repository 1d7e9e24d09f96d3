# SPDX-License-Identifier: MIT
"""clitest.py: what the tests of the command line share: samples, runs of the
program, and what other programs read in its results.

Environment: WIMTRUST is the program, WT_SOURCE the source folder, WT_HIVES and
WT_WIMS hold what the build made, WT_SAMPLES keeps samples between runs.
"""

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
SAMPLES = pathlib.Path(os.environ['WT_SAMPLES'])
SOURCE = pathlib.Path(os.environ['WT_SOURCE'])
SUPPORT = SOURCE / 'tests' / 'support'
CERTS = SOURCE / 'testdata' / 'certs'
ROOT_DER = SOURCE / 'testdata' / 'windows10-rsa4096-sha256.der'
ROOT_BLOB = ROOT_DER.with_suffix('.blob')  # as Windows 10 wrote it
ROOT_SHA1 = '7A645AEB801671DB9CE1C3E421FD11E0B52D6C2F'
ROOT_KEY = rf'Microsoft\SystemCertificates\AuthRoot\Certificates\{ROOT_SHA1}'
HIVE = '/Windows/System32/config/SOFTWARE'
NOBODY = 65534
# Seconds after which a run hangs. No run comes near, on a busy machine either.
HANG = 240
IS_SANITIZED = bool(os.environ.get('WT_SANITIZE'))

sys.path.insert(0, os.fspath(SUPPORT))

# Every error and warning ends with its code.
CODED = re.compile(r'(.*\S) \[([a-z0-9]+(?:-[a-z0-9]+)*)\]')


class Run:
    """What a run of the program came to."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode('utf-8', 'surrogateescape')
        self.err = done.stderr.decode('utf-8', 'surrogateescape')
        self.raw = done.stdout
        # Whatever the command and its input: no lock stops the work, and no
        # sanitizer finds a fault.
        for word, text in (('[sandbox]', self.err),
                           ('"code": "sandbox"', self.out),
                           ('AddressSanitizer', self.err),
                           ('runtime error', self.err)):
            if word in text:
                raise AssertionError(f'{word}: {self.err}{self.out}')

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
    kwargs.setdefault('timeout', HANG)
    done = subprocess.run(
        [program, *map(os.fspath, args)],
        stdin=None if 'input' in kwargs else stdin,
        env=env or environment(), check=False, **kwargs)
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
    deadline = time.monotonic() + HANG
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
    status = process.wait(timeout=HANG)
    return status, shown.decode('utf-8', 'replace').replace('\r\n', '\n')


def make_root(path, subject, key='ec', more=()):
    """A self-signed CA certificate; openssl's own subject syntax."""
    kind = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    if key.startswith('rsa'):
        kind = [key]
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', *kind, '-nodes', '-keyout',
         '/dev/null', '-utf8', '-days', '3650', '-subj',
         subject, '-out', os.fspath(path), *more],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    return path


def wait_until(is_so, why):
    """Looks until it is so. What never comes is a failure."""
    end = time.monotonic() + HANG
    while not is_so():
        if time.monotonic() > end:
            raise AssertionError(f'waited in vain: {why}')
        time.sleep(0.005)


def catches(process, number):
    """Has the program said yet what a signal is to do?"""
    for line in pathlib.Path(f'/proc/{process.pid}/status').read_text(
            ).splitlines():
        if line.startswith('SigCgt:'):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


def children(pid):
    """Of a process, and theirs."""
    try:
        pids = pathlib.Path(
            f'/proc/{pid}/task/{pid}/children').read_text().split()
    except FileNotFoundError:
        return []
    return [p for pid in map(int, pids) for p in (pid, *children(pid))]


def run_other(*words, **more):
    """What another program prints; its failure is the test's."""
    done = subprocess.run(words, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f'{words}: {done.returncode}: ' +
                             done.stderr.decode(errors='replace'))
    return done.stdout


def sample(name, *options):
    """A sample image by tests/support/make-sample, made once."""
    return made_once('make-sample', name, options)


def sample_hive(name, *options):
    """A hive by tests/support/make-hive, made once."""
    return made_once('make-hive', name, options)


def made_once(maker, name, options):
    path = SAMPLES / name
    if not path.exists():
        SAMPLES.mkdir(parents=True, exist_ok=True)
        # A .esd stays one, and two tests at once do not meet.
        fresh = SAMPLES / f'new-{os.getpid()}-{name}'
        done = subprocess.run([SUPPORT / maker, *options, fresh],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        if done.returncode == 77:
            raise unittest.SkipTest('cannot be made here: ' +
                                    done.stderr.decode().strip())
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode())
        fresh.rename(path)
    return path


def fuse_works():
    return os.access('/dev/fuse', os.R_OK | os.W_OK)


def accesses():
    """Those that work here. What is left out is said."""
    if fuse_works():
        return ['mount', 'update']
    print('left out: --access mount, /dev/fuse cannot be opened')
    return ['update']


def mounts_below(folder):
    with open('/proc/self/mountinfo', encoding='utf-8') as table:
        return [line.split()[4] for line in table
                if line.split()[4].startswith(os.fspath(folder) + '/')]


def values_by_reglookup(path):
    """{key path: value line} of every certificate, by reglookup."""
    text = run_other('reglookup', '-t', 'BINARY', '-H', path).decode()
    found = {}
    for line in text.splitlines():
        match = re.match(r'/(.*SystemCertificates/.*)/Blob,BINARY,([^,]*),',
                         line)
        if match:
            data = re.sub(r'%([0-9A-Fa-f]{2})',
                          lambda m: chr(int(m.group(1), 16)), match.group(2))
            found[match.group(1).replace('/', '\\')] = data.encode('latin-1')
    return found


def tree_by_reglookup(path):
    """Every key and value of a hive as reglookup sees it, but for times."""
    text = run_other('reglookup', path).decode()
    return sorted(re.sub(r',\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$', '', line)
                  for line in text.splitlines())


def extract(image, index, folder, path=HIVE):
    """One file of an image, by wimlib: where it is now."""
    run_other('wimlib-imagex', 'extract', image, str(index), path,
              f'--dest-dir={folder}', '--no-acls')
    return pathlib.Path(folder) / os.path.basename(path)


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='wimtrust-cli-'))
        self.addCleanup(shutil.rmtree, self.folder)

    def hive(self, name='software-1.3'):
        return self.copy(HIVES / name, 'SOFTWARE')

    def wim(self, name='two.wim'):
        return self.copy(WIMS / name, name)

    def copy(self, source, name=None):
        target = self.folder / (name or source.name)
        shutil.copyfile(source, target)
        return target

    def path(self, *names):
        return self.folder.joinpath(*names)

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def wt(self, *args, status=0, env=None, **kwargs):
        """Runs the program, with a folder of its own for temporary files; it
        must end with that status."""
        self.path('tmp').mkdir(exist_ok=True)
        run = wimtrust(*args, env=environment(**{
            'TMPDIR': self.path('tmp'), **(env or {})}), **kwargs)
        self.assertEqual(status, run.status, (args, run.out, run.err))
        return run

    def json(self, *args, **kwargs):
        return self.wt(*args, '--json', **kwargs).json

    def refuses(self, status, code, target, *args, **kwargs):
        """The run fails with that status and code, two lines at most, and
        leaves target and its folder as they were. Returns its error."""
        before = digest(target) if target.is_file() else None
        names = set(os.listdir(self.folder))
        run = self.wt(*args, status=status, **kwargs)
        lines = [line for line in run.err.splitlines()
                 if not line.startswith('wimtrust: warning:')]
        self.assertIn(len(lines), (1, 2), run.err)
        self.assertTrue(lines[0].startswith('wimtrust: '), run.err)
        if len(lines) == 2:
            self.assertTrue(lines[1].startswith('hint: '), run.err)
        error = self.json(*args, status=status, **kwargs)['error']
        self.assertEqual(code, error['code'], error)
        if before:
            self.assertEqual(before, digest(target))
        self.assertEqual(names | {'tmp'}, set(os.listdir(self.folder)))
        return error

    def assert_clean(self):
        """Nothing is left beside the target or in TMPDIR."""
        self.assertEqual([], [name for name in os.listdir(self.folder)
                              if 'wimtrust-' in name])
        self.assertEqual([], os.listdir(self.path('tmp')))

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


class Place(Case):
    """A test that looks at all that a run leaves: its target is in self.place,
    its temporary files are in self.temp."""

    def setUp(self):
        super().setUp()
        self.temp = self.folder / 'tmp'
        self.place = self.folder / 'place'
        self.temp.mkdir()
        self.place.mkdir()
        self.env = environment(TMPDIR=os.fspath(self.temp))
        self.addCleanup(self.unmount)

    def unmount(self):
        for point in mounts_below(self.folder):
            subprocess.run(['umount', '-l', point], check=False)

    def run_it(self, *args):
        return wimtrust(*args, env=self.env)

    def assert_tidy(self, *names, why=None):
        """Nothing but that is beside the target, nothing is mounted."""
        self.assertEqual(sorted(os.listdir(self.place)), sorted(names), why)
        self.assertEqual(mounts_below(self.folder), [], why)
        self.assertEqual(os.listdir(self.temp), [], why)


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def main():
    """Where all are skipped, so is the file. One without tests fails."""
    result = unittest.main(verbosity=1, exit=False).result
    for test, reason in result.skipped:
        print(f'skipped: {test}: {reason}')
    if result.wasSuccessful() and result.testsRun and \
            len(result.skipped) == result.testsRun:
        sys.exit(77)
    sys.exit(not (result.wasSuccessful() and result.testsRun))


def skip(reason):
    print('skipped:', reason)
    sys.exit(77)
