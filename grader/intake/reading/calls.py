"""The last call of one function, such as the one that trains, and the statements that make its arguments.

The program that is graded holds definitions alone. What a notebook hands to a function when it calls it is made by
other statements: the data sets, the subset that is sampled of them, a model that was built before. They are found
here by going backwards from the call, and a worker executes them, in order, with data of its own in place
of theirs. The call may stand at the top level, under ``if __name__ == "__main__":``, in a block, or in functions
that are called in turn; of a block or a function only what the call needs is kept.

What trains, downloads, plots or reaches out stays out, as everywhere; only building and reading data sets is allowed.
"""

import ast
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from .callers import called_in_bodies, called_names, leading_to
from .effects import KnownNames, changed
from .forbidden import DATA_SETS, Rules, permitted
from .gather import Gathering
from .names import FUNCTIONS, bound, evaluated, uses
from .parsing import Statement, statements
from .pruning import Pruning
from .units import Unit, is_star, links

Need = tuple[str | None, str, float]  # file, name, and the position before which a binding counts
Key = tuple[str | None, float]  # a statement: its file, its number there


class RulesWithData(Rules):
    """The rules where data sets of every kind are there."""

    def lasting_reason(self, call: ast.Call, last: str, full: str, known: KnownNames) -> str | None:
        """Return why a call is forbidden; building a data set is not, whatever it would download."""
        return None if last in DATA_SETS else super().lasting_reason(call, last, full, known)


@dataclass(frozen=True)
class Step:
    """One statement to execute, in the namespace of its module (None: the notebook)."""

    module: str | None
    statement: Statement


def call_steps(gathering: Gathering, function: str, silent: Collection[int] = ()) -> list[Step]:
    """Return what makes the arguments of the last call of a function, ending with the call; nothing without one.

    Args:
        silent: cells without outputs: a call in one of them counts only where no other has any.
    """
    return Search(gathering, function, silent).steps() if function else []


