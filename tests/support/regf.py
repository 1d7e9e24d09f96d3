# SPDX-License-Identifier: MIT
# regf.py: builds registry hives (regf 1.3 to 1.5) from scratch.
"""Builds registry hives. Source of the format: "Windows registry file format
specification" by Maxim Suhanov. Shares no code with the library."""

import struct

PAGE = 4096
STEP = 256 << 10  # Windows makes files of hives longer in such steps
NONE = 0xFFFFFFFF
SEGMENT = 16344  # longest data of one cell from version 1.4 on
LEAF_MAX = 507  # Windows splits lists of subkeys that pass a page

REG_SZ, REG_EXPAND_SZ, REG_BINARY, REG_DWORD, REG_MULTI_SZ, REG_QWORD = (
    1, 2, 3, 4, 7, 11)


class Key:
    """One key: values are (name, type, bytes)."""

    def __init__(self, name, security=0):
        self.name = name
        self.security = security
        self.values = []
        self.children = {}
        self.time = 0x01D9E5F0A0000000

    def child(self, name):
        """The child of that name, made when it is not there."""
        folded = name.upper()
        if folded not in self.children:
            self.children[folded] = Key(name, self.security)
        return self.children[folded]

    def path(self, path):
        key = self
        for name in path.split("\\"):
            key = key.child(name)
        return key

    def set(self, name, kind, data):
        self.values.append((name, kind, data))
        return self

    def text(self, name, text):
        return self.set(name, REG_SZ, (text + "\0").encode("utf-16-le"))

    def count(self):
        return 1 + sum(c.count() for c in self.children.values())


def sid(*parts):
    return struct.pack("<BB6s", 1, len(parts) - 1,
                       struct.pack(">Q", parts[0])[2:]) + b"".join(
                           struct.pack("<I", p) for p in parts[1:])


SYSTEM = sid(5, 18)
ADMINISTRATORS = sid(5, 32, 544)
USERS = sid(5, 32, 545)


def security_descriptor(entries):
    """Self-relative, owner Administrators, group SYSTEM."""
    aces = b"".join(struct.pack("<BBHI", 0, 2, 8 + len(who), mask) + who
                    for who, mask in entries)
    dacl = struct.pack("<BBHHH", 2, 0, 8 + len(aces), len(entries), 0) + aces
    owner = 20
    group = owner + len(ADMINISTRATORS)
    acl = group + len(SYSTEM)
    return (struct.pack("<BBHIIII", 1, 0, 0x8004, owner, group, 0, acl) +
            ADMINISTRATORS + SYSTEM + dacl)


SECURITY = (
    security_descriptor(((SYSTEM, 0xF003F), (ADMINISTRATORS, 0xF003F),
                         (USERS, 0x20019))),
    security_descriptor(((SYSTEM, 0xF003F), (ADMINISTRATORS, 0xF003F))),
)


def encoded(name):
    """The stored form of a name, and whether it is the short one."""
    try:
        return name.encode("latin-1"), True
    except UnicodeEncodeError:
        return name.encode("utf-16-le"), False


def upper(name):
    """Upper case as Windows has it: one unit becomes one unit."""
    return "".join(c.upper() if len(c.upper()) == 1 and ord(c) < 0x10000
                   else c for c in name)


def name_hint(name):
    """What an "lf" list says of a name: its first characters where they are
    Latin, else nothing, so that the key itself is looked at."""
    stored, is_ascii = encoded(name)
    return stored[:4].ljust(4, b"\0") if is_ascii else bytes(4)


def name_hash(name):
    value = 0
    for unit in struct.iter_unpack("<H", upper(name).encode("utf-16-le")):
        value = (value * 37 + unit[0]) & NONE
    return value


def sort_key(name):
    return upper(name).encode("utf-16-be")


def checksum(base):
    value = 0
    for (word,) in struct.iter_unpack("<I", bytes(base[:508])):
        value ^= word
    return {0: 1, NONE: NONE - 1}.get(value, value)


def set_checksum(hive):
    struct.pack_into("<I", hive, 508, checksum(hive))


