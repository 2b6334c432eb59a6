"""Whatever a student's function returns, its description has the form that arrives on the other side."""

from typing import Any

import numpy as np
import pytest
import torch

from grader.forms import described
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
    described(protocol.decode(parts[1], b"".join(parts[2:]))[1])


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_is_told_by_its_shape(name: str) -> None:
    told = describe.result(RETURNED[name])
    assert told["kind"] == "other" and "too large" in told["type"] and str(tuple(RETURNED[name].shape)) in told["type"]
