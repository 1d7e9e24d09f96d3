# SPDX-License-Identifier: MIT
# test_inputs.py: everything that people bring ends up in a hive, with all that
# came with it.
import json
import pathlib
import re
import struct
import subprocess

from clitest import CERTS, HIVES, SOURCE, Case, main, wimtrust

CHAINS = SOURCE / 'testdata' / 'chains'
DEBIAN = pathlib.Path('/etc/ssl/certs/ca-certificates.crt')
MAKE_HIVE = SOURCE / 'tests' / 'support' / 'make-hive'

RSA = 'FE90BFAFF4B43334415D6D74DDBC60F52D306A52'
ISSUING = '8F71878E2D7CA0AFCC301AC566E769B237C5C385'
EC = '89D438775EEA557C4F6BBD82D09136AE5C361A3B'
LEAF = 'E7D6E8F574D79B793F9E335260694B35D2CE7CD2'


def entries(*args):
    """[(store, thumbprint)] of what list or show says."""
    found = wimtrust(*args, '--json').json
    return [(e['store'], e['sha1']) for image in found['images']
            for e in image['entries']]


class Kinds(Case):
    """(file, what goes where, what is left out)"""

    KINDS = (
        ('root-rsa2048.der', [('AuthRoot', RSA)], []),
        ('bundle.pem', [('CA', ISSUING), ('AuthRoot', RSA)], [LEAF]),
        ('bundle-utf16le.pem', [('CA', ISSUING), ('AuthRoot', RSA)], [LEAF]),
        ('bundle.p7b', [('CA', ISSUING), ('AuthRoot', RSA)], [LEAF]),
        ('bundle-pem.p7b', [('CA', ISSUING), ('AuthRoot', RSA)], [LEAF]),
        ('bundle-ber.p7b', [('CA', ISSUING), ('AuthRoot', RSA)], [LEAF]),
        ('three.sst', [('AuthRoot', RSA), ('CA', ISSUING)], [LEAF]),
        ('root.reg', [('AuthRoot', RSA)], []),
        ('root-regedit4.reg', [('AuthRoot', RSA)], []),
        ('root-utf8-bom.reg', [('AuthRoot', RSA)], []),
        ('root-ascii-lf.reg', [('AuthRoot', RSA)], []),
        ('root-winpe-offline.reg', [('AuthRoot', RSA)], []),
        ('root-user.reg', [('AuthRoot', RSA)], []),
        ('two-and-others.reg', [('AuthRoot', RSA), ('CA', ISSUING)], []),
        ('root.blob', [('AuthRoot', RSA)], []),
        ('trusted.pem', [('AuthRoot', RSA)], []),
        ('with-key.pem', [('AuthRoot', EC)], []),
    )

    def test_each_goes_where_it_belongs(self):
        for name, good, refused in self.KINDS:
            with self.subTest(file=name):
                hive = self.hive()
                run = wimtrust('add', '--keep-going', hive, CERTS / name)
                self.assertEqual(run.status, 0, run.err)
                count = re.search(r'(\d+) certificates? added', run.out)
                self.assertEqual(int(count[1]) if count else 0, len(good))
                count = re.search(r'(\d+) (?:certificates? )?refused',
                                  run.out)
                self.assertEqual(int(count[1]) if count else 0, len(refused))
                self.assertEqual(entries('list', hive), sorted(good))
                run = wimtrust('show', CERTS / name)
                for store, sha1 in good:
                    self.assertRegex(
                        run.out, f'SHA-1    {sha1}\n(      .*\n)*'
                        f'      store    {store}: ')
                # The same on standard input.
                data = (CERTS / name).read_bytes()
                run = wimtrust('add', '--keep-going', hive, '-', input=data)
                self.assertEqual(run.status, 0, run.err)
                self.assertIn('(nothing was written)', run.out)

    def test_properties_travel_with_it(self):
        for name in ('root.reg', 'root-user.reg', 'three.sst', 'root.blob'):
            with self.subTest(file=name):
                hive = self.hive()
                wimtrust('add', '--keep-going', hive, CERTS / name)
                listed = wimtrust('list', '--json', hive).json
                entry = listed['images'][0]['entries'][0]
                self.assertEqual(
                    (entry['sha1'], entry['friendly_name'], entry['usages']),
                    (RSA, 'Fabrikam Rööt',
                     'Server Authentication, Code Signing'))
                lines = wimtrust('list', hive).out.splitlines()
                self.assertTrue(lines[1].endswith(
                    'SUBJECT                           NAME           '
                    'LIMITS'), lines[1])
                self.assertIn('  Fabrikam Rööt  only for Server '
                              'Authentication, Code Signing', '\n'.join(lines))
        self.assertEqual(
            wimtrust('export', '--format', 'blob', hive, RSA).raw,
            (CERTS / 'root.blob').read_bytes())

    def test_key_is_never_read_and_that_is_said(self):
        hive = self.hive()
        run = wimtrust('add', hive, CERTS / 'with-key.pem')
        self.assertEqual(run.status, 0)
        self.assertIn('with-key.pem: holds a private key, which was not read',
                      run.err)

    def test_folder_and_duplicates(self):
        folder = self.folder / 'certs'
        folder.mkdir()
        for name in ('bundle.p7b', 'root.reg', 'root-rsa2048.der',
                     'with-key.pem', 'bad-pkcs12.p12', 'bad-text.txt'):
            (folder / name).write_bytes((CERTS / name).read_bytes())
        hive = self.hive()
        run = wimtrust('add', '--keep-going', hive, folder, CERTS / 'root.der',
                       CERTS / 'root.blob')
        self.assertEqual(run.status, 7)
        run = wimtrust('add', '--keep-going', hive, folder,
                       CERTS / 'root.blob')
        self.assertEqual(run.status, 0, run.err)
        self.assertIn('3 certificates added, 1 refused', run.out)
        self.assertIn('bad-text.txt: skipped, ', run.err)
        self.assertEqual(entries('list', hive),
                         [('AuthRoot', EC), ('AuthRoot', RSA),
                          ('CA', ISSUING)])

    def test_what_could_not_be_read_is_refused_for_no_image(self):
        run = wimtrust('add', '-n', '--keep-going', self.wim(),
                       CERTS / 'root.reg', CERTS / 'bad-truncated.der')
        self.assertIn('would add 1 certificate to 2 images, 1 refused '
                      '(dry run', run.out)

    def test_keys_as_other_programs_write_them(self):
        text = (CERTS / 'root.reg').read_bytes().decode('utf-16')
        for root, other in (('HKEY_LOCAL_MACHINE', 'HKLM'),
                            ('HKEY_LOCAL_MACHINE\\SOFTWARE', '')):
            self.assertIn('[%s\\' % root, text)
            run = wimtrust('add', self.hive(), '-', input=text.replace(
                '[' + root, '[' + other).encode())
            self.assertEqual((run.status, run.err), (0, ''))
            self.assertIn('1 certificate added', run.out)
        run = wimtrust('add', self.hive(), '-', input=text.replace(
            '[HKEY', '[-HKEY').encode())
        self.assertEqual(run.status, 3)

    def test_value_under_another_key_is_refused(self):
        hive = self.hive()
        self.assert_fails(
            wimtrust('add', hive, CERTS / 'bad-reg-key-mismatch.reg'), 3,
            f'{CERTS}/bad-reg-key-mismatch.reg, certificate 1: the value '
            f'holds the certificate {RSA}, but its key is named {ISSUING}',
            'export or download it again')

    def test_chain_out_of_order(self):
        hive = self.hive()
        run = wimtrust('add', '--keep-going', hive, CHAINS / 'root.pem',
                       CHAINS / 'backwards.pem')
        self.assertEqual(run.status, 0, run.err)
        run = wimtrust('check', hive, CHAINS / 'backwards.pem')
        self.assertEqual(run.status, 0, run.out)

    def test_other_keys_are_counted_and_named_when_asked(self):
        hive = self.hive()
        reg = CERTS / 'two-and-others.reg'
        run = wimtrust('add', '-n', hive, reg)
        self.assertEqual(run.err, (
            f'wimtrust: warning: {reg}: skipped 3 other keys and 5 other '
            'values, the first HKEY_LOCAL_MACHINE\\SOFTWARE\\Fabrikam '
            '[input-note]\n'))
        run = wimtrust('add', '-n', '-v', hive, reg)
        self.assertEqual(len(run.err.splitlines()), 9)
        self.assertIn('skipped the key -HKEY_LOCAL_MACHINE\\SOFTWARE\\Gone '
                      '[input-note]\n', run.err)


