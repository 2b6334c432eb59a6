"""One file of a submission, ready to be sliced: its statements with what they bind, use and change."""

import ast
import builtins
import fnmatch
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from .effects import Effect, KnownNames, assigned_aliases, called, changed, effect, followed
from .names import ANY, FUNCTIONS, Uses, bound, children, uses, walk
from .parsing import Statement
from .sources import ModuleFiles
from .written_files import as_names, files_in, written_by

Reason = Callable[[Statement], tuple[Statement | None, str | None]]


@dataclass(frozen=True)
class ImportedName:
    """One name that an import takes from a module of the submission; ``name`` is "*" for all."""

    module: str
    name: str | None  # None for the module itself


@dataclass(eq=False)
class Item:
    """One statement in its file."""

    statement: Statement
    index: int = 0
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    uses: Uses = field(default_factory=Uses)
    links: list[ImportedName] = field(default_factory=list)
    reason: str | None = None  # why it is never executed
    always: bool = False  # ``from torch import *``, ``globals().update(cfg)``: who knows what it binds


@dataclass(eq=False)
class Unit:
    """The notebook (``name`` None) or one module."""

    name: str | None
    file: str
    statements: list[Statement]
    known: KnownNames = field(default_factory=KnownNames)
    items: list[Item] = field(default_factory=list)
    binders: dict[str, list[Item]] = field(default_factory=dict)
    changers: dict[str, list[Item]] = field(default_factory=dict)
    imported: dict[str, ImportedName] = field(default_factory=dict)  # by ``from config import settings``
    exported: set[str] | None = None  # the literal ``__all__``
    effects: dict[str, Effect] = field(default_factory=dict)  # of calling each function of the file, on the file
    postponed: bool = False  # ``from __future__ import annotations``

    def tree(self) -> ast.Module:
        return ast.Module([statement.node for statement in self.statements], [])

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Return the functions that the file defines, also inside ``if`` and ``try``, and named lambdas, but no methods."""
        found: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
        pending: list[ast.AST] = [statement.node for statement in self.statements]
        while pending:
            node = pending.pop()
            if isinstance(node, FUNCTIONS):
                found.append(node)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                found += [named(node.value, name) for name in bound(node.targets)]
            elif isinstance(node, ast.stmt) and not isinstance(node, ast.ClassDef):
                pending += children(node)
            elif isinstance(node, ast.ExceptHandler):
                pending += node.body
        return found

    def names_from(self, modules: Collection[str], values: Collection[tuple[str | None, str | None]]) -> dict[str, str]:
        """By name that stands for one of other modules, or for one of these values of modules: the module."""
        known = self.known.modules.items()
        found = {name: module for name, module in known if module in modules and module != self.name}
        return found | {name: link.module for name, link in self.imported.items() if (link.module, link.name) in values}

    def matching(self, pattern: str) -> list[str]:
        """Return the names of the file that a name put together as text may be; by ANY alone, those that stand as text."""
        if pattern != ANY:
            return fnmatch.filter(self.binders, pattern)
        texts = {
            part.value for part in walk(self.tree()) if isinstance(part, ast.Constant) and isinstance(part.value, str)
        }
        return [name for name in self.binders if name in texts]

    def variables(self) -> set[str]:
        """Return the names that the file binds otherwise than by a top-level import."""
        return bound(s.node for s in self.statements if not isinstance(s.node, (ast.Import, ast.ImportFrom)))


def named(function: ast.Lambda, name: str) -> ast.FunctionDef:
    """Return a lambda as the definition of a function."""
    return ast.FunctionDef(name, function.args, [ast.Expr(function.body)], [])


def absolute(node: ast.ImportFrom, unit: Unit, sources: ModuleFiles) -> str:
    """Return the module that a relative import means."""
    if not node.level:
        return node.module or ""
    here = (unit.name or "").split(".") if unit.name else []
    up = node.level - (1 if unit.name and sources.is_init(unit.name) else 0)
    package = here[: len(here) - up] if up else here
    return ".".join([*package, *([node.module] if node.module else [])])


def import_nodes(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    return (node for node in walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)))


def learn_imports(unit: Unit, sources: ModuleFiles) -> None:
    """Fill in what the names that a file imports stand for, wherever in it they are imported."""
    for node in import_nodes(unit.tree()):
        for alias in node.names:
            if isinstance(node, ast.Import):
                learn_import(alias, unit.known, sources)
            else:
                learn_import_from(absolute(node, unit, sources), alias, unit.known, sources)


def learn_import(alias: ast.alias, known: KnownNames, sources: ModuleFiles) -> None:
    name = alias.asname or alias.name.split(".")[0]
    module = alias.name if alias.asname else name
    if sources.resolve(alias.name):
        known.modules[name] = module
    else:
        known.libraries[name] = module


def learn_import_from(base: str, alias: ast.alias, known: KnownNames, sources: ModuleFiles) -> None:
    name, full = alias.asname or alias.name, f"{base}.{alias.name}".strip(".")
    if sources.resolve(base) or not base:
        if sources.resolve(full):
            known.modules[name] = full
    elif alias.name != "*":
        known.libraries[name] = full


def links(tree: ast.AST, unit: Unit, sources: ModuleFiles) -> list[ImportedName]:
    """Return what the imports in a statement take from modules of the submission."""
    found: list[ImportedName] = []
    for node in import_nodes(tree):
        for alias in node.names:
            if isinstance(node, ast.Import):
                found += [ImportedName(alias.name, None)] if sources.resolve(alias.name) else []
                continue
            base = absolute(node, unit, sources)
            full = f"{base}.{alias.name}".strip(".")
            if alias.name != "*" and (sources.resolve(base) or not base) and sources.resolve(full):
                found.append(ImportedName(full, None))
            elif sources.resolve(base):
                found.append(ImportedName(base, alias.name))
    return found


def split_imports(statement: Statement) -> list[Statement]:
    """Take an import apart, one name each: a name that nobody needs is not imported.

    The same of ``del sum, net``: what Python itself calls so has its own meaning again below. Other names are left alone.
    """
    node = statement.node
    if isinstance(node, ast.Delete):
        names = [target for target in node.targets if isinstance(target, ast.Name) and hasattr(builtins, target.id)]
        alone = [ast.copy_location(ast.Delete([target]), node) for target in names]
        return [replace(statement, node=one, source=ast.unparse(one)) for one in alone]
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return []
    if not isinstance(node, (ast.Import, ast.ImportFrom)):
        return [statement]
    parts = []
    for alias in node.names:
        one = ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], node.level)
        ast.copy_location(one, node)
        line = statement.line + max(0, alias.lineno - node.lineno)
        parts.append(replace(statement, node=one, source=ast.unparse(one), line=line))
    return parts


def is_star(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.names[0].name == "*"


def is_postponing(node: ast.AST) -> bool:
    """Tell ``from __future__ import annotations``."""
    future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    return future and any(alias.name == "annotations" for alias in node.names)  # type: ignore[attr-defined]


def literal_all(statements: Iterable[Statement]) -> set[str] | None:
    """Return the names of a plain ``__all__ = [...]``."""
    for statement in statements:
        node = statement.node
        if isinstance(node, ast.Assign) and bound(node.targets) == {"__all__"}:
            try:
                return {str(name) for name in ast.literal_eval(node.value)}
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                return None
    return None


def build(unit: Unit, sources: ModuleFiles, permitted: Reason) -> None:
    """Work out every statement's part, star imports of the submission aside."""
    unit.exported = literal_all(unit.statements)
    effects = unit.effects = function_effects(unit)
    aliases: dict[str, set[str]] = {}
    for statement in unit.statements:
        kept, reason = permitted(statement)
        if kept and (lost := bound([statement.node]) - bound([kept.node]) - {ANY}):
            unit.items.append(Item(statement, binds=lost, reason=reason))
        item = Item(kept or statement, reason=None if kept else reason)
        node = item.statement.node
        item.binds, item.changes = bound([node]), changed(node, unit.known)
        item.uses, item.links = uses(node), links(node, unit, sources)
        files = written_by(node)
        item.uses.later |= as_names(files_in(walk(node)) - files)
        if files:
            item.changes |= as_names(files)
            item.uses.later |= item.binds  # f = open("config.yaml", "w"); f.write(...)
        for name in called(node) & effects.keys():
            item.binds |= effects[name].binds
            item.changes |= effects[name].changes
        for name, others in assigned_aliases(node, unit.known).items():
            aliases.setdefault(name, set()).update(others)
        item.always = ANY in item.binds or (is_star(node) and not item.links)
        item.binds.discard(ANY)
        unit.items.append(item)
    for item in unit.items:
        item.changes = followed(item.changes, aliases)


