"""What a statement of a submission binds, reads and evaluates, told from its text."""

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache


def imported(source: str) -> set[str]:
    """The names that an import statement binds."""
    statements = [each for each in ast.parse(source).body if isinstance(each, ast.Import | ast.ImportFrom)]
    aliases = [alias for statement in statements for alias in statement.names]
    return {alias.asname or alias.name.partition(".")[0] for alias in aliases}


@cache
def bound(source: str) -> frozenset[str]:
    """The names that a statement binds, those inside its functions and classes aside."""
    pending, names = _parsed(source), set()
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        pending += ast.iter_child_nodes(node)
    return frozenset(names)


def is_settled(source: str, times: Counter[str]) -> bool:
    """Whether a statement that was executed calls and deletes nothing, and binds what no other statement binds.

    Once more it would do nothing, or harm: ``old = torch.save; torch.save = lambda *given: old(*given)``.

    Args:
        times: how many statements bind each name.
    """
    acts = any(isinstance(node, ast.Call | ast.Delete) for node in evaluated(source))
    return not acts and all(times[name] == 1 for name in bound(source))


def read(source: str) -> set[str]:
    """The names that a statement reads when it is executed."""
    return {node.id for node in evaluated(source) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def last_that_binds(name: str, sources: Sequence[str]) -> str:
    """The last of some statements that binds a name; "" where none does."""
    return next((source for source in reversed(sources) if name in bound(source)), "")


def is_definition(source: str) -> bool:
    """Whether a statement imports something, or defines a function or a class."""
    kinds = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return any(isinstance(node, kinds) for node in _parsed(source))


def read_when_called(sources: Iterable[str], names: Collection[str]) -> dict[str, set[str]]:
    """The attributes of names that functions in some statements read: of ``nn``, {"Linear", "GELU"}."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    found: dict[str, set[str]] = {}
    for function in (each for source in sources for node in _parsed(source) for each in ast.walk(node)):
        for node in ast.walk(function) if isinstance(function, functions) else ():
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
                found.setdefault(node.value.id, set()).add(node.attr)
    return found


def evaluated(source: str) -> Iterator[ast.AST]:
    """What a statement evaluates when it is executed; the bodies of functions and classes wait for a call."""
    pending = _parsed(source)
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending += node.decorator_list
        elif not isinstance(node, ast.Lambda):
            pending += ast.iter_child_nodes(node)


def _parsed(source: str) -> list[ast.AST]:
    """The statements of a text; none where it cannot be parsed."""
    try:
        return list(ast.parse(source).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