class Distrust(Case):
    def test_export_of_a_hive_is_read_back_into_the_same_stores(self):
        hive = self.hive()
        wimtrust('add', hive, CERTS / 'root.reg', CERTS / 'intermediate.der')
        wimtrust('add', '-s', 'disallowed', hive, CERTS / 'with-key.pem')
        wimtrust('add', '-s', 'trustedpublisher', hive,
                 CERTS / 'root-ec-p521.der')
        exported = wimtrust('export', hive).raw
        other = self.copy(HIVES / 'software-1.3', 'OTHER')
        run = wimtrust('add', other, '-', input=exported)
        self.assertEqual(run.status, 0, run.err)
        self.assertIn('comes from the store Disallowed', run.err)
        self.assertEqual([entry for entry in entries('list', other)
                          if entry[0] != 'TrustedPublisher'],
                         [('AuthRoot', RSA), ('CA', ISSUING),
                          ('Disallowed', EC)])
        self.assertEqual(entries('list', other), entries('list', hive))
        self.assertEqual(wimtrust('export', other).raw, exported)

    def test_what_stands_in_disallowed_too_is_said(self):
        hive = self.hive()
        wimtrust('add', '-s', 'disallowed', hive, CERTS / 'root-rsa2048.der')
        run = wimtrust('add', hive, CERTS / 'root-rsa2048.der')
        self.assertEqual(run.status, 0)
        said = 'is in the store Disallowed too'
        self.assertIn(said, run.err)
        run = wimtrust('verify', '--json', hive, CERTS / 'root-rsa2048.der')
        self.assertEqual(run.status, 1)
        self.assertEqual(run.json['images'][0]['entries'][0]['code'],
                         'cert-disallowed')
        wimtrust('remove', '-s', 'disallowed', hive, RSA)
        self.assertEqual(
            wimtrust('verify', hive, CERTS / 'root-rsa2048.der').err, '')

    def test_distrusting_property_is_found_and_replaced(self):
        hive = self.hive()
        run = wimtrust('add', hive, CERTS / 'distrusted.blob')
        self.assertIn('tells Windows to distrust it', run.err)
        run = wimtrust('verify', '--json', hive, CERTS / 'root-rsa2048.der')
        self.assertEqual(run.status, 1)
        self.assertEqual(run.json['images'][0]['entries'][0]['code'],
                         'cert-distrusted')
        run = wimtrust('add', hive, CERTS / 'root-rsa2048.der')
        self.assertIn('replaced in AuthRoot\n', run.out)
        run = wimtrust('verify', hive, CERTS / 'root-rsa2048.der')
        self.assertEqual((run.status, run.err), (0, ''))


