#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Targets, places and users that are not the usual ones."""

import os
import shutil
import subprocess
import unittest

import wt

KEY = "%s\\AuthRoot\\Certificates\\%s" % (wt.PLACE, wt.ROOT_SHA1)
MAKE_SAMPLE = os.path.join(wt.SOURCE, "tests/support/make-sample")
NOBODY = 65534


class Names(wt.Case):
    def test_what_is_no_file_is_refused_and_not_waited_for(self):
        os.mkfifo(self.path("fifo"))
        for path in (self.path("fifo"), "/dev/null", "/dev/zero"):
            for command in ("add", "verify"):
                with self.subTest(path=path, command=command):
                    self.wt(command, path, wt.ROOT, status=7, timeout=20)
                    self.assertIn("not a file", self.err)

    def test_any_name_will_do(self):
        for name in (b"-x.wim", b"a b.wim", b"a\nb.wim", b"\xff\xfe.wim",
                     b"%s%n.wim", "\u00e9\u202e.wim".encode()):
            with self.subTest(name=name):
                path = os.path.join(os.fsencode(self.folder), name)
                shutil.copyfile(wt.sample("lzx.wim"), path)
                self.wt("add", "-q", "--", name, wt.ROOT, cwd=self.folder)
                self.wt("verify", path, wt.ROOT)
                self.assertEqual(3, len(self.out.splitlines()), self.out)
                self.assertNotIn("\u202e", self.out)
                os.unlink(path)
        self.assert_clean()

    def test_name_that_begins_with_a_dash_is_an_option_without_dashes(self):
        self.copy(wt.sample("lzx.wim"), "-x.wim")
        self.wt("add", "-x.wim", wt.ROOT, cwd=self.folder, status=2)


class Images(wt.Case):
    def test_file_without_images(self):
        image = self.copy(wt.sample("lzx.wim"), "none.wim")
        wt.run("wimlib-imagex", "delete", image, "1", "--soft")
        self.refuses(6, "no-hive", image, "add", image, wt.ROOT)
        error = self.refuses(6, "no-such-image", image,
                             "add", image, wt.ROOT, "-i", "1")
        self.assertIn("no images", error["hint"])
        self.assertEqual([], self.json("info", image)["images"])

    def test_hive_in_the_second_image_only(self):
        image = self.copy(wt.sample("no-hive.wim", "--tree", "no-hive"))
        wt.run("wimlib-imagex", "export", wt.sample("lzx.wim"), "1", image,
               "Second")
        self.wt("add", image, wt.ROOT)
        self.assertIn("image 2", self.out)
        self.assertNotIn("image 1", self.out)
        for chosen in ("1", "all"):
            error = self.refuses(6, "no-hive", image,
                                 "add", image, wt.ROOT, "-i", chosen)
            self.assertIn("image 1", error["message"])

    def test_name_that_is_a_number(self):
        image = self.copy(wt.sample("two.wim", "--images", "2"))
        wt.run("wimlib-imagex", "info", image, "2", "2022")
        self.wt("add", image, wt.ROOT, "-i", "2022")
        self.assertIn("image 2", self.out)
        self.assertNotIn("image 1", self.out)

    def test_sixty_images_of_one_hive(self):
        source = wt.sample("lzx.wim")
        image = self.copy(source)
        for i in range(59):
            wt.run("wimlib-imagex", "export", source, "1", image,
                   "Copy %d %s" % (i, "x" * (i * 10)))
        self.wt("add", image, wt.ROOT)
        said = self.json("verify", image, wt.ROOT)
        self.assertEqual(60, len(said["images"]))
        wt.run("wimlib-imagex", "verify", image)
        error = self.refuses(6, "no-such-image", image,
                             "list", image, "-i", "none")
        self.assertIn("more, which wimtrust info lists", error["hint"])

    def test_hive_with_two_names(self):
        source = wt.sample("hard-link.wim", "--tree", "hard-link")
        second = "/Windows/second name"
        for access, keeps in (("mount", True), ("update", False)):
            if keeps and not wt.fuse_works():
                continue
            with self.subTest(access=access):
                image = self.copy(source)
                self.wt("add", image, wt.ROOT, "--access", access)
                first = wt.read(wt.extract(image, 1, self.path("a")))
                other = wt.read(wt.extract(image, 1, self.path("b"), second))
                self.assertEqual(keeps, first == other)
                self.wt("verify", image, wt.ROOT)
                shutil.rmtree(self.path("a"))
                shutil.rmtree(self.path("b"))


