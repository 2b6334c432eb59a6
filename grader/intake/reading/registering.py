"""Classes that hear of their subclasses: by ``__init_subclass__``, a metaclass, or ``__subclasses__``."""

import ast
from collections.abc import Iterable

from .effects import KnownNames, effect
from .names import FUNCTIONS, walk

File = tuple[ast.AST, KnownNames]  # of a submission: its tree, and what its names stand for


def heard_by(files: Iterable[File]) -> dict[str, frozenset[str]]:
    """Return, by name of a class, the names whose objects change where a subclass of it is defined."""
    parts = [(node, known) for tree, known in files for node in walk(tree)]
    classes = [(node, known) for node, known in parts if isinstance(node, ast.ClassDef)]
    asked_for = any(isinstance(node, ast.Attribute) and node.attr == "__subclasses__" for node, _ in parts)
    metaclasses = {name for node, _ in classes for keyword in node.keywords for name in last_name(keyword.value)}
    found: dict[str, frozenset[str]] = {}
    for node, known in classes:
        hooks = ("__new__", "__init__", "__call__") if node.name in metaclasses else ("__init_subclass__",)
        called = [each for each in node.body if isinstance(each, FUNCTIONS) and each.name in hooks]
        if called or asked_for:
            found[node.name] = frozenset({node.name}).union(*(effect(hook, known).changes for hook in called))
    inherited = [(node.name, inherits_from(node)) for node, _ in classes]
    growing = bool(found)
    while growing:
        growing = False
        for name, bases in inherited:
            own = found.get(name, frozenset())
            more = frozenset().union(*({name, *found[base]} for base in bases if base in found))
            if not more <= own:
                found[name], growing = own | more, True
    return found


def inherits_from(node: ast.ClassDef) -> list[str]:
    """Return the last names of a class's bases and of its metaclass."""
    return [name for each in (*node.bases, *(keyword.value for keyword in node.keywords)) for name in last_name(each)]


def last_name(node: ast.expr) -> list[str]:
    """Return ``Op`` for ``Op`` and ``ops.Op``, and nothing for what is no name."""
    if isinstance(node, ast.Attribute):
        return [node.attr]
    return [node.id] if isinstance(node, ast.Name) else []
