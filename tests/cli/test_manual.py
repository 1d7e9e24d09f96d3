# SPDX-License-Identifier: MIT
# test_manual.py: the manual names the options that the program has.
import re

from clitest import Case, SOURCE, main, skip, wimtrust

MANUAL = SOURCE / 'docs' / 'man'


def options_of_program():
    options = {}
    for line in wimtrust('completion', 'options').out.splitlines():
        command, letter, name, _ = line.split('\t')
        options.setdefault(command, set()).add(name)
        if letter != '-':
            options[command].add('-' + letter)
    return options


def options_of_page(text):
    """Options stand in bold: *-i*, *--image*."""
    return set(re.findall(r'\*(--?[a-zA-Z][a-z-]*)', text))


class Manual(Case):
    def test_each_page_has_the_options_of_its_command(self):
        common = options_of_page(
            (MANUAL / 'wimtrust.1.scd').read_text(encoding='utf-8'))
        for command, options in options_of_program().items():
            with self.subTest(command=command):
                page = MANUAL / f'wimtrust-{command}.1.scd'
                named = options_of_page(page.read_text(encoding='utf-8'))
                self.assertEqual(options - named - common, set(),
                                 'not in the manual')
                self.assertEqual(named - options, set(),
                                 'not in the program')


if __name__ == '__main__':
    if not (MANUAL / 'wimtrust.1.scd').exists():
        skip('there is no manual yet')
    main()
