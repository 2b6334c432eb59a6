"""CSV files of others, read and written back: what we do not fill stays as it was, and every cell is text."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from grader.errors import GraderError
from grader.gradebook.tables import named

BOM = "\ufeff"


@dataclass
class Sheet:
    """A table with a header; ``rows`` may be changed.

    Attributes:
        header: names of the columns, as they stand in the file.
        rows: the others, each as long as the header.
        bom: whether the file began with a byte-order mark.
        ending: of its lines.
    """

    header: list[str]
    rows: list[list[str]]
    bom: bool = False
    ending: str = "\r\n"

    def column(self, name: str) -> int | None:
        """Which column has a name, whatever the case and the spaces around it."""
        names = [each.strip().casefold() for each in self.header]
        return names.index(name.casefold()) if name.casefold() in names else None

    def text(self) -> str:
        """The file's text."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator=self.ending)
        writer.writerow([cell(each) for each in self.header])
        writer.writerows([cell(each) for each in row] for row in self.rows)
        return BOM * self.bom + out.getvalue()


@dataclass(frozen=True)
class Filled:
    """A sheet, and who is not in it as expected."""

    sheet: Sheet
    left: tuple[str, ...]  # students whose cell is as it was: their grade needs review or is locked, or they get no row
    unknown: tuple[str, ...]  # students with a grade whom the sheet does not know


@dataclass(frozen=True)
class Filling:
    """How a person wants a learning platform's sheet to be filled.

    Attributes:
        given: the file that the platform offers; one of our own is made where there is none.
        column: which column, where the sheet has several.
        comments: whether to write what was seen as comments.
    """

    given: Path | None = None
    column: str | None = None
    comments: bool = True


def read(path: Path, *needed: str) -> Sheet:
    """Read a file.

    Args:
        needed: columns that must be there.

    Raises:
        GraderError: there is none, or it is not such a file.
    """
    try:
        raw = path.read_bytes().decode("utf-8")
        rows = [row for row in csv.reader(io.StringIO(raw.removeprefix(BOM), newline=""), strict=True) if row]
    except OSError as error:
        raise GraderError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise GraderError(f"{path}: expected a CSV file in UTF-8 with commas: {error}") from None
    header, rows = (rows[0], rows[1:]) if rows else ([], [])
    width = len(header)
    sheet = Sheet(header, [(row + [""] * width)[:width] for row in rows], raw.startswith(BOM))
    sheet.ending = "\r\n" if "\r\n" in raw else "\n"
    for name in needed:
        if sheet.column(name) is None:
            raise GraderError(f"{path}: expected a column {name!r}, found {named(header)}")
    return sheet


def cell(raw: str) -> str:
    """A cell that no spreadsheet computes; a dash alone, which Moodle writes for "never", computes nothing."""
    risky = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet may compute what begins like this (OWASP)
    return f"'{raw}" if raw.startswith(risky) and raw != "-" else raw


def number(points: float) -> str:
    """Points as both systems read them: at most two decimals, with a point."""
    return f"{round(points, 2):.2f}".rstrip("0").rstrip(".")
