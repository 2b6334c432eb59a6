"""Statements that change a module beside the notebook without naming what they change there.

``from config import setup; setup(lr=1)`` changes what ``setup`` changes in its own file, and ``from config import cfg;
cfg |= {"lr": 1}`` the dict that both files name.
"""

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from .effects import called
from .names import ANY, evaluated
from .parsing import Statement
from .units import Item, Unit

Behind = Callable[[str, Unit], tuple[str | None, list[str]]]  # the module that a chain reaches, and the names after it


@dataclass(frozen=True)
class OutsideChange:
    """One statement, and the names of another module that it changes or binds there."""

    unit: str | None  # the file of the statement
    item: Item
    module: str
    names: frozenset[str]

    def concerns(self, needed: Collection[tuple[str | None, str]]) -> bool:
        """Whether it changes one of these names of modules."""
        if any(ANY in name for name in self.names):  # globals().update(...)
            return any(module == self.module for module, _ in needed)
        return any((self.module, name) in needed for name in self.names)

    def is_made_by(self, statement: Statement) -> bool:
        """Whether a statement is this one, of which what is forbidden may have been left out."""
        return (statement.place, statement.line) == (self.item.statement.place, self.item.statement.line)


def outside_changes(units: Mapping[str | None, Unit], behind: Behind) -> Iterator[OutsideChange]:
    """Find them in all files, whose imports are indexed."""
    for unit in units.values():
        for item in unit.items:
            for chain in called(item.statement.node):
                module, name = _origin(*_reached(chain, unit, behind), units)
                effect = units[module].effects.get(name) if module is not None and module != unit.name else None
                if effect is not None and (names := effect.binds | effect.changes):
                    yield OutsideChange(unit.name, item, str(module), names)
            for name in _added_to(item.statement.node) & unit.imported.keys():
                module, there = _origin(unit.imported[name].module, str(unit.imported[name].name), units)
                yield OutsideChange(unit.name, item, str(module), frozenset({there}))


def _reached(chain: str, unit: Unit, behind: Behind) -> tuple[str | None, str]:
    """The module and the name in it that a chain such as ``setup`` or ``config.setup`` calls."""
    if link := unit.imported.get(chain):
        return link.module, str(link.name)
    module, names = behind(chain, unit)
    return (module, names[0]) if len(names) == 1 else (None, "")


def _origin(module: str | None, name: str, units: Mapping[str | None, Unit]) -> tuple[str | None, str]:
    """Where a name is defined that a module may only import."""
    max_imports = 10
    for _ in range(max_imports):
        onward = units[module].imported.get(name) if module in units else None
        if onward is None:
            break
        module, name = onward.module, str(onward.name)
    return (module, name) if module in units else (None, name)


def _added_to(statement: ast.AST) -> set[str]:
    """The names whose objects ``cfg |= {...}`` or ``rows += [...]`` changes in place."""
    added = (node.target for node in evaluated(statement) if isinstance(node, ast.AugAssign))
    return {target.id for target in added if isinstance(target, ast.Name)}
