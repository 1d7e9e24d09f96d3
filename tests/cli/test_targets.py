#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Targets, places and users that are not the usual ones."""

import os
import shutil
import subprocess
import unittest
from errno import EIO

from clitest import (HIVE, HIVES, NOBODY, ROOT_BLOB, ROOT_DER, ROOT_KEY,
                     ROOT_SHA1, WIMTRUST, Case, Run, digest, extract,
                     fuse_works, main, run_other, sample, sample_hive,
                     tree_by_reglookup, values_by_reglookup)
from faults import ALWAYS, Faults


class Names(Case):
    def test_what_is_no_file_is_refused_and_not_waited_for(self):
        os.mkfifo(self.path("fifo"))
        for path in (self.path("fifo"), "/dev/null", "/dev/zero"):
            for command in ("add", "verify"):
                with self.subTest(path=path, command=command):
                    run = self.wt(command, path, ROOT_DER, status=7)
                    self.assertIn("not a file", run.err)

    def test_any_name_will_do(self):
        for name in (b"-x.wim", b"a b.wim", b"a\nb.wim", b"\xff\xfe.wim",
                     b"%s%n.wim", "\u00e9\u202e.wim".encode()):
            with self.subTest(name=name):
                path = os.path.join(os.fsencode(self.folder), name)
                shutil.copyfile(sample("lzx.wim"), path)
                self.wt("add", "-q", "--", name, ROOT_DER, cwd=self.folder)
                run = self.wt("verify", path, ROOT_DER)
                self.assertEqual(3, len(run.out.splitlines()), run.out)
                self.assertNotIn("\u202e", run.out)
                os.unlink(path)
        self.assert_clean()

    def test_name_that_begins_with_a_dash_is_an_option_without_dashes(self):
        self.copy(sample("lzx.wim"), "-x.wim")
        self.wt("add", "-x.wim", ROOT_DER, cwd=self.folder, status=2)


class Images(Case):
    def test_file_without_images(self):
        image = self.copy(sample("lzx.wim"), "none.wim")
        run_other("wimlib-imagex", "delete", image, "1", "--soft")
        self.refuses(6, "no-hive", image, "add", image, ROOT_DER)
        error = self.refuses(6, "no-such-image", image,
                             "add", image, ROOT_DER, "-i", "1")
        self.assertIn("no images", error["hint"])
        self.assertEqual([], self.json("info", image)["images"])

    def test_hive_in_the_second_image_only(self):
        image = self.copy(sample("no-hive.wim", "--tree", "no-hive"))
        run_other("wimlib-imagex", "export", sample("lzx.wim"), "1", image,
               "Second")
        run = self.wt("add", image, ROOT_DER)
        self.assertIn("image 2", run.out)
        self.assertNotIn("image 1", run.out)
        for chosen in ("1", "all"):
            error = self.refuses(6, "no-hive", image,
                                 "add", image, ROOT_DER, "-i", chosen)
            self.assertIn("image 1", error["message"])

    def test_folder_of_a_stick_names_its_boot_image(self):
        for place in ("sources", "SOURCES"):
            stick = self.folder / ("stick " + place)
            (stick / place).mkdir(parents=True)
            name = "boot.wim" if place == "sources" else "BOOT.WIM"
            shutil.copy(sample("lzx.wim"), stick / place / name)
            error = self.refuses(6, "no-hive", stick, "list", stick)
            self.assertEqual(error["hint"], "its boot image is %s/%s: name "
                             "that file" % (place, name))

    def test_name_that_is_a_number(self):
        image = self.copy(sample("two.wim", "--images", "2"))
        run_other("wimlib-imagex", "info", image, "2", "2022")
        run = self.wt("add", image, ROOT_DER, "-i", "2022")
        self.assertIn("image 2", run.out)
        self.assertNotIn("image 1", run.out)

    def test_sixty_images_of_one_hive(self):
        source = sample("lzx.wim")
        image = self.copy(source)
        for i in range(59):
            run_other("wimlib-imagex", "export", source, "1", image,
                   "Copy %d %s" % (i, "x" * (i * 10)))
        self.wt("add", image, ROOT_DER)
        said = self.json("verify", image, ROOT_DER)
        self.assertEqual(60, len(said["images"]))
        run_other("wimlib-imagex", "verify", image)
        error = self.refuses(6, "no-such-image", image,
                             "list", image, "-i", "none")
        self.assertIn("more, which wimtrust info lists", error["hint"])

    def test_hive_with_two_names(self):
        source = sample("hard-link.wim", "--tree", "hard-link")
        second = "/Windows/second name"
        for access, keeps in (("mount", True), ("update", False)):
            if keeps and not fuse_works():
                continue
            with self.subTest(access=access):
                image = self.copy(source)
                self.wt("add", image, ROOT_DER, "--access", access)
                first = extract(image, 1, self.path("a")).read_bytes()
                other = extract(image, 1, self.path("b"), second).read_bytes()
                self.assertEqual(keeps, first == other)
                self.wt("verify", image, ROOT_DER)
                shutil.rmtree(self.path("a"))
                shutil.rmtree(self.path("b"))


