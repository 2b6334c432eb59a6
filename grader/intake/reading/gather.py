"""The heart of intake: the definitions that are graded, and everything they depend on.

A backward slice over top-level statements, to a fixpoint. Wanted names are needed; a statement that
binds a needed name, or changes the object behind it, is kept in its place; what a kept statement uses
is needed in turn: by its evaluation before it stands, by the functions in it at any time. Modules of
the submission are sliced alike, from what others take of them. So the last definition of a name wins
when the slice is executed, as it did in the notebook, and no cell that trains, downloads or plots
is touched, for nothing that is graded depends on it.

Decided: cells count in document order, as "Restart and run all" does. ``del Net`` is ignored (people
tidy up after themselves). ``if False:`` binds nothing. What ``exec`` defines is not found. A name that
only a forbidden statement defines stays undefined, and ``problems`` says so.
"""

import ast
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .dynamic import plain_imports
from .effects import Places, effect
from .forbidden import Rules, permitted
from .names import ANY, depth, walk
from .outside_changes import OutsideChange, outside_changes
from .parsing import Broken, SourcePlace, Statement, statements
from .registering import heard_by
from .sources import ONLY_IF_IMPORTED, ModuleFiles
from .units import ImportedName, Item, Unit, build, expand_stars, index, is_postponing, learn_imports, split_imports
from .work import is_filled
from .written_files import written_by

Texts = dict[str, tuple[str, SourcePlace]]
Need = tuple[str | None, str, float]  # file, name, and the position before which a binding counts


@dataclass(frozen=True)
class WantedNames:
    """What is looked for."""

    wanted: Collection[str]
    provided: Collection[str]
    never_called: Collection[str]
    modules: Sequence[str] = ()  # of the template: a name that several define is looked for there first


