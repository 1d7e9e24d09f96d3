# SPDX-License-Identifier: MIT
# test_damage.py: bytes that are not what they should be: written wrongly, left
# by another program that was killed, or made to harm.
import fcntl
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import time

from clitest import (HIVES, IS_SANITIZED, ROOT_DER, WIMS, WIMTRUST, Place,
                     accesses, fuse_works, main, mounts_below, wait_until)
from faults import FAULTFS, FLIP, Faults

NOBODY = '0' * 40
HEADER = 208
FLAGS, WRITE_IN_PROGRESS = 16, 0x40
LEN_MASK = (1 << 56) - 1  # a resource's length has its flags above it


def is_sound(path):
    return subprocess.run(['wimlib-imagex', 'verify', path],
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


class Damage(Place):
    def setUp(self):
        super().setUp()
        self.target = self.place / 'boot.wim'


class WrittenWrongly(Damage):
    """One byte of one write is another one."""

    def sweep(self, source, target, watched, args, points):
        old = source.read_bytes()
        watch = Faults(self.folder, watched)
        shutil.copyfile(source, target)
        done = watch.run([WIMTRUST, *args], env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        calls = watch.calls()
        refused = 0
        for at in points(calls):
            shutil.copyfile(source, target)
            done = watch.run([WIMTRUST, *args], at, FLIP, env=self.env)
            why = (args, at, watch.name(), done.stderr)
            if done.returncode == 0:
                # No write, or one of which nothing gets into the result.
                self.assertTrue(target.name == 'SOFTWARE' or
                                is_sound(target), why)
                self.assertEqual(
                    self.run_it('verify', target, ROOT_DER).status, 0, why)
                continue
            self.assertIn(done.returncode, (4, 5, 7), why)
            self.assertEqual(target.read_bytes(), old, why)
            self.assertEqual(os.listdir(self.place), [target.name], why)
            self.assertEqual(os.listdir(self.temp), [], why)
            refused += 1
        return refused

    def test_to_the_image_it_never_becomes_the_image(self):
        for commit in ('replace', 'append'):
            self.assertGreaterEqual(self.sweep(
                WIMS / 'two.wim', self.target, self.place,
                ['add', '--access', 'update', '--commit', commit,
                 self.target, ROOT_DER],
                lambda calls: range(1, calls + 1)), 2, commit)

    def test_to_a_hive_it_never_becomes_the_hive(self):
        target = self.place / 'SOFTWARE'
        self.assertGreaterEqual(self.sweep(
            HIVES / 'software-1.3', target, self.place,
            ['add', target, ROOT_DER],
            lambda calls: range(1, calls + 1)), 2)

    def test_to_the_staging_folder_it_never_becomes_the_image(self):
        # The second one has an integrity table.
        for name in ('plain.wim', 'two.wim'):
            for access in accesses():
                self.assertGreaterEqual(self.sweep(
                    WIMS / name, self.target, self.temp,
                    ['add', '--access', access, self.target, ROOT_DER],
                    lambda calls: range(1, calls + 1, 3 if IS_SANITIZED else 1)),
                    2, (name, access))


class StoredHive(Damage):
    """A byte of the image's own hive is another one."""

    def test_is_told_by_readers_and_writers_alike(self):
        source = WIMS / 'plain.wim'
        data = source.read_bytes()
        size = json.loads(self.run_it('info', '--json', source).out)[
            'images'][0]['hive']['size']
        table_len, table_at = struct.unpack_from('<QQ', data, 48)
        stored, begin = next(
            (stored & LEN_MASK, begin) for stored, begin, original in
            (struct.unpack_from('<QQQ', data, at) for at in
             range(table_at, table_at + (table_len & LEN_MASK), 50))
            if original == size)
        reasons = []
        for step in range(12, 23):
            damaged = bytearray(data)
            damaged[begin + stored * step // 24] ^= 0x55
            for args in (['list', self.target],
                         ['verify', self.target, ROOT_DER],
                         ['add', '--commit', 'append', self.target,
                          ROOT_DER]):
                self.target.write_bytes(damaged)
                run = self.run_it(*args)
                self.assertEqual(run.status, 4, (step, args, run.err))
                self.assertEqual(self.target.read_bytes(), damaged)
                reasons.append(run.err)
        # Most bytes do not keep the hive from being decompressed.
        self.assertIn('does not have the hash', ''.join(reasons))


class OddTables(Damage):
    """Blob tables as other programs may write them."""

    def rewrite(self, change):
        """The image with another blob table behind its old end."""
        data = (WIMS / 'plain.wim').read_bytes()
        table_len, table_at, _ = struct.unpack_from('<QQQ', data, 48)
        xml_len, xml_at, xml_original = struct.unpack_from('<QQQ', data, 72)
        flags, table_len = table_len >> 56, table_len & LEN_MASK
        table = data[table_at:table_at + table_len]
        entries = change([bytearray(table[i:i + 50])
                          for i in range(0, table_len, 50)])
        table = b''.join(entries)
        xml = data[xml_at:xml_at + (xml_len & LEN_MASK)]
        head = bytearray(data[:HEADER])
        struct.pack_into('<QQQ', head, 48, len(table) | flags << 56,
                         len(data), len(table))
        struct.pack_into('<QQQ', head, 72, xml_len, len(data) + len(table),
                         xml_original)
        self.target.write_bytes(bytes(head) + data[HEADER:] + table + xml)

    def test_are_no_reason_to_refuse_the_image(self):
        def references(entries):
            for i, entry in enumerate(entries):
                struct.pack_into('<I', entry, 26, 1 + i % 3)
            return entries

        def twice(entries):
            return entries + [bytearray(entries[3]), bytearray(entries[5])]

        def unused(entries):
            extra = bytearray(entries[4])
            struct.pack_into('<I', extra, 26, 0)
            extra[30:50] = b'unused by any image.'
            return entries + [extra]

        def other_part(entries):
            extra = bytearray(entries[4])
            struct.pack_into('<H', extra, 24, 7)
            extra[30:50] = b'in another part of it'[:20]
            return entries + [extra]

        def empty(entries):
            return entries + [bytearray(24) + b'\1\0\1\0\0\0' + b'e' * 20]

        def backwards(entries):
            return entries[::-1]

        for change in (references, twice, unused, other_part, empty,
                       backwards):
            for access in accesses():
                self.rewrite(change)
                was_sound = is_sound(self.target)
                run = self.run_it('add', '--access', access, '--commit',
                                  'append', self.target, ROOT_DER)
                self.assertEqual(run.status, 0, (change, access, run.err))
                self.assertEqual(is_sound(self.target), was_sound,
                                 (change, access))


class OnlyAppended(Damage):
    def test_nothing_between_the_header_and_the_old_end_changes(self):
        for name in ('plain.wim', 'two.wim', 'xpress.wim', 'solid.esd',
                     'solid-integrity.esd'):
            old = (WIMS / name).read_bytes()
            for access in accesses():
                for commit in ('append', 'replace'):
                    shutil.copyfile(WIMS / name, self.target)
                    run = self.run_it('add', '--access', access, '--commit',
                                      commit, self.target, ROOT_DER)
                    why = (name, access, commit, run.err)
                    self.assertEqual(run.status, 0, why)
                    new = self.target.read_bytes()
                    self.assertGreater(len(new), len(old), why)
                    self.assertEqual(new[HEADER:len(old)], old[HEADER:], why)
                    self.assertNotEqual(new[:HEADER], old[:HEADER], why)
                    self.assertTrue(is_sound(self.target), why)


class IntegrityTable(Damage):
    def test_of_several_chunks_is_right_afterwards(self):
        big = self.folder / 'big'
        big.write_bytes(random.Random(5).randbytes(25_000_000))
        source = self.folder / 'chunks.wim'
        shutil.copyfile(WIMS / 'plain.wim', source)
        subprocess.run(['wimlib-imagex', 'update', source, '1', '--check',
                        f'--command=add {big} /big'], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for access in accesses():
            shutil.copyfile(source, self.target)
            run = self.run_it('add', '--access', access, self.target, ROOT_DER)
            self.assertEqual(run.status, 0, run.err)
            done = subprocess.run(['wimlib-imagex', 'verify', self.target],
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn(b'does not contain integrity', done.stderr)
            self.assertEqual(
                self.run_it('verify', '--check', self.target,
                            ROOT_DER).status, 0)


class Interrupted(Damage):
    """wimlib-imagex update, killed, leaves the image flagged."""

    WANTED = 10 if IS_SANITIZED else 30

    def interrupt(self, source, extra, delay):
        shutil.copyfile(source, self.target)
        process = subprocess.Popen(
            ['wimlib-imagex', 'update', self.target, '1',
             f'--command=add {extra} /{extra.name}'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with open(self.target, 'rb') as file:
            return file.read(FLAGS + 1)[FLAGS] & WRITE_IN_PROGRESS != 0

    def test_is_told_refused_and_put_back_to_the_byte(self):
        extra = self.folder / 'extra'
        extra.write_bytes(random.Random(3).randbytes(4 << 20))
        shutil.copyfile(WIMS / 'two.wim', self.target)
        start = time.monotonic()
        subprocess.run(['wimlib-imagex', 'update', self.target, '1',
                        f'--command=add {extra} /extra'], check=True,
                       stdout=subprocess.DEVNULL)
        took = time.monotonic() - start
        rng = random.Random(5)
        flagged = 0
        for i in range(20 * self.WANTED):
            source = WIMS / ('plain.wim', 'two.wim', 'solid.esd')[i % 3]
            old = source.read_bytes()
            if not self.interrupt(source, extra, took * rng.random()):
                continue
            left = self.target.read_bytes()
            run = self.run_it('info', '--json', self.target)
            self.assertTrue(run.json['target']['wim']['interrupted'])
            run = self.run_it('add', '--json', self.target, ROOT_DER)
            self.assertEqual(run.status, 4)
            self.assertEqual(run.json['error']['code'], 'image-interrupted')
            self.assertIn('--repair', run.json['error']['hint'])
            self.assertEqual(self.target.read_bytes(), left)
            run = self.run_it('remove', '--repair', self.target, NOBODY)
            self.assertEqual(run.status, 1, run.err)
            self.assertEqual(self.target.read_bytes(), old, (source, i))
            self.assertEqual(os.listdir(self.place), ['boot.wim'])
            flagged += 1
            if flagged == self.WANTED:
                break
        self.assertEqual(flagged, self.WANTED)


class Hostile(Damage):
    """make-bad-wims has the list, and the code that each ends with."""

    def test_wims_end_in_their_error_in_bounded_time_and_memory(self):
        lines = (WIMS / 'bad' / 'list').read_text().split('\n')
        cases = [line.split() for line in lines if line]
        self.assertGreater(len(cases), 20)
        for name, code in cases:
            shutil.copyfile(WIMS / 'bad' / name, self.target)
            before = self.target.read_bytes()
            for command in (['info'], ['list'],
                            ['add', '--access', 'update', '--json']):
                args = [WIMTRUST, *command, os.fspath(self.target)]
                if command[0] == 'add':
                    args.append(os.fspath(ROOT_DER))
                start = time.monotonic()
                process = subprocess.Popen(
                    args, env=self.env, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE)
                out, err = process.stdout.read(), process.stderr.read()
                _, status, used = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                process.stdout.close()
                process.stderr.close()
                why = (name, command, out, err)
                self.assertLess(time.monotonic() - start,
                                240 if IS_SANITIZED else 60, why)
                self.assertNotIn(b'Sanitizer', err, why)
                if not IS_SANITIZED:
                    self.assertLess(used.ru_maxrss, 200 << 10, why)
                if command[0] != 'add':
                    self.assertIn(process.returncode, (0, 4, 5, 6), why)
                elif code == '-':
                    self.assertEqual(process.returncode, 0, why)
                else:
                    self.assertIn(process.returncode, (4, 5, 6), why)
                    self.assertIn(json.loads(out)['error']['code'],
                                  code.split('|'), why)
                if process.returncode != 0 or command[0] != 'add':
                    self.assertEqual(self.target.read_bytes(), before, why)
                self.assertEqual(os.listdir(self.place), ['boot.wim'], why)
                self.assertEqual(os.listdir(self.temp), [], why)


class Leftover(Damage):
    """Mounts and processes of killed runs."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0 or not fuse_works():
            self.skipTest('mounting needs root and FUSE')

    def processes(self):
        """Those with this test's temporary folder."""
        mine = b'TMPDIR=' + os.fsencode(self.temp)
        found = []
        for name in os.listdir('/proc'):
            try:
                with open(f'/proc/{name}/environ', 'rb') as file:
                    if mine in file.read().split(b'\0'):
                        found.append(name)
            except OSError:
                pass
        return found

    def assert_all_ended(self, why):
        wait_until(lambda: not self.processes(), why)

    def killed(self, env):
        """Runs, killed at moments; gives back how many left a mount."""
        args = [WIMTRUST, 'add', '--access', 'mount', self.target, ROOT_DER]
        shutil.copyfile(WIMS / 'two.wim', self.target)
        old = self.target.read_bytes()
        start = time.monotonic()
        subprocess.run(args, env=env, check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - start
        mounted = 0
        for i in range(0, 40, 3 if IS_SANITIZED else 1):
            shutil.copyfile(WIMS / 'two.wim', self.target)
            process = subprocess.Popen(args, env=env,
                                       stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(took * i / 40)
            process.kill()
            process.wait()
            self.assert_all_ended(i)
            mounted += bool(mounts_below(self.folder))
            if self.target.read_bytes() != old:
                shutil.copyfile(WIMS / 'two.wim', self.target)
            run = self.run_it('add', '--access', 'update', self.target,
                              ROOT_DER)
            self.assertEqual(run.status, 0, run.err)
            self.assertEqual(mounts_below(self.folder), [], i)
            self.assertEqual(os.listdir(self.temp), [], i)
            self.assertEqual(os.listdir(self.place), ['boot.wim'], i)
        return mounted

    def test_private_mounts_and_their_processes_die_with_the_run(self):
        self.assertEqual(self.killed(self.env), 0)

    def test_open_mounts_are_removed_by_the_next_run(self):
        env = {**self.env, 'LD_PRELOAD': FAULTFS, 'WT_FAULT_UNSHARE': '1',
               'ASAN_OPTIONS': 'verify_asan_link_order=0'}
        # An image is mounted for a small part of the run only.
        self.assertTrue(any(self.killed(env) > 0 for _ in range(5)))

    def test_a_live_run_keeps_its_mount(self):
        live = self.temp / 'wimtrust-live01'
        (live / 'mount').mkdir(parents=True)
        live.chmod(0o1700)
        subprocess.run(['mount', '-t', 'tmpfs', 'none', live / 'mount'],
                       check=True)
        (live / 'mount' / 'work').write_text('x')
        shutil.copyfile(WIMS / 'two.wim', self.target)
        lock = os.open(live, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.assertEqual(
            self.run_it('add', self.target, ROOT_DER).status, 0)
        self.assertTrue((live / 'mount' / 'work').exists())
        os.close(lock)
        shutil.copyfile(WIMS / 'two.wim', self.target)
        self.assertEqual(
            self.run_it('add', self.target, ROOT_DER).status, 0)
        self.assertEqual(mounts_below(self.folder), [])
        self.assertEqual(os.listdir(self.temp), [])


if __name__ == '__main__':
    # A bound on what a defect could do to the machine that tests.
    if not IS_SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
    main()