class Refusals(Case):
    def test_one_of_several_refuses_all_and_names_each(self):
        hive = self.hive()
        files = [CERTS / name for name in (
            'root.reg', 'expired.der', 'weak-rsa1024.der')]
        run = wimtrust('add', '--json', hive, *files)
        self.assertEqual((run.status, run.json['images']), (3, []))
        self.assertEqual(run.json['error']['code'], 'cert-expired')
        self.assertIn('--allow expired', run.json['error']['hint'])
        self.assertTrue(run.json['error']['hint'].startswith(
            '--keep-going adds the good ones (1); '))
        self.assertEqual([w['code'] for w in run.json['warnings']],
                         ['cert-weak-key'])
        self.assertRegex(run.json['warnings'][0]['message'],
                         r'also refused: .* \(thumbprint [0-9A-F]{40}\), in '
                         r'/.*/weak-rsa1024.der$')
        self.assertEqual(entries('list', hive), [])
        run = wimtrust('add', '--json', '--keep-going', hive, *files)
        self.assertEqual(run.status, 0)
        self.assertEqual(
            [(e['action'], e['code'])
             for e in run.json['images'][0]['entries']],
            [('added', None), ('refused', 'cert-expired'),
             ('refused', 'cert-weak-key')])
        # Nothing good is left: that is a failure, --keep-going or not.
        run = wimtrust('add', '--keep-going', hive, *files[1:])
        self.assertEqual(run.status, 3)
        self.assertNotIn('--keep-going', run.err)


