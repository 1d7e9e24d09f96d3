#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What few people meet: each case ends with its code."""

import hashlib
import os
import resource

from clitest import HIVES, ROOT_DER, Case, main, run_other, sample

STORES = r'\Microsoft\SystemCertificates'
POLICY = r'\Policies\Microsoft\SystemCertificates'
THUMBPRINT = hashlib.sha1(ROOT_DER.read_bytes()).hexdigest().upper()
OTHER = '0123456789ABCDEF0123456789ABCDEF01234567'


def codes(run):
    return {warning['code'] for warning in run['warnings']}


class Entries(Case):
    def merge(self, stores, store, key, *values):
        """A hive in which another program wrote that entry."""
        hive = self.hive()
        names = [*stores.split('\\')[1:], store, 'Certificates', key]
        reg = self.write('merged.reg', '\n'.join((
            'Windows Registry Editor Version 5.00',
            *('\n[\\%s]' % '\\'.join(names[:i + 1])
              for i in range(len(names))), *values, '')))
        run_other('hivexregedit', '--merge', hive, reg)
        return hive

    def test_entries_without_a_certificate(self):
        for code, *values in (('blob-missing',),
                              ('blob-bad-type', '"Blob"=str(1):"text"')):
            with self.subTest(code=code):
                hive = self.merge(STORES, 'ROOT', OTHER, *values)
                entries = [entry for image in self.json('list', hive)['images']
                           for entry in image['entries']]
                self.assertIn(code, [entry['code'] for entry in entries
                                     if entry['action'] == 'unsound'])
                self.assertIn('unsound-left-out', codes(self.json(
                    'export', hive, '-o', self.path('out'), status=1)))

    def test_a_distrust_without_a_certificate(self):
        hive = self.merge(STORES, 'Disallowed', THUMBPRINT)
        self.assertIn('disallowed-unsound',
                      codes(self.json('add', hive, ROOT_DER)))
        self.wt('verify', hive, ROOT_DER)

    def test_a_root_of_a_policy(self):
        reg = self.path('root.reg')
        hive = self.hive()
        self.wt('add', '-s', 'root', hive, ROOT_DER)
        self.wt('export', '--format', 'reg', '-s', 'root', '-o', reg, hive)
        text = reg.read_bytes().decode('utf-16')
        blob = text[text.index('"Blob"'):].split('\r\n\r\n')[0]
        hive = self.merge(POLICY, 'Root', THUMBPRINT,
                          *blob.replace('\r', '').split('\n'))
        self.assertIn('policy-left-out', codes(self.json(
            'export', hive, '-o', self.path('out'), status=1)))
        for what in (ROOT_DER, THUMBPRINT):
            run = self.wt('verify', '-s', 'authroot', hive, what, status=1)
            self.assertIn('(it is in ROOT of a policy)', run.err)


class Files(Case):
    def test_a_log_that_windows_never_writes(self):
        hive = self.copy(HIVES / 'dirty' / 'unflushed', 'SOFTWARE')
        log = self.copy(HIVES / 'dirty' / 'unflushed.LOG1', 'SOFTWARE.LOG1')
        self.assertNotIn('hive-bad-log', codes(self.json('list', hive)))
        os.truncate(log, 33 << 20)
        self.assertIn('hive-bad-log', codes(self.json('list', hive)))

    def test_a_hive_larger_than_any(self):
        hive = self.hive()
        os.truncate(hive, 513 << 20)
        run = self.wt('add', hive, ROOT_DER, status=5)
        self.assertIn('[hive-too-large]', run.err)

    def test_a_signed_message_is_no_bundle(self):
        key, cert, out = (self.path(name) for name in
                          ('key.pem', 'cert.pem', 'message.p7b'))
        run_other('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
                  '-subj', '/CN=signer', '-keyout', key, '-out', cert)
        run_other('openssl', 'cms', '-sign', '-nodetach', '-in',
                  self.write('text', 'hello'), '-signer', cert, '-inkey', key,
                  '-outform', 'DER', '-out', out)
        hive = self.hive()
        self.refuses(3, 'pkcs7-not-a-bundle', hive, 'add', hive, out)

    def test_more_is_refused_than_is_listed(self):
        block = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
        hive = self.hive()
        for count, is_cut in ((1000, False), (1001, True)):
            bundle = self.write('bundle.pem', block * count)
            run = self.wt('add', hive, bundle, status=3)
            self.assertEqual('[cert-many-refused]' in run.err, is_cut)

    def test_no_file_may_be_that_long(self):
        image = self.copy(sample('lzx.wim'))
        run = self.wt('list', image, status=7, preexec_fn=lambda:
                      resource.setrlimit(resource.RLIMIT_FSIZE,
                                         (100 << 10, 100 << 10)))
        self.assertIn('[write-failed]', run.err)
        self.wt('list', image)


main()
