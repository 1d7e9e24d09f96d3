# SPDX-License-Identifier: MIT
# test_bundles.py: no certificate of a file is lost, and none is taken that the
# file does not offer.
import json
import subprocess
from urllib.parse import quote, quote_plus

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


def texts(count=150):
    return [odd.pem(der) for der in odd.many(count)]


def flat(text):
    return text.strip('\n').replace('\n', ' ')


def le(text):
    return text.encode('utf-16le')


def be(text):
    return text.encode('utf-16be')


def alternate(first, second):
    """Every other block is written another way."""
    return lambda: b''.join((second if i % 2 else first)(text)
                            for i, text in enumerate(texts()))


def ascii_(text):
    return text.encode()


def der_of(text):
    return odd.base64.b64decode(''.join(text.splitlines()[1:-1]))


def each(change, joint=b''):
    return lambda: joint.join(change(text) for text in texts())


# How people join 150 certificates: name, and what makes the file.
JOINTS = {
    'as it should be': each(ascii_),
    'no newline behind END': each(lambda t: t.rstrip('\n').encode()),
    'all on one line': each(lambda t: flat(t).encode(), b' '),
    'on one line, nothing between': each(lambda t: flat(t).encode()),
    'CRLF': each(lambda t: odd.make.crlf(t).encode()),
    'CR alone': each(lambda t: t.replace('\n', '\r').encode()),
    'CR CR LF': each(lambda t: t.replace('\n', '\r\r\n').encode()),
    'a mark of byte order before each': each(
        lambda t: b'\xef\xbb\xbf' + t.encode()),
    'the same, and no newline': each(
        lambda t: b'\xef\xbb\xbf' + t.rstrip('\n').encode()),
    'UTF-16': each(le),
    'UTF-16 with a mark before each': each(lambda t: b'\xff\xfe' + le(t)),
    'UTF-16, big endian': each(be),
    'UTF-16, CRLF, no newline at the end': each(
        lambda t: le(odd.make.crlf(t).rstrip())),
    'ASCII, then UTF-16': alternate(ascii_, le),
    'UTF-16, then ASCII': alternate(lambda t: b'\xff\xfe' + le(t), ascii_),
    'both orders of UTF-16': alternate(le, be),
    'ASCII, then UTF-32': alternate(
        ascii_, lambda t: t.encode('utf-32le')),
    'UTF-32, big endian, then ASCII': alternate(
        lambda t: t.encode('utf-32be'), ascii_),
    'all three': lambda: b''.join((ascii_, le, be)[i % 3](t)
                                  for i, t in enumerate(texts())),
    'Ctrl-Z between': each(ascii_, b'\x1a'),
    'zeros between': each(ascii_, bytes(512)),
    'DER behind DER': each(der_of),
    'DER with newlines between': each(der_of, b'\r\n'),
    'PEM behind DER': alternate(der_of, ascii_),
    'DER behind PEM': alternate(ascii_, der_of),
    'DER behind PEM without a newline': alternate(
        lambda t: t.rstrip('\n').encode(), der_of),
    'DER and UTF-16': alternate(der_of, le),
    'with attributes, as OpenSSL writes them': each(
        lambda t: b'Bag Attributes\n    localKeyID: 01 \nsubject=/CN=x\n' +
        t.encode()),
    'objects of p11-kit, one distrusted and without its certificate': each(
        lambda t: b'[p11-kit-object-v1]\nx-distrusted: true\nissuer: "x"\n\n'
        b'[p11-kit-object-v1]\ntrusted: true\n' + t.encode()),
    'trusted certificates of OpenSSL, END and BEGIN with the same dashes':
        lambda: b'-----'.join(
            t.strip().replace('CERTIFICATE', 'TRUSTED CERTIFICATE')
            .strip('-').encode() for t in texts()).join([b'-----'] * 2),
    'with comments': each(lambda t: b'# -*- Root CA -*-\n' + t.encode()),
    'with comments, on one line': each(
        lambda t: ('# Root CA ' + flat(t)).encode(), b' '),
    'with a text of CAs behind it': each(
        lambda t: t.encode() + b'\xc3\x9cber uns: K\xf6nig\n'),
    'indented': each(lambda t: t.replace('\n', '\n    ').encode(), b'\n    '),
    'indented with tabs': each(
        lambda t: ('\t' + t.replace('\n', '\n\t')).encode()),
    'blanks behind the lines': each(lambda t: t.replace('\n', ' \n').encode()),
    'blank lines': each(lambda t: t.replace('\n', '\n\n').encode()),
    'literal \\n': each(lambda t: t.replace('\n', '\\n').encode()),
    'literal \\r\\n': each(lambda t: t.replace('\n', '\\r\\n').encode()),
    'JSON': lambda: json.dumps(texts()).encode(),
    'JSON in JSON': lambda: json.dumps(json.dumps(texts())).encode(),
    'JSON with escaped slashes': lambda: json.dumps(
        {'ca': texts()}).replace('/', '\\/').encode(),
    'JSON of .NET': each(lambda t: (
        '"%s"' % t.replace('\n', '\\n').replace('+', '\\u002B')).encode()),
    'JSON of Gson': each(lambda t: (
        '"%s"' % t.replace('\n', '\\n').replace('=', '\\u003d')).encode()),
    'JSON of PHP': each(lambda t: (
        '"%s"' % t.replace('\n', '\\r\\n').replace('/', '\\/')).encode()),
    'JSON, all by number': each(lambda t: (
        '"%s"' % t.replace('\n', '\\u000d\\u000A').replace(
            '+', '\\u002b')).encode()),
    'in a URL': each(lambda t: quote(t).encode(), b'\n'),
    'in a form': each(lambda t: b'cert=' + quote_plus(t).encode(), b'&'),
    'in a URL, but for + and /': each(
        lambda t: quote(t, safe='+/ ').encode(), b'\n'),
    'another blank in the marks': each(lambda t: t.replace(
        ' CERT', '\u00a0CERT').encode()),
    'a mail\'s =3D': each(lambda t: t.replace('=', '=3D').encode()),
    'in quotes': each(lambda t: ('"%s"' % t).encode(), b',\n'),
    'each line in quotes': each(
        lambda t: ''.join('"%s\\n"\n' % line
                          for line in t.splitlines()).encode()),
    'quoted in a mail': each(
        lambda t: ('> ' + t.strip().replace('\n', '\n> ')).encode(), b'\n'),
    'quoted twice': each(
        lambda t: ('> > ' + t.strip().replace('\n', '\n> > ')).encode(),
        b'\n'),
    'quoted with bars': each(
        lambda t: ('| ' + t.strip().replace('\n', '\n| ')).encode(), b'\n'),
    'in a web page': lambda: b'<html><body><pre>' + b'</pre><pre>'.join(
        t.encode() for t in texts()) + b'</pre></body></html>',
    'unseen blanks': each(lambda t: ('\u200b' + t).replace(
        '\n', '\u00a0\n').encode()),
    'another label': alternate(
        ascii_, lambda t: t.replace(' CERT', ' X509 CERT').encode()),
    'bundles of one': each(
        lambda t: odd.pem(odd.make.p7b(der_of(t)), 'PKCS7').encode()),
    'one bundle': lambda: odd.make.p7b(*odd.many(150)),
    'bundles in DER': each(lambda t: odd.make.p7b(der_of(t))),
    'a bundle, then PEM': alternate(
        lambda t: odd.make.p7b(der_of(t)), ascii_),
    'Base64 alone': each(lambda t: odd.base64_of(der_of(t)).encode(), b'\n'),
    'Base64 alone, in UTF-16': lambda: b'\xff\xfe' + le('\r\n'.join(
        odd.base64_of(der) for der in odd.many(150))),
    'Base64 of all of it': lambda: odd.base64.encodebytes(
        ''.join(texts()).encode()),
    'Base64 of each': each(lambda t: odd.base64_of(t.encode()).encode(),
                           b'\n'),
    'Base64 of URLs': each(lambda t: url_of(der_of(t)), b'\r\n'),
    'Base64 of URLs, padded': each(
        lambda t: odd.base64.urlsafe_b64encode(der_of(t)), b'\n'),
    'Base64 of URLs of all of it': lambda: url_of(''.join(texts()).encode()),
    'Base64 without its padding': each(
        lambda t: odd.base64_of(der_of(t)).rstrip('=').encode(), b'\n'),
    'Base64 of URLs between BEGIN and END': each(
        lambda t: b'-----BEGIN CERTIFICATE-----\n' + url_of(der_of(t)) +
        b'\n-----END CERTIFICATE-----\n'),
    'LDIF': each(lambda t: ldif(der_of(t)), b'\n'),
    'LDIF with an option': each(
        lambda t: ldif(der_of(t), 'cACertificate;binary'), b'\n'),
    'LDIF in one line each': each(
        lambda t: b'dn: CN=x\ncACertificate;binary:: ' +
        odd.base64_of(der_of(t)).encode(), b'\n'),
    'twice': lambda: 2 * ''.join(texts()).encode(),
    'certutil -encode of PEM': each(
        lambda t: odd.pem(t.encode()).encode()),
}


