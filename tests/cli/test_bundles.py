# SPDX-License-Identifier: MIT
# test_bundles.py: no certificate of a file is lost, and none is taken that the
# file does not offer.
import subprocess

import odd_inputs as odd
from clitest import Case, main, wimtrust

DATA = '1.2.840.113549.1.7.1'
TRUST_LIST = '1.3.6.1.4.1.311.10.1'
CODES = {
    # what it is said to be: PKCS#7 of that kind, signed by a root
    'a certificate trust list (.stl): it holds thumbprints, not certificates':
        (odd.signed(TRUST_LIST, odd.trust_list('1.3.6.1.4.1.311.10.3.9'),
                    odd.ROOT),
         odd.signed(TRUST_LIST, odd.trust_list('1.3.6.1.4.1.311.10.3.30'),
                    odd.ROOT, odd.MIDDLE),
         odd.signed(TRUST_LIST, odd.make.octets(b'opaque'), odd.ROOT),
         odd.signed(TRUST_LIST, None, odd.ROOT),
         odd.signed(TRUST_LIST, odd.trust_list('1.3.6.1.4.1.311.10.3.9'),
                    odd.ROOT, signers=False)),
    'a catalogue of signed files (.cat)':
        (odd.signed(TRUST_LIST, odd.trust_list('1.3.6.1.4.1.311.12.1.1'),
                    odd.ROOT),),
    'a signed message (.p7m)':
        (odd.signed(DATA, odd.make.octets(b'Hello'), odd.ROOT),
         odd.signed('1.3.6.1.5.5.7.12.3', odd.make.octets(b'x'), odd.ROOT),
         odd.signed(DATA, odd.make.octets(b'Hello'), odd.ROOT,
                    signers=False)),
    'a signature (.p7s)': (odd.signed(DATA, None, odd.ROOT),),
    'the signature of a program (Authenticode)':
        (odd.signed('1.3.6.1.4.1.311.2.1.4', odd.make.seq(), odd.ROOT),),
    'a time stamp': (odd.signed('1.2.840.113549.1.9.16.1.4',
                                odd.make.octets(b'x'), odd.ROOT),),
}


class OnlyBundles(Case):
    def test_what_signs_something_is_no_bundle(self):
        hive = self.hive()
        before = hive.read_bytes()
        path = self.folder / 'file.p7b'
        for name, files in CODES.items():
            for der in files:
                for data in (der, odd.pem(der, 'PKCS7').encode(),
                             odd.pem(der, 'CMS').encode(),
                             odd.pem(der).encode()):
                    path.write_bytes(data)
                    for options in ([], ['--keep-going'],
                                    ['--store', 'disallowed']):
                        with self.subTest(name=name, options=options):
                            run = wimtrust('add', *options, hive, path)
                            self.assertEqual(run.status, 3, run.out)
                            self.assertIn(f'it is {name}; the certificates '
                                          'in it are its signer\'s', run.err)
        self.assertEqual(hive.read_bytes(), before)

    def test_openssl_signs_a_message(self):
        """The same, made by a program that people sign with."""
        key, cert = self.folder / 'key.pem', self.folder / 'cert.pem'
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
             'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-subj',
             '/CN=Signer', '-out', cert], check=True,
            stderr=subprocess.DEVNULL)
        for options, name in (
                (['-nodetach', '-outform', 'DER'], 'a signed message (.p7m)'),
                (['-nodetach', '-outform', 'PEM'], 'a signed message (.p7m)'),
                (['-nodetach', '-stream', '-outform', 'DER'],
                 'a signed message (.p7m)'),
                (['-outform', 'DER'], 'a signature (.p7s)'),
                (['-nodetach', '-econtent_type', TRUST_LIST, '-outform',
                  'DER'], 'a certificate trust list (.stl)')):
            with self.subTest(options=options):
                path = self.folder / 'message'
                subprocess.run(
                    ['openssl', 'cms', '-sign', '-binary', '-signer', cert,
                     '-inkey', key, *options, '-out', path], input=b'Hello',
                    check=True)
                run = wimtrust('show', path)
                self.assertEqual(run.status, 3)
                self.assertIn('it is ' + name, run.err)

    def test_a_bundle_is_taken_however_it_is_wrapped(self):
        certs = self.folder / 'certs.pem'
        certs.write_text(odd.pem(odd.ROOT) + odd.pem(odd.MIDDLE))
        made = [subprocess.run(
            ['openssl', 'crl2pkcs7', '-nocrl', '-certfile', certs, '-outform',
             form], check=True, stdout=subprocess.PIPE).stdout
            for form in ('DER', 'PEM')]
        crl = odd.CERTS / 'bad-crl.pem'
        made.append(subprocess.run(
            ['openssl', 'crl2pkcs7', '-in', crl, '-certfile', certs],
            check=True, stdout=subprocess.PIPE).stdout)
        for data in made:
            run = wimtrust('show', '--json', '-', input=data)
            self.assertEqual(run.status, 0, run.err)
            self.assertEqual(len(run.json['certificates']), 2)


if __name__ == '__main__':
    main()
