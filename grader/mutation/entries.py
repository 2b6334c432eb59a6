"""Mutants that are as right as what they were made from: a file that lists them, each with its reason.

An entry names what is changed, never a line number, so that it holds when something else is added above it:

    [[same]]
    where = "regression.py"  # the file, or the id of the variant of the corpus
    function = "Line.fit"
    old = "for step in range(100):"
    new = ["for step in range(101):", "for step in range(99):"]
    reason = "How many steps it takes is the student's own choice."

``old`` and ``new`` are the lines of the diff without their layout. Where any change of ``old`` is right, there is no
``new``. One entry may list several of them.
"""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import GraderError

FILE = "equivalent.toml"


@dataclass(frozen=True)
class EquivalentChange:
    """A change that is the same by contract.

    Attributes:
        where: the file that is changed, or the variant.
        function: qualified name of what is changed.
        old: the lines that go.
        new: the lines that come; None where any will do.
        reason: why this is as right as before.
    """

    where: str
    function: str
    old: str
    new: str | None
    reason: str

    def matches(self, where: str, function: str, changed: tuple[str, str]) -> bool:
        """Tell whether this entry is about a change."""
        old, new = changed
        return (self.where, self.function, self.old) == (where, function, old) and self.new in (None, new)

    def __str__(self) -> str:
        return f"{self.where}, {self.function}: {self.old!r} -> {'anything' if self.new is None else repr(self.new)}"


def load(path: Path) -> list[EquivalentChange]:
    """Read the entries of a file; none where there is no file.

    Raises:
        GraderError: it does not have the form above.
    """
    if not path.is_file():
        return []
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GraderError(f"{path}: not TOML: {error}; nothing was audited") from None
    return [entry for number, row in enumerate(content.get("same", []), 1) for entry in _entries(path, number, row)]


def _entries(path: Path, number: int, row: dict[str, Any]) -> Iterator[EquivalentChange]:
    fields = {"where", "function", "old", "new", "reason"}
    missing = fields - {"new"} - row.keys()
    if missing or row.keys() - fields or not str(row.get("reason", "")).strip():
        raise GraderError(
            f"{path}: entry {number}: expected where, function, old, reason and perhaps new, "
            f"got {', '.join(sorted(row))}; nothing was audited"
        )
    new = row.get("new")
    for each in [new] if new is None or isinstance(new, str) else new:
        yield EquivalentChange(
            row["where"], row["function"], plain(row["old"]), None if each is None else plain(each), row["reason"]
        )


def plain(text: str) -> str:
    """Lines without their layout."""
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def explaining(
    entries: Iterable[EquivalentChange], where: str, function: str, changed: tuple[str, str]
) -> EquivalentChange | None:
    """The first entry that is about a change."""
    return next((entry for entry in entries if entry.matches(where, function, changed)), None)