def url_of(data):
    return odd.base64.urlsafe_b64encode(data).rstrip(b'=')


def ldif(der, name='cACertificate'):
    """As ldapsearch folds it."""
    text = name + ':: ' + odd.base64_of(der)
    lines = [text[:76]] + [' ' + text[i:i + 75]
                           for i in range(76, len(text), 75)]
    return ('dn: CN=Root,CN=AIA,DC=contoso,DC=com\nobjectClass: top\n' +
            '\n'.join(lines) + '\n').encode()


def spoil(text, number=75, of=None):
    """A file of 150 of which one block is changed."""
    blocks = of or texts()
    blocks[number] = text(blocks[number])
    return ''.join(blocks).encode()


# What cannot be taken, though it looks like a certificate.
SPOILT = {
    'four hyphens before BEGIN': (
        lambda t: t.replace('-----BEGIN', '----BEGIN'), 'pem-truncated'),
    'four hyphens behind BEGIN': (
        lambda t: t.replace('CATE-----\nM', 'CATE----\nM'), 'pem-truncated'),
    'two dashes of a word processor': (
        lambda t: t.replace('-----BEGIN', '\u2014\u2013BEGIN'),
        'pem-truncated'),
    'a blank too many': (
        lambda t: t.replace('-----BEGIN', '----- BEGIN'), 'pem-truncated'),
    'no blank': (lambda t: t.replace('BEGIN CERT', 'BEGINCERT'),
                 'pem-truncated'),
    'in a URL, encoded twice': (
        lambda t: quote(quote(t)) + '\n', 'pem-truncated'),
    'lower case': (lambda t: t.replace('BEGIN CERTIFICATE',
                                       'begin certificate'),
                   'pem-truncated'),
    'no BEGIN': (lambda t: t.split('\n', 1)[1], 'pem-no-begin'),
    'no END': (lambda t: t[:t.index('-----END')], 'pem-truncated'),
    'four hyphens before END': (
        lambda t: t.replace('-----END', '----END'), 'pem-truncated'),
    'END of something else': (
        lambda t: t.replace('END CERTIFICATE', 'END X509 CRL'),
        'pem-truncated'),
    'cut in a group': (lambda t: t[:400] + '\n' + t[t.index('-----END'):],
                       None),
    'cut between groups': (
        lambda t: t[:28 + 65 * 4] + t[t.index('-----END'):],
        'cert-truncated'),
    'a letter too many': (lambda t: t.replace('\nM', '\nMx', 1),
                          'pem-bad-base64'),
    'a foreign letter': (lambda t: t.replace('A', '*', 1), None),
    'a slip in the label': (
        lambda t: t.replace('CERTIFICATE', 'CERTIFCATE'),
        'pem-unknown-label'),
    'a label that is not known': (
        lambda t: t.replace('CERTIFICATE', 'ROOT CERTIFICATE'),
        'pem-unknown-label'),
    'perhaps commented out': (lambda t: '#' + flat(t) + '\n',
                              'pem-commented'),
    'distrusted by p11-kit': (
        lambda t: '[p11-kit-object-v1]\nlabel: "x"\nx-distrusted: true\n' +
        t + '[p11-kit-object-v1]\nlabel: "y"\n', 'pem-distrusted'),
    'Base64 in YAML': (
        lambda t: 'caBundle: %s\n' % odd.base64_of(t.encode()),
        'pem-no-begin'),
    'Base64 in XML': (
        lambda t: '<X509Certificate>%s</X509Certificate>\n' %
        odd.base64_of(der_of(t)), 'pem-no-begin'),
    'who said it in each line': (
        lambda t: t.replace('\n', '\n[10:03] Bob: '), 'pem-bad-base64'),
    'numbers of lines': (lambda t: ''.join(
        '%4d  %s\n' % (i, line) for i, line in enumerate(t.splitlines())),
        'pem-bad-base64'),
    'nothing in it': (lambda t: t[:28] + t[t.index('-----END'):],
                      'cert-empty'),
}


