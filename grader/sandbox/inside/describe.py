"""Facts about exceptions and tensors, in forms that the protocol can carry."""

import difflib
import linecache
import math
import os
import sys
import traceback
import types
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

MAX_TEXT = 2_000
# Folders of the machine that grades, which messages leave out: libraries, the standard library, the grader.
_PLACES = (torch.__path__[0], os.path.abspath(os.__file__), os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
FOLDERS = [f"{os.path.dirname(os.path.abspath(place))}/" for place in _PLACES]
files = ""  # the folder of the submission, which messages leave out: it is another one each time
lost: dict[str, str] = {}  # by name whose definition raised, "*" for any: where and what, as the end of a sentence


def exception(error: BaseException) -> dict[str, Any]:
    """Describe an exception; even one whose ``__str__`` raises."""
    try:
        message = _message(error)
    except BaseException:  # its author may have made it raise anything
        message = "(its message could not be read)"
    return {
        "type": type(error).__name__[:100],
        "bases": [base.__name__[:100] for base in type(error).__mro__[:20]],
        "message": message,
        "frames": student_frames(error),
    }


def _message(error: BaseException) -> str:
    message = str(error)[:MAX_TEXT]
    if isinstance(error, SystemExit):
        ends = "which ends the program"
        message = f"{message}, {ends}" if message and message != "None" else ends
    if files:
        message = message.replace(f"{files}/", "")
    if isinstance(error, ImportError) and error.path:
        message = message.replace(f" ({error.path})", "")
    for folder in FOLDERS:
        message = message.replace(folder, "")
    sought = _sought(error, message)
    cause = lost.get(sought) or (lost.get("*") if sought and type(error) is NameError else None)
    near = _near(error)
    of_one_letter = 0.9  # as label is like labels
    is_slip = bool(near) and difflib.SequenceMatcher(None, sought, near).ratio() > of_one_letter
    if cause and not (is_slip and "is not executed" in cause):
        return f"{message}, because {cause}"
    return f"{message} (did you mean '{near}'?)" if near else message


def _near(error: BaseException) -> str:
    """The name in a module or an object that is most like the one that was looked for; empty without one."""
    there: Any
    if type(error) is ImportError:
        there, name = sys.modules.get(error.name or ""), _sought(error, str(error))
        names = [other.removeprefix(f"{error.name}.") for other in sys.modules if other.startswith(f"{error.name}.")]
    elif type(error) is AttributeError:
        there, name, names = error.obj, str(error.name), []
    elif type(error) is NameError:
        there, name, names = None, str(error.name), _bound_where_raised(error)
    else:
        return ""
    try:
        names += [other for other in dir(there) if not other.startswith("_")] if there is not None else []
    except BaseException:  # its author may have made it raise anything
        return ""
    min_similarity = 0.8  # of two names, from 0 to 1
    near = difflib.get_close_matches(name, names, 1, min_similarity) if name else []
    return next(iter([*near, *(other for other in names if other.lower() == name.lower())]), "")


def _bound_where_raised(error: BaseException) -> list[str]:
    """The names that the line could have used that raised."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1:]
    return [name for frame in frames for name in (*frame.f_locals, *frame.f_globals) if isinstance(name, str)]


def _sought(error: BaseException, message: str) -> str:
    """The name that was looked for and is not there; empty where an exception is of another kind."""
    if type(error) is NameError or (type(error) is AttributeError and isinstance(error.obj, types.ModuleType)):
        return str(error.name)
    name = message.removeprefix("cannot import name '") if type(error) is ImportError else message
    return name.partition("'")[0] if name != message else ""


def lose(names: Iterable[str], described: dict[str, Any]) -> None:
    """Remember why names stay undefined: an exception, or what it says itself that it follows from.

    Where an import misspells a name, the one that is meant is not there either.
    """
    follows = described["type"] in ("NameError", "AttributeError", "ImportError")
    why = described["message"].partition(", because ")[2] if follows else ""
    for frame in described["frames"][-1:]:
        cell = f"cell {frame['cell']}, " if frame["cell"] is not None else ""
        words = " ".join(described["message"].split())[:150]
        why = why or f"{frame['file']}, {cell}line {frame['line']} raised {described['type']}: {words}"
    lost.update(dict.fromkeys(names, why))
    meant = described["message"].partition("(did you mean '")[2].partition("'")[0]
    if described["type"] == "ImportError" and meant and why:
        lost.setdefault(meant, why)


def student_frames(error: BaseException) -> list[dict[str, Any]]:
    """The traceback's lines that lie in the submission, outermost first."""
    trace = traceback.extract_tb(error.__traceback__, limit=200)
    frames = [_line(f.filename, f.lineno or 0, f.name, f.line or "") for f in trace if is_students(f.filename)]
    return frames[-12:]


def operations_line(error: BaseException) -> str:
    """The line of an operation, which ``serve`` called, that an exception came from."""
    trace = traceback.extract_tb(error.__traceback__, limit=200)
    own = [each for each in trace if each.filename == trace[min(1, len(trace) - 1)].filename]
    return f"{os.path.basename(own[-1].filename)}, line {own[-1].lineno}" if own else ""


def frame(running: types.FrameType) -> dict[str, Any] | None:
    """The line that a frame is at, where it lies in the submission."""
    code = running.f_code
    return _line(code.co_filename, running.f_lineno, code.co_name) if is_students(code.co_filename) else None


def is_students(filename: str) -> bool:
    """Whether code of this file name is the submission's."""
    return filename.startswith("<submission>")


def _line(filename: str, line: int, function: str, text: str = "") -> dict[str, Any]:
    """A line of the submission as ``grader.records.Frame`` has it."""
    file, _, cell = filename.removeprefix("<submission>/").partition("#cell-")
    return {
        "file": file,
        "cell": int(cell) if cell.isdecimal() else None,
        "line": line,
        "function": function[:100],
        "text": (text or linecache.getline(filename, line)).strip()[:200],
    }


def result(value: Any, depth: int = 0) -> Any:
    """Describe what a student's function returned: tensors whole, containers by their items, the rest by type.

    What is too large, or lies too deep inside others, is told by its type: no right answer is so large.
    """
    max_numbers, max_axes = 1 << 22, 8  # of one array, as ``grader.observations`` and the protocol let pass
    if isinstance(value, torch.Tensor | np.ndarray) and (value.ndim > max_axes or math.prod(value.shape) > max_numbers):
        kind = "tensor" if isinstance(value, torch.Tensor) else "array"
        return {"kind": "other", "type": f"a {kind} of shape {tuple(value.shape)}, which is too large", "none": False}
    max_depth = 8  # of containers inside each other
    if isinstance(value, tuple | list | dict) and depth >= max_depth:
        return {"kind": "other", "type": f"a {type(value).__name__[:100]} inside many others", "none": False}
    if isinstance(value, torch.Tensor):
        return {"kind": "tensor", **tensor(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return {"kind": "ndarray", "dtype": str(value.dtype), "array": plain(torch.from_numpy(np.array(value)))}
    if isinstance(value, bool | int | float | np.number):
        return {"kind": "number", "number": float(value), "type": type(value).__name__}
    if isinstance(value, str):
        return {"kind": "str", "text": value[:MAX_TEXT]}
    if isinstance(value, tuple | list):
        items = [result(item, depth + 1) for item in value[:64]]
        return {"kind": "sequence", "type": type(value).__name__, "items": items}
    if isinstance(value, dict):
        pairs = list(value.items())[:64]
        return {"kind": "dict", "items": {str(key)[:100]: result(item, depth + 1) for key, item in pairs}}
    return {"kind": "other", "type": type(value).__name__[:100], "none": value is None}


def tensor(value: torch.Tensor) -> dict[str, Any]:
    """Describe a tensor with its values; a sparse one as if it were none."""
    if value.layout != torch.strided:
        value = value.to_dense()
    return {
        "dtype": str(value.dtype).removeprefix("torch."),
        "device": value.device.type,
        "requires_grad": torch.Tensor.as_subclass(value, torch.Tensor).requires_grad,  # whatever its own class says
        "array": plain(value),
    }


def plain(value: torch.Tensor) -> np.ndarray:
    """A tensor's values as an array of a dtype that the protocol carries.

    Raises:
        TypeError: it holds none.
    """
    if value.is_meta:
        raise TypeError("this tensor is on the device meta, where tensors hold no numbers")
    value = value.detach().cpu()
    if value.is_complex():
        value = value.real
    if value.is_floating_point() and value.dtype != torch.float64:
        value = value.float()
    return value.resolve_conj().resolve_neg().contiguous().numpy().copy()
