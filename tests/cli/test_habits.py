# SPDX-License-Identifier: MIT
# test_habits.py: what people type who learnt elsewhere, or pasted it. No hint
# may name the opposite of what was meant.
import os
import shlex
import shutil
import subprocess

import odd_inputs as odd
from clitest import HIVES, SOURCE, WIMS, Case, main, wimtrust

ROOT = SOURCE / 'testdata' / 'chains' / 'root.pem'
CHAIN = SOURCE / 'testdata' / 'chains' / 'fullchain.pem'
SHA1 = '5E371AA90DD8EB12E7F177D5E40AE1F06FD80EA0'


class Words(Case):
    MEANT = {'add': 'import install trust put insert register ADD',
             'remove': 'rm del delete erase uninstall Remove eject reject',
             'list': 'ls dir LIST lsit', 'check': 'test', 'show': 'view',
             'info': 'inspect stat',
             'diff': 'compare', 'verify': 'verfy', 'export': 'exprot'}

    def test_synonyms_of_commands(self):
        for command, words in self.MEANT.items():
            for word in words.split():
                with self.subTest(word=word):
                    self.assert_fails(
                        wimtrust(word, 'x', 'y'), 2, f'{word}: is not a command',
                        f'did you mean wimtrust {command}?',
                        'unknown-command')

    def test_synonyms_of_options(self):
        for command, word, meant in (
                ('add', 'index', 'image'), ('add', 'Index', 'image'),
                ('list', 'img', 'image'), ('check', 'hostname', 'host'),
                ('check', 'server', 'host'), ('add', 'whatif', 'dry-run'),
                ('add', 'overwrite', 'force'), ('add', 'imgae', 'image')):
            with self.subTest(word=word):
                self.assert_fails(
                    wimtrust(command, '--' + word, 'x', 'y'), 2,
                    f'{command}: there is no option --{word}',
                    f'did you mean --{meant}?', 'unknown-option')
        run = wimtrust('verify', '--thumbprint', 'x', 'y')
        self.assertIn('a thumbprint is an operand: wimtrust verify TARGET',
                      run.err)

    def test_help_and_version_anywhere(self):
        add = wimtrust('add', '--help').out
        self.assertTrue(add.startswith('Usage: wimtrust add '))
        for args in (['help', 'add'], ['-h', 'add'], ['--help', 'add'],
                     ['add', '-?'], ['add', '/?'], ['add', 'x', '-h'],
                     ['/?', 'add'], ['help', 'inject']):
            run = wimtrust(*args)
            self.assertEqual((run.status, run.out), (0, add), args)
        whole = wimtrust('--help').out
        for args in (['help'], ['-?'], ['/?'], ['-h'], ['help', '--json'],
                     ['help', 'help']):
            run = wimtrust(*args)
            self.assertEqual((run.status, run.out), (0, whole), args)
        for args in (['version'], ['help', 'version']):
            self.assertEqual(wimtrust(*args).out, wimtrust('--version').out)
        self.assert_fails(
            wimtrust('help', 'rm'), 2, 'rm: is not a command',
            'did you mean wimtrust remove?')

    def test_options_before_the_command(self):
        hive = self.hive('entries')
        self.assertEqual(wimtrust('-v', 'list', hive).out.splitlines()[:-1],
                         wimtrust('list', '-v', hive).out.splitlines()[:-1])
        self.assertEqual(wimtrust('--json', 'list', hive).json,
                         wimtrust('list', '--json', hive).json)


class Pasted(Case):
    def test_carriage_return(self):
        hive = self.hive()
        for args in (['list', f'{hive}\r'], ['add', hive, f'{ROOT}\r'],
                     ['list', '-q\r', hive],
                     ['check', '--host', 'a.example\r', hive, CHAIN]):
            run = wimtrust(*args)
            self.assertEqual(run.status, 2)
            self.assertIn(': ends with a carriage return [usage]\n'
                          'hint: the script has the line ends of Windows: '
                          "sed -i 's/\\r$//' SCRIPT", run.err)

    def test_typographic_marks(self):
        hive = self.hive()
        for word, what in (('\u2013n', 'dash'), ('\u2014\u2014json', 'dash'),
                           ('\u2212n', 'dash'), ('\u2010n', 'dash'),
                           ('\u2011n', 'dash'), ('\uff0d\uff0djson', 'dash'),
                           ('\u201cboot.wim\u201d', 'quotation mark'),
                           ('\u201eboot.wim\u201c', 'quotation mark'),
                           ('\u2018boot.wim\u2019', 'quotation mark')):
            run = wimtrust('add', hive, ROOT, word)
            self.assertEqual(run.status, 2)
            self.assertIn(f'wimtrust: {word}: begins with a typographic '
                          f'{what} [usage]', run.err)
        # A name may hold what a command line may not.
        run = wimtrust('add', '--friendly-name', '\u201eContoso\u201c', hive,
                       ROOT)
        self.assertEqual((run.status, run.err), (0, ''))
        odd = self.copy(HIVES / 'software-1.3', '\u2013n')
        self.assertEqual(wimtrust('list', odd.name,
                                  cwd=self.folder).status, 0)

    def test_options_of_windows(self):
        hive = self.hive()
        self.assert_fails(
            wimtrust('add', hive, ROOT, '/Index:1'), 2,
            '/Index:1: options begin with - here', 'it is --image 1')
        self.assert_fails(
            wimtrust('add', hive, ROOT, '/Quiet'), 2,
            '/Quiet: options begin with - here',
            'wimtrust help COMMAND lists the options')

    def test_paths_of_windows(self):
        run = wimtrust('add', r'\\server\share\x\boot.wim', ROOT)
        self.assertIn(r"mount -t drvfs '\\server\share' /mnt/share", run.err)
        run = wimtrust('add', r'C:\boot.wim', ROOT)
        self.assertIn("wslpath 'C:\\boot.wim'", run.err)
        # What a shell makes of them where the quotes are missing.
        for path in ('C:imagesboot.wim', r'\serversharexboot.wim'):
            run = wimtrust('add', path, ROOT)
            self.assertIn('hint: the shell took the backslashes out: put '
                          'single quotes around the path\n', run.err)


