# SPDX-License-Identifier: MIT
# test_page.py: what docs/inputs.md shows is what the program prints.
#
#   WT_UPDATE=1 python3 tests/cli/test_page.py   writes the page's outputs again
import os
import re
import subprocess

import odd_inputs as odd
from clitest import SOURCE, WIMTRUST, Case, environment, main

PAGE = SOURCE / 'docs' / 'inputs.md'
BLOCK = re.compile(r'^```console\n\$ (wimtrust [^\n]*)\n(.*?)^```$',
                   re.M | re.S)


class Page(Case):
    def files(self):
        """The files that the page names."""
        def put(name, data):
            (self.folder / name).write_bytes(data)
        put('chain.pem', odd.pem(odd.MIDDLE).encode() +
            odd.pem(odd.ROOT).replace('-----BEGIN', '----BEGIN').encode())
        put('issuing.cer', b'<!DOCTYPE html>\n<html></html>\n')
        put('authroot.stl', odd.signed(
            '1.3.6.1.4.1.311.10.1',
            odd.trust_list('1.3.6.1.4.1.311.10.3.9'), odd.ROOT2))
        put('server.pfx', (odd.CERTS / 'bad-pkcs12.p12').read_bytes())
        self.hive()

    def run_one(self, command):
        words = command.split()
        done = subprocess.run(
            [WIMTRUST, *words[1:]], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=environment(), check=False)
        return re.sub(r'(?m)^(size|time|sandbox)  .*\n', '', done.stdout.decode())

    def test_outputs_are_real(self):
        self.files()
        text = PAGE.read_text(encoding='utf-8')
        blocks = BLOCK.findall(text)
        self.assertGreaterEqual(len(blocks), 3)
        if os.environ.get('WT_UPDATE'):
            PAGE.write_text(BLOCK.sub(
                lambda m: '```console\n$ %s\n%s```' % (
                    m[1], self.run_one(m[1])), text), encoding='utf-8')
            return
        for command, shown in blocks:
            with self.subTest(command=command):
                self.assertEqual(self.run_one(command), shown)


if __name__ == '__main__':
    main()
