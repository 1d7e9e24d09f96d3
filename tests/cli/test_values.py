# SPDX-License-Identifier: MIT
# test_values.py: the registry value of every shape of certificate, against
# what openssl computes for each property from the same file.
import pathlib
import re
import struct
import subprocess

from clitest import CERTS, Case, main, wimtrust

ALLOW = 'expired,not-yet-valid,weak-key,not-ca'
# What is in testdata/certs, by the shape that it represents.
SHAPES = {
    'with the extension': ('root-rsa2048', 'root-ec-p256', 'root-ec-p521',
                           'root-ed25519', 'root-ed448', 'root-pss',
                           'root-pss-key', 'root-md5', 'root-sha1',
                           'root-ec-explicit', 'weak-dsa', 'unknown-key'),
    'without it': ('root-no-key-id', 'not-ca-v3-plain'),
    'version 1': ('root-v1', 'root-md2'),
}
HASHES = {'sha1': 'sha1', 'sha256': 'sha256', 'sha384': 'sha384',
          'sha512': 'sha512', 'md5': 'md5'}


def openssl(*args, data=None):
    return subprocess.run(['openssl', *args], input=data, check=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def fingerprint(kind, data):
    return openssl('dgst', '-' + kind, '-binary', data=data)


class Certificate:
    """A certificate cut into its parts by openssl asn1parse."""

    def __init__(self, path):
        self.der = pathlib.Path(path).read_bytes()
        text = openssl('asn1parse', '-inform', 'DER', '-i', '-in',
                       path).decode()
        self.elements = [
            (int(m[1]), int(m[2]), int(m[3]) + int(m[4]), m[5])
            for m in re.finditer(
                r'^ *(\d+):d=(\d+) +hl=(\d+) +l= *(\d+) \w+: *(.*)$', text,
                re.M)]
        parts = [e for e in self.elements if e[1] == 2]
        self.tbs = self.cut(self.elements[1])
        if parts[0][3].startswith('cont [ 0 ]'):
            del parts[0]
        self.key_info = self.cut(parts[5])
        # the BIT STRING, without its header and the count of unused bits
        start = parts[5][0]
        end = start + parts[5][2]
        bit_string = [e for e in self.elements
                      if e[1] == 3 and start < e[0] < end][1]
        raw = self.cut(bit_string)
        header = 2 if raw[1] < 0x80 else 2 + (raw[1] & 0x7F)
        self.key = raw[header + 1:]
        shown = openssl('x509', '-inform', 'DER', '-in', path, '-noout',
                        '-text').decode()
        found = re.search(r'Subject Key Identifier: *\n *([0-9A-F:]+)', shown)
        self.key_id = bytes.fromhex(found[1].replace(':', '')) if found else None
        bits = re.search(r'Public-Key: \((\d+) bit\)', shown)
        # openssl prints no size for these two: RFC 8032 has it
        edwards = {'ED25519': 256, 'ED448': 456}
        found = re.search(r'Public Key Algorithm: *(\S+)', shown)
        self.bits = int(bits[1]) if bits else edwards.get(found[1])
        name = re.search(r'Signature Algorithm: *(\S+)', shown)[1].lower()
        if name == 'rsassapss':
            name = re.search(r'Hash Algorithm: *(\S+)', shown)[1].lower()
        self.hash = next((h for h in HASHES if h in name.replace('-', '')),
                         None)

    def cut(self, element):
        return self.der[element[0]:element[0] + element[2]]

    def properties(self):
        yield 0x04, fingerprint('md5', self.der)
        if self.hash:
            yield 0x0F, fingerprint(self.hash, self.tbs)
        yield 0x14, self.key_id or fingerprint('sha1', self.key_info)
        yield 0x19, fingerprint('md5', self.key)
        yield 0x03, fingerprint('sha1', self.der)
        if self.bits:
            yield 0x5C, struct.pack('<I', self.bits)
        yield 0x20, self.der


def split(value):
    found, pos = [], 0
    while pos < len(value):
        number, encoding, size = struct.unpack_from('<III', value, pos)
        assert encoding == 1
        found.append((number, value[pos + 12:pos + 12 + size]))
        pos += 12 + size
    return found


def join(properties):
    return b''.join(struct.pack('<III', number, 1, len(data)) + data
                    for number, data in properties)


class Values(Case):
    def test_every_property_is_what_openssl_computes(self):
        for shape, names in SHAPES.items():
            for name in names:
                with self.subTest(shape=shape, name=name):
                    path = CERTS / (name + '.der')
                    run = wimtrust('export', '--format', 'blob', '--allow',
                                   ALLOW, path)
                    self.assertEqual(run.status, 0, run.err)
                    cert = Certificate(path)
                    self.assertEqual(cert.key_id is not None,
                                     shape == 'with the extension')
                    self.assertEqual(split(run.raw), list(cert.properties()))

    def test_what_an_older_version_wrote_is_unsound_and_mended(self):
        for name in SHAPES['without it'] + SHAPES['version 1']:
            with self.subTest(name=name):
                path = CERTS / (name + '.der')
                options = ('--allow', ALLOW, '--store', 'authroot')
                cert = Certificate(path)
                right = join(cert.properties())
                wrong = right.replace(fingerprint('sha1', cert.key_info),
                                      fingerprint('sha1', cert.key))
                self.assertNotEqual(right, wrong)
                hive = self.hive()
                self.assertEqual(
                    wimtrust('add', *options, hive, path).status, 0)
                # as that version left it: the same length, other 20 bytes
                data = hive.read_bytes()
                self.assertEqual(data.count(right), 1)
                hive.write_bytes(data.replace(right, wrong))
                run = wimtrust('verify', '-s', 'authroot', hive, path)
                self.assertEqual(run.status, 1)
                self.assertIn('property 0x14 is a hash that contradicts',
                              run.out)
                run = wimtrust('add', *options, hive, path)
                self.assertEqual(run.status, 0, run.err)
                self.assertIn(': repaired in AuthRoot', run.out)
                self.assertEqual(hive.read_bytes().count(right), 1)
                self.assertEqual(
                    wimtrust('verify', '-s', 'authroot', hive, path).status,
                    0)


if __name__ == '__main__':
    main()