class Operands(Case):
    def hint(self, *args, status=None):
        run = wimtrust(*args, cwd=self.folder)
        if status is not None:
            self.assertEqual(run.status, status, run.err)
        self.assertNotEqual(run.status, 0)
        lines = run.err.splitlines()
        self.assertTrue(lines[-1].startswith('hint: '), run.err)
        return lines[-1][6:]

    def setUp(self):
        super().setUp()
        self.wim().rename(self.folder / 'a.wim')
        self.wim().rename(self.folder / 'b.wim')
        self.copy(ROOT, 'r.cer')
        self.copy(ROOT, 'a root.cer')
        self.copy(CHAIN, 'chain.pem')

    def test_swapped(self):
        for command in ('add', 'remove', 'verify', 'check', 'export'):
            self.assertEqual(
                self.hint(command, 'r.cer', 'a.wim'),
                f'the order is: wimtrust {command} a.wim r.cer')
        for command in ('list', 'info'):
            self.assertEqual(self.hint(command, 'r.cer'),
                             'it holds certificates: wimtrust show r.cer')
        self.assertEqual(self.hint('show', 'a.wim'),
                         'wimtrust list a.wim shows what it trusts')

    def test_several_images_are_a_loop_that_works(self):
        for args, again in (
                (('add', 'a.wim', 'b.wim', 'r.cer'),
                 'for wim in a.wim b.wim; do wimtrust add "$wim" r.cer; done'),
                (('verify', 'a.wim', 'b.wim', 'r.cer'),
                 'for wim in a.wim b.wim; do wimtrust verify "$wim" r.cer; '
                 'done'),
                (('list', 'a.wim', 'b.wim'),
                 'for wim in a.wim b.wim; do wimtrust list "$wim"; done'),
                (('remove', 'a.wim', 'b.wim', SHA1),
                 'for wim in a.wim b.wim; do wimtrust remove "$wim" '
                 f'{SHA1}; done')):
            self.assertEqual(self.hint(*args), 'run it once for each image: ' + again)
            program = os.path.dirname(os.environ['WIMTRUST'])
            done = subprocess.run(
                ['bash', '-c', 'set -e; ' + again], cwd=self.folder,
                env=dict(os.environ,
                         PATH=f'{program}:{os.environ["PATH"]}'),
                stdout=subprocess.DEVNULL, check=False)
            self.assertEqual(done.returncode, 0)

    def test_path_in_two_words(self):
        self.assertEqual(self.hint('add', 'a.wim', 'a', 'root.cer'),
                         "put a path with spaces in quotes: 'a root.cer'")

    def test_pattern_without_a_match(self):
        self.assertEqual(self.hint('add', 'a.wim', '*.crt'),
                         'no file matches; the shell left the pattern as it '
                         'is')

    def test_values_that_need_a_sign(self):
        self.assertEqual(self.hint('add', 'a.wim', 'r.cer', '--json',
                                   'pretty'),
                         'a value of --json follows an =: --json=pretty')
        self.assertEqual(self.hint('add', 'a.wim', 'r.cer', '--backup',
                                   '.old'),
                         'a value of --backup follows an =: --backup=.old')

    def test_names_instead_of_files(self):
        self.assertEqual(self.hint('remove', 'a.wim', 'CN=Chain Root'),
                         'wimtrust list a.wim shows the thumbprints')
        for name in ('https://cmg.contoso.com/x', 'cmg.contoso.com:443',
                     'cmg.contoso.com'):
            self.assertIn('cmg.contoso.com', self.hint('check', 'a.wim', name))
            self.assertRegex(self.hint('check', 'a.wim', name),
                             r'connect cmg\.contoso\.com')
        self.assertIn('curl', self.hint('list', 'https://x.example/a.wim'))
        self.assertEqual(self.hint('list', '-'),
                         'a target is a file, not standard input')
        self.assertEqual(
            self.hint('add', 'a.wim', '/no/such'), 'look at the spelling')

    def test_folder_as_output(self):
        (self.folder / 'out').mkdir()
        self.assertEqual(self.hint('add', '-o', 'out', 'a.wim', 'r.cer'),
                         'name a file in it: -o out/boot.wim')

    def test_empty_host(self):
        self.assert_fails(
            wimtrust('check', '--host', '', 'x', 'y'), 2,
            '--host: is empty', "give the server's name; is the variable set?", 'bad-value')

    def test_remedies_name_the_target(self):
        hint = self.hint('check', 'a.wim', 'chain.pem', status=1)
        self.assertIn('wimtrust add a.wim ', hint)
        self.assertEqual(self.hint('verify', 'a.wim', 'r.cer', status=1),
                         'to add it: wimtrust add a.wim r.cer')

    def test_hints_repeat_the_options(self):
        self.copy(self.folder / 'a.wim', 'my boot.wim')
        self.assertEqual(
            self.hint('add', '-s', 'root', '--allow', 'expired,weak-key',
                      'r.cer', 'my boot.wim'),
            "the order is: wimtrust add -s root --allow expired,weak-key "
            "'my boot.wim' r.cer")
        self.assertEqual(
            self.hint('add', '--backup=.old bak', 'a.wim', 'my boot.wim',
                      'r.cer'),
            "run it once for each image: for wim in a.wim 'my boot.wim'; do wimtrust "
            "add '--backup=.old bak' \"$wim\" r.cer; done")
        self.assertEqual(
            self.hint('check', '-i', 'boot', 'my boot.wim', 'chain.pem',
                      status=1),
            "if you trust it, add it: wimtrust add -i boot 'my boot.wim' "
            "ROOT.cer")
        self.assertEqual(self.hint('remove', 'a.wim', 'Contoso Root CA'),
                         'wimtrust list a.wim shows the thumbprints')

    def test_what_verify_names_makes_it_say_yes(self):
        shutil.copyfile(odd.CERTS / 'root-ec-p256.der',
                        self.folder / "other root.cer")
        for args in ([], ['-i', '2'], ['-s', 'root'],
                     ['--for', 'server-auth'], ['--for', 'client-auth,email'],
                     ['-i', '1', '-i', '2', '-s', 'root', '--for', 'any']):
            for certs in (['r.cer'], ['r.cer', 'other root.cer']):
                with self.subTest(args=args, certs=certs):
                    command = ['verify', *args, 'a.wim', *certs]
                    hint = self.hint(*command, status=1)
                    self.assertTrue(hint.startswith('to add it: wimtrust '))
                    words = shlex.split(hint)[4:]
                    self.assertEqual(words[-len(certs):], certs)
                    run = wimtrust(*words, cwd=self.folder)
                    self.assertEqual(run.status, 0, run.err)
                    run = wimtrust(*command, cwd=self.folder)
                    self.assertEqual(run.status, 0, run.err)
                    wimtrust('remove', 'a.wim', *certs, cwd=self.folder)
        # What is there already is not named again.
        wimtrust('add', 'a.wim', 'r.cer', cwd=self.folder)
        hint = self.hint('verify', 'a.wim', 'r.cer', 'other root.cer',
                         status=1)
        self.assertEqual(hint, "to add it: wimtrust add a.wim "
                         "'other root.cer'")
        # A thumbprint cannot be added.
        wimtrust('add', '--for', 'email', 'a.wim', 'r.cer', cwd=self.folder)
        hint = self.hint('verify', 'a.wim', SHA1, status=1)
        self.assertIn('wimtrust add a.wim CERT writes its value again', hint)

    def test_copy_that_configuration_manager_makes_anew(self):
        shutil.copyfile(self.folder / 'a.wim',
                        self.folder / 'boot.XYZ0001F.wim')
        for command in 'add', 'remove':
            run = wimtrust(command, 'boot.XYZ0001F.wim', 'r.cer',
                           cwd=self.folder)
            self.assertEqual((run.status, run.err), (
                0, 'wimtrust: warning: boot.XYZ0001F.wim: Configuration '
                'Manager replaces this copy at the next update of the '
                'distribution points: change boot.wim [package-copy]\n'))
        for name in ('boot.wim', 'boot.XYZ0001.wim', 'boot.XYZ0001G.wim',
                     'boots.XYZ0001F.wim', 'boot.XYZ0001F.wim.bak'):
            (self.folder / 'a.wim').rename(self.folder / name)
            run = wimtrust('add', '-n', name, 'r.cer', cwd=self.folder)
            self.assertEqual((run.status, run.err), (0, ''))
            (self.folder / name).rename(self.folder / 'a.wim')
        run = wimtrust('add', '-o', 'boot.wim', 'boot.XYZ0001F.wim', 'r.cer',
                       cwd=self.folder)
        self.assertEqual((run.status, run.err), (0, ''))

    def test_force_alone_does_nothing_and_says_so(self):
        run = wimtrust('add', '-n', '-f', WIMS / 'two.wim', ROOT)
        self.assertEqual(run.status, 0)
        self.assertEqual(
            run.err, 'wimtrust: warning: --force does nothing without '
            '--output: it says that the file named there may be overwritten '
            '[force-unused]\n')


if __name__ == '__main__':
    main()
