# SPDX-License-Identifier: MIT
# test_boot.py: a header that says twice which image starts, and not the same.
import os
import shutil
import struct
import subprocess

from clitest import ROOT_DER, WIMS, Case, main, wimtrust

METADATA = 0x02
FIELD = slice(96, 120)
INDEX = slice(120, 124)


def metadata_of(data):
    """The entries of all images' metadata, as a header has them."""
    size, offset = struct.unpack_from('<QQ', data, 48)
    assert size >> 56 & 4 == 0, 'a compressed blob table'
    size &= (1 << 56) - 1
    table = data[offset:offset + size]
    entries = [table[at:at + 24] for at in range(0, size, 50)]
    return [entry for entry in entries if entry[7] & METADATA]


class Boot(Case):
    def setUp(self):
        super().setUp()
        self.target = self.folder / 'boot.wim'
        self.two = (WIMS / 'two.wim').read_bytes()
        self.images = metadata_of(self.two)
        self.assertEqual(len(self.images), 2)

    def make(self, index, field):
        data = bytearray(self.two)
        data[FIELD] = field
        data[INDEX] = struct.pack('<I', index)
        self.target.write_bytes(data)

    def assert_right(self, path, index):
        data = path.read_bytes()
        self.assertEqual(data[INDEX], struct.pack('<I', index))
        field = data[FIELD]
        meant = metadata_of(data)[index - 1] if index else bytes(24)
        self.assertEqual(field, meant)
        subprocess.run(['wimlib-imagex', 'verify', path], check=True,
                       capture_output=True)

    def wrong(self):
        return ((2, self.images[0]), (1, self.images[1]), (1, bytes(24)))

    def warnings(self, *args):
        run = wimtrust(*args, '--json')
        return run.status, [warning['code'] for warning in
                            run.json['warnings']]

    def test_that_is_right_is_not_warned_of(self):
        for index, field in ((1, self.images[0]), (2, self.images[1]),
                             (0, bytes(24))):
            self.make(index, field)
            status, warnings = self.warnings('list', self.target)
            self.assertEqual(status, 0)
            self.assertNotIn('boot-metadata', warnings)

    def test_that_is_wrong_is_warned_of_and_left(self):
        for index, field in self.wrong():
            self.make(index, field)
            before = self.target.read_bytes()
            for args in (['list', self.target], ['info', self.target],
                         ['verify', self.target, ROOT_DER],
                         ['add', '-n', self.target, ROOT_DER]):
                _, warnings = self.warnings(*args)
                self.assertIn('boot-metadata', warnings, args)
            self.assertEqual(self.target.read_bytes(), before)

    def test_that_is_wrong_is_put_right(self):
        """Also when nothing else changes."""
        for options in ([], ['--commit', 'append'], ['--rebuild'],
                        ['-o', self.folder / 'new.wim'], ['--backup']):
            for index, field in self.wrong():
                why = (options, index)
                # With the certificate, and then the field made wrong.
                shutil.copyfile(WIMS / 'two.wim', self.target)
                wimtrust('add', '--access', 'update', self.target, ROOT_DER)
                self.two = self.target.read_bytes()
                self.images = metadata_of(self.two)
                images = {bytes(24): bytes(24)}
                images.update(zip(metadata_of((WIMS / 'two.wim').read_bytes()),
                                  self.images))
                self.make(index, images.get(field, field))
                before = self.target.read_bytes()
                status, warnings = self.warnings(
                    'add', '--access', 'update', *options, self.target,
                    ROOT_DER)
                self.assertEqual(status, 0, why)
                self.assertIn('boot-metadata', warnings)
                result = self.target
                if '-o' in options:
                    result = options[1]
                    self.assertEqual(self.target.read_bytes(), before)
                self.assert_right(result, index)
                if '--rebuild' not in options:
                    self.assertEqual(len(result.read_bytes()), len(before))
                if '--backup' in options:
                    backup = self.folder / 'boot.wim.bak'
                    self.assertEqual(backup.read_bytes(), before)
                    backup.unlink()
                self.assertEqual(
                    wimtrust('verify', result, ROOT_DER).status, 0)
                done = result.read_bytes()
                again = wimtrust('add', '--access', 'update', result,
                                 ROOT_DER)
                self.assertEqual(again.status, 0)
                self.assertNotIn('boot-metadata', again.err)
                self.assertEqual(result.read_bytes(), done)
                if '-o' in options:
                    os.unlink(result)

    def test_that_is_wrong_is_put_right_with_a_new_hive(self):
        for options in ([], ['--commit', 'append'], ['--rebuild']):
            for access in ('update', 'auto'):
                for index, field in self.wrong():
                    self.make(index, field)
                    status, warnings = self.warnings(
                        'add', '--access', access, *options, self.target,
                        ROOT_DER)
                    self.assertEqual(status, 0)
                    self.assertIn('boot-metadata', warnings)
                    self.assert_right(self.target, index)

    def test_without_a_number_is_left_where_nothing_else_changes(self):
        shutil.copyfile(WIMS / 'two.wim', self.target)
        wimtrust('add', '--access', 'update', self.target, ROOT_DER)
        self.two = self.target.read_bytes()
        new = self.folder / 'new.wim'
        self.make(0, metadata_of(self.two)[0])
        before = self.target.read_bytes()
        for options in ([], ['--commit', 'append'], ['--backup'],
                        ['-o', new]):
            status, warnings = self.warnings(
                'add', '--access', 'update', *options, self.target, ROOT_DER)
            self.assertEqual(status, 0)
            self.assertIn('boot-metadata', warnings)
            self.assertEqual(self.target.read_bytes(), before)
        self.assertEqual(new.read_bytes(), before)

    def test_without_a_number_is_taken_out_with_a_new_hive(self):
        for options in ([], ['--commit', 'append'], ['--rebuild']):
            for access in ('update', 'auto'):
                self.make(0, self.images[0])
                run = wimtrust('add', '--access', access, *options,
                               self.target, ROOT_DER)
                self.assertEqual(run.status, 0)
                self.assertIn('[boot-metadata]', run.err)
                self.assertIn('took that out', run.err)
                self.assert_right(self.target, 0)


if __name__ == '__main__':
    main()
