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
    every = [piece for pieces in (program["main"], *program["modules"].values()) for piece in pieces]
    hung = [piece for piece in every if _holds(piece, at)]
    if not hung or not set(program["names"]) - {name for piece in hung for name in statements.bound(piece["source"])}:
        return None

    def without(pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
        says = f"raise TimeoutError('it did not come to an end within {seconds:g} s')\n"
        return [{**piece, "source": says + piece["source"]} if piece in hung else piece for piece in pieces]

    modules = {name: without(pieces) for name, pieces in program["modules"].items()}
    return {**program, "main": without(program["main"]), "modules": modules}


def _holds(piece: dict[str, Any], at: Frame) -> bool:
    lines = piece["source"].count("\n") + 1
    return (piece["file"], piece["cell"]) == (at.file, at.cell) and piece["line"] <= at.line < piece["line"] + lines
