"""Fence around a process that parses files from anywhere: no network, and no files but its own.

Landlock (Linux 5.13) limits the files, seccomp the system calls. Where the kernel or the machine
has neither, the process still has the limits of `index.parsing.sandbox`, and an environment without
secrets. Sources: kernel.org "Landlock: unprivileged access control" and "Seccomp BPF".
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER_MODE = 38, 22, 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System calls of Landlock, the same on all architectures."""
_PATH_BENEATH = 1
_READ = 0b1101
"""Rights to execute and read files, and to list folders."""
_WRITE = (1 << 13) - 1 - _READ
"""Rights to write, create and delete in the first version of Landlock."""
_RIGHTS_OF_VERSION = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""Rights that came with later versions of Landlock: to link, to truncate, device commands."""
_OF_A_FILE = 0b111 | 1 << 14
"""Rights that make sense for a file that is no folder."""
_READABLE = ("/usr", "/lib", "/lib64", "/bin", "/opt", "/proc/self", "/dev/urandom")
_SETTINGS = ("/etc/ld.so.cache", "/etc/fonts", "/etc/localtime")
_WRITABLE = ("/dev/null",)
_ARCHITECTURES = {
    # machine: (audit number, socket, io_uring_setup, ptrace, process_vm_readv)
    "x86_64": (0xC000003E, (41, 425, 101, 310)),
    "aarch64": (0xC00000B7, (198, 425, 117, 270)),
}
"""Numbers of the system calls that open sockets or look into other processes."""
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # EPERM
_SECOND_NUMBERS = 0x40000000
"""From here on x86_64 has each system call again (x32)."""


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jump_true", ctypes.c_uint8),
        ("jump_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_uint16),
        ("instructions", ctypes.POINTER(_Instruction)),
    )


def put_up(readable: Iterable[str] = ()) -> tuple[str, ...]:
    """Fence in this process and those that it starts; return what holds: "files", "network".

    `readable` are further folders of which files may be read.
    """
    if sys.platform != "linux":
        return ()
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return ()
    held = []
    if _limit_files(kernel, [*_READABLE, *_SETTINGS, *_own_folders(), *readable]):
        held.append("files")
    if _limit_calls(kernel):
        held.append("network")
    return tuple(held)


def _own_folders() -> list[str]:
    """Return the folders of this program and its libraries."""
    return [sys.prefix, sys.base_prefix, sys.exec_prefix, *(path for path in sys.path if path)]


def _limit_files(kernel: ctypes.CDLL, readable: Iterable[str]) -> bool:
    """Allow to read some folders and to write temporary files alone; False without Landlock."""
    version = kernel.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    further = sum(right for first, right in _RIGHTS_OF_VERSION.items() if version >= first)
    handled = _READ | _WRITE | further
    attribute = struct.pack("=Q", handled)
    rules = kernel.syscall(_CREATE_RULESET, attribute, ctypes.c_size_t(8), ctypes.c_uint32(0))
    if rules < 0:
        return False
    try:
        for path in dict.fromkeys(readable):
            _allow(kernel, rules, path, _READ)
        for path in (*_WRITABLE, tempfile.gettempdir()):
            _allow(kernel, rules, path, handled & ~(1 << 0))
        return bool(kernel.syscall(_RESTRICT_SELF, rules, ctypes.c_uint32(0)) == 0)
    finally:
        os.close(rules)


def _allow(kernel: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    """Add the rights on a file, or on all below a folder, if there is one of this name."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = rights if Path(path).is_dir() else rights & _OF_A_FILE
        rule = struct.pack("=Qi", rights, place)
        kernel.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, ctypes.c_uint32(0))
    finally:
        os.close(place)


def _limit_calls(kernel: ctypes.CDLL) -> bool:
    """Refuse system calls that open sockets or look into others; False without seccomp."""
    known = _ARCHITECTURES.get(platform.machine())
    if known is None:
        return False
    architecture, calls = known
    tests = [(_JUMP_IF_AT_LEAST, _SECOND_NUMBERS), *((_JUMP_IF_EQUAL, call) for call in calls)]
    last = len(tests) + 1
    instructions = [
        (_LOAD, 0, 0, 4),
        # A program of another architecture has other numbers: it may do nothing.
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, 0),
        *((code, last - at, 0, value) for at, (code, value) in enumerate(tests, 1)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    packed = (_Instruction * len(instructions))(*(_Instruction(*each) for each in instructions))
    program = _Program(len(instructions), packed)
    return bool(kernel.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0) == 0)
