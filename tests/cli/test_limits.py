# SPDX-License-Identifier: MIT
# test_limits.py: properties that limit what a certificate is trusted for.
import re
import struct

from clitest import HIVES, Case, main, wimtrust
from test_check import pem

SERVER, CLIENT, MAIL = (b'\x06\x08\x2b\x06\x01\x05\x05\x07\x03' + bytes([n])
                        for n in (1, 2, 4))
ALWAYS = b'\0' * 8


def usage(*oids):
    body = b''.join(oids)
    return bytes([0x30, len(body)]) + body


class Limits(Case):
    def setUp(self):
        super().setUp()
        self.root = self.file('root.pem', pem('root'))
        self.chain = self.file('chain.pem', pem('leaf', 'inter'))
        self.target = self.hive()

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def run_ok(self, *words):
        run = wimtrust(*words)
        self.assertEqual(run.status, 0, run.err)
        return run

    def entry(self):
        run = self.run_ok('list', '--json', '-s', 'authroot', self.target)
        entries = [e for e in run.json['images'][0]['entries']
                   if e['subject'] == 'CN=Root']
        self.assertEqual(len(entries), 1)
        return entries[0]

    def put(self, *properties):
        """The root, with a value that has these properties too."""
        blob = self.folder / 'blob'
        self.run_ok('export', '-f', '--format', 'blob', '-o', blob, self.root)
        extra = b''.join(struct.pack('<III', number, 1, len(data)) + data
                         for number, data in properties)
        blob.write_bytes(extra + blob.read_bytes())
        self.run_ok('add', '-q', self.target, blob)

    def check(self):
        return wimtrust('check', '--at', '2025-06-01', '--host',
                        'srv.example', self.target, self.chain)

    def value(self):
        out = self.folder / 'value'
        self.run_ok('export', '-f', '--format', 'blob', '-o', out,
                    self.target, self.entry()['sha1'])
        data, properties = out.read_bytes(), {}
        while data:
            number, _, size = struct.unpack('<III', data[:12])
            properties[number] = data[12:12 + size]
            data = data[12 + size:]
        return properties

    def test_for_writes_the_property(self):
        for words, oids in (('server-auth', (SERVER,)),
                            ('server-auth,client-auth', (SERVER, CLIENT)),
                            ('1.3.6.1.5.5.7.3.4,server-auth',
                             (MAIL, SERVER))):
            run = self.run_ok('add', '--for', words, self.target, self.root)
            self.assertIn('1 certificate', run.out)
            self.assertEqual(self.value()[9], usage(*oids))
            self.assertEqual(self.check().status, 0)
            self.run_ok('verify', '--for', words, self.target, self.root)
            self.run_ok('verify', self.target, self.root)
            run = self.run_ok('add', '--for', words, self.target, self.root)
            self.assertIn('1 certificate unchanged', run.out)
        run = wimtrust('verify', '--for', 'server-auth', self.target,
                       self.root)
        self.assertEqual(run.status, 1)
        self.assertIn('[other-properties]', run.err)
        self.run_ok('add', '--for', 'any', self.target, self.root)
        self.assertNotIn(9, self.value())
        self.run_ok('verify', '--for', 'any', self.target, self.root)

    def test_a_limit_stays_until_it_is_asked_for(self):
        self.run_ok('add', '--for', 'server-auth', self.target, self.root)
        run = self.run_ok('add', self.target, self.root)
        self.assertIn('unchanged', run.out)
        self.assertIn('[cert-limited]', run.err)
        self.assertIn('only for Server Authentication', run.err)
        run = self.run_ok('add', '--for', 'any', self.target, self.root)
        self.assertIn('[cert-widened]', run.err)
        self.assertEqual(self.entry()['limits'], [])

    def test_other_limits_are_called_what_they_are(self):
        for words, code in (('server-auth', None),
                            ('client-auth', 'cert-limits-changed'),
                            ('client-auth,server-auth', 'cert-widened'),
                            ('server-auth', None),
                            ('email,code-signing', 'cert-limits-changed'),
                            ('any', 'cert-widened'), ('server-auth', None)):
            run = self.run_ok('add', '--for', words, self.target, self.root)
            codes = re.findall(r'\[(cert-[a-z-]+)\]', run.err)
            self.assertEqual(codes, [code] if code else [], words)
        self.put((0x7A, usage(MAIL)))
        run = self.run_ok('add', '--for', 'server-auth', self.target,
                          self.root)
        self.assertIn('[cert-limits-changed]', run.err)

    def test_a_root_that_serves_no_server_is_neither_present_nor_kept(self):
        for properties, code in (
                (((9, usage(MAIL)),), 'cert-limited'),
                (((9, usage()),), 'cert-limited'),
                (((0x7A, usage(SERVER)),), 'cert-limited'),
                (((0x7E, ALWAYS),), 'cert-limited'),
                (((0x7E, ALWAYS), (0x7F, usage(SERVER))), 'cert-limited'),
                (((0x68, ALWAYS),), 'cert-distrusted')):
            with self.subTest(properties):
                self.put(*properties)
                self.assertEqual(self.check().status, 1)
                for what in (self.root, self.entry()['sha1']):
                    run = wimtrust('verify', self.target, what)
                    self.assertEqual(run.status, 1, run.out)
                    self.assertIn('[%s]' % code, run.err)
                run = self.run_ok('add', self.target, self.root)
                self.assertIn('1 certificate replaced', run.out)
                self.assertIn('[cert-widened]', run.err)
                self.assertEqual(self.check().status, 0)
                self.run_ok('verify', self.target, self.root)

    def test_limits_for_others_do_no_harm(self):
        for properties in (((9, usage(MAIL, SERVER)),),
                           ((0x7A, usage(CLIENT)),),
                           ((0x7E, ALWAYS), (0x7F, usage(CLIENT)))):
            with self.subTest(properties):
                self.put(*properties)
                self.assertEqual(self.check().status, 0)
                self.run_ok('verify', self.target, self.root)
                run = self.run_ok('add', self.target, self.root)
                self.assertIn('unchanged', run.out)
                self.assertIn('[cert-limited]', run.err)

    def test_every_limit_is_shown(self):
        self.put((9, usage(MAIL)), (0x68, ALWAYS), (0x7A, usage(CLIENT)),
                 (0x7E, struct.pack('<Q', 116444736000000000)),
                 (0x7F, usage(SERVER)), (0x80, ALWAYS))
        self.assertEqual(
            [(limit['property'], limit['usages'], limit['time'])
             for limit in self.entry()['limits']],
            [(9, 'Secure Email', None), (0x68, None, None),
             (0x7A, 'Client Authentication', None),
             (0x7E, None, '1970-01-01T00:00:00Z'),
             (0x7F, 'Server Authentication', None), (0x80, None, None)])
        said = ('only for Secure Email; distrusted for Client Authentication;'
                ' not for certificates issued after 1970-01-01 for Server '
                'Authentication; distrusted as a CA')
        self.assertIn(said, self.run_ok('list', self.target).out)
        self.assertIn(said, self.run_ok('show', self.folder / 'blob').out)

    def test_an_export_keeps_the_limits_or_says_so(self):
        self.run_ok('add', '--for', 'server-auth', self.target, self.root)
        thumbprint = self.entry()['sha1']
        reg = self.folder / 'root.reg'
        run = self.run_ok('export', '-o', reg, self.target, thumbprint)
        self.assertNotIn('limits', run.err)
        run = self.run_ok('export', '--format', 'pem', self.target,
                          thumbprint)
        self.assertIn('[limits-left-out]', run.err)
        again = self.copy(HIVES / 'software-1.3', 'again')
        self.run_ok('add', again, reg)
        self.run_ok('verify', '--for', 'server-auth', again, self.root)
        other = self.folder / 'other.reg'
        self.run_ok('export', '--for', 'server-auth', '-o', other, self.root)
        self.assertEqual(other.read_bytes(), reg.read_bytes())

    def test_what_makes_no_sense_is_refused(self):
        for words in ('', 'server', 'server-auth,', 'any,server-auth',
                      'serverAuth', '1', '1.2.x', '9.9.9'):
            run = wimtrust('add', '--for', words, self.target, self.root)
            self.assertEqual(run.status, 2, words)
            self.assertIn('[bad-value]', run.err)
        run = wimtrust('add', '--for', 'server-auth', '-s', 'disallowed',
                       self.target, self.root)
        self.assertEqual(run.status, 2)

    def test_verify_and_check_agree_about_disallowed(self):
        self.run_ok('add', self.target, self.root)
        self.run_ok('add', '-s', 'disallowed', self.target, self.root)
        for what in (self.root, self.entry()['sha1']):
            run = wimtrust('verify', self.target, what)
            self.assertEqual(run.status, 1)
            self.assertIn('[cert-disallowed]', run.err)
            self.assertIn('remove -s disallowed', run.err)
        self.assertEqual(self.check().status, 1)
        self.run_ok('remove', '-s', 'disallowed', self.target, self.root)
        self.run_ok('verify', self.target, self.root)
        self.assertEqual(self.check().status, 0)


if __name__ == '__main__':
    main()
