# SPDX-License-Identifier: MIT
# test_terminal.py: what is shown on a terminal: width, colour, hostile text.
import json
import re
import subprocess
import unicodedata

from clitest import (HIVES, ROOT_DER, SOURCE, Case, environment, main,
                     make_root, on_terminal, wimtrust)

SHA1 = '7A645AEB801671DB9CE1C3E421FD11E0B52D6C2F'
ESCAPE = '\033'


def columns_of(line):
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in 'WF' else 1
               for c in re.sub('\x1b\\[[0-9;]*m', '', line))


class Tables(Case):
    def setUp(self):
        super().setUp()
        self.target = self.hive()
        make_root(self.folder / 'wide.pem', '/O=株式会社コントソ/CN=コントソ認証局ルート証明書第一号')
        wimtrust('add', self.target, ROOT_DER, self.folder / 'wide.pem')

    def words(self, shown):
        """All that is shown, whatever lines it is on."""
        return sorted(''.join(shown.split()))

    def test_fit_the_terminal_and_show_the_same_at_any_width(self):
        certs = SOURCE / 'testdata' / 'certs'
        wimtrust('add', self.target, certs / 'root.reg')
        chain = SOURCE / 'testdata' / 'chains' / 'fullchain.pem'
        for args in (('list', self.target),
                     ('verify', self.target, ROOT_DER, certs / 'root.reg'),
                     ('check', self.target, chain),
                     ('show', ROOT_DER, chain)):
            whole = on_terminal(*args, columns=1000)[1]
            labels = self.words(whole)
            for columns in (60, 66, 79, 80, 90, 100, 120, 150, 200):
                with self.subTest(command=args[0], columns=columns):
                    _, shown = on_terminal(*args, columns=columns)
                    self.assertIn('CN=', shown)
                    self.assertNotIn('…', shown)
                    rows = [line for line in shown.splitlines()
                            if line.startswith('  ')]
                    for line in rows:
                        if 'trusted' in line:
                            continue
                        self.assertLessEqual(columns_of(line), columns, line)
                    if args[0] == 'list':
                        self.assertIn(SHA1, shown)
                        self.assertIn('SUBJECT', shown)
                    # Titles become labels; all else is the same.
                    if args[0] != 'list':
                        self.assertEqual(self.words(shown), labels)
                    else:
                        for text in ('emailAddress=contact@houby-studio.eu,',
                                     'CN=houby-studio.eu,',
                                     'O=HoubyStudio', 'C=CZ',
                                     'コントソ認証局ルート証明書第一号',
                                     'FabrikamRööt', 'CodeSigning'):
                            self.assertIn(text, ''.join(shown.split()))

    def test_names_break_between_their_parts(self):
        _, shown = on_terminal('list', self.target, columns=110)
        lines = shown.splitlines()
        at = next(i for i, x in enumerate(lines) if SHA1 in x)
        start = lines[at].index('emailAddress=')
        self.assertEqual(lines[at][start:],
                         'emailAddress=contact@houby-studio.eu,')
        self.assertEqual(lines[at + 1][:start], ' ' * start)
        self.assertTrue(lines[at + 1][start:].startswith(
            'CN=houby-studio.eu,'))

    def test_common_names_are_whole_where_they_fit_on_a_line(self):
        names = ['CN=Contoso Global Root Certification Authority for Devices',
                 'CN=NoSpaceInThisNameWhichIsAsLongAsTheTableHasRoomBelow56']
        for i, subject in enumerate(('/C=DE/O=Contoso AG/' + names[0],
                                     f'/{names[1]}/O=Contoso AG/C=DE')):
            path = self.folder / f'{i}.pem'
            make_root(path, subject)
            wimtrust('add', self.target, path)
        paths = [self.folder / f'{i}.pem' for i in range(2)]
        for args in (('list', self.target),
                     ('verify', self.target, *paths),
                     ('verify', '--exact', self.target, paths[0]),
                     ('diff', self.target, ROOT_DER)):
            for columns in range(63, 201, 8):
                _, shown = on_terminal(*args, columns=columns)
                with self.subTest(command=args[0], columns=columns):
                    for name in names:
                        self.assertIn(name, shown)
                    self.assertNotRegex(shown, r' \r?\n')

    def test_lines_of_their_own_say_what_they_are(self):
        certs = SOURCE / 'testdata' / 'certs'
        wimtrust('add', self.target, certs / 'root.reg')
        _, shown = on_terminal('list', self.target, columns=80)
        self.assertIn('\n    CN=RSA 2048 Root,O=Fabrikam,C=XX\n'
                      '    name: Fabrikam Rööt\n'
                      '    limits: only for Server Authentication, '
                      'Code Signing\n',
                      shown)

    def test_columns_of_the_environment_count(self):
        _, shown = on_terminal('list', self.target, columns=200,
                               env=environment(COLUMNS='90'))
        rows = shown.splitlines()[1:]
        self.assertLessEqual(max(columns_of(line) for line in rows), 90)
        self.assertGreater(max(columns_of(line) for line in rows), 60)

    def test_are_never_cut_in_a_pipe(self):
        run = wimtrust('list', self.target, env=environment(COLUMNS='60'))
        self.assertNotIn('…', run.out)
        self.assertIn('コントソ認証局ルート証明書第一号', run.out)

    def test_unicode_is_shown_in_the_c_locale_too(self):
        run = wimtrust('list', self.target, env=environment(LC_ALL='C'))
        self.assertIn('コントソ認証局', run.out)
        status, shown = on_terminal('list', self.target, columns=100,
                                    env=environment(LC_ALL='C'))
        self.assertEqual(status, 0)
        self.assertIn('コントソ認証局ルート証明書第一号', shown)


