"""A small class whose submissions hold nothing but Part 4's search, each another way."""

import json
from pathlib import Path

import nbformat

from grader.gradebook.reader import GradebookReader

ONLY = ["--only", "application.knn", "--seed", "7"]

RIGHT = """
import torch

def retrieve_topk_nearest_neighbors_l2(query, ref, k=5):
    distances = torch.cdist(query.reshape(1, -1), ref).squeeze(0)
    found = distances.topk(k, largest=False)
    return found.values, found.indices
"""
SEARCHES = {
    "anna": RIGHT,
    "bela": RIGHT.replace("largest=False", "largest=True"),
    "cleo": RIGHT.replace("found.values", "found.values ** 2"),
    "dora": "lr = 1",
    "emil": RIGHT.replace("    distances =", "    import os; os.abort()\n    distances ="),
}
POINTS = {"anna": 6, "bela": 2, "cleo": 4, "dora": 0, "emil": 0, "fred": 0}


def notebook(path: Path, *cells: str) -> Path:
    """Write a notebook of code cells."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(book))
    return path


def make(folder: Path) -> Path:
    """Make the class: five that can be opened, and Fred's notebook, which is broken."""
    for name, search in SEARCHES.items():
        notebook(folder / name / "a.ipynb", search)
    notebook(folder / "fred" / "a.ipynb").write_text("{")
    return folder


def points(out: Path) -> dict[str, float]:
    """The points in a gradebook by student."""
    with GradebookReader(out) as reader:
        return {entry.key: entry.points for entry in reader.entries()}


def rows(out: Path) -> list[tuple[str, int, float]]:
    """All grades that were ever committed: student, row, score."""
    with GradebookReader(out) as reader:
        keys = dict.fromkeys(row.key for row in reader.book.submissions())
        return [(key, kept.id, kept.grade.score) for key in keys for kept in reader.history(key)]
