# SPDX-License-Identifier: MIT
# regf_check.py: says what about a registry hive Windows would not like.
"""Reads a whole hive, with no code of the library or of hivex, and lists what
is wrong with it: checksum, bins, order and hashes of subkeys, counts, parents,
how often each security descriptor is used and how they hang together, and
cells that more than one thing leads to. A fault reads the same in a hive that
was changed elsewhere, so that two hives' faults can be compared."""

import collections
import struct

import regf


class Reader:
    def __init__(self, data):
        self.data = data
        self.faults = []
        self.security = collections.Counter()
        self.leads = collections.Counter()

    def fault(self, *text):
        self.faults.append(" ".join(str(t) for t in text))

    def u16(self, at):
        return struct.unpack_from("<H", self.data, at)[0]

    def u32(self, at):
        return struct.unpack_from("<I", self.data, at)[0]

    def cell(self, offset):
        at = offset + 4096
        self.leads[offset] += 1
        if offset not in self.cells:
            self.fault("no cell in use at", hex(offset))
            return None
        return at + 4

    def room(self, at):
        """How long the contents of the cell are that begin at `at`."""
        return -struct.unpack_from("<i", self.data, at - 4)[0] - 4

    def bins(self):
        self.cells = set()
        at, end = 4096, 4096 + self.u32(40)
        while at < end:
            length = self.u32(at + 8)
            if self.data[at:at + 4] != b"hbin" or self.u32(at + 4) != at - 4096:
                self.fault("no bin at", hex(at))
                return
            cell = at + 32
            while cell < at + length:
                size = struct.unpack_from("<i", self.data, cell)[0]
                if size < 0:
                    self.cells.add(cell - 4096)
                if abs(size) < 8 or abs(size) % 8:
                    self.fault("bad cell at", hex(cell))
                    return
                cell += abs(size)
            if cell != at + length:
                self.fault("cells of the bin run over at", hex(at))
            at += length

    def name(self, at):
        raw = self.data[at + 76:at + 76 + self.u16(at + 72)]
        return raw.decode("latin-1" if self.u16(at + 2) & 0x20
                          else "utf-16-le", "replace")

    def leaves(self, offset):
        at = self.cell(offset)
        if at is None:
            return
        kind = bytes(self.data[at:at + 2])
        count = self.u16(at + 2)
        if count == 0:
            self.fault("a list without subkeys at", hex(offset))
        if kind == b"ri":
            for i in range(count):
                yield from self.leaves(self.u32(at + 4 + 4 * i))
            return
        for i in range(count):
            entry = at + 4 + i * (4 if kind == b"li" else 8)
            yield self.u32(entry), kind, bytes(self.data[entry + 4:entry + 8])

    def key(self, offset, parent):
        at = self.cell(offset)
        if at is None or self.data[at:at + 2] != b"nk":
            self.fault("no key at", hex(offset))
            return ""
        if parent is not None and self.u32(at + 16) != parent:
            self.fault("wrong parent at", hex(offset))
        self.security[self.u32(at + 44)] += 1
        if self.u16(at + 74):
            self.cell(self.u32(at + 48))
        self.values(at, offset)
        last = None
        count = 0
        longest = 0
        if self.u32(at + 20) == 0:
            if self.u32(at + 28) != regf.NONE:
                self.fault("a list for no subkeys in", hex(offset))
            return self.name(at)
        for child, kind, hint in self.leaves(self.u32(at + 28)):
            name = self.key(child, offset)
            order = regf.sort_key(name)
            if last is not None and order <= last:
                self.fault("out of order:", repr(name))
            if kind == b"lh" and hint != struct.pack("<I",
                                                     regf.name_hash(name)):
                self.fault("wrong hash:", repr(name))
            if kind == b"lf" and hint != regf.name_hint(name):
                self.fault("wrong hint:", repr(name))
            longest = max(longest, len(name.encode("utf-16-le")))
            last = order
            count += 1
        if count != self.u32(at + 20):
            self.fault("wrong number of subkeys at", hex(offset))
        if longest > self.u16(at + 52):
            self.fault("longest name of a subkey too short at", hex(offset))
        return self.name(at)

    def values(self, at, offset):
        count = self.u32(at + 36)
        listed = self.cell(self.u32(at + 40)) if count else None
        if listed and 4 * count > self.room(listed):
            self.fault("list of values too short at", hex(offset))
            return
        for i in range(count if listed else 0):
            value = self.cell(self.u32(listed + 4 * i))
            if value is None or self.data[value:value + 2] != b"vk":
                self.fault("no value in", hex(offset))
                continue
            length = self.u32(value + 4)
            units = self.u16(value + 2) * (2 - (self.u16(value + 16) & 1))
            if units > self.u32(at + 60):
                self.fault("longest name of a value too short at", hex(offset))
            if length & 0x7FFFFFFF > self.u32(at + 64):
                self.fault("longest value too short at", hex(offset))
            if not length & 0x80000000 and length:
                data = self.cell(self.u32(value + 8))
                if data is None:
                    continue
                if length > regf.SEGMENT and self.u32(24) >= 4:
                    self.segments(data, length, offset)
                elif self.room(data) < length:
                    self.fault("value longer than its cell in", hex(offset))

    def segments(self, data, length, offset):
        count = self.u16(data + 2)
        listed = self.cell(self.u32(data + 4))
        if self.data[data:data + 2] != b"db" or listed is None or (
                4 * count > self.room(listed)):
            self.fault("no segments in", hex(offset))
            return
        held = 0
        for i in range(count):
            part = self.cell(self.u32(listed + 4 * i))
            held += min(self.room(part), regf.SEGMENT) if part else 0
        if held < length:
            self.fault("value longer than its segments in", hex(offset))

    def descriptors(self):
        """Each in use, rightly counted, and in a ring with the others."""
        for offset, count in sorted(self.security.items()):
            at = self.cell(offset)
            if at is None or self.data[at:at + 2] != b"sk":
                self.fault("no security descriptor at", hex(offset))
                continue
            if self.u32(at + 16) > self.room(at) - 20:
                self.fault("malformed security descriptor at", hex(offset))
                continue
            if self.u32(at + 12) != count:
                self.fault("descriptor", hex(offset), "is wrongly counted")
            for there, back in ((4, 8), (8, 4)):
                other = self.u32(at + there)
                if other not in self.cells or (
                        self.data[other + 4100:other + 4102] != b"sk" or
                        self.u32(other + 4100 + back) != offset):
                    self.fault("descriptor", hex(offset), "is not in a ring")

    def check(self):
        data = self.data
        if self.u32(508) != regf.checksum(data) or self.u32(4) != self.u32(8):
            self.fault("base block: checksum or sequence")
        if struct.unpack_from("<Q", data, 12) != struct.unpack_from(
                "<Q", data, 4096 + 20):
            self.fault("the first bin has another time")
        self.bins()
        self.key(self.u32(36), None)
        self.descriptors()
        for offset, count in sorted(self.leads.items()):
            if count > 1:
                self.fault("several things lead to", hex(offset))
        return self.faults

    def leaks(self):
        """Cells in use that nothing leads to; after check()."""
        return self.cells - set(self.leads)

    def value(self, value):
        """Name, type and data of a value; what cannot be reached is None."""
        raw = self.data[value + 20:value + min(20 + self.u16(value + 2),
                                               self.room(value))]
        length, kind = self.u32(value + 4), self.u32(value + 12)
        data = self.cell(self.u32(value + 8))
        if length & 0x80000000:
            data = bytes(self.data[value + 8:value + 12])[:length & 7]
        elif data and length > regf.SEGMENT and self.u32(24) >= 4:
            listed = self.cell(self.u32(data + 4)) or 0
            count = min(self.u16(data + 2), self.room(listed) // 4
                        if listed else 0)
            parts = [self.cell(self.u32(listed + 4 * i)) for i in range(count)]
            data = b"".join(
                bytes(self.data[p:p + min(self.room(p), regf.SEGMENT)])
                for p in parts if p)[:length]
        elif data:
            data = bytes(self.data[data:data + min(length, self.room(data))])
        return bytes(raw), self.u16(value + 16), kind, length, data

    def tree(self, offset=None, path=()):
        """Each key's path, and all that belongs to it: time, security, class
        and values, also where they are damaged."""
        if offset is None:
            self.bins()
            offset = self.u32(36)
        at = offset + 4100
        security = self.cell(self.u32(at + 44))
        kept = [bytes(self.data[at + 2:at + 12]),
                self.u32(at + 48), self.u16(at + 74),
                bytes(self.data[security + 16:security +
                                self.room(security)]) if security else None]
        count = self.u32(at + 36)
        listed = self.cell(self.u32(at + 40)) if count else None
        for i in range(min(count, self.room(listed) // 4) if listed else 0):
            value = self.cell(self.u32(listed + 4 * i))
            kept.append(self.value(value) if value and
                        self.data[value:value + 2] == b"vk" else None)
        yield path, kept
        if self.u32(at + 20):
            for child, _, _ in self.leaves(self.u32(at + 28)):
                yield from self.tree(
                    child, path + (self.name(child + 4100).upper(),))


def read(path):
    with open(path, "rb") as file:
        return Reader(bytearray(file.read()))


def faults(path):
    return read(path).check()


def tree(path):
    return list(read(path).tree())
