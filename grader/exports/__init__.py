"""What other systems take: grades in their formats, and their grade sheets filled in.

Each format is a module that turns results into text and knows nothing of the others. ``FORMATS`` are those that need
nothing but grades, ``SHEETS`` those that fill a sheet in. The command is ``grader.commands.export``.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from grader.errors import GraderError
from grader.exports import annotations, canvas, classroom50, gradescope, junit, markdown, moodle, sheets
from grader.exports.result import ExportedGrade
from grader.firewall import Firewall
from grader.reports import record

T = TypeVar("T")
Writer = Callable[[Sequence[ExportedGrade]], str]


def _each(make: Callable[[ExportedGrade], dict]) -> Writer:
    def text(results: Sequence[ExportedGrade]) -> str:
        whole = [make(result) for result in results]
        return json.dumps(whole[0] if len(whole) == 1 else whole, indent=2, allow_nan=False) + "\n"

    return text


@dataclass(frozen=True)
class Format:
    """A format that needs nothing but grades.

    Attributes:
        said: what it is, for ``grade.py export --help``.
        write: makes the text.
        name: of the file that the reader expects of each submission; empty where all grades go into one text.
        takes_open: whether the reader can be told of a grade that waits for a person.
    """

    said: str
    write: Writer
    name: str = ""
    takes_open: bool = True


@dataclass(frozen=True)
class SheetFormat:
    """A learning platform's sheet of grades that is filled in."""

    said: str
    fill: Callable[[Sequence[ExportedGrade], sheets.Filling], sheets.Filled]


FORMATS: dict[str, Format] = {
    "json": Format("the grades as --json writes them", lambda results: record.text([each.grade for each in results])),
    "md": Format("Markdown for a job summary", markdown.summary),
    "junit": Format("JUnit XML", junit.report),
    "github": Format("annotations for GitHub Actions", annotations.commands),
    "gradescope": Format("results.json, in a folder each", _each(gradescope.results), "results.json"),
    "classroom50": Format("result.json, in a folder each", _each(classroom50.result), "result.json", False),
}
SHEETS: dict[str, SheetFormat] = {
    "canvas": SheetFormat("the gradebook CSV that Canvas imports", canvas.export),
    "moodle": SheetFormat("the offline grading worksheet that Moodle takes", moodle.export),
}


def written(name: str, results: Sequence[ExportedGrade], wall: Firewall) -> tuple[str | None, list[str]]:
    """Grades in a format, without those that its writer raises over.

    Args:
        wall: is told of a writer that raises over all of them.

    Returns:
        the text, None where there is none; and a line for each submission that is not in it.
    """
    return sound(f"the export {name}", FORMATS[name].write, results, wall)


def sound(piece: str, write: Callable[[Sequence[ExportedGrade]], T], results: Sequence[ExportedGrade], wall: Firewall
          ) -> tuple[T | None, list[str]]:  # fmt: skip
    """The same for any function of results."""
    try:
        return write(results), []
    except GraderError:
        raise
    except Exception as error:
        alone = {id(result): _raised(piece, write, result) for result in results}
        sound_ = [result for result in results if not alone[id(result)]]
        if not sound_ or len(sound_) == len(results):
            wall.note(piece, error)
            return None, []
    lines = [f"{result.key}: left out, {alone[id(result)]}" for result in results if alone[id(result)]]
    return wall.attempt(piece, lambda: write(sound_), None), lines


def _raised(piece: str, write: Callable[[Sequence[ExportedGrade]], Any], result: ExportedGrade) -> str:
    wall = Firewall()
    wall.attempt(piece, lambda: write([result]), None)
    return next(iter(wall.lines), "")
