"""What the text tells of a name that is missing: it is spelled otherwise, its body is empty, a raise was left in."""

from pathlib import Path

import pytest

from grader.assignments.vit.model import heads
from tests import harness
from tests.intake import building
from tests.intake.building import from_cells, opened, write_modules

pytestmark = pytest.mark.usefixtures("in_process")

RENAMED = {
    "a class": ("class Transfomer: pass", "'Transformer': m.py, line 1 defines `Transfomer`"),
    "letter case": ("lr = 1\nclass VIT: pass", "'ViT': m.py, line 2 defines `VIT`"),
    "a function": ("def get_embedding(x): pass", "'get_embeddings': m.py, line 1 defines `get_embedding`"),
    "a value": ("train_dataset = 1\ntfm_trainer = 2", "'tfm_train': m.py, line 2 defines `tfm_trainer`"),
    "parts in another order": ("train_tfm = 1", "'tfm_train': m.py, line 1 defines `train_tfm`"),
    "the first parts alone": (
        "def retrieve_topk(x): return x",
        "'retrieve_topk_nearest_neighbors_l2': m.py, line 1 defines `retrieve_topk`",
    ),
}
UNLIKE = {
    "another name": "class Model: pass",
    "a name of the assignment's own": "tfm_train = 1",
    "a given function": "def train_classification_model(): return 1",
    "an import": "from library import Transfomer",
    "a short name": "lrs = 1",
    "a value for a class": "transfer = 1\nViTs = 2",
    "a name that cannot be parsed": "class Transformer(:\n    pass\nclass Transfomer: pass",
    "the name itself": "class ViT: pass\nclass VIT: pass",
}


def slips(folder: Path, source: str) -> list[str]:
    write_modules(folder / "hand-in", m=source)
    wanted = (*building.WANTED, "retrieve_topk_nearest_neighbors_l2")
    return [
        line for line in opened(folder / "hand-in", wanted=wanted).problems if line.endswith(("?", "delete the raise"))
    ]


@pytest.mark.parametrize("source, line", RENAMED.values(), ids=RENAMED)
def test_a_name_that_is_spelled_otherwise_is_found(tmp_path: Path, source: str, line: str) -> None:
    assert slips(tmp_path, source) == [f"{line}: is it this one under another name?"]


@pytest.mark.parametrize("source", UNLIKE.values(), ids=UNLIKE)
def test_no_other_name_is_suggested(tmp_path: Path, source: str) -> None:
    assert slips(tmp_path, source) == []


METHODS = {"foward": "foward", "Forward": "Forward", "_forward": "_forward", "backward": "", "call": "", "forward": ""}


@pytest.mark.parametrize("method, found", METHODS.items(), ids=METHODS)
def test_a_method_that_is_spelled_otherwise_is_found(tmp_path: Path, method: str, found: str) -> None:
    lines = slips(tmp_path, f"class ViT:\n    x = 1\n    def {method}(self): pass")
    assert lines == [f"'ViT': there is a `{found}` in `ViT` (m.py, line 3): is it misspelled?"] * bool(found)


OUTSIDE = {
    "behind the class": (
        "class ViT:\n    x = 1\ndef forward(self, x): return x",
        "behind the class (m.py, line 3): indent it as far as `__init__`",
    ),
    "inside another method": (
        "class ViT:\n    def __init__(self):\n        self.x = 1\n        def forward(self, x): return x",
        "inside another method (m.py, line 4): indent it as far as `__init__`",
    ),
    "of another class": ("class ViT:\n    x = 1\nclass Other:\n    def forward(self, x): return x", ""),
    "beside one of its own": ("class ViT:\n    def forward(self, x): return x\ndef forward(self, x): return x", ""),
}


@pytest.mark.parametrize("source, found", OUTSIDE.values(), ids=OUTSIDE)
def test_a_method_that_is_indented_otherwise_is_found(tmp_path: Path, source: str, found: str) -> None:
    write_modules(tmp_path / "hand-in", m=source)
    lines = [line for line in opened(tmp_path / "hand-in").problems if "indent" in line]
    assert lines == [f"'ViT': there is a `forward` {found}"] * bool(found)


