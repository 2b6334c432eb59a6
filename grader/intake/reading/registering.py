"""Classes that hear of their subclasses: by ``__init_subclass__``, a metaclass, or ``__subclasses__``."""

import ast
from collections.abc import Iterable

from .effects import KnownNames, effect
from .names import FUNCTIONS, bases, last_name, walk

File = tuple[ast.AST, KnownNames]  # of a submission: its tree, and what its names stand for


def heard_by(files: Iterable[File]) -> dict[str, frozenset[str]]:
    """Return, by name of a class, the names whose objects change where a subclass of it is defined."""
    parts = [(node, known) for tree, known in files for node in walk(tree)]
    classes = [(node, known) for node, known in parts if isinstance(node, ast.ClassDef)]
    asked_for = any(isinstance(node, ast.Attribute) and node.attr == "__subclasses__" for node, _ in parts)
    metaclasses = {last_name(keyword.value) for node, _ in classes for keyword in node.keywords}
    found: dict[str, frozenset[str]] = {}
    for node, known in classes:
        hooks = ("__new__", "__init__", "__call__") if node.name in metaclasses else ("__init_subclass__",)
        called = [each for each in node.body if isinstance(each, FUNCTIONS) and each.name in hooks]
        if called or asked_for:
            found[node.name] = frozenset({node.name}).union(*(effect(hook, known).changes for hook in called))
    inherited = [(node.name, [last_name(base) for base in bases(node)]) for node, _ in classes]
    growing = bool(found)
    while growing:
        growing = False
        for name, parents in inherited:
            own = found.get(name, frozenset())
            more = frozenset().union(*({name, *found[base]} for base in parents if base in found))
            if not more <= own:
                found[name], growing = own | more, True
    return found
