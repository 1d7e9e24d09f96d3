#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A certificate into an image, on every kind of image, by every way."""

import os
import shutil
import tempfile

from clitest import (HIVE, ROOT_BLOB, ROOT_DER, ROOT_KEY, ROOT_SHA1, SUPPORT,
                     Case, accesses, digest, extract, fuse_works, main,
                     run_other, sample, sample_hive, tree_by_reglookup,
                     values_by_reglookup)


class Add(Case):
    def check_result(self, image, indexes=(1,)):
        """Every reader that is not ours sees the value that Windows 10
        would have written."""
        run_other("wimlib-imagex", "verify", image)
        for index in indexes:
            folder = self.path("out%d" % index)
            hive = extract(image, index, folder)
            values = values_by_reglookup(hive)
            self.assertEqual(ROOT_BLOB.read_bytes(), values.get(ROOT_KEY))
            run_other("regfexport", hive)
            os.unlink(hive)
        self.wt("verify", image, ROOT_DER)
        self.assert_clean()

    def add_everywhere(self, name, *options, indexes=(1,)):
        source = sample(name, *options)
        for access in accesses():
            for commit in ("replace", "append"):
                with self.subTest(access=access, commit=commit):
                    image = self.copy(source)
                    said = self.json("add", image, ROOT_DER, "--access",
                                     access, "--commit", commit)
                    self.assertEqual(access, said["access"])
                    self.assertEqual(commit, said["commit"])
                    self.check_result(image, indexes)
                    before = os.stat(image)
                    said = self.json("add", image, ROOT_DER, "--access",
                                     access, "--commit", commit)
                    after = os.stat(image)
                    self.assertEqual(
                        (before.st_ino, before.st_mtime_ns, before.st_size),
                        (after.st_ino, after.st_mtime_ns, after.st_size))
                    for one in said["images"]:
                        for entry in one["entries"]:
                            self.assertEqual("unchanged", entry["action"])

    def test_lzx(self):
        self.add_everywhere("lzx.wim")

    def test_two_images(self):
        self.add_everywhere("two.wim", "--images", "2", indexes=(1, 2))

    def test_xpress(self):
        self.add_everywhere("xpress.wim", "--compress", "XPRESS")

    def test_uncompressed(self):
        self.add_everywhere("none.wim", "--compress", "none")

    def test_lzms(self):
        self.add_everywhere("lzms.wim", "--compress", "LZMS")

    def test_solid(self):
        self.add_everywhere("solid.esd", "--compress", "LZMS", "--solid")

    def test_integrity_table_is_kept_current(self):
        self.add_everywhere("integrity.wim", "--integrity")
        image = self.copy(sample("integrity.wim", "--integrity"))
        self.wt("add", image, ROOT_DER)
        self.assertTrue(
            self.json("info", image)["target"]["wim"]["integrity_table"])

    def test_lower_case_tree(self):
        source = sample("lower.wim", "--tree", "lower")
        image = self.copy(source)
        self.wt("add", image, ROOT_DER)
        listing = run_other("wimlib-imagex", "dir", image, "1").decode()
        hives = [line for line in listing.splitlines()
                 if line.lower() == HIVE.lower()]
        self.assertEqual(1, len(hives), listing)
        self.wt("verify", image, ROOT_DER)

    def test_rebuild_leaves_no_hole(self):
        image = self.copy(sample("lzx.wim"))
        self.wt("add", image, ROOT_DER)
        appended = os.path.getsize(image)
        self.wt("remove", image, ROOT_SHA1, "--rebuild")
        self.assertLess(os.path.getsize(image), appended)
        self.wt("add", image, ROOT_DER, "--rebuild")
        self.check_result(image)

    def test_chosen_image_only(self):
        for chosen, other in (("2", 1), ("boot", 2), ("Image 1", 2)):
            with self.subTest(chosen=chosen):
                image = self.copy(sample("two.wim", "--images", "2"))
                self.wt("add", image, ROOT_DER, "-i", chosen)
                self.wt("verify", image, ROOT_DER, "-i", chosen)
                self.wt("verify", image, ROOT_DER, "-i", str(other), status=1)

    def test_output_leaves_the_source(self):
        source = self.copy(sample("lzx.wim"))
        before = digest(source)
        out = self.path("new.wim")
        self.wt("add", source, ROOT_DER, "-o", out)
        self.assertEqual(before, digest(source))
        self.check_result(out)
        self.refuses(7, "output-exists", out,
                     "add", source, ROOT_DER, "-o", out)
        self.wt("add", source, ROOT_DER, "-o", out, "--force")

    def test_backup_keeps_the_old_file(self):
        image = self.copy(sample("lzx.wim"))
        before = digest(image)
        self.wt("add", image, ROOT_DER, "--backup")
        self.assertEqual(before, digest(f"{image}.bak"))
        self.check_result(image)

    def test_dry_run_says_whether_it_would_write(self):
        output = self.path("new.wim")
        for more in ([], ["--rebuild"], ["--output", output]):
            for number in range(2):
                image = self.wim("plain.wim")
                if number:
                    self.wt("add", image, ROOT_DER)
                dry, run = (self.json("add", image, ROOT_DER, *more, *option)
                            for option in (["--dry-run"], []))
                self.assertEqual(dry["target"]["changed"],
                                 run["target"]["changed"], (more, number))
                output.unlink(missing_ok=True)

    def test_dry_run_writes_nothing(self):
        image = self.copy(sample("lzx.wim"))
        before = digest(image)
        said = self.json("add", image, ROOT_DER, "--dry-run")
        self.assertEqual("added",
                         said["images"][0]["entries"][0]["action"])
        self.assertEqual(before, digest(image))
        self.assertEqual({"lzx.wim", "tmp"}, set(os.listdir(self.folder)))

    def test_owner_mode_and_attributes_are_kept(self):
        image = self.copy(sample("lzx.wim"))
        os.chmod(image, 0o640)
        os.setxattr(image, "user.origin", b"adk")
        if os.getuid() == 0:
            os.chown(image, 1234, 4321)
        before = os.stat(image)
        self.wt("add", image, ROOT_DER)
        after = os.stat(image)
        self.assertNotEqual(before.st_ino, after.st_ino)
        self.assertEqual((before.st_mode, before.st_uid, before.st_gid),
                         (after.st_mode, after.st_uid, after.st_gid))
        self.assertEqual(b"adk", os.getxattr(image, "user.origin"))

    def test_mode_is_kept_in_memory(self):
        if not os.path.isdir('/dev/shm'):
            self.skipTest('no /dev/shm')
        with tempfile.TemporaryDirectory(dir='/dev/shm') as folder:
            for commit in ('replace', 'append'):
                for access in accesses():
                    image = shutil.copy(sample('lzx.wim'), folder)
                    os.chmod(image, 0o640)
                    self.wt('add', image, ROOT_DER, '--commit', commit,
                            '--access', access)
                    self.assertEqual(os.stat(image).st_mode & 0o7777, 0o640,
                                     (commit, access))

    def test_symbolic_link_leads_to_its_file(self):
        os.mkdir(self.path("real"))
        image = self.copy(sample("lzx.wim"), "real/boot.wim")
        os.symlink("real/boot.wim", self.path("link.wim"))
        self.wt("add", self.path("link.wim"), ROOT_DER)
        self.assertTrue(os.path.islink(self.path("link.wim")))
        self.check_result(image)

    def test_announces_what_becomes_trusted(self):
        image = self.copy(sample("lzx.wim"))
        run = self.wt("add", "-v", image, ROOT_DER)
        for text in (ROOT_SHA1, "AuthRoot", "image 1", "SHA-256"):
            self.assertIn(text, run.out)

    def test_unsound_value_is_repaired_and_said(self):
        blob = self.path("blob")
        for data in (b"\x30\x82", ROOT_DER.read_bytes(),
                     ROOT_BLOB.read_bytes()[:-1]):
            with self.subTest(data=data[:4]):
                blob.write_bytes(data)
                hive = self.path("SOFTWARE")
                run_other(SUPPORT / "make-hive",
                       "--keys", "300", "--entry", "AuthRoot:%s:%s" % (
                           ROOT_SHA1, blob), hive)
                self.wt("verify", hive, ROOT_DER, status=1)
                said = self.json("add", hive, ROOT_DER)
                self.assertEqual(
                    "repaired", said["images"][0]["entries"][0]["action"])
                self.assertEqual(ROOT_BLOB.read_bytes(),
                                 values_by_reglookup(hive).get(ROOT_KEY))


