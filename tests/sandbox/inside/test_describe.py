"""Whatever a student's function returns, its description has the form that arrives on the other side."""

import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import pytorch_metric_learning.losses  # noqa: F401  as workers have it: names are looked for among what is imported
import torch

from grader.observations import Result, converted
from grader.sandbox.inside import describe, protocol


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


def holding_itself() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


RETURNED = {
    "a tensor": torch.ones(2, 3), "half precision": torch.ones(2, dtype=torch.bfloat16), "an array": np.ones(3),
    "a pair": (torch.ones(2), torch.zeros(2, dtype=torch.int64)), "a dict": {"a": 1, 2: None}, "nothing": None,
    "not a number": float("nan"), "infinite": -float("inf"), "a module": torch.nn.Linear(1, 1), "text": "a" * 99_999,
    "complex numbers": torch.ones(2, dtype=torch.complex64), "no numbers": torch.ones(0, 3),
    "five million numbers": torch.zeros(5_000_000), "more numbers than memory": torch.zeros(1).expand(10**6, 10**6),
    "a large array": np.zeros(5_000_000, np.uint8), "nine axes": torch.zeros((1,) * 9), "nine axes of an array": np.zeros((1,) * 9),
    "lists in lists": nested(30), "a list that holds itself": holding_itself(), "a set": {1},
}  # fmt: skip
TOO_LARGE = ("five million numbers", "more numbers than memory", "a large array", "nine axes", "nine axes of an array")


@pytest.mark.parametrize("value", RETURNED.values(), ids=RETURNED)
def test_it_has_its_form_when_it_arrives(value: Any) -> None:
    parts = protocol.encode("id", describe.result(value))
    converted(protocol.decode(parts[1], b"".join(parts[2:]))[1], Result)


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_is_told_by_its_shape(name: str) -> None:
    told = describe.result(RETURNED[name])
    assert told["kind"] == "other" and "too large" in told["type"] and str(tuple(RETURNED[name].shape)) in told["type"]


def raised(source: str) -> str:
    """Return the message of what a text raises."""
    try:
        exec(source, {})
    except Exception as error:
        return str(describe.exception(error)["message"])
    raise AssertionError(source)


NEAR = {
    "a part of a library": (
        "from pytorch_metric_learning import loses",
        "cannot import name 'loses' from 'pytorch_metric_learning' (did you mean 'losses'?)",
    ),
    "a name in a module": (
        "from torch import tensr",
        "cannot import name 'tensr' from 'torch' (did you mean 'tensor'?)",
    ),
    "of a module": ("import torch.nn as nn\nnn.Linea", "has no attribute 'Linea' (did you mean 'Linear'?)"),
    "of an object": ("[].apend", "'list' object has no attribute 'apend' (did you mean 'append'?)"),
    "nothing is near": ("from torch import quux", "cannot import name 'quux' from 'torch'"),
    "a name in other letters": (
        "from torch.nn import relU",
        "cannot import name 'relU' from 'torch.nn' (did you mean 'ReLU'?)",
    ),
    "a variable": (
        "embeddings = 1\ndef f(x):\n    return embedings\nf(1)",
        "name 'embedings' is not defined (did you mean 'embeddings'?)",
    ),
    "a name of its own": ("x = losses", "name 'losses' is not defined"),
}


@pytest.mark.parametrize("source, said", NEAR.values(), ids=NEAR)
def test_a_name_that_a_library_has_not_is_said_with_the_nearest_one(source: str, said: str) -> None:
    assert raised(source).endswith(said)


def test_a_slip_of_a_letter_is_told_before_a_statement_that_is_not_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    plots = "cell 13, line 3 is not executed, for it plots"
    monkeypatch.setattr(describe, "lost", {"label": plots, "labels": "a.py, line 1 raised KeyError: 'a'"})
    assert raised("labels = 1\nlabel").endswith("name 'label' is not defined (did you mean 'labels'?)")
    assert raised("items = 1\nlabel").endswith(f"name 'label' is not defined, because {plots}")
    assert raised("label = 1\nlabels").endswith("because a.py, line 1 raised KeyError: 'a'")


PATHS: dict[str, tuple[Callable[[], str], str]] = {
    "a library": (lambda: f"'{torch.__file__}'", "'torch/__init__.py'"),
    "the standard library": (lambda: f"in {shutil.__file__}", "in shutil.py"),
    "the grader": (lambda: f"({describe.__file__})", "(grader/sandbox/inside/describe.py)"),
    "a file of another machine": (lambda: "/content/drive/data.csv", "/content/drive/data.csv"),
}


@pytest.mark.parametrize("path, said", PATHS.values(), ids=PATHS)
def test_no_message_tells_where_the_graders_machine_keeps_its_files(path: Callable[[], str], said: str) -> None:
    assert describe.exception(OSError(path()))["message"] == said


def test_an_object_that_cannot_be_looked_at_costs_no_message() -> None:
    assert raised("class A:\n    def __dir__(self):\n        raise SystemExit\nA().x").endswith("no attribute 'x'")


def test_a_tensor_of_a_class_of_ones_own_cannot_hide_that_it_has_a_gradient():
    value = torch.ones(2, requires_grad=True) * 2
    value.__class__ = type("Detached", (torch.Tensor,), {"requires_grad": False})
    assert describe.tensor(value)["requires_grad"] is True


def test_a_sparse_tensor_is_told_as_if_it_were_none_and_one_without_numbers_is_refused() -> None:
    assert describe.result(torch.eye(2).to_sparse())["array"].tolist() == [[1, 0], [0, 1]]
    with pytest.raises(TypeError, match="hold no numbers"):
        describe.result(torch.ones(2, device="meta"))
