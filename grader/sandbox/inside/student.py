"""The student's names: their program is executed statement by statement, and names are looked up in it."""

import __future__

import ast
import contextlib
import importlib.abc
import importlib.machinery
import linecache
import os
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from grader.sandbox.inside import describe, devices, faults, lazy_imports, other_machines, shadowed, shims, statements

_NOTHING = object()  # the value of a name that is not bound
PROVIDERS: list[Callable[[], dict[str, Any]]] = []  # of names that every program may use


class Undefined(Exception):
    """A name that the submission does not define."""


class Student:
    """A loaded submission.

    ``program`` is {"main": [piece, …], "modules": {name: [piece, …]}, "names": {name: module or None}, "call": […]}
    with pieces {"source", "file", "cell", "line"}; those of "call" say their "module", too. "lost" may say why names
    are not in it. Each statement runs on its own, so that one that
    fails loses what it defines and nothing else; ``problems`` keeps the failures. ``files`` is the folder
    that the submission's files lie in.
    A number that the notebook binds again below the call of "call" has the value from above; ``rebound`` the last one.
    All other names have their last values. What was bound when is kept, for code that was called before: "called" says
    where the last statement stands that came to call a function.
    """

    def __init__(self, program: dict[str, Any], files: str = "") -> None:
        self._files = describe.files = files
        describe.lost.clear()
        describe.lost.update(program.get("lost", {}))
        self.problems: list[dict[str, Any]] = []
        self.names: dict[str, str | None] = program["names"]
        self.call: list[dict[str, Any]] = program.get("call", [])  # what makes the arguments of one call, and the call
        self._called: dict[str, list[int]] = program.get("called", {})
        self._history: list[tuple[tuple[int, int], str, Any]] = []  # place of a statement, name, value until then
        self._program_main: list[dict[str, Any]] = program["main"]
        self._sources: dict[str, list[dict[str, Any]]] = program["modules"]
        self._modules: dict[str, types.ModuleType] = {}
        shims.install(asks_for_gpu=any(map(devices.asks_for_gpu, lazy_imports.sources(program))))
        elsewhere = other_machines.named_in(lazy_imports.sources(program))
        other_machines.install(elsewhere, handed_in=files)
        sys.meta_path.insert(0, _Finder(self))
        of_notebooks = shims.of_notebooks() if program["main"] else {}
        self._provided = of_notebooks | {name: value for provide in PROVIDERS for name, value in provide().items()}
        self.main = types.ModuleType("__main__")
        sys.modules["__main__"] = self.main
        with _exit_raises():
            self.rebound = self._run_notebook(program["main"])
            other_machines.let_pandas_write()
            for name in dict.fromkeys(module for module in self.names.values() if module):
                self._import(name)

    def get(self, name: str) -> Any:
        """The student's object of that name; raises Undefined."""
        for module in self._homes(name):
            if name in vars(module):
                return vars(module)[name]
        raise Undefined(name)

    def has(self, name: str) -> bool:
        """Whether the name is defined."""
        return any(name in vars(module) for module in self._homes(name))

    @contextlib.contextmanager
    def overriding(self, **objects: Any) -> Iterator[None]:
        """Let the names stand for other objects, in the notebook and in every module, for a while."""
        with contextlib.ExitStack() as stack:
            for module in (self.main, *self._modules.values()):
                stack.enter_context(_bound(vars(module), objects))
            yield

    def values(self) -> list[Any]:
        """All objects that have a name."""
        return [value for space in (self.main, *self._modules.values()) for value in list(vars(space).values())]

    def as_at_the_end(self) -> contextlib.AbstractContextManager[None]:
        """Let numbers that the notebook binds again after its call have their last values, for a while."""
        return _bound(vars(self.main), self.rebound)

    def as_it_was_for(self, function: str) -> contextlib.AbstractContextManager[None]:
        """Let names have the values that they had where a function was called last.

        One that was called nowhere, or was defined again since, has the last ones.
        """
        cell, line = self._called.get(function, (0, 0))
        defined = max((_order(piece) for piece in self._program_main if self._defines(piece, function)), default=(0, 0))
        if (cell, line) <= defined:
            return self.as_at_the_end()
        return _bound(vars(self.main), self.rebound | self._before((cell, line)))

    def _defines(self, piece: dict[str, Any], name: str) -> bool:
        return name in piece["source"] and name in statements.bound(piece["source"])

    def _before(self, place: tuple[int, int]) -> dict[str, Any]:
        """What names were bound to before a place that are bound again there or further down.

        Of the assignment's own names only those of numbers: the last definition counts of all others.
        """
        values = {name: value for at, name, value in reversed(self._history) if at >= place}
        return {n: value for n, value in values.items() if n not in self.names or isinstance(value, int | float)}

    @contextlib.contextmanager
    def restored(self) -> Iterator[None]:
        """Put all names and modules back afterwards, whatever is bound meanwhile."""
        modules, before = dict(self._modules), [(vars(m), dict(vars(m))) for m in (self.main, *self._modules.values())]
        try:
            yield
        finally:
            for name in self._modules.keys() - modules.keys():
                sys.modules.pop(name, None)
            self._modules = modules
            for space, old in before:
                space.clear()
                space.update(old)

    def execute_call(self) -> None:
        """Execute the statements that lead to the call, and the call. One that fails is passed over."""
        if not self.call:
            return
        before = [*self._program_main, *(piece for pieces in self._sources.values() for piece in pieces)]
        executed = {_place(piece) for piece in before}
        times = Counter(name for piece in before for name in statements.bound(piece["source"]))
        anew: set[str] = set()  # names that are bound here: what changes their objects has to be done to these, too
        for piece in self.call:
            faults.step()
            if self._is_bound_again(piece):
                continue
            settled = _place(piece) in executed and statements.is_settled(piece["source"], times)
            if settled and not statements.read(piece["source"]) & anew:
                continue
            anew |= statements.bound(piece["source"])
            with contextlib.suppress(Exception, SystemExit):
                exec(_compiled(piece), vars(self._space(piece["module"])))

    def _is_bound_again(self, piece: dict[str, Any]) -> bool:
        """Whether what a statement of the notebook binds is bound again between it and the call, by none of the call's."""
        names, last = statements.bound(piece["source"]), self.call[-1]
        if piece["module"] is not None or last["module"] is not None or not names or piece is last:
            return False
        of_call = {_place(each) for each in self.call}
        between = (each for each in self._program_main if _order(piece) < _order(each) < _order(last))
        return any(names <= statements.bound(each["source"]) for each in between if _place(each) not in of_call)

    def _space(self, name: str | None) -> types.ModuleType:
        """The module that a statement belongs to; a new one where the definitions needed nothing of it."""
        if name is None:
            return self.main
        for part in (name[:end] for end, letter in enumerate(f"{name}.") if letter == "."):
            if part not in self._modules:
                module = self._modules[part] = types.ModuleType(part)
                vars(module).update(self._provided, __path__=[])
                sys.modules[part] = module
        return self._modules[name]

    def _homes(self, name: str) -> list[types.ModuleType]:
        module = self.names.get(name)
        preferred = [self._modules[module]] if module in self._modules else []
        return [*preferred, self.main, *self._modules.values()]

    def _import(self, name: str) -> None:
        try:
            __import__(name)
        except BaseException as error:  # SystemExit, too, costs what needs it and nothing else
            self.problems.append(describe.exception(error))

    def load_module(self, name: str, module: types.ModuleType) -> None:
        self._modules[name] = module
        self._run(self._sources[name], module)

    def has_module(self, name: str) -> bool:
        return name in self._sources

    def file_of(self, name: str) -> str | None:
        """Where a module lies; one that a cell writes lies beside the notebook."""
        pieces = self._sources.get(name)
        if not pieces:
            return None
        file = pieces[0]["file"]
        if pieces[0]["cell"] is not None:
            file = os.path.join(os.path.dirname(file), f"{name.replace('.', '/')}.py")
        return os.path.join(self._files, file)

    def is_package(self, name: str) -> bool:
        return any(other.startswith(name + ".") for other in self._sources)

    def _run_notebook(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        """Run the notebook's statements; return the last values of names of numbers that it binds again below the call."""
        space = vars(self.main)
        space.update(self._provided)
        for piece in pieces:
            before = dict(space)
            self._execute([piece], self.main)
            self._history += [(_order(piece), n, old) for n, old in before.items() if space.get(n, _NOTHING) is not old]
        shadowed.give_back(pieces, space, _compiled)
        if not self.call or self.call[-1]["module"] is not None:
            return {}
        above = {n: value for n, value in self._before(_order(self.call[-1])).items() if n in self.names}
        rebound = {name: space.get(name) for name in above}
        space.update(above)
        return rebound

    def _run(self, pieces: list[dict[str, Any]], module: types.ModuleType) -> None:
        vars(module).update(self._provided)
        self._execute(pieces, module)

    def _execute(self, pieces: list[dict[str, Any]], module: types.ModuleType) -> None:
        for piece in pieces:
            faults.step()
            try:
                exec(_compiled(piece), vars(module))
            except ModuleNotFoundError as error:
                self.problems.append(describe.exception(error))
                for name in statements.imported(piece["source"]) - self.names.keys():
                    vars(module).setdefault(name, _NotInstalled(error))
                describe.lose(statements.bound(piece["source"]), self.problems[-1])
            except BaseException as error:  # SystemExit, too
                self.problems.append(describe.exception(error))
                kept = _import_others(piece["source"], vars(module)) if isinstance(error, ImportError) else set()
                describe.lose(statements.bound(piece["source"]) - kept, self.problems[-1])


@contextlib.contextmanager
def _bound(space: dict[str, Any], values: dict[str, Any]) -> Iterator[None]:
    """Let names in a module stand for other values, for a while."""
    before = {name: space[name] for name in values if name in space}
    space.update(values)
    try:
        yield
    finally:
        for name in values:
            space.pop(name, None)
        space.update(before)


@contextlib.contextmanager
def _exit_raises() -> Iterator[None]:
    """Let ``os._exit`` raise SystemExit in this process for a while; a child that was forked ends as it asks."""
    ends, own = os._exit, os.getpid()

    def raises(status: int) -> NoReturn:
        if os.getpid() != own:
            ends(status)
        raise SystemExit(status)

    os._exit = raises
    try:
        yield
    finally:
        os._exit = ends


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the submission's modules from their pieces; a library that is already loaded keeps its name."""

    def __init__(self, student: Student) -> None:
        self.student = student

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if not self.student.has_module(fullname) and not self.student.is_package(fullname):
            return None
        file, is_package = self.student.file_of(fullname), self.student.is_package(fullname)
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=file, is_package=is_package)
        spec.has_location = file is not None  # then it becomes the module's ``__file__``
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        if self.student.has_module(module.__name__):
            self.student.load_module(module.__name__, module)


