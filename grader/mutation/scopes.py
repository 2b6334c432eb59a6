"""Which names an operator may put in place of another: those of the same scope that hold the same kind of thing.

The kind of a name is guessed from where it gets its value: a parameter's annotation, an object that a class made, a
number, what a loop goes through, any other value; names imported by one statement are of one kind. An attribute of
``self`` is of the kind that its assignment gives it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from grader.mutation.nodes import code, last_name

Kinds = dict[str, str]
VALUE = "value"


@dataclass
class Scope:
    """What can be seen from a place in the code.

    Attributes:
        parents: the node that each node stands in.
        names: kinds of the names of the functions around, the innermost last.
        attributes: kinds of the attributes of ``self``.
        imported: kinds of the names that the module imports from elsewhere.
    """

    parents: Mapping[cst.CSTNode, cst.CSTNode]
    imported: Kinds = field(default_factory=dict)
    names: list[Kinds] = field(default_factory=list)
    attributes: list[Kinds] = field(default_factory=list)

    def is_statement(self, node: cst.CSTNode) -> bool:
        """Tell an expression that is a statement by itself."""
        return isinstance(self.parents.get(node), cst.Expr)

    def is_target(self, node: cst.CSTNode) -> bool:
        """Tell what an assignment or a loop binds."""
        parent = self.parents.get(node)
        if isinstance(parent, cst.AssignTarget | cst.AugAssign | cst.AnnAssign | cst.For | cst.CompFor):
            return parent.target is node
        if isinstance(parent, cst.Element | cst.StarredElement):
            outer = self.parents.get(parent)
            return outer is not None and self.is_target(outer)
        return False

    def is_else(self, node: cst.CSTNode) -> bool:
        """Tell the ``elif`` of another ``if``."""
        parent = self.parents.get(node)
        return isinstance(parent, cst.If) and parent.orelse is node

    def is_object(self, node: cst.BaseExpression) -> bool:
        """Tell an expression that is no module: a local name, an attribute of ``self``, or what is computed."""
        if isinstance(node, cst.Name):
            return node.value != "self" and any(node.value in kinds for kinds in self.names)
        if isinstance(node, cst.Attribute):
            return is_self(node.value) or self.is_object(node.value)
        return True

    def others(self, node: cst.CSTNode) -> list[str]:
        """Names that might stand in the place of this one."""
        if isinstance(node, cst.Name) and self._is_read(node):
            for kinds in reversed(self.names):
                if node.value in kinds:
                    return _neighbours(node.value, kinds)
            if not isinstance(self.parents.get(node), cst.Attribute):
                return _neighbours(node.value, self.imported)
        if isinstance(node, cst.Attribute) and is_self(node.value) and not self.is_target(node) and self.attributes:
            return _neighbours(node.attr.value, self.attributes[-1])
        return []

    def _is_read(self, node: cst.Name) -> bool:
        parent: Any = self.parents.get(node)
        if isinstance(parent, cst.Attribute):
            return parent.value is node
        if isinstance(parent, cst.Arg):
            return parent.value is node
        if isinstance(parent, cst.Param):
            return parent.default is node
        return not isinstance(parent, cst.FunctionDef | cst.ClassDef | cst.NameItem) and not self.is_target(node)


def is_self(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "self"


def _neighbours(name: str, kinds: Kinds) -> list[str]:
    """The names of the same kind that were defined next, in a circle."""
    same = [other for other in kinds if kinds[other] == kinds.get(name)]
    if name not in same:
        return []
    at = same.index(name)
    max_neighbours = 2  # other names that are tried for one, in the order of their definitions
    return [other for other in same[at + 1 :] + same[:at] if other != "_"][:max_neighbours]


def imported(module: cst.Module) -> Kinds:
    """The names that a module imports, kind by kind."""
    kinds: Kinds = {}
    for statement in (part for line in module.body if isinstance(line, cst.SimpleStatementLine) for part in line.body):
        if isinstance(statement, cst.ImportFrom) and not isinstance(statement.names, cst.ImportStar):
            for alias in statement.names:
                name = alias.asname.name if alias.asname else alias.name
                kinds[code(name)] = f"from {code(statement.module) if statement.module else '.'}"
    return kinds


def of_function(function: cst.FunctionDef) -> Kinds:
    """The parameters and local names of a function, in the order of their definitions."""
    found = Bound()
    for param in (*function.params.params, *function.params.kwonly_params):
        if param.name.value != "self":
            found.kinds[param.name.value] = code(param.annotation.annotation) if param.annotation else VALUE
    function.body.visit(found)
    return {name: VALUE if kind == "Tensor" else kind for name, kind in found.kinds.items()}


def of_class(definition: cst.ClassDef) -> Kinds:
    """The attributes that the methods of a class give to ``self``."""
    found = Bound(attributes=True)
    definition.body.visit(found)
    return found.kinds


class Bound(cst.CSTVisitor):
    """Collects what the assignments and loops of a body bind; what they bind inside functions is their own."""

    def __init__(self, attributes: bool = False) -> None:
        super().__init__()
        self.kinds: Kinds = {}
        self.of_self = attributes

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802 (libcst calls it by this name)
        return self.of_self

    def visit_Lambda(self, node: cst.Lambda) -> bool:  # noqa: N802
        return False

    def visit_CompFor(self, node: cst.CompFor) -> bool:  # noqa: N802
        return False

    def visit_Assign(self, node: cst.Assign) -> None:  # noqa: N802
        for target in node.targets:
            self.bind(target.target, node.value)

    def visit_For(self, node: cst.For) -> None:  # noqa: N802
        for name in names_of(node.target):
            if not self.of_self:
                self.kinds.setdefault(name, VALUE)

    def bind(self, target: cst.BaseExpression, value: cst.BaseExpression) -> None:
        """Note what one assignment binds."""
        if isinstance(target, cst.Tuple | cst.List):
            values = value.elements if isinstance(value, cst.Tuple | cst.List) else ()
            for index, element in enumerate(target.elements):
                self.bind(element.value, values[index].value if len(values) > index else cst.Name("unknown"))
        elif self.of_self and isinstance(target, cst.Attribute) and is_self(target.value):
            self.kinds.setdefault(target.attr.value, kind_of(value))
        elif not self.of_self and isinstance(target, cst.Name):
            self.kinds.setdefault(target.value, kind_of(value))


def names_of(target: cst.BaseExpression) -> Iterator[str]:
    """The names in a target."""
    if isinstance(target, cst.Name):
        yield target.value
    elements: Sequence[Any] = target.elements if isinstance(target, cst.Tuple | cst.List) else ()
    for element in elements:
        yield from names_of(element.value)


def kind_of(value: cst.BaseExpression) -> str:
    """What an expression seems to give: an object, a number, or any other value."""
    while isinstance(value, cst.Call):
        if last_name(value.func)[:1].isupper():
            return f"made by {code(value.func)}" if last_name(value.func) == "Parameter" else "object"
        if not isinstance(value.func, cst.Attribute):
            break
        value = value.func.value
    return "number" if isinstance(value, cst.Integer | cst.Float) else VALUE