class NothingIsLost(Case):
    def test_150_are_150_in_every_joint(self):
        serials = {c['serial'] for c in wimtrust(
            'show', '--json', '-', input=''.join(texts()).encode()
        ).json['certificates']}
        self.assertEqual(len(serials), 150)
        for name, make in JOINTS.items():
            with self.subTest(joint=name):
                run = wimtrust('show', '--json', '-', input=make())
                self.assertEqual((run.status, run.json['error']), (0, None))
                self.assertEqual({c['serial']
                                  for c in run.json['certificates']}, serials)
                self.assertEqual(run.json['inputs'], [{
                    'path': 'standard input', 'refused': 0,
                    'certificates': 300 if name == 'twice' else 150}])
                self.assertEqual(run.json['warnings'], [])

    def test_they_go_into_the_hive(self):
        for name in ('no newline behind END', 'UTF-16, then ASCII', 'JSON'):
            hive = self.hive()
            run = wimtrust('add', '-v', hive, '-', input=JOINTS[name]())
            self.assertEqual(run.status, 0, run.err)
            self.assertIn('150 certificates added', run.out)
            self.assertIn('read     standard input: 150 certificates\n',
                          run.out)
            found = wimtrust('list', '--json', hive).json
            self.assertEqual(len(found['images'][0]['entries']), 150)

    def test_what_cannot_be_taken_is_named_and_the_rest_is_not_lost(self):
        for name, (change, code) in SPOILT.items():
            for number in (0, 75, 149) if name == 'no END' else (75,):
                with self.subTest(spoilt=name, number=number):
                    data = spoil(change, number)
                    hive = self.hive()
                    run = wimtrust('add', '-n', '--json', hive, '-',
                                   input=data)
                    error = run.json['error']
                    self.assertEqual(run.status, 3)
                    self.assertEqual(error['code'], code or error['code'])
                    self.assertEqual(len(run.json['refused']), 1)
                    line = data[:data.index(
                        texts()[number + 1].encode()
                    )].count(b'\n') if number < 149 else None
                    self.assertRegex(
                        error['object'],
                        fr'^standard input, certificate {number + 1} '
                        r'\(line \d+\)$')
                    if line:
                        said = int(error['object'].split()[-1][:-1])
                        self.assertLessEqual(said, line)
                        self.assertGreater(said + 30, line)
                    self.assertIn('--keep-going adds the good ones (149)',
                                  error['hint'])
                    run = wimtrust('add', '-n', '--keep-going', '--json',
                                   hive, '-', input=data)
                    self.assertEqual(run.status, 0, run.err)
                    self.assertEqual(
                        len(run.json['images'][0]['entries']), 149)
                    self.assertEqual([e['code'] for e in run.json['refused']],
                                     [error['code']])
                    self.assertEqual(run.json['inputs'][0]['refused'], 1)

    def test_all_that_is_wrong_is_said_in_one_run(self):
        blocks = texts()
        for i, (change, _) in enumerate(SPOILT.values()):
            blocks[5 + 5 * i] = change(blocks[5 + 5 * i])
        data = ''.join(blocks).encode()
        count = len(SPOILT)
        for command in (['show'], ['add', self.hive()],
                        ['verify', self.hive()], ['remove', self.hive()]):
            run = wimtrust(*command, '--json', '-', input=data)
            self.assertEqual(run.status, 3)
            self.assertEqual(len(run.json['refused']), count)
            said = [run.json['error']['object']] + [
                w['message'].split(': ')[0] for w in run.json['warnings']
                if 'also refused' in w['message']]
            self.assertEqual(said, [e['object'] for e in run.json['refused']])
        run = wimtrust('show', '-', input=data)
        self.assertEqual(run.out.count('SHA-1 '), 150 - count)

    def test_each_value_without_begin_is_named(self):
        text = ''.join('ca%d: %s\n' % (i, odd.base64_of(der))
                       for i, der in enumerate(odd.many(5)))
        run = wimtrust('show', '--json', '-', input=text.encode())
        self.assertEqual(run.status, 3)
        self.assertEqual([e['code'] for e in run.json['refused']],
                         5 * ['pem-no-begin'])

    def test_other_things_in_a_bundle_are_noted(self):
        crl = (odd.CERTS / 'bad-crl.pem').read_text()
        key = (odd.CERTS / 'bad-private-key.pem').read_text()
        commented = ''.join('# ' + line + '\n'
                            for line in odd.pem(odd.ROOT2).splitlines())
        for text, note in (
                (crl, 'skipped 1 other block, the first "X509 CRL"'),
                (key, 'holds a private key, which was not read'),
                (key[:90] + '\n', 'holds a private key'),
                (commented, 'skipped 1 certificate that is commented out, '
                 'the first in line %d' % (
                     1 + 75 * len(texts()[0].splitlines()))),
                ('caBundle: "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF'
                 'cEFJQkFBS0NBUUVBNnM9PQo="\n', 'skipped 1 other block'),
                (ldif(odd.ROOT2, 'userCertificate').decode(),
                 'skipped 1 other block, the first "userCertificate"'),
                ('some text - begin certificates here - and there\n', None),
                ('The lines BEGIN CERTIFICATE and END CERTIFICATE\n', None)):
            with self.subTest(text=text[:40]):
                self.check_note(text, note)

    def check_note(self, text, note):
        data = spoil(lambda t: text + t)
        run = wimtrust('show', '--json', '-', input=data)
        self.assertEqual(run.status, 0, run.err)
        self.assertEqual(run.json['inputs'][0]['certificates'], 150)
        said = [w['message'] for w in run.json['warnings']]
        self.assertEqual(len(said), 1 if note else 0, said)
        self.assertIn(note or '', ''.join(said))

    def test_bytes_that_are_no_text_are_said(self):
        junk = bytes(range(1, 32)) + b'\x00\x7f\x80\xff'
        blocks = [t.encode() for t in texts()]
        blocks[75] = junk + blocks[75]
        run = wimtrust('show', '--json', '-', input=b''.join(blocks))
        self.assertEqual(run.json['inputs'][0]['certificates'], 150)
        self.assertRegex(
            run.json['warnings'][0]['message'],
            'bytes between the certificates are not text, the first at')
        blocks[75] = junk + odd.ROOT
        run = wimtrust('show', '--json', '-', input=b''.join(blocks))
        self.assertEqual(run.status, 3)
        self.assertEqual(run.json['error']['code'], 'cert-in-data')
        self.assertRegex(run.json['error']['object'], r'\(byte \d+\)$')

    def test_reg_file_behind_other_text_is_named(self):
        reg = (odd.CERTS / 'root.reg').read_bytes().decode('utf-16')
        pem = odd.pem(odd.ROOT2).encode()
        for text in (reg.encode(), reg.encode('utf-16'),
                     b'\xff\xfe' + reg.encode('utf-16le')):
            run = wimtrust('show', '--json', '-', input=pem + text)
            self.assertEqual((run.status, run.json['error']['code']),
                             (3, 'cert-in-data'))
            self.assertEqual(len(run.json['certificates']), 1)
        run = wimtrust('show', '-', input=b'write "Blob"=hex:03 and so on')
        self.assertIn('[cert-none]', run.err)

    def test_what_follows_der_is_read_or_named(self):
        for data, count in ((odd.ROOT + b' \r\n\t\x1a\0\0', 1),
                            (odd.make.p7b(odd.ROOT) + b'\r\n\x1a', 1),
                            (odd.ROOT + odd.ROOT2 + bytes(512), 2),
                            (odd.ROOT + b'\n' + odd.pem(odd.ROOT2).encode(), 2)):
            run = wimtrust('show', '--json', '-', input=data)
            self.assertEqual(run.status, 0, run.err)
            self.assertEqual(len(run.json['certificates']), count)
            self.assertEqual(run.json['warnings'], [])
        for data, code in ((odd.ROOT + b'x', 'cert-trailing-data'),
                           (odd.ROOT + b'\0\0\1', 'cert-trailing-data'),
                           (odd.ROOT + odd.ROOT2[:-1], 'cert-truncated'),
                           (odd.ROOT + odd.ROOT2 + b'x',
                            'cert-trailing-data')):
            run = wimtrust('show', '--json', '-', input=data)
            self.assertEqual((run.status, run.json['error']['code']),
                             (3, code))


if __name__ == '__main__':
    main()
