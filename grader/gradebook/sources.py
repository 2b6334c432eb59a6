"""The code that an assignment's pieces of judging are made of, so that a change concerns only those that it can reach.

Where a piece stands is found in the loaded modules: a criterion, say, is an object that some module's ``Topic`` holds.
What a module defines rests on its own source and on what it imports, directly or not, and on nothing else, as long as
importing a module does no more than define names: one that does more counts for every piece.
"""

import ast
import dataclasses
import hashlib
import json
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from grader import shipped, syntax
from grader.assignment import Assignment, Topic
from grader.gradebook import digests
from grader.reading import module_of

FLOORS = ("torchkit", "assignments")  # of this package, whose modules are told apart
PARTS_OF_TOPIC = ("probes", "criteria", "warnings", "measures", "forms")  # what a topic, and an assignment, brings
Places = dict[int, list[str]]  # by the identity of an object, where modules hold it: "package.module:TOPIC.criteria.0"


@dataclass(frozen=True)
class Sources:
    """Code as it was when something was judged.

    Attributes:
        rest: digest of the engine, and of what orders the pieces of an assignment and says which they are.
        modules: by module that may be changed by itself, the digest of its file.
    """

    rest: str
    modules: dict[str, str]

    @cached_property
    def digest(self) -> str:
        """Names this code."""
        return hashlib.sha256(self.kept.encode()).hexdigest()[:16]

    @property
    def kept(self) -> str:
        """It as JSON."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def from_kept(kept: str) -> Sources:
    """Read back what was kept."""
    return Sources(**json.loads(kept))


def of(assignment: Assignment) -> Sources:
    """The code that judges by an assignment, as it is now."""
    files = files_of(assignment)
    whole = json.dumps([digests.engine(), _structure(assignment, _places(files))])
    own = {name: digests.of_code([path]) for name, path in files.items() if name not in _own_files()}
    return Sources(hashlib.sha256(whole.encode()).hexdigest()[:16], _own_digests() | own)


def files_of(assignment: Assignment) -> dict[str, Path]:
    """By module, the files of the toolkit, of the package's assignments, and of this one, wherever it lies."""
    found = _own_files()
    folder = assignment.folder.resolve()
    if not folder.is_relative_to(shipped.PACKAGE):
        packages = {
            name.rpartition(".")[0]
            for name, module in tuple(sys.modules.items())
            if (file := getattr(module, "__file__", None)) and Path(file).resolve().parent == folder
        }
        theirs = {f"{package}.{name}": path for package in packages for name, path in _files(folder, folder).items()}
        return found | theirs
    return found


@cache
def _own_files() -> dict[str, Path]:
    """Of this package, which is what it was when this process began."""
    floors = (_files(shipped.PACKAGE.parent, shipped.PACKAGE / floor) for floor in FLOORS)
    return {name: path for floor in floors for name, path in floor.items()}


@cache
def _own_digests() -> dict[str, str]:
    return {name: digests.of_code([path]) for name, path in _own_files().items()}


def _files(root: Path, folder: Path) -> dict[str, Path]:
    """The modules in a folder, by their names as seen from another one; what is only shown or tried out is left out."""
    no_say = {"corpus", "corpus.py", "figures", "reference", "student"}
    inside = (path for path in sorted(folder.rglob("*.py")) if not no_say & set(path.relative_to(folder).parts))
    return {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in inside}


def _places(files: Collection[str]) -> Places:
    """Where the loaded ones of some modules hold what pieces are made of."""
    found: Places = {}
    for name in sorted(files):
        for variable, value in sorted(vars(sys.modules[name]).items() if name in sys.modules else ()):
            for path, held in _held(variable, value):
                found.setdefault(id(held), []).append(f"{name}:{path}")
    return found


