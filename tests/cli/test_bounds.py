# SPDX-License-Identifier: MIT
# test_bounds.py: how much memory files may make the program take that are made
# to take much.
import os
import struct
import subprocess
import time

from clitest import (HIVES, IS_SANITIZED, ROOT_DER, WIMS, WIMTRUST, Case,
                     environment, main, skip, wimtrust)
import regf

MB = 1 << 20


def processes(session):
    for name in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{name}/stat') as file:
                if int(file.read().rsplit(')', 1)[1].split()[3]) == session:
                    yield f'/proc/{name}'
        except (OSError, IndexError):
            continue


def memory_of(session):
    """What its processes have of their own, and the files in memory that they
    share."""
    own, shared = 0, {}
    for process in processes(session):
        try:
            with open(process + '/status') as file:
                own += sum(int(line.split()[1]) * 1024 for line in file
                           if line.startswith('RssAnon:'))
            for name in os.listdir(process + '/fd'):
                path = f'{process}/fd/{name}'
                if os.readlink(path).startswith('/memfd:'):
                    found = os.stat(path)
                    shared[found.st_ino] = found.st_blocks * 512
        except OSError:
            continue
    return own + sum(shared.values())


def with_bins(hive, length, mark):
    """The hive with so many bytes of free bins, which compress to nothing."""
    end = struct.unpack_from('<I', hive, 40)[0]
    parts = [hive[:4096 + end]]
    for at in range(end, end + length, MB):
        page = bytearray(MB)
        struct.pack_into('<4sIIQQI', page, 0, b'hbin', at, MB, 0, 0, 0)
        struct.pack_into('<iB', page, 32, MB - 32, mark)
        parts.append(bytes(page))
    whole = bytearray(b''.join(parts))
    struct.pack_into('<I', whole, 40, end + length)
    regf.set_checksum(whole)
    return whole


class Bounds(Case):
    def measure(self, *args, status=0):
        """The most memory that the run takes at a time."""
        temp = self.folder / 'tmp'
        temp.mkdir(exist_ok=True)
        peak = 0
        process = subprocess.Popen(
            [WIMTRUST, *map(os.fspath, args)], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment(TMPDIR=os.fspath(temp)))
        while process.poll() is None:
            peak = max(peak, memory_of(process.pid))
            time.sleep(0.002)
        self.said = process.stdout.read().decode()
        process.stdout.close()
        self.assertEqual(process.returncode, status, self.said)
        self.assertEqual(os.listdir(temp), [])
        return peak

    def wim(self, count, files):
        """An image for each i below count, with what files(i) gives."""
        target = self.folder / 'boot.wim'
        config = self.folder / 'root' / 'Windows' / 'System32' / 'config'
        config.mkdir(parents=True)
        for i in range(count):
            for name, data in files(i).items():
                (config / name).write_bytes(data)
            subprocess.run(
                ['wimlib-imagex', 'append' if i else 'capture',
                 self.folder / 'root', target, f'image {i}', '--no-acls',
                 *([] if i else ['--compress=XPRESS', '--boot'])],
                check=True, stdout=subprocess.DEVNULL)
        return target