class Slack(wt.Case):
    """A hive's file is longer than its bins say; what is behind them means
    nothing."""

    def setUp(self):
        super().setUp()
        with open(wt.hive("no-slack", "--no-slack"), "rb") as file:
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
                before = wt.tree_by_reglookup(hive)
                for target in (hive, self.folder):
                    self.wt("add", target, wt.ROOT)
                    self.assertIn(wt.ROOT_SHA1, str(
                        wt.values_by_reglookup(hive).keys()))
                    self.wt("verify", target, wt.ROOT)
                    self.wt("remove", target, wt.ROOT)
                    self.wt("verify", target, wt.ROOT, status=1)
                after = wt.tree_by_reglookup(hive)
                self.assertEqual(before, [line for line in after
                                          if line in before])
                self.assertEqual([], [line for line in after
                                      if wt.ROOT_SHA1 in line])

    def test_backup_and_output(self):
        hive = self.lay_out(os.urandom(200000))
        before = wt.digest(hive)
        out = self.path("out")
        self.wt("add", "-o", out, hive, wt.ROOT)
        self.assertEqual(before, wt.digest(hive))
        self.wt("add", "--backup", hive, wt.ROOT)
        self.assertEqual(before, wt.digest(hive + ".bak"))
        self.assertEqual(os.path.getsize(out), os.path.getsize(hive))
        self.assertEqual(wt.tree_by_reglookup(out),
                         wt.tree_by_reglookup(hive))


class Keys(wt.Case):
    """Entries that no thumbprint leads to, and with keys below them."""

    def lay_out(self, name):
        return self.copy(os.path.join(os.environ["WT_HIVES"], "bad", name))

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
        self.wt("remove", hive, "key:Größe", status=1)
        self.assertIn("[not-found]", self.err)
        # A file of that name is named with its folder.
        self.wt("remove", hive, "./key:Größe", status=7, cwd=self.folder)

    def test_with_keys_below_are_removed_with_them(self):
        hive = self.lay_out("odd-more-values")
        key = "0123456789ABCDEF0123456789ABCDEF01234567"
        self.assertIn("Deeper", str(wt.tree_by_reglookup(hive)))
        self.wt("remove", hive, key)
        self.assertNotIn(key, self.keys(hive))
        self.assertNotIn("Deeper", str(wt.tree_by_reglookup(hive)))


class Unchanged(wt.Case):
    """What holds the certificate already gives the same bytes."""

    def test_hive_to_an_output(self):
        hive = self.copy(wt.hive("soft", "--keys", "2000"), "SOFTWARE")
        self.wt("add", hive, wt.ROOT)
        self.wt("add", hive, wt.ROOT, "-o", self.path("new"))
        self.assertEqual(wt.digest(hive), wt.digest(self.path("new")))

    def test_hive_is_not_rebuilt(self):
        hive = self.copy(wt.hive("soft", "--keys", "2000"), "SOFTWARE")
        self.wt("add", hive, wt.ROOT)
        before = wt.digest(hive)
        self.assertFalse(self.json("add", hive, wt.ROOT, "--rebuild")[
            "target"]["changed"])
        self.assertEqual(before, wt.digest(hive))

    def test_image_to_an_output(self):
        image = self.copy(wt.sample("lzx.wim"))
        self.wt("add", image, wt.ROOT)
        self.wt("add", image, wt.ROOT, "-o", self.path("new.wim"))
        self.assertEqual(wt.digest(image), wt.digest(self.path("new.wim")))


class Outputs(wt.Case):
    def test_link_to_an_output_is_followed(self):
        image = self.copy(wt.sample("lzx.wim"))
        wt.write(self.path("old"), b"old")
        os.symlink("old", self.path("link"))
        self.refuses(7, "output-exists", image,
                     "add", image, wt.ROOT, "-o", self.path("link"))
        self.wt("add", image, wt.ROOT, "-o", self.path("link"), "-f")
        self.assertTrue(os.path.islink(self.path("link")))
        self.wt("verify", self.path("old"), wt.ROOT)

    def test_target_is_no_output(self):
        image = self.copy(wt.sample("lzx.wim"))
        os.symlink(image, self.path("link"))
        for path in (image, self.path("link")):
            self.refuses(2, "output-is-target", image,
                         "add", image, wt.ROOT, "-f", "-o", path)

    def test_access_list_and_attributes_are_kept(self):
        image = self.copy(wt.sample("lzx.wim"))
        names = {"user.one": b"1"}
        if os.getuid() == 0:
            names["trusted.two"] = b"\0\xff"
        for name, value in names.items():
            os.setxattr(image, name, value)
        wt.run("setfacl", "-m", "u:1234:rw", image)
        before = wt.run("getfacl", "-cp", image)
        self.wt("add", image, wt.ROOT)
        self.assertEqual(before, wt.run("getfacl", "-cp", image))
        for name, value in names.items():
            self.assertEqual(value, os.getxattr(image, name))


