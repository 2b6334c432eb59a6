"""CSV files that people write for a class: rosters, decisions; a mistake is told with its row."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from grader.errors import GraderError, GraderErrors

T = TypeVar("T")
Cells = dict[str, str]  # of one row, by the column's name in lower case


def read(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte-order mark.

    Raises:
        GraderErrors: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise GraderErrors([f"{path}: cannot be read: {error.strerror or error}"]) from None
    except UnicodeDecodeError as error:
        raise GraderErrors([f"{path}: expected a CSV file in UTF-8 with commas: {error}"]) from None


def records(
    text: str, path: str, columns: Callable[[set[str]], str], make: Callable[[int, Cells], T]
) -> tuple[list[T], list[str]]:
    """Make a record of each row.

    Args:
        path: of the file, for messages.
        columns: is given the names of the columns, and says what is wrong with them; empty where nothing is.
        make: makes a record of a row's line in the file and its cells, or raises ValueError.

    Returns:
        the records, and a line for each row that is wrong.

    Raises:
        GraderErrors: it is no such table.
    """
    found: list[T] = []
    wrong: list[str] = []
    try:
        for line, cells in _rows(text, columns):
            try:
                found.append(make(line, cells))
            except ValueError as error:
                wrong.append(f"{path}: row {line}: {error}")
    except (ValueError, csv.Error) as error:
        raise GraderErrors([f"{path}: {error}"]) from None
    return found, wrong


def decided(path: Path, what: str, required: Sequence[str], make: Callable[[int, Cells], T]) -> list[T]:
    """Read a file that is taken whole or not at all.

    Args:
        what: a row is, for messages.
        required: the columns that must be there.
        make: as ``records`` takes it.

    Raises:
        GraderError: it cannot be read or holds no row; or a line for each row that is wrong.
    """

    def problem(names: set[str]) -> str:
        missing = [name for name in required if name not in names]
        return f"expected a column {missing[0]!r}" if missing else ""

    found, wrong = records(read(path), str(path), problem, make)
    if wrong:
        raise GraderErrors(wrong)
    if not found:
        raise GraderError(f"{path}: holds no {what}")
    return found


def yes(cells: Cells, name: str) -> bool:
    """Whether a cell says yes; an empty or missing one says no.

    Raises:
        ValueError: it says neither.
    """
    said = cells.get(name, "").casefold()
    if said in ("yes", "true", "1"):
        return True
    if said in ("", "no", "false", "0"):
        return False
    raise ValueError(f"{name}: expected yes or nothing, got {cells[name]!r}")


def _rows(text: str, columns: Callable[[set[str]], str]) -> Iterator[tuple[int, Cells]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [name.strip().casefold() for name in next(reader, [])]
    if problem := columns(set(header)):
        raise ValueError(f"{problem}, found {named(header)}")
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=False))


def named(header: Sequence[str]) -> str:
    """The columns of a table in words, with a remark where its cells are separated by something else than commas."""
    signs = {";": "semicolons", "\t": "tabs"}
    others = [name for sign, name in signs.items() if len(header) == 1 and sign in header[0]]
    remark = f"; its cells are separated by {others[0]}: save it with commas" if others else ""
    return f"{', '.join(map(repr, header)) or 'none'}{remark}"
