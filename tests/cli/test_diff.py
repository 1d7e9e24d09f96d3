# SPDX-License-Identifier: MIT
# test_diff.py: what one target trusts that another does not, and whether a
# target holds what it should and nothing else.
import shlex
import sys

from clitest import (CERTS, HIVES, ROOT_DER, SOURCE, Case, main, make_root,
                     wimtrust)

sys.path.insert(0, str(SOURCE / 'tests' / 'support'))
import regf  # noqa: E402

SHA1 = '7A645AEB801671DB9CE1C3E421FD11E0B52D6C2F'
SHA256 = '1FE81FC11952FA7917E6E01A9C688F6F0EA84EAF4F65D92B0C3EA4FF407A3D46'


class Sides(Case):
    """Two targets, and what diff says of them."""

    def heads(self, status, *args, **kwargs):
        run = wimtrust('diff', *args, **kwargs)
        self.assertEqual(run.status, status, run.err)
        self.assertEqual(run.err.endswith(' [different]\n'), status == 1)
        new = str(args[-1]) if args[-1] != '-' else 'standard input'
        lines = [line for line in run.out.splitlines() if line[0] != ' ']
        for line in lines:
            self.assertTrue(line.startswith(new + ': '), line)
        return [line[len(new) + 2:] for line in lines]

    def two(self):
        return (self.wim(), self.copy(self.wim(), 'other.wim'))

    def test_two_images_by_store_and_image(self):
        old, new = self.two()
        self.assertEqual(self.heads(0, old, new),
                         [f'holds the same certificates as {old}'])
        wimtrust('add', '-i', '1', old, ROOT_DER)
        wimtrust('add', '-s', 'root', new, ROOT_DER)
        self.assertEqual(self.heads(1, old, new), [
            'removed from AuthRoot of image 1 "Image 1"',
            'added to ROOT of images 1, 2 (boot: 2)',
            '1 certificate added to 2 images, 1 removed from image 1, '
            f'compared with {old}'])
        self.assertEqual(self.heads(1, '-i', '2', old, new), [
            'added to ROOT of image 2 "Image 2", boot',
            f'1 certificate added to image 2, compared with {old}'])
        run = wimtrust('diff', '-q', old, new)
        self.assertEqual((run.status, run.out), (1, ''))

    def test_names_of_the_files_do_not_matter(self):
        old, new = self.two()
        for wim in (old, new):
            wimtrust('add', wim, ROOT_DER)
        self.assertEqual(len(self.heads(0, old, new)), 1)
        said = wimtrust('diff', '--json', old, new).json
        self.assertEqual([image['entries'] for image in said['images']],
                         [[], []])

    def test_hive_and_folder_stand_against_each_image(self):
        wim, hive = self.wim(), self.hive()
        folder = self.folder / 'mounted'
        config = folder / 'Windows' / 'System32' / 'config'
        config.mkdir(parents=True)
        (config / 'SOFTWARE').write_bytes(hive.read_bytes())
        wimtrust('add', wim, ROOT_DER)
        self.assertEqual(self.heads(1, hive, wim), [
            'added to AuthRoot of images 1, 2 (boot: 2)',
            f'1 certificate added to 2 images, compared with {hive}'])
        self.assertEqual(self.heads(1, '-i', 'boot', wim, folder), [
            'removed from AuthRoot of image 2 "Image 2", boot',
            f'1 certificate removed from image 2, compared with {wim}'])
        wimtrust('add', hive, ROOT_DER)
        self.heads(0, wim, hive)
        self.heads(0, hive, wim)

    def test_certificates_have_no_store(self):
        wim = self.wim()
        bundle = self.folder / 'bundle.pem'
        other = make_root(self.folder / 'other.pem', '/CN=Other')
        wimtrust('add', '-s', 'root', wim, ROOT_DER)
        wimtrust('add', '-i', '1', wim, other)
        bundle.write_text(wimtrust('list', '--pem', wim).out)
        self.assertEqual(self.heads(1, bundle, wim), [
            'removed from AuthRoot of image 2 "Image 2", boot',
            f'1 certificate removed from image 2, compared with {bundle}'])
        self.heads(0, '-i', '1', wim, bundle)
        with open(bundle, 'rb') as file:
            self.heads(0, '-i', '1', wim, '-', stdin=file)

    def test_sst(self):
        hive = self.hive()
        wimtrust('add', '--keep-going', hive, CERTS / 'three.sst')
        left = wimtrust('diff', '--json', hive, CERTS / 'three.sst').json
        # What add refused is all that the file has more.
        entries = left['images'][0]['entries']
        self.assertEqual({entry['action'] for entry in entries}, {'added'})
        self.assertEqual(len(entries), 1)

    def test_other_limits_are_a_difference(self):
        one, other = self.hive(), self.copy(HIVES / 'software-1.3', 'other')
        wimtrust('add', one, CERTS / 'distrusted.blob')
        wimtrust('add', other, CERTS / 'root-rsa2048.der')
        self.assertEqual(self.heads(1, one, other)[0],
                         'replaced in AuthRoot')
        self.assertIn(f'has other limits than in {one} [other-properties]',
                      wimtrust('diff', one, other).out)
        self.heads(0, other, CERTS / 'root-rsa2048.der')

    def test_what_cannot_be_read_is_no_answer(self):
        hive = self.hive()
        self.assertEqual(
            wimtrust('diff', hive, self.folder / 'no').status, 7)
        self.assertEqual(
            wimtrust('diff', SOURCE / 'README.md', hive).status, 3)
        self.assertEqual(wimtrust('diff', hive).status, 2)
        cut = self.folder / 'cut'
        cut.write_bytes(hive.read_bytes()[:5000])
        self.assertEqual(wimtrust('diff', hive, cut).status, 5)


