"""The entries of this project's own assignment, and the variants that are changed besides the reference."""

import ast
import json
from pathlib import Path

import pytest

from grader import audit
from grader.assignments.vit.assignment import VIT
from grader.assignments.vit.corpus.styles import MODULES
from grader.assignments.vit.files import REFERENCE
from grader.mutation import entries
from grader.mutation.mutations import lines_of, mutations

ENTRIES = entries.load(REFERENCE / entries.FILE)
FILES = sorted({entry.where for entry in ENTRIES})


@pytest.mark.parametrize("file", FILES)
def test_each_entry_is_about_lines_that_stand_in_the_reference(file: str) -> None:
    text = "\n".join(" ".join(line.split()) for line in (REFERENCE / file).read_text().splitlines())
    assert [str(entry) for entry in ENTRIES if entry.where == file and entry.old not in text] == []


def test_an_entry_of_a_small_module_is_about_a_change_that_is_made() -> None:
    text = (REFERENCE / "augmentation.py").read_text()
    made = {(m.function, *m.changed()) for m in mutations(text, set(lines_of(text)))}
    assert {(e.function, e.old, e.new) for e in ENTRIES if e.where == "augmentation.py"} <= made


def test_the_variants_are_six_and_import_no_module_that_they_do_not_hold(tmp_path: Path) -> None:
    made = audit.styles(VIT, tmp_path)
    assert len(made) == 6
    for folder in made.values():
        (notebook,) = folder.glob("*.ipynb")
        cells = [cell["source"] for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
        tree = ast.parse("\n".join(cell if isinstance(cell, str) else "".join(cell) for cell in cells))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not imported & set(MODULES) - {path.stem for path in folder.glob("*.py")}
