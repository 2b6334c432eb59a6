"""Memory, disk, threads, time and output have an end, and the fault that comes of it has a name."""

import os

import pytest

from grader.sandbox.outside import process
from grader.sandbox.outside.warm import WarmWorkers

from .attack import load, program, told

FULL = "it wrote more than 16 MiB or 400 files"
MEMORY = {
    "pieces": """
kept = []
while True:
    kept.append(b'x' * (64 << 20))
""",
    "tensors": """
import torch
kept = []
while True:
    kept.append(torch.ones(16 << 20))
""",
    "threads that eat": """
kept = []
def eat():
    while True:
        kept.append(b'x' * (32 << 20))
for _ in range(4):
    threading.Thread(target=eat).start()
while True:
    time.sleep(1)
""",
}
REFUSED_MEMORY = {
    "30 GB at once": "import torch\nattempt(torch.empty, 30 << 28)",
    "30 GB of numpy": "import numpy\nattempt(numpy.zeros, 30 << 30, 'u1')",
    "shared anonymous": "attempt(mmap.mmap, -1, 10 << 30)",
    "/dev/zero": "attempt(lambda: mmap.mmap(os.open('/dev/zero', os.O_RDWR), 5 << 30))",
    "a private map": "attempt(lambda: mmap.mmap(-1, 10 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))",
    "300 descriptors": "attempt(lambda: [os.pipe() for _ in range(300)])",
    "a file in memory": "attempt(call, 279 if os.uname().machine == 'aarch64' else 319, b'x', 0)",
}
DISK = {
    "one large file": "open('large', 'wb').write(bytes(64 << 20))",
    "many files": "for number in range(5000): open(str(number), 'w').write('x')",
    "many folders": "for number in range(5000): os.mkdir(str(number))",
    "a deep folder": "for _ in range(3000): os.mkdir('d'); os.chdir('d')",
    "many links": "open('a', 'w').close()\nfor number in range(5000): os.link('a', str(number))",
    "files of 1 MB": "for number in range(500): open(str(number), 'wb').write(bytes(1 << 20))",
}
HANGING = {
    "a loop": "def spin():\n    while True: pass\nspin()",
    "sleep in C": "libc.sleep(1000)",
    "sleep": "time.sleep(1000)",
    "a lock held in C": "ctypes.PyDLL(None).sleep(1000)",
    "a regular expression": "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
    "stopped by itself": "os.kill(os.getpid(), signal.SIGSTOP); time.sleep(1000)",
    "deaf to signals": """
for number in range(1, 64):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
time.sleep(1000)
""",
    "a message without end": """
class Endless(Exception):
    def __str__(self):
        while True: pass
raise Endless
""",
    "at exit": "import atexit\natexit.register(time.sleep, 1000)\ntime.sleep(1000)",
}


@pytest.mark.parametrize("code", MEMORY.values(), ids=MEMORY)
def test_memory_ends_at_the_limit(code: str, workers: WarmWorkers) -> None:
    seen = load(workers, code, seconds=60)
    if seen.outcome == "value":  # on a busy machine the address space ended before the watchdog looked
        assert "MemoryError" in told(seen) or "not enough memory" in told(seen), told(seen)
    else:
        assert (seen.outcome, seen.detail) == ("memory", "out of memory at 0.5 GiB"), told(seen)


@pytest.mark.parametrize("code", REFUSED_MEMORY.values(), ids=REFUSED_MEMORY)
def test_memory_that_is_not_counted_is_refused(code: str, workers: WarmWorkers) -> None:
    seen = load(workers, code)
    assert "stopped:" in seen.output, told(seen)


def test_an_answer_that_memory_was_refused_is_a_lack_of_memory(workers: WarmWorkers) -> None:
    code = "import torch\ndef work():\n    return torch.empty(30 << 28)"
    worker = workers.open(program(code), "")
    seen = worker.ask("call", {"name": "work"}, 20)
    worker.close()
    assert (seen.outcome, seen.detail) == ("memory", "out of memory at 0.5 GiB")


@pytest.mark.parametrize("code", DISK.values(), ids=DISK)
def test_the_scratch_is_limited(code: str, workers: WarmWorkers, layers: tuple[str, ...]) -> None:
    seen = load(workers, code + "\nprint('written')\ntime.sleep(40)", seconds=60)  # killed long before
    if code == DISK["many links"] and "namespaces" in layers:
        pytest.skip("links on a tmpfs are counted as files by some kernels only")
    stopped = seen.outcome == "value" and seen.value["problems"] and "written" not in seen.output
    assert stopped or (seen.outcome, seen.detail) == ("crashed", FULL), told(seen)


def test_files_that_were_deleted_and_stay_open_are_limited(workers: WarmWorkers, layers: tuple[str, ...]) -> None:
    code = """
kept = []
for number in range(60):
    kept.append(open('x', 'wb', buffering=0))
    os.unlink('x')
    kept[-1].write(bytes(8 << 20))
    os.fsync(kept[-1].fileno())
time.sleep(40)
"""
    seen = load(workers, code, seconds=60)
    stopped = seen.outcome == "value" and seen.value["problems"]
    assert stopped or (seen.outcome, seen.detail) == ("crashed", FULL), told(seen)


@pytest.mark.parametrize("code", HANGING.values(), ids=HANGING)
def test_time_ends_at_the_deadline(code: str, workers: WarmWorkers) -> None:
    seen = load(workers, code, seconds=0.3)
    assert seen.outcome == "timeout", told(seen)
    assert seen.detail.startswith("no answer after 0.3 s")


def test_the_fault_names_the_function_that_hangs(workers: WarmWorkers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SECONDS_FOR_STACK", 30.0)
    worker = workers.open(program("def spin():\n    while True: pass"), "")
    assert worker.ask("load", {}, 60).outcome == "value"
    seen = worker.ask("call", {"name": "spin"}, 1.0)
    worker.close()
    assert seen.detail == "no answer after 1 s in spin (attack.ipynb, cell 3, line 2)"


def test_recursion_without_end_is_a_fault_of_that_probe(workers: WarmWorkers) -> None:
    seen = load(workers, "sys.setrecursionlimit(10**9)\ndef f(): f()\nf()", seconds=60)
    assert seen.outcome in ("crashed", "memory"), told(seen)


@pytest.mark.parametrize("stream", [1, 2])
def test_a_flood_of_text_ends_the_worker(stream: int, workers: WarmWorkers) -> None:
    seen = load(workers, f"while True: os.write({stream}, b'x' * 65536)")
    assert (seen.outcome, seen.detail) == ("crashed", "it printed more than 16 MiB"), told(seen)
    assert len(seen.output) == 64 << 10


def test_threads_are_limited(workers: WarmWorkers, layers: tuple[str, ...]) -> None:
    if "uid" not in layers and os.geteuid() == 0:
        pytest.skip("see gaps.py: the kernel sets user 0 no limit of processes, unless there is a control group")
    code = """
started = 0
try:
    while started < 300:
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        started += 1
except RuntimeError:
    pass
print(started)
"""
    assert int(load(workers, code).output) <= 80


def test_a_request_longer_than_a_pipe_holds_is_read(workers: WarmWorkers) -> None:
    worker = workers.open({"main": [], "modules": {}, "names": {}}, "")
    worker.ask("load", {}, 20)
    assert worker.ask("call", {"name": "x" * (4 << 20)}, 60).outcome == "undefined"
    worker.close()
