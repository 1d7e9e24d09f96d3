# SPDX-License-Identifier: MIT
# test_signals.py: signals end every command at once, whatever it waits for or
# works on; and what fails beside the image says whether the image was changed.
import base64
import fcntl
import os
import pathlib
import pty
import resource
import select
import shutil
import signal
import subprocess
import time

from clitest import (HANG, HIVES, IS_SANITIZED, ROOT_DER, WIMS, WIMTRUST, Case,
                     catches, digest, environment, main, wait_until, wimtrust)

MB = 1 << 20
NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Of work, that a run may still do when a signal has come.
SECONDS_MAX = 15 if IS_SANITIZED else 3


def small_sub_ca(folder):
    """A CA that another has issued: its own signature is nobody's business,
    so that any number of it can be made."""
    for args in (
            ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
             'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key',
             '-subj', '/CN=CA', '-out', 'ca.pem'],
            ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
             '-nodes', '-keyout', 'sub.key', '-subj', '/CN=sub', '-out',
             'sub.csr'],
            ['x509', '-req', '-in', 'sub.csr', '-CA', 'ca.pem', '-CAkey',
             'ca.key', '-set_serial', '0x1122334455667788', '-days', '3000',
             '-extfile', 'ext', '-outform', 'DER', '-out', 'sub.der']):
        (folder / 'ext').write_text('basicConstraints=critical,CA:TRUE')
        subprocess.run(['openssl', *args], cwd=folder, check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
    return (folder / 'sub.der').read_bytes()


def bundle(path, count):
    """So many certificates that differ in their serial number."""
    scratch = path.with_suffix('.work')
    scratch.mkdir()
    der = small_sub_ca(scratch)
    at = der.index(bytes.fromhex('1122334455667788'))
    with open(path, 'wb') as file:
        for i in range(count):
            file.write(b'-----BEGIN CERTIFICATE-----\n' + base64.encodebytes(
                der[:at] + b'\x11' + i.to_bytes(7, 'big') + der[at + 8:]) +
                b'-----END CERTIFICATE-----\n')
    shutil.rmtree(scratch)
    return path


def work_of_children():
    """Seconds of processor time that ended children took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Signals(Case):
    def start(self, *args, **more):
        more.setdefault('stdin', subprocess.DEVNULL)
        more.setdefault('stdout', subprocess.PIPE)
        return subprocess.Popen(
            [WIMTRUST, *map(os.fspath, args)], stderr=subprocess.PIPE,
            env=environment(TMPDIR=os.fspath(self.folder)), **more)

    def ends(self, process, number, why):
        process.send_signal(number)
        try:
            process.wait(timeout=HANG)
        finally:
            process.kill()
            err = process.stderr.read().decode()
            process.stderr.close()
            if process.stdout:
                process.stdout.close()
        self.assertEqual(process.returncode, 128 + number, (why, err))
        return err

    def wait_reading(self, process):
        """Until it waits for what does not come."""
        wait_until(lambda: catches(process, signal.SIGTERM), 'a handler')
        for _ in range(20 * HANG):
            text = pathlib.Path(f'/proc/{process.pid}/syscall').read_text()
            # poll, read and openat, and nothing else for a while
            if text.split()[0] in ('7', '0', '257', '271', '73', '63', '56'):
                time.sleep(0.02)
                again = pathlib.Path(
                    f'/proc/{process.pid}/syscall').read_text()
                if again.split()[:2] == text.split()[:2]:
                    return
            time.sleep(0.005)
        self.fail('it does not wait')


class Waiting(Signals):
    def commands(self, cert):
        hive = self.hive()
        for command in ('add', 'remove', 'verify', 'check'):
            yield hive, [command, hive, cert]
        yield hive, ['show', cert]
        yield hive, ['export', cert]

    def test_for_standard_input(self):
        for hive, args in self.commands('-'):
            before = digest(hive)
            for number in NUMBERS:
                process = self.start(*args, stdin=subprocess.PIPE)
                process.stdin.write(b'-----BEGIN CERTIFICATE-----\n')
                process.stdin.flush()
                self.wait_reading(process)
                err = self.ends(process, number, args)
                process.stdin.close()
                self.assertIn('nothing was changed', err)
                self.assertEqual(len(err.splitlines()), 1, err)
            self.assertEqual(digest(hive), before)

    def test_for_a_terminal(self):
        for hive, args in self.commands('-'):
            master, slave = pty.openpty()
            process = self.start(*args, stdin=slave, start_new_session=True)
            os.close(slave)
            self.wait_reading(process)
            self.ends(process, signal.SIGINT, args)
            os.close(master)

    def test_for_a_fifo(self):
        fifo = self.folder / 'fifo'
        os.mkfifo(fifo)
        for hive, args in self.commands(fifo):
            process = self.start(*args)
            self.wait_reading(process)
            self.ends(process, signal.SIGTERM, args)
        process = self.start('export', '-o', fifo, ROOT_DER)
        self.wait_reading(process)
        self.ends(process, signal.SIGTERM, 'export to a fifo')

    def test_a_fifo_is_read_and_written_all_the_same(self):
        fifo = self.folder / 'fifo'
        os.mkfifo(fifo)
        process = self.start('show', fifo)
        self.wait_reading(process)
        fifo.write_bytes(ROOT_DER.read_bytes())
        out, err = process.communicate(timeout=HANG)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn(b'CN=', out)
        process = self.start('export', '-o', fifo, ROOT_DER)
        self.wait_reading(process)
        self.assertIn('HKEY_LOCAL_MACHINE',
                      fifo.read_bytes().decode('utf-16'))
        self.assertEqual(process.wait(timeout=HANG), 0)
        process.communicate()

    def test_for_who_does_not_read(self):
        """A result that is longer than a pipe, of which nobody takes more."""
        certs = bundle(self.folder / 'bundle.pem', 200)
        hive = self.hive()
        self.assertEqual(wimtrust('add', '-s', 'ca', hive, certs).status, 0)
        for args in (['list', hive], ['list', '--json', hive],
                     ['show', certs]):
            process = self.start_narrow(*args)
            self.wait_writing(process)
            self.ends(process, signal.SIGTERM, args)
        # The hive is changed by then, and the message says so.
        process = self.start_narrow('remove', '-v', hive, certs)
        self.wait_writing(process)
        err = self.ends(process, signal.SIGTERM, 'remove')
        self.assertIn('was changed', err)
        self.assertNotIn('nothing was changed', err)
        self.assertNotIn('CN=sub', wimtrust('list', hive).out)

    def start_narrow(self, *args):
        process = self.start(*args)
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        return process

    def wait_writing(self, process):
        while not select.select([process.stdout], [], [], 60)[0]:
            continue
        for _ in range(20 * HANG):
            text = pathlib.Path(f'/proc/{process.pid}/syscall').read_text()
            if text.split()[0] in ('1', '20', '64', '66'):
                return
            time.sleep(0.005)
        self.fail('it does not write')


class Working(Signals):
    def at_moments(self, args, seconds):
        """Early in its time, a signal ends it at once."""
        for i in range(6):
            before = work_of_children()
            start = time.monotonic()
            process = self.start(*args, stdout=subprocess.DEVNULL)
            time.sleep(seconds * i / 12)
            self.assertIsNone(process.poll(), 'it is quicker than ever')
            process.send_signal(signal.SIGTERM)
            # So much may have been done by then.
            most = (time.monotonic() - start) * os.cpu_count()
            process.communicate(timeout=HANG)
            self.assertLess(work_of_children() - before,
                            most + SECONDS_MAX, (args, i))
            # Before it has set up anything, a signal is its death.
            self.assertIn(process.returncode,
                          (128 + signal.SIGTERM, -signal.SIGTERM), (args, i))

    def seconds_of(self, args):
        """By its processor time: a busy machine makes it longer."""
        before = work_of_children()
        run = wimtrust(*args, stdout=subprocess.DEVNULL)
        self.assertEqual(run.status, 0, run.err)
        return work_of_children() - before

    def test_on_a_large_bundle(self):
        certs = bundle(self.folder / 'bundle.pem', 1000 if IS_SANITIZED else 5000)
        for args in (['show', certs], ['export', certs],
                     ['export', '--format', 'pem', certs],
                     ['show', '--json', certs],
                     ['verify', self.hive(), certs]):
            self.at_moments(args, self.seconds_of(
                ['show', certs]) if args[0] == 'verify' else
                self.seconds_of(args))

    def test_on_a_large_hive(self):
        hive = self.hive()
        # A call takes no more than some hundred for one store.
        certs = bundle(self.folder / 'bundle.pem', 90 if IS_SANITIZED else 450)
        for store in ('ca', 'root', 'authroot', 'trustedpeople',
                      'trustedpublisher'):
            run = wimtrust('add', '-s', store, hive, certs)
            self.assertEqual(run.status, 0, run.err)
        for args in (['list', hive], ['info', hive],
                     ['export', '-s', 'ca', hive]):
            self.at_moments(args, self.seconds_of(args))


class Limit(Signals):
    """A file that may not grow any more (ulimit -f)."""

    def limited(self, limit, *args):
        return wimtrust(
            *args, env=environment(TMPDIR=os.fspath(self.folder / 'tmp')),
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, limit)))

    def test_is_an_error(self):
        (self.folder / 'tmp').mkdir()
        place = self.folder / 'place'
        place.mkdir()
        target = place / 'boot.wim'
        shutil.copyfile(WIMS / 'plain.wim', target)
        (self.folder / 'random').write_bytes(os.urandom(6 * MB))
        subprocess.run(
            ['wimlib-imagex', 'update', target, '--command',
             f'add {self.folder}/random /random'], check=True,
            capture_output=True)
        old = target.read_bytes()
        # More than its hive, which is in memory; less than the image.
        limit = 3 * MB
        for more in (['--commit', 'replace'], ['--backup'],
                     ['--rebuild'], ['-o', place / 'new.wim'],
                     ['--commit', 'append', '--backup']):
            run = self.limited(limit, 'add', *more, target, ROOT_DER)
            self.assertEqual(run.status, 7, (more, run.err))
            self.assertIn('File too large', run.err)
            self.assertIn('ulimit -f', run.err)
            self.assertEqual(target.read_bytes(), old)
            self.assertEqual(os.listdir(place), ['boot.wim'])
            self.assertEqual(os.listdir(self.folder / 'tmp'), [])
        # In place, where the last of the file is what may not be written.
        run = self.limited(len(old) + 100, 'add', '--commit', 'append',
                           target, ROOT_DER)
        self.assertEqual(run.status, 7, run.err)
        self.assertEqual(target.read_bytes(), old)
        self.assertEqual(os.listdir(place), ['boot.wim'])

    def test_of_an_export_is_an_error(self):
        place = self.folder / 'place'
        place.mkdir()
        (self.folder / 'tmp').mkdir()
        for more in ([], ['-f']):
            run = self.limited(100, 'export', *more, '-o', place / 'x.reg',
                               ROOT_DER)
            self.assertEqual(run.status, 7, run.err)
            self.assertIn('ulimit -f', run.err)
            self.assertEqual(os.listdir(place), [])


class Exchanged(Signals):
    """A folder that another has taken the place of while certificates are
    read: a link to somebody else's."""

    def setUp(self):
        super().setUp()
        self.place = self.folder / 'place'
        self.moved = self.folder / 'moved'
        self.other = self.folder / 'other'
        self.place.mkdir()
        self.other.mkdir()
        shutil.copyfile(HIVES / 'software-1.3', self.place / 'SOFTWARE')
        shutil.copyfile(HIVES / 'software-1.3', self.other / 'SOFTWARE')

    def run_exchanged(self, *args):
        process = self.start(*args, stdin=subprocess.PIPE)
        self.wait_reading(process)
        self.place.rename(self.moved)
        self.place.symlink_to(self.other)
        _, err = process.communicate(ROOT_DER.read_bytes(), timeout=HANG)
        self.place.unlink()
        self.moved.rename(self.place)
        self.assertEqual(os.listdir(self.other), ['SOFTWARE'])
        self.assertEqual((self.other / 'SOFTWARE').read_bytes(),
                         (HIVES / 'software-1.3').read_bytes())
        return process.returncode, err.decode()

    def test_an_export_goes_to_the_folder_that_was_opened(self):
        for more in ([], ['-f']):
            status, err = self.run_exchanged(
                'export', *more, '-o', self.place / 'x.reg', '-')
            self.assertEqual(status, 0, err)
            self.assertEqual(sorted(os.listdir(self.place)),
                             ['SOFTWARE', 'x.reg'])

    def test_an_image_is_not_written_there(self):
        hive = self.place / 'SOFTWARE'
        mine = self.hive('software-1.3')
        for args in (['add', hive, '-'], ['remove', hive, '-'],
                     ['add', '-o', self.place / 'new', mine, '-'],
                     ['add', '-f', '-o', hive, mine, '-']):
            before = digest(hive)
            status, err = self.run_exchanged(*args)
            self.assertEqual(status, 7, (args, err))
            self.assertIn('its folder was exchanged', err)
            self.assertEqual(digest(hive), before)
            self.assertEqual(os.listdir(self.place), ['SOFTWARE'])


class Output(Case):
    """Standard output that fails when the image is changed already."""

    def test_says_that_the_image_was_changed(self):
        for source, name in ((HIVES / 'software-1.3', 'SOFTWARE'),
                             (WIMS / 'two.wim', 'boot.wim')):
            target = self.copy(source, name)
            before = digest(target)
            with open('/dev/full', 'wb') as full:
                run = wimtrust('add', '--access', 'update', target, ROOT_DER,
                               stdout=full)
            self.assertEqual(run.status, 7, run.err)
            self.assertIn('standard output: cannot be written', run.err)
            self.assertIn(f'{target} was changed anyway', run.err)
            self.assertNotEqual(digest(target), before)
            with open('/dev/full', 'wb') as full:
                run = wimtrust('list', target, stdout=full)
            self.assertEqual(run.status, 7, run.err)
            self.assertNotIn('was changed', run.err)

    def test_that_nobody_reads_says_it_too(self):
        target = self.copy(HIVES / 'software-1.3', 'SOFTWARE')
        ends = os.pipe()
        os.close(ends[0])
        run = wimtrust('add', target, ROOT_DER, stdout=ends[1])
        os.close(ends[1])
        self.assertEqual(run.status, -signal.SIGPIPE, run.err)
        self.assertIn(f'{target} was changed anyway', run.err)


if __name__ == '__main__':
    main()
