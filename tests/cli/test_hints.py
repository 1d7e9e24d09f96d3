# SPDX-License-Identifier: MIT
# test_hints.py: what is no certificate is named for what it is, and each hint
# that has a command in it is followed, on the input that produced it.
import base64
import hashlib
import json
import re
import shutil
import struct
import subprocess
import uuid

import odd_inputs as odd
from clitest import WIMTRUST, Case, main, run_other, wimtrust

make = odd.make
PEM = odd.pem(odd.ROOT)
BASE64 = odd.base64_of(odd.ROOT)
VALUE = make.blob(odd.ROOT)


def text_mode(data):
    return data.replace(b'\n', b'\r\n')


def openssl_text(der):
    return subprocess.run(
        ['openssl', 'x509', '-inform', 'DER', '-noout', '-text'], input=der,
        stdout=subprocess.PIPE, check=True).stdout


def dump(line, group, is_split=False):
    """As xxd and hexdump -C write it, whose blanks in the middle differ."""
    out = ''
    for at in range(0, len(odd.ROOT), 16):
        part = odd.ROOT[at:at + 16]
        words = [part[i:i + group].hex() for i in range(0, len(part), group)]
        if is_split:
            words.insert(8, '')
        out += line % (at, ' '.join(words), ''.join(
            chr(b) if 32 <= b < 127 else '.' for b in part))
    return out.encode()


def signature_list(*certs):
    """As cert-to-efi-sig-list makes it: a list for each certificate."""
    return b''.join(
        uuid.UUID('a5c059a1-94e4-4aa7-87b5-ab155c2bf072').bytes_le +
        struct.pack('<III', 44 + len(der), 0, 16 + len(der)) + bytes(16) + der
        for der in certs)


def url_of(der):
    return base64.urlsafe_b64encode(der).decode().rstrip('=')


def key_store(der):
    """A Java key store (JKS) with one certificate, as keytool makes it."""
    def words(text):
        return struct.pack('>H', len(text)) + text

    data = (b'\xfe\xed\xfe\xed' + struct.pack('>III', 2, 1, 2) +
            words(b'root') + bytes(8) + words(b'X.509') +
            struct.pack('>I', len(der)) + der)
    return data + hashlib.sha1('changeit'.encode('utf-16be') +
                               b'Mighty Aphrodite' + data).digest()


REG_QUERY = ('\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SystemCertificates'
             '\\ROOT\\Certificates\\%s\r\n    Blob    REG_BINARY    %s\r\n\r\n' %
             (make.thumbprint(odd.ROOT), VALUE.hex().upper()))
