# SPDX-License-Identifier: MIT
# test_usage.py: arguments, help, exit statuses of what is asked wrongly.
import os
import shutil
import signal
import subprocess
import unittest

from clitest import ROOT_DER, WIMTRUST, Case, environment, main, wimtrust

COMMANDS = ('add', 'remove', 'list', 'verify', 'check', 'diff', 'info', 'show',
            'export', 'completion')


NAMES = ('add, remove, list, verify, check, diff, info, show, export, '
         'completion')


class Help(Case):
    def test_alone_says_what_it_does_and_fails(self):
        run = wimtrust()
        self.assertEqual(run.status, 2)
        self.assertEqual(run.err, '')
        for command in ('add', 'list', 'check'):
            self.assertRegex(run.out, f'wimtrust {command} .*boot.wim')
        self.assertIn('wimtrust check --host', run.out)
        self.assertIn('man wimtrust', run.out)
        self.assert_fits(run.out)

    def assert_fits(self, text, height=24):
        lines = text.splitlines()
        self.assertLessEqual(len(lines), height)
        self.assertLessEqual(max(map(len, lines)), 80)

    def test_help_of_each_command_fits_and_ends_with_an_example(self):
        for command in COMMANDS:
            for word in ('--help', '-h'):
                with self.subTest(command=command):
                    run = wimtrust(command, word)
                    self.assertEqual((run.status, run.err), (0, ''))
                    self.assert_fits(run.out, 45)
                    self.assertRegex(run.out, r'\n  -h, --help  +\w')
                    self.assertTrue(
                        run.out.startswith(f'Usage: wimtrust {command} '))
                    self.assertTrue(run.out.splitlines()[-1].startswith(
                        f'Example: wimtrust {command} '))

    def test_help_and_version_work_without_a_command(self):
        for word in ('--help', '-h', 'help'):
            self.assertEqual(wimtrust(word).status, 0)
        run = wimtrust('-V')
        self.assertEqual(run.status, 0)
        names = [line.split()[0] for line in run.out.splitlines()]
        self.assertEqual(
            names, ['wimtrust', 'wimlib', 'hivex', 'OpenSSL', 'jansson',
                    'sandbox'])
        self.assertEqual(run.out, wimtrust('list', '--version').out)

    def test_inject_is_add(self):
        self.assertEqual(wimtrust('inject', '-h').out,
                         wimtrust('add', '-h').out)


class Mistakes(Case):
    TABLE = (
        # arguments, the line, the hint
        (['lsit', 'x'], 'lsit: is not a command',
         'did you mean wimtrust list?'),
        (['frobnicate'], 'frobnicate: is not a command',
         'the commands are ' + NAMES),
        (['--json-x', 'nothing'], '--json-x: is not an option without a '
         'command', 'wimtrust --help, or the command first: wimtrust COMMAND '
         '[OPTION]...'),
        (['list', '--imgae', '1', 'x'], 'list: there is no option --imgae',
         'did you mean --image?'),
        (['list', '--rebuild', 'x'], 'list: there is no option --rebuild',
         '--rebuild belongs to: add, remove'),
        (['list', '-n', 'x'], 'list: there is no option -n',
         '-n belongs to: add, remove'),
        (['list', '--zzz', 'x'], 'list: there is no option --zzz',
         'wimtrust list --help shows the options'),
        (['list', '-Z', 'x'], 'list: there is no option -Z',
         'wimtrust list --help shows the options'),
        (['add', '--force=yes', 'x', 'y'], 'add: --force takes no value',
         None),
        (['add', 'x', 'y', '--access'], 'add: --access needs a value: HOW',
         '--access takes auto|mount|update'),
        (['add', '--access', 'fuse', 'x', 'y'],
         '--access: invalid value "fuse"', '--access takes auto, mount, update'),
        (['add', '--commit=copy', 'x', 'y'], '--commit: invalid value "copy"',
         '--commit takes auto, replace, append'),
        (['add', '-s', 'my', 'x', 'y'], '--store: invalid value "my"',
         '--store takes auto, authroot, root, ca, trustedpublisher, '
         'trustedpeople, disallowed'),
        (['add', '--allow', 'expired,old', 'x', 'y'],
         '--allow: invalid value "old"',
         '--allow takes expired, not-yet-valid, weak-key, not-ca, bad-signature'),
        (['add', '--threads', '-1', 'x', 'y'], '--threads: invalid value "-1"',
         '--threads takes a number from 0 to 1024'),
        (['add', '--wait', 'long', 'x', 'y'], '--wait: invalid value "long"',
         '--wait takes a number from 0 to 86400'),
        (['check', '--timeout', '0', '--connect', 'x', 'y'],
         '--timeout: invalid value "0"', '--timeout takes a number from 1 to 86400'),
        (['add', '-o', 'new.ISO', 'x', 'y'], '--output: invalid value "new.ISO"',
         '--output takes a name such as boot.wim: what is written is a WIM, '
         'never an ISO image'),
        (['add', '--backup=/tmp', 'x', 'y'], '--backup: invalid value "/tmp"',
         "--backup takes an ending of a file's name, such as .bak"),
        (['check', '--at', '2027-02-30', 'x', 'y'],
         '--at: invalid value "2027-02-30"',
         '--at takes 2027-01-31, 2027-01-31T12:00:00Z or @1800000000'),
        (['add'], 'add: needs TARGET CERT...',
         'for example: wimtrust add --backup boot.wim contoso-root.cer'),
        (['add', 'x'], 'add: needs TARGET CERT..., but got only "x"',
         'for example: wimtrust add --backup boot.wim contoso-root.cer'),
        (['add', 'x', ''], 'add: operand 2 is empty',
         'name a file; is the variable set?'),
        (['diff', '', 'x'], 'diff: operand 1 is empty',
         'name a file; is the variable set?'),
        (['verify', '--exact', '--base', '', 'x', 'y'],
         '--base: invalid value ""', "--base takes a file's name"),
        (['info', 'x', 'y'],
         'info: takes no more than TARGET, but got "y" too',
         'for example: wimtrust info boot.wim'),
        (['completion', 'tcsh'], 'tcsh: is not a shell that has completions',
         'bash, zsh and fish have one'),
        (['list', '--json', '--pem', 'x'],
         'list: --json and --pem cannot be used together', 'run it twice, once with each'),
    )

    def test_each_names_object_reason_and_remedy(self):
        for args, line, hint in self.TABLE:
            with self.subTest(args=args):
                run = wimtrust(*args)
                self.assert_fails(run, 2, line, hint)
                if not any(arg.startswith('--json') for arg in args):
                    self.assertEqual(run.out, '')

    def test_file_in_place_of_a_command(self):
        hive = self.hive()
        self.assert_fails(
            wimtrust(hive, ROOT_DER), 2, f'{hive}: is not a command',
            f'the command comes first: wimtrust list {hive}')

    def test_json_is_given_for_a_usage_error_too(self):
        for args in (['list', '--json', '--imgae'], ['lsit', '--json'],
                     ['add', '--json=pretty'], ['list', '--json=ugly', 'x']):
            with self.subTest(args=args):
                run = wimtrust(*args)
                self.assertEqual(run.status, 2)
                self.assertEqual(run.json['status'], 2)
                self.assertIn(run.json['error']['code'],
                              ('unknown-option', 'unknown-command', 'usage',
                               'bad-value'))
                self.assertTrue(run.err.startswith('wimtrust: '))

    def test_times(self):
        hive = self.hive()
        for time in ('2027-01-31', '2027-01-31T12:00:00Z', '@1800000000',
                     '2027-01-31t12:00:00.5+01:00', '2027-01-31 12:00:00z'):
            with self.subTest(time=time):
                run = wimtrust('check', '--at', time, hive, ROOT_DER)
                self.assertNotEqual(run.status, 2, run.err)
        for time in ('', '@', '@x', '2027', '2027-13-01', '2027-01-31T12:00',
                     '2027-01-31T12:00:00', '2027-01-31T25:00:00Z',
                     '2027-01-31T12:00:00Zx'):
            with self.subTest(time=time):
                run = wimtrust('check', '--at', time, hive, ROOT_DER)
                self.assertEqual(run.status, 2)