class Streams(wt.Case):
    """Alternate data streams of the hive's file."""

    def streams(self, image):
        return wt.run("wimlib-imagex", "dir", "--detailed", image).count(
            b"Named data stream")

    def test_update_loses_them_and_says_so(self):
        source = wt.sample("streams.wim", "--ntfs", "--streams", "3")
        self.assertEqual(3, self.streams(source))
        for options in ([], ["--commit", "append"], ["--rebuild"]):
            image = self.copy(source)
            said = self.json("add", "--access", "update", *options, image,
                             wt.ROOT)
            self.assertIn("streams-lost",
                          [warning["code"] for warning in said["warnings"]])
            self.assertEqual(0, self.streams(image))
            wt.run("wimlib-imagex", "verify", image)
            self.wt("verify", image, wt.ROOT)
            # There are none any more.
            said = self.json("remove", "--access", "update", image,
                             wt.ROOT_SHA1)
            self.assertNotIn("streams-lost", [
                warning["code"] for warning in said["warnings"]])

    def test_mount_keeps_them(self):
        if not wt.fuse_works():
            self.skipTest("no FUSE")
        image = self.copy(wt.sample("streams.wim", "--ntfs", "--streams",
                                    "3"))
        said = self.json("add", "--access", "mount", image, wt.ROOT)
        self.assertNotIn("streams-lost",
                         [warning["code"] for warning in said["warnings"]])
        self.assertEqual(3, self.streams(image))

    def test_more_than_can_be_known_are_not_lost(self):
        image = self.copy(wt.sample("streams-20.wim", "--ntfs", "--streams",
                                    "20"))
        self.assertEqual(20, self.streams(image))
        self.refuses(4, "wim-streams", image, "add", "--access", "update",
                     image, wt.ROOT)


