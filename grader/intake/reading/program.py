"""A slice in the form of ``grader.records.Program``, as JSON takes it."""

from typing import Any

from .gather import Gathering
from .units import Item


def gathered(gathering: Gathering) -> tuple[dict[str, Any], list[str]]:
    """Return the program as JSON takes it (see ``grader.records.Program``), and what was left out."""
    gathering.gather()
    modules = {name: pieces_of(gathering, name) for name in sorted(gathering.included)}
    names = {}
    for name, (module, item) in gathering.defined().items():
        place = item.statement.place
        names[name] = {"file": place.file, "cell": place.cell, "line": item.statement.line, "module": module}
    program = {"main": pieces_of(gathering, None), "modules": modules, "names": names}
    files = [f"{file}: {why}; left out" for file, why in gathering.sources.left_out.items()]
    return program, [*files, *gathering.problems, *gathering.reports()]


def pieces_of(gathering: Gathering, module: str | None) -> list[dict[str, object]]:
    unit = gathering.units[module]
    return [piece(item, unit.postponed) for item in gathering.pieces(module)]


def piece(item: Item, postponed: bool) -> dict[str, object]:
    """Return one piece; where annotations are postponed, every piece says so in a line before it."""
    statement = item.statement
    source, line = statement.source, statement.line
    if postponed:
        source, line = f"from __future__ import annotations\n{source}", line - 1
    return {"source": source, "file": statement.place.file, "cell": statement.place.cell, "line": line}
