"""No address is reached, not even on this machine."""

import contextlib
from collections.abc import Iterator

import pytest

from grader.sandbox.outside.warm import WarmWorkers

from .attack import Attack, load, load_all, told
from .targets import Targets

NETWORK = [
    Attack("TCP", "attempt(lambda: socket.create_connection(('127.0.0.1', TCP), 2))"),
    Attack("TCP, fast open", """
def fast():
    with socket.socket() as wire:
        wire.sendto(b'x', socket.MSG_FASTOPEN, ('127.0.0.1', TCP))
attempt(fast)
"""),
    Attack("TCP v6", "attempt(lambda: socket.socket(socket.AF_INET6))", works=False),
    Attack("multipath TCP", "attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262))", works=False),
    Attack("listen", "attempt(lambda: socket.create_server(('127.0.0.1', 0)))"),
    Attack("UDP", "attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', UDP)))"),
    Attack("a unix socket", "attempt(lambda: socket.socket(socket.AF_UNIX).connect(UNIX))"),
    Attack("an abstract unix socket", "attempt(lambda: socket.socket(socket.AF_UNIX).connect(ABSTRACT))"),
    Attack("a unix datagram", "attempt(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', UNIX))",
           works=False),
    Attack("netlink", "attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))"),
    Attack("raw", "attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))", works=False),
    Attack("packets", "attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))", works=False),
    Attack("vsock", "attempt(lambda: socket.socket(40, socket.SOCK_STREAM))", works=False),
    Attack("kernel crypto", "attempt(lambda: socket.socket(38, socket.SOCK_SEQPACKET))", works=False),
    Attack("http", """
import urllib.request
attempt(lambda: urllib.request.urlopen(f'http://127.0.0.1:{TCP}', timeout=1))
""", works=False),
    Attack("an inherited socket", """
def found():
    return [number for number in range(256) if socket.socket(fileno=number).family] or 1 / 0
attempt(found)
""", works=False),
    Attack("by io_uring", "attempt(call, 'io_uring_setup', 8, ctypes.create_string_buffer(120))", works=False),
    Attack("torch.distributed", """
import torch.distributed as dist
attempt(lambda: dist.TCPStore('127.0.0.1', TCP, is_master=False, timeout=__import__('datetime').timedelta(seconds=1)))
""", works=False),
]  # fmt: skip


def name(attack: Attack) -> str:
    return attack.promise


@pytest.fixture(scope="module")
def printed(workers: WarmWorkers) -> Iterator[dict[str, str]]:
    """What each attack printed; all ran in one worker."""
    with contextlib.closing(Targets()) as targets:
        before = targets.state()
        yield load_all(workers, NETWORK, **targets.constants())
        assert targets.state() == before, "something was reached"


@pytest.mark.parametrize("attack", NETWORK, ids=name)
def test_no_address_is_reached(attack: Attack, printed: dict[str, str]) -> None:
    assert "stopped:" in printed[attack.promise], printed[attack.promise]
    assert "reached:" not in printed[attack.promise]


@pytest.mark.parametrize("attack", [each for each in NETWORK if each.works], ids=name)
def test_it_works_without_confinement(attack: Attack, unconfined: WarmWorkers, targets: Targets) -> None:
    seen = load(unconfined, attack.code, **targets.constants())
    assert "reached:" in seen.output, told(seen)


def test_an_event_loop_still_works(workers: WarmWorkers) -> None:
    code = "import asyncio\nasyncio.run(asyncio.sleep(0))\nprint('slept')"
    assert load(workers, code).output == "slept\n"
