"""A program without a statement that does not end: what else the submission defines is judged."""

from typing import Any

from grader.records import Frame
from grader.sandbox.inside import statements

Program = dict[str, Any]  # as ``Student`` takes it


def without_statement(program: Program, at: Frame, seconds: float) -> Program | None:
    """Let a statement say that it does not end, in place of being executed.

    Args:
        at: a line of it.
        seconds: for which it was waited.

    Returns:
        None where there is no such statement, or where nothing that is asked for would be left.
    """
    modules = [("main", program["main"]), *program["modules"].items()]
    found = next(((name, piece) for name, pieces in modules for piece in pieces if _holds(piece, at)), None)
    if found is None or not set(program["names"]) - statements.bound(found[1]["source"]):
        return None
    name, hung = found
    says = f"raise TimeoutError('it did not come to an end within {seconds:g} s')\n{hung['source']}"
    pieces = [{**piece, "source": says} if piece is hung else piece for piece in dict(modules)[name]]
    if name == "main":
        return {**program, "main": pieces}
    return {**program, "modules": {**program["modules"], name: pieces}}


def _holds(piece: dict[str, Any], at: Frame) -> bool:
    lines = piece["source"].count("\n") + 1
    return (piece["file"], piece["cell"]) == (at.file, at.cell) and piece["line"] <= at.line < piece["line"] + lines
