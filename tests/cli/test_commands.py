# SPDX-License-Identifier: MIT
# test_commands.py: each command on real hives and images.
import fcntl
import os
import signal
import subprocess

from clitest import (HANG, HIVES, ROOT_DER, SOURCE, WIMS, WIMTRUST, Case,
                     digest, environment, catches, main, make_root,
                     wait_until, wimtrust)

SHA1 = '7A645AEB801671DB9CE1C3E421FD11E0B52D6C2F'
SHA256 = '1FE81FC11952FA7917E6E01A9C688F6F0EA84EAF4F65D92B0C3EA4FF407A3D46'


class Add(Case):
    def test_announces_each_certificate_that_becomes_trusted(self):
        wim = self.wim()
        run = wimtrust('add', wim, ROOT_DER)
        self.assertEqual((run.status, run.err), (0, ''))
        lines = run.out.splitlines()
        self.assertEqual(
            lines[0], f'{wim}: added to AuthRoot of images 1, 2 (boot: 2)')
        self.assertRegex(lines[1], f'^  {SHA1}  .*CN=houby-studio.eu')
        self.assertEqual(lines[2:],
                         [f'{wim}: 1 certificate added to 2 images'])
        wim = self.wim()
        run = wimtrust('add', '-v', wim, ROOT_DER)
        for image in ('image 1 "Image 1"', 'image 2 "Image 2", boot'):
            self.assertIn(f'{wim}: added to AuthRoot of {image}\n', run.out)
        for text in ('CN=houby-studio.eu', 'SHA-1    ' + SHA1,
                     'SHA-256  ' + SHA256,
                     'valid    2020-06-03 to 2040-05-29'):
            self.assertEqual(run.out.count(text), 2, text)
        self.assertIn(f'\n{wim}: 1 certificate added to 2 images\n', run.out)

    def test_what_differs_by_image_is_said_by_image(self):
        wim = self.wim()
        other = make_root(self.folder / 'other.pem', '/CN=Other')
        wimtrust('add', '-i', '2', wim, ROOT_DER)
        run = wimtrust('add', wim, ROOT_DER, other)
        self.assertEqual(
            [line for line in run.out.splitlines() if line[0] != ' '],
            [f'{wim}: added to AuthRoot of image 1 "Image 1"',
             f'{wim}: added to AuthRoot of images 1, 2 (boot: 2)',
             f'{wim}: unchanged in AuthRoot of image 2 "Image 2", boot',
             f'{wim}: 2 certificates added to 2 images, '
             '1 unchanged in image 2'])

    def test_twenty_roots_in_two_images_fit_a_screen(self):
        wim = self.wim()
        bundle = self.folder / 'bundle.pem'
        bundle.write_text(''.join(
            make_root(self.folder / 'one.pem', f'/CN=Root {i}').read_text()
            for i in range(20)))
        for command, word in (('add', 'added to'), ('add', 'unchanged in'),
                              ('verify', 'present in')):
            run = wimtrust(command, wim, bundle)
            self.assertEqual(run.status, 0, run.err)
            lines = run.out.splitlines()
            self.assertEqual(len(lines), 22)
            self.assertTrue(lines[-1].startswith(
                f'{wim}: 20 certificates {word} 2 images'), lines[-1])
        self.assertEqual(len(wimtrust('list', wim).out.splitlines()), 22)
        self.assertGreater(
            len(wimtrust('list', '-v', wim).out.splitlines()), 42)

    def test_second_run_changes_nothing_and_says_so(self):
        hive = self.hive()
        self.assertEqual(wimtrust('add', hive, ROOT_DER).status, 0)
        before, stat = digest(hive), hive.stat()
        run = wimtrust('add', hive, ROOT_DER)
        self.assertEqual((run.status, run.err), (0, ''))
        self.assertIn(f'{hive}: unchanged in AuthRoot\n', run.out)
        self.assertIn('1 certificate unchanged (nothing was written)',
                      run.out)
        self.assertEqual(digest(hive), before)
        self.assertEqual(hive.stat().st_mtime_ns, stat.st_mtime_ns)

    def test_quiet_prints_nothing(self):
        hive = self.hive()
        run = wimtrust('add', '-q', hive, ROOT_DER)
        self.assertEqual((run.status, run.out, run.err), (0, '', ''))

    def test_verbose_says_access_commit_size_and_time(self):
        run = wimtrust('add', '-v', '--access', 'update', self.wim(), ROOT_DER)
        self.assertEqual(run.status, 0)
        for word in ('access   update', 'commit   replace', 'size     ',
                     'time     '):
            self.assertIn('\n' + word, run.out)

    def test_dry_run_writes_nothing(self):
        wim = self.wim()
        before = digest(wim)
        run = wimtrust('add', '--dry-run', wim, ROOT_DER)
        self.assertEqual(run.status, 0)
        self.assertTrue(run.out.startswith(
            f'{wim}: would add to AuthRoot of images 1, 2'))
        self.assertTrue(run.out.endswith(
            f'{wim}: would add 1 certificate to 2 images '
            '(dry run: nothing was written)\n'))
        self.assertEqual(digest(wim), before)

    def test_output_leaves_the_source(self):
        wim, new = self.wim(), self.folder / 'new.wim'
        before = digest(wim)
        run = wimtrust('add', '-o', new, wim, ROOT_DER)
        self.assertEqual(run.status, 0, run.err)
        self.assertEqual(digest(wim), before)
        self.assertIn(f'{new}: 1 certificate added to 2 images', run.out)
        self.assertEqual(wimtrust('verify', new, ROOT_DER).status, 0)
        self.assert_fails(wimtrust('add', '-o', new, wim, ROOT_DER), 7,
                          f'{new}: exists already',
                          'use -f (--force) to replace it')

    def test_backup(self):
        wim = self.wim()
        before = digest(wim)
        self.assertEqual(
            wimtrust('add', '--backup', wim, ROOT_DER).status, 0)
        self.assertEqual(digest(self.folder / 'two.wim.bak'), before)
        self.assertEqual(wimtrust(
            'remove', '--backup=.old', wim, SHA1).status, 0)
        self.assertTrue((self.folder / 'two.wim.old').exists())

    def test_refused_certificates_are_listed_with_keep_going(self):
        old = make_root(self.folder / 'old.pem', '/CN=Old', 'rsa:1024')
        hive = self.hive()
        before = digest(hive)
        run = wimtrust('add', hive, ROOT_DER, old)
        self.assertEqual((run.status, run.out), (3, ''))
        self.assertEqual(digest(hive), before)
        run = wimtrust('add', '--keep-going', hive, ROOT_DER, old)
        self.assertEqual(run.status, 0)
        self.assertRegex(run.out, r'(?m): refused for AuthRoot\n  \w{40}  '
                         r'CN=Old  its key .* \[cert-weak-key\], in '
                         r'/.*/old.pem, certificate 1 \(line 1\)$')
        self.assertIn('1 certificate added, 1 refused', run.out)

    def test_rebuild_and_append_exclude_each_other(self):
        target = self.wim()
        before = digest(target)
        run = wimtrust('add', '--rebuild', '--commit', 'append', target,
                       ROOT_DER)
        self.assert_fails(run, 2,
                          f'{target}: cannot be rebuilt by appending to it',
                          'leave out --commit append, or --rebuild')
        self.assertEqual(digest(target), before)

    def test_target_and_certificate_swapped(self):
        hive = self.hive()
        run = wimtrust('add', ROOT_DER, hive)
        self.assertEqual(run.status, 3)
        self.assertIn(f'hint: the order is: wimtrust add {hive} {ROOT_DER}',
                      run.err)

    def test_path_of_windows(self):
        run = wimtrust('add', 'C:\\images\\boot.wim', ROOT_DER)
        self.assertEqual(run.status, 7)
        self.assertIn("hint: under WSL the path is what this prints: "
                      "wslpath 'C:\\images\\boot.wim'", run.err)

    def test_too_long_a_name(self):
        run = wimtrust('add', '--friendly-name', 'x' * 9000, self.hive(),
                       ROOT_DER)
        self.assertEqual(run.status, 3)
        self.assertTrue(run.err.endswith(
            '\nhint: shorten the friendly name\n'), run.err)

    def test_certificate_on_stdin(self):
        with open(ROOT_DER, 'rb') as file:
            run = wimtrust('add', self.hive(), '-', stdin=file)
        self.assertEqual(run.status, 0, run.err)


