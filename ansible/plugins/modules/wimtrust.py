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
  options:
    description:
      - More options of C(wimtrust add) and C(wimtrust remove), such as
        C(--commit=append), C(--backup) or C(--access=update).
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


class Wimtrust:
    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.warnings = []
        self.select = []
        for image in self.params["images"]:
            self.select += ["--image", image]

    def run(self, command, arguments, operands, good=(0,)):
        """The JSON object of one run; any other status ends the module."""
        argv = ([self.params["executable"], command, "--json"] + self.select +
                arguments + ["--", self.params["target"]] + operands)
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

    def writing(self):
        dry = ["--dry-run"] if self.module.check_mode else []
        return dry + self.params["options"]

    def add(self):
        return self.run("add", self.store() + self.writing(),
                        self.params["certificates"])

    def remove(self):
        return self.run(
            "remove", ["--if-present"] + self.store() + self.writing(),
            self.params["certificates"])

    def too_much(self):
        """The extra certificates, by image and store."""
        base = ["--base", self.params["base"]] if self.params["base"] else []
        report = self.run("verify", ["--exact"] + self.store() + base,
                          self.params["certificates"], good=(0, 1))
        return entries(report, lambda action: action == "extra")

    def remove_extra(self, extra):
        removed = []
        select = self.select
        for image, store in sorted({(e["image"], e["store"]) for e in extra}):
            keys = [e["sha1"] for e in extra
                    if (e["image"], e["store"]) == (image, store)]
            self.select = ["--image", str(image)] if image else []
            removed += entries(self.run(
                "remove", ["--store", store.lower()] + self.writing(), keys))
        self.select = select
        return removed

    def state(self):
        """What is there, as text for a diff."""
        lines = ["image %d %s %s %s\n" % (
            e["image"], e["store"], e["sha1"], e["subject"])
            for e in entries(self.run("list", [], []), lambda action: True)]
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
            "options": {"type": "list", "elements": "str", "default": []},
            "executable": {"type": "path", "default": "wimtrust"},
        },
        supports_check_mode=True)
    wimtrust = Wimtrust(module)
    state = module.params["state"]
    if module.params["base"] and state != "exact":
        module.fail_json(msg="base is for state=exact")
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
