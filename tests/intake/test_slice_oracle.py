"""The slice against its definition: executed alone, it gives what the whole notebook gives."""

import sys
import types
from typing import Any

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from grader.intake.reading.gather import Gathering, WantedNames
from grader.intake.reading.parsing import SourcePlace, statements
from grader.intake.reading.program import gathered
from grader.intake.reading.sources import ModuleFiles

NAMES = ("a", "b", "c", "d")
name = st.sampled_from(NAMES)
value = st.one_of(
    st.integers(0, 9).map(str),
    name.map(lambda n: f"total({n})"),
    st.tuples(name, name).map(lambda two: f"total({two[0]}) + total({two[1]}) * 2"),
    name.map(lambda n: f"sum(x for x in [total({n}), 1])"),
    name.map(lambda n: f"total({n}() if callable({n}) else 1)"),
    name.map(lambda n: f"(lambda {n}, y=total({n}): y + 1)(0)"),
)
held = st.one_of(value, name, st.lists(value, max_size=2).map(lambda each: f"[{', '.join(each)}]"))
TEMPLATES = (
    "{n} = {v}",
    "{n} = {h}",
    "{n}, {m} = {v}, {w}",
    "{n} = {m} = {v}",
    "{n}: int = {v}",
    "{n} = box({n})\n{n}.append({v})",
    "box({n}) is {n} and {n}.append({v})",
    "def {n}(x={v}):\n    return total({m}) + x",
    "def {n}():\n    {m} = {v}\n    return {m}",
    "def {n}():\n    global {m}\n    {m} = {v}\n    return 1",
    "class {n}:\n    {m} = {v}\n    {n} = {w}",
    "for {n} in [{v}, {w}]:\n    {m} = total({n})",
    "if total({n}) % 2:\n    {m} = {v}\nelse:\n    {n} = {w}",
    "try:\n    {n} = {v}\nfinally:\n    {m} = {w}",
    "print({n} := {v})",
    "{n} = [{m} := {v}, {w}]",
    "isinstance({n}, type) and setattr({n}, 'x', {v})",
    "show({n}, {v})",
    "{n}_ = {m}",
    "import math as {n}",
    "{n} = {{'k': {v}}}\n{n}['k'] = {w}",
    "{n} = {{'k': {h}}}\n{m} = {n}['k']",
    "{n} = []\n{m} = {n}\n{m}.append({v})",
    "{n} = []\nfor x in [{v}]:\n    {n}.append(x)",
)
statement = st.builds(
    lambda template, n, m, v, w, h: template.format(n=n, m=m, v=v, w=w, h=h),
    st.sampled_from(TEMPLATES), name, name, value, value, held,
)  # fmt: skip


def total(thing: Any, level: int = 0) -> int:
    """Return a number for any value that the programs make."""
    if isinstance(thing, int):
        return thing % 1000
    if isinstance(thing, (list, tuple)):
        return sum(total(each, level + 1) for each in thing) % 1000 if level < 9 else 9
    if isinstance(thing, dict):
        return total(list(thing.values()), level + 1)
    if isinstance(thing, type):
        return total([v for k, v in sorted(vars(thing).items()) if isinstance(v, int)], level + 1)
    return 7


def world() -> dict[str, Any]:
    tools: dict[str, Any] = {"total": total, "show": lambda *_: None, "print": lambda *_: None}
    tools["box"] = lambda thing: thing if isinstance(thing, list) else [total(thing)]
    return {**tools, **dict.fromkeys(NAMES, 1)}


def outcome(pieces: list[str], module: list[str] | None = None) -> Any:
    """Return what the pieces make of ``a``; ``module`` is what an import of ``m`` executes."""
    m = sys.modules["m"] = types.ModuleType("m")
    vars(m).update(world())
    for piece in module or []:
        exec(piece, vars(m))
    space = world()
    for piece in pieces:
        exec(piece, space)
    return total(space["a"]), type(space["a"]).__name__


def sliced(cells: list[str], module: list[str] | None = None) -> tuple[list[str], list[str]]:
    found = [
        s for number, cell in enumerate(cells, 1) for s in statements(cell, SourcePlace("n", number), is_main=True)[0]
    ]
    texts = {"m.py": ("\n".join(module), SourcePlace("m.py", None))} if module is not None else {}
    gathering = Gathering(found, "n", texts, ModuleFiles(texts, ""), WantedNames({"a"}, set(), set()))
    program, _ = gathered(gathering)
    if module is not None and "a" not in program["names"]:
        return [], []  # a name that the tools of the test bring
    kept = [piece["source"] for piece in program["modules"].get("m", [])]
    return [piece["source"] for piece in program["main"]], kept


oracle = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
cells_ = st.lists(statement, min_size=1, max_size=9)


@oracle
@given(cells_)
def test_the_slice_gives_what_the_whole_notebook_gives(cells: list[str]) -> None:
    try:
        expected = outcome(cells)
    except Exception:
        reject()  # a notebook that fails gives no answer to compare with
    assert outcome(*sliced(cells)) == expected


LINES = (
    "from m import *",
    "try:\n    from m import *\nexcept ImportError:\n    a = 9",
    "from m import a, b",
    "import m\na = m.a",
    "import m as c\nc.a = 3\na = c.f()",
    "import m\nm.b = 5\na = m.f()",
)


@oracle
@given(cells_, st.sampled_from(LINES), cells_)
def test_the_slice_of_a_module_gives_what_the_whole_module_gives(
    module: list[str], line: str, cells: list[str]
) -> None:
    module = ["a = b = 1", *module, "def f():\n    return total(a) + total(b)"]
    cells = [line, *cells]
    try:
        expected = outcome(cells, module)
    except Exception:
        reject()
    assert outcome(*sliced(cells, module)) == expected
