"""The loop of a worker: read a request, do it, reply."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

from grader.worker import describe, protocol
from grader.worker.student import Student, Undefined

Op = Callable[..., Any]
OPS: dict[str, Op] = {}


def op(name: str) -> Callable[[Op], Op]:
    """Register what a worker does when it is asked for ``name``: a function of (student, **args)."""

    def register(function: Op) -> Op:
        OPS[name] = function
        return function

    return register


def load_ops(modules: list[str]) -> None:
    """Import the modules that register an assignment's operations."""
    for module in modules:
        importlib.import_module(module)


def serve(requests: BinaryIO, replies: BinaryIO, shared: Mapping[str, np.ndarray]) -> None:
    """Answer requests until their stream ends. The first must be ``load``."""
    student: Student | None = None
    while (frame := protocol.read_frame(requests, shared)) is not None:
        ident, request = frame
        reply: dict[str, Any]
        try:
            if request["op"] == "load":
                student = Student(request["args"]["program"])
                reply = {"value": {"defined": [n for n in student.names if student.has(n)], "problems": student.problems}}
            else:
                reply = {"value": OPS[request["op"]](student, **request["args"])}
        except Undefined as error:
            reply = {"undefined": str(error)}
        except BaseException as error:  # SystemExit and KeyboardInterrupt of a student's are observations too
            reply = {"raised": describe.exception(error)}
        _flush()
        for part in protocol.encode(ident, reply):
            replies.write(part)
        replies.flush()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # the student may have replaced or closed it
            continue
