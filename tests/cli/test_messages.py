# SPDX-License-Identifier: MIT
# test_messages.py: what the program says when something goes wrong. Every
# message names its object and a reason, on one line, with the remedy on a
# second one; the texts in the sources are read as well.
import fcntl
import os
import re
import subprocess

from clitest import (HIVES, ROOT_DER, SOURCE, WIMS, Case, digest, main,
                     make_root, wimtrust)

LINE = re.compile(
    r'wimtrust: (?P<object>.+?): (?P<reason>\S.*) \[(?P<code>[a-z0-9-]+)\]')


class Failures(Case):
    """Failing runs: (what, exit status, code, arguments)."""

    def prepared(self):
        folder = self.folder
        weak = make_root(folder / 'weak.pem', '/CN=Weak', 'rsa:1024')
        text = folder / 'notes.txt'
        text.write_text('no certificate\n')
        empty = folder / 'empty'
        empty.touch()
        iso = folder / 'windows.iso'
        with open(iso, 'wb') as file:
            file.seek(0x8001)
            file.write(b'CD001\1')
            file.truncate(0x10000)
        ber = folder / 'trailing.cer'
        ber.write_bytes(ROOT_DER.read_bytes() + b'x')
        cut = self.copy(WIMS / 'two.wim', 'cut.wim')
        os.truncate(cut, 100000)
        torn = self.copy(HIVES / 'software-1.3', 'torn')
        os.truncate(torn, 8192)
        locked = self.copy(WIMS / 'two.wim', 'read-only.wim')
        locked.chmod(0o444)
        linked = self.copy(WIMS / 'two.wim', 'linked.wim')
        os.link(linked, folder / 'other.wim')
        (folder / 'folder').mkdir()
        key = folder / 'key.pem'
        subprocess.run(['openssl', 'genpkey', '-algorithm', 'ed25519',
                        '-out', key], check=True, stderr=subprocess.DEVNULL)
        pfx = folder / 'cert.pfx'
        subprocess.run(
            ['openssl', 'pkcs12', '-export', '-nokeys', '-passout', 'pass:x',
             '-in', make_root(folder / 'root.pem', '/CN=Root'), '-out', pfx],
            check=True)
        return folder

    def runs(self):
        f = self.prepared()
        wim, hive = self.wim(), self.hive()
        root = ROOT_DER
        return (
            ('wrong path', 7, 'not-found', ['add', f / 'no.wim', root]),
            ('wrong certificate', 7, 'cert-open', ['add', wim, f / 'no.cer']),
            ('ISO', 7, 'iso-read-only', ['add', f / 'windows.iso', root]),
            ('empty target', 4, 'wim-not-a-wim', ['add', f / 'empty', root]),
            ('text as target', 4, 'wim-not-a-wim',
             ['add', f / 'notes.txt', root]),
            ('cut WIM', 4, 'wim-truncated', ['list', f / 'cut.wim']),
            ('cut hive', 5, None, ['list', f / 'torn']),
            ('folder without Windows', 6, 'no-hive', ['list', f / 'folder']),
            ('read-only copy', 7, 'read-only-file',
             ['add', f / 'read-only.wim', root]),
            ('hard link', 7, 'hard-linked',
             ['add', '--commit', 'replace', f / 'linked.wim', root]),
            ('wrong index', 6, 'no-such-image', ['add', '-i', '7', wim, root]),
            ('wrong name', 6, 'no-such-image',
             ['add', '-i', 'Setup', wim, root]),
            ('image of a hive', 6, 'no-such-image',
             ['add', '-i', '2', hive, root]),
            ('no hive', 6, 'no-hive', ['add', WIMS / 'no-hive.wim', root]),
            ('interrupted', 4, 'image-interrupted',
             ['add', '-n', WIMS / 'bad-interrupted.wim', root]),
            ('pipable', 4, 'wim-pipable',
             ['add', '-n', WIMS / 'bad-pipable.wim', root]),
            ('split', 4, 'wim-split', ['add', '-n', WIMS / 'bad-split.swm',
                                       root]),
            ('header read-only', 4, 'wim-read-only-flag',
             ['add', '-n', WIMS / 'bad-read-only.wim', root]),
            ('two hives', 6, 'hive-path-ambiguous',
             ['add', '-n', WIMS / 'bad-ambiguous.wim', root]),
            ('link in the path', 6, 'hive-path-link',
             ['add', '-n', WIMS / 'bad-link-config.wim', root]),
            ('hive a folder', 6, 'hive-is-folder',
             ['add', '-n', WIMS / 'bad-folder.wim', root]),
            ('.pfx', 3, 'cert-pkcs12', ['add', wim, f / 'cert.pfx']),
            ('private key', 3, 'cert-none', ['add', wim, f / 'key.pem']),
            ('text as certificate', 3, 'cert-none',
             ['add', wim, f / 'notes.txt']),
            ('empty certificate', 3, 'cert-empty', ['add', wim, f / 'empty']),
            ('swapped', 3, 'cert-none', ['add', root, wim]),
            ('trailing byte', 3, 'cert-trailing-data',
             ['add', wim, f / 'trailing.cer']),
            ('weak key', 3, 'cert-weak-key', ['add', wim, f / 'weak.pem']),
            ('not there', 1, 'not-found', ['remove', wim, '0' * 40]),
            ('not verified', 1, 'missing', ['verify', wim, root]),
            ('output exists', 7, 'output-exists',
             ['add', '-o', f / 'empty', wim, root]),
            ('output is the target', None, 'output-is-target',
             ['add', '-f', '-o', wim, wim, root]),
            ('no folder for the output', 7, None,
             ['add', '-o', f / 'no' / 'new.wim', wim, root]),
            ('export of nothing', 1, 'not-found', ['export', hive]),
            ('two at once', 2, 'usage',
             ['export', '--format', 'blob', f / 'root.pem', root]),
            ('dirty logs twice', 2, 'usage',
             ['list', '--discard-logs', '--replay-logs', hive]),
            ('no server certificate', 3, 'no-server-cert',
             ['check', hive, root]),
        )

    # What the second line must name for those that people meet most.
    REMEDIES = {
        'wrong path': ['spelling'], 'wrong certificate': ['spelling'],
        'no folder for the output': ['spelling'],
        'ISO': ['-o boot.wim'], 'text as target': ['.wim or .esd'],
        'private key': ['.cer'], 'swapped': ['the order is'],
        '.pfx': ['-nokeys'], 'weak key': ['--allow weak-key'],
        'cut WIM': ['again'], 'cut hive': ['intact'],
        'trailing byte': ['openssl x509'], 'wrong index': ['Image 2'],
        'dirty logs twice': ['--replay-logs keeps'],
    }

    def test_each_is_one_line_with_object_reason_and_remedy(self):
        for what, status, code, args in self.runs():
            with self.subTest(what=what):
                run = wimtrust(*args)
                lines = run.err.splitlines()
                if status is not None:
                    self.assertEqual(run.status, status, run.err)
                self.assertNotEqual(run.status, 0)
                match = LINE.fullmatch(lines[0])
                self.assertIsNotNone(match, run.err)
                self.assertRegex(match['object'], r'[/.]|^[A-Z0-9]|^\w+$')
                self.assertNotRegex(match['reason'], r'[.!]$')
                self.assertEqual(len(lines), 2, run.err)
                self.assertTrue(lines[1].startswith('hint: '), run.err)
                for pattern in self.REMEDIES.get(what, ()):
                    self.assertIn(pattern, lines[1])
                if args[0] != 'export':
                    said = wimtrust(*args, '--json').json['error']
                    self.assertEqual(match['code'], said['code'])
                if code:
                    self.assertEqual(match['code'], code)

    def test_image_in_use_names_who_uses_it(self):
        wim = self.wim()
        with open(wim, 'rb') as holder:
            fcntl.flock(holder, fcntl.LOCK_EX)
            run = wimtrust('add', '--wait', '0', wim, ROOT_DER)
            self.assertEqual(run.status, 7)
            self.assertIn(f'{wim}: is being written by process '
                          f'{os.getpid()}', run.err)
            self.assertIn('--wait SECONDS', run.err.splitlines()[1])
            self.assertEqual(wimtrust('list', wim).status, 0)

    def test_nothing_is_written(self):
        runs = self.runs()
        before = self.state()
        for _, _, _, args in runs:
            wimtrust(*args)
        self.assertEqual(self.state(), before)

    def state(self):
        return {path: (digest(path), path.stat().st_mode,
                       path.stat().st_mtime_ns)
                for path in self.folder.rglob('*') if path.is_file()}