class Help(Case):
    def test_wraps_and_shows_the_same(self):
        for command in ('add', 'check', 'verify', 'export'):
            whole = wimtrust('help', command).out
            self.assertEqual(on_terminal('help', command, columns=80)[1],
                             whole)
            for columns in (60, 66, 72):
                _, shown = on_terminal('help', command, columns=columns)
                self.assertEqual(''.join(shown.split()),
                                 ''.join(whole.split()))
                for line in shown[:shown.index('Example: ')].splitlines():
                    self.assertLessEqual(len(line), columns, line)


class Color(Case):
    def shown(self, *args, **env):
        return on_terminal(*args, self.hive(), ROOT_DER,
                           env=environment(**env))[1]

    def test_only_where_it_is_wanted(self):
        self.assertIn(ESCAPE + '[32madded' + ESCAPE + '[0m',
                      self.shown('add'))
        self.assertNotIn(ESCAPE, self.shown('add', NO_COLOR='1'))
        self.assertIn(ESCAPE, self.shown('add', NO_COLOR=''))
        self.assertNotIn(ESCAPE, self.shown('add', TERM='dumb'))
        self.assertNotIn(ESCAPE, self.shown('add', '--color=never'))
        self.assertIn(ESCAPE, self.shown('add', '--color=always',
                                         NO_COLOR='1'))

    def test_none_in_a_pipe_unless_asked_for(self):
        self.assertNotIn(ESCAPE, wimtrust('add', self.hive(), ROOT_DER).out)
        self.assertIn(ESCAPE, wimtrust('add', '--color', 'always',
                                       self.hive(), ROOT_DER).out)


