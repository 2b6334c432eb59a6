"""A name replaced by another one of the same scope and kind."""

from collections.abc import Iterator

import libcst as cst

from grader.mutation.nodes import Change
from grader.mutation.scopes import Scope


def other_name(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """A local name, an imported name or an attribute of ``self`` replaced by its neighbours."""
    for name in scope.others(node):
        if isinstance(node, cst.Attribute):
            yield f"{node.attr.value} replaced by {name}", node.with_changes(attr=cst.Name(name))
        elif isinstance(node, cst.Name):
            yield f"{node.value} replaced by {name}", node.with_changes(value=name)