class Slack(Case):
    """A hive's file is longer than its bins say; what is behind them means
    nothing."""

    def setUp(self):
        super().setUp()
        with open(sample_hive("no-slack", "--no-slack"), "rb") as file:
            self.plain = file.read()

    def lay_out(self, slack):
        hive = self.path("Windows/System32/config/SOFTWARE")
        os.makedirs(os.path.dirname(hive), exist_ok=True)
        with open(hive, "wb") as file:
            file.write(self.plain + slack)
        return hive

    def test_of_any_length_is_no_damage(self):
        for slack in (bytes(1000), bytes(4096), os.urandom(12288),
                      self.plain[4096:], os.urandom(524288), bytes(17 << 20)):
            with self.subTest(length=len(slack)):
                hive = self.lay_out(slack)
                before = tree_by_reglookup(hive)
                for target in (hive, self.folder):
                    self.wt("add", target, ROOT_DER)
                    self.assertIn(ROOT_SHA1, str(
                        values_by_reglookup(hive).keys()))
                    self.wt("verify", target, ROOT_DER)
                    self.wt("remove", target, ROOT_DER)
                    self.wt("verify", target, ROOT_DER, status=1)
                after = tree_by_reglookup(hive)
                self.assertEqual(before, [line for line in after
                                          if line in before])
                self.assertEqual([], [line for line in after
                                      if ROOT_SHA1 in line])

    def test_backup_and_output(self):
        hive = self.lay_out(os.urandom(200000))
        before = digest(hive)
        out = self.path("out")
        self.wt("add", "-o", out, hive, ROOT_DER)
        self.assertEqual(before, digest(hive))
        self.wt("add", "--backup", hive, ROOT_DER)
        self.assertEqual(before, digest(f"{hive}.bak"))
        self.assertEqual(os.path.getsize(out), os.path.getsize(hive))
        self.assertEqual(tree_by_reglookup(out),
                         tree_by_reglookup(hive))


class Keys(Case):
    """Entries that no thumbprint leads to, and with keys below them."""

    def lay_out(self, name):
        return self.copy(HIVES / "bad" / name)

    def keys(self, hive):
        return [entry["key_name"] for entry in
                self.json("list", hive)["images"][0]["entries"]]

    def test_named_otherwise_are_removed_by_that_name(self):
        hive = self.lay_out("odd-names")
        before = self.keys(hive)
        self.assertIn("Größe", before)
        self.wt("remove", hive, "key:Größe", "key:TAB\there")
        self.assertEqual([key for key in before
                          if key not in ("Größe", "tab\there")],
                         self.keys(hive))
        run = self.wt("remove", hive, "key:Größe", status=1)
        self.assertIn("[not-found]", run.err)
        # A file of that name is named with its folder.
        self.wt("remove", hive, "./key:Größe", status=7, cwd=self.folder)

    def test_with_keys_below_are_removed_with_them(self):
        hive = self.lay_out("odd-more-values")
        key = "0123456789ABCDEF0123456789ABCDEF01234567"
        self.assertIn("Deeper", str(tree_by_reglookup(hive)))
        self.wt("remove", hive, key)
        self.assertNotIn(key, self.keys(hive))
        self.assertNotIn("Deeper", str(tree_by_reglookup(hive)))