class Places(wt.Case):
    def test_temporary_folder_that_is_none(self):
        image = self.copy(wt.sample("lzx.wim"))
        for folder in ("/nonexistent", "/proc", image):
            with self.subTest(folder=folder):
                error = self.refuses(
                    7, "not-found", image, "add", image, wt.ROOT,
                    env={"TMPDIR": folder})
                self.assertIn("TMPDIR", error["hint"])

    def test_files_may_not_become_large(self):
        image = self.copy(wt.sample("lzx.wim"))
        before = wt.digest(image)
        for blocks in ("1", "100", "300"):
            with self.subTest(blocks=blocks):
                done = subprocess.run(
                    ["sh", "-c", 'ulimit -f "$1" && shift && exec "$@"', "sh",
                     blocks, wt.PROGRAM, "add", image, wt.ROOT],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    env=dict(os.environ, TMPDIR=self.folder))
                self.assertEqual(7, done.returncode, done.stderr)
                self.assertIn(b"too large", done.stderr)
                self.assertEqual(before, wt.digest(image))
                self.assertEqual(["lzx.wim"], os.listdir(self.folder))

    def test_read_only_file_system(self):
        folder = self.path("ro")
        os.mkdir(folder)
        if subprocess.run(["mount", "-t", "tmpfs", "none", folder],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("cannot mount a file system here")
        self.addCleanup(subprocess.run, ["umount", "-l", folder])
        image = self.copy(wt.sample("lzx.wim"), "ro/boot.wim")
        wt.run("mount", "-o", "remount,ro", folder)
        for commit in ("replace", "append"):
            error = self.refuses(7, "read-only-file-system", image, "add",
                                 image, wt.ROOT, "--commit", commit)
            self.assertIn("-o FILE", error["hint"])
        self.wt("add", image, wt.ROOT, "-o", self.path("new.wim"))
        self.wt("verify", self.path("new.wim"), wt.ROOT)

    @unittest.skipUnless(wt.fuse_works(), "FUSE does not work here")
    def test_folder_that_is_an_image_mounted_by_wimlib(self):
        image = self.copy(wt.sample("lzx.wim"))
        place = self.path("mount")
        os.mkdir(place)
        wt.run("wimlib-imagex", "mountrw", image, "1", place)
        try:
            self.wt("add", place, wt.ROOT)
            self.wt("verify", place, wt.ROOT)
            self.assertEqual([], [
                name for name in os.listdir(
                    os.path.dirname(place + wt.HIVE)) if "wimtrust" in name])
        finally:
            wt.run("wimlib-imagex", "unmount", place, "--commit")
        self.wt("verify", image, wt.ROOT)
        wt.run("wimlib-imagex", "verify", image)

    def test_folder_mounted_from_ntfs_keeps_its_descriptor(self):
        volume, root = self.path("volume"), self.path("root")
        os.mkdir(root)
        with open(volume, "wb") as file:
            file.truncate(16 << 20)
        if not shutil.which("mkntfs") or not wt.fuse_works():
            self.skipTest("an NTFS volume cannot be made here")
        wt.run("mkntfs", "-qF", volume)
        if subprocess.run(["ntfs-3g", volume, root],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("an NTFS volume cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", root])
        os.makedirs(os.path.join(root, "Windows/System32/config"))
        hive = os.path.join(root, "Windows/System32/config/SOFTWARE")
        shutil.copyfile(wt.hive("soft", "--keys", "2000"), hive)
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
        self.wt("add", root, wt.ROOT)
        self.wt("verify", root, wt.ROOT)
        self.assertEqual(before, [os.getxattr(hive, name) for name in names])
        self.assertEqual(created, os.getxattr(hive, "system.ntfs_times")[:8])
        self.assertEqual(["SOFTWARE"], os.listdir(os.path.dirname(hive)))
        self.assertEqual(wt.read(wt.ROOT_BLOB),
                         wt.values_by_reglookup(hive).get(KEY))


@unittest.skipUnless(os.getuid() == 0, "needs root, to be somebody else")
class OrdinaryUser(wt.Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        os.mkdir(self.path("tmp"))
        os.chmod(self.path("tmp"), 0o1777)
        os.mkdir(self.path("home"))
        os.chown(self.path("home"), NOBODY, NOBODY)
        self.program = self.path("wimtrust")
        shutil.copy(wt.PROGRAM, self.program)
        shutil.copy(wt.ROOT, self.path("root.cer"))
        self.image = self.copy(wt.sample("lzx.wim"), "home/boot.wim")
        os.chown(self.image, NOBODY, NOBODY)

    def as_nobody(self, status, *words, before=()):
        done = subprocess.run(
            [*before, "setpriv", "--reuid", str(NOBODY), "--regid",
             str(NOBODY), "--clear-groups", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, TMPDIR=self.path("tmp")))
        self.out = done.stdout.decode()
        self.err = done.stderr.decode()
        self.assertEqual(status, done.returncode, self.out + self.err)

    def add(self, status, *options, before=()):
        self.as_nobody(status, self.program, "add", self.image,
                       self.path("root.cer"), *options, before=before)

    def test_auto_says_which_access_it_took_and_why(self):
        hidden = ["unshare", "-m", "sh", "-c",
                  'mount --bind /dev/null /dev/fuse && exec "$@"', "sh"]
        self.add(0, "-v", before=hidden)
        self.assertRegex(self.out, r"access +update: .*FUSE")
        self.wt("verify", self.image, wt.ROOT)

    def test_mount_where_the_device_may_be_opened(self):
        if not wt.fuse_works():
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
                shutil.copyfile(wt.sample("lzx.wim"), self.image)
                self.as_nobody(0, *more, self.program, "add", self.image,
                               self.path("root.cer"), "--access", "auto",
                               "-v", before=given)
                self.assertRegex(self.out, r"access +(mount|update: )")
                self.wt("verify", self.image, wt.ROOT)
                self.assertEqual(["boot.wim"], os.listdir(self.path("home")))
                self.assertEqual([], os.listdir(self.path("tmp")))

    def test_folder_that_may_not_be_written(self):
        os.chown(self.path("home"), 0, 0)
        os.chmod(self.path("home"), 0o755)
        before = wt.digest(self.image)
        for commit in ("replace", "append"):
            self.add(7, "--commit", commit)
            self.assertIn("that folder", self.err)
            self.assertIn("-o FILE", self.err)
            self.assertEqual(before, wt.digest(self.image))
        self.add(0, "-o", self.path("tmp", "new.wim"))

    def test_file_of_somebody_else(self):
        os.chown(self.image, 0, 0)
        before = wt.digest(self.image)
        self.add(7)
        self.add(7, "--commit", "append")
        self.assertEqual(before, wt.digest(self.image))
        self.assertEqual(["boot.wim"], os.listdir(self.path("home")))


if __name__ == "__main__":
    wt.main()