class Exact(Case):
    def test_names_what_is_too_much(self):
        wim = self.wim()
        other = make_root(self.folder / 'other.pem', '/CN=Other')
        wimtrust('add', wim, ROOT_DER)
        found = f'{wim}: 1 certificate present in 2 images'
        for operand in (ROOT_DER, SHA256):
            run = wimtrust('verify', '--exact', wim, operand)
            self.assertEqual((run.status, run.out.splitlines()[-1]),
                             (0, f'{found}, and no others'))
        # Who did not ask is not told.
        self.assertEqual(
            wimtrust('verify', wim, ROOT_DER).out.splitlines()[-1], found)
        wimtrust('add', '-i', '1', wim, other)
        wimtrust('add', '-i', '2', '-s', 'disallowed', wim, other)
        self.assertEqual(wimtrust('verify', wim, ROOT_DER).status, 0)
        run = wimtrust('verify', '--exact', wim, ROOT_DER)
        self.assertEqual(run.status, 1)
        self.assertIn(f'{wim}: extra in AuthRoot of image 1 ', run.out)
        self.assertIn(f'{wim}: extra in Disallowed of image 2 ', run.out)
        self.assertTrue(run.out.endswith(
            f'{wim}: 1 certificate extra in 2 images, '
            '1 present in 2 images\n'))
        match = run.err.splitlines()
        self.assertTrue(match[0].endswith('[not-expected]'), run.err)
        # The remedy works.
        command = match[1].split(': wimtrust ')[1].split()
        self.assertEqual(wimtrust(*command).status, 0)
        self.assertEqual(
            wimtrust('verify', '--exact', wim, ROOT_DER).status, 0)

    def test_one_that_is_in_another_store_too_is_too_much(self):
        hive = self.hive()
        for store in ('auto', 'root'):
            wimtrust('add', '-s', store, hive, ROOT_DER)
        run = wimtrust('verify', '--exact', hive, ROOT_DER)
        self.assertEqual(run.status, 1)
        self.assertIn('extra in ROOT', run.out)
        # A thumbprint has no store, and means both.
        self.assertEqual(wimtrust('verify', '--exact', hive, SHA1).status, 0)

    def test_base_is_what_else_may_be_there(self):
        wim = self.wim()
        own = make_root(self.folder / 'own.pem', '/CN=Own')
        wimtrust('add', wim, own)
        pristine = self.copy(wim, 'pristine.wim')
        wimtrust('add', wim, ROOT_DER)
        run = wimtrust('verify', '--exact', wim, ROOT_DER)
        self.assertEqual(run.status, 1)
        for base in (pristine, own):
            run = wimtrust('verify', '--exact', '--base', base, wim, ROOT_DER)
            self.assertEqual((run.status, run.err), (0, ''), run.out)
            self.assertEqual(
                run.out.splitlines()[-1],
                f'{wim}: 1 certificate present in 2 images, '
                'and no others but those of the base')
        # What is missing says nothing of others.
        run = wimtrust('verify', '--exact', '--base', wim, wim, own, '0' * 40)
        self.assertEqual(
            run.out.splitlines()[-1],
            f'{wim}: 1 certificate missing from 2 images, 1 present in 2 '
            'images')
        wimtrust('add', '-i', '2', '-s', 'root', wim, own)
        run = wimtrust('verify', '--exact', '--base', pristine, wim, ROOT_DER)
        self.assertEqual(run.status, 1)
        self.assertNotIn('no others', run.out)
        self.assertIn('extra in ROOT of image 2', run.out)

    def test_what_the_base_limits_stays_limited(self):
        pristine = self.hive()
        own = make_root(self.folder / 'own.pem', '/CN=Own')
        wimtrust('add', '--for', 'client-auth', pristine, own)
        hive = self.copy(pristine, 'changed')
        wimtrust('add', hive, ROOT_DER)
        question = ('verify', '--exact', '--base', pristine, hive, ROOT_DER)
        self.assertEqual(wimtrust(*question).status, 0)
        for usages in ('any', 'server-auth', 'client-auth,server-auth'):
            wimtrust('add', '--for', usages, hive, own)
            run = wimtrust(*question)
            self.assertEqual(run.status, 1)
            self.assertIn('with other limits than in the base [not-expected]',
                          run.out)
        wimtrust('add', '--for', 'client-auth', hive, own)
        self.assertEqual(wimtrust(*question).status, 0)
        # Less than the base trusts is not too much.
        wimtrust('add', '--for', 'any', pristine, own)
        self.assertEqual(wimtrust(*question).status, 0)

    def assert_remedies_end(self, *question):
        """Each remedy is followed, until nothing is wrong any more."""
        for _ in range(6):
            run = wimtrust(*question)
            if run.status == 0:
                return
            hint = run.err.splitlines()[-1]
            self.assertRegex(hint, '^hint: if it should not be there: ')
            run = wimtrust(*shlex.split(hint.split(': wimtrust ')[1]))
            self.assertEqual(run.status, 0, hint + run.err)
        self.fail('still wrong: %s' % (question,))

    def test_remedies_take_nothing_out_that_is_to_stay(self):
        hive = self.hive()
        for store in ('auto', 'root', 'ca'):
            wimtrust('add', '-s', store, hive, ROOT_DER)
        self.assert_remedies_end('verify', '--exact', hive, ROOT_DER)
        wim = self.wim()
        own = make_root(self.folder / 'own.pem', '/CN=Own')
        wimtrust('add', '-i', '1', wim, own)
        pristine = self.copy(wim, 'pristine.wim')
        wimtrust('add', wim, ROOT_DER, own)
        wimtrust('add', '-s', 'root', wim, own)
        self.assert_remedies_end('verify', '--exact', '--base', pristine, wim,
                                 ROOT_DER)

    def test_remedy_for_a_key_with_a_name(self):
        root = regf.Key('root')
        root.path('Microsoft\\SystemCertificates\\AuthRoot\\Certificates\\'
                  'no thumbprint').set('Blob', 3, b'\0')
        hive = self.folder / 'NAMED'
        hive.write_bytes(regf.Builder().build(root))
        wimtrust('add', hive, ROOT_DER)
        self.assert_remedies_end('verify', '--exact', hive, ROOT_DER)

    def test_base_needs_exact(self):
        hive = self.hive()
        self.assert_fails(
            wimtrust('verify', '--base', hive, hive, ROOT_DER), 2,
            'verify: --base needs --exact',
            'add --exact, or leave --base out', 'usage')
        self.assertEqual(
            wimtrust('verify', '--exact', '--base', self.folder / 'no', hive,
                     ROOT_DER).status, 7)


