"""The filter's program, followed by hand: also for the machine that is not here."""

import errno
import platform
import re
from pathlib import Path

import pytest

from grader.sandbox.inside import seccomp, syscalls

OWN_PID = 77
MACHINES = ["x86_64", "aarch64"]


def verdict(program: list[seccomp.Instruction], number: int, arguments: tuple[int, ...] = (), machine: str = "") -> int:
    """Run a filter on one system call, as the kernel would."""
    _, architecture = syscalls.ARCHES[machine or platform.machine()]
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = {seccomp.DataOffset.CALL_NUMBER: number, seccomp.DataOffset.ARCHITECTURE: architecture}
    data |= {seccomp.DataOffset.ARGUMENTS + 8 * index: value & 0xFFFFFFFF for index, value in enumerate(padded)}
    register, place = 0, 0
    while True:
        code, if_true, if_false, constant = program[place]
        place += 1
        if code == seccomp.BpfCode.RETURN:
            return constant
        if code == seccomp.BpfCode.LOAD:
            register = data[constant]
        elif code == seccomp.BpfCode.AND:
            register &= constant
        else:
            holds = {
                seccomp.BpfCode.IF_EQUAL: register == constant,
                seccomp.BpfCode.IF_GREATER: register > constant,
                seccomp.BpfCode.IF_GREATER_EQUAL: register >= constant,
                seccomp.BpfCode.IF_ANY_BIT: register & constant != 0,
            }[code]
            place += if_true if holds else if_false


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(platform, "machine", lambda: request.param)
    return str(request.param)


def test_the_program_is_one_that_the_kernel_takes(machine: str) -> None:
    program = seccomp.program(OWN_PID)
    assert len(program) < 4096
    for place, (code, if_true, if_false, _) in enumerate(program):
        assert 0 <= if_true < 256 and 0 <= if_false < 256
        if code not in (seccomp.BpfCode.RETURN, seccomp.BpfCode.LOAD, seccomp.BpfCode.AND):
            assert place + 1 + max(if_true, if_false) < len(program)


def test_every_refused_call_is_refused_and_every_faked_one_claims_success(machine: str) -> None:
    program = seccomp.program(OWN_PID)
    for number in syscalls.numbers(syscalls.REFUSED).values():
        assert verdict(program, number) == seccomp.fail(errno.EPERM)
    for number in syscalls.numbers(syscalls.FAKED).values():
        assert verdict(program, number) == seccomp.fail(0)


JUDGED = [
    ("clone", (0x003D0F00,), True),  # a thread, as glibc makes one
    ("clone", (17,), False),
    ("clone", (0x10000000 | 0x10000,), False),
    ("clone", (0x003D0F00 | 0x4000,), False),  # a thread that is waited for as by vfork
    ("kill", (OWN_PID,), True),
    ("kill", (1,), False),
    ("kill", (-1,), False),
    ("tgkill", (OWN_PID, OWN_PID), True),
    ("prlimit64", (0,), True),
    ("prlimit64", (5,), False),
    ("socketpair", (1,), True),
    ("socketpair", (2,), False),
    ("fcntl", (3, 2), True),
    ("fcntl", (3, 8), False),
    ("fcntl", (3, 8 | 1 << 40), False),
    ("ioctl", (0, 0x5401), True),
    ("ioctl", (0, 0x5412), False),
    ("prctl", (15,), True),
    ("prctl", (1,), False),
]


@pytest.mark.parametrize(("name", "arguments", "allowed"), JUDGED)
def test_arguments_are_judged(name: str, arguments: tuple[int, ...], allowed: bool, machine: str) -> None:
    number = syscalls.numbers(syscalls.JUDGED)[name]
    expected = seccomp.FilterVerdict.ALLOW if allowed else seccomp.fail(errno.EPERM)
    assert verdict(seccomp.program(OWN_PID), number, arguments) == expected


def test_shared_anonymous_memory_is_refused_and_private_is_not(machine: str) -> None:
    program, number = seccomp.program(OWN_PID), syscalls.numbers(syscalls.JUDGED)["mmap"]
    assert verdict(program, number, (0, 4096, 3, 0x21)) == seccomp.fail(errno.ENOMEM)
    assert verdict(program, number, (0, 4096, 3, 0x23)) == seccomp.fail(errno.ENOMEM)
    assert verdict(program, number, (0, 4096, 3, 0x22)) == seccomp.FilterVerdict.ALLOW
    assert (
        verdict(program, number, (0, 4096, 1, 0x01, 3)) == seccomp.FilterVerdict.ALLOW
    )  # a shared file, of which few are writable


def test_calls_of_tomorrow_and_of_other_machines_are_not_there(machine: str) -> None:
    program = seccomp.program(OWN_PID)
    assert verdict(program, syscalls.LAST_KNOWN + 1) == seccomp.fail(errno.ENOSYS)
    assert verdict(program, 39 | 0x40000000) == seccomp.FilterVerdict.KILL
    other = next(each for each in MACHINES if each != machine)
    assert verdict(program, 39, machine=other) == seccomp.FilterVerdict.KILL


HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("table", ["REFUSED", "FAKED", "JUDGED", "CONFINING"])
def test_the_numbers_are_those_of_the_kernels_headers(table: str, machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("no kernel headers here")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b", HEADERS[machine].read_text())
    numbers = {name: int(number) for name, number in reversed(found)}
    for name, number in syscalls.numbers(getattr(syscalls, table)).items():
        assert numbers[name] == number, name
