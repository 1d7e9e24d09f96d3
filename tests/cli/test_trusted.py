# SPDX-License-Identifier: MIT
# test_trusted.py: nothing becomes trusted by accident: what a folder offers,
# the store of an entry, unusual roots, and who is asked.
import os

import odd_inputs as odd
from clitest import Case, main, wimtrust
import regf  # noqa: E402

make = odd.make
HTML = b'<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n'
LFS = (b'version https://git-lfs.github.com/spec/v1\noid sha256:' + b'4d' * 32 +
       b'\nsize 1285\n')
LOCAL = 'HKEY_LOCAL_MACHINE\\SOFTWARE'
KEY = make.Key('EC', 'ec_paramgen_curve:P-256')


def reg(der, store, root=LOCAL, middle='\\Microsoft'):
    """An export of one entry; make.section() has Microsoft in it."""
    text = make.V5 + make.section(
        make.thumbprint(der), make.blob(der), root, store)
    return make.utf16(make.crlf(text.replace(
        '\\Microsoft\\System', middle + '\\System', 1)))


def entries(hive):
    found = wimtrust('list', '--json', hive).json
    return [(e['store'], e['sha1']) for e in found['images'][0]['entries']]


class Folders(Case):
    def setUp(self):
        super().setUp()
        self.certs = self.folder / 'certs'
        self.certs.mkdir()
        (self.certs / 'A.pem').write_text(odd.pem(odd.ROOT))

    def put(self, name, data):
        path = self.certs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def test_what_claims_to_hold_certificates_and_holds_none(self):
        claims = {
            'issuing.cer': (HTML, 'a web page'),
            'root2.cer': (LFS, 'a Git LFS pointer'),
            'root3.crt': (b'', 'it is empty'),
            'root4.der': (b'\0' * 300, 'there is no certificate'),
            'ROOT5.CER': (b'no', 'there is no certificate'),
            'root6.p7b': (b'<?xml version="1.0"?><a/>', 'XML'),
            'root7.p7c': (b'{"error": 403}', 'JSON'),
            'root8.spc': (b'MZ\x90\0' + bytes(99), 'a Windows program'),
            'root9.sst': (b'PK\3\4' + bytes(99), 'a .zip archive'),
            'root10.reg': ((odd.CERTS / 'bad-reg-none.reg').read_bytes(),
                           'no certificate in this registry export'),
            'key.cer': ((odd.CERTS / 'bad-private-key.pem').read_bytes(),
                        'a private key'),
            'authroot.stl': (odd.signed(
                '1.3.6.1.4.1.311.10.1',
                odd.trust_list('1.3.6.1.4.1.311.10.3.9'), odd.ROOT2),
                'a certificate trust list'),
            'cut.crt': (odd.pem(odd.ROOT2).encode()[:500], 'no END line'),
        }
        # These do not claim to.
        for name, data in (
                ('README.txt', b'Hello\n'), ('A.crl', b'x'),
                ('.gitkeep', b''), ('login.html', HTML), ('data', LFS),
                ('key.pem', (odd.CERTS / 'bad-private-key.pem').read_bytes()),
                ('crl.pem', (odd.CERTS / 'bad-crl.pem').read_bytes()),
                ('site.pfx', (odd.CERTS / 'bad-pkcs12.p12').read_bytes()),
                ('driver.cat', odd.signed(
                    '1.3.6.1.4.1.311.10.1',
                    odd.trust_list('1.3.6.1.4.1.311.12.1.1'), odd.ROOT2))):
            self.put(name, data)
        hive = self.hive()
        run = wimtrust('add', '-n', hive, self.certs)
        self.assertEqual(run.status, 0, run.err)
        self.assertEqual(run.err.count(': skipped, '), 9)
        self.assertIn('driver.cat: skipped, it is a catalogue of signed files',
                      run.err)
        for name, (data, what) in claims.items():
            with self.subTest(name=name):
                self.put(name, data)
                run = wimtrust('add', '-q', hive, self.certs)
                self.assertEqual(run.status, 3)
                self.assertIn(name, run.err.splitlines()[0])
                self.assertIn(what, run.err)
                os.unlink(self.certs / name)
        for name, (data, _) in claims.items():
            self.put(name, data)
        run = wimtrust('add', '--json', hive, self.certs)
        self.assertEqual(run.status, 3)
        self.assertEqual(len(run.json['refused']), len(claims))
        self.assertEqual(entries(hive), [])
        run = wimtrust('add', '--keep-going', hive, self.certs)
        self.assertEqual(run.status, 0, run.err)
        self.assertIn(f'1 certificate added, {len(claims)} refused', run.out)
        for name in claims:
            self.assertIn(f'refused  {self.certs}/{name}', run.out)
        self.assertEqual(entries(hive),
                         [('AuthRoot', make.thumbprint(odd.ROOT))])

    def test_folders_in_a_folder(self):
        self.put('win/B.crt', odd.ROOT2)
        self.put('win/deep/C.cer', odd.MIDDLE)
        self.put('.git/D.cer', HTML)
        (self.certs / 'link').symlink_to(self.certs / 'win')
        hive = self.hive()
        run = wimtrust('add', '-n', hive, self.certs)
        self.assertEqual(run.status, 0)
        self.assertIn('2 folders in it are not searched, the first '
                      f'{self.certs}/link; --recursive searches them', run.err)
        self.assertIn('would add 1 certificate', run.out)
        for option in ('-r', '--recursive'):
            run = wimtrust('add', '-n', option, hive, self.certs)
            self.assertEqual(run.status, 0, run.err)
            self.assertIn('would add 3 certificates', run.out)
            self.assertIn('1 folder in it is not searched', run.err)
        os.unlink(self.certs / 'A.pem')
        run = wimtrust('add', '-n', hive, self.certs)
        self.assertEqual(run.status, 3)
        self.assertIn('hint: --recursive searches', run.err)
        self.assertEqual(
            wimtrust('add', '-n', '--recursive', hive, self.certs).status, 0)
        self.put('win/bad.cer', HTML)
        self.assertEqual(
            wimtrust('show', '-r', self.certs).status, 3)

    def test_file_that_cannot_be_read_is_listed(self):
        (self.certs / 'gone.cer').symlink_to('nowhere')
        hive = self.hive()
        run = wimtrust('add', hive, self.certs)
        self.assertEqual(run.status, 7)
        self.assertIn('gone.cer: cannot be opened', run.err)
        run = wimtrust('add', '--keep-going', hive, self.certs)
        self.assertEqual(run.status, 0, run.err)
        self.assertIn('1 certificate added, 1 refused', run.out)


