# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: the program, samples, other readers.

Environment: WIMTRUST is the program, WT_SOURCE the source folder, WT_SAMPLES
a folder that keeps samples between runs.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.environ["WIMTRUST"]
SOURCE = os.environ["WT_SOURCE"]
SAMPLES = os.environ["WT_SAMPLES"]
CERTS = os.path.join(SOURCE, "testdata", "certs")
ROOT = os.path.join(SOURCE, "testdata", "windows10-rsa4096-sha256.der")
ROOT_BLOB = os.path.join(SOURCE, "testdata", "windows10-rsa4096-sha256.blob")
ROOT_SHA1 = "7A645AEB801671DB9CE1C3E421FD11E0B52D6C2F"
HIVE = "/Windows/System32/config/SOFTWARE"
PLACE = "Microsoft\\SystemCertificates"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def digest(path):
    return hashlib.sha256(read(path)).hexdigest()


def run(*words, **more):
    """Any other program; its failure is the test's."""
    done = subprocess.run(words, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **more)
    if done.returncode != 0:
        raise AssertionError("%s: %d: %s" % (
            words, done.returncode, done.stderr.decode(errors="replace")))
    return done.stdout


def sample(name, *options, skips=True):
    """A sample image by tests/support/make-sample, made once."""
    path = os.path.join(SAMPLES, name)
    if not os.path.exists(path):
        os.makedirs(SAMPLES, exist_ok=True)
        # A .esd stays one, and two tests at once do not meet.
        fresh = os.path.join(SAMPLES, "new-%d-%s" % (os.getpid(), name))
        made = subprocess.run(
            [os.path.join(SOURCE, "tests/support/make-sample"), *options,
             fresh], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if made.returncode == 77 and skips:
            raise unittest.SkipTest("cannot be made here: %s" %
                                    made.stderr.decode().strip())
        if made.returncode != 0:
            raise AssertionError(made.stderr.decode())
        os.rename(fresh, path)
    return path


def hive(name, *options):
    """A hive by tests/support/make-hive, made once."""
    path = os.path.join(SAMPLES, name)
    if not os.path.exists(path):
        os.makedirs(SAMPLES, exist_ok=True)
        fresh = "%s.%d" % (path, os.getpid())
        run(os.path.join(SOURCE, "tests/support/make-hive"), *options, fresh)
        os.rename(fresh, path)
    return path


def fuse_works():
    return os.access("/dev/fuse", os.R_OK | os.W_OK)


def values_by_reglookup(path):
    """{key path: value line} of every certificate, by reglookup."""
    text = run("reglookup", "-t", "BINARY", "-H", path).decode()
    found = {}
    for line in text.splitlines():
        match = re.match(r"/(.*SystemCertificates/.*)/Blob,BINARY,([^,]*),",
                         line)
        if match:
            data = re.sub(r"%([0-9A-Fa-f]{2})",
                          lambda m: chr(int(m.group(1), 16)), match.group(2))
            found[match.group(1).replace("/", "\\")] = data.encode("latin-1")
    return found


def tree_by_reglookup(path):
    """Every key and value of a hive as reglookup sees it, but for times."""
    text = run("reglookup", path).decode()
    return sorted(re.sub(r",\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", "", line)
                  for line in text.splitlines())


def extract(image, index, folder, path=HIVE):
    run("wimlib-imagex", "extract", image, str(index), path,
        "--dest-dir=" + folder, "--no-acls")
    return os.path.join(folder, os.path.basename(path))


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="wt-test-")
        self.addCleanup(self.remove_folder)

    def remove_folder(self):
        subprocess.run(["chmod", "-R", "u+rwX", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def copy(self, source, name=None):
        target = self.path(name or os.path.basename(source))
        shutil.copyfile(source, target)
        return target

    def wt(self, *words, status=0, **more):
        """Runs wimtrust; its exit status is the test's business."""
        env = dict(os.environ, TMPDIR=self.path("tmp"))
        env.update(more.pop("env", {}))
        os.makedirs(self.path("tmp"), exist_ok=True)
        done = subprocess.run([PROGRAM, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=env, **more)
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")
        # Whatever the command and its input: no lock stops the work.
        self.assertNotIn("[sandbox]", self.err)
        self.assertEqual(status, done.returncode,
                         "%s\n%s%s" % (words, self.out, self.err))
        self.assertNotIn("AddressSanitizer", self.err)
        self.assertNotIn("runtime error", self.err)
        return self.out

    def json(self, *words, **more):
        return json.loads(self.wt(*words, "--json", **more))

    def refuses(self, status, code, target, *words, **more):
        """The call fails with that status and code, two lines at most, and
        leaves target and its folder as they were."""
        before = digest(target) if os.path.isfile(target) else None
        names = sorted(os.listdir(self.folder))
        self.wt(*words, status=status, **more)
        lines = [line for line in self.err.splitlines()
                 if not line.startswith("wimtrust: warning:")]
        self.assertIn(len(lines), (1, 2), self.err)
        self.assertTrue(lines[0].startswith("wimtrust: "), self.err)
        if len(lines) == 2:
            self.assertTrue(lines[1].startswith("hint: "), self.err)
        said = self.json(*words, status=status, **more)
        self.assertEqual(code, said["error"]["code"], self.out)
        if before:
            self.assertEqual(before, digest(target))
        self.assertEqual(set(names) | {"tmp"},
                         set(os.listdir(self.folder)) | {"tmp"})
        return said["error"]

    def assert_clean(self):
        """Nothing is left beside the target or in TMPDIR."""
        for name in os.listdir(self.folder):
            self.assertNotIn("wimtrust-", name)
        if os.path.isdir(self.path("tmp")):
            self.assertEqual([], os.listdir(self.path("tmp")))


def main():
    program = unittest.main(exit=False, argv=sys.argv)
    result = program.result
    if result.wasSuccessful() and result.testsRun > 0 and \
            len(result.skipped) == result.testsRun:
        sys.exit(77)
    sys.exit(0 if result.wasSuccessful() else 1)