class Hives(Bounds):
    COUNT, LEN = 5, 24 * MB
    # Three times the longest and 64 MB, however many there are.
    MOST = 3 * (LEN + MB) + 64 * MB

    def setUp(self):
        super().setUp()
        hive = (HIVES / 'software-1.3').read_bytes()
        self.target = self.wim(self.COUNT, lambda i: {
            'SOFTWARE': with_bins(hive, self.LEN, i + 1)})

    def test_readers_take_a_few_at_a_time(self):
        for args, status in ((['list'], 0), (['info'], 0),
                             (['verify', ROOT_DER], 1)):
            args.insert(1, self.target)
            peak = self.measure(*args, status=status)
            self.assertGreater(peak, self.LEN)
            # Fewer than a writer: each is there only once.
            self.assertLess(peak, 2 * self.LEN + 32 * MB, args)

    def test_writers_take_a_few_at_a_time(self):
        args = ['add', '--access', 'update', self.target, ROOT_DER]
        self.assertLess(self.measure(*args, '--dry-run'), self.MOST)
        self.assertLess(self.measure(*args), self.MOST)
        self.assertEqual(wimtrust('verify', self.target, ROOT_DER).status, 0)
        subprocess.run(['wimlib-imagex', 'verify', self.target], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        output = self.folder / 'rebuilt.wim'
        self.assertLess(
            self.measure('remove', '--rebuild', '-o', output, self.target,
                         ROOT_DER), self.MOST)
        self.assertEqual(wimtrust('verify', output, ROOT_DER).status, 1)


class Logs(Bounds):
    def target(self, is_dirty, length):
        hive = bytearray((HIVES / 'software-1.3').read_bytes())
        base = bytearray(hive[:512])
        struct.pack_into('<I', base, 28, 6)
        regf.set_checksum(base)
        log = bytes(base) + bytes(length - len(base))
        if is_dirty:
            struct.pack_into('<I', hive, 4, 8)
            regf.set_checksum(hive)

        def files(i):
            hive[-1] = i
            return {'SOFTWARE': hive, 'SOFTWARE.LOG': log,
                    'SOFTWARE.LOG1': log, 'SOFTWARE.LOG2': log}

        return self.wim(8, files)

    def test_of_clean_hives_are_not_taken_out(self):
        target = self.target(False, 24 * MB)
        self.assertLess(self.measure('list', target), 24 * MB)
        self.assertLess(self.measure('add', target, ROOT_DER), 64 * MB)

    def test_of_dirty_hives_are_taken_out_one_hive_at_a_time(self):
        target = self.target(True, 31 * MB)
        self.assertLess(self.measure('list', target), 200 * MB)
        self.assertLess(self.measure('add', target, ROOT_DER, '--discard-logs'),
                        200 * MB)

    def test_longer_than_any_are_not_taken_out(self):
        target = self.target(True, 33 * MB)
        self.assertLess(self.measure('list', target), 24 * MB)
        self.assertIn('longer than any', self.said)


class Xml(Bounds):
    def with_xml(self, text):
        data = bytearray((WIMS / 'none.wim').read_bytes())
        size, offset = struct.unpack_from('<QQ', data, 72)
        size &= (1 << 56) - 1
        xml = data[offset:offset + size]
        end = xml.rindex('</WIM>'.encode('utf-16-le'))
        xml[end:end] = text.encode('utf-16-le')
        struct.pack_into('<QQQ', data, 72, len(xml) | 2 << 56, len(data),
                         len(xml))
        target = self.folder / 'xml.wim'
        target.write_bytes(data + xml)
        return target

    def test_of_no_real_length_is_not_read(self):
        target = self.with_xml('<A/>' * (6 * MB))
        self.assertLess(self.measure('list', target, status=4), 24 * MB)
        self.assertIn('XML data has', self.said)
        self.assertIn('[wim-damaged]', self.said)

    def test_longer_than_any_real_one_takes_little(self):
        target = self.with_xml('<A/>' * (3 * MB // 8))
        self.assertLess(self.measure('list', target), 200 * MB)

    def test_that_takes_minutes_to_parse_is_refused(self):
        names = ''.join(f' a{i}=""' for i in range(100000))
        for text, code in [(f'<A{names}/>', 'wim-unsupported'),
                           ('<!--' + '--a' * 500000 + '-->', 'wim-damaged')]:
            with self.subTest(code):
                target = self.with_xml(text)
                started = time.monotonic()
                self.measure('list', target, status=4)
                self.assertLess(time.monotonic() - started, 3)
                self.assertIn(f'[{code}]', self.said)
                self.assertIn('hint: ', self.said)


if __name__ == '__main__':
    if IS_SANITIZED:
        skip('sanitizers keep memory of their own')
    main()