class Remove(Case):
    def test_takes_thumbprints_as_people_paste_them(self):
        spaced = ' '.join(SHA1[i:i + 2] for i in range(0, 40, 2)).lower()
        for text in (SHA1, SHA256, spaced, spaced.replace(' ', ':'),
                     '\u200e' + spaced, 'sha1 Fingerprint=' +
                     spaced.replace(' ', ':')):
            with self.subTest(text=text):
                hive = self.hive()
                wimtrust('add', hive, ROOT_DER)
                run = wimtrust('remove', hive, text)
                self.assertEqual((run.status, run.err), (0, ''))
                self.assertIn(f'{hive}: removed from AuthRoot\n  {SHA1}',
                              run.out)
                self.assertIn('1 certificate removed', run.out)

    def test_every_way_to_name_it_counts_as_found(self):
        hive = self.hive()
        wimtrust('add', hive, ROOT_DER)
        run = wimtrust('remove', hive, SHA1, SHA256, SHA1.lower(), ROOT_DER)
        self.assertEqual((run.status, run.err), (0, ''))
        self.assertIn('1 certificate removed', run.out)

    def test_takes_a_file(self):
        hive = self.hive()
        wimtrust('add', hive, ROOT_DER)
        self.assertEqual(wimtrust('remove', hive, ROOT_DER).status, 0)
        run = wimtrust('remove', hive, ROOT_DER)
        self.assertEqual(run.status, 1)

    def test_half_a_thumbprint(self):
        hive = self.hive()
        self.assert_fails(
            wimtrust('remove', hive, SHA1[:38]), 2,
            f'{SHA1[:38]}: is neither a file nor a whole thumbprint',
            'a thumbprint has 40 or 64 hex digits, with spaces in quotes; '
            f'wimtrust list {hive} shows them')


