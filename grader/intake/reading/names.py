"""Which names a statement binds and which it uses, by Python's own scoping rules.

A use is a dotted chain as it is written, ``m.Net``: its first part is the name that is looked up.
*Now* is what evaluating the statement looks up; *later* is what calling a function of it will.
"""

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
NOTHING: frozenset[str] = frozenset()
ANY = "*"  # in the place of a name: one that the text does not tell


def children(node: ast.AST) -> list[ast.AST]:
    """Return a node's children, noted on the node: trees are gone through many times."""
    found: list[ast.AST] | None = getattr(node, "noted_children", None)
    if found is None:
        found = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr_context)]
        node.noted_children = found  # type: ignore[attr-defined]
    return found


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all nodes below it, parents first."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending += children(node)


def depth(tree: ast.AST) -> int:
    """Return how deep a tree is nested, without recursion."""
    level, nodes = 0, [tree]
    while nodes:
        level += 1
        nodes = [child for node in nodes for child in children(node)]
    return level


def header(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[ast.AST]:
    """Return the parts of a function that are evaluated when it is defined."""
    args = node.args
    parts: list[ast.AST | None] = [*args.defaults, *args.kw_defaults]
    if not isinstance(node, ast.Lambda):
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        parts += [*node.decorator_list, node.returns, *(arg.annotation for arg in every if arg)]
    return [part for part in parts if part is not None]


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    args = node.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    return {arg.arg for arg in every if arg}


def evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node that is evaluated with the statement: function bodies are not, class bodies are."""
    pending: list[ast.AST] = [node]
    while pending:
        current = pending.pop()
        yield current
        if isinstance(current, (*FUNCTIONS, ast.Lambda)):
            pending += header(current)
        else:
            pending += children(current)


def calls_of(node: ast.AST) -> list[ast.Call]:
    """Return what a node calls by itself: a call its function, a definition its plain decorators."""
    return [node] if isinstance(node, ast.Call) else plain_decorators(node)


def plain_decorators(node: ast.AST) -> list[ast.Call]:
    """Return the decorators of a definition that are no calls as they stand, as the calls that they are."""
    plain = [each for each in getattr(node, "decorator_list", []) if not isinstance(each, ast.Call)]
    return [ast.Call(func=decorator, args=[], keywords=[]) for decorator in plain]


def dotted(node: ast.AST) -> str | None:
    """Return ``a.b.c`` for such an expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def last_name(node: ast.AST) -> str:
    """Return ``Op`` for ``Op`` and ``ops.Op``, and nothing for what is no name."""
    return (dotted(node) or "").rpartition(".")[2]


def bases(node: ast.ClassDef) -> list[ast.expr]:
    """Return what a class is made of: its bases, and its metaclass."""
    return [*node.bases, *(keyword.value for keyword in node.keywords)]


def root(node: ast.AST) -> str | None:
    """Return the name at the bottom of ``name.a[0].b().c``, and of ``vars(name)["a"]``."""
    while not isinstance(node, ast.Name):
        if isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func
        elif isinstance(node, ast.Call) and dotted(node.func) == "vars" and node.args:
            node = node.args[0]
        else:
            return None
    return node.id


def bound(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that these statements bind in the scope in which they stand."""
    return set().union(*map(bound_by, nodes))


def bound_by(statement: ast.AST) -> set[str]:
    """Return those that one of them binds, noted on it as its children are."""
    names: set[str] | None = getattr(statement, "noted_names", None)
    if names is None:
        names = statement.noted_names = _bound_by(statement)  # type: ignore[attr-defined]
    return names


def _bound_by(statement: ast.AST) -> set[str]:
    names: set[str] = set()
    pending = [statement]
    while pending:
        node = pending.pop()
        names |= bound_here(node)
        if isinstance(node, COMPREHENSIONS):
            pending += [inner for inner in walk(node) if isinstance(inner, ast.NamedExpr)]
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)) and not never_runs(node):
            pending += children(node)
    return names


def bound_here(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return {node.id}
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):  # it gives Python's own meaning back
        return {node.id} if hasattr(builtins, node.id) else set()
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return {node.name}
    if isinstance(node, ast.Import):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names} - {"*"}
    if isinstance(node, (ast.MatchAs, ast.MatchStar, ast.ExceptHandler)):
        return {node.name} if node.name else set()
    if isinstance(node, ast.MatchMapping):
        return {node.rest} if node.rest else set()
    return namespace_item(node)


def namespace_item(node: ast.AST, spaces: Collection[str] = ("globals", "locals", "vars")) -> set[str]:
    """Return the name that ``globals()["name"] = ...`` binds; ANY for ``globals()[name]`` and ``.update(...)``."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and namespace(node.value) in spaces:
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        return {key if isinstance(key, str) else ANY}
    if isinstance(node, ast.Call) and dotted(node.func) == "setattr" and node.args and is_own_module(node.args[0]):
        return {pattern(node.args[1])} if len(node.args) == 3 else set()
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr not in ("update", "setdefault") or namespace(node.func.value) not in spaces:
            return set()
        named = {keyword.arg for keyword in node.keywords}  # update(Head=Head)
        return {name for name in named if name} if named and None not in named and not node.args else {ANY}
    return set()


def namespace(node: ast.AST) -> str | None:
    """Return ``globals`` for ``globals()``."""
    return dotted(node.func) if isinstance(node, ast.Call) and not node.args else None


def looked_up(node: ast.AST) -> str:
    """Return the name that ``globals()["flip"]`` looks up, ``op_*`` for a text that is put together; "" for all else.

    Where nothing of it is known, it is ANY: some name that stands as text in the file.
    """
    keys: list[ast.expr] = []
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        keys = [node.slice] if namespace(node.value) in ("globals", "locals", "vars") else []
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        keys = node.args[:1] if node.func.attr == "get" and namespace(node.func.value) == "globals" else []
    elif isinstance(node, ast.Call) and node.args and dotted(node.func) in ("eval", "getattr"):
        of_module = dotted(node.func) == "eval" or is_own_module(node.args[0])
        keys = node.args[-1:] if of_module else []
    return pattern(keys[0]) if keys else ""


def is_own_module(node: ast.AST) -> bool:
    """Tell ``sys.modules[__name__]``."""
    return isinstance(node, ast.Subscript) and dotted(node.slice) == "__name__"


def pattern(text: ast.expr) -> str:
    """Return an expression's text, ANY in the place of each part that is not known."""
    if isinstance(text, ast.Constant):
        return str(text.value)
    parts = text.values if isinstance(text, ast.JoinedStr) else [text.left, text.right] if is_sum(text) else []  # type: ignore[attr-defined]
    return "".join(pattern(part) for part in parts) or ANY


def is_sum(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)


def never_runs(node: ast.AST) -> bool:
    """Tell ``if False:`` and ``while 0:`` without an else: their bodies bind nothing."""
    constant = isinstance(node, (ast.If, ast.While)) and isinstance(node.test, ast.Constant)
    return constant and not node.test.value and not node.orelse  # type: ignore[attr-defined]


def declared_global(body: Iterable[ast.AST]) -> set[str]:
    """Return the names that a function's body makes global, its inner functions included."""
    names: set[str] = set()
    for node in (node for statement in body for node in walk(statement)):
        names |= set(node.names) if isinstance(node, ast.Global) else namespace_item(node, ("globals",))
    return names


@dataclass
class Uses:
    """The chains that a statement looks up outside its own scopes."""

    now: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)


def uses(statement: ast.AST) -> Uses:
    """Return what a top-level statement looks up in its module."""
    found = Uses()
    Walk(found).visit(statement, NOTHING, NOTHING, False)
    return found


class Walk:
    """Collects names that are neither local to a function nor to a class body.

    Each method takes the names local to the enclosing functions, those bound so far in the enclosing
    class body (which the functions in it do not see), and whether a function's body is being read.
    """

    def __init__(self, found: Uses) -> None:
        self.found = found

    def visit(self, node: ast.AST, local: frozenset[str], klass: AbstractSet[str], later: bool) -> None:
        if isinstance(node, (ast.Name, ast.Attribute)):
            self.chain(node, local, klass, later)
        elif isinstance(node, (*FUNCTIONS, ast.Lambda)):
            self.function(node, local, klass, later)
        elif isinstance(node, ast.ClassDef):
            self.class_(node, local, klass, later)
        elif isinstance(node, COMPREHENSIONS):
            self.comprehension(node, local, klass, later)
        else:
            if text := looked_up(node):
                self.add(text, local, klass, later)
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                self.add(node.target.id, local, klass, later)
            for child in children(node):
                self.visit(child, local, klass, later)

    def add(self, chain: str, local: frozenset[str], klass: AbstractSet[str], later: bool) -> None:
        name = chain.split(".")[0]
        if name not in local and name not in klass:
            (self.found.later if later else self.found.now).add(chain)

    def chain(
        self, node: ast.Name | ast.Attribute, local: frozenset[str], klass: AbstractSet[str], later: bool
    ) -> None:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            return
        if chain := dotted(node):
            self.add(chain, local, klass, later)
        elif isinstance(node, ast.Attribute):
            self.visit(node.value, local, klass, later)

    def function(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
        local: frozenset[str],
        klass: AbstractSet[str],
        later: bool,
    ) -> None:
        for part in header(node):
            self.visit(part, local, klass, later)
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        inner = local | parameters(node) | (bound(body) - declared_global(body))
        for child in body:
            self.visit(child, inner, NOTHING, True)

    def class_(self, node: ast.ClassDef, local: frozenset[str], klass: AbstractSet[str], later: bool) -> None:
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part, local, klass, later)
        seen: set[str] = set()
        for child in node.body:
            self.visit(child, local, seen, later)
            seen |= bound([child])

    def comprehension(self, node: ast.AST, local: frozenset[str], klass: AbstractSet[str], later: bool) -> None:
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        self.visit(generators[0].iter, local, klass, later)
        inner = local | bound(generator.target for generator in generators)
        for child in children(node):
            for part in children(child) if isinstance(child, ast.comprehension) else [child]:
                if part is not generators[0].iter:
                    self.visit(part, inner, klass, later)
