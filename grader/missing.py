"""Words for names that a submission lacks, or that still raise NotImplementedError, and why that is."""

from typing import Any

from grader.evidence import Evidence
from grader.raised import place
from grader.records import Frame, Observation, Origin


def absence(absent: list[str], seen: Evidence) -> str:
    """Say which names are not defined, and why where that is known."""
    names = " and ".join(f"`{name}`" for name in absent)
    words = f"{names} {'is' if len(absent) == 1 else 'are'} not defined"
    told = [line for line in seen.submission.problems if any(f"{name!r}" in line for name in absent)]
    told += [
        line for line in seen.submission.left_out if any(f"`{name}`" in line for name in absent) or " more" in line
    ]
    if told:
        return f"{words}: {told[0]}"
    problems = seen["load"].observation.value["problems"] if seen["load"].ok else []
    tried = [seen.submission.program.names[name] for name in absent if name in seen.submission.program.names]
    if tried and problems:
        cause = raised_by(tried[0], problems)
        frame = next(iter(cause["frames"][-1:]), None)
        where = place(Frame(**frame)) if frame else "executing the submission's definitions"
        return f"{words}: {where} raised {cause['type']}: {cause['message'][:300]}"
    return words


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
    return observation.raised is not None and "NotImplementedError" in observation.raised.bases


def todo_words(observation: Observation) -> str:
    """Say that something is still to do."""
    if observation.raised is None:
        return f"`{observation.detail}` is not defined"
    where = f" ({place(observation.raised.frames[-1])})" if observation.raised.frames else ""
    return f"still to do{where}: {observation.raised.message or 'raises NotImplementedError'}"


def to_do(observation: Observation, seen: Evidence) -> str:
    """Say that something is still to do; of a method that is not there, why it may be missing."""
    message = observation.raised.message if observation.raised is not None else ""
    if NO_FORWARD not in message:
        return todo_words(observation)
    name = message.partition("[")[2].partition("]")[0][:100]
    return f"`{name}` has no method `forward`{why_not_added(name, seen)}"


NO_FORWARD = 'is missing the required "forward" function'  # torch's words


def why_not_added(name: str, seen: Evidence) -> str:
    """Why what would add a method to a class did not: a cell magic, or a decorator that raised."""
    for line in seen.submission.problems:
        if "cell magic" in line and name in line:
            return f": {line}"
    for problem in seen["load"].observation.value["problems"] if seen["load"].ok else []:
        frame = next(iter(problem["frames"][-1:]), None)
        if frame and name in frame["text"]:
            return f": {place(Frame(**frame))} raised {problem['type']}: {problem['message'][:300]}"
    return ""