class Metadata(Case):
    """An image captured from NTFS keeps all that wimlib can list."""

    def details(self, image):
        text = run_other("wimlib-imagex", "dir", image, "1",
                      "--detailed").decode()
        return [part.splitlines() for part in text.split("-" * 80)]

    def test_mount_changes_the_hive_data_alone(self):
        if not fuse_works():
            self.skipTest("FUSE does not work here")
        image = self.copy(sample("ntfs.wim", "--ntfs"))
        before = self.details(image)
        self.wt("add", image, ROOT_DER, "--access", "mount")
        after = self.details(image)
        self.assertEqual(len(before), len(after))
        changed = set()
        hives = 0
        for old, new in zip(before, after):
            if old == new:
                continue
            hives += 1
            self.assertTrue(any(HIVE.lower() in line.lower()
                                for line in old), old)
            self.assertEqual(len(old), len(new))
            for old_line, new_line in zip(old, new):
                if old_line != new_line:
                    changed.add(old_line.split("=")[0].strip())
        self.assertEqual(1, hives)
        self.assertLessEqual(changed, {
            "Hash", "Uncompressed size", "Compressed size", "Raw compressed size",
            "Raw uncompressed size", "Offset in WIM",
            "Last Write Time", "Last Access Time", "Reference Count"}, changed)
        self.assertIn("Hash", changed)