class List(Case):
    def test_one_line_a_certificate_in_a_pipe(self):
        hive = self.hive()
        wimtrust('add', hive, ROOT_DER)
        lines = wimtrust('list', hive).out.splitlines()
        self.assertEqual(lines[0], str(hive))
        self.assertEqual(lines[1].split(),
                         ['STORE', 'THUMBPRINT', 'NOT', 'AFTER', 'SUBJECT'])
        self.assertEqual(lines[2].split()[:3],
                         ['AuthRoot', SHA1, '2040-05-29'])
        self.assertTrue(lines[2].endswith('C=CZ'))

    def test_images_without_any_are_named_once(self):
        wim = self.wim()
        heads = [f'{wim}: image 1 "Image 1"', f'{wim}: image 2 "Image 2", boot']
        nothing = '  no certificates'
        self.assertEqual(wimtrust('list', wim).out.splitlines(),
                         [f'{wim}: images 1, 2 (boot: 2)', nothing])
        self.assertEqual(wimtrust('list', '-i', '1', wim).out.splitlines(),
                         [heads[0], nothing])
        self.assertEqual(wimtrust('list', '-v', wim).out.splitlines()[:4],
                         [heads[0], nothing, heads[1], nothing])
        wimtrust('add', '-i', '1', wim, ROOT_DER)
        self.assertEqual(wimtrust('list', wim).out.splitlines()[-2:],
                         [heads[1], nothing])
        hive = self.hive()
        self.assertEqual(wimtrust('list', hive).out.splitlines(),
                         [str(hive), nothing])

    def test_unsound_values_are_listed_with_the_reason(self):
        run = wimtrust('list', HIVES / 'entries')
        self.assertEqual(run.status, 0)
        self.assertIn('unsound: ', run.out)

    def test_keys_that_windows_may_not_find_are_named(self):
        for name, key, status in (
                ('odd-way-hash', 'Microsoft: its hash', 5),
                ('odd-way-link', 'Microsoft\\SystemCertificates: its flags', 5),
                ('odd-way-parent', 'SystemCertificates: it names', 5),
                ('odd-way-unsorted', 'Microsoft: its list', 5),
                ('odd-neighbours-unsorted', 'a key of the root: its list', 0),
                ('odd-twins', 'a key of Microsoft', 0)):
            hive = self.copy(HIVES / 'bad' / name, name)
            before = digest(hive)
            run = wimtrust('list', hive)
            self.assertEqual(run.status, 0, run.err)
            self.assertIn(key, run.err)
            self.assertIn('[hive-hidden-key]', run.err)
            run = wimtrust('add', hive, ROOT_DER)
            self.assertEqual(run.status, status, run.err)
            self.assertIn('[hive-hidden-key]', run.err)
            self.assertEqual(digest(hive) == before, status != 0)

    def test_pem_is_a_bundle_that_add_reads(self):
        hive = self.hive()
        wimtrust('add', hive, ROOT_DER)
        run = wimtrust('list', '--pem', hive)
        self.assertEqual(run.out.count('BEGIN CERTIFICATE'), 1)
        other = self.copy(HIVES / 'software-1.3', 'OTHER')
        run = wimtrust('add', other, '-', input=run.raw)
        self.assertEqual(run.status, 0, run.err)
        self.assertIn(SHA1, run.out)

    def test_pem_leaves_out_what_is_disallowed(self):
        hive = self.hive()
        wimtrust('add', '-s', 'disallowed', hive, ROOT_DER)
        run = wimtrust('list', '--pem', hive)
        self.assertEqual((run.status, run.out), (1, ''))
        self.assertIn('left out disallowed certificates: 1;', run.err)
        run = wimtrust('list', '--pem', '-s', 'disallowed', hive)
        self.assertEqual((run.status, run.err), (0, ''))
        self.assertIn('BEGIN CERTIFICATE', run.out)


