"""No right is gained, and the kernel's larger and younger parts are not there."""

import platform

import pytest

from grader.sandbox.outside.warm import WarmWorkers

from .attack import Attack, load, load_all, told

CALLS = {
    "user namespace": "unshare', 0x10000000",
    "network namespace": "unshare', 0x40000000",
    "enter a namespace": "setns', 0, 0",
    "mount": "mount', b'tmpfs', b'.', b'tmpfs', 0, 0",
    "unmount": "umount2', b'/', 2",
    "change the root": "chroot', b'.'",
    "pivot the root": "pivot_root', b'.', b'.'",
    "copy a mount": "open_tree', -100, b'/', 1",
    "a filesystem": "fsopen', b'tmpfs', 0",
    "change a mount": "mount_setattr', -100, b'/', 0x8000, bytes(32), 32",
    "become root": "setuid', 0",
    "become another": "setresuid', 1, 1, 1",
    "a group": "setgroups', 1, struct.pack('I', 0)",
    "capabilities": "capset', struct.pack('Ii', 0x20080522, 0), b'\\xff' * 24",
    "io_uring": "io_uring_setup', 8, bytes(120)",
    "page faults": "userfaultfd', 1",
    "bpf": "bpf', 0, bytes(120), 120",
    "performance counters": "perf_event_open', bytes(120), 0, -1, -1, 0",
    "a key": "add_key', b'user', b'x', b'y', 1, -3",
    "the keyring": "keyctl', 0, -3, 0",
    "a file in memory": "memfd_create', b'x', 0",
    "secret memory": "memfd_secret', 0",
    "personality": "personality', 0xffffffff",
    "shared memory": "shmget', 0, 4096, 0o1600",
    "a semaphore": "semget', 0, 1, 0o1600",
    "a message queue": "msgget', 0, 0o1600",
    "a posix queue": "mq_open', b'vit', 0o100, 0o600, 0",
    "the kernel's log": "syslog', 10, 0, 0",
    "accounting": "acct', 0",
    "quotas": "quotactl', 0, 0, 0, 0",
    "swap": "swapoff', b'/nowhere'",
    "restart": "reboot', 0, 0, 0, 0",
    "a module": "init_module', b'', 0, b''",
    "another kernel": "kexec_load', 0, 0, 0, 0",
    "the clock": "clock_settime', 0, bytes(16)",
    "the clock's speed": "adjtimex', bytes(208)",
    "the host's name": "sethostname', b'x', 1",
    "the terminal": "vhangup'",
    "watch a filesystem": "fanotify_init', 0, 0",
    "asynchronous io": "io_setup', 1, bytes(8)",
}
WORK_WITHOUT = ("a file in memory", "a key", "personality", "shared memory", "a semaphore", "a message queue")
OTHER = {
    "call of tomorrow": "attempt(call, 470); attempt(call, 1000)",
    "clone with a namespace": "attempt(lambda: call('clone', 0x10000000 | 17, 0, 0, 0, 0) or os._exit(0))",
    "raise a limit": "attempt(resource.setrlimit, resource.RLIMIT_NOFILE, (100000, 100000))",
    "live on without the grader": "attempt(lambda: libc.prctl(1, 0, 0, 0, 0) == 0 or 1 / 0)",
    "hide from the watchdog": "attempt(lambda: libc.prctl(4, 0, 0, 0, 0) == 0 or 1 / 0)",
    "inherit orphans": "attempt(lambda: libc.prctl(36, 1, 0, 0, 0) == 0 or 1 / 0)",
    "type on the terminal": "attempt(fcntl.ioctl, 0, 0x5412, b'x')",
    "more niceness": "attempt(os.nice, -5)",
    "a real-time priority": "attempt(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))",
    "shared anonymous memory": "attempt(mmap.mmap, -1, 1 << 20)",
    "lock memory": "attempt(lambda: libc.mlockall(3) == 0 or 1 / 0)",
}


@pytest.fixture(scope="module")
def printed(workers: WarmWorkers) -> dict[str, str]:
    """What each attack printed; all ran in one worker."""
    calls = [Attack(promise, f"attempt(call, '{call})") for promise, call in CALLS.items()]
    return load_all(workers, calls + [Attack(promise, code) for promise, code in OTHER.items()])


@pytest.mark.parametrize("promise", CALLS)
def test_the_call_is_refused(promise: str, printed: dict[str, str]) -> None:
    assert "stopped: PermissionError" in printed[promise], printed[promise]


@pytest.mark.parametrize("promise", OTHER)
def test_no_right_is_gained(promise: str, printed: dict[str, str]) -> None:
    assert "stopped:" in printed[promise], printed[promise]
    assert "reached:" not in printed[promise]


@pytest.mark.parametrize("promise", WORK_WITHOUT)
def test_the_call_works_without_confinement(promise: str, unconfined: WarmWorkers) -> None:
    seen = load(unconfined, f"attempt(call, '{CALLS[promise]})")
    assert "reached:" in seen.output, told(seen)


MACHINE_CODE = """
def run(code):
    memory = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
    memory.write(code)
    return ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="machine code of x86_64")
@pytest.mark.parametrize(
    "code",
    [
        pytest.param(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3", id="int 0x80"),  # getpid of i386
        pytest.param(b"\xb8\x27\x00\x00\x40\x0f\x05\xc3", id="x32"),  # getpid of x32
    ],
)
def test_a_foreign_calling_convention_kills(code: bytes, workers: WarmWorkers) -> None:
    seen = load(workers, f"{MACHINE_CODE}\nattempt(run, {code!r})")
    assert (seen.outcome, seen.detail[:16]) == ("crashed", "crashed (SIGSYS)"), told(seen)


def test_there_is_no_capability_left(workers: WarmWorkers) -> None:
    code = """
header, sets = ctypes.create_string_buffer(struct.pack('Ii', 0x20080522, 0)), ctypes.create_string_buffer(24)
libc.capget(header, sets)
print(sets.raw == bytes(24), libc.prctl(39, 0, 0, 0, 0))
"""
    assert load(workers, code).output == "True 1\n"
