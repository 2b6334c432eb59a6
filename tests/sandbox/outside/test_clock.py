"""Which seconds count for a worker, and which are the machine's."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from grader.records import Frame
from grader.sandbox.outside.clock import Clock, Hangs, Patience

SPIN, SLEEP = "while True: pass", "import time; time.sleep(1000)"
THREADS = "import threading\nfor _ in range(20):\n    threading.Thread(target=sum, args=(iter(int, 1),)).start()"


@pytest.fixture
def process() -> Iterator[Callable[[str], int]]:
    """Starts programs, and ends them."""
    started: list[subprocess.Popen[bytes]] = []

    def start(code: str) -> int:
        started.append(subprocess.Popen([sys.executable, "-S", "-c", code]))
        time.sleep(0.3)
        return started[-1].pid

    yield start
    for each in started:
        each.kill()
        each.wait()


def watched(pid: int, seconds: float = 1.0) -> Clock:
    """A clock that looked at a process for a while."""
    watch = Clock(pid)
    while watch.passed < seconds:
        time.sleep(0.05)
        watch.look()
    return watch


def test_a_process_that_sleeps_is_charged_all_time_that_passes(process: Callable[[str], int]) -> None:
    watch = watched(process(SLEEP))
    assert watch.spent == pytest.approx(watch.passed, abs=0.1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs two processes on one core")
def test_a_process_that_waits_for_a_processor_is_charged_what_it_had(process: Callable[[str], int]) -> None:
    core = {min(os.sched_getaffinity(0))}
    spinning = [process(SPIN) for _ in range(6)]
    for pid in spinning:
        os.sched_setaffinity(pid, core)
    watch = watched(spinning[0], 2.0)
    assert 0 < watch.spent < 0.6 * watch.passed


def test_many_threads_count_once(process: Callable[[str], int]) -> None:
    watch = watched(process(THREADS))
    assert watch.spent <= watch.passed


def test_a_stopped_process_is_charged_all_time_that_passes(process: Callable[[str], int]) -> None:
    pid = process(SPIN)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.2)
    watch = watched(pid)
    assert watch.spent == pytest.approx(watch.passed, abs=0.15)


def test_where_nothing_is_told_of_a_process_time_that_passes_counts() -> None:
    watch = Clock(None)
    time.sleep(0.1)
    watch.look()
    assert watch.spent == pytest.approx(watch.passed, abs=0.01) and watch.spent >= 0.1


def test_a_sign_of_progress_gives_time_up_to_the_whole() -> None:
    watch = Clock(None)
    watch.idle = 5.0
    assert watch.over(Patience(10.0, 4.0)) and not watch.over(Patience(10.0, 6.0))
    watch.step()
    watch.idle = 8.0
    assert not watch.over(Patience(10.0, 4.0)) and watch.over(Patience(8.0, 4.0))


def test_a_machine_that_gives_a_process_nothing_is_to_blame() -> None:
    watch = Clock(None)
    assert not watch.starved(Patience(20.0, 8.0))
    watch.stepped -= Patience(20.0, 8.0).on_busy_machine
    assert watch.starved(Patience(20.0, 8.0))


def test_signs_of_progress_put_the_end_off_but_not_for_ever() -> None:
    watch, patience = Clock(None), Patience(20.0, 8.0)
    watch.began -= patience.on_busy_machine_in_all
    watch.step()
    assert watch.starved(patience)


def test_a_place_is_known_a_few_lines_further_in_the_same_function() -> None:
    hangs = Hangs()
    hangs.add(Frame("vit_model.py", None, 40, "forward", ""), 8.0)
    assert hangs.knows(Frame("vit_model.py", None, 42, "forward", "")) and hangs.seconds == 8.0
    assert not hangs.knows(Frame("vit_model.py", None, 60, "forward", ""))
    assert not hangs.knows(Frame("vit_model.py", None, 40, "__init__", "")) and not hangs.knows(None)
