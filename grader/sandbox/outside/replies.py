"""Reading what a worker sent: bodies become observations, stacks become places; all of it may be a lie."""

import signal
from functools import cache
from typing import Any

from grader import patterns
from grader.records import NOT_OURS, Frame, Observation, Raised

NO_FORM = "the reply has no form that the worker gives one"  # for instructors
NO_MEMORY = patterns.compile(r"DefaultCPUAllocator: (can't|not enough) |[Uu]nable to allocate .* for an array")


@cache
def _dropped() -> dict[int, None]:
    """The characters that ``clean`` drops, for ``str.translate``: all spaces but three are among them."""
    directions = (*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    surrogates = range(0xD800, 0xE000)
    spaces = (code for code in range(0x3001) if chr(code).isspace())  # the ideographic one is the last
    every = (*range(0x20), *range(0x7F, 0xA0), *spaces, *directions, *surrogates)
    return dict.fromkeys(code for code in every if chr(code) not in "\n\t ")


def clean(text: str) -> str:
    """Remove control characters, terminal escapes, direction overrides and halves of surrogate pairs."""
    terminal_escape = patterns.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # of a terminal
    return text if text.isprintable() else terminal_escape.sub("", text).translate(_dropped())


def observation(body: Any, output: str, seconds: float, frame: bytes | bytearray = b"") -> Observation:
    """Turn a reply's body into an observation; a body of another form is a forged one.

    Args:
        output: what the submission printed meanwhile.
        seconds: how long it took.
        frame: the reply as it came, to be kept.
    """
    if isinstance(body, dict) and len(body) == 1:
        ((kind, content),) = body.items()
        if kind == "value":
            return Observation("value", cleaned(content), output=output, seconds=seconds, frame=frame)
        if kind == "undefined" and isinstance(content, str):
            return Observation("undefined", detail=clean(content[:200]), output=output, seconds=seconds, frame=frame)
        if kind == "raised" and (raised := raised_from(content)) is not None:
            return Observation("raised", raised=raised, output=output, seconds=seconds, frame=frame)
    return forged(NO_FORM, output, seconds)


def forged(why: str, output: str = "", seconds: float = 0.0) -> Observation:
    """An answer that the worker's own code did not write; ``why`` is for instructors."""
    return Observation("forged", detail=NOT_OURS, output=output, seconds=seconds, misfit=why)


def is_loading(value: Any) -> bool:
    """Whether an answer to "load" has its form: the names that are defined, and the exceptions met."""
    if not isinstance(value, dict) or value.keys() != {"defined", "problems"}:
        return False
    defined, problems = value["defined"], value["problems"]
    return (
        isinstance(defined, list)
        and isinstance(problems, list)
        and all(isinstance(name, str) for name in defined)
        and all(raised_from(problem) is not None for problem in problems)
    )


def cleaned(value: Any) -> Any:
    """Clean every string in a decoded value, and cut those that no operation makes so long."""
    max_characters = 20_000  # characters of one string in a value
    if isinstance(value, str):
        return clean(value[:max_characters])
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): cleaned(item) for key, item in value.items()}
    return value


def raised_from(content: Any) -> Raised | None:
    """Read a described exception; None when it is not one, or longer than ``describe.exception`` makes it."""
    max_frames, max_bases = 20, 40
    try:
        if len(content["frames"]) > max_frames or len(content["bases"]) > max_bases:
            return None
        frames = tuple(_frame(each) for each in content["frames"])
        bases = tuple(_text(base, 100) for base in content["bases"])
        at = _text(content.get("at", ""), 300)
        return Raised(_text(content["type"], 100), bases, _text(content["message"], 4000), frames, at)
    except (TypeError, KeyError, IndexError, ValueError, AttributeError, OverflowError):
        return None


def _frame(content: dict[str, Any]) -> Frame:
    cell, line = content["cell"], content["line"]
    if len(content) != len(Frame.__dataclass_fields__) or type(line) is not int or type(cell) not in (int, type(None)):
        raise TypeError("no line of a traceback")
    place = (_text(content["file"], 300), cell, line)
    return Frame(*place, _text(content["function"], 100), _text(content["text"], 300))


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise TypeError("something else than text")
    return clean(value[:most])


def lacked_memory(raised: Raised) -> bool:
    """Whether an exception says that memory was refused."""
    return "MemoryError" in raised.bases or NO_MEMORY.search(raised.message) is not None


def innermost(stack: str, function: str = "") -> Frame | None:
    """The line of the student's code that a stack is at; None where it is in none.

    Args:
        function: the one whose line is wanted, "<module>" for the statement that is executed; any where it is empty.
    """
    named = function or r"[\w<>.]{1,100}"
    student_frame = patterns.compile(rf'File "<submission>/([^"\n]{{1,200}})", line (\d{{1,6}}) in ({named})')
    found = student_frame.search(stack)
    if found is None:
        return None
    file, _, cell = found[1].partition("#cell-")
    number = int(cell) if len(cell) < 7 and cell.isdecimal() else None
    return Frame(file, number, int(found[2]), found[3], "")


def place(stack: str) -> str:
    """Say where in the student's code a stack is: " in forward (model.py, line 12)", or nothing."""
    frame = innermost(stack)
    if frame is None:
        return ""
    where = f"{frame.file}, cell {frame.cell}" if frame.cell is not None else frame.file
    function = f" in {frame.function}" if frame.function != "<module>" else ""
    return clean(f"{function} ({where}, line {frame.line})")


def death(status: int, stack: str) -> str:
    """Say how a process ended: its exit status, or the signal and where it was."""
    if status >= 0:
        return f"the process ended with exit status {status}"
    fatal_error = patterns.compile(
        r"Fatal Python error: (Segmentation fault|Aborted|Bus error|Floating point exception|Illegal instruction)"
    )
    fatal = fatal_error.search(stack)  # the first process of a pid namespace cannot die of SIGABRT itself
    signal_of = {
        "Segmentation fault": "SIGSEGV",
        "Aborted": "SIGABRT",
        "Bus error": "SIGBUS",
        "Floating point exception": "SIGFPE",
        "Illegal instruction": "SIGILL",
    }
    name = signal_of[fatal[1]] if fatal else signal_name(status)
    return f"crashed ({name}){place(stack)}"


def signal_name(code: int) -> str:
    """Name a negative exit status: -11 → "SIGSEGV"."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
