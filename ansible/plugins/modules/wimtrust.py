#!/usr/bin/python
# SPDX-License-Identifier: MIT
# wimtrust.py: states which certificates a Windows boot image trusts.
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: wimtrust
short_description: Certificates that a Windows boot image trusts
description:
  - Puts certificates into the stores of a WIM, a SOFTWARE hive or a Windows
    folder on the managed host, or takes them out, by the program wimtrust.
  - The image at I(target) is the old one or the finished new one at every
    instant.
version_added: "0.1.0"
author:
  - The wimtrust authors
options:
  target:
    description: The WIM, SOFTWARE hive or Windows folder.
    type: path
    required: true
  certificates:
    description:
      - Files or folders on the managed host. With I(state=absent), SHA-1 or
        SHA-256 thumbprints as well.
    type: list
    elements: str
    required: true
  state:
    description:
      - C(present), the certificates are there.
      - C(absent), they are not.
      - C(exact), they are there, and in no store of a chosen image is another
        one, but those of I(base). They are added first and the others removed
        after that, in two steps.
    type: str
    choices: [present, absent, exact]
    default: present
  store:
    description:
      - The store. C(auto) is where each certificate belongs; with
        I(state=absent) it is every store.
    type: str
    choices:
      - auto
      - authroot
      - root
      - ca
      - trustedpublisher
      - trustedpeople
      - disallowed
    default: auto
  images:
    description: Numbers or names of images, or C(boot). All without it.
    type: list
    elements: str
    default: []
  base:
    description:
      - With I(state=exact), what may be there too; an image as it came from
        Microsoft, or files of certificates.
    type: path
  for:
    description:
      - With I(state=present) and I(state=exact), trusted for these purposes
        only. Any without it.
    type: list
    elements: str
    choices:
      - server-auth
      - client-auth
      - code-signing
      - email
      - time-stamping
      - ocsp-signing
      - any
    default: []
  options:
    description:
      - More options of C(wimtrust add) and C(wimtrust remove), such as
        C(--commit=append), C(--backup) or C(--access=update). Each goes to
        the steps of I(state) that know it.
      - A value is behind C(=), or is the next element of the list.
      - C(--rebuild) writes the image in every run.
      - With I(state=exact), C(--backup) keeps the file from before both steps,
        and C(--attest) states the last one that wrote.
    type: list
    elements: str
    default: []
  executable:
    description: The program.
    type: path
    default: wimtrust
attributes:
  check_mode:
    description: Says what would change, and changes nothing.
    support: full
  diff_mode:
    description: The certificates by image and store, before and after.
    support: full
"""

EXAMPLES = r"""
- name: The boot image trusts our root
  wimtrust.boot.wimtrust:
    target: /srv/images/boot.wim
    certificates: [/etc/pki/contoso-root.cer]

- name: The old root is gone
  wimtrust.boot.wimtrust:
    target: /srv/images/boot.wim
    certificates: ["05 63 b8 63 0d 62 d7 5a bb c8 ab 1e 4b df b5 a8 99 b2 4d 43"]
    state: absent

- name: Nothing but our root and what Microsoft put in
  wimtrust.boot.wimtrust:
    target: /srv/images/boot.wim
    certificates: [/etc/pki/contoso-root.cer]
    state: exact
    base: /srv/images/boot-original.wim
    options: [--commit=append]

- name: The proxy's root, for TLS servers and nothing else
  wimtrust.boot.wimtrust:
    target: /srv/images/boot.wim
    certificates: [/etc/pki/proxy-root.cer]
    for: [server-auth]
"""

RETURN = r"""
added:
  description: What was put in or repaired, or in check mode would be.
  type: list
  elements: dict
  returned: always
  sample: [{"image": 1, "store": "AuthRoot", "sha1": "0563B8…", "subject": "CN=…"}]
removed:
  description: What was taken out, or in check mode would be.
  type: list
  elements: dict
  returned: always
warnings_of_wimtrust:
  description: Its warnings, with their codes.
  type: list
  elements: dict
  returned: always
