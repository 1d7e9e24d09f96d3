# SPDX-License-Identifier: MIT
# powercut.py: what a disk may hold after a power cut.
#
# Reads what faultfs.c recorded and makes the states that the folder may be
# found in when the power goes after the n-th call. What was synced is there.
# Of what was not, any part may be: each 512-byte sector of each write on its
# own, each change of a length, each change of a name.
import os
import pathlib
import shutil
import struct

SECTOR = 512
RECORD = struct.Struct('<c7xQQQQ')


class Operation:
    def __init__(self, op, inode, offset, first, second):
        self.op = op
        self.inode = inode
        self.offset = offset
        self.first = first
        self.second = second

    def __repr__(self):
        if self.op in 'WTS':
            return (f'{self.op} inode {self.inode} at {self.offset} '
                    f'len {len(self.first)}')
        return f'{self.op} {self.first!r} {self.second!r}'


def read_log(path):
    data = path.read_bytes()
    operations = []
    at = 0
    while at < len(data):
        op, inode, offset, first_len, second_len = RECORD.unpack_from(data, at)
        at += RECORD.size
        first = data[at:at + first_len]
        at += first_len
        second = data[at:at + second_len]
        at += second_len
        operations.append(
            Operation(op.decode(), inode, offset, first, second))
    return operations


class File:
    """The bytes on the disk, and the writes that may not be there yet."""

    def __init__(self, data=b''):
        self.durable = bytearray(data)
        self.pending = []

    def sync(self):
        for operation in self.pending:
            apply_whole(self.durable, operation)
        self.pending = []

    def state(self, chance):
        data = bytearray(self.durable)
        for operation in self.pending:
            if operation.op == 'T':
                if chance():
                    apply_whole(data, operation)
                continue
            for start, end in sectors(operation):
                if chance():
                    put(data, start,
                        operation.first[start - operation.offset:
                                        end - operation.offset])
        return bytes(data)


def put(data, offset, piece):
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset:offset + len(piece)] = piece


def apply_whole(data, operation):
    if operation.op == 'W':
        put(data, operation.offset, operation.first)
    elif operation.offset < len(data):
        del data[operation.offset:]
    else:
        data.extend(bytes(operation.offset - len(data)))


def sectors(operation):
    at = operation.offset
    end = at + len(operation.first)
    while at < end:
        stop = min(end, (at // SECTOR + 1) * SECTOR)
        yield at, stop
        at = stop


class Disk:
    """One folder. start: as it was, copied before the run."""

    def __init__(self, folder, inodes):
        self.folder = os.fsencode(folder)
        self.folder_inode = os.stat(folder).st_ino
        self.names = {}    # durable: name -> File
        self.current = {}  # as the running system sees it
        self.pending = []  # changes of names that are not synced
        self.by_inode = {}
        for name, (inode, data) in inodes.items():
            file = File(data)
            self.names[name] = self.current[name] = file
            self.by_inode[inode] = file

    def name(self, path):
        folder, name = os.path.split(path)
        if os.path.normpath(folder) != os.path.normpath(self.folder):
            raise ValueError(f'{path} is not in {self.folder}')
        return name

    def do(self, operation):
        if operation.op == 'W' or operation.op == 'T':
            self.by_inode[operation.inode].pending.append(operation)
        elif operation.op == 'S' and operation.inode == self.folder_inode:
            for change in self.pending:
                change_name(self.names, change)
            self.pending = []
        elif operation.op == 'S':
            self.by_inode[operation.inode].sync()
        else:
            self.do_name(operation)

    def do_name(self, operation):
        first = self.name(operation.first)
        if operation.op == 'C':
            file = File()
            self.by_inode[operation.inode] = file
            change = ('add', first, file)
        elif operation.op == 'U':
            change = ('remove', first, self.current[first])
        else:
            change = ('move' if operation.op == 'R' else 'add',
                      self.name(operation.second), self.current[first], first)
        change_name(self.current, change)
        self.pending.append(change)

    def states(self, rng, count):
        """Contents that the folder may have now, as {name: bytes}: all that
        was done, nothing but what was synced, and random ones between."""
        for i in range(count):
            if i == 0:
                chance = lambda: True
            elif i == 1:
                chance = lambda: False
            else:
                share = rng.choice((0.1, 0.5, 0.9))
                chance = lambda: rng.random() < share
            names = dict(self.names)
            for change in self.pending:
                if chance():
                    change_name(names, change)
            contents = {}
            for name, file in names.items():
                if file not in contents:
                    contents[file] = file.state(chance)
            yield {name: contents[file] for name, file in names.items()}


def change_name(names, change):
    kind, name, file = change[:3]
    if kind == 'remove':
        if names.get(name) is file:
            del names[name]
        return
    names[name] = file
    if kind == 'move' and names.get(change[3]) is file:
        del names[change[3]]


def snapshot(folder):
    """{name: (inode, bytes)} of a folder's files."""
    return {os.fsencode(entry.name):
            (entry.inode(), pathlib.Path(entry.path).read_bytes())
            for entry in os.scandir(folder) if entry.is_file()}


def lay_out(folder, state):
    """Makes folder hold state and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder, 0o700)
    for name, data in state.items():
        path = os.path.join(os.fsencode(folder), name)
        with open(path, 'wb') as file:
            file.write(data)
        os.chmod(path, 0o600 if name.startswith(b'.') else 0o644)