class Streams(Case):
    def test_full_stdout_is_an_error(self):
        with open('/dev/full', 'wb') as full:
            run = wimtrust('--help', stdout=full)
        self.assertEqual(run.status, 7)
        self.assertEqual(run.err, 'wimtrust: standard output: cannot be '
                                  'written: No space left on device '
                                  '[output]\n')
        with open('/dev/full', 'wb') as full:
            run = wimtrust('list', '--json', self.hive('entries'),
                           stdout=full)
        self.assertEqual(run.status, 7)

    def test_closed_streams_never_become_the_image(self):
        for closed in ('>&-', '<&- >&-', '<&- >&- 2>&-'):
            with self.subTest(closed=closed):
                hive = self.hive()
                done = subprocess.run(
                    ['sh', '-c', f'"$0" add "$1" "$2" {closed}', WIMTRUST,
                     hive, ROOT_DER], stderr=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, 7)
                if '2>' not in closed:
                    self.assertIn(b'standard output: cannot be written',
                                  done.stderr)
                self.assertEqual(hive.read_bytes()[:4], b'regf')
                self.assertNotIn(b'added', hive.read_bytes())
                self.assertEqual(wimtrust('verify', hive, ROOT_DER).status, 0)
        hive = self.hive()
        done = subprocess.run(
            ['sh', '-c', '"$0" add -q "$1" "$2" >&-', WIMTRUST, hive,
             ROOT_DER], stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b''))

    def test_closed_pipe_ends_it_quietly(self):
        for args in (['--help'], ['list', self.hive('entries')]):
            read_end, write_end = os.pipe()
            os.close(read_end)
            done = subprocess.run(
                [WIMTRUST, *map(os.fspath, args)], stdout=write_end,
                stderr=subprocess.PIPE, env=environment(), check=False,
                restore_signals=True)
            os.close(write_end)
            self.assertEqual(done.stderr, b'')
            self.assertEqual(done.returncode, -signal.SIGPIPE)

    @unittest.skipUnless(os.geteuid() == 0, 'needs root')
    def test_refuses_to_run_set_user_id(self):
        program = self.folder / 'wimtrust'
        shutil.copyfile(WIMTRUST, program)
        os.chown(program, 65534, 65534)
        program.chmod(0o4755)
        self.folder.chmod(0o755)
        run = wimtrust('-V', program=os.fspath(program))
        if 'Sanitizer' in run.err:
            self.skipTest('a sanitizer will not run so either')
        if run.status == 0 and b'nosuid' in subprocess.run(
                ['findmnt', '-no', 'OPTIONS', '-T', program],
                stdout=subprocess.PIPE, check=False).stdout:
            self.skipTest('this file system knows no set-user-ID')
        self.assertEqual(run.status, 2)
        self.assertIn('does not run set-user-ID', run.err)
        self.assertEqual(run.out, '')


if __name__ == '__main__':
    main()