def _held(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A value and what it holds: the items of lists and dicts, and those of topics and assignments."""
    yield path, value
    if isinstance(value, Topic | Assignment):
        for name in PARTS_OF_TOPIC:
            yield from _held(f"{path}.{name}", getattr(value, name))
    elif isinstance(value, tuple | list):
        yield from ((f"{path}.{number}", each) for number, each in enumerate(value))
    elif isinstance(value, dict):
        yield from ((f"{path}.{key}", each) for key, each in value.items())


def _structure(assignment: Assignment, places: Places) -> list[Any]:
    """Which pieces there are, in which order they are judged, and where each of them stands."""
    others = [field.name for field in dataclasses.fields(assignment) if field.name not in PARTS_OF_TOPIC]
    return [
        {name: value for name in others if _is_plain(value := getattr(assignment, name))},
        [[p.id, p.op, p.serves, p.needs, p.not_compared, p.in_parallel] for p in assignment.probes],
        [[ident, criterion.needs] for ident, criterion in assignment.criteria.items()],
        [[piece, places.get(id(made_of))] for piece, made_of in pieces(assignment)],
        [[op, places.get(id(form))] for op, form in assignment.forms.items()],
    ]


def _is_plain(value: Any) -> bool:
    """Whether it is made of texts and numbers."""
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def pieces(assignment: Assignment) -> Iterator[tuple[str, Any]]:
    """The pieces of judging that are an assignment's own, and the object that each is made of."""
    yield from ((f"question {probe.id}", probe) for probe in assignment.probes)
    yield from ((f"criterion {ident}", criterion) for ident, criterion in assignment.criteria.items())
    yield from ((f"measure {name}", function) for name, function in assignment.measures.items())
    yield from ((f"warning {number}", function) for number, function in enumerate(assignment.warnings, 1))


class Reach:
    """What a change of some modules can reach.

    Args:
        assignment: as it is now.
        changed: the modules whose files are others, new or gone.
    """

    def __init__(self, assignment: Assignment, changed: Collection[str]) -> None:
        self.changed, self.files = frozenset(changed), files_of(assignment)
        self.trees: dict[str, ast.Module] = {}
        self.closures: dict[str, frozenset[str]] = {}
        places = _places(self.files)
        self.holders = {piece: self._holder(places, made_of) for piece, made_of in pieces(assignment)}
        form_of = {probe.id: assignment.forms.get(probe.op) for probe in assignment.probes}
        self.forms = {f"question {p}": self._holder(places, form) for p, form in form_of.items() if form is not None}
        self.everything = self._is_everything(assignment, self._holder(places, assignment))

    def _is_everything(self, assignment: Assignment, holder: str | None) -> bool:
        """Whether there is a change that concerns every piece, whatever it imports.

        That is one of what loads the data, which whoever looks at them need not import, or of a module that does more
        than to define names.
        """
        if holder is None:
            return True
        does_more = (name for name in self._closure(holder) if not all(map(_defines, self._tree(name).body)))
        return any(self.of_module(name) for name in (module_of(assignment.data), *does_more))

    @classmethod
    def between(cls, assignment: Assignment, then: Sources, now: Sources) -> "Reach | None":
        """What has changed from one code to another; None where that concerns every piece."""
        if then.rest != now.rest:
            return None
        names = then.modules.keys() | now.modules.keys()
        found = cls(assignment, [name for name in names if then.modules.get(name) != now.modules.get(name)])
        return None if found.everything else found

    def of(self, piece: str) -> bool:
        """Whether the code of a piece, or the type of a question's answer, may be another."""
        if piece not in self.holders:  # the engine's own
            return False
        holders = [self.holders[piece], *([self.forms[piece]] if piece in self.forms else [])]
        return any(holder is None or self.of_module(holder) for holder in holders)

    def of_module(self, name: str) -> bool:
        """Whether a module, or one that it imports, may be another; the engine's are not, nor are libraries."""
        if name in self.files:
            return bool(self.changed & self._closure(name))
        return name.startswith(tuple(f"grader.{floor}." for floor in FLOORS))

    def _holder(self, places: Places, made_of: Any) -> str | None:
        """The module that holds an object and imports the least; None where none holds it."""
        modules = {place.partition(":")[0] for place in places.get(id(made_of), ())}
        return min(modules, key=lambda module: (len(self._closure(module)), module), default=None)

    def _closure(self, module: str) -> frozenset[str]:
        """A module with all that it imports, directly or not."""
        if module not in self.closures:
            found, todo = set[str](), [module]
            while todo:
                if (name := todo.pop()) not in found:
                    found.add(name)
                    todo += _imported(name, self._tree(name), self.files)
            self.closures[module] = frozenset(found)
        return self.closures[module]

    def _tree(self, module: str) -> ast.Module:
        if module not in self.trees:
            self.trees[module] = syntax.parse(self.files[module].read_bytes())
        return self.trees[module]


def _imported(module: str, tree: ast.Module, files: Mapping[str, Path]) -> set[str]:
    """Which of some modules one imports, wherever in it, and all modules in a package that it imports."""
    package = module if files[module].name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):  # what is reached from here by dots is not looked for
            tops = {alias.name.partition(".")[0] for alias in node.names}
            found.update(name for name in files if name.partition(".")[0] in tops)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            name = ".".join([*above, *filter(None, [node.module])])
            each = [f"{name}.{alias.name}" for alias in node.names]
            found.update(each if set(each) <= files.keys() else {name, *each})
    packages = tuple(f"{name}." for name in found if name in files and files[name].name == "__init__.py")
    return {name for name in files if name in found or name.startswith(packages)}


def _defines(node: ast.stmt) -> bool:
    """Whether a statement of a module does no more than to define names, so that no other module is changed by it."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.ClassDef() | ast.AnnAssign(target=ast.Name()):
            return True
        case ast.Assign(targets=targets):
            return all(isinstance(name, ast.Name) for each in targets for name in getattr(each, "elts", [each]))
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # a docstring
