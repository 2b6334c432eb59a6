"""What a command costs: wall time, CPU time and peak memory of it and all that it starts."""

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAUSE = 0.1  # seconds between two looks at memory


@dataclass(frozen=True)
class Cost:
    """Of one run of a command."""

    wall: float  # seconds
    cpu: float  # seconds of all its processes
    peak: int  # bytes of all its processes at once, shared pages counted once
    output: str


def run(
    command: Sequence[str], cwd: Path | None = None, memory: bool = False, cores: int | None = None, **environment: str
) -> Cost:
    """Run a command to its end.

    Args:
        memory: look at its memory, which costs some time.
        cores: that it may use; all where there is none.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    own = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **environment}
    before, start = os.times(), time.monotonic()
    taskset = [] if cores is None else ["taskset", "--cpu-list", f"0-{cores - 1}"]
    process = subprocess.Popen(
        [*taskset, *command], cwd=cwd, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    watch = Watch(process.pid) if memory else None
    output, _ = process.communicate()
    wall, after = time.monotonic() - start, os.times()
    peak = watch.stop() if watch else 0
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {output[-2000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall, cpu, peak, output)


class Watch:
    """Looks at the memory of a process and its descendants until it is stopped."""

    def __init__(self, pid: int) -> None:
        self.pid, self.peak, self.ended = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def stop(self) -> int:
        self.ended.set()
        self.thread.join()
        return self.peak

    def _look(self) -> None:
        while not self.ended.wait(PAUSE):
            self.peak = max(self.peak, sum(_memory(pid) for pid in tree(self.pid)))


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    found, todo = [], [root]
    while todo:
        found.append(pid := todo.pop())
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            todo += [int(child) for child in _text(children).split()]
    return found


def _memory(pid: int) -> int:
    """Proportional set size; of a process that hides its pages, all that is resident."""
    for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    fields = _text(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if fields else 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it ended meanwhile
        return ""
