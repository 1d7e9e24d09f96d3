# SPDX-License-Identifier: MIT
# test_check.py: the answers of check, as the program gives them.
import re
import shlex

from clitest import SOURCE, Case, main, wimtrust

TEXT = (SOURCE / 'testdata' / 'verdicts' / 'certs.pem').read_text()
AT = ('--at', '2025-06-01')


def pem(*names):
    """Certificates of testdata/verdicts, by name."""
    blocks = dict(re.findall(
        r'^([\w-]+)\n(-----BEGIN.*?END CERTIFICATE-----\n)', TEXT,
        re.M | re.S))
    return ''.join(blocks[name] for name in names)


class Check(Case):
    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def image(self, *roots):
        target = self.hive()
        run = wimtrust('add', '-q', target,
                       self.file('roots.pem', pem(*roots)))
        self.assertEqual(run.status, 0, run.err)
        return target

    def check(self, target, text, *more):
        return wimtrust('check', *AT, *more, target,
                        self.file('chain.pem', text))

    def test_what_is_not_on_the_way_does_no_harm(self):
        target = self.image('root')
        bad = re.sub('(?s)MII.{20}', 'MIIAAAA', pem('other'), count=1)
        for name, extra, code in (
                ('cut off', '-----BEGIN CERTIFICATE-----\nMIIB\n',
                 'pem-truncated'),
                ('no Base64', pem('other').replace('MII', '!!!'), 'pem-bad-base64'),
                ('damaged', bad, 'cert-'),
                ('altered root', pem('damaged-root'), 'left-out'),
                ('altered CA', pem('damaged-inter'), 'left-out'),
                ('stranger', pem('other'), 'left-out'),
                ('other server', pem('multi'), 'left-out'),
                ('root', pem('root'), None),
                ('renewed root', pem('new-with-old'), None)):
            with self.subTest(name):
                run = self.check(target, extra + pem('leaf', 'inter'),
                                 '--host', 'srv.example')
                self.assertEqual(run.status, 0, run.err)
                if code:
                    self.assertIn('left out', run.err)
                    self.assertIn('[' + code, run.err)
                else:
                    self.assertNotIn('left', run.err)

    def test_verify_and_check_count_each_copy(self):
        root, chain = self.file('root.pem', pem('root')), pem('leaf', 'inter')
        for limited, other in (('root', 'authroot'), ('authroot', 'root'),
                               ('ca', 'authroot'), ('ca', 'root')):
            with self.subTest(limited=limited, other=other):
                target = self.hive()
                wimtrust('add', '-s', other, target, root)
                self.assertEqual(wimtrust('verify', target, root).status, 0)
                wimtrust('add', '-s', limited, '--for', 'client-auth', target,
                         root)
                self.assertEqual(self.check(target, chain).status, 1)
                for words in ((), ('-s', other)):
                    run = wimtrust('verify', *words, target, root)
                    self.assertEqual(run.status, 1, run.out)
                    self.assertRegex(run.err, r'\[cert-limited(-copy)?\]')
                run = wimtrust('add', '-n', '-s', other, target, root)
                self.assertEqual(run.status, 0)
                self.assertIn('[cert-limited-copy]', run.err)
                # The remedy works.
                run = wimtrust('verify', '-s', other, target, root)
                words = shlex.split(run.err.splitlines()[-1])[1:]
                words = words[1:words.index('takes')]
                words[words.index('CERT')] = root
                self.assertEqual(wimtrust(*words).status, 0)
                self.assertEqual(wimtrust('verify', target, root).status, 0)
                self.assertEqual(self.check(target, chain).status, 0)

    def test_a_limit_that_was_asked_for_is_none_of_a_copy(self):
        target, root = self.hive(), self.file('root.pem', pem('root'))
        for store in ('root', 'authroot'):
            run = wimtrust('add', '-s', store, '--for', 'client-auth', target,
                           root)
            self.assertNotIn('copy', run.err)
        self.assertEqual(
            wimtrust('verify', '--for', 'client-auth', target, root).status, 0)

    def test_nothing_but_what_is_no_good_is_an_error(self):
        bad = re.sub('(?s)MII.{20}', 'MIIAAAA', pem('leaf'), count=1)
        run = self.check(self.image('root'), bad)
        self.assertEqual(run.status, 3, run.err)
        self.assertRegex(run.err, r'\[cert-\w+')

    def test_a_chain_has_bounds(self):
        run = self.check(self.image('root'),
                         '-----BEGIN CERTIFICATE-----\nAAA\n' * 5000)
        self.assertEqual(run.status, 3, run.err)
        self.assertIn('[chain-too-long]', run.err)
        self.assertLess(len(run.err.splitlines()), 20)

    def test_the_root_that_is_needed_is_named(self):
        target = self.image('other')
        run = self.check(target, pem('leaf', 'inter'))
        self.assertEqual(run.status, 1)
        self.assertIn('root needed: CN=Root\n', run.out)
        run = self.check(target, pem('leaf', 'inter', 'root'), '--json')
        needed = run.json['images'][0]['root_needed']
        self.assertEqual(needed['subject'], 'CN=Root')
        self.assertRegex(needed['sha1'], '^[0-9A-F]{40}$')
        run = self.check(self.image('root'), pem('leaf', 'inter'), '--json')
        self.assertIsNone(run.json['images'][0]['root_needed'])

    def test_algorithms_that_windows_does_not_know(self):
        target = self.hive()
        for name, code in (('root-ed25519', 'cert-unknown-algorithm'),
                           ('root-k256', 'cert-unsure-algorithm')):
            root = self.file('root.pem', pem(name))
            for command in (('add', '-n', target), ('show',)):
                run = wimtrust(*command, root)
                self.assertIn('[%s]' % code, run.err)
        run = wimtrust('add', '-n', target, self.file('r.pem', pem('root')))
        self.assertNotIn('algorithm', run.err)

    def test_doubts_are_warnings(self):
        target = self.image('root-rsa')
        run = self.check(target, pem('hash-md5'), '--json')
        self.assertEqual(run.status, 0)
        self.assertEqual([w['code'] for w in run.json['warnings']],
                         ['md5-signature', 'no-revocation-address'])

    def test_a_root_that_another_key_signed_is_not_added_unasked(self):
        target = self.hive()
        cert = self.file('new.pem', pem('new-with-old'))
        run = wimtrust('add', target, cert)
        self.assertEqual(run.status, 3)
        self.assertIn('[cert-bad-signature]', run.err)
        run = wimtrust('add', '-s', 'ca', target, cert)
        self.assertEqual(run.status, 0, run.err)


if __name__ == '__main__':
    main()