code:
  description: The stable word for what failed.
  type: str
  returned: failure
hint:
  description: The remedy.
  type: str
  returned: failure
"""

import json  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

# What stays as it is.
QUIET = ("unchanged", "present", "absent", "refused", "missing", "kept")

# Options by the commands that know them. Others are refused: abbreviations and
# letters in a row too, since one of them may be of those that are.
WRITERS = ("add", "remove")
TARGETS = WRITERS + ("verify", "list")
# With a value, which may be the next word.
VALUES = {"--allow": ("add",), "--friendly-name": ("add",)}
VALUES.update((name, WRITERS) for name in (
    "--commit", "--access", "--threads", "--wait", "--attest"))
VALUES.update((name, TARGETS) for name in ("--color", "--progress"))
FLAGS = {"--keep-going": ("add",)}
FLAGS.update((name, WRITERS) for name in ("--backup", "--rebuild", "--repair"))
FLAGS.update((name, WRITERS + ("verify",)) for name in ("-r", "--recursive"))
FLAGS.update((name, TARGETS) for name in (
    "--check", "--discard-logs", "--replay-logs", "--require-sandbox", "-v",
    "--verbose", "-q", "--quiet"))
KNOWN = dict(VALUES, **FLAGS)
# What has a parameter of its own.
OWN = {"--image": "images", "-i": "images", "--store": "store", "-s": "store",
       "--for": "for", "--base": "base", "--exact": "state"}


def name_of(option):
    return option.split("=")[0]


def grouped(words):
    """Each option with its value."""
    groups = []
    wants_value = False
    for word in words:
        if wants_value:
            groups[-1].append(word)
        else:
            groups.append([word])
        wants_value = not wants_value and word in VALUES
    return groups, wants_value


class Wimtrust:
    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.warnings = []
        self.options, wants_value = grouped(self.params["options"])
        for option in self.options:
            name = name_of(option[0])
            if name in OWN:
                module.fail_json(msg="options: %s: use the parameter %s" % (
                    name, OWN[name]))
            if name not in KNOWN:
                module.fail_json(
                    msg="options: %s is not for this module" % name)
        if wants_value:
            module.fail_json(
                msg="options: %s has no value" % self.options[-1][0])

    def select(self, images):
        return [word for image in images for word in ("--image", str(image))]

    def run(self, command, arguments, operands=(), images=None, good=(0,)):
        """The JSON object of one run; any other status ends the module."""
        argv = [self.params["executable"], command, "--json"]
        argv += self.select(self.params["images"] if images is None else images)
        argv += arguments
        is_dry = command in WRITERS and self.module.check_mode
        for option in self.options:
            name = name_of(option[0])
            # What would be is not attested.
            if command in KNOWN[name] and not (is_dry and name == "--attest"):
                argv += option
        if is_dry:
            argv.append("--dry-run")
        argv += ["--", self.params["target"]] + list(operands)
        status, out, err = self.module.run_command(argv)
        try:
            report = json.loads(out)
        except ValueError:
            self.module.fail_json(
                msg="wimtrust said no JSON: " + (err or out).strip(),
                rc=status, cmd=argv)
        self.warnings += report["warnings"]
        error = report["error"] or {}
        if status not in good:
            self.module.fail_json(
                msg="%s: %s" % (error.get("object"), error.get("message")),
                code=error.get("code"), hint=error.get("hint"), rc=status,
                cmd=argv, report=report)
        return report

    def store(self):
        if self.params["store"] == "auto":
            return []
        return ["--store", self.params["store"]]

    def purposes(self):
        if not self.params["for"]:
            return []
        return ["--for", ",".join(self.params["for"])]

    def add(self):
        report = self.run("add", self.store() + self.purposes(),
                          self.params["certificates"])
        self.written(report)
        return report

    def remove(self):
        return self.run("remove", ["--if-present"] + self.store(),
                        self.params["certificates"])

    def written(self, report):
        """The backup is of the file from before the first step that writes."""
        if report["target"]["changed"]:
            self.options = [option for option in self.options
                            if name_of(option[0]) != "--backup"]

    def too_much(self):
        """The extra certificates, by image and store."""
        base = ["--base", self.params["base"]] if self.params["base"] else []
        report = self.run(
            "verify", ["--exact"] + self.store() + self.purposes() + base,
            self.params["certificates"], good=(0, 1))
        return entries(report, lambda action: action == "extra")

    def remove_extra(self, extra):
        """One step for the images that have the same too much in a store."""
        keys, images = {}, {}
        for entry in extra:
            keys.setdefault((entry["store"], entry["image"]), []).append(
                "key:" + entry["sha1"])
        for (store, image), names in keys.items():
            images.setdefault((store, tuple(sorted(names))), []).append(image)
        removed = []
        for (store, names), where in sorted(images.items()):
            # A hive and a folder have no numbers.
            report = self.run("remove", ["--store", store.lower()], names,
                              images=[n for n in where if n])
            self.written(report)
            removed += entries(report)
        return removed

    def state(self):
        """What is there, as text for a diff."""
        lines = ["image %d %s %s %s\n" % (
            e["image"], e["store"], e["sha1"], e["subject"])
            for e in entries(self.run("list", []), lambda action: True)]
        return sorted(lines)


def entries(report, wanted=lambda action: action not in QUIET):
    return [{"image": image["index"], "store": entry["store"],
             "sha1": entry["key_name"], "subject": entry.get("subject")}
            for image in report["images"] for entry in image["entries"]
            if wanted(entry["action"])]


def line(entry):
    return "image %d %s %s %s\n" % (
        entry["image"], entry["store"], entry["sha1"], entry["subject"])


def main():
    stores = ["auto", "authroot", "root", "ca", "trustedpublisher",
              "trustedpeople", "disallowed"]
    purposes = ["server-auth", "client-auth", "code-signing", "email",
                "time-stamping", "ocsp-signing", "any"]
    module = AnsibleModule(
        argument_spec={
            "target": {"type": "path", "required": True},
            "certificates": {"type": "list", "elements": "str",
                             "required": True},
            "state": {"type": "str", "default": "present",
                      "choices": ["present", "absent", "exact"]},
            "store": {"type": "str", "default": "auto", "choices": stores},
            "images": {"type": "list", "elements": "str", "default": []},
            "base": {"type": "path"},
            "for": {"type": "list", "elements": "str", "default": [],
                    "choices": purposes},
            "options": {"type": "list", "elements": "str", "default": []},
            "executable": {"type": "path", "default": "wimtrust"},
        },
        supports_check_mode=True)
    wimtrust = Wimtrust(module)
    state = module.params["state"]
    if module.params["base"] and state != "exact":
        module.fail_json(msg="base is for state=exact")
    if module.params["for"] and state == "absent":
        module.fail_json(msg="for is for state=present and state=exact")
    before = wimtrust.state() if module._diff else []
    added, removed, changed = [], [], False
    if state == "absent":
        report = wimtrust.remove()
        removed = entries(report)
        changed = report["target"]["changed"]
    else:
        # Never less trust than before or after: what is new comes first.
        extra = wimtrust.too_much() if state == "exact" else []
        report = wimtrust.add()
        added = entries(report)
        changed = report["target"]["changed"]
        if extra:
            removed = wimtrust.remove_extra(extra)
            changed = True
    result = {"changed": changed, "added": added, "removed": removed,
              "warnings_of_wimtrust": wimtrust.warnings}
    if module._diff:
        if module.check_mode:
            gone = [line(entry) for entry in removed]
            after = sorted({entry for entry in before if entry not in gone} |
                           {line(entry) for entry in added})
        else:
            after = wimtrust.state()
        result["diff"] = {
            "before": "".join(before), "after": "".join(after),
            "before_header": module.params["target"],
            "after_header": module.params["target"]}
    module.exit_json(**result)


if __name__ == "__main__":
    main()