HTML = b'\r\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0">\n<html></html>'
LFS = b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n'
HEX = odd.ROOT.hex()
# file: (its bytes, what it is said to be, whether the hint has a command)
CERTS = {
    'query.txt': (REG_QUERY.encode(), 'what "reg query" prints', True),
    'query16.txt': (b'\xff\xfe' + REG_QUERY.encode('utf-16le'),
                    'what "reg query" prints', True),
    'hex.txt': (HEX.encode(), 'DER in hex digits', True),
    'upper.txt': (HEX.upper().encode(), 'DER in hex digits', True),
    'lines.txt': ('\r\n'.join(HEX[i:i + 60] for i in
                              range(0, len(HEX), 60)).encode(),
                  'DER in hex digits', True),
    'colons.txt': (':'.join(HEX[i:i + 2] for i in
                            range(0, len(HEX), 2)).encode(),
                   'DER in hex digits', True),
    'xxd.txt': (dump('%08x: %-39s  %s\n', 2), 'DER as xxd shows it', True),
    'hexdump.txt': (dump('%08x  %-48s  |%s|\n', 1, True),
                    'DER as hexdump -C shows it', True),
    'xxd-g1.txt': (dump('%08x: %-47s  %s\n', 1),
                   'DER as xxd shows it', True),
    'sql.txt': (b'0x' + HEX.upper().encode(), 'DER in hex digits', True),
    'psql.txt': (b'\\x' + HEX.encode(), 'DER in hex digits', True),
    'literal.txt': (b"X'" + HEX.encode() + b"'", 'DER in hex digits', True),
    'array.cs': (('{ ' + ', '.join('0x%02X' % b for b in odd.ROOT) +
                  ' }').encode(), 'DER in hex digits', True),
    'bytes.txt': ('\r\n'.join(map(str, odd.ROOT)).encode(),
                  'DER as the numbers of its bytes', True),
    'bytes16.txt': (('\ufeff' + '\r\n'.join(map(str, odd.ROOT))).encode(
        'utf-16le'), 'DER as the numbers of its bytes', True),
    'bytes.json': (json.dumps(list(odd.ROOT)).strip('[]').encode(),
                   'DER as the numbers of its bytes', True),
    'db.esl': (signature_list(odd.ROOT, odd.ROOT2),
               'a UEFI signature list (.esl)', True),
    'regfexport.txt': (b'regfexport 20201007\n\nKey path: ROOT\nKey: ROOT\n'
                       b'Type: binary data (REG_BINARY)\n',
                       'it is what regfexport prints', False),
    'regfinfo.txt': (b'regfinfo 20201007\n\nWindows NT Registry File\n',
                     'it is what regfinfo prints', False),
    'reglookup.csv': (b'PATH,TYPE,VALUE,MTIME\n/Blob,BINARY,%04%00,\n',
                      'it is what reglookup prints', False),
    'jwk.json': (json.dumps({'x5c': [url_of(odd.ROOT)], 'other': url_of(
        odd.ROOT2)}).encode(), 'in Base64 without a BEGIN', True),
    'text.txt': (openssl_text(odd.ROOT), 'the text of a certificate', False),
    'dump.txt': (b'X509 Certificate:\r\nVersion: 3\r\n',
                 'the text of a certificate', False),
    'mangled.cer': (text_mode(odd.der('root-ec-p521') + b''), None, False),
    'login.cer': (HTML, 'a web page', False),
    'login2.cer': (b'\xef\xbb\xbf<HTML>', 'a web page', False),
    'lfs.cer': (LFS, 'a Git LFS pointer', False),
    'x.json': (b'{"error": "no"}', 'JSON', False),
    'x.xml': (b'<?xml version="1.0"?>', 'XML', False),
    'id.pub': (b'ssh-rsa AAAAB3NzaC1yc2E= me', 'an SSH public key', False),
    'utf8.cer': (odd.ROOT.decode('latin-1').encode(), 'DER that a program',
                 False),
    'replaced.cer': (odd.ROOT.decode('utf-8', 'replace').encode(),
                     'DER that a program', False),
    'utf16.cer': (b'\xff\xfe' + odd.ROOT.decode(
        'cp1252', 'replace').encode('utf-16le'), 'DER that a program', False),
    'x.zip': (b'PK\3\4' + bytes(30), 'a .zip archive', False),
    'x.tar': (bytes(257) + b'ustar' + bytes(250), 'a tar archive', False),
    'x.pol': (b'PReg\1\0\0\0' + VALUE, 'a policy file', False),
    'cert9.db': (b'SQLite format 3\0' + odd.ROOT, 'an SQLite database',
                 False),
    'setup.exe': (b'MZ\x90\0' + bytes(99) + odd.ROOT + PEM.encode(),
                  'a Windows program', False),
    'x.jks': (key_store(odd.ROOT), 'a Java key store', True),
    'keytool.txt': (b'Owner: CN=x\nCertificate fingerprints:\n\t SHA1: 00',
                    'the text of a certificate', False),
    'dotnet.txt': (b'[Subject]\n  CN=x\n\n[Thumbprint]\n  00',
                   'the text of a certificate', False),
    'x.pdf': (b'%PDF-1.7\n' + PEM.encode(), 'a PDF document', False),
    'x.p12': ((odd.CERTS / 'bad-pkcs12.p12').read_bytes(), 'PKCS#12', True),
    'more.der': (odd.ROOT + b'\nmore', 'after the certificate\'s end', True),
    'more.p7b': (make.p7b(odd.ROOT) + b'\nmore',
                 'after the certificate\'s end', True),
    'ca.yaml': (b'caBundle: ' + BASE64.encode() + b'\n',
                'in Base64 without a BEGIN', True),
    'pem.yaml': (b'ca.crt: ' + odd.base64_of(PEM.encode()).encode() + b'\n',
                 'in Base64 without a BEGIN', True),
    'two.json': (json.dumps({'a': BASE64, 'b': odd.base64_of(
        odd.ROOT2)}).encode(), 'in Base64 without a BEGIN', True),
    'saml.xml': (b'<ds:X509Certificate>' + BASE64.encode() +
                 b'</ds:X509Certificate>', 'in Base64 without a BEGIN', True),
    'folded.yaml': (b'ca: |\n  ' + '\n  '.join(
        PEM.splitlines()[1:-1]).encode(), 'in Base64 without a BEGIN', False),
}


