"""Another function is called in the place of one, whatever holds that one."""

import functools
import inspect
from collections.abc import Callable

import pytest
import torch

from grader.torchkit.inside.replacing import called_in_place, twin


def plain(x: int, *, factor: int = 1) -> str:
    return f"own {x * factor}"


def made() -> Callable[..., str]:
    offset = 1

    def inside(x: int, *, factor: int = 2) -> str:
        return f"own {x * factor + offset}"

    return inside


ORIGINALS = {"plain": plain, "a closure": made(), "decorated": torch.no_grad()(plain)}


@pytest.mark.parametrize("original", ORIGINALS.values(), ids=ORIGINALS)
def test_calls_of_a_function_reach_the_other_until_the_end(original: Callable[..., str]) -> None:
    holders = [original, {"it": original}["it"], functools.partial(original), lambda *a, **k: original(*a, **k)]
    before, same = original(3, factor=2), twin(original)
    with called_in_place([(original, lambda x, factor: f"other {x} {factor}")]):
        assert {each(3, factor=2) for each in holders} == {"other 3 2"}
        assert same(3, factor=2) == before and same(3) == twin(same)(3)
        assert list(inspect.signature(same).parameters) == ["x", "factor"]
    assert {each(3, factor=2) for each in holders} == {before}


def test_what_is_no_plain_function_is_left_as_it_is() -> None:
    class Called:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self) -> str:
            return "own"

    called = Called()
    with called_in_place([(called, lambda: "other"), (len, lambda: "other")]):
        assert called() == "own" and len("abc") == 3
    assert twin(called) is called
