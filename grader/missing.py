"""Words for names that a submission lacks, or that still raise NotImplementedError, and why that is."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from grader.evidence import Evidence
from grader.raised import IMPORTS, lacks_forward, place
from grader.records import Frame, Observation, Origin


def absence(absent: list[str], evidence: Evidence) -> str:
    """Say which names are not defined, the cause first; where none is known, what may be meant by another name."""
    names = " and ".join(f"`{name}`" for name in absent)
    words = f"{names} {'is' if len(absent) == 1 else 'are'} not defined"
    if cause := _cause(absent, evidence):
        return therefore(cause, words)
    meant = next((each for name in absent for each in _slips(repr(name), evidence)), "")
    return f"{words}: {meant}" if meant else words


def therefore(cause: str, words: str) -> str:
    """A cause and what follows from it."""
    return f"{cause} So {words}" if cause.endswith((".", "!", "?")) else f"{cause}, so {words}"


def _cause(absent: list[str], evidence: Evidence) -> str:
    """Why names are not defined; empty where that is not known."""
    lost = [str(problem) for problem in evidence.submission.syntax_errors if set(problem.names) & set(absent)]
    lost += [line for line in evidence.submission.problems if any(_is_about(name, line) for name in absent)]
    lost += [line for line in evidence.submission.left_out if any(f"`{name}`" in line for name in absent)]
    if lost:
        return lost[0]
    problems = evidence["load"].observation.value["problems"] if evidence["load"].ok else []
    stars = [problem for problem in problems if problem["type"] == "ModuleNotFoundError" and _is_star(problem)]
    if stars and not any(name in evidence.submission.program.names for name in absent):
        return _raised_while_loaded(stars[0])
    tried = [evidence.submission.program.names[name] for name in absent if name in evidence.submission.program.names]
    return _raised_while_loaded(raised_by(tried[0], problems)) if tried and problems else ""


def _is_star(problem: dict[str, Any]) -> bool:
    """Whether an import of all names of a module raised."""
    return any(
        frame["text"].startswith("from ") and frame["text"].endswith("import *") for frame in problem["frames"][-1:]
    )


def _is_about(name: str, line: str) -> bool:
    return repr(name) in line and not line.startswith(f"{name!r}: ")


def _slips(about: str, evidence: Evidence) -> list[str]:
    """What intake found about a name or a place (see ``grader.intake.reading.slips``)."""
    return [line.removeprefix(f"{about}: ") for line in evidence.submission.problems if line.startswith(f"{about}: ")]


def other_name(name: str, evidence: Evidence) -> str:
    """The definition that may be meant by a name that is not defined; "" where there is none."""
    lines = (line.partition(" defines `")[2] for line in _slips(repr(name), evidence))
    return next((other.partition("`")[0] for other in lines if other), "")


def _raised_while_loaded(problem: dict[str, Any]) -> str:
    """What a definition raised; what it says itself that it follows from stands first."""
    frame = next(iter(problem["frames"][-1:]), None)
    where = place(Frame(**frame)) if frame else "executing the submission's definitions"
    message, _, cause = problem["message"].partition(", because ")
    hint = " (is it a file of your own that was not handed in?)" if problem["type"] == "ModuleNotFoundError" else ""
    unknown = message.partition("name '")[2].partition("'")[0] if problem["type"] == "NameError" else ""
    if unknown in IMPORTS:
        hint = f" (is its import missing at the top: `{IMPORTS[unknown]}`?)"
    words = f"{where} raised {problem['type']}: {message[:300]}{hint}"
    return therefore(cause[:300], words) if cause else words


def raised_by(definition: Origin, problems: list[dict[str, Any]]) -> dict[str, Any]:
    """The exception that a definition raised when it was executed, the first of all where that is not known."""
    at = [(p["frames"][0]["line"], number) for number, p in enumerate(problems) if lies_in(p, definition)]
    return problems[min(at, default=(0, 0))[1]]


def lies_in(problem: dict[str, Any], definition: Origin) -> bool:
    frames = problem["frames"]
    here = bool(frames) and (frames[0]["file"], frames[0]["cell"]) == (definition.file, definition.cell)
    return here and frames[0]["line"] >= definition.line


def is_to_do(observation: Observation) -> bool:
    """Whether what was asked for is not there, or raises NotImplementedError still."""
    if observation.outcome == "undefined":
        return True
    return observation.raised is not None and observation.raised.is_to_do


def todo_words(observation: Observation) -> str:
    """Say that something is still to do."""
    if observation.raised is None:
        return f"`{observation.detail}` is not defined"
    where = f" ({place(observation.raised.frames[-1])})" if observation.raised.frames else ""
    return f"still to do{where}: {observation.raised.message or 'raises NotImplementedError'}"


def empty(names: Iterable[str], evidence: Evidence) -> str:
    """Say which of these has a head and no body; "" where none has."""
    lines = (line for name in names for line in _slips(repr(name), evidence))
    return next((line for line in lines if line.startswith("still to do ")), "")


def defined_again(names: Iterable[str], evidence: Evidence) -> str:
    """Say which of these is defined twice, and which definition was judged; "" where none is."""
    lines = (line for name in names for line in _slips(repr(name), evidence))
    return next((f"{line}." for line in lines if line.startswith("The last definition counts")), "")


def to_do(observation: Observation, evidence: Evidence) -> str:
    """Say that something is still to do; of a method that is not there, why it may be missing."""
    name = lacks_forward(observation.raised) if observation.raised is not None else ""
    if not name:
        return meant(todo_words(observation), evidence)
    return f"`{name}` has no method `forward`{why_not_added(name, evidence)}"


def meant(message: str, evidence: Evidence) -> str:
    """Add to what is said of something missing what its author may have overlooked."""
    for line in evidence.submission.problems:
        where, found, words = line.partition("): ")
        if found and line.startswith("(") and f"{where})" in message:
            return f"{message.rstrip('.')}. But {words}"
    file = message.partition("there is no ")[2].partition(":")[0].partition(",")[0]
    min_similarity = 0.8
    if "." in file and file not in evidence.submission.files:
        others = [name for name in sorted(evidence.submission.files) if not name.endswith((".py", ".ipynb"))]
        for near in get_close_matches(file, others, 1, min_similarity):
            return f"{message.rstrip('.')}. A file {near} is there: is it this one under another name?"
    return message


def why_not_added(name: str, evidence: Evidence) -> str:
    """Why a class lacks a method: it is misspelled, or a cell magic or a decorator that raised did not add it."""
    for words in _slips(repr(name), evidence):
        return f": {words}"
    for line in evidence.submission.problems:
        if "cell magic" in line and name in line:
            return f": {line}"
    for problem in evidence["load"].observation.value["problems"] if evidence["load"].ok else []:
        frame = next(iter(problem["frames"][-1:]), None)
        if frame and name in frame["text"]:
            return f": {_raised_while_loaded(problem)}"
    return ""