def function_effects(unit: Unit) -> dict[str, Effect]:
    """Return what calling each function of a file does to the file, through the functions it names."""
    effects: dict[str, Effect] = {}
    named: dict[str, set[str]] = {}
    for node in unit.functions():  # of several with one name, any may be the one that is called
        effects[node.name] = effect(node, unit.known).joined(effects.get(node.name))
        named.setdefault(node.name, set()).update(uses(node).later)
    growing = True
    while growing:
        growing = False
        for name, others in named.items():
            mine = joined = effects[name]
            for other in others & effects.keys():
                joined = joined.joined(effects[other])
            if joined != mine:
                effects[name] = joined
                growing = True
    return effects


def index(unit: Unit) -> None:
    """Number the statements and note who binds and who changes each name."""
    for number, item in enumerate(unit.items):
        item.index = number
        for name in item.binds:
            unit.binders.setdefault(name, []).append(item)
        for name in item.changes - item.binds:
            unit.changers.setdefault(name, []).append(item)
        if isinstance(item.statement.node, ast.ImportFrom):
            unit.imported |= {name: link for name in item.binds for link in item.links if link.name not in (None, "*")}


def expand_stars(units: dict[str | None, Unit]) -> None:
    """Replace ``from model import *`` by one import for each name that it brings; in a block, as ``try``, note the names."""
    brought = {name: exports(name, units, set()) for name in units}
    for unit in units.values():
        expanded: list[Item] = []
        for item in unit.items:
            stars = [] if item.reason else stars_of(item)
            if not stars or not is_star(item.statement.node):
                item.binds |= {name for link in stars for name in brought.get(link.module, set())}
                item.always |= any(brings_unknown(link.module, units, set()) for link in stars)
                expanded.append(item)
                continue
            link = stars[0]
            expanded += [one_of_star(item, link, name) for name in sorted(brought.get(link.module, set()))]
            if brings_unknown(link.module, units, set()):
                expanded.append(replace(item, always=True, links=[ImportedName(link.module, None)]))
        unit.items = expanded


