"""The kernel's calls that Python has no function for."""

import ctypes
import enum
import os
import struct

from grader.sandbox.inside import syscalls


class Prctl(enum.IntEnum):
    """Options of prctl(2), without their ``PR_``."""

    SET_PDEATHSIG, SET_DUMPABLE, CAPBSET_DROP = 1, 4, 24
    SET_CHILD_SUBREAPER, SET_NO_NEW_PRIVS, CAP_AMBIENT = 36, 38, 47


class Clone(enum.IntFlag):
    """Namespaces of unshare(2) and setns(2), without their ``CLONE_``."""

    NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
    NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000


class Mount(enum.IntFlag):
    """Flags of mount(2), without their ``MS_``."""

    NOSUID, NODEV, NOEXEC, BIND, REC, PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18


_libc = ctypes.CDLL(None, use_errno=True)
_own = syscalls.numbers(syscalls.CONFINING)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def call(name: str, *arguments: int | bytes | None) -> int:
    """Make a system call of the table ``syscalls.CONFINING``; raises OSError."""
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(_libc.syscall(ctypes.c_long(_own[name]), *passed), name)


def prctl(option: int, *arguments: int) -> int:
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(_libc.prctl(option, *padded), f"prctl({option})")


def unshare(flags: int) -> None:
    """Leave the namespaces named in ``flags`` for new ones."""
    _checked(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Enter the namespace that an open descriptor stands for."""
    _checked(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    encoded = (os.fsencode(source), os.fsencode(target), kind.encode() if kind else None)
    _checked(_libc.mount(*encoded, ctypes.c_ulong(flags), options.encode() or None), f"mount on {target}")


def make_read_only(target: str, devices: bool = False) -> None:
    """Turn a mount and all below it read-only, without set-uid bits and (unless asked) device files."""
    read_only, no_set_uid, no_devices = 1, 2, 4
    attributes = read_only | no_set_uid | (0 if devices else no_devices)
    wanted = struct.pack("=QQQQ", attributes, 0, 0, 0)  # struct mount_attr: set, clear, propagation, user ns
    current_folder, recursive = -100, 0x8000
    call("mount_setattr", current_folder, os.fsencode(target), recursive, wanted, len(wanted))


def change_root(target: str) -> None:
    """Make a mounted folder the root and let go of the old one."""
    os.chdir(target)
    call("pivot_root", b".", b".")  # the new root lies under the old one, which is then taken away
    detach = 2
    _checked(_libc.umount2(b".", detach), "umount2")
    os.chdir("/")


def drop_capabilities() -> None:
    """Give up every capability, for good."""
    for capability in range(64):
        try:
            prctl(Prctl.CAPBSET_DROP, capability)
        except OSError:  # the last one is passed, or the right to drop is not there to begin with
            break
    prctl(Prctl.CAP_AMBIENT, 4)  # PR_CAP_AMBIENT_CLEAR_ALL
    call("capset", struct.pack("=Ii", 0x20080522, 0), bytes(24))  # version 3, this process, three empty sets
