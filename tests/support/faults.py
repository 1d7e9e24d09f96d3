# SPDX-License-Identifier: MIT
# faults.py: runs a program under faultfs.c.
import os
import pathlib
import struct
import subprocess

FAULTFS = os.environ.get('WT_FAULTFS', '')
STATE_LEN = 64
NOTHING, ONCE, ALWAYS, SHORT, KILL_BEFORE, KILL_AFTER, FLIP, \
    STOP, STOP_CHILD = range(9)


class Faults:
    """What happens at which call below a folder."""

    def __init__(self, scratch, *folders):
        self.state = pathlib.Path(scratch) / 'fault-state'
        self.log = pathlib.Path(scratch) / 'fault-log'
        self.folders = ':'.join(os.path.realpath(f) for f in folders)

    def prepare(self, at, mode, native, env):
        """The environment of a program that this happens to."""
        self.state.write_bytes(
            struct.pack('<IIiI', 0, at, native, mode).ljust(STATE_LEN, b'\0'))
        env = dict(env or os.environ)
        env['LD_PRELOAD'] = FAULTFS
        env['WT_FAULT_STATE'] = os.fspath(self.state)
        env['WT_FAULT_DIRS'] = self.folders
        # The sanitizer wants to be first, and finds what a killed child lost.
        env['ASAN_OPTIONS'] = (
            env.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0')
        return env

    def stopped(self, args, at, env=None):
        """Starts it; it stops before the call. The process leads a group of
        its own, or has ended when there was no such call."""
        process = subprocess.Popen(
            [os.fspath(a) for a in args],
            env=self.prepare(at, STOP, 0, env), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True)
        os.waitid(os.P_PID, process.pid,
                  os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return process

    def is_met(self):
        """Has the call been reached, by whom it is meant for?"""
        return self.name() != ''

    def run(self, args, at=0, mode=NOTHING, native=0, record=False, env=None,
            timeout=240):
        env = self.prepare(at, mode, native, env)
        if record:
            self.log.write_bytes(b'')
            env['WT_FAULT_LOG'] = os.fspath(self.log)
        return subprocess.run(
            [os.fspath(a) for a in args], env=env, timeout=timeout,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, check=False)

    def calls(self):
        """How many there were in the last run."""
        return struct.unpack_from('<I', self.state.read_bytes())[0]

    def name(self):
        """Of the function that was meant."""
        return self.state.read_bytes()[16:48].rstrip(b'\0').decode()