class Places(Case):
    """The stores that policies and the enterprise fill."""

    def made(self):
        hive = self.folder / 'PLACES'
        blob = self.folder / 'value'
        words = []
        for file, sha1, store in (
                ('root.pem', None, 'Policies\\Microsoft\\SystemCertificates'
                 '\\Root'),
                ('inter.pem', None, 'Microsoft\\EnterpriseCertificates\\CA')):
            blob = self.folder / (file + '.blob')
            blob.write_bytes(wimtrust('export', '--format', 'blob',
                                      CHAINS / file).raw)
            sha1 = wimtrust('show', '--json', CHAINS / file).json[
                'certificates'][0]['sha1']
            words += ['--entry', f'{store}:{sha1}:{blob}']
        subprocess.run([MAKE_HIVE, '--keys', '200', *words, hive], check=True)
        return hive

    def test_list_says_which(self):
        run = wimtrust('list', self.made())
        self.assertEqual(
            [line.split('  ')[1] for line in run.out.splitlines()[2:]],
            ['ROOT (policy)', 'CA (enterprise)'])

    def test_check_trusts_them_and_says_which(self):
        run = wimtrust('check', '--json', self.made(), CHAINS / 'server.pem')
        self.assertEqual(run.status, 0, run.err)
        self.assertEqual(
            [link['source'] for link in run.json['images'][0]['chain']],
            ['server', 'CA (enterprise)', 'ROOT (policy)'])

    def test_remove_takes_them_out(self):
        hive = self.made()
        run = wimtrust('remove', hive, CHAINS / 'root.pem')
        self.assertEqual(run.status, 0, run.err)
        self.assertIn('removed from ROOT (policy)\n', run.out)
        self.assertEqual(wimtrust('remove', hive, CHAINS / 'root.pem').status,
                         1)
        self.assertEqual(len(entries('list', hive)), 1)


class Many(Case):
    def test_roots_of_debian(self):
        if not DEBIAN.exists():
            self.skipTest('ca-certificates is not installed')
        count = DEBIAN.read_text().count('BEGIN CERTIFICATE')
        hive = self.hive()
        run = wimtrust('add', '--keep-going', '--json', hive, DEBIAN)
        self.assertEqual(run.status, 0, run.err)
        actions = [e['action'] for e in run.json['images'][0]['entries']]
        self.assertEqual(len(actions), count)
        self.assertGreater(actions.count('added'), count - 20)
        found = entries('list', hive)
        self.assertEqual(len(found), actions.count('added'))
        self.assertEqual(found, sorted(found))
        pem = wimtrust('list', '--pem', hive).raw
        run = wimtrust('verify', hive, '-', input=pem)
        self.assertEqual(run.status, 0, run.err)
        run = wimtrust('remove', '-q', hive, '-', input=pem)
        self.assertEqual(run.status, 0, run.err)
        self.assertEqual(entries('list', hive), [])

    def test_store_of_500(self):
        """Issued certificates that differ in their serial numbers."""
        der = (CERTS / 'intermediate.der').read_bytes()
        info = json.loads(wimtrust('show', '--json', CERTS /
                                   'intermediate.der').raw)
        serial = bytes.fromhex(info['certificates'][0]['serial'])
        self.assertEqual(der.count(serial), 1)
        store = struct.pack('<I4s', 0, b'CERT')
        for i in range(500):
            name = f'Nr. {i}\0'.encode('utf-16-le')
            one = der.replace(serial, serial[:-2] + struct.pack('>H', i))
            store += struct.pack('<III', 0x0B, 1, len(name)) + name
            store += struct.pack('<III', 0x20, 1, len(one)) + one
        file = self.folder / 'wu.sst'
        file.write_bytes(store + bytes(12))
        hive = self.hive()
        run = wimtrust('add', '-q', hive, file)
        self.assertEqual(run.status, 0, run.err)
        listed = wimtrust('list', '--json', hive).json['images'][0]['entries']
        self.assertEqual(len(listed), 500)
        self.assertEqual({e['friendly_name'] for e in listed},
                         {f'Nr. {i}' for i in range(500)})
        exported = wimtrust('export', hive).raw
        other = self.copy(HIVES / 'software-1.3', 'OTHER')
        run = wimtrust('add', '-q', other, '-', input=exported)
        self.assertEqual(run.status, 0, run.err)
        self.assertEqual(wimtrust('export', other).raw, exported)


if __name__ == '__main__':
    main()
