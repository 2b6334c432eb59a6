"""Libraries that are installed here and that the sandbox alone refuses: what rests on one stays open, and nothing else.

Workers find out while they load a submission; the grader tries each such import in an empty worker before it
believes it, and notes those that failed there with the answer to the first request.
"""

import dataclasses
from itertools import chain
from typing import Any

from grader.evidence import Evidence
from grader.records import Observation, Origin, Piece

KEY = "unavailable"  # of the answer to "load": messages of the imports that an empty worker could not do either


def noted(load: Observation, messages: list[str]) -> Observation:
    """The answer to "load" with the imports that are not the submission's fault.

    It is kept as it is then, in place of the frame that came: what is graded again must know of them, too.
    """
    if not messages or load.outcome != "value":
        return load
    return dataclasses.replace(load, value={**load.value, KEY: messages}, frame=b"")


def why_lost(evidence: Evidence, name: str) -> str:
    """What kept a name from being defined, where that was such an import alone; else nothing."""
    load = evidence["load"].observation
    messages = load.value.get(KEY, []) if load.outcome == "value" else []
    origin = evidence.submission.program.names.get(name)
    if not messages or origin is None:
        return ""
    problems = [p for p in load.value["problems"] if _raised_in(p, _piece(evidence, origin))]
    return next((m for m in messages if problems and all(m in p["message"] for p in problems)), "")


def _piece(evidence: Evidence, origin: Origin) -> Piece | None:
    """The statement that binds a name, in the notebook or in whichever module it was imported from."""
    program = evidence.submission.program
    pieces = chain(program.main, *program.modules.values())
    return next((p for p in pieces if _holds(p, origin.file, origin.cell, origin.line)), None)


def _raised_in(problem: dict[str, Any], piece: Piece | None) -> bool:
    """Whether a described exception came from a statement; its first frame is the statement's own."""
    if piece is None or not problem["frames"]:
        return False
    frame = problem["frames"][0]
    return _holds(piece, frame["file"], frame["cell"], frame["line"])


def _holds(piece: Piece, file: str, cell: int | None, line: int) -> bool:
    return (piece.file, piece.cell) == (file, cell) and 0 <= line - piece.line <= piece.source.count("\n")
