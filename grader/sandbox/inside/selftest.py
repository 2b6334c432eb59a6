"""The promises of the confinement, tried from inside of it before any submission is: what must not be reached."""

import ctypes
import importlib
import os
import socket
from collections.abc import Callable
from typing import Any

import torch

from grader.sandbox.inside.plan import Plan


def reached(plan: Plan, canaries: dict[str, Any]) -> list[str]:
    """Try every canary, and what a submission needs.

    Args:
        plan: the confinement that this process is under.
        canaries: "file" and "folder" (paths), "port" (TCP on loopback), "socket" (a unix socket's path),
            "process" (a process id) and "needs" (modules that were not imported yet).

    Returns:
        what could be reached though it must not be, and what could not though it must be.
    """
    forbidden: dict[str, Callable[[], Any]] = {
        "read a file": lambda: open(canaries["file"]).close(),
        "list a folder": lambda: os.listdir(canaries["folder"]),
        "write a file": lambda: open(canaries["folder"] + "/written", "w").close(),
        "truncate a file": lambda: os.truncate(canaries["file"], 0),
        "connect by TCP": lambda: socket.create_connection(("127.0.0.1", canaries["port"]), 1).close(),
        "send by UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
        "connect to a unix socket": lambda: socket.socket(socket.AF_UNIX).connect(canaries["socket"]),
        "signal a process": lambda: os.kill(canaries["process"], 0),
        "read a process": lambda: open(f"/proc/{canaries['process']}/environ").close(),
        "fork": _fork,
        "execute a program": _execute,
        "trace a process": _trace,
    }
    needed: dict[str, Callable[[], Any]] = {
        "write to the scratch": lambda: _write(plan.scratch + "/written"),
        "import a library": lambda: [importlib.import_module(name) for name in canaries["needs"]],
        "use two threads": _two_threads,
    }
    open_doors = [f"could {name}" for name, attempt in forbidden.items() if _works(attempt)]
    return open_doors + [f"could not {name}" for name, attempt in needed.items() if not _works(attempt)]


def _works(attempt: Callable[[], Any]) -> bool:
    try:
        attempt()
    except Exception:
        return False
    return True


def _fork() -> None:
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)  # before it is traced: SIGCHLD would stop it


def _execute() -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def _trace() -> None:
    if ctypes.CDLL(None).ptrace(0, 0, 0, 0) != 0:  # PTRACE_TRACEME
        raise PermissionError


def _write(path: str) -> None:
    with open(path, "w") as file:
        file.write("x")


def _two_threads() -> None:
    torch.set_num_threads(2)
    (torch.ones(256, 256) @ torch.ones(256, 256)).sum().item()
