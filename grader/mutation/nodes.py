"""What the operators need of libcst: small pieces of code, and sequences with an item less or two exchanged."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import libcst as cst

if TYPE_CHECKING:
    from grader.mutation.scopes import Scope

Replacement = cst.CSTNode | cst.FlattenSentinel
Change = tuple[str, Replacement]  # what was done, in words, and what stands there now
Operator = Callable[[cst.CSTNode, "Scope"], Iterator[Change]]


def code(node: cst.CSTNode) -> str:
    """The text of a node."""
    return cst.Module([]).code_for_node(node)


def enclosed(node: cst.BaseExpression) -> cst.BaseExpression:
    """An expression that means the same wherever it is put: in parentheses where it needs them."""
    atoms = (
        cst.Name,
        cst.Call,
        cst.Attribute,
        cst.Subscript,
        cst.Integer,
        cst.Float,
        cst.SimpleString,
        cst.List,
        cst.Dict,
    )
    if isinstance(node, atoms) or node.lpar:
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def negative(node: cst.BaseExpression) -> cst.BaseExpression:
    """An expression with a minus before it."""
    return cst.UnaryOperation(cst.Minus(), enclosed(node))


def without(items: Sequence[Any], index: int) -> list[Any]:
    """A sequence without one item; the last one that stays takes over what followed the last one before."""
    rest = [*items[:index], *items[index + 1 :]]
    if rest and index == len(items) - 1:
        rest[-1] = rest[-1].with_changes(comma=items[-1].comma)
    return rest


def exchanged(items: Sequence[Any], first: int, second: int, *fields: str) -> list[Any]:
    """A sequence in which two items have exchanged some of their fields."""
    changed = list(items)
    for here, there in ((first, second), (second, first)):
        changed[here] = items[here].with_changes(**{field: getattr(items[there], field) for field in fields})
    return changed


def passing(statement: Any) -> cst.SimpleStatementLine:
    """A statement that does nothing, in place of another one."""
    return cst.SimpleStatementLine([cst.Pass()], leading_lines=statement.leading_lines)


def last_name(callee: cst.BaseExpression) -> str:
    """The last part of ``torch.optim.AdamW``; empty for another expression."""
    if isinstance(callee, cst.Attribute):
        return callee.attr.value
    return callee.value if isinstance(callee, cst.Name) else ""
