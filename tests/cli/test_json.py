# SPDX-License-Identifier: MIT
# test_json.py: --json against its schema, and the examples of docs/json.md.
import copy
import json
import re
import shlex
import shutil

from clitest import (HIVES, ROOT_DER, SOURCE, WIMS, WIMTRUST, Case, main,
                     make_root, skip, wimtrust)

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMA = json.loads(
    (SOURCE / 'docs' / 'wimtrust.schema.json').read_text(encoding='utf-8'))
DOCUMENT = SOURCE / 'docs' / 'json.md'


def strict(schema):
    """The same schema without room for members that it does not name."""
    if isinstance(schema, dict):
        schema = {key: strict(value) for key, value in schema.items()}
        if 'properties' in schema and 'dependentRequired' not in schema:
            schema['unevaluatedProperties'] = False
        return schema
    if isinstance(schema, list):
        return [strict(value) for value in schema]
    return schema


class Validated(Case):
    @classmethod
    def setUpClass(cls):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        cls.validator = jsonschema.Draft202012Validator(
            strict(copy.deepcopy(SCHEMA)))

    def validate(self, value):
        errors = [f'{list(e.absolute_path)}: {e.message}'
                  for e in self.validator.iter_errors(value)]
        self.assertEqual(errors, [])


class Schema(Validated):
    def run_valid(self, status, *args, **kwargs):
        run = wimtrust(*args, '--json', **kwargs)
        self.assertEqual(run.status, status, run.err)
        value = run.json
        self.validate(value)
        self.assertEqual(value['status'], status)
        self.assertEqual(value['error'] is None, status == 0)
        if status:
            first = run.err.splitlines()[-2 if value['error']['hint'] else -1]
            self.assertTrue(first.endswith('%s [%s]' % (
                value['error']['message'], value['error']['code'])), first)
        return value

    def test_unknown_members_are_found(self):
        value = self.run_valid(0, 'show', ROOT_DER)
        value['certificates'][0]['nonsense'] = 1
        self.assertNotEqual(list(self.validator.iter_errors(value)), [])

    def test_every_command(self):
        wim, hive = self.wim(), self.hive()
        added = self.run_valid(0, 'add', wim, ROOT_DER)
        self.assertEqual([len(i['entries']) for i in added['images']], [1, 1])
        self.assertEqual(added['images'][0]['entries'][0]['action'], 'added')
        self.assertTrue(added['target']['changed'])
        self.assertNotEqual(added['target']['sha256_before'],
                            added['target']['sha256_after'])
        again = self.run_valid(0, 'inject', wim, ROOT_DER)
        self.assertEqual(again['command'], 'add')
        self.assertFalse(again['target']['changed'])
        self.assertEqual(again['images'][1]['entries'][0]['action'],
                         'unchanged')
        self.run_valid(0, 'add', '--dry-run', hive, ROOT_DER)
        self.run_valid(0, 'list', wim)
        self.run_valid(0, 'list', HIVES / 'entries')
        self.run_valid(0, 'info', wim)
        self.run_valid(0, 'info', WIMS / 'solid.esd')
        self.run_valid(0, 'info', WIMS / 'no-hive.wim')
        self.run_valid(0, 'verify', wim, ROOT_DER)
        self.run_valid(1, 'verify', hive, ROOT_DER)
        self.run_valid(0, 'show', ROOT_DER, ROOT_DER)
        exported = self.run_valid(0, 'export', '-o', self.folder / 'x.reg',
                                  wim)
        self.assertEqual(exported['export']['size'],
                         (self.folder / 'x.reg').stat().st_size)
        removed = self.run_valid(0, 'remove', wim, ROOT_DER)
        self.assertEqual(removed['images'][0]['entries'][0]['action'],
                         'removed')
        self.run_valid(1, 'remove', wim, ROOT_DER)

    def test_failures(self):
        hive = self.hive()
        weak = make_root(self.folder / 'weak.pem', '/CN=Weak', 'rsa:1024')
        refused = self.run_valid(3, 'add', hive, weak)
        self.assertEqual(refused['error']['code'], 'cert-weak-key')
        kept = self.run_valid(0, 'add', '--keep-going', hive, weak, ROOT_DER)
        self.assertEqual(
            [e['action'] for e in kept['images'][0]['entries']],
            ['refused', 'added'])
        shown = self.run_valid(0, 'show', weak)['certificates'][0]
        self.assertEqual((shown['store'], shown['refused']['code']),
                         (None, 'cert-weak-key'))
        self.run_valid(7, 'list', self.folder / 'nothing')
        self.run_valid(6, 'list', '-i', '9', WIMS / 'two.wim')
        for bad in sorted(WIMS.glob('bad-*')):
            if bad.stat().st_size:
                run = wimtrust('add', '--json', '-n', bad, ROOT_DER)
                self.assertNotEqual(run.status, 0)
                self.validate(run.json)

    def test_sides_of_diff(self):
        wim = self.wim()
        value = self.run_valid(1, 'diff', wim, ROOT_DER)
        self.assertEqual((value['target']['kind'], value['old']['kind']),
                         ('certificates', 'wim'))
        self.assertEqual(len(value['old']['sha256_before']), 64)
        value = self.run_valid(0, 'diff', wim, wim)
        self.assertEqual(value['images'][0]['entries'], [])

    def test_extra_certificates(self):
        hive = self.hive()
        wimtrust('add', hive, ROOT_DER)
        other = make_root(self.folder / 'other.pem', '/CN=Other')
        value = self.run_valid(1, 'verify', '--exact', hive, other)
        self.assertEqual(
            [(entry['action'], entry['code'])
             for entry in value['images'][0]['entries']],
            [('missing', 'missing'), ('extra', 'not-expected')])
        self.assertEqual((value['exact'], value['base']), (True, None))
        value = self.run_valid(0, 'verify', '--exact', '--base', hive, hive,
                               ROOT_DER)
        self.assertEqual((value['exact'], value['base']), (True, str(hive)))
        value = self.run_valid(1, 'verify', hive, '0' * 40)
        self.assertEqual((value['exact'], value['base']), (False, None))
        self.assertNotIn('sha1', value['images'][0]['entries'][0])

    def test_usage_errors(self):
        for args in (['frobnicate'], ['list'], ['list', '--nothing'],
                     ['export', ROOT_DER]):
            self.run_valid(2, *args)