class Verify(Case):
    def test_certificate_of_no_store(self):
        chains = SOURCE / 'testdata' / 'chains'
        hive = self.hive()
        for where in ('', ' (it is in TrustedPeople)'):
            self.assert_fails(
                wimtrust('verify', hive, chains / 'server.pem'), 1,
                f'{hive}: CN=server.example is neither a CA nor '
                f'self-signed: name the store with --store{where}',
                "for a server's own certificate, verify the root above it")
            wimtrust('add', '-s', 'trustedpeople', '--allow', 'not-ca', hive,
                     chains / 'server.pem')
        run = wimtrust('verify', '-s', 'trustedpeople', hive,
                       chains / 'server.pem')
        self.assertEqual((run.status, run.err), (0, ''))

    def test_present_and_missing(self):
        hive = self.hive()
        run = wimtrust('verify', hive, ROOT_DER)
        self.assertEqual(run.status, 1)
        self.assertIn(f'{hive}: missing from AuthRoot\n  {SHA1}', run.out)
        self.assertTrue(run.out.endswith(f'{hive}: 1 certificate missing\n'))
        self.assertEqual(len(run.err.splitlines()), 2)
        wimtrust('add', hive, ROOT_DER)
        run = wimtrust('verify', hive, ROOT_DER)
        self.assertEqual((run.status, run.err), (0, ''))
        self.assertIn(f'{hive}: present in AuthRoot\n  {SHA1}', run.out)
        self.assertTrue(run.out.endswith(f'{hive}: 1 certificate present\n'))
        run = wimtrust('verify', '-q', hive, ROOT_DER)
        self.assertEqual((run.status, run.out, run.err), (0, '', ''))


