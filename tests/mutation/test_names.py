"""Which names stand in for another one."""

import ast

from grader.mutation.mutations import lines_of, mutations


def renamed(text: str) -> set[str]:
    found = mutations(text, set(lines_of(text)))
    return {m.what for m in found if " replaced by " in m.what}


def test_parameters_of_one_annotation_stand_in_for_each_other() -> None:
    text = "def f(a: int, b: int, c: str):\n    return a\n"
    assert renamed(text) == {"a replaced by b"}


def test_objects_stand_in_for_objects_and_numbers_for_numbers() -> None:
    text = "def f():\n    net, head = ViT(1).to(d), Head(2)\n    n = 3\n    m = 4\n    net.go(n)\n"
    assert renamed(text) == {"net replaced by head", "n replaced by m"}


def test_names_imported_together_stand_in_for_each_other() -> None:
    text = "from sizes import width, depth\nfrom os import path\n\n\ndef f():\n    return width\n"
    assert renamed(text) == {"width replaced by depth"}


def test_attributes_of_self_stand_in_for_those_made_alike() -> None:
    text = (
        "class A:\n    def __init__(self):\n        self.one, self.two = Norm(3), Norm(4)\n        self.size = 3\n\n"
        "    def f(self, x):\n        return self.one(x)\n"
    )
    assert renamed(text) == {"one replaced by two"}


def test_what_is_assigned_keeps_its_name() -> None:
    text = "def f(a, b):\n    a = 1\n"
    assert not renamed(text)


def test_what_stands_there_afterwards_is_python() -> None:
    text = "def f(a, b):\n    return [a.x[b:], *g(a, k=b)]\n"
    found = list(mutations(text, {2}))
    assert len(found) > 3
    for mutation in found:
        ast.parse(mutation.text)