class _NotInstalled:
    """What an import would have bound: who uses it is told why it is not there, not that it is undefined."""

    def __init__(self, error: ModuleNotFoundError) -> None:
        self.__dict__.update(message=str(error), name=error.name)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self()

    def __mro_entries__(self, bases: tuple[Any, ...]) -> NoReturn:
        self()  # as a base class

    def __call__(self, *args: Any, **options: Any) -> NoReturn:
        raise ModuleNotFoundError(self.__dict__["message"], name=self.__dict__["name"])


def _import_others(source: str, space: dict[str, Any]) -> set[str]:
    """Import what else a statement imports, name by name, where one of its names is not there; those that were."""
    done = set()
    for statement in [each for each in ast.parse(source).body if isinstance(each, ast.ImportFrom)]:
        for alias in statement.names if len(statement.names) > 1 else ():
            alone = ast.ImportFrom(statement.module, [alias], statement.level)
            with contextlib.suppress(Exception):
                exec(compile(ast.unparse(alone), "<import>", "exec", dont_inherit=True), space)
                done.add(alias.asname or alias.name)
    return done


def _place(piece: dict[str, Any]) -> tuple[Any, ...]:
    return piece["file"], piece["cell"], piece["line"], piece["source"]


def _order(piece: dict[str, Any]) -> tuple[int, int]:
    """Where a statement of the notebook stands among the others."""
    return piece["cell"] or 0, piece["line"]


def _compiled(piece: dict[str, Any]) -> types.CodeType:
    """A statement's code, whose tracebacks name the place where its author finds it."""
    cell = f"#cell-{piece['cell']}" if piece["cell"] is not None else ""
    filename = f"<submission>/{piece['file']}{cell}"
    _remember_lines(filename, piece)
    flags = __future__.annotations.compiler_flag if piece.get("postponed") else 0
    return compile("\n" * (piece["line"] - 1) + piece["source"], filename, "exec", flags, dont_inherit=True)


def _remember_lines(filename: str, piece: dict[str, Any]) -> None:
    """Let tracebacks and ``inspect.getsource`` find the lines, at their own numbers."""
    lines = list(linecache.cache[filename][2]) if filename in linecache.cache else []  # type: ignore[misc]
    new = [f"{line}\n" for line in piece["source"].splitlines()]  # or a block would go on in the next statement
    start = piece["line"] - 1
    lines.extend(["\n"] * (start + len(new) - len(lines)))
    lines[start : start + len(new)] = new
    linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)
