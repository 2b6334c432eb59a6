"""A submission in this very process, so that a debugger can step through it: no walls, no limits, no clock.

The other end of the seam that confined workers stand behind. A grade never comes from here.
"""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from grader.raised import raised_words
from grader.records import Observation
from grader.sandbox.inside import describe, lazy_imports, other_machines, protocol, serve, shared
from grader.sandbox.inside.student import Student, Undefined
from grader.sandbox.outside import replies
from grader.sandbox.outside.clock import Patience


class InsideWorkers:
    """Runs submissions here.

    Attributes:
        raised: what a submission raised, in the words of a verdict, with the exception itself.
    """

    forks = False
    sandbox: dict[str, str] = dict.fromkeys(
        ("filesystem", "network", "syscalls", "limits"), "not enforced: the submission runs inside pytest, to debug it"
    )

    def __init__(self, ops: Sequence[str], arrays: dict[str, str]) -> None:
        self.arrays = shared.open_arrays(arrays)
        self.raised: list[tuple[str, BaseException]] = []
        lazy_imports.leave_out()  # nearly half of the time until a debugger opens
        serve.load_ops(ops)

    def open(self, program: dict[str, Any], files: str) -> "InsideWorker":
        return InsideWorker(self, program, files)

    def close(self) -> None:
        return None


class InsideWorker:
    """One submission, loaded when it is first asked."""

    def __init__(self, workers: InsideWorkers, program: dict[str, Any], files: str) -> None:
        self.workers, self.program, self.files = workers, program, files
        self.stack = contextlib.ExitStack()
        self.student: Student | None = None

    def ask(self, op: str, args: dict[str, Any], patience: float | Patience) -> Observation:
        """Do one request, however long it takes."""
        with _remembered(self.workers.raised):
            if self.student is None:
                lazy_imports.bring(lazy_imports.needed(lazy_imports.sources(self.program)))
                self.student = self.stack.enter_context(loaded(self.program, self.files))
            body = answer(self.student, op, _travelled(args, self.workers.arrays))
            return replies.observation(_travelled(body, None), "", 0.0)

    def close(self) -> None:
        self.stack.close()


@contextlib.contextmanager
def loaded(program: dict[str, Any], files: str = "") -> Iterator[Student]:
    """Execute a submission's program, whose files lie in a folder, here, and forget it afterwards."""
    finders, main = list(sys.meta_path), sys.modules["__main__"]
    own = {name for name in sys.modules if name.partition(".")[0] in program["modules"]}
    aside = {name: sys.modules.pop(name) for name in own}  # a library of that name, or an earlier submission's
    init, put_files_back = torch.utils.data.DataLoader.__init__, other_machines.install(elsewhere=True)
    try:
        yield Student(program, files)
    finally:
        put_files_back()
        sys.meta_path[:] = finders
        sys.modules["__main__"] = main
        torch.utils.data.DataLoader.__init__ = init  # type: ignore[method-assign]
        for name in [name for name in sys.modules if name.partition(".")[0] in program["modules"]]:
            del sys.modules[name]
        sys.modules.update(aside)


def answer(student: Student, op: str, args: dict[str, Any]) -> dict[str, Any]:
    """What a worker would reply."""
    if op == "load":
        return {"value": {"defined": [n for n in student.names if student.has(n)], "problems": student.problems}}
    try:
        return {"value": serve.OPS[op](student, **args)}
    except Undefined as error:
        return {"undefined": str(error)}
    except Exception as error:
        return {"raised": describe.exception(error)}


def _travelled(body: Any, arrays: Any) -> Any:
    """A body after it was sent: nothing is shared between the two sides."""
    parts = protocol.encode("id", body)
    return protocol.decode(parts[1], b"".join(parts[2:]), arrays)[1]


@contextlib.contextmanager
def _remembered(raised: list[tuple[str, BaseException]]) -> Iterator[None]:
    """Keep every exception that an operation describes."""
    describing = describe.exception

    def exception(error: BaseException) -> dict[str, Any]:
        described = describing(error)
        known = replies.raised_from(described)
        if known is not None and known.frames:
            raised.append((raised_words(known), error))
        return described

    describe.exception = exception
    try:
        yield
    finally:
        describe.exception = describing
