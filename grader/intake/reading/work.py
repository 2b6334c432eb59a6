"""How much of the work a notebook holds: which of the names that it defines are filled in."""

import ast

from .names import FUNCTIONS, walk


def is_filled(node: ast.AST) -> bool:
    """Tell a definition from the gap that a template leaves for it."""
    if isinstance(node, FUNCTIONS):
        return not is_gap(node.body) and not any(raises_todo(part) for part in walk(node))
    if isinstance(node, ast.ClassDef):
        return not is_gap(node.body) and all(is_filled(child) for child in node.body if isinstance(child, FUNCTIONS))
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return not (isinstance(node.value, ast.Constant) and node.value.value in (None, ...))
    return True


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