class Unchanged(Case):
    """What holds the certificate already gives the same bytes."""

    def test_hive_to_an_output(self):
        hive = self.copy(sample_hive("soft", "--keys", "2000"), "SOFTWARE")
        self.wt("add", hive, ROOT_DER)
        self.wt("add", hive, ROOT_DER, "-o", self.path("new"))
        self.assertEqual(digest(hive), digest(self.path("new")))

    def test_hive_is_not_rebuilt(self):
        hive = self.copy(sample_hive("soft", "--keys", "2000"), "SOFTWARE")
        self.wt("add", hive, ROOT_DER)
        before = digest(hive)
        self.assertFalse(self.json("add", hive, ROOT_DER, "--rebuild")[
            "target"]["changed"])
        self.assertEqual(before, digest(hive))

    def test_image_to_an_output(self):
        image = self.copy(sample("lzx.wim"))
        self.wt("add", image, ROOT_DER)
        self.wt("add", image, ROOT_DER, "-o", self.path("new.wim"))
        self.assertEqual(digest(image), digest(self.path("new.wim")))


class Outputs(Case):
    def test_link_to_an_output_is_followed(self):
        image = self.copy(sample("lzx.wim"))
        self.write("old", b"old")
        os.symlink("old", self.path("link"))
        self.refuses(7, "output-exists", image,
                     "add", image, ROOT_DER, "-o", self.path("link"))
        self.wt("add", image, ROOT_DER, "-o", self.path("link"), "-f")
        self.assertTrue(os.path.islink(self.path("link")))
        self.wt("verify", self.path("old"), ROOT_DER)

    def test_target_is_no_output(self):
        image = self.copy(sample("lzx.wim"))
        os.symlink(image, self.path("link"))
        for path in (image, self.path("link")):
            self.refuses(2, "output-is-target", image,
                         "add", image, ROOT_DER, "-f", "-o", path)

    def test_access_list_and_attributes_are_kept(self):
        image = self.copy(sample("lzx.wim"))
        names = {"user.one": b"1"}
        if os.getuid() == 0:
            names["trusted.two"] = b"\0\xff"
        for name, value in names.items():
            os.setxattr(image, name, value)
        run_other("setfacl", "-m", "u:1234:rw", image)
        before = run_other("getfacl", "-cp", image)
        self.wt("add", image, ROOT_DER)
        self.assertEqual(before, run_other("getfacl", "-cp", image))
        for name, value in names.items():
            self.assertEqual(value, os.getxattr(image, name))


class Streams(Case):
    """Alternate data streams of the hive's file."""

    def streams(self, image):
        return run_other("wimlib-imagex", "dir", "--detailed", image).count(
            b"Named data stream")

    def test_update_loses_them_and_says_so(self):
        source = sample("streams.wim", "--ntfs", "--streams", "3")
        self.assertEqual(3, self.streams(source))
        for options in ([], ["--commit", "append"], ["--rebuild"]):
            image = self.copy(source)
            said = self.json("add", "--access", "update", *options, image,
                             ROOT_DER)
            self.assertIn("streams-lost",
                          [warning["code"] for warning in said["warnings"]])
            self.assertEqual(0, self.streams(image))
            run_other("wimlib-imagex", "verify", image)
            self.wt("verify", image, ROOT_DER)
            # There are none any more.
            said = self.json("remove", "--access", "update", image,
                             ROOT_SHA1)
            self.assertNotIn("streams-lost", [
                warning["code"] for warning in said["warnings"]])

    def test_a_failed_run_says_nothing_of_them(self):
        source = sample("streams.wim", "--ntfs", "--streams", "3")
        place = self.path("place")
        place.mkdir()
        image = place / "boot.wim"
        shutil.copyfile(source, image)
        command = [WIMTRUST, "add", "--json", "--access", "update", image,
                   ROOT_DER]
        faults = Faults(self.folder, place)
        run = faults.run(command)
        self.assertEqual(0, run.returncode, run.stderr)
        self.assertIn(b"streams-lost", run.stdout)
        failed = 0
        for at in range(1, faults.calls() + 1, 3):
            shutil.copyfile(source, image)
            run = faults.run(command, at, ALWAYS, EIO)
            if run.returncode != 0:
                failed += 1
                self.assertNotIn(b"streams-lost", run.stdout + run.stderr)
        self.assertGreater(failed, 2)

    def test_mount_keeps_them(self):
        if not fuse_works():
            self.skipTest("no FUSE")
        image = self.copy(sample("streams.wim", "--ntfs", "--streams",
                                    "3"))
        said = self.json("add", "--access", "mount", image, ROOT_DER)
        self.assertNotIn("streams-lost",
                         [warning["code"] for warning in said["warnings"]])
        self.assertEqual(3, self.streams(image))

    def test_more_than_can_be_known_are_not_lost(self):
        image = self.copy(sample("streams-20.wim", "--ntfs", "--streams",
                                    "20"))
        self.assertEqual(20, self.streams(image))
        self.refuses(4, "wim-streams", image, "add", "--access", "update",
                     image, ROOT_DER)