class Search:
    """The search for one call, after the definitions have been gathered."""

    def __init__(self, gathering: Gathering, function: str, silent: Collection[int]) -> None:
        self.gathering, self.function, self.silent = gathering, function, silent
        self.texts = {name: list(unit.statements) for name, unit in gathering.units.items()}
        self.leading = self._leading()
        rules = RulesWithData(gathering.rules.never_called, frozenset())
        rules.taint((unit.tree(), unit.known) for unit in gathering.units.values())
        rules.tainted -= self.leading
        self.rules = rules
        self.executed: dict[tuple[str | None, object, int], set[str]] = {}  # names, of an import perhaps not all
        for unit in gathering.units.values():
            for item in unit.items:
                if item in gathering.kept:
                    key = unit.name, item.statement.place, item.statement.line
                    self.executed.setdefault(key, set()).update(bound([item.statement.node]))
        self.found: dict[Key, Statement] = {}
        self.followed: dict[tuple[str | None, str], float] = {}
        self.named: set[str] = set()  # modules of the submission that what is needed names
        self.concerning: dict[str | None, dict[str, list[int]]] = {}
        self.imported: dict[str | None, list[tuple[int, list[str]]]] = {}

    def _leading(self) -> set[str]:
        """The function, and the functions of the submission that come to call it."""
        return leading_to(self.function, called_in_bodies(self.gathering))

    def steps(self) -> list[Step]:
        place = self._place()
        if place is None:
            return []
        module, number = place
        call = self.pruned(self.texts[module][int(number)])
        if call is None:
            return []
        self.found[place] = call
        pending = self.needed_by(call, number, self.gathering.units[module])
        pending += [(home, self.function, math.inf) for home in self.gathering.units]
        while pending:
            self.follow(pending, place)
            pending = self.from_outside(place)
        self.imported_again()
        visited: set[str | None] = set()
        leading = list(self.in_order(module, place, visited))
        lazy = [key for home, _ in self.found for key in self.in_order(home, place, visited)]
        return [Step(home, self.found[home, position]) for home, position in lazy + leading]

    def _place(self) -> Key | None:
        """Where the last call stands: in the notebook, else in what a module does when it is the program."""
        for module in (None, *(name for name in self.gathering.units if name is not None)):
            if module is not None:
                self.texts[module] = self._as_program(self.gathering.units[module])
            calling = [n for n, statement in enumerate(self.texts[module]) if self.calls(statement.node)]
            if calling:
                shown = [n for n in calling if self.texts[module][n].place.cell not in self.silent]
                return module, (shown or calling)[-1]
        return None

    def _as_program(self, unit: Unit) -> list[Statement]:
        """A module's statements with those under ``if __name__ == "__main__":``, where it has such a line."""
        text, place = self.gathering.texts.get(unit.file, ("", None))
        if place is None or "__main__" not in text or self.function not in text:
            return self.texts[unit.name]
        return statements(text, place, is_main=True)[0]

    def calls(self, node: ast.AST) -> bool:
        """Whether evaluating a statement comes to the call."""
        return bool(called_names([node]) & self.leading)

    # What the call needs.

    def follow(self, pending: list[Need], place: Key) -> None:
        """Find what binds each name before a position, and what changes its object, to a fixpoint."""
        while pending:
            module, name, before = pending.pop()
            if module not in self.gathering.units or self.followed.get((module, name), -1) >= before:
                continue
            self.followed[module, name] = before
            limit = min(before, place[1]) if module == place[0] else before
            unit = self.gathering.units[module]
            for number in self.index(unit).get(name, []):
                if number < limit and (module, number) not in self.found:
                    pending += self.include(self.texts[module][number], number, unit)
            for number, statement in enumerate(self.texts[module]):
                pending += self.through_star(name, statement, number, unit) if "import *" in statement.source else []

    def needed_by(self, statement: Statement, number: float, unit: Unit) -> list[Need]:
        """What a statement needs: each name in it, and ``train_set`` of a module ``data`` for ``data.train_set``."""
        needs: list[Need] = []
        names = uses(statement.node)
        for chains, before in ((names.now, float(number)), (names.later, math.inf)):
            for chain in sorted(chains):
                needs.append((unit.name, chain.split(".")[0], before))
                module, attributes = self.gathering.behind(chain, unit)
                if module is not None:
                    self.named.add(module)
                    needs += [(module, attributes[0], math.inf)] if attributes else []
        return needs

    def index(self, unit: Unit) -> dict[str, list[int]]:
        """By name, the statements of a file that bind it or change its object."""
        if unit.name not in self.concerning:
            found = self.concerning[unit.name] = {}
            for number, statement in enumerate(self.texts[unit.name]):
                brought = set() if is_star(statement.node) else self.by_stars(statement, unit)
                for name in bound([statement.node]) | changed(statement.node, unit.known) | brought:
                    found.setdefault(name, []).append(number)
        return self.concerning[unit.name]

    def by_stars(self, statement: Statement, unit: Unit) -> set[str]:
        """The names that star imports of modules of the submission bring in a statement, as in a ``try``."""
        found = links(statement.node, unit, self.gathering.sources) if "import *" in statement.source else []
        sources = [self.gathering.units.get(link.module) for link in found if link.name == "*"]
        return {name for source in sources if source is not None for name in self.index(source)}

    def include(self, statement: Statement, number: int, unit: Unit) -> list[Need]:
        """Take a statement in, unless it has been executed already and need not be again; return what it needs."""
        kept = self.permitted(statement, unit)
        if kept is None:
            return []
        needs = self.needed_by(kept, number, unit)
        for link in links(kept.node, unit, self.gathering.sources):
            self.named.add(link.module)
            needs += [(link.module, link.name, math.inf)] if link.name and link.name != "*" else []
        wanted = bound([kept.node]) & set(self.gathering.question.wanted)
        if wanted and not isinstance(kept.node, FUNCTIONS):
            return []  # a hyperparameter, a transform, a class: it is there
        if not self.is_there(statement, kept, unit) and not self.is_registry(statement, unit) and not wanted:
            self.found[unit.name, number] = kept
        return needs

    def is_there(self, statement: Statement, kept: Statement, unit: Unit) -> bool:
        """Whether a definition or an import has been executed with the program."""
        lasting = isinstance(kept.node, (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom))
        executed = self.executed.get((unit.name, statement.place, statement.line))
        return lasting and executed is not None and bound([kept.node]) <= executed and not is_star(kept.node)

    def is_registry(self, statement: Statement, unit: Unit) -> bool:
        """Whether a statement that was executed makes an object in which definitions of the program are registered."""
        if (unit.name, statement.place, statement.line) not in self.executed:
            return False
        changing = [item for name in bound([statement.node]) for item in unit.changers.get(name, [])]
        kinds = (*FUNCTIONS, ast.ClassDef)
        return any(isinstance(item.statement.node, kinds) and item in self.gathering.kept for item in changing)

    def permitted(self, statement: Statement, unit: Unit) -> Statement | None:
        """The statement without what is never executed; of a function on the way to the call, what the call needs."""
        if isinstance(statement.node, FUNCTIONS) and statement.node.name in self.leading - {self.function}:
            return self.pruned(statement)
        if self.calls(statement.node):  # an earlier call
            return None
        return permitted(statement, lambda part: self.rules.reason(part, unit.known))[0]

    def through_star(self, name: str, star: Statement, number: int, unit: Unit) -> list[Need]:
        """What a name needs that a star import brings: an import of that name alone stands in its place, but in a block."""
        node = star.node
        for link in links(node, unit, self.gathering.sources):
            source = self.gathering.units.get(link.module) if link.name == "*" else None
            if source is not None and name in self.index(source):
                self.named.add(link.module)
                if isinstance(node, ast.ImportFrom) and name not in self.gathering.question.wanted:
                    one = ast.copy_location(ast.ImportFrom(node.module, [ast.alias(name)], node.level), node)
                    place = unit.name, number + len(self.found) / 1e6
                    self.found[place] = replace(star, node=one, source=ast.unparse(one))
                return [(link.module, name, math.inf)]
        return []

    # Modules that change each other, and the order in which they run.

    def from_outside(self, place: Key) -> list[Need]:
        """Take in ``config.rows = 500`` of whoever runs before the call; return what it needs."""
        needs: list[Need] = []
        for module in self.running(place[0], place, {}):
            unit = self.gathering.units[module]
            for number, target in self.changing_others(unit):
                statement = self.texts[module][number]
                before = module != place[0] or number < place[1]
                if before and self.is_undone(statement, unit, target):
                    needs += self.include(statement, number, unit)
        return needs

    def changing_others(self, unit: Unit) -> Iterator[tuple[int, str]]:
        """The statements of a file that change a module that is needed, as far as they are not taken in, each with the module.

        ``setup(rows=500)`` changes the module whose function it calls.
        """
        for name, target in unit.names_from(self.named, self.followed).items():
            for number in self.index(unit).get(name, []):
                new = (unit.name, number) not in self.found
                if new and name in changed(self.texts[unit.name][number].node, unit.known):
                    yield number, target
        for each in self.gathering.outside_changes:
            if each.unit == unit.name and each.concerns(self.followed):
                for number, statement in enumerate(self.texts[unit.name]):
                    if each.is_made_by(statement) and (unit.name, number) not in self.found:
                        yield number, each.module

    def imported_again(self) -> None:
        """Take in again the imports of values that are made anew: the file that imported them has those of before."""
        made = {(home, name) for (home, _), each in self.found.items() for name in bound([each.node])}
        for name, unit in self.gathering.units.items():
            users = [number for home, number in self.found if home == name]
            for number, statement in enumerate(self.texts[name]):
                again = isinstance(statement.node, ast.ImportFrom) and number < max(users, default=-1)
                if again and any(
                    (link.module, link.name) in made for link in links(statement.node, unit, self.gathering.sources)
                ):
                    self.found.setdefault((name, number), statement)

    def is_undone(self, statement: Statement, unit: Unit, target: str) -> bool:
        """Whether a change of a module is still to be made: the program did not, or the module's values are made anew."""
        executed = (unit.name, statement.place, statement.line) in self.executed
        return not executed or any(home == target for home, _ in self.found)

    def running(self, module: str | None, place: Key, visited: dict[str | None, None]) -> dict[str | None, None]:
        """A module, and all that run because it is imported or imports them, before the call."""
        visited[module] = None
        for imported in (name for _, names in self.imports(module, place) for name in names):
            if imported not in visited:
                self.running(imported, place, visited)
        return visited

    def imports(self, module: str | None, place: Key) -> list[tuple[int, list[str]]]:
        """By statement of a module, as far as the call, the modules of the submission that it imports; found once."""
        if module not in self.imported:
            self.imported[module] = list(self._imports(module, place))
        return self.imported[module]

    def _imports(self, module: str | None, place: Key) -> Iterator[tuple[int, list[str]]]:
        unit, sources = self.gathering.units[module], self.gathering.sources
        for number, statement in enumerate(self.texts[module]):
            if module == place[0] and number > place[1]:
                return
            nodes = [node for node in evaluated(statement.node) if isinstance(node, ast.Import | ast.ImportFrom)]
            nodes.sort(key=lambda node: node.lineno)
            names = [link.module for node in nodes for link in links(node, unit, sources)]
            whole = [each for name in names for each in (*sources.parents(name), name)]
            yield number, [name for name in whole if name in self.gathering.units]

    def in_order(self, module: str | None, place: Key, visited: set[str | None]) -> Iterator[Key]:
        """What was found of a module and of those that it imports, each where it is first imported."""
        if module in visited:
            return
        visited.add(module)
        positions = sorted(position for home, position in self.found if home == module)
        for number, imported in self.imports(module, place):
            for name in imported:
                yield from self.in_order(name, place, visited)
            yield from ((module, position) for position in positions if int(position) == number)

    def pruned(self, statement: Statement) -> Statement | None:
        """A statement with the call, without what the call does not need."""
        return Pruning(self.calls, lambda node: bool(self.rules.reason(node, KnownNames()))).pruned(statement)
