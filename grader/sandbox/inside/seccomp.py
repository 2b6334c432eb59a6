"""The filter of system calls: a deny list with a ceiling, as a BPF program (seccomp(2), kernel/seccomp.c)."""

import ctypes
import enum
import errno
import platform
import struct

from grader.sandbox.inside import kernel, syscalls


class BpfCode(enum.IntEnum):
    """What an instruction does, in Linux's names: BPF_LD|W|ABS, BPF_ALU|AND|K, BPF_RET|K, BPF_JMP|…|K."""

    LOAD, AND, RETURN = 0x20, 0x54, 0x06
    IF_EQUAL, IF_GREATER, IF_GREATER_EQUAL, IF_ANY_BIT = 0x15, 0x25, 0x35, 0x45


class FilterVerdict(enum.IntEnum):
    """What becomes of a call, without its ``SECCOMP_RET_``."""

    ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


class DataOffset(enum.IntEnum):
    """Where what a filter reads stands in struct seccomp_data."""

    CALL_NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16


Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


def fail(number: int) -> int:
    """The verdict "do nothing and return this error"; 0 claims success."""
    return FilterVerdict.ERRNO | number


def _load_argument(index: int) -> Instruction:
    return (
        BpfCode.LOAD,
        0,
        0,
        DataOffset.ARGUMENTS + 8 * index,
    )  # the low 32 bits; the kernel ignores the rest of an int


def _if_number(number: int, body: list[Instruction]) -> list[Instruction]:
    return [(BpfCode.IF_EQUAL, 0, len(body), number), *body]


def _only(index: int, allowed: tuple[int, ...], otherwise: int) -> list[Instruction]:
    """Allow a call whose argument is one of some values."""
    tests: list[Instruction] = [
        (BpfCode.IF_EQUAL, len(allowed) - place, 0, value) for place, value in enumerate(allowed)
    ]
    return [
        _load_argument(index),
        *tests,
        (BpfCode.RETURN, 0, 0, otherwise),
        (BpfCode.RETURN, 0, 0, FilterVerdict.ALLOW),
    ]


def _none_of(index: int, refused: tuple[int, ...], otherwise: int) -> list[Instruction]:
    """Refuse a call whose argument is one of some values."""
    tests: list[Instruction] = [
        (BpfCode.IF_EQUAL, len(refused) - place, 0, value) for place, value in enumerate(refused)
    ]
    return [
        _load_argument(index),
        *tests,
        (BpfCode.RETURN, 0, 0, FilterVerdict.ALLOW),
        (BpfCode.RETURN, 0, 0, otherwise),
    ]


def _judged(pid: int) -> dict[str, list[Instruction]]:
    """What becomes of the calls that depend on their arguments; ``pid`` is the worker's own."""
    refused, own = fail(errno.EPERM), (0, pid)
    clone_thread, new_namespaces, clone_vfork = 0x00010000, 0x7E020000, 0x4000
    threads_only: list[Instruction] = [
        _load_argument(0),
        # whoever waits for a thread as vfork does looks like one who waits for a disk
        (BpfCode.IF_ANY_BIT, 2, 0, new_namespaces | clone_vfork),
        (BpfCode.IF_ANY_BIT, 0, 1, clone_thread),
        (BpfCode.RETURN, 0, 0, FilterVerdict.ALLOW),
        (BpfCode.RETURN, 0, 0, refused),
    ]
    map_shared, map_anonymous = 1, 0x20
    no_shared_memory: list[Instruction] = [  # it would escape RLIMIT_DATA
        _load_argument(3),
        (BpfCode.AND, 0, 0, map_shared | map_anonymous),
        (BpfCode.IF_EQUAL, 1, 0, map_shared | map_anonymous),
        (BpfCode.RETURN, 0, 0, FilterVerdict.ALLOW),
        (BpfCode.RETURN, 0, 0, fail(errno.ENOMEM)),
    ]
    signal_fcntls = (8, 10, 15, 1024, 1026)  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
    signal_ioctls = (0x8901, 0x8902, 0x5412, 0x541C)  # FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX
    # PR_SET_PDEATHSIG, _DUMPABLE, _MM, _CHILD_SUBREAPER, _PTRACER, _SYSCALL_USER_DISPATCH
    refused_prctls = (1, 4, 35, 36, 59, 0x59616D61)
    af_unix = 1
    return {
        "clone": threads_only,
        "clone3": [(BpfCode.RETURN, 0, 0, fail(errno.ENOSYS))],  # its flags cannot be read; glibc falls back to clone
        "mmap": no_shared_memory,
        "socketpair": _only(0, (af_unix,), refused),
        "kill": _only(0, own, refused),
        "tgkill": _only(0, own, refused),
        "prlimit64": _only(0, own, refused),
        "sched_setaffinity": _only(0, own, refused),
        "fcntl": _none_of(1, signal_fcntls, refused),
        "ioctl": _none_of(1, signal_ioctls, refused),
        "prctl": _none_of(0, refused_prctls, refused),
    }


def program(pid: int) -> list[Instruction]:
    """The filter for this machine."""
    _, architecture = syscalls.ARCHES[platform.machine()]
    judged = syscalls.numbers(syscalls.JUDGED)
    x32_bit = 0x40000000  # of the number of a call of the x32 ABI
    lines: list[Instruction] = [
        (BpfCode.LOAD, 0, 0, DataOffset.ARCHITECTURE),
        (BpfCode.IF_EQUAL, 1, 0, architecture),
        (BpfCode.RETURN, 0, 0, FilterVerdict.KILL),
        (BpfCode.LOAD, 0, 0, DataOffset.CALL_NUMBER),
        (BpfCode.IF_GREATER_EQUAL, 0, 1, x32_bit),
        (BpfCode.RETURN, 0, 0, FilterVerdict.KILL),
        (BpfCode.IF_GREATER, 0, 1, syscalls.LAST_KNOWN),
        (BpfCode.RETURN, 0, 0, fail(errno.ENOSYS)),
    ]
    for name, body in _judged(pid).items():
        lines += _if_number(judged[name], body)
    for number in syscalls.numbers(syscalls.REFUSED).values():
        lines += _if_number(number, [(BpfCode.RETURN, 0, 0, fail(errno.EPERM))])
    for number in syscalls.numbers(syscalls.FAKED).values():
        lines += _if_number(number, [(BpfCode.RETURN, 0, 0, fail(0))])
    return [*lines, (BpfCode.RETURN, 0, 0, FilterVerdict.ALLOW)]


def restrict(pid: int) -> None:
    """Install the filter, for good. ``PR_SET_NO_NEW_PRIVS`` must be set.

    Raises:
        OSError: the kernel takes no filters.
    """
    lines = program(pid)
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(lines), ctypes.addressof(code)))
    pr_set_seccomp, seccomp_mode_filter = 22, 2
    kernel.prctl(pr_set_seccomp, seccomp_mode_filter, ctypes.addressof(header))
