"""How much of the work a notebook holds: which of the names that it defines are filled in.

Templates leave gaps of two kinds: ``raise NotImplementedError``, and code whose middle is missing, as in
``self.attn = None`` with a ``return out`` that nothing before it makes.
"""

import ast
import builtins
from collections import Counter
from collections.abc import Iterator, Sequence

from .names import ANY, FUNCTIONS, bound, declared_global, evaluated, parameters, root, walk
from .parsing import parsed
from .units import is_star


def gaps(text: str) -> int:
    """Count the definitions of a module that a template left to fill in."""
    try:
        body = parsed(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text.count("raise NotImplementedError")
    return sum(not is_filled(node, body) for node in body)


def is_filled(node: ast.AST, module: Sequence[ast.stmt] = ()) -> bool:
    """Tell a definition from the gap that a template leaves for it.

    Args:
        module: the statements among which it stands, which may make what it returns.
    """
    if isinstance(node, FUNCTIONS):
        is_to_do = any(raises_todo(part) for part in walk(node))
        return not is_gap(node.body) and not is_to_do and not lacks_middle(node, module)
    if isinstance(node, ast.ClassDef):
        methods = [child for child in node.body if isinstance(child, FUNCTIONS)]
        return not is_gap(node.body) and all(is_filled(method, module) for method in methods)
    return not is_placeholder(node)


def is_gap(body: list[ast.stmt]) -> bool:
    """Tell a body of ``pass``, ``...``, texts and ``return None`` alone."""
    return all(isinstance(part, ast.Pass) or is_plain(part) for part in body)


def is_plain(part: ast.stmt) -> bool:
    value = part.value if isinstance(part, (ast.Expr, ast.Return)) else ast.Name("")
    return value is None or (isinstance(value, ast.Constant) and (isinstance(part, ast.Expr) or value.value is None))


def raises_todo(node: ast.AST) -> bool:
    """Tell ``raise NotImplementedError``, with or without a message."""
    raised = node.exc if isinstance(node, ast.Raise) else None
    named = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(named, ast.Name) and named.id == "NotImplementedError"


def is_placeholder(node: ast.AST) -> bool:
    """Tell ``name = None``."""
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    return isinstance(value, ast.Constant) and value.value in (None, ...)


def lacks_middle(function: ast.FunctionDef | ast.AsyncFunctionDef, module: Sequence[ast.stmt]) -> bool:
    """Tell code that cannot work, since what its end uses is still to be made."""
    made = parameters(function) | bound(function.body)
    own = [part for statement in function.body for part in evaluated(statement)]
    returned = {name for part in own if isinstance(part, ast.Return) for name in handed_on(part.value)}
    unmade = {name for name in returned - made if not hasattr(builtins, name)}
    if unmade and not makes(module, unmade):
        return True
    return makes_of_itself(function) or uses_placeholder(function) or sets_nothing(function)


def makes(module: Sequence[ast.stmt], names: set[str]) -> bool:
    """Whether a module may make these names, in its functions by ``global`` too, or by an import of all names."""
    known = bound(module) | declared_global(module)
    return names <= known or ANY in known or any(is_star(node) for statement in module for node in walk(statement))


def handed_on(value: ast.AST | None) -> Iterator[str]:
    """Yield the names that are returned as they are: alone, in a tuple or in a dict."""
    parts = [value, *getattr(value, "elts", []), *getattr(value, "values", [])]
    return (part.id for part in parts if isinstance(part, ast.Name))


def makes_of_itself(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell ``x = x.cpu()`` where nothing before it makes x."""
    made = parameters(function) | declared_global(function.body)
    for part in function.body:
        if isinstance(part, ast.Assign) and root(part.value) in bound([part]) - made:
            return True
        made = made | bound([part])
    return False


def uses_placeholder(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell ``model = None`` with a ``model.train()``, where nothing else makes the model or asks whether it is there."""
    parts = list(walk(function))
    names = [part for part in parts if isinstance(part, ast.Name)]
    stores = Counter(name.id for name in names if isinstance(name.ctx, ast.Store))
    empty = Counter(name for part in parts if is_placeholder(part) for name in bound([part]))
    tests = [inner for part in parts if hasattr(part, "test") for inner in walk(part.test)]
    asked = {name.id for name in tests if isinstance(name, ast.Name)}
    used = {root(part) for part in parts if isinstance(part, ast.Attribute)}
    return any(name in used and name not in asked and stores[name] == times for name, times in empty.items())


def sets_nothing(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell an ``__init__`` that sets all its attributes to None."""
    own = [part for part in function.body if not is_gap([part]) and "super().__init__" not in ast.unparse(part)]
    return function.name == "__init__" and bool(own) and all(map(is_placeholder, own))
