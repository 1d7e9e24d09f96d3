# SPDX-License-Identifier: MIT
# odd_inputs.py: makes certificates and the files that people have them in,
# out of testdata/certs and the element-by-element encoder of make-testdata.
import base64
import importlib.machinery
import importlib.util

from clitest import CERTS, SOURCE



def _load():
    path = str(SOURCE / 'scripts' / 'make-testdata')
    loader = importlib.machinery.SourceFileLoader('make_testdata', path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader('make_testdata', loader))
    loader.exec_module(module)
    return module


make = _load()
pem = make.pem


def der(name):
    return (CERTS / (name + '.der')).read_bytes()


ROOT = der('root-rsa2048')
ROOT2 = der('root-ec-p256')
MIDDLE = der('intermediate')
LEAF = der('leaf')


def many(count):
    """So many certificates of one CA, which differ in their serial number."""
    serial = bytes.fromhex('1234567890abcdef')
    assert MIDDLE.count(serial) == 1
    return [MIDDLE.replace(serial, bytes([0x11]) + i.to_bytes(7, 'little'))
            for i in range(count)]


def base64_of(data):
    return base64.b64encode(data).decode()


def signed(content_type, content, *certs, signers=True, label=None):
    """PKCS#7 SignedData with what it signs, or without (content None)."""
    inner = make.seq(make.oid(content_type), *(
        [] if content is None else [make.tlv(0xA0, content)]))
    signer = make.seq(make.integer(1), make.octets(b'who and how'))
    body = make.seq(
        make.integer(1), make.tlv(0x31, make.seq(make.oid(
            '2.16.840.1.101.3.4.2.1'))), inner, make.tlv(0xA0, *certs),
        make.tlv(0x31, signer) if signers else make.tlv(0x31))
    return make.seq(make.oid('1.2.840.113549.1.7.2'), make.tlv(0xA0, body))


def trust_list(usage):
    """A certificate trust list: usages, and thumbprints."""
    return make.seq(make.seq(make.oid(usage)), make.integer(7),
                    make.date('20260101'),
                    make.seq(make.oid('1.3.14.3.2.26'), make.NULL),
                    make.seq(make.seq(make.octets(bytes(20)))))
