# SPDX-License-Identifier: MIT
# test_attest.py: --report and --attest, two files beside what is printed.
import hashlib
import json
import os
import re

from clitest import ROOT_DER, SOURCE, Case, main, make_root, skip, wimtrust

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMA = SOURCE / 'docs' / 'attest.schema.json'


def load(path):
    text = path.read_text(encoding='utf-8')
    assert text.endswith('}\n') and text.count('\n') == 1, text
    return json.loads(text)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Report(Case):
    def test_is_what_json_prints_beside_what_people_read(self):
        target = self.wim()
        report = self.folder / 'report.json'
        plain = wimtrust('verify', target, ROOT_DER)
        run = wimtrust('verify', '--report', report, target, ROOT_DER)
        self.assertEqual((run.status, run.out, run.err),
                         (plain.status, plain.out, plain.err))
        self.assertEqual(load(report), wimtrust(
            'verify', '--json', target, ROOT_DER).json)
        self.assertEqual(load(report)['status'], 1)

    def test_tells_of_failures_too(self):
        report = self.folder / 'report.json'
        run = wimtrust('list', '--report', report, self.folder / 'none.wim')
        self.assertEqual(run.status, 7)
        self.assertEqual(load(report)['error']['code'], 'not-found')

    def test_that_cannot_be_written_stops_the_run_before_it_changes(self):
        target = self.wim()
        before = target.read_bytes()
        for option in ('--report', '--attest'):
            for path in (self.folder / 'no' / 'x', self.folder):
                run = wimtrust('add', option, path, target, ROOT_DER)
                self.assertEqual(run.status, 7, run.err)
                self.assertIn('[output]', run.err)
                self.assertEqual(target.read_bytes(), before)
        run = wimtrust('add', '--report', '-', target, ROOT_DER)
        self.assertEqual(run.status, 2)

    def test_replaces_a_report_and_nothing_else(self):
        cert = self.copy(ROOT_DER, 'root.cer')
        target = self.wim()
        names = [target, cert, self.copy(target, 'two.wim.bak')]
        link = self.folder / 'link'
        link.symlink_to(target)
        for option, said in (('--report', 'was changed'),
                             ('--attest', 'the image was changed')):
            self.wim()
            for path in names + [link]:
                before = [name.read_bytes() for name in names]
                run = wimtrust('add', option, path, target, cert)
                self.assertEqual(run.status, 7, run.err)
                self.assertIn('is not JSON', run.err)
                self.assertEqual([name.read_bytes() for name in names], before)
            # What the run itself makes is no report either.
            run = wimtrust('add', '--backup=.json', option,
                           self.folder / 'two.wim.json', target, cert)
            self.assertEqual(run.status, 7, run.err)
            self.assertIn(said, run.err)
            backup = self.folder / 'two.wim.json'
            self.assertEqual(backup.read_bytes(), before[0])
            backup.unlink()
            for content in ('', '{"earlier": true}\n'):
                report = self.folder / 'report'
                report.write_text(content, encoding='utf-8')
                run = wimtrust('add', option, report, self.wim('two.wim'), cert)
                self.assertEqual(run.status, 0, run.err)
                self.assertTrue(load(report))

    def test_has_a_name_of_its_own(self):
        target = self.wim()
        same = self.folder / 'same'
        for one, other in (('--report', '--attest'), ('--report', '-o'),
                           ('--attest', '-o')):
            run = wimtrust('add', one, same, other, same, target, ROOT_DER)
            self.assertEqual(run.status, 2, run.err)
            self.assertFalse(same.exists())