class Info(Case):
    def test_wim_hive_and_counts(self):
        wim = self.wim()
        wimtrust('add', '-i', '2', wim, ROOT_DER)
        run = wimtrust('info', wim)
        self.assertEqual((run.status, run.err), (0, ''))
        for text in ('kind       WIM, LZX in chunks of 32 kB\n',
                     'boots      image 2\n', 'integrity  table present\n',
                     'stores     empty\n', 'stores     AuthRoot 1\n'):
            self.assertIn(text, run.out)
        run = wimtrust('info', self.hive())
        self.assertIn('kind       SOFTWARE hive\n', run.out)

    def test_what_an_image_lacks(self):
        for name, text in (
                ('none.wim', 'kind       WIM, not compressed\n'),
                ('no-hive.wim', 'hive       none\n'),
                ('bad-ambiguous.wim', 'hive       cannot be used: image 1 '
                 'holds both /Windows and /windows')):
            run = wimtrust('info', '-v', WIMS / name)
            self.assertEqual(run.status, 0, run.err)
            self.assertIn(text, run.out)


class Show(Case):
    def test_store_and_why(self):
        run = wimtrust('show', ROOT_DER)
        self.assertEqual((run.status, run.err), (0, ''))
        self.assertTrue(run.out.startswith(f'{ROOT_DER}\n  '))
        for text in ('SHA-1    ' + SHA1, 'SHA-256  ' + SHA256,
                     'key      RSA 4096, sha256WithRSAEncryption',
                     'store    AuthRoot: '):
            self.assertIn(text, run.out)

    def test_refused_with_the_remedy(self):
        old = make_root(self.folder / 'old.pem', '/CN=Old', 'rsa:1024')
        run = wimtrust('show', old)
        self.assertEqual(run.status, 0)
        self.assertIn('      refused  ', run.out)
        self.assertIn('--allow weak-key', run.out)


class Export(Case):
    def test_reg_from_image_and_certificate_are_the_same(self):
        hive = self.hive()
        wimtrust('add', hive, ROOT_DER)
        reg = wimtrust('export', hive).raw
        self.assertEqual(reg, wimtrust('export', ROOT_DER).raw)
        self.assertTrue(reg.startswith(b'\xff\xfeW\0i\0n\0'))
        other = wimtrust('export', '--root-name', 'winpe-offline', hive).raw
        self.assertIn('[HKEY_LOCAL_MACHINE\\winpe-offline\\'.encode('utf-16-le'),
                      other)
        run = wimtrust('verify', hive, '-', input=reg)
        self.assertEqual(run.status, 0, run.err)

    def test_blob_is_what_windows_writes(self):
        blob = ROOT_DER.with_suffix('.blob').read_bytes()
        run = wimtrust('export', '--format', 'blob', ROOT_DER)
        self.assertEqual(run.raw, blob)
        hive = self.hive()
        wimtrust('add', hive, ROOT_DER)
        run = wimtrust('export', '--format', 'blob', hive, SHA1.lower())
        self.assertEqual(run.raw, blob)
        run = wimtrust('export', '--format', 'blob', hive,
                       'SHA256 Fingerprint=' + SHA256)
        self.assertEqual(run.raw, blob)
        self.assertEqual(wimtrust('export', hive, '0' * 40).status, 1)

    def test_pem_and_file(self):
        file = self.folder / 'out.pem'
        args = ('export', '--format', 'pem', '-o', file, ROOT_DER)
        run = wimtrust(*args)
        self.assertEqual((run.status, run.err), (0, ''))
        self.assertTrue(file.read_text().startswith('-----BEGIN'))
        self.assert_fails(wimtrust(*args), 7, f'{file}: exists',
                          '--force replaces it')
        self.assertEqual(wimtrust(*args, '-f').status, 0)
        self.assertEqual(os.listdir(self.folder), ['out.pem'])
        self.assertEqual(file.stat().st_mode & 0o777,
                         0o666 & ~self.umask())

    def test_failed_write_leaves_nothing(self):
        run = wimtrust('export', '-o', self.folder / 'no' / 'file', ROOT_DER)
        self.assertEqual(run.status, 7)
        run = wimtrust('export', '-o', '/dev/full', ROOT_DER)
        self.assertEqual(run.status, 7)
        self.assertEqual(os.listdir(self.folder), [])

    @staticmethod
    def umask():
        mask = os.umask(0o22)
        os.umask(mask)
        return mask

    def test_bad_image_is_not_taken_for_a_certificate(self):
        hive = self.hive()
        hive.write_bytes(hive.read_bytes()[:5000])
        run = wimtrust('export', hive)
        self.assertEqual(run.status, 5)


