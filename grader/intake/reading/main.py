"""Answer one request: the entry of the process that reads submissions."""

import gc
import json
import sys
from pathlib import Path, PurePosixPath
from typing import Any

from .choose import Choice, choose
from .freeze import class_members, clear, digest_of, freeze, unpack
from .gather import WantedNames
from .left_out import left_out
from .limits import IntakeLimits
from .members import original_name
from .newer import with_versions
from .outputs import errors, printed
from .parsing import Broken
from .program import gathered
from .refusal import RefusalError
from .slips import slips


def serve() -> None:
    """Read a request from stdin and write the reply to stdout."""
    gc.disable()  # a tenth of the time: trees are large, hold no circles, and the process ends with its only reply
    request = json.load(sys.stdin)
    limits = IntakeLimits(**request["limits"])
    confine(limits)
    json.dump(reply(request, limits), sys.stdout)


def confine(limits: IntakeLimits) -> None:
    """Limit this process, where the system can; nothing here needs more."""
    sys.setrecursionlimit(3000)
    try:
        import resource  # noqa: PLC0415  Windows has none
    except ImportError:
        return
    seconds = int(limits.seconds) + 1
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.unpacked + 1),
    ):
        hard = resource.getrlimit(kind)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (most, most))


def reply(request: dict[str, Any], limits: IntakeLimits) -> dict[str, Any]:
    actions = {"open": open_, "list": list_, "unpack": unpack_}
    try:
        return {"value": actions[request["do"]](request, limits)}
    except RefusalError as error:
        return {"rejected": str(error)}
    except MemoryError:
        return {"rejected": f"needs more than {limits.memory // 1_000_000} MB of memory to be read"}
    except RecursionError:
        return {"rejected": "is nested too deep to be read"}
    except OSError as error:
        return {"error": f"could not be read ({error})"}


def open_(request: dict[str, Any], limits: IntakeLimits) -> dict[str, Any]:
    """Freeze, read and gather one submission."""
    root = Path(request["workspace"])
    files = {name: Path(path) for name, path in request["files"].items()}
    wanted, provided, never_called = (frozenset(request[key]) for key in ("wanted", "provided", "never_called"))
    question = WantedNames(wanted, provided, never_called, tuple(request.get("modules", ())))
    try:
        digests, problems = freeze(Path(request["path"]), root, files, limits)
        choice = choose(root, sorted(digests), question, limits)
    except BaseException:
        clear(root)
        raise
    silent = {cell.number for cell in choice.cells if not cell.outputs}
    program, problems_of_code = gathered(choice.gathering, request.get("traced", ""), silent)
    broken = with_versions(choice.gathering.broken)
    return {
        "sha256": digest_of(digests),
        "notebook": choice.notebook,
        "program": program,
        "cells": cell_logs(choice, limits),
        "files": by_file_name(digests, choice.notebook),
        "problems": [
            *problems,
            *choice.problems,
            *map(str, broken),
            *problems_of_code,
            *slips(choice.gathering, broken),
        ],
        "syntax_errors": [syntax_error(each) for each in broken],
        "left_out": left_out(choice, program["names"]),
    }


def syntax_error(broken: Broken) -> dict[str, Any]:
    """Return one as JSON takes it (see ``grader.records.SyntaxProblem``)."""
    place = broken.place
    where = {"file": place.file, "cell": place.cell, "line": broken.line}
    return {**where, "message": broken.message, "names": broken.names, "python": broken.python}


def cell_logs(choice: Choice, limits: IntakeLimits) -> list[dict[str, Any]]:
    logs, left = [], limits.log_chars
    for cell in choice.cells:
        text = printed(cell.outputs, min(left, limits.cell_log_chars))
        left = max(0, left - len(text))
        logs.append({"cell": cell.number, "source": cell.source, "text": text, "errors": errors(cell.outputs)})
    return logs


def by_file_name(names: dict[str, str], notebook: str | None) -> dict[str, str]:
    """Return paths by file name; of two files of one name, the one nearer to the notebook."""
    base = str(PurePosixPath(notebook or "").parent).removeprefix(".")
    outside = {name: bool(base) and not name.startswith(f"{base}/") for name in names}
    nearest = sorted(names, key=lambda name: (outside[name], name.count("/"), name), reverse=True)
    found = {PurePosixPath(name).name: name for name in nearest}
    return {**copies(found), **found}


def copies(files: dict[str, str]) -> dict[str, str]:
    """Return copies of checkpoints by the name that they had, ``weights (1).pt`` as ``weights.pt``.

    Of several copies the one with the highest number counts: it was downloaded last.
    """
    ordered = sorted(name for name in files if name.lower().endswith((".pt", ".pth")))
    ordered.sort(key=lambda name: (len(name), name))
    return {original_name(name): files[name] for name in ordered}


def list_(request: dict[str, Any], limits: IntakeLimits) -> dict[str, Any]:
    """Return the names of the files in the archive of a class, and what is refused among them, with reasons."""
    members, refused = class_members(Path(request["path"]), limits)
    return {"files": [member.name for member in members], "refused": refused}


def unpack_(request: dict[str, Any], limits: IntakeLimits) -> dict[str, str]:
    """Unpack the archive of a whole class, archives inside it as they are; return what was refused."""
    return unpack(Path(request["path"]), Path(request["workspace"]), limits)
