"""The lines that make the solution, and whether a text holds any of them."""

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from grader.errors import GraderError
from grader.publish.template import without_solutions
from grader.solution_regions import BEGIN, END


def lines(reference: Path) -> set[str]:
    """The lines of the reference that stay out of the template, without comments.

    The first line of a loop or a branch is none: it says that something is repeated, not what.
    """
    sources = dict(_sources(reference))
    given = {_code(line) for where, source in sources.items() for line in without_solutions(source, where).splitlines()}
    solved = {code for source in sources.values() for code in _solved(source)}
    min_characters = 31  # that nobody writes by chance: shorter lines, such as a step of an optimizer, anybody does
    return {code for code in solved - given if len(code) >= min_characters and not code.endswith(":")}


def refuse(folder: Path, files: Iterable[Path], solution: Collection[str]) -> None:
    """Refuse to hand out files that hold a line of the solution; pictures and data hold one as their bytes may.

    Raises:
        GraderError: the first file that does, as it is named in ``folder``.
    """
    for path in sorted(files):
        if found := leaked(path.read_text(encoding="utf-8", errors="replace"), solution):
            name = path.relative_to(folder).as_posix()
            raise GraderError(f"{name}: holds a line of the solution, {found[0]!r}; nothing was written")


def leaked(text: str, solution: Iterable[str]) -> list[str]:
    """Lines of a solution that a text holds, however it is indented or quoted."""
    return [line for line in solution if line in text or json.dumps(line)[1:-1] in text]


def _sources(reference: Path) -> Iterator[tuple[str, str]]:
    """The reference's code, and where it stands."""
    for path in sorted(reference.glob("*.py")):
        yield str(path), path.read_text(encoding="utf-8")
    for path in sorted(reference.glob("*.ipynb")):
        for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"], 1):
            if cell["cell_type"] == "code":
                yield f"{path}, cell {number}", "".join(cell["source"])


def _solved(source: str) -> Iterator[str]:
    inside = False
    for line in source.splitlines():
        mark = line.strip()
        if mark.startswith((BEGIN, END)):
            inside = mark.startswith(BEGIN)
        elif inside and not mark.startswith("#"):
            yield _code(line)


def _code(line: str) -> str:
    return line.partition("  #")[0].strip()
