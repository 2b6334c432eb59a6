"""Parents of workers for the commands that tests start, forked from one process that has imported the libraries.

A ``grade.py`` or a ``pytest`` starts the parent of its workers, which takes longer than most that is asked there: 2 to
3 s of a processor. In ``environment()``, or where a .pth file holds ``line()``, that start (``warming/ask.py``) asks a
process (``warming/parents.py``) that serves all tests of this one, and forks. Only the imports of libraries are saved;
every line of the grader is the command's own. The tests of the start itself, and the attacks, go without.
"""

import atexit
import contextlib
import functools
import os
import subprocess
import sys
import tempfile
import unittest.mock
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.sandbox.outside import access, cold
from tests.warming.site import sitecustomize

HERE = Path(__file__).resolve().parent / "warming"
VARIABLE = "WARM_COMMANDS"


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The same variables, and what lets a command ask."""
    path = [variables.get("PYTHONPATH", ""), str(HERE / "site")]
    return {**variables, VARIABLE: _address(), "PYTHONPATH": os.pathsep.join(filter(None, path))}


@contextlib.contextmanager
def asked() -> Iterator[None]:
    """Let this process ask, too."""
    sitecustomize.Popen.address = _address()
    with unittest.mock.patch.object(subprocess, "Popen", sitecustomize.Popen):
        yield


def line() -> str:
    """The line of a .pth file that lets all commands of an environment ask."""
    hook = str(HERE / "site" / "sitecustomize.py")
    return (
        f"import os; os.environ[{VARIABLE!r}] = {_address()!r}; exec(open({hook!r}).read(), {{'__file__': {hook!r}}})"
    )


@functools.cache
def _address() -> str:
    """Where the process listens; it ends with this one."""
    folder = tempfile.mkdtemp(prefix="warm-commands-")
    command = [sys.executable, "-s", str(HERE / "parents.py"), folder, str(cold.ROOT), *access.package_folders()]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=cold.environment(folder))
    atexit.register(started.communicate)  # closes its standard input, at which it ends
    assert started.stdout is not None and started.stdout.readline() == b"listening\n"
    return f"{folder}/socket"
