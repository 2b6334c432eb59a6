"""Control groups: the kernel itself limits a worker's memory, processes and share of the processors.

Only where groups may be made.
"""

import contextlib
import os
import time

from grader.sandbox.inside.plan import Limits

MOUNTS = "/sys/fs/cgroup"


def create(name: str, limits: Limits) -> tuple[str, ...]:
    """Make one group per hierarchy that lets us; none where groups are not ours to make."""
    groups = []
    for parent, settings in _hierarchies(limits):
        path = f"{parent}/{name}"
        try:
            os.mkdir(path)
        except OSError:
            continue
        groups.append(path)
        if not _set(path, settings):
            remove((path,))
            groups.pop()
    return tuple(groups)


def join(groups: tuple[str, ...], pid: int) -> None:
    """Move a process there, which takes the kernel some 10 ms of waiting."""
    for path in groups:
        with open(f"{path}/cgroup.procs", "w") as processes:
            processes.write(str(pid))


def remove(groups: tuple[str, ...]) -> None:
    """Remove groups that no process is in any more."""
    for path in groups:
        for _ in range(100):
            try:
                os.rmdir(path)
                break
            except FileNotFoundError:
                break
            except OSError:  # its last process is not quite gone
                time.sleep(0.01)


def out_of_memory(groups: tuple[str, ...]) -> bool:
    """Whether the kernel killed a process of the group for lack of memory."""
    for path in groups:
        for name in ("memory.oom_control", "memory.events"):
            with contextlib.suppress(OSError), open(f"{path}/{name}") as file:
                counts = dict(line.split() for line in file)
                return counts.get("oom_kill", "0") != "0"
    return False


def _hierarchies(limits: Limits) -> list[tuple[str, dict[str, int]]]:
    """The folders to make groups in, with the settings of each: version 1, else version 2."""
    own = _own_groups()
    memory, tasks = limits.memory, limits.threads + 4
    found = []
    if "memory" in own:
        found.append((f"{MOUNTS}/memory{own['memory']}", {"memory.limit_in_bytes": memory}))
    if "pids" in own:
        found.append((f"{MOUNTS}/pids{own['pids']}", {"pids.max": tasks}))
    if "cpu" in own:  # a group has the share of one process, however many threads there are in it
        found.append((f"{MOUNTS}/cpu{own['cpu']}", {"cpu.shares": 1024}))
    if not found and "" in own:
        settings = {"memory.max": memory, "memory.oom.group": 1, "pids.max": tasks}
        # a group that holds processes passes no controllers on, but the root does
        found = [(f"{MOUNTS}{own['']}".rstrip("/"), settings), (MOUNTS, settings)]
    return found


def _own_groups() -> dict[str, str]:
    try:
        with open("/proc/self/cgroup") as file:
            rows = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        return {}
    return {name: path.rstrip("/") for _, names, path in rows for name in names.split(",")}


def _set(path: str, settings: dict[str, int]) -> bool:
    try:
        for name, value in settings.items():
            with open(f"{path}/{name}", "w") as file:
                file.write(str(value))
    except OSError:
        return False
    return True
