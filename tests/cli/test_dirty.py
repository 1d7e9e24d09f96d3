#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hives that were not closed cleanly, bare and inside a WIM, with the logs of
both formats, compared with what other programs read."""

import os
import re
import shutil
import subprocess

from clitest import (HIVES, ROOT_DER, ROOT_SHA1, Case, digest, extract, main,
                     run_other, tree_by_reglookup, values_by_reglookup)

DIRTY = HIVES / "dirty"
LOGS = ("LOG", "LOG1", "LOG2")
# One of each format, and logs that end in a damaged entry.
REPLAYED = ("old", "old-single", "old-lost-base", "new", "new-many",
            "new-two-logs", "new-twice", "new-round", "unflushed",
            "stopped-hash", "stopped-short", "stopped-differ",
            "stopped-grows")
REFUSED = ("bad-no-log", "bad-other-time", "bad-old-short", "bad-gap",
           "bad-grows")


def tree(path):
    """Every key and value but the certificates', by reglookup."""
    return [line for line in tree_by_reglookup(path)
            if "SystemCertificates/AuthRoot" not in line]


def values(path):
    """The values of our own, by regfexport."""
    text = run_other("regfexport", path).decode(errors="replace")
    found = re.findall(r"Value: \d+ State\n.*\n.*\nData: (.*)", text)
    assert found
    return found


class Hive(Case):
    def lay_out(self, name, folder):
        os.makedirs(folder, exist_ok=True)
        target = folder / "SOFTWARE"
        shutil.copyfile(DIRTY / name, target)
        for log in LOGS:
            source = DIRTY / f"{name}.{log}"
            if source.exists():
                shutil.copyfile(source, f"{target}.{log}")
        return target

    def make(self, name):
        """The target, and where its hive can be read afterwards."""
        target = self.lay_out(name, self.path(name))
        return target, lambda: target

    def logs_of(self, target):
        return [digest(f"{target}.{log}") for log in LOGS
                if os.path.exists(f"{target}.{log}")]

    def test_is_refused_and_left_as_it_is(self):
        for name in REPLAYED + REFUSED:
            with self.subTest(name=name):
                target, _ = self.make(name)
                error = self.refuses(5, "hive-dirty", target, "add", target,
                                     ROOT_DER)
                self.assertRegex(error["message"],
                                 "no transaction log beside it fits"
                                 if name in REFUSED else
                                 r"\d+ entries \(\d+ bytes")
                self.assertIn("--discard-logs", error["hint"])
                self.assertEqual("--replay-logs" in error["hint"],
                                 name not in REFUSED, name)

    def test_logs_are_replayed(self):
        for name in REPLAYED:
            with self.subTest(name=name):
                target, hive = self.make(name)
                logs = self.logs_of(target)
                run = self.wt("add", target, ROOT_DER, "--replay-logs")
                self.assertIn("applied first", run.err)
                self.assertEqual("newer ones were left out" in run.err,
                                 name.startswith("stopped"), run.err)
                self.assertEqual(logs, self.logs_of(target))
                expected = DIRTY / (name + ".expected")
                self.assertEqual(tree(expected), tree(hive()))
                self.assertEqual(values(expected), values(hive()))
                self.assertIn(ROOT_SHA1,
                              str(values_by_reglookup(hive()).keys()))
                # It is clean now, and the logs are behind it.
                run = self.wt("verify", target, ROOT_DER)
                self.assertEqual("", run.err)
                again = digest(target)
                self.wt("add", target, ROOT_DER, "--replay-logs")
                self.assertEqual(again, digest(target))

    def test_logs_are_given_up(self):
        target, hive = self.make("unflushed")
        run = self.wt("add", target, ROOT_DER, "--discard-logs")
        self.assertRegex(run.err, r"\d+ entries \(\d+ bytes\) .*discarded")
        # All but the two sequence numbers is as in the hive before.
        before = bytearray((DIRTY / "unflushed").read_bytes())
        before[8:12] = before[4:8]
        before[508:512] = checksum(before)
        clean = self.write("clean", bytes(before))
        self.assertEqual(tree(clean), tree(hive()))
        self.wt("verify", target, ROOT_DER)

    def test_without_usable_logs_it_stays_refused(self):
        for name in REFUSED:
            with self.subTest(name=name):
                target, _ = self.make(name)
                self.refuses(5, "hive-dirty", target, "add", target, ROOT_DER,
                             "--replay-logs")

    def with_long_log(self, *without):
        root = self.path("long")
        hive = self.lay_out("unflushed", root / "Windows/System32/config")
        with open(f"{hive}.LOG2", "wb") as file:
            file.truncate(33 << 20)
        for suffix in without:
            os.unlink(f"{hive}{suffix}")
        return self.packed(root)

    def test_a_log_longer_than_any_is_left_out_and_said(self):
        target = self.with_long_log()
        # Of the other one all is taken.
        run = self.wt("add", target, ROOT_DER, "--replay-logs")
        self.assertIn("longer than any", run.err)
        self.assertIn("applied first", run.err)
        target = self.with_long_log(".LOG1")
        error = self.refuses(5, "hive-dirty", target, "add", target, ROOT_DER)
        self.assertIn("--discard-logs", error["hint"])
        self.wt("add", target, ROOT_DER, "--discard-logs")
        self.wt("verify", target, ROOT_DER)

    def packed(self, root):
        """The target that the folder is, or is made into."""
        return root

    def test_readers_say_what_it_lacks(self):
        target, _ = self.make("unflushed")
        before = digest(target)
        run = self.wt("list", target)
        self.assertIn("--replay-logs", run.err)
        self.wt("list", target, "--replay-logs")
        self.assertEqual(before, digest(target))


class Image(Hive):
    """The same inside a WIM."""

    def make(self, name):
        root = self.path("tree-" + name)
        self.lay_out(name, root / "Windows/System32/config")
        target = self.packed(root)
        shutil.rmtree(root)

        def hive():
            folder = self.path("out-" + name)
            shutil.rmtree(folder, ignore_errors=True)
            os.mkdir(folder)
            return extract(target, 1, folder)

        return target, hive

    def packed(self, root):
        target = root.with_name(root.name + ".wim")
        target.unlink(missing_ok=True)
        run_other("wimlib-imagex", "capture", root, target, "--compress=LZX",
               "--no-acls", "--boot")
        return target

    def logs_of(self, target):
        listing = subprocess.run(
            ["wimlib-imagex", "dir", target, "1"], stdout=subprocess.PIPE,
            check=True).stdout.decode()
        return sorted(line for line in listing.splitlines() if "LOG" in line)


def checksum(data):
    value = 0
    for at in range(0, 508, 4):
        value ^= int.from_bytes(data[at:at + 4], "little")
    return {0: 1, 0xffffffff: 0xfffffffe}.get(value, value).to_bytes(
        4, "little")


if __name__ == "__main__":
    main()