LEFT_IN = {
    "before the answer": ("raise NotImplementedError('do it')\n    return 1", True),
    "in a branch": ("if x:\n        raise NotImplementedError\n        return 1", True),
    "the template": ("raise NotImplementedError('do it')", False),
    "before nothing": ("raise NotImplementedError\n    return None", False),
    "where it is meant": ("if x:\n        raise NotImplementedError\n    return 1", False),
}


@pytest.mark.parametrize("body, found", LEFT_IN.values(), ids=LEFT_IN)
def test_code_below_a_raise_that_was_left_in_is_found(tmp_path: Path, body: str, found: bool) -> None:
    lines = slips(tmp_path, f"def get_embeddings(x):\n    {body}")
    assert [line.partition(": ")[2] for line in lines] == [
        "the code below this raise is never executed: delete the raise"
    ] * found


def test_the_place_of_a_raise_is_that_in_the_cell(tmp_path: Path) -> None:
    submission = from_cells(
        tmp_path, "x = 1", "@a\ndef get_embeddings(x):\n    raise NotImplementedError\n    return 1"
    )
    assert any(line.startswith("(submission.ipynb, cell 2, line 3): ") for line in submission.problems)


EMPTY = {
    "a function": ("def get_embeddings(x):\n    pass", "line 1): the body of `get_embeddings` is empty"),
    "a docstring alone": ("def get_embeddings(x):\n    'it'", "line 1): the body of `get_embeddings` is empty"),
    "nothing that returns": (
        "def get_embeddings(x):\n    ...\n    return None",
        "line 1): the body of `get_embeddings`",
    ),
    "a class": ("class ViT(nn.Module):\n    'it'", "line 1): the class `ViT` is empty"),
    "a method": (
        "class ViT(nn.Module):\n    def __init__(self): self.a = 1\n    def forward(self, x): ...",
        "line 3): the body of `forward` in `ViT` is empty",
    ),
}
FILLED = {
    "a class that inherits": "class ViT(Other): pass",
    "another method": "class ViT(nn.Module):\n    def forward(self, x): return x\n    def reset(self): pass",
    "a value": "def get_embeddings(x):\n    return 0",
    "a name of the student's own": "def helper(x): pass",
    "a class that methods are added to": "class ViT(nn.Module): pass\nViT.forward = lambda self, x: x",
    "a stub of a method": "class ViT(nn.Module):\n    @overload\n    def forward(self, x): ...\n    def forward(self, x): return x",
    "what is defined again": "def get_embeddings(x): pass\ndef get_embeddings(x): return x",
}


@pytest.mark.parametrize("source, found", EMPTY.values(), ids=EMPTY)
def test_an_empty_body_is_found(tmp_path: Path, source: str, found: str) -> None:
    write_modules(tmp_path / "hand-in", m=source)
    problems = opened(tmp_path / "hand-in").problems
    assert any("still to do (m.py, " in line and found in line for line in problems), problems


@pytest.mark.parametrize("source", FILLED.values(), ids=FILLED)
def test_no_other_body_is_empty(tmp_path: Path, source: str) -> None:
    write_modules(tmp_path / "hand-in", m=source)
    assert not any("is empty" in line for line in opened(tmp_path / "hand-in").problems)


