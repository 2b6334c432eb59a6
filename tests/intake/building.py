"""Submissions built for one test, and their slices executed beside stand-ins for every library."""

import __future__

import builtins
import json
import resource
import sys
import types
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import nbformat

from grader.assignments.vit.assignment import VIT
from grader.intake import open_submission
from grader.records import Piece, Submission

WANTED = ("lr", "num_epochs", "tfm_train", "tfm_test", "ViT", "Transformer", "get_embeddings", "train_embedding_model")
PROVIDED = ("train_dataset", "test_dataset", "train_loader", "test_loader")
NEVER_CALLED = ("train_embedding_model", "train_classification_model", "evaluate_at_end_epoch")


def write_notebook(path: Path, *cells: str | dict[str, Any]) -> Path:
    """Write code cells, given as their text or whole, to a notebook."""
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(dedent(c).strip("\n")) if isinstance(c, str) else c for c in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook))
    return path


def write_modules(folder: Path, **sources: str) -> None:
    """Write modules, named by their path without ``.py``."""
    for name, source in sources.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source).strip("\n") + "\n")


def opened(path: Path, **options: Any) -> Submission:
    """Open a submission for the names above, in a workspace beside it."""
    workspace = options.pop("workspace", path.parent.with_name(path.parent.name + "-workspace") / path.name)
    names = {"wanted": WANTED, "provided": PROVIDED, "never_called": NEVER_CALLED, "modules": VIT.modules}
    return open_submission(path, workspace, **{**names, **options})


def from_cells(folder: Path, *cells: str | dict[str, Any], **modules: str) -> Submission:
    """Open a notebook of these cells with these modules beside it."""
    write_modules(folder, **modules)
    return opened(write_notebook(folder / "submission.ipynb", *cells))


def processor_seconds() -> float:
    """Processor time of the reading processes so far: unlike the clock, the same on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def kept(submission: Submission, module: str | None = None) -> str:
    """Return the kept statements of the notebook or a module as one text."""
    program = submission.program
    pieces = program.main if module is None else program.modules[module]
    return "\n".join(piece.source for piece in pieces)


class Stub:
    """Stands for any library, function or class; does nothing and gives itself back."""

    def __getattr__(self, name: str) -> "Stub":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> "Stub":
        return self

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()


def run(submission: Submission) -> dict[str, Any]:
    """Execute a slice, and return the notebook's names; a statement that raises fails the test."""
    program = submission.program
    modules: dict[str, types.ModuleType] = {}

    def load(name: str) -> types.ModuleType:
        if name not in modules:
            module = modules[name] = types.ModuleType(name)
            is_package = any(other.startswith(name + ".") for other in program.modules)
            module.__package__ = name if is_package else name.rpartition(".")[0]
            execute(program.modules[name], vars(module))
            parent, _, last = name.rpartition(".")
            if parent:
                setattr(load(parent), last, module)
        return modules[name]

    def import_(name: str, space: Any = None, _: Any = None, names: Sequence[str] | None = (), level: int = 0) -> Any:
        if level:
            name = ".".join(filter(None, [*space["__package__"].split(".")[: 1 - level or None], name]))
        for each in names or ():
            if f"{name}.{each}" in program.modules:
                load(f"{name}.{each}")
        if name in program.modules:
            found = load(name)
            return found if names else load(name.split(".")[0])
        if name.split(".")[0] == "google":
            raise ModuleNotFoundError(name)
        return __import__(name, space, None, names, level) if name in sys.stdlib_module_names else Stub()

    def execute(pieces: Iterable[Piece], space: dict[str, Any]) -> dict[str, Any]:
        space["__builtins__"] = {**vars(builtins), "__import__": import_}
        for piece in pieces:
            flags = __future__.annotations.compiler_flag if piece.postponed else 0
            exec(compile(piece.source, f"{piece.file}:{piece.cell}", "exec", flags, dont_inherit=True), space)
        return space

    main = execute(program.main, {"__name__": "__main__"})
    for name, origin in program.names.items():
        if origin.module is not None:
            main[name] = vars(load(origin.module))[name]
    return main
