"""What rests on the same content is asked and computed once, and on nothing less than all of the content."""

import json
import threading
from pathlib import Path

import nbformat
import numpy as np
import pytest

from grader.assignments.vit.assignment import VIT
from grader.evidence import Answer, Evidence, Question
from grader.intake import open_submission
from grader.records import Observation
from grader.sharing import Shared, common_seed, content_of, student_seed

CELL = """import torch

class ViT(torch.nn.Module):
    def forward(self, x):
        return x * 2
"""
MODULE = "import torch\n\n\nclass ClassificationHead(torch.nn.Module):\n    width = 3\n"


def handed_in(folder: Path, cell: str = CELL, module: str = MODULE, printed: str = "", **files: bytes) -> str:
    """The content of a notebook, a module and other files."""
    own = folder / str(len(list(folder.iterdir()))) / "ab12"
    own.mkdir(parents=True)
    said = [nbformat.v4.new_output("stream", text=printed)] if printed else []
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell, outputs=said)])
    (own / "hw.ipynb").write_text(json.dumps(book))
    (own / "heads.py").write_text(module)
    for name, data in ({"vit_embeds_pt": b"1"} | files).items():
        (own / name.replace("_pt", ".pt").replace("_json", ".json")).write_bytes(data)
    frozen = folder / f"frozen {own.parent.name}"
    return content_of(open_submission(own, frozen, VIT.wanted, VIT.provided, VIT.never_called, modules=VIT.modules))


@pytest.mark.parametrize(
    "same",
    [
        {"cell": "# handed in by Anna\n" + CELL},
        {"cell": CELL.replace("x * 2", "(x\n            * 2)")},
        {"module": MODULE.replace("\n\n\n", "\n\n# three\n") + "\n\n"},
        {"printed": "Epoch 1"},
    ],
    ids=["comment", "layout", "module", "output"],
)
def test_comments_layout_and_what_was_printed_are_no_part_of_the_content(same: dict[str, str], tmp_path: Path) -> None:
    assert handed_in(tmp_path) == handed_in(tmp_path, **same)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other",
    [
        {"cell": CELL.replace("x * 2", "x * 3")},
        {"cell": "torch = 3\n" + CELL},
        {"module": MODULE.replace("3", "4")},
        {"vit_embeds_pt": b"2"},
        {"vit_classifier_pt": b"1"},
        {"config_json": b"{}"},
    ],
    ids=["cell", "another cell", "module", "tensors", "another checkpoint", "a file to read"],
)
def test_all_that_a_worker_is_given_is_part_of_the_content(other: dict[str, bytes], tmp_path: Path) -> None:
    assert handed_in(tmp_path) != handed_in(tmp_path, **other)  # type: ignore[arg-type]


def observed(size: int = 1) -> Observation:
    return Observation("value", np.zeros(size, np.uint8), seconds=3.0, frame=bytes(size))


def test_two_at_once_ask_once() -> None:
    shared, asked, go_on = Shared(), [], threading.Event()

    def ask() -> Observation:
        asked.append(1)
        go_on.wait(10)
        return observed()

    found: list[Observation] = []
    both = [threading.Thread(target=lambda: found.append(shared.answer("op", "key", ask))) for _ in range(2)]
    for each in both:
        each.start()
    other = shared.answer("op", "another key", observed)
    go_on.set()
    for each in both:
        each.join()
    assert len(asked) == 1 and found[0] is found[1] is not other


def test_what_came_to_no_value_is_asked_of_each() -> None:
    shared = Shared()
    answers = [Observation("timeout"), Observation("raised"), observed()]
    assert [shared.answer("op", "key", lambda each=each: each).outcome for each in answers] == [  # type: ignore[misc]
        "timeout", "raised", "value",
    ]  # fmt: skip


def test_memory_is_bounded_and_what_is_let_go_is_recalled_or_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shared, "max_bytes", 100)
    kept: list[tuple[str, Observation]] = []

    def recall(op: str, plain: Observation, digest: str) -> Observation:
        if op == "lost":
            raise ValueError("not there yet")
        kept.append((op, plain))
        return observed(60)

    shared = Shared(recall)
    for key in ("a", "b"):
        shared.answer("op", key, lambda: observed(60))
    assert shared.answer("op", "a", lambda: pytest.fail("it can be recalled")).outcome == "value"
    assert [(op, each.seconds, each.value, each.frame) for op, each in kept] == [("op", 3.0, None, b"")]
    again: list[str] = []
    shared.answer("lost", "b", lambda: again.append("b") or observed(60))  # type: ignore[func-returns-value]
    assert again == ["b"] and sum(len(each.frame) for each in shared._held.values()) <= 100


@pytest.mark.parametrize(("contents", "computed"), [(("x", "x"), 1), (("x", "y"), 2), (("", ""), 2)])
def test_a_score_of_shared_answers_is_computed_once(contents: tuple[str, ...], computed: int) -> None:
    shared, times = Shared(), []
    for content in contents:
        answer = Answer("long", Question({}), Observation("value", 1, content=content))
        seen = Evidence(None, 1, None, None, VIT, answers={"long": answer}, shared=shared)  # type: ignore[arg-type]
        assert seen.once("score", lambda: times.append(1) or 5, of=("long",)) == 5  # type: ignore[func-returns-value]
        assert seen.reading.noted["score score"] == [f"module {__name__}", "question long"]
    assert len(times) == computed


def test_students_of_a_class_have_seeds_of_their_own_with_something_in_common() -> None:
    names = ("anna", "bela", "cleo")
    ours, others = ([student_seed(number, name) for name in names] for number in (1 << 30, 3 << 29))
    assert len({*ours, *others}) == 6
    assert len({common_seed(seed) for seed in ours}) == len({common_seed(seed) for seed in others}) == 1
    assert common_seed(ours[0]) != common_seed(others[0]) and common_seed(1) != common_seed(2)