def with_slack(hive):
    """The hive's file as Windows leaves it: longer than its bins, with old
    ones behind them. A hive whose bins do not end with it stays as it is."""
    if len(hive) < 2 * PAGE or struct.unpack_from("<I", hive, 40)[0] != len(
            hive) - PAGE:
        return hive
    length = STEP - len(hive) % STEP
    stale = bytes(hive[PAGE:PAGE + length // 2])
    return bytes(hive) + stale + bytes(length - len(stale))


class Builder:
    """Lays a tree of keys out in bins."""

    def __init__(self, minor=5, leaf=b"lh", leaf_max=LEAF_MAX):
        self.minor = minor
        self.leaf = leaf
        self.leaf_max = leaf_max
        self.bins = bytearray()
        self.at = 0  # the free rest of the last bin
        self.end = 0
        self.offsets = {}  # key -> offset
        self.security = []
        self.references = []

    def close_bin(self):
        if self.at < self.end:
            struct.pack_into("<i", self.bins, self.at, self.end - self.at)
        self.at = self.end

    def alloc(self, data):
        size = max((len(data) + 4 + 7) // 8 * 8, 16)
        if self.end - self.at < size:
            self.close_bin()
            length = (size + 32 + PAGE - 1) // PAGE * PAGE
            begin = len(self.bins)
            self.bins += bytes(length)
            struct.pack_into("<4sIIQQI", self.bins, begin, b"hbin", begin,
                             length, 0,
                             0x01D9E5F0A0000000 if begin == 0 else 0, 0)
            self.at = begin + 32
            self.end = begin + length
        at = self.at
        struct.pack_into("<i", self.bins, at, -size)
        self.bins[at + 4:at + 4 + len(data)] = data
        self.at += size
        return at

    def put(self, at, skip, form, *values):
        """Writes into a cell that stands already."""
        struct.pack_into(form, self.bins, at + 4 + skip, *values)

    def value(self, name, kind, data):
        stored, is_ascii = encoded(name)
        where = 0
        length = len(data)
        if length <= 4:
            where = struct.unpack("<I", data.ljust(4, b"\0"))[0]
            length |= 0x80000000
        elif length > SEGMENT and self.minor >= 4:
            parts = [self.alloc(data[i:i + SEGMENT])
                     for i in range(0, length, SEGMENT)]
            segments = self.alloc(struct.pack("<%dI" % len(parts), *parts))
            where = self.alloc(struct.pack("<2sHI", b"db", len(parts),
                                           segments))
        else:
            where = self.alloc(data)
        return self.alloc(struct.pack(
            "<2sHIIIHH", b"vk", len(stored), length, where, kind,
            1 if is_ascii else 0, 0) + stored)

    def key(self, key, parent, is_root=False):
        stored, is_ascii = encoded(key.name)
        flags = (0x20 if is_ascii else 0) | (0x2C & ~0x20 if is_root else 0)
        at = self.alloc(struct.pack("<2sHQII", b"nk", flags, key.time, 0,
                                    parent) +
                        struct.pack("<8I", 0, 0, NONE, NONE, 0, NONE,
                                    self.security[key.security], NONE) +
                        struct.pack("<5IHH", 0, 0, 0, 0, 0, len(stored), 0) +
                        stored)
        self.references[key.security] += 1
        self.offsets[key] = at
        return at

    def leaf_list(self, keys):
        body = bytearray(struct.pack("<2sH", self.leaf, len(keys)))
        for key in keys:
            body += struct.pack("<I", self.offsets[key])
            if self.leaf == b"lh":
                body += struct.pack("<I", name_hash(key.name))
            elif self.leaf == b"lf":
                body += name_hint(key.name)
        return self.alloc(body)

    def subtree(self, key, parent, is_root=False):
        at = self.key(key, parent, is_root)
        if key.values:
            values = [self.value(*v) for v in key.values]
            listed = self.alloc(struct.pack("<%dI" % len(values), *values))
            self.put(at, 36, "<II", len(values), listed)
            self.put(at, 60, "<II",
                     max(2 * len(v[0]) for v in key.values),
                     max(len(v[2]) for v in key.values))
        children = sorted(key.children.values(),
                          key=lambda c: sort_key(c.name))
        if not children:
            return at
        for child in children:
            self.subtree(child, at)
        lists = [self.leaf_list(children[i:i + self.leaf_max])
                 for i in range(0, len(children), self.leaf_max)]
        if len(lists) > 1:
            lists = [self.alloc(struct.pack("<2sH%dI" % len(lists), b"ri",
                                            len(lists), *lists))]
        self.put(at, 20, "<I", len(children))
        self.put(at, 28, "<I", lists[0])
        self.put(at, 52, "<I", max(2 * len(c.name) for c in children))
        return at

    def build(self, root, name="SOFTWARE"):
        """The whole hive as a bytearray."""
        # Windows puts the root first; the descriptors follow it.
        first = self.alloc(bytes(76 + len(root.name)))
        for descriptor in SECURITY:
            self.security.append(self.alloc(
                struct.pack("<2sHIIII", b"sk", 0, 0, 0, 0, len(descriptor)) +
                descriptor))
            self.references.append(0)
        at = self.subtree(root, NONE, True)
        # The root's cell moves to the place kept for it.
        size = 4 + 76 + len(root.name)
        self.bins[first + 4:first + size] = self.bins[at + 4:at + size]
        for child in root.children.values():
            self.put(self.offsets[child], 16, "<I", first)
        self.offsets[root] = first
        length = -struct.unpack_from("<i", self.bins, at)[0]
        struct.pack_into("<i", self.bins, at, length)
        for i, cell in enumerate(self.security):
            self.put(cell, 4, "<III", self.security[i - 1],
                     self.security[(i + 1) % len(self.security)],
                     self.references[i])
        self.close_bin()
        base = bytearray(PAGE)
        struct.pack_into("<4sIIQIIIIIII", base, 0, b"regf", 7, 7,
                         0x01D9E5F0A0000000, 1, self.minor, 0, 1, first,
                         len(self.bins), 1)
        stored = name.encode("utf-16-le")
        base[48:48 + len(stored)] = stored
        set_checksum(base)
        return base + self.bins