class Sources(Case):
    """Texts that no run above reaches."""

    CALL = re.compile(
        r'\b(?:wt_fail|wt_fail_errno|wt_error_hint|cli_warn)\((.*?)\);',
        re.S)
    LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')

    def texts(self):
        for path in sorted((SOURCE / 'src').rglob('*.c')):
            source = path.read_text(encoding='utf-8')
            for call in self.CALL.finditer(source):
                joined = re.sub(r'"\s*(?:PRIu64\s*)?"', '', call[1])
                for text in self.LITERAL.findall(joined):
                    yield path.name, text

    def test_are_one_line_without_full_stop_or_shouting(self):
        seen = 0
        for name, text in self.texts():
            if ' ' not in text:
                continue
            seen += 1
            with self.subTest(file=name, text=text):
                self.assertNotIn('\\n', text)
                self.assertNotRegex(text, r'[!]|[^.]\.$|\berror\b|\bfailed\b')
                self.assertLess(len(text), 240)
        self.assertGreater(seen, 150)

    def test_codes_are_words(self):
        listed = subprocess.run(
            [SOURCE / 'tests' / 'support' / 'list-codes'], check=True,
            stdout=subprocess.PIPE).stdout.decode().split()
        self.assertGreater(len(listed), 50)
        self.assertIn('cert-weak-key', listed)
        for code in listed:
            self.assertRegex(code, r'^[a-z0-9]+(-[a-z0-9]+)*$')
            self.assertLess(len(code), 32)

    def test_remedies_are_for_codes_that_there_are(self):
        folder = SOURCE / 'src' / 'cli'
        patterns = re.findall(r'^\t\{"([a-z0-9-]+)",',
                              (folder / 'remedy.c').read_text(), re.M)
        self.assertGreater(len(patterns), 30)
        sources = ''.join(
            path.read_text(encoding='utf-8')
            for path in (SOURCE / 'src').rglob('*.c')
            if path.name != 'remedy.c')
        for pattern in patterns:
            rest = '[a-z0-9-]+' if pattern.endswith('-') else ''
            self.assertRegex(sources, f'"{pattern}{rest}"')


if __name__ == '__main__':
    main()
