"""A Python that lacks what Windows lacks, for tests: ``elsewhere.py -m pytest`` in place of ``python -m pytest``.

Written into a test's folder as a program and named as ``sys.executable``, so that every process that the grader
starts lacks the same. What it cannot take away: the standard library's own ways on this system.
"""

import os
import runpy
import signal
import sys
import types
from pathlib import Path

MODULES = {"fcntl", "resource", "grp", "pwd", "termios", "tty", "pty", "syslog"}
OF_OS = (
    "fork", "forkpty", "killpg", "setsid", "setpgid", "getpgid", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "sysconf",
    "sched_getaffinity", "set_blocking", "mkfifo", "setpriority",
)  # fmt: skip
OF_SIGNAL = ("SIGUSR1", "SIGUSR2", "SIGALRM", "SIGHUP", "setitimer", "pthread_kill")


class Absent:
    """Finds nothing of the modules that are not there."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def take_away():
    """Make this process lack them."""
    import faulthandler

    for name in MODULES:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, Absent())
    for owner, names in ((os, OF_OS), (signal, OF_SIGNAL), (faulthandler, ("register", "unregister"))):
        for name in names:
            if hasattr(owner, name):
                delattr(owner, name)


def run(arguments):
    """Do what Python would: ``-c CODE``, ``-m MODULE`` or a script; of other options, none matters here."""
    while arguments[0] in ("-I", "-P", "-S", "-s"):
        arguments.pop(0)
    kind, *rest = arguments
    if kind == "-c":
        sys.argv[:] = ["-c", *rest[1:]]
        module = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), module.__dict__)
    elif kind == "-m":
        sys.argv[:] = rest
        sys.path[0] = str(Path.cwd())
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = arguments
        sys.path[0] = str(Path(kind).parent)
        runpy.run_path(kind, run_name="__main__")


if __name__ == "__main__":
    sys.executable = str(Path(sys.argv[0]).resolve())
    take_away()
    run(sys.argv[1:])
