"""The loop of a worker: read a request, do it, reply."""

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, NoReturn

import numpy as np
import torch

from grader.sandbox.inside import describe, protocol
from grader.sandbox.inside.student import Student, Undefined

Op = Callable[..., Any]
OPS: dict[str, Op] = {}


def op(name: str) -> Callable[[Op], Op]:
    """Register what a worker does when it is asked for ``name``: a function of ``(student, **args)``."""

    def register(function: Op) -> Op:
        OPS[name] = function
        return function

    return register


def load_ops(modules: Iterable[str]) -> None:
    """Import the modules that register an assignment's operations; one that ends in ".py" is a file."""
    for module in modules:
        if module.endswith(".py"):
            exec(compile(Path(module).read_text(encoding="utf-8"), module, "exec"), {"__name__": Path(module).stem})
        else:
            importlib.import_module(module)


def signatures() -> dict[str, dict[str, bool]]:
    """The arguments of every operation, and whether they may be left out: what a grader may ask."""
    return {name: _arguments(function) for name, function in OPS.items()}


def _arguments(function: Op) -> dict[str, bool]:
    parameters = list(inspect.signature(function).parameters.values())[1:]  # without the student
    named = [each for each in parameters if each.kind is not each.VAR_KEYWORD]
    more = {"**": True} if len(named) < len(parameters) else {}  # passed on to a function of its own
    return {each.name: each.default is not each.empty for each in named} | more


def forget_project(root: str) -> None:
    """Make the rest of the project unimportable; whether its files can be read is the confinement's matter."""
    if os.path.basename(root) not in ("site-packages", "dist-packages"):
        sys.path[:] = [path for path in sys.path if path != root]
    for name, module in list(sys.modules.items()):
        if name == "grader" or name.startswith("grader."):
            if "inside" not in name.split(".") and not _leads_inside(name, module):
                raise RuntimeError(f"{name} is in the memory of a worker")
            if hasattr(module, "__path__"):
                module.__path__ = []


def _leads_inside(name: str, module: ModuleType) -> bool:
    """Whether a package only holds others: the way to an ``inside``, with nothing of its own to read."""
    own = [key for key, value in vars(module).items() if not key.startswith("__") and not isinstance(value, ModuleType)]
    return name == "grader" or (hasattr(module, "__path__") and not own)


def run(shared: Mapping[str, np.ndarray], requests: int = 3, replies: int = 4) -> NoReturn:
    """Serve on two descriptors, then end without ceremony."""
    status = 0
    try:
        with os.fdopen(requests, "rb") as asked, os.fdopen(replies, "wb") as answers:
            serve(asked, answers, shared)
        _flush()
    except BaseException:  # what a student replaced may fail anywhere
        status = 1
    finally:
        os._exit(status)  # a normal exit of torch prints leak reports and runs students' atexit functions


def serve(requests: BinaryIO, replies: BinaryIO, shared: Mapping[str, np.ndarray]) -> None:
    """Answer requests until their stream ends. The first must be ``signatures`` or ``load``."""
    student: Student | None = None
    reply: dict[str, Any]
    while (frame := protocol.read_frame(requests, shared)) is not None:
        ident, request = frame
        try:
            if request["op"] == "load":
                student = Student(**request["args"])
                reply = {
                    "value": {"defined": [n for n in student.names if student.has(n)], "problems": student.problems}
                }
            elif request["op"] == "signatures":
                reply = {"value": signatures()}
            else:
                torch.set_grad_enabled(True)  # whoever turned it off for good is not who is asked now
                reply = {"value": OPS[request["op"]](student, **request["args"])}
            parts = protocol.encode(ident, reply)
        except protocol.ProtocolError as error:
            too_large = ValueError(f"what came back is too large to be looked at: {error}")
            parts = protocol.encode(ident, {"raised": describe.exception(too_large)})
        except Undefined as error:
            parts = protocol.encode(ident, {"undefined": str(error)})
        except BaseException as error:  # SystemExit and KeyboardInterrupt of a student's are observations too
            parts = protocol.encode(
                ident, {"raised": {**describe.exception(error), "at": describe.operations_line(error)}}
            )
        _flush()
        for part in parts:
            replies.write(part)
        replies.flush()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # the student may have replaced or closed it
            continue
