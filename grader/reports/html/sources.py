"""The lines of a submission that a verdict is about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from grader import patterns
from grader.records import Origin, Piece, Submission
from grader.reports.html import definitions
from grader.reports.html.story import MAX_SEARCHED
from grader.reports.text import visible

Unit = tuple[str, int | None]  # a file, or a cell of a notebook


@dataclass(frozen=True)
class SourceLine:
    number: int
    code: Markup
    named: bool  # the verdict is about this line
    gap: bool = False  # lines are left out before it


@dataclass(frozen=True)
class Excerpt:
    """Lines of a submission and where they stand."""

    place: str
    lines: tuple[SourceLine, ...]


class SourceLines:
    """Finds lines by file or cell; nothing is found where there is no submission any more."""

    def __init__(self, submission: Submission | None) -> None:
        self.submission = submission
        self.colours: dict[Unit, dict[int, Markup]] = {}

    @cached_property
    def units(self) -> dict[Unit, dict[int, str]]:
        """By file or cell, its known lines by number."""
        found: dict[Unit, dict[int, str]] = {}
        if self.submission is None:
            return found
        for piece in self._pieces():
            found.setdefault((piece.file, piece.cell), {}).update(enumerate(piece.source.splitlines(), piece.line))
        for cell in self.submission.cells:
            lines = enumerate(cell.source.splitlines(), 1)
            found[(self.submission.notebook or "", cell.cell)] = dict(lines)
        return found

    def _pieces(self) -> Iterator[Piece]:
        if self.submission is not None:
            yield from self.submission.program.main
            for pieces in self.submission.program.modules.values():
                yield from pieces

    def named(self, text: str, most: int = 2) -> list[Excerpt]:
        """Lines that a message names, as in "model.py, line 31", each with those around it."""
        max_digits = 6  # of the number of a line
        found = [
            (match.start(), self.around(unit, int(match[1])))
            for unit in self.units
            for match in patterns.compile(_named(unit)).finditer(text[:MAX_SEARCHED])
            if len(match[1]) <= max_digits
        ]
        excerpts = [excerpt for _, excerpt in sorted(found, key=lambda pair: pair[0]) if excerpt is not None]
        return list({excerpt.place: excerpt for excerpt in excerpts}.values())[:most]

    def around(self, unit: Unit, number: int) -> Excerpt | None:
        """One line with its neighbours."""
        if number not in self.units.get(unit, {}):
            return None
        lines_around = 3  # lines before and after one that is named
        return self._excerpt(
            unit, f"{_place(unit)}, line {number}", range(number - lines_around, number + lines_around + 1), number
        )

    def about(self, origin: Origin | None, words: str) -> Excerpt | None:
        """What was judged: the lines that hold names which the verdict uses, or how the definition begins."""
        if origin is None:
            return None
        unit, start = (origin.file, origin.cell), (origin.file, origin.cell, origin.line)
        piece = next((p for p in self._pieces() if (p.file, p.cell, p.line) == start), None)
        if piece is None:
            return self.around(unit, origin.line)
        named = [origin.line + at - 1 for at in definitions.naming(piece.source, words)]
        if not named:
            numbers = [origin.line + at - 1 for at in definitions.beginning(piece.source)]
            return self._excerpt(unit, str(origin), numbers)
        near = {n for line in named for n in range(line - 2, line + 3) if n >= origin.line}
        place = f"{_place(unit)}, line {' and '.join(map(str, named))}"
        return self._excerpt(unit, place, sorted({origin.line, *near}), *named)

    def whole(self) -> Iterator[Excerpt]:
        """All lines that count, by file or cell."""
        for unit, lines in self.units.items():
            if (excerpt := self._excerpt(unit, _place(unit), sorted(lines))) is not None:
                yield excerpt

    def _excerpt(self, unit: Unit, place: str, numbers: Iterable[int], *named: int) -> Excerpt | None:
        painted, before, lines = self._painted(unit), None, []
        for number in (n for n in numbers if n in painted):
            lines.append(
                SourceLine(number, painted[number], number in named, before is not None and number > before + 1)
            )
            before = number
        return Excerpt(place, tuple(lines)) if lines else None

    def _painted(self, unit: Unit) -> dict[int, Markup]:
        """The lines of a whole file or cell: a docstring's colour is told from where it begins."""
        max_width = 200  # characters of a line
        max_lines = 2_500  # lines of a file
        if unit not in self.colours:
            lines = self.units.get(unit, {})
            numbers = range(min(lines), min(max(lines), min(lines) + max_lines) + 1) if lines else range(0)
            code = "\n".join(lines.get(number, "")[:max_width] for number in numbers)
            self.colours[unit] = dict(zip(numbers, painted(code), strict=False))
        return self.colours[unit]


def _place(unit: Unit) -> str:
    file, cell = unit
    return file if cell is None else f"{file}, cell {cell}"


def _named(unit: Unit) -> str:
    """A pattern for the place in a message, where no longer name ends with the file's."""
    return rf"(?:^|[^\pL\pN_/.-]){patterns.escape(_place(unit))}, line (\d+)"


def painted(code: str) -> list[Markup]:
    """Python with its words marked by class, a line each; all of it escaped."""
    lines = [visible(line.rstrip()) for line in code.split("\n")]  # Pygments takes long over blanks
    shown = "\n".join(lines)
    max_characters = 60_000  # characters of a file whose words are coloured: it takes a second or less
    if len(shown) > max_characters:
        return [escape(line) for line in lines]
    html = highlight(shown, _lexer(), HtmlFormatter(nowrap=True))  # Pygments closes its spans at the end of lines
    return [Markup(line) for line in html.split("\n")]


@cache
def _lexer() -> PythonLexer:
    return PythonLexer(stripnl=False, ensurenl=True)