class Gathering:
    """The slice of one submission."""

    always = math.inf

    def __init__(
        self, main: list[Statement], main_file: str, texts: Texts, sources: ModuleFiles, question: WantedNames
    ) -> None:
        """Read all files; ``texts`` holds the source of each module, and where it stands, by file name."""
        self.sources, self.question, self.problems = sources, question, list[str]()
        self.texts, self.broken = texts, list[Broken]()
        self.needed: dict[tuple[str | None, str], float] = {}
        self.included: set[str] = set()
        self.outside_changes: list[OutsideChange] = []
        self.kept: set[Item] = set()
        self.units: dict[str | None, Unit] = {None: Unit(None, main_file, main)}
        self.read_modules()
        self.rules = Rules(frozenset(question.never_called), frozenset(question.provided))
        self.analyse()

    def read_modules(self) -> None:
        """Parse every module, also those that get a second name from an import."""
        main = self.units[None]
        main.statements = plain_imports(main.statements, self.sources)
        learn_imports(main, self.sources)
        while new := [name for name in self.sources.files if name not in self.units]:
            for name in new:
                file = self.sources.files[name]
                text, place = self.texts.get(file, ("", SourcePlace(file, None)))
                found, broken = statements(text, place, is_main=False)
                self.broken += broken
                self.units[name] = Unit(name, file, plain_imports(found, self.sources))
                learn_imports(self.units[name], self.sources)

    def analyse(self) -> None:
        max_depth = 1000  # levels of nesting in one statement
        for unit in self.units.values():
            self.problems += [f"{s}: nested too deep; left out" for s in unit.statements if depth(s.node) > max_depth]
            unit.statements = [s for s in unit.statements if depth(s.node) <= max_depth]
        self.learn_functions()
        self.rules.written = {file for u in self.units.values() for s in u.statements for file in written_by(s.node)}
        self.rules.taint((unit.tree(), unit.known) for unit in self.units.values())
        for unit in self.units.values():
            unit.postponed = any(is_postponing(statement.node) for statement in unit.statements)
            parts = [part for statement in unit.statements for part in split_imports(statement)]
            unit.statements = parts
            build(unit, self.sources, lambda s, u=unit: self.permitted(s, u))  # type: ignore[misc]
        expand_stars(self.units)
        for unit in self.units.values():
            index(unit)
        self.outside_changes = list(outside_changes(self.units, self.behind))

    def learn_functions(self) -> None:
        """Tell every file which names are functions of the submission, and which change an argument."""
        defined = [(node, unit) for unit in self.units.values() for node in unit.functions()]
        names, changers = {node.name for node, _ in defined}, dict[str, Places]()
        heard = heard_by((unit.tree(), unit.known) for unit in self.units.values())
        for unit in self.units.values():
            unit.known.heard = heard
            unit.known.functions, unit.known.changers, unit.known.variables = names, changers, unit.variables()
        calls = {node: {part.id for part in walk(node) if isinstance(part, ast.Name)} for node, _ in defined}
        new = names
        while new:  # whoever calls a function that turned out to change an argument is asked again
            asked = [(node, unit) for node, unit in defined if new is names or calls[node] & new]
            new = set()
            for node, unit in asked:
                known = changers.get(node.name, frozenset())
                if not (found := effect(node, unit.known).changes_arguments) <= known:
                    changers[node.name] = known | found
                    new.add(node.name)

    def permitted(self, statement: Statement, unit: Unit) -> tuple[Statement | None, str | None]:
        node = statement.node
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
            return (None, "it needs Colab") if module.startswith("google.colab") else (statement, None)
        return permitted(statement, lambda part: self.rules.reason(part, unit.known))

    # What is needed.

    def gather(self) -> None:
        """Keep what the wanted names need, from the notebook first, then from the modules."""
        for name in sorted(self.question.wanted):
            home = self.home(name)
            self.follow([*(self.include(home) if home else []), (home, name, self.always)])
        for item in self.units[None].items:
            self.follow(self.keep(item, self.units[None]) if item.always else [])
        self.keep_changes_of_modules()
        self.drop_orphans()

    def score(self) -> int:
        """Count the wanted names that the notebook itself defines or imports."""
        homes = {None, *self.main_imports()}
        return sum(self.binds(home, n) for n in self.question.wanted if (home := self.home(n)) in homes)

    def filled(self) -> int:
        """Count those among them that are more than the gap of a template."""
        homes = {None, *self.main_imports()}
        return sum(self.is_filled(home, n) for n in self.question.wanted if (home := self.home(n)) in homes)

    def is_filled(self, module: str | None, name: str, imports: int = 10) -> bool:
        """Tell whether the last definition of a name is filled in, looked up through imports of the submission."""
        items = [item for item in self.units[module].binders.get(name, []) if not item.reason]
        links = [link for link in items[-1].links if link.name] if items else []
        if links and imports and links[0].module in self.units:
            return self.is_filled(links[0].module, str(links[0].name if links[0].name != "*" else name), imports - 1)
        return bool(items) and is_filled(items[-1].statement.node, self.units[module].tree().body)

    def home(self, name: str) -> str | None:
        """Return the file whose binding of a wanted name counts: a template's gap for less than any other."""
        if self.binds(None, name):
            return None
        imported = self.main_imports()
        holding = [module for module in self.sources.ordered(self.question.modules) if self.binds(module, name)]
        first = [module for module in holding if module in imported]
        holding = [*first, *(module for module in holding if not ONLY_IF_IMPORTED.search(module))]
        return next((module for module in holding if self.is_filled(module, name)), next(iter(holding), None))

    def binds(self, module: str | None, name: str) -> bool:
        return any(not item.reason for item in self.units[module].binders.get(name, []))

    def main_imports(self) -> set[str]:
        return {link.module for item in self.units[None].items for link in item.links}

    def follow(self, pending: list[Need]) -> None:
        """Keep what binds each name before a position, and what changes its object anywhere."""
        while pending:
            module, name, before = pending.pop()
            supplied = name in self.question.provided and before == self.always  # there when a function asks for it
            if supplied or self.needed.get((module, name), -1) >= before:
                continue
            self.needed[module, name] = before
            unit = self.units[module]
            if ANY in name:
                pending += [(module, each, before) for each in unit.matching(name)]
            items = [item for item in unit.binders.get(name, []) if item.index < before]
            for item in items + unit.changers.get(name, []):
                pending += self.keep(item, unit)

    def keep(self, item: Item, unit: Unit) -> list[Need]:
        """Keep one statement, and return what it needs."""
        if item in self.kept or item.reason:
            return []
        self.kept.add(item)
        needs: list[Need] = []
        for chains, before in ((item.uses.now, float(item.index)), (item.uses.later, self.always)):
            for chain in chains:
                needs.append((unit.name, chain.split(".")[0], before))
                needs += self.attribute_needs(chain, unit)
        for link in item.links:
            needs += self.link_needs(link)
        return needs

    def link_needs(self, link: ImportedName) -> list[Need]:
        needs = self.include(link.module)
        if link.name == "*":
            return needs + self.all_of(link.module)
        return needs + ([(link.module, link.name, self.always)] if link.name else [])

    def attribute_needs(self, chain: str, unit: Unit) -> list[Need]:
        """Return what ``m.Net`` needs of the module behind ``m``; all of it for a bare ``m``."""
        module, attributes = self.behind(chain, unit)
        if module is None:
            return []
        needs = self.include(module)
        return needs + ([(module, attributes[0], self.always)] if attributes else self.all_of(module))

    def behind(self, chain: str, unit: Unit) -> tuple[str | None, list[str]]:
        """Return the module that a chain such as ``package.data.train_set`` reaches, if any, and the names after it."""
        first, *rest = chain.split(".")
        module = unit.known.modules.get(first)
        while module is not None and rest and self.sources.resolve(f"{module}.{rest[0]}"):
            module = f"{module}.{rest.pop(0)}"
        return module, rest

    def include(self, module: str) -> list[Need]:
        """Make a module and its packages part of the program, with the stars that it always imports."""
        needs: list[Need] = []
        for name in (*self.sources.parents(module), module):
            if name in self.included:
                continue
            self.included.add(name)
            unit = self.units.setdefault(name, Unit(name, self.sources.files.get(name, ""), []))
            for item in unit.items:
                needs += self.keep(item, unit) if item.always else []
            needs += self.changes_from_outside(name)
        return needs

    def changes_from_outside(self, module: str) -> list[Need]:
        """Keep ``hyperparameters.lr = 1`` of other files once the module is part of the program."""
        needs: list[Need] = []
        for unit in list(self.units.values()):
            if unit.name is not None and unit.name not in self.included:
                continue
            for name in (n for n, target in unit.known.modules.items() if target == module):
                for item in unit.changers.get(name, []):
                    needs += self.keep(item, unit)
        return needs

    def keep_changes_of_modules(self) -> None:
        """Keep ``config.lr = 1`` of whichever module, and the imports of modules that are imported for nothing else."""
        before = -1
        while before != len(self.kept):
            before = len(self.kept)
            changing = self.changing_modules()
            for unit in [unit for name, unit in self.units.items() if name is None or name in self.included]:
                imports = [item for item in unit.items if any(link.module in changing for link in item.links)]
                for item in [*imports, *self.changes_of_included(unit)]:
                    self.follow(self.keep(item, unit))

    def changing_modules(self) -> set[str]:
        """The modules that change the program when they are imported, or import one that does."""
        modules = {name: unit for name, unit in self.units.items() if name is not None}
        new = {name for name, unit in modules.items() if self.changes_of_included(unit)}
        found = set(new)
        while new:
            importing = {n for n, u in modules.items() if any(link.module in new for i in u.items for link in i.links)}
            new = importing - found
            found |= new
        return found

    def changes_of_included(self, unit: Unit) -> list[Item]:
        """The statements of a file that change a module of the program, or a value of one that is needed."""
        names = unit.names_from(self.included, self.needed)
        found = [item for name in names for item in unit.changers.get(name, [])]
        outside = (each for each in self.outside_changes if each.unit == unit.name and each.module in self.included)
        found += [each.item for each in outside if each.concerns(self.needed)]
        return [item for item in found if not item.reason]

    def all_of(self, module: str) -> list[Need]:
        unit = self.units.get(module)
        return [(module, name, self.always) for name in unit.binders] if unit else []

    # What cannot be had.

    def drop_orphans(self) -> None:
        """Leave out statements that need a value which only a forbidden statement makes."""
        dropping = True
        while dropping:
            dropping = False
            for unit in list(self.units.values()):
                for item in unit.items:
                    missing = self.missing(item, unit) if item in self.kept else None
                    if missing:
                        self.kept.discard(item)
                        item.reason = missing
                        dropping = True

    def missing(self, item: Item, unit: Unit) -> str | None:
        blocks = (ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While)
        if isinstance(item.statement.node, blocks):
            return None
        for name in sorted({chain.split(".")[0] for chain in item.uses.now} - set(self.question.provided)):
            makers = [maker for maker in unit.binders.get(name, []) if maker.index < item.index]
            if makers and all(maker.reason for maker in makers):
                return f"it needs {name}"
        return None

    def reports(self) -> list[str]:
        """Say which needed names lost a definition, and why."""
        lines: list[str] = []
        for (module, name), before in sorted(self.needed.items(), key=lambda pair: (str(pair[0][0]), pair[0][1])):
            for item in self.units[module].binders.get(name, []):
                if item.reason and item.index < before:
                    lines.append(f"{item.statement}: this definition of {name!r} was left out, for {item.reason}")
        return list(dict.fromkeys(lines))

    def undefined(self) -> dict[str, str]:
        """By name that only statements would define which are left out: which one, and why, as the end of a sentence."""
        found: dict[str, str] = {}
        for (module, name), before in self.needed.items():
            makers = [item for item in self.units[module].binders.get(name, []) if item.index < before]
            if makers and makers[-1].reason and not any(item in self.kept for item in makers):
                found[name] = f"{makers[-1].statement} is not executed, for {makers[-1].reason}"
        return found

    # The result.

    def origin(self, module: str | None, name: str, visited: frozenset[tuple[str | None, str]] = frozenset()) -> Item:
        """Return the last definition of a name, looked up through imports of the submission."""
        last = [item for item in self.units[module].binders[name] if item in self.kept][-1]
        for link in last.links:
            node = last.statement.node
            plain = isinstance(node, ast.ImportFrom) and link.name and (link.module, link.name) not in visited
            if plain and any(i in self.kept for i in self.units[link.module].binders.get(str(link.name), [])):
                return self.origin(link.module, str(link.name), visited | {(link.module, str(link.name))})
        return last

    def defined(self) -> dict[str, tuple[str | None, Item]]:
        """Return, for each wanted name, the module in which a worker finds it, and its definition."""
        found = {}
        for name in sorted(self.question.wanted):
            module = self.home(name)
            if any(item in self.kept for item in self.units[module].binders.get(name, [])):
                found[name] = (module, self.origin(module, name))
        return found

    def pieces(self, module: str | None) -> list[Item]:
        return [item for item in self.units[module].items if item in self.kept]