class HivesAndFolders(Case):
    def tree(self, names=("Windows", "System32", "config", "SOFTWARE")):
        folder = self.path("root", *names[:-1])
        os.makedirs(folder)
        return self.copy(sample_hive("soft", "--keys", "2000"),
                         os.path.join("root", *names))

    def test_bare_hive_keeps_its_file(self):
        hive = self.copy(sample_hive("soft", "--keys", "2000"), "SOFTWARE")
        before = tree_by_reglookup(hive)
        inode = os.stat(hive).st_ino
        self.wt("add", hive, ROOT_DER)
        self.assertEqual(inode, os.stat(hive).st_ino)
        after = set(tree_by_reglookup(hive))
        for line in after - set(before):
            self.assertIn("AuthRoot", line)
        self.assertEqual(set(), set(before) - after)
        self.assertEqual(ROOT_BLOB.read_bytes(),
                         values_by_reglookup(hive).get(ROOT_KEY))
        self.assert_clean()

    def test_folder_in_any_case(self):
        for names in (("Windows", "System32", "config", "SOFTWARE"),
                      ("WINDOWS", "system32", "Config", "software")):
            with self.subTest(names=names):
                hive = self.tree(names)
                self.wt("add", self.path("root"), ROOT_DER)
                self.wt("verify", self.path("root"), ROOT_DER)
                self.assertEqual(ROOT_BLOB.read_bytes(),
                                 values_by_reglookup(hive).get(ROOT_KEY))
                shutil.rmtree(self.path("root"))

    def test_folder_with_a_link_is_refused(self):
        victim = self.copy(sample_hive("soft", "--keys", "2000"), "victim")
        os.makedirs(self.path("root", "Windows", "System32"))
        os.mkdir(self.path("outside"))
        os.rename(victim, self.path("outside", "SOFTWARE"))
        os.symlink(self.path("outside"),
                   self.path("root", "Windows", "System32", "config"))
        self.refuses(6, "hive-path-link", self.path("outside", "SOFTWARE"),
                     "add", self.path("root"), ROOT_DER)

    def test_hive_named_twice_is_refused(self):
        self.tree()
        os.mkdir(self.path("root", "windows"))
        self.refuses(6, "hive-path-ambiguous", self.path("root"),
                     "add", self.path("root"), ROOT_DER)

    def test_folder_without_a_hive(self):
        os.mkdir(self.path("root"))
        self.refuses(6, "no-hive", self.path("root"),
                     "add", self.path("root"), ROOT_DER)


if __name__ == "__main__":
    main()