def stars_of(item: Item) -> list[ImportedName]:
    """The star imports of modules of the submission in a statement."""
    return [link for link in item.links if link.name == "*"]


def one_of_star(item: Item, link: ImportedName, name: str) -> Item:
    node = item.statement.node
    assert isinstance(node, ast.ImportFrom)
    one = ast.copy_location(ast.ImportFrom(node.module, [ast.alias(name)], node.level), node)
    statement = replace(item.statement, node=one, source=ast.unparse(one))
    target = ImportedName(link.module, name)
    return Item(statement, binds={name}, links=[target])


def exports(name: str | None, units: dict[str | None, Unit], visited: set[str | None]) -> set[str]:
    """Return the names that a star import of a module brings."""
    if name in visited or name not in units:
        return set()
    visited.add(name)
    unit, names = units[name], set()
    for item in unit.items:
        if not item.reason:
            names |= item.binds.union(*(exports(link.module, units, visited) for link in stars_of(item)))
    public = {each for each in names if not each.startswith("_")}
    return names & unit.exported if unit.exported is not None else public


def brings_unknown(name: str | None, units: dict[str | None, Unit], visited: set[str | None]) -> bool:
    """Tell a module of names that nobody knows: it says ``from torch import *``, directly or through others."""
    if name in visited or name not in units:
        return False
    visited.add(name)
    items = units[name].items
    stars = [link for item in items if not item.reason for link in stars_of(item)]
    return any(item.always for item in items) or any(brings_unknown(link.module, units, visited) for link in stars)
