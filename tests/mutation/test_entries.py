"""The file of mutants that are right as well."""

from pathlib import Path

import pytest

from grader.errors import GraderError
from grader.mutation.entries import explaining, load

TEXT = """
[[same]]
where = "m.py"
function = "A.f"
old = "x = 1   # one"
new = ["x = 2 # one", '''
pass
y = 3''']
reason = "Any number will do."

[[same]]
where = "m.py"
function = "g"
old = "print(x)"
reason = "What is printed is the student's own."
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "equivalent.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("function", "changed", "found"),
    [
        ("A.f", ("x = 1 # one", "x = 2 # one"), True),
        ("A.f", ("x = 1 # one", "pass\ny = 3"), True),
        ("A.f", ("x = 1 # one", "x = 3 # one"), False),
        ("A.g", ("x = 1 # one", "x = 2 # one"), False),
        ("g", ("print(x)", "anything"), True),
    ],
    ids=["listed", "second of the list", "another change", "another function", "any change"],
)
def test_an_entry_is_found_by_what_is_changed(
    tmp_path: Path, function: str, changed: tuple[str, str], found: bool
) -> None:
    entries = load(written(tmp_path, TEXT))
    assert (explaining(entries, "m.py", function, changed) is not None) == found
    assert explaining(entries, "n.py", function, changed) is None


def test_no_file_is_no_entries(tmp_path: Path) -> None:
    assert load(tmp_path / "equivalent.toml") == []


@pytest.mark.parametrize(
    "text",
    [
        "[[same]]\nwhere = 'm.py'",
        TEXT.replace('"Any number will do."', '" "'),
        TEXT.replace("old =", "line = 3\nold =", 1),
        "[",
    ],
    ids=["fields missing", "no reason", "a line number", "not TOML"],
)
def test_a_file_of_another_form_is_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(GraderError, match=r"equivalent\.toml: .*nothing was audited"):
        load(written(tmp_path, text))
