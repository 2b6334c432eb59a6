"""What of a submission may be changed, and the submission with the change in it."""

import json
from pathlib import Path

from grader.mutation.places import copied, sources, write
from grader.records import Piece, Program

MARKED = """GIVEN = 1


def f(a=2):
    ### BEGIN SOLUTION: do it
    return a
    ### END SOLUTION


def g():
    return 3
"""


def program(*pieces: Piece) -> Program:
    return Program(pieces, {}, {})


def test_of_a_marked_text_the_solution_and_the_heads_around_it_are_changed(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(MARKED)
    kept = [Piece(text, "m.py", None, line) for text, line in (("GIVEN = 1", 1), ("\n" * 5, 4), ("\n\n", 10))]
    (source,) = sources(tmp_path, program(*kept))
    assert source.lines == {4, 5, 6}


def test_of_a_text_without_marks_all_that_is_kept_is_changed(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("a = 1\nprint(a)\nb = 2\n")
    (source,) = sources(tmp_path, program(Piece("a = 1", "m.py", None, 1), Piece("b = 2", "m.py", None, 3)))
    assert source.lines == {1, 3}


def test_statements_that_are_changed_elsewhere_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("a = 1\nb = 2\n")
    pieces = Piece("a = 1", "m.py", None, 1), Piece("b = 2", "m.py", None, 2)
    (source,) = sources(tmp_path, program(*pieces), ["a = 1"])
    assert source.lines == {2}


def test_a_cell_is_changed_in_its_notebook(tmp_path: Path) -> None:
    cells = [{"cell_type": "markdown", "source": ["# A"]}, {"cell_type": "code", "source": ["a = 1\n", "b = 2"]}]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}))
    (source,) = sources(tmp_path, program(Piece("b = 2", "n.ipynb", 2, 2)))
    assert (source.text, source.lines) == ("a = 1\nb = 2", {2})
    write(tmp_path, source.file, source.cell, "a = 1\nb = 3")
    assert json.loads((tmp_path / "n.ipynb").read_text())["cells"][1]["source"] == "a = 1\nb = 3"


def test_a_copy_holds_the_texts_and_no_checkpoints(tmp_path: Path) -> None:
    for name in ("m.py", "n.ipynb", "w.pt", "equivalent.toml"):
        (tmp_path / "from" / "sub").mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).write_text("")
    copied(tmp_path / "from", tmp_path / "to")
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == ["m.py", "n.ipynb", "sub"]
