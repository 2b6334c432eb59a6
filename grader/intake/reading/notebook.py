"""Read a notebook of any version: its cells in order, with their saved outputs.

A version 4 notebook is read as the JSON that it is: nbformat would validate and copy 60 MB of outputs
first. Older ones go through nbformat's upgrade. Missing or doubled cell ids matter to nobody here.
"""

import json
import logging
import site
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .other_kinds import START_BYTES, told_kind
from .refusal import RefusalError


@dataclass(frozen=True)
class Cell:
    number: int  # 1-based among all cells
    source: str
    outputs: list[Any]  # as they were saved, unchecked
    executed: bool = False  # a count says so


def read_cells(path: Path) -> tuple[list[Cell], list[str]]:
    """Return a notebook's code cells, and what was odd about it, in words.

    Raises:
        RefusalError: it is empty, not JSON, nested too deep, or no notebook.
    """
    notebook = upgraded(load(path))
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise RefusalError("is not a notebook: it has no list of cells")
    code, problems = [], []
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or not is_text(cell.get("source", "")):
            problems.append(f"cell {number}: not a notebook cell; left out")
        elif cell.get("cell_type") == "code":
            outputs = cell.get("outputs")
            source = without_surrogates(text(cell.get("source", "")))
            executed = bool(cell.get("execution_count"))
            code.append(Cell(number, source, outputs if isinstance(outputs, list) else [], executed))
    return code, problems


def load(path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    if not raw.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise RefusalError("is an empty file; expected a notebook")
    if told := told_kind(path.name, raw[:START_BYTES]):
        raise RefusalError(told)
    try:
        content = raw.decode(json.detect_encoding(raw), "replace")
        notebook = json.loads(content, strict=False)
    except RecursionError:
        raise RefusalError("is not a notebook: its JSON is nested too deep") from None
    except ValueError as error:
        marks = [number for number, line in enumerate(content.splitlines(), 1) if line.startswith("<<<<<<< ")]
        if marks:
            raise RefusalError(
                f"is not a notebook any more: from line {marks[0]} on it holds both versions of a merge conflict "
                "(<<<<<<<, =======, >>>>>>>); keep one of them, without these marks"
            ) from None
        raise RefusalError(f"is not a notebook: its JSON is broken ({error})") from None
    if not isinstance(notebook, dict):
        raise RefusalError("is not a notebook: its JSON is no object")
    return notebook


def upgraded(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook in version 4."""
    version = notebook.get("nbformat", 4 if "cells" in notebook else None)
    if not isinstance(version, int) or not 1 <= version <= 4:
        raise RefusalError("is not a notebook: expected nbformat 1 to 4")
    if version == 4:
        return notebook
    try:
        return upgraded_by_nbformat(notebook)
    except Exception as error:  # nbformat gives way in many ways over a damaged notebook
        raise RefusalError(f"is a damaged notebook of version {version} ({type(error).__name__})") from None


def upgraded_by_nbformat(notebook: dict[str, Any]) -> dict[str, Any]:
    site.main()  # this process was started without site-packages
    warnings.simplefilter("ignore")
    logging.disable()
    import nbformat  # noqa: PLC0415  it is in site-packages, and few notebooks need it

    return dict(nbformat.reads(json.dumps(notebook), 4))  # type: ignore[no-untyped-call]  # joins lines, too


def is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(line, str) for line in value))


def text(value: str | Iterable[str]) -> str:
    """Join what nbformat calls a multi-line string."""
    return value if isinstance(value, str) else "".join(value)


def without_surrogates(value: str) -> str:
    """Replace halves of characters, which JSON can spell and no file can hold."""
    return value.encode("utf-8", "replace").decode()
