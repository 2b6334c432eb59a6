"""Whose fault an exception is: a library that an empty worker cannot read either is the grader's to provide.

What a worker says of an exception may be a lie, so nothing rests on it but the suspicion: the file must lie among
the installed libraries, and a worker that has never seen a submission must fail over it in the same way.
"""

import importlib.machinery
import os
import sysconfig
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from grader import patterns
from grader.records import Observation
from grader.sandbox.outside import access

if TYPE_CHECKING:
    from grader.sandbox.outside.connection import Workers

IMPORT_ERRORS = {"ImportError", "OSError", "NameError"}  # a name is undefined "because …" the import before it failed


def fault(workers: "Workers", observation: Observation, hidden: tuple[str, ...] = ()) -> str:
    """Say what of the libraries workers cannot have; nothing where an observation gives no such suspicion."""
    return next(iter(refused(workers, observation, hidden, {})), "")


def refused(workers: "Workers", observation: Observation, hidden: tuple[str, ...], tried: dict[str, bool]) -> list[str]:
    """What of the libraries workers cannot have, as the messages of an observation say it: "No module named 'lost'".

    Args:
        workers: to start an empty one.
        observation: what a submission's worker answered.
        hidden: folders that no worker may read, so that nothing is amiss when one cannot.
        tried: what is known already, by suspicion; filled in.
    """
    found = []
    max_suspicions = 5  # that are looked into
    for message in list(dict.fromkeys(_messages(observation)))[:max_suspicions]:
        for suspicion, confirm in _suspicions(message, hidden):
            if suspicion not in tried:
                tried[suspicion] = confirm(workers)
            found += [suspicion] if tried[suspicion] else []
    return list(dict.fromkeys(found))


def _messages(observation: Observation) -> Iterator[str]:
    if observation.raised is not None and IMPORT_ERRORS.intersection(observation.raised.bases):
        yield observation.raised.message
    yield from _described(observation.value)


def _described(value: Any) -> Iterator[str]:
    """The messages of suspicious exceptions that an operation described in its answer."""
    if isinstance(value, dict):
        bases, message = value.get("bases"), value.get("message")
        if isinstance(bases, list) and isinstance(message, str) and any(base in IMPORT_ERRORS for base in bases):
            yield message
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(item, dict | list):
            yield from _described(item)


def _suspicions(message: str, hidden: tuple[str, ...]) -> "Iterator[tuple[str, Callable[[Workers], bool]]]":
    """The part of a message that names something installed, and how an empty worker is tried with it."""
    missing_module = patterns.compile(r"No module named '([\w.]{1,200})'")
    if found := missing_module.search(message):
        if _is_library(_origin(found[1]), hidden):
            yield found[0], partial(_fails, f"import {found[1]}", found[0])
        return
    # The file of an OSError, of an extension module.
    named_file = patterns.compile(r"'(/[^'\n]{1,1000})'|^(/\S{1,1000}?\.so[\w.]*): ")
    for found in named_file.finditer(message):
        path = found[1] or found[2]
        if _is_library(path, hidden):
            look = "__import__('os').listdir" if os.path.isdir(path) else "open"
            yield path, partial(_fails, f"{look}({os.path.realpath(path)!r})", "")
            return


def _origin(module: str) -> str:
    """The file of an installed module, without importing what it lies in."""
    places: Any = [*_folders(), *access.package_folders()]
    names = module.split(".")
    for count in range(1, len(names) + 1):
        spec = importlib.machinery.PathFinder.find_spec(".".join(names[:count]), places)
        if spec is None:
            return ""
        places = spec.submodule_search_locations or []
    return spec.origin or next(iter(places), "") if spec is not None else ""


def _folders() -> list[str]:
    """Where the interpreter's own modules and the installed ones lie."""
    paths = sysconfig.get_paths()
    own = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return [*own, os.path.join(paths["platstdlib"], "lib-dynload")]


def _is_library(path: str, hidden: tuple[str, ...]) -> bool:
    real = os.path.realpath(path) if path else ""
    folders = map(os.path.realpath, [*_folders(), *access.package_folders()])
    return os.path.exists(real) and _within(real, folders) and not _within(real, (*access.project(), *hidden))


def _within(path: str, folders: Any) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _fails(statement: str, message: str, workers: "Workers") -> bool:
    """Whether a worker without a submission cannot do this, with such a message."""
    piece = {"source": statement, "file": "control.py", "cell": None, "line": 1}
    worker = workers.open({"main": [piece], "modules": {}, "names": {}}, "")
    seconds = 30.0
    try:
        observation = worker.ask("load", {}, seconds)
    finally:
        worker.close()
    return observation.outcome == "value" and any(
        message in problem["message"] for problem in observation.value["problems"]
    )
