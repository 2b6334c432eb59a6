"""Elements left out, tuples and lists turned round, indices and bounds of slices taken away, defaults left out."""

from collections.abc import Iterator

import libcst as cst

from grader.mutation.nodes import Change, enclosed, without
from grader.mutation.scopes import Scope


def element(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """An element left out of a list, a tuple, a set or a dictionary."""
    if isinstance(node, cst.List | cst.Tuple | cst.Set | cst.Dict) and not scope.is_target(node):
        least = 2 if isinstance(node, cst.Tuple | cst.Set) else 1
        for index in range(len(node.elements) if len(node.elements) >= least else 0):
            rest = without(node.elements, index)
            if isinstance(node, cst.Tuple) and len(rest) == 1:
                rest = [rest[0].with_changes(comma=cst.Comma())]
            yield "element left out", node.with_changes(elements=rest)


def turned(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """A tuple or a list turned round."""
    if isinstance(node, cst.List | cst.Tuple) and len(node.elements) > 1:
        pairs = zip(node.elements, reversed(node.elements), strict=True)
        if not any(isinstance(each, cst.StarredElement) for each in node.elements):
            yield "turned round", node.with_changes(elements=[a.with_changes(value=b.value) for a, b in pairs])


def subscript(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """An index taken away, or one of several."""
    if isinstance(node, cst.Subscript) and not scope.is_target(node):
        yield "index taken away", enclosed(node.value)
        for index in range(len(node.slice) if len(node.slice) > 1 else 0):
            yield "index taken away", node.with_changes(slice=without(node.slice, index))


def bounds(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """A bound of a slice taken away, or used at the other end."""
    if isinstance(node, cst.Slice):
        for name in ("lower", "upper", "step"):
            if getattr(node, name) is not None:
                yield "bound taken away", node.with_changes(**{name: None})
        if (node.lower is None) != (node.upper is None):
            yield "other end of the slice", node.with_changes(lower=node.upper, upper=node.lower)


def default(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """A default left out."""
    if isinstance(node, cst.Param) and node.default is not None:
        yield "default left out", node.with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT)