class Certificates(Case):
    def test_each_is_named_and_its_command_works(self):
        for name, (data, what, has_command) in CERTS.items():
            for folder in ('plain', 'with blank'):
                with self.subTest(name=name, folder=folder):
                    place = self.folder / folder
                    place.mkdir(exist_ok=True)
                    path = place / name
                    path.write_bytes(data)
                    run = wimtrust('show', path)
                    self.assertEqual(run.status, 3, run.out)
                    self.assertIn(what or 'text mode', run.err)
                    hints = [line[6:] for line in run.err.splitlines()
                             if line.startswith('hint: ')]
                    self.assertEqual(len(hints), 1, run.err)
                    found = re.search(
                        r'\b((?:openssl|grep|cut|tr|sed|tail|'
                        r'sig-list-to-certs|wimtrust|keytool) .*?)'
                        r'(?: makes .*| takes .*)?$', hints[0])
                    self.assertEqual(bool(found), has_command, hints[0])
                    if found:
                        self.follow(found[1], path)

    def follow(self, command, path):
        """Its result is a file that wimtrust reads."""
        self.assertEqual('FILE' in command, ' ' in str(path), command)
        command = re.sub('^wimtrust', WIMTRUST,
                         command.replace('FILE', f"'{path}'"))
        if 'pkcs12' in command:
            command += ' -passin pass:secret'
        if not shutil.which(command.split()[0]):
            self.assertIn(command.split()[0], ('keytool', 'sig-list-to-certs'))
            return
        before = set(path.parent.iterdir())
        subprocess.run(['bash', '-c', command], cwd=path.parent, check=True,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        made = set(path.parent.iterdir()) - before
        self.assertEqual(len(made), 2 if 'sig-list' in command else 1, command)
        for file in made:
            run = wimtrust('show', file)
            self.assertEqual(run.status, 0, run.err)
            file.unlink()

    def test_hive_given_as_a_certificate(self):
        path = self.hive()
        wimtrust('add', path, odd.CERTS / 'root-rsa2048.der')
        run = wimtrust('show', path)
        self.assertEqual(run.status, 3)
        self.assertIn('it is a registry hive', run.err)
        hint = run.err.splitlines()[-1]
        self.assertEqual(
            hint, 'hint: wimtrust list %s shows what it trusts' % path)
        run = wimtrust('list', path)
        self.assertEqual(run.status, 0, run.err)
        # Two targets without a certificate: a loop over them would fail.
        run = wimtrust('add', self.copy(path, 'other'), path)
        self.assertEqual(run.status, 3)
        command = run.err.splitlines()[-1].split(': ', 2)[2]
        self.assertTrue(command.startswith('wimtrust export -o certs.reg '))
        self.follow(command, path)

    def test_pkcs7_in_a_mail(self):
        """A bundle is taken in the lines that the hint names; what signs
        something is none in any."""
        key, cert, text, bundle = (self.folder / name for name in (
            'key.pem', 'cert.pem', 'text', 'bundle.p7b'))
        text.write_text('hello')
        run_other('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
                  '-subj', '/CN=signer', '-keyout', key, '-out', cert)
        run_other('openssl', 'crl2pkcs7', '-nocrl', '-certfile', cert,
                  '-outform', 'DER', '-out', bundle)
        mail = self.folder / 'mail.eml'
        for options, name in ((['-nodetach'], 'a signed message (.p7m)'),
                              ([], 'a signature (.p7s)')):
            run_other('openssl', 'smime', '-sign', *options, '-in', text,
                      '-signer', cert, '-inkey', key, '-out', mail)
            run = wimtrust('show', mail)
            self.assertEqual(run.status, 3, run.err)
            self.assertIn(f'it is {name}', run.err)
            self.assertIn('[pkcs7-not-a-bundle]', run.err)
            self.assertNotIn('BEGIN', run.err)
        self.follow_frame(base64.encodebytes(bundle.read_bytes()).decode(),
                          'MIME-Version: 1.0\n\n', '', ['CN=signer'])

    def test_lines_around_a_value(self):
        """Where no command takes a value out, lines around it do."""
        names = ['CN=P-256 Root', 'CN=RSA 2048 Root']
        folded = ''.join(PEM.splitlines(True)[1:-1])
        other = odd.pem(odd.ROOT2)
        for value, before, after in (
                (folded, 'ca: |\n', 'b: 1\n'),
                (url_of(odd.ROOT) + '\n', other + 'x:\n', ''),
                (BASE64 + '\n', other, '\n' + other),
                (odd.base64_of(PEM.encode()) + '\n', other, '')):
            self.follow_frame(value, before, after,
                              names if other in before else names[1:])

    def follow_frame(self, value, before, after, names):
        path = self.write('frame.txt', before + value + after)
        run = wimtrust('show', path)
        self.assertEqual(run.status, 3, run.err)
        marks = re.search(r'put a line (-+BEGIN \w+-+) before it, and '
                          r'(-+END \w+-+) after it', run.err)
        self.assertIsNotNone(marks, run.err)
        path.write_text(f'{before}{marks[1]}\n{value}{marks[2]}\n{after}')
        run = wimtrust('show', path)
        self.assertEqual(run.status, 0, run.err)
        for name in names:
            self.assertIn(name, run.out)

    def test_old_pkcs12(self):
        """RC2, which OpenSSL 3 reads only as the hint says."""
        key, cert, old = (self.folder / name for name in (
            'key.pem', 'cert.pem', 'old.p12'))
        run_other('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
                  '-subj', '/CN=x', '-keyout', key, '-out', cert)
        made = subprocess.run(
            ['openssl', 'pkcs12', '-export', '-legacy', '-in', cert, '-inkey',
             key, '-out', old, '-passout', 'pass:secret'],
            stderr=subprocess.DEVNULL, check=False)
        if made.returncode != 0:
            self.skipTest('openssl has no legacy provider here')
        run = wimtrust('show', old)
        hint = re.search(r'\(with (-legacy) too if it says "(\w+)"\): '
                         '(openssl pkcs12)(.*)', run.err)
        command = hint[3] + hint[4] + ' -passin pass:secret'
        failed = subprocess.run(['bash', '-c', command], cwd=self.folder,
                                stderr=subprocess.PIPE, check=False)
        self.assertIn(hint[2], failed.stderr.decode())
        subprocess.run(['bash', '-c', command.replace(
            hint[3], f'{hint[3]} {hint[1]}')], cwd=self.folder, check=True)
        run = wimtrust('show', self.folder / 'certs.pem')
        self.assertIn('CN=x', run.out)

    def test_uefi_variable(self):
        """Its hint leads to a signature list, whose own leads on."""
        path = self.folder / 'db-d719b2cb'
        path.write_bytes(bytes((7, 0, 0, 0)) + signature_list(odd.ROOT))
        run = wimtrust('show', path)
        self.assertEqual(run.status, 3)
        command = re.search(r'hint: (tail .*) makes a signature list', run.err)
        subprocess.run(['bash', '-c', command[1]], cwd=self.folder, check=True)
        self.assertEqual((self.folder / 'certs.esl').read_bytes(),
                         signature_list(odd.ROOT))

    def test_reg_query_keeps_the_store_of_each(self):
        text = ''.join(
            REG_QUERY.replace('\\ROOT\\', f'\\{store}\\')
            for store in ('Disallowed', 'ROOT', 'SmartCardRoot'))
        path = self.write('query.txt', text + 'End of search: 3 match(es)')
        run = wimtrust('show', path)
        command = re.search(r'hint: (.*) makes a', run.err)[1]
        subprocess.run(['bash', '-c', command], cwd=self.folder, check=True)
        made = (self.folder / 'certs.reg').read_text()
        self.assertEqual(made.count('"Blob"=hex:'), 3)
        hive = self.hive()
        run = wimtrust('add', hive, self.folder / 'certs.reg')
        self.assertIn('comes from the store Disallowed', run.err)
        run = wimtrust('list', '--json', hive)
        self.assertNotIn('AuthRoot', [
            e['store'] for e in run.json['images'][0]['entries']])

    def test_text_mode(self):
        for der in (odd.ROOT, odd.ROOT2, odd.MIDDLE, odd.LEAF,
                    make.p7b(odd.ROOT, odd.MIDDLE)):
            data = text_mode(der)
            if data == der:
                continue
            run = wimtrust('show', '-', input=data)
            self.assertEqual(run.status, 3)
            self.assertIn('[cert-text-mode]', run.err)

    def test_options_in_hints_do_what_they_say(self):
        """--allow, --store and --keep-going, for whatever they are said."""
        hive = self.hive()
        for name in ('expired', 'not-yet-valid', 'weak-rsa1024', 'weak-dsa',
                     'not-ca-self', 'bad-signature', 'unknown-key'):
            path = odd.CERTS / (name + '.der')
            run = wimtrust('add', '-n', hive, path)
            self.assertEqual(run.status, 3)
            option = re.search(r'--allow ([a-z-]+)', run.err)[1]
            run = wimtrust('add', '-n', '--allow', option, hive, path)
            self.assertEqual(run.status, 0, run.err)
        run = wimtrust('add', '-n', hive, odd.CERTS / 'bundle.pem')
        self.assertIn('--keep-going adds the good ones (2)', run.err)
        run = wimtrust('add', '-n', '--keep-going', hive,
                       odd.CERTS / 'bundle.pem')
        self.assertIn('would add 2 certificates, 1 refused', run.out)


class Targets(Case):
    def test_text_about_a_hive_is_no_hive(self):
        for name in ('regfexport.txt', 'regfinfo.txt', 'reglookup.csv'):
            path = self.folder / name
            path.write_bytes(CERTS[name][0])
            run = wimtrust('list', path)
            self.assertEqual(run.status, 4, run.err)
            self.assertIn('give the hive itself', run.err)
            run = wimtrust('add', self.hive(), path)
            self.assertIn('give the hive itself', run.err)

    def test_each_is_named(self):
        disk = bytearray(4096)
        disk[510:512] = b'\x55\xaa'
        gpt = bytearray(disk)
        gpt[512:520] = b'EFI PART'
        kinds = {
            'boot.qcow2': (b'QFI\xfb' + bytes(600), 'a qcow2 disk image'),
            'fixed.vhd': (bytes(4096) + b'conectix' + bytes(504),
                          'a VHD disk image'),
            'dynamic.vhd': (b'conectix' + bytes(1016), 'a VHD disk image'),
            'x.vhdx': (b'vhdxfile' + bytes(600), 'a VHDX disk image'),
            'x.vmdk': (b'KDMV' + bytes(600), 'a VMDK disk image'),
            'raw.img': (disk, 'a raw disk image'),
            'gpt.img': (gpt, 'a raw disk image (GPT)'),
            'ntfs.img': (b'\xeb\x52\x90NTFS    ' + bytes(501) + b'\x55\xaa',
                         'the image of an NTFS file system'),
            'fat.img': (bytes(82) + b'FAT32   ' + bytes(600),
                        'the image of a FAT file system'),
            'login.wim': (HTML, 'a web page'),
            'lfs.wim': (LFS, 'a Git LFS pointer'),
            'x.zip': (b'PK\3\4' + bytes(600), 'a .zip archive'),
            'x.gz': (b'\x1f\x8b\x08' + bytes(600), 'a gzip file'),
            'x.exe': (b'MZ\x90\0' + bytes(600), 'a Windows program'),
            'x.7z': (b'7z\xbc\xaf\x27\x1c' + bytes(600), 'a 7-Zip archive'),
        }
        for name, (data, what) in kinds.items():
            for command in (['list'], ['add']):
                with self.subTest(name=name, command=command):
                    path = self.folder / name
                    path.write_bytes(data)
                    run = wimtrust(*command, path, *(
                        [odd.CERTS / 'root-rsa2048.der']
                        if command == ['add'] else []))
                    self.assertEqual(run.status, 4, run.err)
                    self.assertIn(f'is not a WIM but {what}',
                                  run.err)
                    self.assertEqual(path.read_bytes(), bytes(data))


if __name__ == '__main__':
    main()