class Hostile(Case):
    NAME = ('Evil\x1b]0;title\x07\x1b[2J\rRoot\u202egnp.exe\u200b'
            '\u2066x\x7f\u009b31m')

    def certificate(self):
        config = self.folder / 'config'
        config.write_text('[req]\ndistinguished_name=dn\nprompt=no\n'
                          'string_mask=utf8only\nutf8=yes\n[dn]\nCN=x\n')
        path = self.folder / 'evil.pem'
        # openssl takes the subject as it is, byte for byte.
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
             'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null',
             '-utf8', '-days', '3650', '-config', config, '-subj',
             '/CN=' + self.NAME, '-addext', 'basicConstraints=CA:true',
             '-out', path], check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return path

    def assert_harmless(self, text):
        bad = [c for c in text
               if unicodedata.category(c) in ('Cc', 'Cf', 'Zl', 'Zp', 'Cs')
               and c != '\n']
        self.assertEqual(bad, [], text)

    def test_subject_cannot_command_a_terminal(self):
        evil, hive = self.certificate(), self.hive()
        for args in (('show', evil), ('add', hive, evil), ('list', hive),
                     ('verify', hive, evil), ('check', hive, evil),
                     ('remove', hive, evil), ('verify', hive, evil)):
            with self.subTest(command=args[0]):
                run = wimtrust(*args)
                self.assertIn('Evil', run.out + run.err)
                self.assert_harmless(run.out)
                self.assert_harmless(run.err)

    def test_image_name_cannot_command_a_terminal(self):
        wim = self.wim('plain.wim')
        subprocess.run(
            ['wimlib-imagex', 'info', wim, '1', '\x7fEvil\u202ename'],
            check=True, stdout=subprocess.DEVNULL, env=environment())
        for args in (('info', wim), ('list', wim), ('list', '-i', '9', wim)):
            run = wimtrust(*args)
            self.assertIn('Evil', run.out + run.err)
            self.assert_harmless(run.out + run.err)

    def test_key_name_cannot_command_a_terminal(self):
        hive = self.hive('entries')
        reg = self.folder / 'evil.reg'
        reg.write_text('Windows Registry Editor Version 5.00\n\n'
                       '[\\Microsoft\\SystemCertificates\\ROOT\\'
                       'Certificates\\' + self.NAME.replace('\r', '') +
                       ']\n"Blob"=hex:01,02\n')
        subprocess.run(['hivexregedit', '--merge', hive, reg], check=True)
        for args in (('list', hive), ('list', '-v', hive), ('info', hive),
                     ('verify', hive, ROOT_DER), ('add', hive, ROOT_DER)):
            run = wimtrust(*args)
            self.assert_harmless(run.out + run.err)
        self.assertIn('Evil\\x1b]0;', wimtrust('list', hive).out)
        status, shown = on_terminal('list', '--json', hive)
        self.assertEqual(status, 0)
        self.assert_harmless(shown)
        self.assertIn('Evil\x1b]0;', json.dumps(
            wimtrust('list', '--json', hive).json).encode().decode(
                'unicode_escape'))

    def test_path_cannot_command_a_terminal(self):
        run = wimtrust('list', 'no\x1b[31m\nsuch\udcff')
        self.assertEqual(run.status, 7)
        self.assert_harmless(run.err)
        self.assertIn('no\\x1b[31m\\x0asuch\\xff', run.err)
        self.assertEqual(len(run.err.splitlines()), 2)

    def test_json_and_raw_values_cannot_command_a_terminal(self):
        evil = self.certificate()
        status, shown = on_terminal('show', '--json', evil)
        self.assertEqual(status, 0)
        self.assert_harmless(shown)
        self.assertEqual(json.loads(shown),
                         wimtrust('show', '--json', evil).json)
        status, shown = on_terminal('export', '--format', 'blob', evil)
        self.assertEqual(status, 2)
        self.assertEqual(shown, 'wimtrust: export: a raw value is not shown '
                         'on a terminal [usage]\nhint: give it a file, '
                         '-o FILE, or a pipe\n')
        for format_name in ('pem', 'reg'):
            status, shown = on_terminal('export', '--format', format_name,
                                        evil)
            self.assertEqual(status, 0)
            self.assert_harmless(
                shown.replace('\0', '').replace('\r', ''))

    def test_json_is_valid_utf8(self):
        evil = self.certificate()
        subject = wimtrust('show', '--json', evil).json[
            'certificates'][0]['subject']
        self.assertIn('Evil', subject)
        run = wimtrust('list', '--json', 'no\udcffsuch')
        self.assertEqual(run.json['error']['object'], 'no\ufffdsuch')


class Progress(Case):
    def test_leaves_no_debris(self):
        """What a terminal shows in the end, with progress forced on."""
        for term in ('xterm', 'dumb'):
            _, shown = on_terminal('add', '--progress=always', self.wim(),
                                   ROOT_DER, env=environment(TERM=term))
            for line in shown.split('\n'):
                last = re.split(r'\r', line)[-1]
                self.assertNotRegex(last, r'%|\.\.\.')

    def test_is_silent_in_a_pipe(self):
        run = wimtrust('list', HIVES / 'entries')
        self.assertEqual(run.err, '')


if __name__ == '__main__':
    main()
