# SPDX-License-Identifier: MIT
# test_inside.py: what else is in a WIM: holes, and a Windows RE.
import os
import subprocess

from clitest import ROOT_DER, Case, main, wimtrust


def update(wim, image, *commands):
    subprocess.run(['wimlib-imagex', 'update', wim, str(image)], check=True,
                   input='\n'.join(commands).encode(),
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Holes(Case):
    def holes(self, wim):
        return wimtrust('info', '--json', wim).json[
            'target']['wim']['unused_bytes']

    def test_what_a_rebuild_would_save(self):
        wim = self.wim('plain.wim')
        wimtrust('add', '--rebuild', wim, ROOT_DER)
        self.assertEqual(self.holes(wim), 0)
        self.assertNotIn('holes', wimtrust('info', wim).out)
        (self.folder / 'big').write_bytes(os.urandom(3000000))
        update(wim, 1, f'add {self.folder}/big /big')
        update(wim, 1, 'delete /big')
        holes = self.holes(wim)
        self.assertGreater(holes, 3000000)
        self.assertLess(holes, 3300000)
        run = wimtrust('info', wim)
        self.assertIn('holes      3.', run.out)
        run = wimtrust('remove', wim, ROOT_DER)
        self.assertRegex(run.out, r'plain\.wim: about 3\.\d MB of it '
                         'are holes, which --rebuild would save\n')
        before = wim.stat().st_size
        run = wimtrust('add', '--rebuild', wim, ROOT_DER)
        self.assertNotIn('holes', run.out)
        self.assertGreater(before - wim.stat().st_size, holes - 10000)
        self.assertEqual(self.holes(wim), 0)

    def test_solid(self):
        wim = self.wim('plain.wim')
        solid = self.folder / 'solid.esd'
        subprocess.run(['wimlib-imagex', 'export', wim, 'all', solid,
                        '--solid'], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        self.assertLess(self.holes(solid), 1000)


class Winre(Case):
    def test_is_named_and_not_changed(self):
        wim = self.wim()
        self.assertIsNone(
            wimtrust('info', '--json', wim).json['images'][0]['winre'])
        inner = self.copy(self.wim('plain.wim'), 'inner.wim')
        update(wim, 2, f'add {inner} /Windows/System32/recovery/WinRE.wim')
        path = '/Windows/System32/recovery/WinRE.wim'
        run = wimtrust('info', wim)
        self.assertEqual((run.status, run.err), (0, ''))
        self.assertEqual(run.out.count(
            f'  winre      {path} has its own stores and is not changed\n'), 1)
        self.assertEqual([image['winre'] for image in
                          wimtrust('list', '--json', wim).json['images']],
                         [None, path])
        run = wimtrust('add', wim, ROOT_DER)
        self.assertEqual(run.status, 0)
        self.assertEqual(
            run.err, f'wimtrust: warning: {wim}: image 2 holds Windows RE '
            f'({path}), which has its own stores and is not changed '
            '[winre-unchanged]\n')
        run = wimtrust('add', '-i', '1', wim, ROOT_DER)
        self.assertEqual(run.err, '')
        subprocess.run(['wimlib-imagex', 'extract', wim, '2', path,
                        f'--dest-dir={self.folder}/out', '--no-acls'],
                       check=True, stdout=subprocess.DEVNULL)
        self.assertEqual((self.folder / 'out' / 'WinRE.wim').read_bytes(),
                         inner.read_bytes())


if __name__ == '__main__':
    main()
