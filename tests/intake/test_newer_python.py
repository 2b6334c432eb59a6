"""Statements that do not parse: what a newer Python knows is told from mistakes, and costs only what it defines."""

from pathlib import Path

import pytest

from grader.intake.reading.newer import NewerPython
from tests.intake.building import from_cells, kept

NEWER = {
    "quotes in an f-string": ('x = f"{d["a"]}"', "3.12"),
    "quotes in a format": ('x = f"{a:{d["w"]}.{c}}"', "3.12"),
    "a backslash in an f-string": ("x = f\"{'\\n'.join(d)}\"", "3.12"),
    "lines in an f-string": ('x = f"{\n d["a"]  # a comment\n}"', "3.12"),
    "f-strings in each other": ('x = f"{f"{f"{1}"}"}"', "3.12"),
    "strings side by side": ('x = "a" f"{d["a"]}" "b"', "3.12"),
    "a type": ("type X[T] = list[T]", "3.12"),
    "a generic function": ("def f[T](x: T) -> T:\n    return x", "3.12"),
    "a generic class": ("class A[T: int, *Ts, **P]:\n    pass", "3.12"),
    "a default of a type": ("class A[T = int]:\n    pass", "3.13"),
    "except without brackets": ("try:\n    pass\nexcept A, B:\n    pass", "3.14"),
    "except* without brackets": ("try:\n    pass\nexcept* A, B:\n    pass", "3.14"),
    "a template string": ('x = t"{name}"', "3.14"),
    "all of it": ('class A[T = int]:\n    def f(self):\n        return t"{d["x"]}", f"{d["x"]}"', "3.14"),
}
NEVER = {
    "an open bracket": "x = (1, 2",
    "Python 2": 'print "hello"',
    "except of Python 2": "try:\n    pass\nexcept A, e:\n    print e",
    "except without brackets, with a name": "try:\n    pass\nexcept A, B as e:\n    pass",
    "an open bracket in an f-string": 'x = f"{a["b"}"',
    "two words in an f-string": 'x = f"{a b}"',
    "an f-string that does not end": 'x = f"{a',
    "no conversion": 'x = f"{a["x"]!z}"',
    "an assignment to a call": "f() = 3",
    "a mistake beside something new": 'def f(a=1, b):\n    return f"{d["x"]}"',
    "an open bracket beside something new": 'x = (f"{d["x"]}"',
    "so deep that a parser gives way": "x = " + "-" * 90_000 + "1 1",
}


@pytest.fixture(scope="module")
def asking():
    newer = NewerPython()
    yield newer
    newer.close()


@pytest.mark.parametrize("text, version", NEWER.values(), ids=NEWER.keys())
def test_what_a_newer_python_parses_is_known_with_its_version(asking: NewerPython, text: str, version: str) -> None:
    assert asking.needed(["x = = 1", text]) == (1, version)


@pytest.mark.parametrize("text", NEVER.values(), ids=NEVER.keys())
def test_what_no_python_parses_is_a_mistake(asking: NewerPython, text: str) -> None:
    assert asking.needed([text]) is None


BRACKET = "class ViT:\n    def f(self):\n        return (1\n\n    def g(self):\n        pass"
CELLS = ('lr = 1\ndef get_embeddings(x):\n    return f"{x["a"]}"\nnum_epochs = 2', f"{BRACKET}\ntfm_train = 3")


def test_a_statement_that_does_not_parse_is_named_with_its_place_and_costs_what_it_defines(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, *CELLS, vit_model="lr = 5\nclass Transformer(:\n    pass\ntfm_test = 4")
    assert set(submission.program.names) == {"lr", "num_epochs", "tfm_train", "tfm_test"}
    assert kept(submission) == "lr = 1\nnum_epochs = 2\ntfm_train = 3"
    found = [(each.file, each.cell, each.line, each.names, each.python) for each in submission.syntax_errors]
    assert found == [
        ("submission.ipynb", 1, 3, ("get_embeddings",), "3.12"),
        ("submission.ipynb", 2, 3, ("ViT",), ""),
        ("vit_model.py", None, 2, ("Transformer",), ""),
    ]
    assert submission.syntax_errors[1].message == "'(' was never closed"


BROKEN = {
    "a decorator": ("@f(\n1)\ndef ViT(:\n    pass", ("ViT",)),
    "several targets": ("lr, (num_epochs, ViT) = 1, (2", ("lr", "num_epochs", "ViT")),
    "an annotation": ("lr: float = = 1", ("lr",)),
    "inside an if": ("if True:\n    lr = 1\n    def ViT(:\n        x = 1", ("lr", "ViT")),
    "an indent for no reason": ("num_epochs = 1\n    lr = 2", ("lr",)),
    "text": ("Here is my answer to the question", ()),
    "no statement begins": ("(1 +", ()),
}


@pytest.mark.parametrize("cell, names", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.usefixtures("in_process")
def test_the_names_of_a_broken_statement_are_told_from_its_words(
    tmp_path: Path, cell: str, names: tuple[str, ...]
) -> None:
    problem = from_cells(tmp_path, cell).syntax_errors[0]
    assert (problem.cell, problem.names, problem.python) == (1, names, "")