class Origins(Case):
    SHA1 = make.thumbprint(odd.ROOT)

    def add(self, data, *options):
        hive = self.hive()
        path = self.folder / 'entry.reg'
        path.write_bytes(data)
        return wimtrust('add', *options, hive, path), hive

    def test_store_without_trust_for_tls_needs_store(self):
        cases = [(reg(odd.ROOT, store), store) for store in (
            'My', 'MY', 'AddressBook', 'SmartCardRoot', 'TestSignRoot',
            'Remote Desktop', 'Trust', 'ClientAuthIssuer', 'WebHosting')]
        cases += [(reg(odd.ROOT, store, middle='\\Microsoft\\Cryptography\\'
                       'Services\\NTDS'), f'{store} of the service NTDS')
                  for store in ('My', 'Root', 'AuthRoot', 'CA')]
        cases.append((reg(odd.ROOT, 'My', 'HKEY_CURRENT_USER\\Software'),
                      'My'))
        cases.append((reg(odd.ROOT, 'SmartCardRoot',
                          middle='\\Policies\\Microsoft'), 'SmartCardRoot'))
        for data, name in cases:
            with self.subTest(store=name):
                run, hive = self.add(data)
                self.assertEqual(run.status, 3)
                self.assertIn(f'it comes from the store {name}, '
                              'which gives no trust for TLS', run.err)
                self.assertIn('--store authroot', run.err)
                self.assertEqual(entries(hive), [])
                run, hive = self.add(data, '--store', 'authroot')
                self.assertEqual(run.status, 0)
                self.assertIn(f'it comes from the store {name}', run.err)
                self.assertIn('[cert-other-store]', run.err)
                self.assertEqual(entries(hive), [('AuthRoot', self.SHA1)])

    def test_stores_that_are_ours_are_followed(self):
        for store, root, middle, where, warned in (
                ('ROOT', LOCAL, '\\Microsoft', 'AuthRoot', False),
                ('AuthRoot', LOCAL, '\\Microsoft', 'AuthRoot', False),
                ('Root', LOCAL, '\\Policies\\Microsoft', 'AuthRoot', False),
                ('root', 'HKEY_LOCAL_MACHINE\\winpe-offline', '\\Microsoft',
                 'AuthRoot', False),
                ('CA', LOCAL, '\\Microsoft', 'CA', True),
                ('TrustedPeople', LOCAL, '\\Microsoft', 'TrustedPeople',
                 False),
                ('Disallowed', LOCAL, '\\Microsoft', 'Disallowed', True),
                ('Root', 'HKEY_CURRENT_USER\\Software', '\\Microsoft',
                 'AuthRoot', True),
                ('AuthRoot', 'HKEY_USERS\\S-1-5-21-1\\Software',
                 '\\Microsoft', 'AuthRoot', True)):
            with self.subTest(store=store, root=root):
                run, hive = self.add(reg(odd.ROOT, store, root, middle))
                self.assertEqual(run.status, 0, run.err)
                self.assertEqual(entries(hive), [(where, self.SHA1)])
                self.assertEqual('it comes from' in run.err, warned,
                                 run.err)

    def test_the_same_certificate_given_itself_is_consent(self):
        hive = self.hive()
        path, plain = self.folder / 'a.reg', self.folder / 'a.cer'
        path.write_bytes(reg(odd.ROOT, 'My'))
        plain.write_bytes(odd.ROOT)
        for files in ((path, plain), (plain, path)):
            run = wimtrust('add', '-n', hive, *files)
            self.assertEqual(run.status, 0, run.err)
            self.assertNotIn('My', run.err)

    def test_root_in_root_is_trusted_there(self):
        for option in ('root', 'authroot'):
            hive = self.hive()
            cert = self.folder / 'root.cer'
            cert.write_bytes(odd.ROOT)
            wimtrust('add', '-s', option, hive, cert)
            before = hive.read_bytes()
            run = wimtrust('add', hive, cert)
            self.assertEqual(run.status, 0)
            self.assertRegex(run.out, f'(?i)unchanged in {option}')
            self.assertEqual(hive.read_bytes(), before)
            run = wimtrust('verify', '--json', hive, cert)
            self.assertEqual(run.status, 0, run.out)
            entry = run.json['images'][0]['entries'][0]
            self.assertEqual(entry['store'].lower(), option)
        # Asked for, it is made, and missed.
        hive = self.hive()
        wimtrust('add', '-s', 'root', hive, cert)
        self.assertEqual(
            wimtrust('verify', '-s', 'authroot', hive, cert).status, 1)
        run = wimtrust('add', '-s', 'authroot', hive, cert)
        self.assertIn('added to AuthRoot', run.out)
        self.assertEqual(len(entries(hive)), 2)

    def test_root_that_is_limited_in_root_is_added(self):
        hive = self.hive()
        cert = self.folder / 'root.cer'
        cert.write_bytes(odd.ROOT)
        wimtrust('add', '-s', 'root', hive, odd.CERTS / 'distrusted.blob')
        run = wimtrust('add', hive, cert)
        self.assertIn('added to AuthRoot', run.out)