class CheckVerdict(Case):
    """The last line of check."""

    CHAIN = SOURCE / 'testdata' / 'chains' / 'fullchain.pem'
    ROOT = SOURCE / 'testdata' / 'chains' / 'root.pem'

    def says(self, target, status, verdict, *args):
        run = wimtrust('check', '--at', '2030-01-01', *args, target,
                       self.CHAIN)
        self.assertEqual(run.status, status, run.err)
        self.assertEqual(run.out.splitlines()[-1], f'{target}: {verdict}')
        return run

    def test_names_server_and_images(self):
        host = ('--host', 'server.example')
        wim, hive = self.wim(), self.hive()
        run = self.says(
            wim, 1, 'server.example would NOT be trusted on 2030-01-01 by '
            'the image that boots (2) nor by 1', *host)
        self.assertTrue(
            run.out.startswith(f'{wim}: images 1, 2 (boot: 2)\n'), run.out)
        self.assertIn(f'wimtrust: {wim}: image 1: the root CN=Chain Root',
                      run.err)
        wimtrust('add', '-i', '1', wim, self.ROOT)
        self.says(wim, 1, 'server.example would NOT be trusted on 2030-01-01 '
                  'by the image that boots (2), only by 1', *host)
        self.says(wim, 0, 'server.example would be trusted on 2030-01-01 by '
                  'image 1', '-i', '1', *host)
        wimtrust('add', wim, self.ROOT)
        self.says(wim, 0, 'server.example would be trusted on 2030-01-01 by '
                  'the image that boots (2) and by 1', *host)
        wimtrust('remove', '-i', '1', wim, self.ROOT)
        self.says(wim, 1, 'server.example would be trusted on 2030-01-01 by '
                  'the image that boots (2), not by 1', *host)
        wimtrust('add', hive, self.ROOT)
        self.says(hive, 0, 'server.example would be trusted on 2030-01-01',
                  *host)

    def test_says_that_no_name_was_checked(self):
        hive = self.hive()
        wimtrust('add', hive, self.ROOT)
        self.says(hive, 0, 'the server "server.example" would be trusted on '
                  '2030-01-01 (name not checked: no --host)')

    def test_json_records_host_and_time(self):
        args = ('check', '--json', '--at', '2030-01-01', self.hive(),
                self.CHAIN)
        said = wimtrust(*args).json
        self.assertEqual((said['host'], said['at']),
                         (None, '2030-01-01T00:00:00Z'))
        said = wimtrust(*args, '--host', 'server.example').json
        self.assertEqual(said['host'], 'server.example')


class Signals(Case):
    def test_ends_with_128_and_the_signal(self):
        hive = self.hive()
        before = digest(hive)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                with open(hive, 'rb') as holder:
                    # It waits for the lock when the signal comes.
                    fcntl.flock(holder, fcntl.LOCK_EX)
                    process = subprocess.Popen(
                        [WIMTRUST, 'add', '--json', hive, ROOT_DER],
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                        env=environment())
                    wait_until(lambda: catches(process, number), 'a handler')
                    process.send_signal(number)
                    out, err = process.communicate(timeout=HANG)
                self.assertEqual(process.returncode, 128 + number)
                self.assertIn(b'"code":"interrupted"', out)
                self.assertIn(b'"status":%d,' % (128 + number), out)
                self.assertRegex(err.decode(), rf'\Awimtrust: {hive}: '
                                 rf'interrupted by signal {number} .*\n\Z')
                self.assertEqual(digest(hive), before)


if __name__ == '__main__':
    main()