class Attest(Case):
    def attest(self, *args, status=0, command='add'):
        path = self.folder / 'statement.json'
        run = wimtrust(command, '--attest', path, *args)
        self.assertEqual(run.status, status, run.err)
        statement = load(path)
        self.check_statement(statement)
        return statement

    def check_statement(self, statement):
        """The in-toto Attestation Framework's Statement, version 1: these
        members and no others; each subject has a name that no other has, and
        a digest with algorithms and lower-case hex."""
        self.assertEqual(set(statement), {
            '_type', 'subject', 'predicateType', 'predicate'})
        self.assertEqual(statement['_type'],
                         'https://in-toto.io/Statement/v1')
        self.assertRegex(statement['predicateType'], r'^[a-z]+:\S+$')
        self.assertIsInstance(statement['predicate'], dict)
        self.assertGreater(len(statement['subject']), 0)
        for subject in statement['subject']:
            self.assertEqual(set(subject), {'name', 'digest'})
            self.assertTrue(subject['name'])
            for value in subject['digest'].values():
                self.assertTrue(re.fullmatch('[0-9a-f]{64}', value), value)
        schema = json.loads(SCHEMA.read_text(encoding='utf-8'))
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(statement)

    def test_says_what_was_before_and_what_is_now(self):
        target = self.wim()
        before = sha256(target)
        thumbprint = hashlib.sha1(ROOT_DER.read_bytes()).hexdigest().upper()
        statement = self.attest(target, ROOT_DER)
        self.assertEqual(statement['subject'], [
            {'name': 'two.wim', 'digest': {'sha256': sha256(target)}}])
        predicate = statement['predicate']
        self.assertEqual(predicate['before'], {'sha256': before})
        self.assertEqual([i['index'] for i in predicate['images']], [1, 2])
        for image in predicate['images']:
            self.assertEqual(image['before'], {})
            self.assertEqual(list(image['after']), ['AuthRoot'])
            self.assertEqual([c['sha1'] for c in image['after']['AuthRoot']],
                             [thumbprint])
        # Another store, one image, the other way round.
        other = make_root(self.folder / 'other.pem', '/CN=Other Root')
        statement = self.attest('-i', '2', '--store', 'root', target, other)
        image, = statement['predicate']['images']
        self.assertEqual((image['index'], image['boot']), (2, True))
        self.assertEqual(list(image['before']), ['AuthRoot'])
        self.assertEqual(sorted(image['after']), ['AuthRoot', 'ROOT'])
        statement = self.attest(target, ROOT_DER, command='remove')
        self.assertEqual(statement['predicate']['images'][0]['after'], {})

    def test_is_the_same_for_the_same(self):
        target = self.wim()
        self.attest(target, ROOT_DER)
        first = self.attest(target, ROOT_DER)
        self.assertEqual(self.attest(target, ROOT_DER), first)
        self.assertEqual(first['predicate']['before'],
                         first['subject'][0]['digest'])

    def test_is_about_the_output(self):
        target = self.wim()
        output = self.folder / 'new.wim'
        statement = self.attest('-o', output, target, ROOT_DER)
        self.assertEqual(statement['subject'][0]['name'], 'new.wim')
        self.assertEqual(statement['subject'][0]['digest']['sha256'],
                         sha256(output))
        self.assertEqual(statement['predicate']['before']['sha256'],
                         sha256(target))

    def test_works_for_a_hive(self):
        target = self.hive()
        statement = self.attest(target, ROOT_DER)
        self.assertEqual(statement['subject'][0]['digest']['sha256'],
                         sha256(target))

    def test_is_not_written_where_nothing_was_done(self):
        target = self.wim()
        path = self.folder / 'statement.json'
        run = wimtrust('add', '-n', '--attest', path, target, ROOT_DER)
        self.assertEqual(run.status, 2)
        run = wimtrust('add', '--attest', path, target,
                       self.folder / 'none.cer')
        self.assertEqual(run.status, 7)
        folder = self.folder / 'Windows' / 'System32' / 'config'
        os.makedirs(folder)
        self.hive().rename(folder / 'SOFTWARE')
        run = wimtrust('add', '--attest', path, self.folder, ROOT_DER)
        self.assertEqual(run.status, 2)
        self.assertFalse(path.exists())


if __name__ == '__main__':
    if jsonschema is None:
        skip('python3-jsonschema is not installed')
    main()
