"""Hostile input by the thousand: reading ends in a reply, in time, and never outside the workspace."""

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from grader.intake.reading.limits import IntakeLimits
from grader.intake.reading.magics import neutralised, python_lines
from grader.intake.reading.main import reply
from grader.intake.reading.members import check_clashes, safe_name
from grader.intake.reading.outputs import printed
from grader.intake.reading.parsing import SourcePlace, parses, statements
from grader.intake.reading.refusal import RefusalError

LIMITS = IntakeLimits()
quick = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

part = st.one_of(
    st.sampled_from(["..", ".", "", "a", "A", "C:", "~", "a.py", "\\", "é", "e\u0301"]), st.text(max_size=5)
)
names = st.lists(part, min_size=1, max_size=5).map("/".join)
scalar = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10))
keys = st.sampled_from(
    ["cells", "source", "outputs", "cell_type", "output_type", "text", "data", "nbformat", "worksheets"]
)
anything = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=20
)
WORDS = (
    "import |from |x| = |(|)|[|]|'|\"|'''|\n|\n    |%|!|?|%%|#|\\|def |class |:|lambda |if |else|1|.|,|@|*|await "
    f"|global |\r|\f|\0|é|\u00a0|\u3000|\u2028|\x1c|\ufeff|f'{{|}}|0x{'F' * 4000}|del |with |return|x|\ud800"
)
code = st.lists(st.sampled_from(WORDS.split("|")), max_size=25).map("".join)


def opening(path: Path, root: Path) -> dict[str, Any]:
    root.mkdir(exist_ok=True)
    request = {"do": "open", "path": str(path), "workspace": str(root), "files": {}}
    return reply({**request, "wanted": ["x"], "provided": ["y"], "never_called": ["z"]}, LIMITS)


def empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def assert_answered(path: Path, root: Path) -> None:
    answer = opening(path, root)
    assert len(answer) == 1
    json.dumps(answer)
    if "value" not in answer:
        assert "\n" not in next(iter(answer.values()))
        assert not any(root.iterdir())
    assert all(inside.resolve().is_relative_to(root.resolve()) for inside in root.rglob("*"))
    empty(root)


@quick
@given(names)
def test_a_name_is_refused_or_stays_inside(name: str) -> None:
    try:
        safe = safe_name(name, LIMITS)
    except RefusalError:
        reject()
    assert not safe.startswith("/") and ".." not in safe.split("/")
    assert (Path("/root") / safe).resolve().is_relative_to("/root")


@quick
@given(st.lists(names, max_size=5))
def test_names_that_pass_together_are_different_files(found: list[str]) -> None:
    try:
        check_clashes(found, [])
    except RefusalError:
        reject()
    assert len({name.casefold() for name in found}) == len(found)


@quick
@given(st.dictionaries(names, st.binary(max_size=20), max_size=4))
@pytest.mark.filterwarnings("ignore")  # also, zipfile warns of doubled names
def test_an_archive_with_any_names_is_answered(tmp_path: Path, files: dict[str, bytes]) -> None:
    zipped, tarred = tmp_path / "x.zip", tmp_path / "x.tar"
    with zipfile.ZipFile(zipped, "w") as archive, tarfile.open(tarred, "w") as tar:
        for name, content in files.items():
            assume(not any("\ud800" <= char <= "\udfff" for char in name))
            archive.writestr(zipfile.ZipInfo(name or "x"), content)
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    assert_answered(zipped, tmp_path / "root")
    assert_answered(tarred, tmp_path / "root")


@quick
@given(st.data())
@pytest.mark.filterwarnings("ignore")  # the reading process leaves it to its end to close an archive
def test_a_damaged_archive_is_answered(tmp_path: Path, data: st.DataObject) -> None:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.ipynb", '{"nbformat": 4, "cells": []}')
        archive.writestr("m.py", "x = 1\n" * 30)
    content = bytearray(memory.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "x.zip").write_bytes(content)
    assert_answered(tmp_path / "x.zip", tmp_path / "root")


@quick
@given(st.one_of(anything.map(json.dumps), st.text(max_size=50), anything.map(lambda a: json.dumps({"cells": [a]}))))
def test_any_json_is_answered(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.ipynb").write_text(content, "utf-8", "replace")
    assert_answered(tmp_path / "x.ipynb", tmp_path / "root")


@quick
@given(st.lists(code, max_size=4), code)
def test_any_code_is_answered(tmp_path: Path, cells: list[str], module: str) -> None:
    notebook = {"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    (tmp_path / "x.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "m.py").write_text(module, "utf-8", "surrogatepass")
    try:
        assert "value" in opening(tmp_path / "x.ipynb", tmp_path / "root")
    finally:
        empty(tmp_path / "root")


@quick
@given(code)
def test_python_without_magics_is_left_as_it_is(source: str) -> None:
    found, problems = statements(source, SourcePlace("x", 1), is_main=True)
    if not neutralised(source).skipped:
        assert len(python_lines(source).split("\n")) == len(source.split("\n"))
    assert all(parses(statement.source) for statement in found)
    assert not (problems and parses(source))


@quick
@given(st.lists(anything, max_size=4))
def test_any_outputs_give_text(outputs: list[Any]) -> None:
    text = printed(outputs, 100)
    assert len(text) < 200 and "\x1b" not in text and "\r" not in text
