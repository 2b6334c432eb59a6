"""What a worker uses, read from outside of it: memory, threads, and the disk where its scratch is no tmpfs."""

import contextlib
import mmap
import os
import time
from collections.abc import Iterator

from grader.sandbox.inside.plan import Limits


class LimitWatch:
    """Tells whether a worker is over its limits."""

    def __init__(self, pid: int, limits: Limits, scratch: str | None) -> None:
        self.pid, self.limits, self.scratch = pid, limits, scratch
        self.next_scan = self.next_weighing = 0.0
        self.slowed: set[int] = set()  # threads of the lowest priority

    def over(self) -> str:
        """ "memory" or "scratch", or nothing when all is well."""
        members = list(family(self.pid))
        self._share_fairly(members)
        if self._memory_is_over(members):
            return "memory"
        if self.scratch is not None and time.monotonic() >= self.next_scan and self._scratch_is_over(members):
            return "scratch"
        return ""

    def _memory_is_over(self, members: list[int]) -> bool:
        """Whether a worker's own memory is over the limit; what is weighed exactly takes the longer the more is mapped."""
        whole, most_times = sum(map(resident, members)), 4  # of the limit: files that are mapped again and again
        if whole <= self.limits.memory or time.monotonic() < self.next_weighing:
            return False
        if whole > most_times * self.limits.memory:
            return True
        start = time.monotonic()
        over = sum(map(own_share, members)) > self.limits.memory
        self.next_weighing = _after_a_pause(start)
        return over

    def _share_fairly(self, members: list[int]) -> None:
        """Give a worker of very many threads no larger share of the processors than others have."""
        tasks = {task for member in members for task in threads(member)}
        max_equal_threads = 16  # that have the same right to a processor as others'
        lowest_priority = 19  # 60 threads of it weigh no more than one process of the usual one
        if len(tasks) > max_equal_threads:
            for task in tasks - self.slowed:
                with contextlib.suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, task, lowest_priority)
            self.slowed = tasks

    def _scratch_is_over(self, members: list[int]) -> bool:
        assert self.scratch is not None
        start = time.monotonic()
        max_times_written = 8  # of the scratch's size, in all: deleted files that are open must not add up
        if sum(map(written, members)) > max_times_written * self.limits.scratch_bytes:
            return True
        over = _over(self.scratch, self.limits.scratch_bytes, self.limits.scratch_files)
        self.next_scan = _after_a_pause(start)
        return over


def _after_a_pause(start: float) -> float:
    """When to look again after a look that began at ``start``: looking takes a tenth of the time at the most."""
    now = time.monotonic()
    return now + 10 * (now - start)


def threads(pid: int) -> list[int]:
    """The threads of a process."""
    try:
        return [int(task) for task in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def children(pid: int) -> list[int]:
    """The processes whose parent a process is."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:  # it is gone, or the kernel keeps no such list
        return []


def family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    for child in children(pid):
        yield from family(child)


def resident(pid: int) -> int:
    """Bytes in memory, pages that are shared with other processes counted whole: cheap, and never too low."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * mmap.PAGESIZE
    except (OSError, IndexError):
        return 0


def own_share(pid: int) -> int:
    """Bytes in memory, pages that are shared counted by their share."""
    return _field(f"/proc/{pid}/smaps_rollup", "Pss:") * 1024


def written(pid: int) -> int:
    """Bytes that it caused to be written to a disk."""
    return _field(f"/proc/{pid}/io", "write_bytes:")


def _field(path: str, name: str) -> int:
    try:
        with open(path) as file:
            return next((int(line.split()[1]) for line in file if line.startswith(name)), 0)
    except OSError:
        return 0


def _over(folder: str, most_bytes: int, most_files: int) -> bool:
    size, count, folders = 0, 0, [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if size > most_bytes or count > most_files:
                        return True
        except FileNotFoundError:  # deleted meanwhile
            continue
        except OSError:  # a path longer than any honest one, or a folder closed to its owner
            return True
    return False