class Places(Case):
    def test_temporary_folder_that_is_none(self):
        image = self.copy(sample("lzx.wim"))
        for folder in ("/nonexistent", "/proc", image):
            with self.subTest(folder=folder):
                error = self.refuses(
                    7, "not-found", image, "add", image, ROOT_DER,
                    env={"TMPDIR": folder})
                self.assertIn("TMPDIR", error["hint"])

    def test_files_may_not_become_large(self):
        image = self.copy(sample("lzx.wim"))
        before = digest(image)
        for blocks in ("1", "100", "300"):
            with self.subTest(blocks=blocks):
                done = subprocess.run(
                    ["sh", "-c", 'ulimit -f "$1" && shift && exec "$@"', "sh",
                     blocks, WIMTRUST, "add", image, ROOT_DER],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    env=dict(os.environ, TMPDIR=self.folder))
                self.assertEqual(7, done.returncode, done.stderr)
                self.assertIn(b"too large", done.stderr)
                self.assertEqual(before, digest(image))
                self.assertEqual(["lzx.wim"], os.listdir(self.folder))

    def test_read_only_file_system(self):
        folder = self.path("ro")
        os.mkdir(folder)
        if subprocess.run(["mount", "-t", "tmpfs", "none", folder],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("cannot mount a file system here")
        self.addCleanup(subprocess.run, ["umount", "-l", folder])
        image = self.copy(sample("lzx.wim"), "ro/boot.wim")
        run_other("mount", "-o", "remount,ro", folder)
        for commit in ("replace", "append"):
            error = self.refuses(7, "read-only-file-system", image, "add",
                                 image, ROOT_DER, "--commit", commit)
            self.assertIn("-o FILE", error["hint"])
        self.wt("add", image, ROOT_DER, "-o", self.path("new.wim"))
        self.wt("verify", self.path("new.wim"), ROOT_DER)

    @unittest.skipUnless(fuse_works(), "FUSE does not work here")
    def test_folder_that_is_an_image_mounted_by_wimlib(self):
        image = self.copy(sample("lzx.wim"))
        place = self.path("mount")
        os.mkdir(place)
        run_other("wimlib-imagex", "mountrw", image, "1", place)
        try:
            self.wt("add", place, ROOT_DER)
            self.wt("verify", place, ROOT_DER)
            self.assertEqual([], [
                name for name in os.listdir(
                    os.path.dirname(f"{place}{HIVE}")) if "wimtrust" in name])
        finally:
            run_other("wimlib-imagex", "unmount", place, "--commit")
        self.wt("verify", image, ROOT_DER)
        run_other("wimlib-imagex", "verify", image)

    def test_folder_mounted_from_ntfs_keeps_its_descriptor(self):
        volume, root = self.path("volume"), self.path("root")
        os.mkdir(root)
        with open(volume, "wb") as file:
            file.truncate(16 << 20)
        if not shutil.which("mkntfs") or not fuse_works():
            self.skipTest("an NTFS volume cannot be made here")
        run_other("mkntfs", "-qF", volume)
        if subprocess.run(["ntfs-3g", volume, root],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("an NTFS volume cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", root])
        os.makedirs(os.path.join(root, "Windows/System32/config"))
        hive = os.path.join(root, "Windows/System32/config/SOFTWARE")
        shutil.copyfile(sample_hive("soft", "--keys", "2000"), hive)
        descriptor = bytes.fromhex(
            "01000480300000003c000000000000001400000002001c0001000000"
            "0000140000001f0001010000000000051200000001010000000000051200"
            "0000010100000000000512000000")
        os.setxattr(hive, "system.ntfs_acl", descriptor)
        os.setxattr(hive, "system.ntfs_dos_name", b"SOFTWA~1")
        names = ("system.ntfs_acl", "system.ntfs_attrib",
                 "system.ntfs_dos_name")
        before = [os.getxattr(hive, name) for name in names]
        created = os.getxattr(hive, "system.ntfs_times")[:8]
        self.wt("add", root, ROOT_DER)
        self.wt("verify", root, ROOT_DER)
        self.assertEqual(before, [os.getxattr(hive, name) for name in names])
        self.assertEqual(created, os.getxattr(hive, "system.ntfs_times")[:8])
        self.assertEqual(["SOFTWARE"], os.listdir(os.path.dirname(hive)))
        self.assertEqual(ROOT_BLOB.read_bytes(),
                         values_by_reglookup(hive).get(ROOT_KEY))


@unittest.skipUnless(os.getuid() == 0, "needs root, to be somebody else")
class OrdinaryUser(Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        os.mkdir(self.path("tmp"))
        os.chmod(self.path("tmp"), 0o1777)
        os.mkdir(self.path("home"))
        os.chown(self.path("home"), NOBODY, NOBODY)
        self.program = self.path("wimtrust")
        shutil.copy(WIMTRUST, self.program)
        shutil.copy(ROOT_DER, self.path("root.cer"))
        self.image = self.copy(sample("lzx.wim"), "home/boot.wim")
        os.chown(self.image, NOBODY, NOBODY)

    def as_nobody(self, status, *words, before=()):
        done = subprocess.run(
            [*before, "setpriv", "--reuid", str(NOBODY), "--regid",
             str(NOBODY), "--clear-groups", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, TMPDIR=self.path("tmp")))
        run = Run(done)
        self.assertEqual(status, run.status, run.out + run.err)
        return run

    def add(self, status, *options, before=()):
        return self.as_nobody(status, self.program, "add", self.image,
                              self.path("root.cer"), *options, before=before)

    def test_auto_says_which_access_it_took_and_why(self):
        hidden = ["unshare", "-m", "sh", "-c",
                  'mount --bind /dev/null /dev/fuse && exec "$@"', "sh"]
        run = self.add(0, "-v", before=hidden)
        self.assertRegex(run.out, r"access +update: .*FUSE")
        self.wt("verify", self.image, ROOT_DER)

    def test_mount_where_the_device_may_be_opened(self):
        if not fuse_works():
            self.skipTest("FUSE does not work here")
        device = self.path("fuse")
        try:
            os.mknod(device, 0o20666, os.stat("/dev/fuse").st_rdev)
            os.chmod(device, 0o666)
            os.close(os.open(device, os.O_RDWR))
        except OSError as error:
            self.skipTest("no device can be made here: %s" % error)
        given = ["unshare", "-m", "sh", "-c",
                 'mount --bind "$0" /dev/fuse && exec "$@"', device]
        for more in ([], ["--no-new-privs"]):
            with self.subTest(more=more):
                shutil.copyfile(sample("lzx.wim"), self.image)
                run = self.as_nobody(0, *more, self.program, "add", self.image,
                                     self.path("root.cer"), "--access", "auto",
                                     "-v", before=given)
                self.assertRegex(run.out, r"access +(mount|update: )")
                self.wt("verify", self.image, ROOT_DER)
                self.assertEqual(["boot.wim"], os.listdir(self.path("home")))
                self.assertEqual([], os.listdir(self.path("tmp")))

    def test_folder_that_may_not_be_written(self):
        os.chown(self.path("home"), 0, 0)
        os.chmod(self.path("home"), 0o755)
        before = digest(self.image)
        for commit in ("replace", "append"):
            run = self.add(7, "--commit", commit)
            self.assertIn("that folder", run.err)
            self.assertIn("-o FILE", run.err)
            self.assertEqual(before, digest(self.image))
        self.add(0, "-o", self.path("tmp", "new.wim"))

    def test_file_of_somebody_else(self):
        os.chown(self.image, 0, 0)
        before = digest(self.image)
        self.add(7)
        self.add(7, "--commit", "append")
        self.assertEqual(before, digest(self.image))
        self.assertEqual(["boot.wim"], os.listdir(self.path("home")))


if __name__ == "__main__":
    main()