class OddRoots(Case):
    def test_root_with_a_bad_signature(self):
        hive = self.hive()
        bad = odd.CERTS / 'bad-signature.der'
        run = wimtrust('add', hive, bad)
        self.assertEqual(run.status, 3)
        self.assertIn('its own signature does not verify', run.err)
        self.assertIn('[cert-bad-signature]', run.err)
        self.assertIn('--allow bad-signature adds it anyway', run.err)
        run = wimtrust('show', bad)
        self.assertEqual(run.status, 0)
        self.assertIn('its own signature does not verify', run.out)
        store = self.folder / 'list.sst'
        store.write_bytes(make.sst(
            make.blob(odd.ROOT), make.blob(bad.read_bytes()),
            make.blob(odd.ROOT2)))
        run = wimtrust('add', '-n', '--keep-going', hive, store)
        self.assertEqual(run.status, 0, run.err)
        self.assertIn('would add 2 certificates, 1 refused', run.out)
        self.assertIn('list.sst, certificate 2', run.out)
        run = wimtrust('add', '--allow', 'bad-signature', hive, store)
        self.assertEqual(run.status, 0, run.err)
        self.assertIn('3 certificates added', run.out)
        self.assertIn('its own signature does not verify', run.err)
        run = wimtrust('list', '--json', hive)
        self.assertEqual([e['action'] for e in
                          run.json['images'][0]['entries']], 3 * ['present'])
        self.assertEqual(wimtrust('verify', hive, bad).status, 0)

    def test_root_that_nothing_says_who_signed(self):
        """The same without an authority key identifier."""
        root = make.certificate('Odd Root', KEY, aki=False)
        root = root[:-1] + bytes([root[-1] ^ 1])
        for store in ('auto', 'root', 'authroot'):
            hive = self.hive()
            run = wimtrust('add', '-s', store, hive, '-', input=root)
            self.assertEqual(run.status, 3)
            self.assertIn('[cert-bad-signature]', run.err)
            self.assertIn('--allow bad-signature', run.err)
            run = wimtrust('add', '-s', store, '--allow', 'bad-signature',
                           hive, '-', input=root)
            self.assertEqual(run.status, 0, run.err)
            self.assertIn('its own key did not sign it', run.err)
            self.assertEqual(entries(hive)[0][0].lower(),
                             'authroot' if store == 'auto' else store)
        hive = self.hive()
        run = wimtrust('add', '-s', 'ca', hive, '-', input=root)
        self.assertEqual(run.status, 0, run.err)

    def test_keys_that_cannot_be_used_are_reasons(self):
        rsa = make.RSA + '1'
        empty = {
            'modulus 0': make.seq(
                make.seq(make.oid(rsa), make.NULL), make.bits(make.seq(
                    make.integer(0), make.integer(65537)))),
            'modulus 0, exponent 0': make.seq(
                make.seq(make.oid(rsa), make.NULL), make.bits(make.seq(
                    make.integer(0), make.integer(0)))),
            'no key': make.seq(
                make.seq(make.oid(rsa), make.NULL), make.bits(b'')),
            'no point': make.seq(
                make.seq(make.oid('1.2.840.10045.2.1'),
                         make.oid('1.2.840.10045.3.1.7')),
                make.bits(b'\4' + bytes(64))),
        }
        good = make.thumbprint(odd.ROOT)
        for name, spki in empty.items():
            with self.subTest(key=name):
                der = make.certificate('Odd', KEY, spki=spki)
                run = wimtrust('show', '-', input=der)
                self.assertEqual(run.status, 3)
                self.assertNotIn('memory', run.err)
                self.assertIn('public key', run.err)
                # In a hive it hides nothing.
                hive = self.hive_with(der)
                run = wimtrust('list', '--json', hive)
                self.assertEqual(run.status, 0, run.err)
                self.assertEqual(
                    sorted((e['key_name'], e['action'])
                           for e in run.json['images'][0]['entries']),
                    sorted([(good, 'present'),
                            (make.thumbprint(der), 'unsound')]))
                for command in ('info', 'export'):
                    self.assertEqual(wimtrust(command, hive).status, 0)
                run = wimtrust('add', hive, odd.CERTS / 'root-ec-p256.der')
                self.assertEqual(run.status, 0, run.err)
        for oid in ('2.16.840.1.101.3.4.3.17', '1.2.3.4', '1.3.101.110',
                    '1.2.840.113549.1.3.1'):
            with self.subTest(key=oid):
                der = make.certificate('Odd', KEY, spki=make.seq(
                    make.seq(make.oid(oid)), make.bits(bytes(32))))
                run = wimtrust('show', '-', input=der)
                self.assertNotIn('memory', run.err + run.out)
                self.assertIn(run.status, (0, 3))
                leaf = make.certificate(
                    'srv.example', KEY, 'P-256 Root', KEY, ca=make.NOT_CA,
                    spki=make.seq(make.seq(make.oid(oid)),
                                  make.bits(bytes(32))))
                hive = self.hive()
                wimtrust('add', hive, odd.CERTS / 'root-ec-p256.der')
                run = wimtrust('check', hive, '-', input=leaf)
                self.assertIn(run.status, (1, 3))
                self.assertNotIn('memory', run.err)

    def hive_with(self, der):
        """A hive with a good root, and beside it that value."""
        root = regf.Key('root')
        for cert in (odd.ROOT, der):
            root.path('Microsoft\\SystemCertificates\\ROOT\\Certificates\\' +
                      make.thumbprint(cert)).set('Blob', 3, make.blob(cert))
        path = self.folder / 'ODD'
        path.write_bytes(regf.Builder().build(root))
        return path

    def test_odd_dates_are_warned_about(self):
        for start, end, is_odd in (
                (b'\x17\x0d200101000000Z', b'\x17\x0d400101000000Z', False),
                (b'\x17\x0d200101000000Z', b'\x18\x0f21200101000000Z', False),
                (b'\x17\x0b2001010000Z', b'\x17\x0d400101000000Z', True),
                (b'\x17\x0d200101000000Z', b'\x17\x0b4001010000Z', True),
                (b'\x17\x11200101000000+0100', b'\x17\x0d400101000000Z', True),
                (b'\x17\x0d200101000000Z', b'\x18\x1121200101000000.5Z',
                 True)):
            with self.subTest(start=start, end=end):
                dates = [start, end]
                date, make.date = make.date, lambda _: dates.pop(0)
                try:
                    der = make.certificate('Odd dates', KEY)
                finally:
                    make.date = date
                hive = self.hive()
                run = wimtrust('add', hive, '-', input=der)
                # OpenSSL does not read it at all, 3.5 no date without seconds.
                if run.status == 3:
                    self.assertTrue(is_odd)
                    self.assertRegex(run.err, r'date|\[cert-malformed\]')
                    continue
                self.assertEqual(run.status, 0, run.err)
                unknown = 'it is not known whether Windows reads them'
                self.assertEqual('[cert-odd-date]' in run.err, is_odd, run.err)
                self.assertEqual(unknown in run.err, is_odd)
                # Read as they are meant, with the same doubt.
                leaf = make.certificate(
                    'Server', KEY, 'Odd dates', KEY, ca=None, more=[
                        make.extension(17, make.seq(make.tlv(
                            0x82, b'srv.example')))])
                for at, said in (('2030-01-01', 'trusted'),
                                 ('2019-12-31', 'cert-not-yet-valid')):
                    run = wimtrust('check', '--host', 'srv.example', '--at',
                                   at, hive, '-', input=leaf)
                    self.assertEqual(run.status, said != 'trusted', run.err)
                    self.assertIn(said, run.out)
                    if said == 'trusted':
                        self.assertEqual('[cert-odd-date]' in run.err, is_odd)
                        self.assertEqual(unknown in run.err, is_odd)


