"""A statement that does not end while a submission is loaded costs what it defines, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from grader.records import Frame
from grader.sandbox.outside.hung_statements import without_statement
from grader.sandbox.outside.warm import WarmWorkers

HANGS = "def chosen():\n    while True: pass\nk = chosen()"


def piece(source: str, cell: int, line: int = 1, file: str = "a.ipynb") -> dict[str, Any]:
    return {"source": source, "file": file, "cell": cell, "line": line}


def program(*sources: str, names: tuple[str, ...] = ("work", "k")) -> dict[str, Any]:
    pieces = [piece(source, cell) for cell, source in enumerate(sources, 1)]
    return {"main": pieces, "modules": {"m": [piece("x = 1\ny = 2", 9, 5)]}, "names": dict.fromkeys(names)}


def sources(found: dict[str, Any] | None) -> list[str]:
    assert found is not None
    return [each["source"] for pieces in (found["main"], *found["modules"].values()) for each in pieces]


def test_the_statement_at_a_line_raises_and_the_others_stay() -> None:
    given = program("work = 1", "k = 2\n")
    found = sources(without_statement(given, Frame("a.ipynb", 2, 1, "<module>", ""), 12.0))
    assert found == ["work = 1", "raise TimeoutError('it did not come to an end within 12 s')\nk = 2\n", "x = 1\ny = 2"]
    assert sources(given) == ["work = 1", "k = 2\n", "x = 1\ny = 2"]


def test_a_statement_of_a_module_is_found_by_any_of_its_lines() -> None:
    found = sources(without_statement(program("work = 1"), Frame("a.ipynb", 9, 6, "<module>", ""), 12.0))
    assert found[0] == "work = 1" and found[1].endswith("x = 1\ny = 2") and found[1].startswith("raise")


def test_a_module_named_main_is_not_taken_for_the_notebook() -> None:
    given = program("work = 1")
    given["modules"] = {"main": [piece("k = 2", 3, file="main.py")]}
    found = without_statement(given, Frame("main.py", 3, 1, "<module>", ""), 12.0)
    assert found is not None and found["main"] == given["main"]
    assert [each["source"].splitlines()[-1] for each in found["modules"]["main"]] == ["k = 2"]
    assert found["modules"]["main"][0]["source"].startswith("raise TimeoutError")


def test_of_two_statements_in_one_line_neither_is_executed() -> None:
    given = program("work = 1")
    given["main"] += [piece("a = 1", 2), piece("k = 2", 2)]
    found = sources(without_statement(given, Frame("a.ipynb", 2, 1, "<module>", ""), 12.0))
    assert [source.startswith("raise") for source in found] == [False, True, True, False]


@pytest.mark.parametrize(
    "at",
    [Frame("b.ipynb", 1, 1, "<module>", ""), Frame("a.ipynb", 1, 2, "<module>", ""), Frame("a.ipynb", 9, 4, "<module>", "")],
    ids=["another file", "below", "above"],
)  # fmt: skip
def test_no_other_statement_is_left_out(at: Frame) -> None:
    assert without_statement(program("work = 1"), at, 12.0) is None


def test_the_only_definition_is_not_left_out() -> None:
    assert without_statement(program("k = 1", names=("k",)), Frame("a.ipynb", 1, 1, "<module>", ""), 12.0) is None


@pytest.fixture(scope="module")
def workers() -> Iterator[WarmWorkers]:
    workers = WarmWorkers(["tests.attacks.ops"], {})
    yield workers
    workers.close()


def asked(workers: WarmWorkers, *cells: str) -> tuple[Any, Any]:
    """What comes of loading, and of calling ``work``."""
    worker = workers.open(program(*cells), "")
    worker.statement_seconds = 1.0
    try:
        return worker.ask("load", {}, 30), worker.ask("call", {"name": "work"}, 30)
    finally:
        worker.close()


@pytest.mark.parametrize("hangs", [HANGS, "import time\nk = time.sleep(1000)"], ids=["loop", "sleep"])
def test_what_else_is_defined_can_be_called(hangs: str, workers: WarmWorkers) -> None:
    loaded, called = asked(workers, hangs, "def work(): return 3")
    assert (loaded.outcome, called.value["number"]) == ("value", 3)
    (problem,) = loaded.value["problems"]
    assert (problem["type"], problem["message"]) == ("TimeoutError", "it did not come to an end within 1 s")
    assert (problem["frames"][-1]["cell"], problem["frames"][-1]["line"]) == (1, 1)


def test_two_statements_are_left_out_and_no_third(workers: WarmWorkers) -> None:
    again = HANGS.replace("k =", "other =")
    loaded, called = asked(workers, HANGS, again, "def work(): return 3")
    assert len(loaded.value["problems"]) == 2 and called.value["number"] == 3
    loaded, called = asked(workers, HANGS, again, again, "def work(): return 3")
    assert loaded.outcome == called.outcome == "timeout"
