"""All mutants of a text: each operator at each node of the lines that may be changed."""

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider

from grader import syntax
from grader.mutation import calls, elements, flow, naming, scopes, values
from grader.mutation.nodes import Operator, Replacement
from grader.mutation.scopes import Scope

OPERATORS: tuple[Operator, ...] = (
    values.constant, values.binary, values.augmented, values.unary, values.comparison, values.condition,
    calls.dropped, calls.swapped, calls.unwrapped, calls.sibling,
    elements.element, elements.turned, elements.subscript, elements.bounds, elements.default,
    flow.statement, flow.context, flow.branch, flow.loop,
    naming.other_name,
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """One change of a text.

    Attributes:
        what: what was done, in words.
        function: qualified name of the function, the class or the name that was changed; empty for another statement.
        line: where, 1-based.
        origin: the text before.
        text: the text after.
    """

    what: str
    function: str
    line: int
    origin: str
    text: str

    def block(self) -> tuple[list[str], list[str]]:
        """The lines from the first that differs to the last, before and after."""
        before, after = self.origin.splitlines(), self.text.splitlines()
        head = _alike(before, after)
        tail = _alike(before[head:][::-1], after[head:][::-1])
        return before[head : len(before) - tail], after[head : len(after) - tail]

    def changed(self) -> tuple[str, str]:
        """The lines that went and those that came, without their layout: what an entry names."""
        gone, come = ("\n".join(" ".join(line.split()) for line in lines) for lines in self.block())
        return gone, come

    @property
    def owner(self) -> str:
        """The name at the top of the module that was changed."""
        return self.function.partition(".")[0]


def _alike(before: Sequence[str], after: Sequence[str]) -> int:
    """How many lines are the same in both, from the first."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(before), len(after)))


def mutations(text: str, lines: Collection[int]) -> list[Mutation]:
    """Change a text in one place at a time.

    Args:
        text: a module or a notebook's cell.
        lines: numbers of the lines in which a change may begin, 1-based.

    Returns:
        What parses and means something else than the text, each meaning once, in the order of the text.

    Raises:
        libcst.ParserSyntaxError: the text does not parse.
    """
    wrapper = MetadataWrapper(cst.parse_module(text))
    collected = Collector(wrapper, lines)
    wrapper.visit(collected)
    known = {_meaning(text)}
    found = []
    for change in collected.changes:
        mutant = _applied(wrapper.module, change)
        meaning = _meaning(mutant) if mutant else ""
        if meaning and meaning not in known:
            known.add(meaning)
            found.append(Mutation(change.what, change.function, change.line, text, mutant))
    return found


@dataclass(frozen=True)
class Planned:
    """A node, and what is to stand in its place."""

    what: str
    function: str
    line: int
    top: cst.CSTNode  # the statement of the module that it stands in
    node: cst.CSTNode
    new: Replacement


class Collector(cst.CSTVisitor):
    """Walks through a module and plans every change."""

    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, wrapper: MetadataWrapper, lines: Collection[int]) -> None:
        super().__init__()
        self.lines = lines
        self.positions = wrapper.resolve(PositionProvider)
        self.scope = Scope(wrapper.resolve(ParentNodeProvider), scopes.imported(wrapper.module))
        self.changes: list[Planned] = []
        self.path: list[str] = []
        self.top: cst.CSTNode = wrapper.module

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Plan the changes of a node, and go on into what stands in it."""
        if isinstance(self.scope.parents.get(node), cst.Module):
            self.top = node
        if isinstance(node, cst.Annotation | cst.Import | cst.ImportFrom | cst.FormattedString):
            return False  # what these say to people or to the loader is not what is judged
        self._enter(node)
        position = self.positions.get(node)
        line = position.start.line if position is not None else 0
        if line in self.lines:
            function = ".".join(self.path) or _bound(self.top)
            for operator in OPERATORS:
                for what, new in operator(node, self.scope):
                    self.changes.append(Planned(what, function, line, self.top, node, new))
        docstring = cst.SimpleString | cst.ConcatenatedString
        return not (isinstance(node, cst.Expr) and isinstance(node.value, docstring))

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Forget the names of a function or class that ends."""
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self.path.pop()
            kinds = self.scope.names if isinstance(original_node, cst.FunctionDef) else self.scope.attributes
            kinds.pop()

    def _enter(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.FunctionDef):
            self.path.append(node.name.value)
            self.scope.names.append(scopes.of_function(node))
        elif isinstance(node, cst.ClassDef):
            self.path.append(node.name.value)
            self.scope.attributes.append(scopes.of_class(node))


def _applied(module: cst.Module, change: Planned) -> str:
    """The text with one change; empty where the change does not fit in its place."""
    top, node, new = change.top, change.node, change.new
    try:
        changed = new if node is top else top.deep_replace(node, new)  # type: ignore[type-var]
    except cst.CSTValidationError:  # a parameter without a default after one that has one
        return ""
    new_top = list(changed) if isinstance(changed, cst.FlattenSentinel) else [changed]
    at = next(index for index, statement in enumerate(module.body) if statement is top)
    return module.with_changes(body=[*module.body[:at], *new_top, *module.body[at + 1 :]]).code


def _meaning(text: str) -> str:
    """The syntax tree of a text as one word; empty where it does not parse."""
    try:
        return ast.dump(syntax.parse(text))
    except SyntaxError:
        return ""


def _bound(top: cst.CSTNode) -> str:
    """The name that a statement of the module binds, when it is an assignment."""
    parts = top.body if isinstance(top, cst.SimpleStatementLine) else ()
    for part in parts:
        if isinstance(part, cst.Assign):
            return next(iter(scopes.names_of(part.targets[0].target)), "")
    return ""


def lines_of(text: str) -> Iterator[int]:
    """The numbers of all lines of a text."""
    return iter(range(1, len(text.splitlines()) + 1))