HEADS = """
from torch import nn
class ClassificationHead(nn.Linear):
    def __init__(self, hidden_size, num_classes=10):
        super().__init__(hidden_size, num_classes)
class {}(nn.Module):
    def __init__(self, hidden_size, embed_size=64):
        super().__init__()
    def {}(self, x):
        {}
"""
JUDGED = {
    "a class": (
        ("EmbeddingHead", "forward", "return x"),
        "`LinearEmbeddingHead` is not defined: vit_model.py, line 5 defines `EmbeddingHead`: is it this one under",
    ),
    "a method": (
        ("LinearEmbeddingHead", "foward", "return x"),
        "`LinearEmbeddingHead` has no method `forward`: there is a `foward` in `LinearEmbeddingHead` (vit_model.py, line 8)",
    ),
    "an empty method": (
        ("LinearEmbeddingHead", "forward", "pass"),
        "still to do (vit_model.py, line 8): the body of `forward` in `LinearEmbeddingHead` is empty",
    ),
    "a raise": (
        ("LinearEmbeddingHead", "forward", "raise NotImplementedError('map D to E')\n        return x"),
        "still to do (vit_model.py, line 9): map D to E. But the code below this raise is never executed",
    ),
}


@pytest.mark.parametrize("parts, said", JUDGED.values(), ids=JUDGED)
def test_the_verdict_tells_the_slip(tmp_path: Path, parts: tuple[str, str, str], said: str) -> None:
    source = HEADS.format(*parts).lstrip()
    seen = harness.evidence({"vit_model": source}, [heads.TOPIC])
    write_modules(tmp_path / "hand-in", vit_model=source)
    seen.submission = opened(tmp_path / "hand-in", wanted=("ClassificationHead", "LinearEmbeddingHead"))
    verdict = harness.judged(seen, "vit.heads")
    assert verdict.status in ("missing", "failed") and verdict.feedback.startswith(said), verdict.feedback


FIRST = "class ViT:\n    def forward(self, x):\n        return x\n"
AGAIN = {
    "written otherwise": (
        "class ViT:\n    x = 1\n",
        ["'ViT': The last definition counts: `ViT` stands in m.py, line 1, and again in m.py, line 4"],
    ),
    "the same, laid out otherwise": ("class ViT:\n\n    def forward(self, x): return x  # as above\n", []),
    "another name": ("class Transformer:\n    x = 1\n", []),
}


@pytest.mark.parametrize("second, lines", AGAIN.values(), ids=AGAIN)
def test_a_definition_that_another_one_replaces_is_told(tmp_path: Path, second: str, lines: list[str]) -> None:
    write_modules(tmp_path / "hand-in", m=FIRST + second)
    problems = opened(tmp_path / "hand-in", wanted=("ViT",)).problems
    assert [line for line in problems if "last definition" in line] == lines


def test_a_template_that_was_left_above_its_solution_is_no_definition(tmp_path: Path) -> None:
    write_modules(tmp_path / "hand-in", m="class ViT:\n    pass\n" + FIRST)
    assert not any("last definition" in line for line in opened(tmp_path / "hand-in", wanted=("ViT",)).problems)


TWICE = """
from torch import nn
class LinearEmbeddingHead(nn.Linear):
    def __init__(self, hidden_size, embed_size=64):
        super().__init__(hidden_size, embed_size)
class ClassificationHead(nn.Linear):
    def __init__(self, hidden_size, num_classes=10):
        super().__init__(hidden_size, num_classes)
class ClassificationHead(nn.Linear):
    def __init__(self, hidden_size, num_classes=10):
        super().__init__(hidden_size, {})
"""


@pytest.mark.parametrize("width, status", [("num_classes + 1", "failed"), ("int(num_classes)", "passed")])
def test_where_the_last_definition_fails_the_one_before_it_is_named(tmp_path: Path, width: str, status: str) -> None:
    source = TWICE.format(width).lstrip()
    seen = harness.evidence({"vit_model": source}, [heads.TOPIC])
    write_modules(tmp_path / "hand-in", vit_model=source)
    seen.submission = opened(tmp_path / "hand-in", wanted=("ClassificationHead", "LinearEmbeddingHead"))
    verdict = harness.judged(seen, "vit.heads")
    told = "The last definition counts: `ClassificationHead` stands in vit_model.py, line 5, and again in vit_model.py, line 8."
    assert verdict.status == status and verdict.feedback.count(told) == (status == "failed"), verdict.feedback
