"""Statements left out, contexts dropped, branches always or never taken, loops that end after a round."""

from collections.abc import Iterator

import libcst as cst

from grader.mutation.nodes import Change, enclosed, passing
from grader.mutation.scopes import Scope


def statement(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """A statement left out, with all that stands in it."""
    not_removed = (cst.Pass, cst.Import, cst.ImportFrom, cst.Global, cst.Nonlocal)
    if isinstance(node, cst.SimpleStatementLine):
        if not any(isinstance(part, not_removed) or _is_text(part) for part in node.body):
            yield "statement left out", passing(node)
    elif isinstance(node, (cst.If, cst.For, cst.While, cst.With, cst.Try)) and not scope.is_else(node):
        yield "statement left out", passing(node)


def context(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """A ``with`` dropped, and its body kept."""
    if isinstance(node, cst.With) and isinstance(node.body, cst.IndentedBlock):
        yield "with dropped", cst.FlattenSentinel(node.body.body)


def branch(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """A branch always or never taken, an ``else`` dropped."""
    if isinstance(node, cst.If):
        yield "branch always taken", node.with_changes(test=cst.Name("True"))
        yield "branch never taken", node.with_changes(test=cst.Name("False"))
        if node.orelse is not None:
            yield "else dropped", node.with_changes(orelse=None)
    elif isinstance(node, cst.IfExp):
        yield "branch always taken", enclosed(node.body)
        yield "branch never taken", enclosed(node.orelse)
    elif isinstance(node, cst.While):
        yield "loop never entered", node.with_changes(test=cst.Name("False"))
    elif isinstance(node, cst.CompFor):
        for index in range(len(node.ifs)):
            yield "condition left out", node.with_changes(ifs=[*node.ifs[:index], *node.ifs[index + 1 :]])


def loop(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """A loop that ends after its first round, or goes on where it ended."""
    if isinstance(node, cst.For | cst.While) and isinstance(node.body, cst.IndentedBlock):
        ended = [*node.body.body, cst.SimpleStatementLine([cst.Break()])]
        yield "one round alone", node.with_changes(body=node.body.with_changes(body=ended))
    elif isinstance(node, cst.Break):
        yield "break replaced by continue", cst.Continue()
    elif isinstance(node, cst.Continue):
        yield "continue replaced by break", cst.Break()


def _is_text(part: cst.BaseSmallStatement) -> bool:
    return isinstance(part, cst.Expr) and isinstance(part.value, cst.SimpleString | cst.ConcatenatedString)
