#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What must not be written is refused, and left as it was."""

import os
import shutil
import subprocess

from clitest import (CERTS, ROOT_DER, SUPPORT, Case, digest, fuse_works, main,
                     run_other, sample, sample_hive)


class Images(Case):
    def add(self, status, code, source, *words):
        image = self.copy(source)
        return self.refuses(status, code, image, "add", image, ROOT_DER,
                            *words)

    def test_interrupted(self):
        source = sample("interrupted.wim", "--interrupted")
        error = self.add(4, "image-interrupted", source)
        self.assertIn("--repair", error["hint"])
        self.assertTrue(self.json(
            "info", source)["target"]["wim"]["interrupted"])

    def test_interrupted_is_repaired_when_asked(self):
        image = self.copy(sample("interrupted.wim", "--interrupted"))
        self.wt("add", image, ROOT_DER, "--repair")
        run_other("wimlib-imagex", "verify", image)
        self.wt("verify", image, ROOT_DER)
        self.assertFalse(
            self.json("info", image)["target"]["wim"]["interrupted"])

    def test_split(self):
        self.add(4, "wim-split", sample("split.swm", "--split"))

    def test_pipable(self):
        self.add(4, "wim-pipable", sample("pipable.wim", "--pipable"))

    def test_read_only_flag(self):
        self.add(4, "wim-read-only-flag",
                 sample("read-only.wim", "--read-only"))

    def test_no_such_image_lists_the_images(self):
        source = sample("two.wim", "--images", "2")
        for name in ("3", "0", "-1", "no such", "99999999999999999999"):
            with self.subTest(name=name):
                error = self.add(6, "no-such-image", source,
                                 "--image=" + name)
                self.assertIn("Image 2", error["hint"])

    def test_no_boot_index(self):
        self.add(6, "no-such-image", sample("no-boot.wim", "--boot", "0"),
                 "-i", "boot")

    def test_no_hive(self):
        self.add(6, "no-hive", sample("no-hive.wim", "--tree", "no-hive"))

    def test_not_a_wim(self):
        for name, data in (("text.wim", b"hello, world\n" * 100),
                           ("empty.wim", b""),
                           ("zip.wim", b"PK\x03\x04" + b"\0" * 999)):
            with self.subTest(name=name):
                path = self.write(name, data)
                self.refuses(4, "wim-not-a-wim", path, "add", path, ROOT_DER)
                os.unlink(path)

    def test_iso_is_not_written(self):
        iso = self.write("iso.iso", b"\0" * 0x8001 + b"CD001" + b"\0" * 99)
        self.refuses(7, "iso-read-only", iso, "add", iso, ROOT_DER)
        self.refuses(6, "iso-no-boot-wim", iso, "list", iso)

    def test_truncated(self):
        data = sample("lzx.wim").read_bytes()
        for size in (100, 207, 208, 1000, len(data) // 2, len(data) - 1):
            with self.subTest(size=size):
                path = self.write("cut.wim", data[:size])
                before = digest(path)
                self.wt("add", path, ROOT_DER, status=4)
                self.assertEqual(before, digest(path))

    def test_damaged_under_its_integrity_table(self):
        source = sample("integrity.wim", "--integrity")
        data = bytearray(source.read_bytes())
        data[len(data) // 3] ^= 0x40
        path = self.write("damaged.wim", bytes(data))
        self.refuses(4, "wim-integrity", path, "add", path, ROOT_DER)

    def test_read_only_file(self):
        image = self.copy(sample("lzx.wim"))
        os.chmod(image, 0o444)
        error = self.refuses(7, "read-only-file", image,
                             "add", image, ROOT_DER)
        self.assertIn("chmod u+w", error["hint"])

    def test_missing_file(self):
        self.refuses(7, "not-found", self.path("no.wim"),
                     "add", self.path("no.wim"), ROOT_DER)

    def test_hard_link_is_refused_for_replace_only(self):
        image = self.copy(sample("lzx.wim"))
        os.link(image, self.path("other.wim"))
        error = self.refuses(7, "hard-linked", image, "add", "--commit",
                             "replace", image, ROOT_DER)
        self.assertIn("append", error["hint"])
        self.refuses(7, "hard-linked", image, "add", "--rebuild", image,
                     ROOT_DER)
        said = self.json("add", image, ROOT_DER)
        self.assertEqual("append", said["commit"])
        self.assertIn("2 names", said["commit_reason"])
        self.wt("verify", self.path("other.wim"), ROOT_DER)
        run = self.wt("remove", "-v", image, ROOT_DER)
        self.assertRegex(run.out, "commit   append: has 2 names")

    def test_what_nobody_may_change(self):
        image = self.copy(sample("lzx.wim"))
        hive = self.copy(sample_hive("soft", "--keys", "2000"), "SOFTWARE")
        for target in (image, hive):
            for mark in "ia":
                if subprocess.run(["chattr", "+" + mark, target],
                                  stderr=subprocess.DEVNULL).returncode:
                    self.skipTest("chattr does not work here")
                try:
                    for more in ([], ["--commit", "append"], ["--backup"]):
                        error = self.refuses(7, "immutable", target, "add",
                                             *more, target, ROOT_DER)
                        self.assertIn("chattr -" + mark, error["hint"])
                finally:
                    run_other("chattr", "-" + mark, target)
        run_other("chattr", "+i", self.folder)
        try:
            for more in ([], ["--commit", "append"]):
                run = self.wt("add", *more, image, ROOT_DER, status=7,
                              env={"TMPDIR": "/tmp"})
                self.assertIn("lsattr -d", run.err)
        finally:
            run_other("chattr", "-i", self.folder)

    def test_folder_whose_files_keep_their_names(self):
        place = self.folder / "place"
        place.mkdir()
        image = self.copy(sample("lzx.wim"), "place/lzx.wim")
        hive = self.copy(sample_hive("soft", "--keys", "2000"),
                         "place/SOFTWARE")
        names = sorted(os.listdir(place))
        if subprocess.run(["chattr", "+a", place],
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("chattr does not work here")
        try:
            for target, more in (
                    (image, []), (image, ["--commit", "append"]),
                    (image, ["--backup"]), (hive, []),
                    (image, ["-o", place / "new.wim"])):
                error = self.refuses(7, "immutable", target, "add", *more,
                                     target, ROOT_DER)
                self.assertIn("append-only", error["message"])
                self.assertIn("chattr -a", error["hint"])
                self.assertEqual(names, sorted(os.listdir(place)))
            self.wt("add", "-o", self.path("new.wim"), image, ROOT_DER)
        finally:
            run_other("chattr", "-a", place)

    def test_name_that_leaves_no_room(self):
        image = self.copy(sample("lzx.wim"), "n" * 253)
        for more in ([], ["--commit", "append"]):
            error = self.refuses(7, "name-too-long", image, "add", "--backup",
                                 *more, image, ROOT_DER)
            self.assertIn("shorter --backup=SUFFIX", error["hint"])
        self.wt("add", "--backup=~", image, ROOT_DER)
        self.assertTrue(os.path.exists(f"{image}~"))
        self.refuses(7, "name-too-long", image, "add", "-o",
                     self.path("n" * 256), image, ROOT_DER)

    def test_hive_found_twice(self):
        self.add(6, "hive-path-ambiguous",
                 sample("ambiguous.wim", "--tree", "ambiguous"))

    def test_links_in_the_path_do_not_reach_the_host(self):
        os.mkdir(self.path("host"))
        host = self.copy(sample_hive("soft", "--keys", "2000"),
                         "host/SOFTWARE")
        before = digest(host)
        for kind in ("link-config", "link-hive",
                     f"link-host:{self.path('host')}"):
            with self.subTest(kind=kind):
                image = self.path("image.wim")
                run_other(SUPPORT / "make-sample",
                       "--tree", kind, image)
                for access in ("update", "mount"):
                    self.wt("add", image, ROOT_DER, "--access", access,
                            status=6)
        self.assertEqual(before, digest(host))

    def test_folder_in_place_of_the_hive(self):
        self.copy(sample("folder.wim", "--tree", "folder"), "f.wim")
        self.wt("add", self.path("f.wim"), ROOT_DER, status=6)


class Certificates(Case):
    def setUp(self):
        super().setUp()
        self.image = self.copy(sample("lzx.wim"))

    def test_every_bad_file_is_refused(self):
        names = [name for name in sorted(os.listdir(CERTS))
                 if name.startswith("bad-")]
        self.assertGreater(len(names), 40)
        before = digest(self.image)
        for name in names:
            with self.subTest(name=name):
                run = self.wt("add", self.image, CERTS / name,
                              status=3)
                lines = [line for line in run.err.splitlines()
                         if not line.startswith("wimtrust: warning: ")]
                self.assertLessEqual(len(lines), 2, run.err)
                self.assertTrue(lines[0].startswith("wimtrust: "))
        self.assertEqual(before, digest(self.image))

    def test_policy(self):
        cases = (("expired.der", "cert-expired", "expired"),
                 ("not-yet-valid.der", "cert-not-yet-valid",
                  "not-yet-valid"),
                 ("weak-rsa1024.der", "cert-weak-key", "weak-key"),
                 ("not-ca-self.der", "cert-not-ca", "not-ca"))
        for name, code, allowed in cases:
            with self.subTest(name=name):
                image = self.copy(self.image, "case.wim")
                cert = CERTS / name
                error = self.refuses(3, code, image, "add", image, cert)
                self.assertIn("--allow " + allowed, error["hint"])
                self.wt("add", image, cert, "--allow", allowed)
                self.wt("verify", image, cert)

    def test_one_refused_refuses_all_unless_told(self):
        good, bad = ROOT_DER, CERTS / "expired.der"
        self.refuses(3, "cert-expired", self.image,
                     "add", self.image, good, bad)
        said = self.json("add", self.image, good, bad, "--keep-going")
        actions = {entry["action"] for entry in said["images"][0]["entries"]}
        self.assertEqual({"added", "refused"}, actions)
        self.wt("verify", self.image, good)


class Space(Case):
    """Full file systems; they are made here, which needs root."""

    def mount_tmpfs(self, name, size):
        folder = self.path(name)
        os.mkdir(folder)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o",
                               "size=%d" % size, "none", folder],
                              stderr=subprocess.DEVNULL)
        if done.returncode != 0:
            self.skipTest("cannot mount a small file system here")
        self.addCleanup(subprocess.run, ["umount", "-l", folder])
        return folder

    def test_target_file_system_is_full(self):
        source = sample("lzx.wim")
        size = os.path.getsize(source)
        for room in (0, 4096, 65536, size // 2, size):
            with self.subTest(room=room):
                folder = self.mount_tmpfs("fs%d" % room, size + room + 8192)
                image = os.path.join(folder, "boot.wim")
                shutil.copyfile(source, image)
                before = digest(image)
                run = self.wt("add", image, ROOT_DER, status=7)
                self.assertIn("free", run.err)
                self.assertEqual(before, digest(image))
                self.assertEqual(["boot.wim"], os.listdir(folder))

    def test_temporary_folder_is_full(self):
        for access in ("update", "mount"):
            if access == "mount" and not fuse_works():
                continue
            for size in (4096, 65536, 262144, 1 << 20):
                with self.subTest(access=access, size=size):
                    folder = self.mount_tmpfs(
                        "tmp-%s-%d" % (access, size), size)
                    image = self.copy(sample(
                        "large-hive.wim", "--hive",
                        sample_hive("large", "--keys", "5000", "--size", "6")))
                    before = digest(image)
                    self.wt("add", image, ROOT_DER, "--access", access,
                            status=7, env={"TMPDIR": folder})
                    self.assertEqual(before, digest(image))
                    self.assertEqual([], os.listdir(folder))


if __name__ == "__main__":
    main()
