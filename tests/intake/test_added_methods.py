"""Methods that a notebook adds to a class afterwards are there; where they cannot be, the words say why."""

import pytest

CLASS = """
from torch import nn

class ViT(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
"""
ADDED = {
    "by a decorator of one's own": """
def add_to_class(cls):
    def add(function):
        setattr(cls, function.__name__, function)
    return add

@add_to_class(ViT)
def forward(self, x):
    return x
""",
    "by a decorator that asks for the annotation": """
def patch(function):
    setattr(next(iter(function.__annotations__.values())), function.__name__, function)

@patch
def forward(self: ViT, x):
    return x
""",
    "by assignment": "\ndef forward(self, x):\n    return x\n\nViT.forward = forward\n",
}


@pytest.mark.parametrize("added", ADDED.values(), ids=ADDED.keys())
def test_a_method_that_is_added_afterwards_is_there(added: str, tmp_path, in_process) -> None:
    from tests.intake.building import from_cells, run

    space = run(from_cells(tmp_path, CLASS, added))
    assert space["ViT"]().forward(3) == 3


def test_a_decorator_of_a_library_that_is_not_installed_is_named(tmp_path, in_process) -> None:
    from tests.intake.building import from_cells

    added = "from d2l import torch as d2l\n\n@d2l.add_to_class(ViT)\ndef forward(self, x):\n    return x\n"
    submission = from_cells(tmp_path, CLASS, added)
    assert any("add_to_class(ViT)" in piece.source for piece in submission.program.main)
