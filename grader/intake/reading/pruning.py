"""What of a block or a function a call in it needs: the statements that come to it, and those before them."""

import ast
import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from .effects import KnownNames, changed
from .names import bound, walk
from .parsing import Statement, parses


@dataclass(frozen=True)
class Pruning:
    """How statements are cut down to what some calls in them need.

    Attributes:
        calls: whether evaluating a statement comes to one of the calls.
        is_forbidden: whether a statement is never executed.
    """

    calls: Callable[[ast.AST], bool]
    is_forbidden: Callable[[ast.AST], bool]

    def pruned(self, statement: Statement) -> Statement | None:
        """A statement with the call, without what the call does not need."""
        node = copy_of(statement.node)
        self.prune(node)
        ast.fix_missing_locations(node)
        source = ast.unparse(node)
        return replace(statement, node=node, source=source) if parses(source) else None

    def prune(self, node: ast.AST) -> set[str]:
        """Leave out of the blocks in a node what its calls do not need; return the names that are needed before it."""
        needed: set[str] = set()
        for field in ("handlers", "orelse", "finalbody", "body"):
            inner = getattr(node, field, None)
            if not isinstance(inner, list):
                continue
            if field == "handlers":
                for handler in inner:
                    self.prune(handler)
                continue
            kept = self.of_block(inner, needed)
            setattr(node, field, kept or ([ast.Pass()] if field == "body" else []))
        heads = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt | ast.ExceptHandler)]
        return needed | loaded_names(heads)

    def of_block(self, body: list[ast.stmt], needed: set[str]) -> list[ast.stmt]:
        """The statements of a block that come to the call, and those before them that it needs."""
        kept: list[ast.stmt] = []
        nothing = KnownNames()
        blocks = (ast.If, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.For, ast.While)
        for node in reversed(body):
            if self.calls(node):
                needed |= self.prune(node) if isinstance(node, blocks) else loaded_names([node])
            elif isinstance(node, ast.Global | ast.Nonlocal):
                pass
            elif not (bound([node]) | changed(node, nothing)) & needed or self.is_forbidden(node):
                continue
            else:
                needed |= loaded_names([node])
            kept.insert(0, node)
        return kept


def loaded_names(nodes: Iterable[ast.AST]) -> set[str]:
    return {n.id for node in nodes for n in walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def copy_of(node: ast.stmt) -> ast.stmt:
    """A copy of a tree that may be changed; notes of its children are made anew."""
    twin = copy.deepcopy(node)
    for part in ast.walk(twin):
        part.__dict__.pop("noted_children", None)
    return twin