class Consent(Case):
    def test_publishers_and_people_take_leaves(self):
        hive = self.hive()
        for store in ('trustedpublisher', 'trustedpeople'):
            run = wimtrust('add', '-s', store, hive, odd.CERTS / 'leaf.der')
            self.assertEqual(run.status, 0, run.err)
        for store in ('root', 'authroot', 'ca'):
            run = wimtrust('add', '-s', store, hive, odd.CERTS / 'leaf.der')
            self.assertEqual(run.status, 3, run.err)

    def test_hint_for_a_bundle_names_keep_going_first(self):
        hive = self.hive()
        run = wimtrust('add', hive, odd.CERTS / 'bundle.p7b')
        self.assertEqual(run.status, 3)
        hint = run.err.splitlines()[-1]
        self.assertTrue(hint.startswith(
            'hint: --keep-going adds the good ones (2); '), hint)
        self.assertLess(hint.index('--keep-going'), hint.index('--allow'))

    def test_chain_of_a_server_is_not_enough(self):
        chains = odd.CERTS.parent / 'chains'
        run = wimtrust('add', self.hive(), chains / 'server.pem',
                       chains / 'inter.pem')
        self.assertEqual(run.status, 3)
        self.assertIn('trust the root above it', run.err)
        self.assertIn('hint: no root is among these; wimtrust show names the '
                      'root to add; --keep-going adds the good ones (1); ',
                      run.err)


if __name__ == '__main__':
    main()
