"""Where a submission may be changed, and the submission with a change in it.

Only what is graded is changed: the statements that intake keeps. In a reference that marks its solution, as
``grader.publish.template`` has it, only the solution is, and the heads of the functions that hold it.
"""

import ast
import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import syntax
from grader.mutation.mutations import Mutation, mutations
from grader.records import Piece, Program
from grader.solution_regions import BEGIN, END


@dataclass(frozen=True)
class Source:
    """A text of a submission.

    Attributes:
        file: its name inside the submission.
        cell: number of the notebook's cell, 1-based; None for a module.
        text: the module's or the cell's.
        lines: numbers of those that may be changed.
    """

    file: str
    cell: int | None
    text: str
    lines: frozenset[int]

    def mutations(self) -> list[Mutation]:
        """All changes of one thing."""
        return mutations(self.text, self.lines)


def sources(folder: Path, program: Program, known: Iterable[str] = ()) -> list[Source]:
    """Find the texts that may be changed.

    Args:
        folder: the submission's files.
        program: what intake keeps of them.
        known: statements that are changed elsewhere, and here not.
    """
    pieces = [*program.main, *(piece for found in program.modules.values() for piece in found)]
    left_out = set(known)
    kept: dict[tuple[str, int | None], set[int]] = {}
    for piece in pieces:
        if piece.source not in left_out:
            kept.setdefault((piece.file, piece.cell), set()).update(_lines(piece))
    texts = {place: _text(folder, *place) for place in kept}
    marked = any(BEGIN in text for text in texts.values())
    found = []
    for (file, cell), lines in kept.items():
        text = texts[file, cell]
        allowed = lines & _solution(text) if marked and not left_out else lines
        if allowed:
            found.append(Source(file, cell, text, frozenset(allowed)))
    return found


def copied(folder: Path, target: Path) -> None:
    """Copy a submission without what was trained: a changed model has no checkpoint that fits."""
    shutil.copytree(folder, target, ignore=lambda at, names: [name for name in names if not _is_text(Path(at, name))])


def write(folder: Path, file: str, cell: int | None, text: str) -> None:
    """Put another text in the place of one of a submission's."""
    path = folder / file
    if cell is None:
        path.write_text(text, encoding="utf-8")
        return
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][cell - 1]["source"] = text
    path.write_text(json.dumps(notebook), encoding="utf-8")


def _is_text(path: Path) -> bool:
    return path.suffix in (".py", ".ipynb") or (path.is_dir() and path.name != "__pycache__")


def _text(folder: Path, file: str, cell: int | None) -> str:
    text = (folder / file).read_text(encoding="utf-8")
    return text if cell is None else "".join(json.loads(text)["cells"][cell - 1]["source"])


def _lines(piece: Piece) -> range:
    return range(piece.line, piece.line + len(piece.source.splitlines()))


def _solution(text: str) -> set[int]:
    """The numbers of the lines between the marks, and of the heads of functions that hold some of them."""
    inside, found = False, set[int]()
    for number, line in enumerate(text.splitlines(), 1):
        mark = line.strip()
        if mark.startswith((BEGIN, END)):
            inside = mark.startswith(BEGIN)
        elif inside:
            found.add(number)
    return found.union(*(head for head, body in _functions(text) if found & set(body)))


def _functions(text: str) -> Iterator[tuple[range, range]]:
    """The lines of each function's head, and those of its body."""
    for node in ast.walk(syntax.parse(text)):
        if isinstance(node, ast.FunctionDef):
            first, last = node.body[0].lineno, node.end_lineno or 0
            yield range(node.lineno, first), range(first, last + 1)
