"""Arguments left out or exchanged, calls taken away, methods and functions replaced by their siblings."""

from collections.abc import Iterator

import libcst as cst

from grader.mutation.nodes import Change, enclosed, exchanged, last_name, without
from grader.mutation.scopes import Scope

SIBLINGS = (  # each stands in for the other
    ("eval", "train"), ("min", "max"), ("sum", "mean"), ("no_grad", "enable_grad"), ("argmax", "argmin"),
    ("zeros", "ones"), ("rand", "randn"), ("cat", "stack"), ("append", "extend"), ("any", "all"),
    ("squeeze", "unsqueeze"), ("flatten", "squeeze"), ("parameters", "buffers"), ("softmax", "sigmoid"),
    ("step", "zero_grad"), ("floor", "ceil"), ("topk", "sort"), ("LayerNorm", "Identity"), ("GELU", "Identity"),
    ("ReLU", "Identity"), ("Dropout", "Identity"), ("AdamW", "SGD"), ("Adam", "SGD"), ("int", "round"),
    ("update", "pop"), ("first", "last"), ("reshape", "view"), ("exp", "log"), ("sqrt", "square"), ("tanh", "relu"),
)  # fmt: skip


def dropped(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """An argument left out."""
    if isinstance(node, cst.Call):
        for index, arg in enumerate(node.args):
            what = f"keyword {arg.keyword.value} left out" if arg.keyword else "argument left out"
            yield what, node.with_changes(args=without(node.args, index))


def swapped(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """Two arguments exchanged that follow each other."""
    if isinstance(node, cst.Call):
        for index, (one, two) in enumerate(zip(node.args, node.args[1:], strict=False)):
            if bool(one.keyword) == bool(two.keyword) and not one.star and not two.star:
                yield "arguments exchanged", node.with_changes(args=exchanged(node.args, index, index + 1, "value"))


def unwrapped(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """``f(x)`` becomes ``x``, and ``x.f()`` becomes ``x``; a class that is called stays."""
    if not isinstance(node, cst.Call) or scope.is_statement(node):
        return
    receiver = node.func.value if isinstance(node.func, cst.Attribute) else None
    if receiver is not None and scope.is_object(receiver):
        yield "call taken away", enclosed(receiver)
    elif node.args and not node.args[0].keyword and not node.args[0].star and not last_name(node.func)[:1].isupper():
        yield "call taken away", enclosed(node.args[0].value)


def sibling(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """Another function of the same family."""
    if isinstance(node, cst.Call):
        name = last_name(node.func)
        for other in (pair[1 - pair.index(name)] for pair in SIBLINGS if name in pair):
            func = (
                node.func.with_changes(attr=cst.Name(other))
                if isinstance(node.func, cst.Attribute)
                else cst.Name(other)
            )
            yield f"{name} replaced by {other}", node.with_changes(func=func)
