"""Other constants, other operators, an operand left out, comparisons and conditions turned round."""

from collections.abc import Iterator

import libcst as cst

from grader.mutation.nodes import Change, enclosed, negative
from grader.mutation.scopes import Scope

BINARY: dict[type[cst.BaseBinaryOp], type[cst.BaseBinaryOp]] = {
    cst.Add: cst.Subtract,
    cst.Subtract: cst.Add,
    cst.Multiply: cst.Divide,
    cst.Divide: cst.Multiply,
    cst.FloorDivide: cst.Multiply,
    cst.Modulo: cst.FloorDivide,
    cst.Power: cst.Multiply,
    cst.MatrixMultiply: cst.Multiply,
    cst.BitAnd: cst.BitOr,
    cst.BitOr: cst.BitAnd,
}
AUGMENTED: dict[type[cst.BaseAugOp], type[cst.BaseAugOp]] = {
    cst.AddAssign: cst.SubtractAssign,
    cst.SubtractAssign: cst.AddAssign,
    cst.MultiplyAssign: cst.DivideAssign,
    cst.DivideAssign: cst.MultiplyAssign,
}
COMPARED: dict[type[cst.BaseCompOp], tuple[type[cst.BaseCompOp], ...]] = {
    cst.Equal: (cst.NotEqual,),
    cst.NotEqual: (cst.Equal,),
    cst.LessThan: (cst.LessThanEqual, cst.GreaterThan),
    cst.LessThanEqual: (cst.LessThan, cst.GreaterThan),
    cst.GreaterThan: (cst.GreaterThanEqual, cst.LessThan),
    cst.GreaterThanEqual: (cst.GreaterThan, cst.LessThan),
    cst.Is: (cst.IsNot,),
    cst.IsNot: (cst.Is,),
    cst.In: (cst.NotIn,),
    cst.NotIn: (cst.In,),
}


def constant(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """A number changed, a truth value turned round, a word replaced."""
    match node:
        case cst.Integer():
            for value in (node.evaluated_value + 1, node.evaluated_value - 1):
                number = cst.Integer(str(abs(value)))
                yield "constant changed", number if value >= 0 else negative(number)
        case cst.Float():
            yield "constant changed", cst.Float("1.0" if node.evaluated_value == 0 else "0.0")
            if node.evaluated_value:
                yield "constant changed", negative(node)
                yield "constant changed", cst.Float(repr(round(10 * node.evaluated_value, 12)))
        case cst.Name("True"):
            yield "truth value turned round", cst.Name("False")
        case cst.Name("False"):
            yield "truth value turned round", cst.Name("True")
        case cst.SimpleString() if isinstance(node.evaluated_value, str):
            yield "word changed", node.with_changes(value=f"{node.prefix}{node.quote}{node.raw_value}_{node.quote}")


def binary(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """Another operator, or one operand alone."""
    if not isinstance(node, cst.BinaryOperation):
        return
    other = BINARY.get(type(node.operator))
    if other is not None:
        yield "operator changed", node.with_changes(operator=other())
    if isinstance(node.operator, cst.FloorDivide):
        yield "operator changed", node.with_changes(operator=cst.Divide())
    yield "operand left out", _like(node, node.left)
    yield "operand left out", _like(node, node.right)


def augmented(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """``+=`` becomes ``-=`` or ``=``."""
    if isinstance(node, cst.AugAssign):
        other = AUGMENTED.get(type(node.operator))
        if other is not None:
            yield "operator changed", node.with_changes(operator=other())
        yield "operator changed", cst.Assign([cst.AssignTarget(node.target)], node.value)


def unary(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """``-x``, ``not x`` and ``~x`` become ``x``."""
    if isinstance(node, cst.UnaryOperation):
        yield "sign or negation left out", _like(node, node.expression)


def comparison(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """Another comparison."""
    if isinstance(node, cst.Comparison):
        for index, target in enumerate(node.comparisons):
            for other in COMPARED.get(type(target.operator), ()):
                changed = target.with_changes(operator=other())
                compared = [*node.comparisons[:index], changed, *node.comparisons[index + 1 :]]
                yield "comparison changed", node.with_changes(comparisons=compared)


def condition(node: cst.CSTNode, scope: Scope) -> Iterator[Change]:
    """``and`` becomes ``or`` and the other way round, or one side alone."""
    if isinstance(node, cst.BooleanOperation):
        other = cst.Or() if isinstance(node.operator, cst.And) else cst.And()
        yield "and/or exchanged", node.with_changes(operator=other)
        yield "operand left out", _like(node, node.left)
        yield "operand left out", _like(node, node.right)


def _like(whole: cst.BaseExpression, part: cst.BaseExpression) -> cst.BaseExpression:
    """A part in the place of the whole, in the parentheses that stood around it."""
    if part.lpar or not whole.lpar:
        return enclosed(part)
    return part.with_changes(lpar=whole.lpar, rpar=whole.rpar)
