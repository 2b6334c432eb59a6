"""Running an attack: student code that is loaded the way every submission is, and says how far it came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grader.records import Observation
from grader.sandbox.inside import syscalls
from grader.sandbox.inside.plan import Limits
from grader.sandbox.outside.warm import WarmWorkers

LIMITS = Limits(memory=512 << 20, scratch_bytes=16 << 20, scratch_files=400)
NUMBERS = syscalls.numbers(syscalls.REFUSED) | syscalls.numbers(syscalls.FAKED) | syscalls.numbers(syscalls.JUDGED)
MARK = "### "
PRELUDE = """
import array, ctypes, errno, fcntl, mmap, os, resource, signal, socket, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)

def call(name, *arguments):
    number = NUMBERS[name] if isinstance(name, str) else name
    plain = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = libc.syscall(ctypes.c_long(number), *plain)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

SCRATCH = os.getcwd()

def attempt(action, *arguments):
    try:
        result = action(*arguments)
    except BaseException as error:
        print("stopped:", repr(error)[:300])
    else:
        print("reached:", repr(result)[:300])
"""


@dataclass(frozen=True)
class Attack:
    """One thing that a submission tries.

    ``code`` prints "reached" when it worked and "stopped" when it did not, by ``attempt`` of the prelude.
    """

    promise: str  # what must not happen, in a few words: the test's id
    code: str
    works: bool = True  # it works without the confinement, which a control shows; not tried where that does harm
    pretended: bool = False  # the call claims success and does nothing: only the targets' state counts


def program(code: str, **constants: Any) -> dict[str, Any]:
    """A submission of one cell, as intake hands it to a worker."""
    given = "".join(f"{name} = {value!r}\n" for name, value in {"NUMBERS": NUMBERS, **constants}.items())
    pieces = [
        {"source": text, "file": "attack.ipynb", "cell": cell, "line": 1}
        for cell, text in enumerate((given, PRELUDE, code), 1)
    ]
    return {"main": pieces, "modules": {}, "names": {}}


def load_all(workers: WarmWorkers, attacks: Sequence[Attack], files: str = "", **constants: Any) -> dict[str, str]:
    """Load attacks one after the other in one worker, and what each of them printed."""
    whole = program("", **constants)
    for number, attack in enumerate(attacks):
        folder = f"os.chdir(SCRATCH); os.mkdir('{number}'); os.chdir('{number}')"
        start = f"print({MARK + attack.promise!r}, flush=True)\n{folder}\n"
        whole["main"].append({"source": start + attack.code, "file": "attack.ipynb", "cell": number + 4, "line": 1})
    worker = workers.open(whole, files)
    worker.load_seconds = 60.0
    seen = worker.ask("load", {}, 60)
    worker.close()
    parts = dict(part.split("\n", 1) for part in seen.output.split(MARK)[1:])
    return {attack.promise: parts.get(attack.promise, f"not tried: {told(seen)}") for attack in attacks}


def load(workers: WarmWorkers, code: str, files: str = "", seconds: float = 20.0, **constants: Any) -> Observation:
    """Load a submission in a worker of its own, and what was seen."""
    worker = workers.open(program(code, **constants), files)
    worker.load_seconds = seconds
    try:
        return worker.ask("load", {}, seconds)
    finally:
        worker.close()


def told(seen: Observation) -> str:
    """Everything that an observation says, for messages."""
    problems = seen.value["problems"] if seen.outcome == "value" else ""
    return f"{seen.outcome} {seen.detail} {seen.output} {problems}"
