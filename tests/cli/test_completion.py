# SPDX-License-Identifier: MIT
# test_completion.py: the completions, in real shells.
import os
import pty
import shutil
import subprocess
import unittest

from clitest import HANG, ROOT_DER, WIMTRUST, Case, environment, main, wimtrust

SHA1 = '7A645AEB801671DB9CE1C3E421FD11E0B52D6C2F'
PATH = os.path.dirname(WIMTRUST) + ':/usr/bin:/bin'

BASH = r'''
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_wimtrust
printf '%s\n' "${COMPREPLY[@]}"
'''


class Bash(Case):
    home = '/'

    def complete(self, *words):
        script = self.folder / 'completion.bash'
        script.write_text(wimtrust('completion', 'bash').out)
        done = subprocess.run(
            ['bash', '--norc', '-uec', BASH, 'bash', script, 'wimtrust',
             *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(PATH=PATH, HOME=self.home), cwd=self.folder,
            check=False)
        self.assertEqual(done.stderr, b'')
        return done.stdout.decode().splitlines() \
            if done.stdout != b'\n' else []

    def test_commands(self):
        self.assertEqual(self.complete('ve'), ['verify', 'version'])
        self.assertIn('inject', self.complete(''))

    def test_options_of_the_command(self):
        self.assertEqual(self.complete('add', '--acc'), ['--access'])
        self.assertEqual(self.complete('inject', '--acc'), ['--access'])
        self.assertEqual(self.complete('list', '--acc'), [])
        self.assertEqual(self.complete('check', 'x.wim', '--ho'), ['--host'])

    def test_values(self):
        self.assertEqual(self.complete('add', '--access', ''),
                         ['auto', 'mount', 'update'])
        self.assertEqual(self.complete('add', '--access', '=', 'm'),
                         ['mount'])
        self.assertEqual(self.complete('add', '--access', '='),
                         ['auto', 'mount', 'update'])
        self.assertEqual(self.complete('add', '-s', 'dis'), ['disallowed'])
        self.assertEqual(self.complete('list', '--json', '=', ''),
                         ['pretty', 'lines'])
        # Without "=" it is no value of --json.
        self.assertEqual(self.complete('list', '--json', 'p'), [])
        self.assertEqual(self.complete('completion', 'f'), ['fish'])

    def test_help_has_commands(self):
        self.assertEqual(self.complete('help', 'ver'), ['verify', 'version'])

    def test_files_by_kind(self):
        self.assertEqual(self.complete('add', '--output', ''), [])
        for name in ('boot.wim', 'B.WIM', 'x.iso', 'root.cer', 'r.PEM',
                     'notes.txt', 'SOFTWARE', 'with space.wim'):
            (self.folder / name).touch()
        (self.folder / 'folder').mkdir()
        (self.folder / 'completion.bash').unlink()
        targets = ['B.WIM', 'SOFTWARE', 'boot.wim', 'folder', 'x.iso',
                   'with space.wim']
        certs = ['folder', 'r.PEM', 'root.cer']
        for command in ('add', 'inject', 'list', 'remove', 'check'):
            self.assertCountEqual(self.complete(command, ''), targets)
        self.assertCountEqual(self.complete('add', 'boot.wim', ''), certs)
        self.assertCountEqual(self.complete('add', '-i', '1', 'boot.wim', ''),
                              certs)
        self.assertCountEqual(self.complete('show', ''), certs)
        self.assertCountEqual(self.complete('export', ''),
                              targets + ['r.PEM', 'root.cer'])
        self.assertEqual(self.complete('add', 'boot.wim', 'ro'), ['root.cer'])

    def test_images_and_thumbprints_of_the_target(self):
        wim = self.wim()
        wimtrust('add', '-i', '2', wim, ROOT_DER)
        images = ['1', '2', 'all', 'boot', 'Image\\ 1', 'Image\\ 2']
        self.assertEqual(self.complete('list', 'two.wim', '-i', ''), images)
        self.assertEqual(self.complete('list', 'two.wim', '--image', 'b'),
                         ['boot'])
        self.assertEqual(self.complete('list', 'two.wim', '-i', 'Im'),
                         ['Image\\ 1', 'Image\\ 2'])
        for command in ('remove', 'verify', 'export'):
            self.assertEqual(self.complete(command, 'two.wim', '7'), [SHA1])
        self.assertEqual(self.complete('add', 'two.wim', '7'), [])
        self.assertEqual(self.complete('remove', 'none.wim', '7'), [])

    def test_options_before_the_command(self):
        self.assertEqual(self.complete('-q', 'li'), ['list'])
        self.assertEqual(self.complete('-i', '1', 'add', '--acc'),
                         ['--access'])
        wim = self.wim()
        wimtrust('add', '-i', '2', wim, ROOT_DER)
        self.assertEqual(self.complete('--json', 'verify', 'two.wim', '7'),
                         [SHA1])

    def test_images_without_a_target(self):
        self.assertEqual(self.complete('list', '-i', ''), ['all', 'boot'])
        self.assertEqual(self.complete('list', '--image', '=', 'b'), ['boot'])

    def test_target_at_home(self):
        wim = self.wim()
        wimtrust('add', '-i', '2', wim, ROOT_DER)
        self.home = self.folder
        self.assertEqual(self.complete('remove', '~/two.wim', '7'), [SHA1])

    def test_thumbprint_in_small_letters(self):
        wim = self.wim()
        wimtrust('add', wim, ROOT_DER)
        wimtrust('add', '-s', 'root', wim, ROOT_DER)
        self.assertEqual(self.complete('remove', 'two.wim', '7a'),
                         [SHA1.lower()])

    def test_sides_of_diff(self):
        for name in ('boot.wim', 'root.cer', 'notes.txt'):
            (self.folder / name).touch()
        for words in ([''], ['boot.wim', '']):
            self.assertCountEqual(self.complete('diff', *words),
                                  ['boot.wim', 'root.cer'])

    def type(self, *lines):
        """What a command gets that is typed so in an interactive shell."""
        script = self.folder / 'completion.bash'
        script.write_text(wimtrust('completion', 'bash').out + """
wimtrust()
{
    if [ "$1" = completion ]; then command wimtrust "$@"; return; fi
    printf 'got '; printf '<%s>' "$@"; echo
}
bind 'set enable-bracketed-paste off'
PS1='READ''Y '
""")
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvpe('bash', ['bash', '--noprofile', '--rcfile', script,
                                '-i'], environment(PATH=PATH, TERM='dumb'))
        shown = b''
        for line in (*lines, 'exit'):
            while not shown.endswith(b'READY '):
                shown += os.read(fd, 4096)
            shown += b'\n'
            os.write(fd, line.encode() + b'\n')
        try:
            while chunk := os.read(fd, 4096):
                shown += chunk
        except OSError:
            pass  # the shell has ended
        os.waitpid(pid, 0)
        os.close(fd)
        return [line[len('got <'):-1].split('><')
                for line in shown.decode().splitlines()
                if line.startswith('got <')]

    def test_typed_words_keep_their_quotes(self):
        wim = self.wim()
        name = 'Win "PE" $HOME `id` it\'s \\ all; & é'
        subprocess.run(['wimlib-imagex', 'info', wim, '1', name], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wim.rename(self.folder / 'two images.wim')
        asked = ['list', 'two images.wim', '-i', name]
        starts = ('W', '"W', "'W", 'Win\\ \\"', '"Win \\"', "'Win \"P")
        self.assertEqual(
            self.type(*(f"wimtrust list 'two images.wim' -i {start}\t"
                        for start in starts),
                      'wimtrust list two\\ im\t--image=W\t'),
            [asked] * len(starts) + [asked[:2] + ['--image=' + name]])

    def test_target_behind_the_cursor(self):
        self.wim()
        back = '\x02' * len(' two.wim')
        self.assertEqual(
            self.type(f'wimtrust list -i  two.wim{back}Im\t\\ 2',
                      # All that fit, and no file.
                      f'wimtrust list -i  two.wim{back}\x1b*'),
            [['list', '-i', 'Image  2', 'two.wim'],
             ['list', '-i', '1', '2', 'Image 1', 'Image 2', 'all', 'boot',
              'two.wim']])

    def test_names_of_images_are_not_run(self):
        wim = self.wim()
        name = '$(touch pwned)`touch pwned`;touch pwned'
        subprocess.run(['wimlib-imagex', 'info', wim, '1', name], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = self.complete('list', 'two.wim', '-i', '')
        self.assertIn('\\$\\(touch\\ pwned\\)\\`touch\\ pwned\\`\\;touch\\ '
                      'pwned', found)
        self.assertFalse((self.folder / 'pwned').exists())


@unittest.skipUnless(shutil.which('zsh'), 'no zsh here')
class Zsh(Case):
    # The completion system itself runs in a pseudo-terminal of zsh's own.
    SCRIPT = r'''
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; fpath=('$1' $fpath); autoload -U compinit; compinit -u -D'
zpty -w z 'bindkey "^I" complete-word; unsetopt list_beep'
zpty -w z 'compadd() { [[ $* = *-[OD]* ]] && { builtin compadd "$@"; return }
local -a found; builtin compadd -O found "$@"; print -r -- "<${(j:,:)found}>"
builtin compadd "$@" }'
# The line editor says that it is there: what is typed before, the terminal
# would take.
zpty -w z 'zle-line-init() { print -r -- RE""ADY }; zle -N zle-line-init'
zpty -r -m z line '*READY*'
zpty -w -n z $2$'\t'
zpty -r -m z line '*<*>*'
print -r -- $line
zpty -d z
'''

    def setUp(self):
        super().setUp()
        (self.folder / '_wimtrust').write_text(
            wimtrust('completion', 'zsh').out)

    def test_syntax(self):
        done = subprocess.run(['zsh', '-n', self.folder / '_wimtrust'],
                              stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b''))

    def complete(self, line):
        done = subprocess.run(
            ['zsh', '-fc', self.SCRIPT, 'zsh', self.folder, line],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HANG,
            env=environment(PATH=PATH, HOME=str(self.folder)),
            cwd=self.folder, check=False)
        return done.stdout.decode('utf-8', 'replace')

    def test_values_and_options(self):
        self.assertIn('<auto,mount,update>',
                      self.complete('wimtrust add --access '))
        self.assertIn('verify', self.complete('wimtrust ve'))
        self.assertIn('--host', self.complete('wimtrust check --ho'))

    def test_images_thumbprints_and_kinds(self):
        wim = self.wim()
        wimtrust('add', '-i', '2', wim, ROOT_DER)
        (self.folder / 'root.cer').touch()
        (self.folder / 'notes.txt').touch()
        self.assertIn('<1,2,all,boot,Image 1,Image 2>',
                      self.complete('wimtrust list two.wim -i '))
        self.assertIn(SHA1, self.complete('wimtrust remove two.wim 7'))
        self.assertIn(SHA1, self.complete('wimtrust remove ~/two.wim 7'))
        self.assertIn(SHA1, self.complete('wimtrust --json verify two.wim 7'))
        self.assertIn('<all,boot>', self.complete('wimtrust list -i '))


@unittest.skipUnless(shutil.which('fish'), 'no fish here')
class Fish(Case):
    def complete(self, line):
        script = self.folder / 'wimtrust.fish'
        script.write_text(wimtrust('completion', 'fish').out)
        done = subprocess.run(
            ['fish', '--no-config', '-c',
             'source $argv[1]; complete -C $argv[2]', script, line],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(HOME=str(self.folder), PATH=PATH),
            cwd=self.folder, check=False)
        self.assertEqual(done.stderr, b'')
        return [entry.split('\t')[0]
                for entry in done.stdout.decode().splitlines()]

    def test_commands_options_and_values(self):
        self.assertIn('verify', self.complete('wimtrust ve'))
        self.assertEqual(self.complete('wimtrust add --acc'), ['--access'])
        self.assertEqual(self.complete('wimtrust list --acc'), [])
        self.assertEqual(self.complete('wimtrust add --access '),
                         ['auto', 'mount', 'update'])
        self.assertEqual(self.complete('wimtrust completion f'), ['fish'])
        self.assertEqual(self.complete('wimtrust help verif'), ['verify'])

    def test_images_thumbprints_and_kinds(self):
        wim = self.wim()
        wimtrust('add', '-i', '2', wim, ROOT_DER)
        for name in ('root.cer', 'notes.txt', 'SOFT.hiv'):
            (self.folder / name).touch()
        self.assertEqual(self.complete('wimtrust list two.wim -i '),
                         ['1', '2', 'all', 'boot', 'Image 1', 'Image 2'])
        self.assertIn(SHA1, self.complete('wimtrust remove two.wim '))
        self.assertIn(SHA1, self.complete('wimtrust remove ~/two.wim '))
        self.assertEqual(self.complete('wimtrust list -i '), ['all', 'boot'])
        found = self.complete('wimtrust add two.wim ')
        self.assertLess(found.index('root.cer'), found.index('notes.txt'))
        found = self.complete('wimtrust add ')
        self.assertLess(found.index('two.wim'), found.index('notes.txt'))


class Unknown(Case):
    def test_program_name_is_the_only_one_named(self):
        for shell in ('bash', 'zsh', 'fish'):
            self.assertNotIn(WIMTRUST, wimtrust('completion', shell).out)


if __name__ == '__main__':
    main()