class Thumbprints(Case):
    def test_verify_takes_them(self):
        hive = self.hive()
        run = wimtrust('verify', hive, SHA1)
        self.assertEqual(run.status, 1)
        self.assertIn(f'{hive}: missing\n  {SHA1}\n', run.out)
        wimtrust('add', '-s', 'root', hive, ROOT_DER)
        for text in (SHA1, SHA256, SHA1.lower(),
                     ' '.join(SHA1[i:i + 2] for i in range(0, 40, 2))):
            run = wimtrust('verify', hive, text)
            self.assertEqual((run.status, run.err), (0, ''))
            self.assertIn(f'{hive}: present in ROOT\n  {SHA1}  ', run.out)
        self.assertEqual(
            wimtrust('verify', '-s', 'authroot', hive, SHA1).status, 1)
        self.assertEqual(
            wimtrust('verify', hive, SHA1[:-1]).status, 2)
        self.assertIn(
            f'hint: to add it, name its file: wimtrust add '
            f'{hive} CERT', wimtrust('verify', hive, '0' * 40).err)

    def test_disallowed_is_not_present(self):
        hive = self.hive()
        wimtrust('add', '-s', 'disallowed', hive, ROOT_DER)
        run = wimtrust('verify', hive, SHA1)
        self.assertEqual(run.status, 1)
        self.assertIn('(it is in Disallowed)', run.out)
        self.assertEqual(
            wimtrust('verify', '-s', 'disallowed', hive, SHA1).status, 0)


class IfPresent(Case):
    def test_absence_is_no_failure(self):
        wim = self.wim()
        before = wim.read_bytes()
        self.assertEqual(wimtrust('remove', wim, SHA1).status, 1)
        run = wimtrust('remove', '--if-present', wim, SHA1, ROOT_DER)
        self.assertEqual((run.status, run.err), (0, ''))
        self.assertEqual(run.out, f'{wim}: nothing to remove: it is not there '
                         '(nothing was written)\n')
        self.assertEqual(wim.read_bytes(), before)
        wimtrust('add', wim, ROOT_DER)
        run = wimtrust('remove', '--if-present', wim, SHA1, '0' * 40)
        self.assertEqual((run.status, run.err), (0, ''))
        self.assertTrue(run.out.endswith(
            '1 certificate removed from 2 images\n'))


if __name__ == '__main__':
    main()
