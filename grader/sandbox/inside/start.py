"""The start of the parent of all workers: it imports what they need, says so or what is wrong, and serves.

Over its socket goes one JSON message: {"ops": …}, {"missing": module} when a package is not installed, or
{"failed": why}; with "at" where a line of a file with operations is the reason.
"""

import gc
import importlib
import json
import os
import socket
import sys
import traceback
from collections.abc import Iterable
from typing import Any

from grader.sandbox.inside import kernel, lazy_imports, scratch

LIBRARIES = (
    "torch",
    "torch.nn.functional",
    "torch.optim.lr_scheduler",
    "torch.utils.data",
    "torchvision",
    "torchvision.datasets",
    "torchvision.transforms.v2",
    "PIL.Image",
    "numpy",
    "faiss",
    "pytorch_metric_learning.losses",
    "pytorch_metric_learning.miners",
    "pytorch_metric_learning.distances",
    "pytorch_metric_learning.reducers",
    "pytorch_metric_learning.samplers",
    "pytorch_metric_learning.utils.accuracy_calculator",
)


def main(root: str) -> None:
    """Prepare, say so, and serve until the grader is gone."""
    settings = json.loads(sys.argv[1])
    sys.argv[1:] = sys.orig_argv[1:] = []
    control = socket.socket(fileno=settings["control"])
    try:
        arrays, operations = prepare(root, settings)
    except BaseException as error:
        control.send(json.dumps(_told(error, settings["ops"])).encode())
        os._exit(1)
    from grader.sandbox.inside import zygote  # noqa: PLC0415  it imports torch, whose absence was told above

    control.send(json.dumps({"ops": operations}).encode())
    zygote.Zygote(control, arrays).run()
    scratch.remove(settings["folder"])  # the grader may be gone
    os._exit(0)


def prepare(root: str, settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Import everything, forget where the grader lies, and become a good parent.

    Returns:
        the arrays that all workers share, and the operations that they can be asked for.
    """
    gc.disable()  # a fifth of the time that the imports take
    import_libraries(settings["path"], settings["libraries"] or LIBRARIES)
    from grader.sandbox.inside import serve, shared, zygote  # noqa: F401, PLC0415  as above: they import torch

    serve.load_ops(settings["ops"])
    serve.forget_project(root)
    arrays = shared.open_arrays(settings["shared"])
    tasks = len(os.listdir("/proc/self/task"))
    if tasks != 1:
        raise RuntimeError(f"{tasks} threads after the imports, a fork needs one")
    kernel.prctl(kernel.Prctl.SET_DUMPABLE, 0)
    kernel.prctl(kernel.Prctl.SET_CHILD_SUBREAPER, 1)
    gc.freeze()  # without a collection, which takes longer than what it would free is worth
    gc.enable()
    return arrays, serve.signatures()


def import_libraries(folders: Iterable[str], libraries: Iterable[str] = LIBRARIES) -> None:
    """Import what workers need, and run what every worker runs first.

    Args:
        folders: of installed packages.
    """
    sys.path += [path for path in folders if path not in sys.path]  # -s has left out an account's own
    lazy_imports.leave_out()
    for library in libraries:
        importlib.import_module(library)
    _warm_up()


def _told(error: BaseException, ops: Iterable[str]) -> dict[str, str]:
    """What the grader is told of an error: a package that is not there by its module's name.

    Args:
        ops: the files, or modules, with operations.
    """
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    said = str(error)
    if isinstance(error, SyntaxError) and error.filename:
        places, said = [(error.filename, error.lineno)], error.msg
    at = next(({"at": f"{file}, line {line}"} for file, line in reversed(places) if file in ops), {})
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("grader"):
        return {"missing": error.name[:200], **at}
    return {"failed": f"{type(error).__name__}: {said}"[:2000], **at}


def _warm_up() -> None:
    """Run what every worker runs first, on one thread: a fork after two threads worked would hang."""
    import torch  # noqa: PLC0415  as above

    torch.set_num_threads(1)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 7, 7),
        torch.nn.Flatten(2),
        torch.nn.LayerNorm(16),
        torch.nn.Linear(16, 4),
        torch.nn.GELU(),
    )
    layers(torch.zeros(2, 1, 28, 28)).softmax(-1).sum().backward()