class Document(Validated):
    """The page has the members of the schema and no others, and its example
    is run and must have the members that are shown."""

    EXAMPLE = re.compile(r'^\$ (wimtrust [^\n]*)\n```\n\n```json\n(.*?)^```',
                         re.M | re.S)

    def members(self, schema, found):
        if isinstance(schema, dict):
            found.update(schema.get('properties', ()))
            for value in schema.values():
                self.members(value, found)
        elif isinstance(schema, list):
            for value in schema:
                self.members(value, found)
        return found

    def test_names_every_member_of_the_schema(self):
        text = DOCUMENT.read_text(encoding='utf-8')
        text = self.EXAMPLE.sub('', text)
        named = set(re.findall(r'`([a-z_0-9]+)`', text))
        self.assertEqual(
            sorted(self.members(SCHEMA, set()) - named), [])
        # The first cell of a row names members, unless it is an option.
        cells = [line.split('|')[1] for line in text.splitlines()
                 if line.startswith('| `')]
        listed = set(re.findall(r'`([a-z_0-9]+)`', ' '.join(cells)))
        self.assertGreater(len(listed), 40)
        self.assertEqual(
            sorted(listed - self.members(SCHEMA, set())), [])
        self.assertLess(
            len(DOCUMENT.read_text(encoding='utf-8').splitlines()), 240)

    def test_example_is_real(self):
        text = DOCUMENT.read_text(encoding='utf-8')
        (command, shown), = self.EXAMPLE.findall(text)
        shutil.copyfile(WIMS / 'plain.wim', self.folder / 'boot.wim')
        chains = SOURCE / 'testdata' / 'chains'
        shutil.copyfile(chains / 'root.pem', self.folder / 'root.cer')
        wimtrust('add', 'boot.wim', 'root.cer', cwd=self.folder)
        shown = json.loads(shown)
        self.validate(shown)
        run = wimtrust(*shlex.split(command)[1:], cwd=self.folder)
        self.assertEqual(run.status, shown['status'], run.err)
        self.assertEqual(self.shape(run.json), self.shape(shown))

    def test_several_runs_are_one_document_a_line(self):
        out = b''
        for path in (WIMS / 'two.wim', HIVES / 'software-1.3',
                     self.folder / 'nothing'):
            out += wimtrust('list', '--json=lines', path).raw
        lines = out.decode('utf-8').splitlines()
        self.assertEqual([json.loads(line)['status'] for line in lines],
                         [0, 0, 7])

    def test_a_document_is_written_in_one_call(self):
        """Runs at once that append to one file leave its lines whole."""
        trace = self.folder / 'trace'
        with open(self.folder / 'out', 'wb') as out:
            done = wimtrust('-e', 'trace=write', '-e', 'signal=none', '-o',
                            trace, WIMTRUST, 'info', '--json',
                            WIMS / 'two.wim', program='strace', stdout=out)
        if 'Operation not permitted' in done.err:
            self.skipTest('tracing is refused')
        written = (self.folder / 'out').read_bytes()
        calls = [line for line in trace.read_text().splitlines()
                 if line.startswith('write(1,')]
        self.assertEqual(len(calls), 1, calls)
        self.assertTrue(calls[0].endswith(f'= {len(written)}'), calls)
        json.loads(written)

    def shape(self, value, name=''):
        """What a reader relies on: members, lengths, and plain words."""
        varies = ('sha256_before', 'sha256_after', 'guid', 'wimtrust',
                  'wimlib', 'hivex', 'openssl', 'access', 'access_reason',
                  'sandbox')
        if name in varies or isinstance(value, int):
            return None
        if isinstance(value, dict):
            return {k: self.shape(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [self.shape(v) for v in value]
        return value


if __name__ == '__main__':
    if not jsonschema:
        skip('python3-jsonschema is not installed')
    main()
