"""Digests of what a grade rests on."""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from grader import shipped
from grader.intake import Found
from grader.intake.reading.members import is_ignored

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.pipeline import Options

ASKING_FOLDERS = {"sandbox", "intake", "inside"}  # folders whose code decides what is observed
BLOCK_BYTES, MAX_BLOCKS = 1 << 20, 1 << 10  # bytes read at once, and how often: the first GiB of a file tells enough
# … and whose code has no say in a grade
NOT_GRADING = {
    "cli.py", "audit.py", "mutation", "commands", "gradebook", "desk", "exports", "reports", "students", "publish", "corpus", "figures", "reference",
    "student",
}  # fmt: skip


@dataclass(frozen=True)
class Digests:
    """What a grade rests on, beside the submission and the seed.

    Attributes:
        asks: the code that gathers observations, and the options that tell it what to do.
        checks: probes, checks, scoring, the given files.
        rubric: the rubric's file.
        environment: interpreter, libraries, machine.
    """

    asks: str
    checks: str
    rubric: str
    environment: str


def current(options: "Options", only: Iterable[str] | None = None) -> Digests:
    """The digests as they are now."""
    settings = [options.train, options.train_budget, options.sample, sorted(only) if only is not None else None]
    operations = of_code(path for path in map(Path, options.assignment.ops) if path.suffix == ".py")
    whole = asking() + operations + json.dumps([*settings, options.assignment.name])
    asks = hashlib.sha256(whole.encode()).hexdigest()[:16]
    return Digests(asks, judging(options), of_rubric(options.rubric_file), environment())


def of_rubric(path: Path) -> str:
    """Of a rubric's file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def judging(options: "Options") -> str:
    """Of the code that asks and judges, that of another assignment included, and of the given files."""
    own = _elsewhere(options.assignment) if not options.assignment.folder.is_relative_to(shipped.PACKAGE) else ""
    return hashlib.sha256((checks() + own + options.given_files.digest).encode()).hexdigest()[:16]


def _elsewhere(assignment: "Assignment") -> str:
    """Of the code of an assignment that is no part of this package."""
    folder, students = assignment.folder, [each for each in (assignment.reference, assignment.template) if each]
    own = (
        path
        for path in folder.rglob("*.py")
        if not {"corpus", "corpus.py", "figures"} & set(path.relative_to(folder).parts)
    )
    return of_code(path for path in own if not any(path.is_relative_to(each) for each in students))


@cache
def asking() -> str:
    """Of the code that opens and runs submissions."""
    return of_code(path for path in shipped.PACKAGE.rglob("*.py") if ASKING_FOLDERS & _folders(path))


@cache
def checks() -> str:
    """Of the code that asks and judges."""
    return of_code(
        path for path in shipped.PACKAGE.rglob("*.py") if not (ASKING_FOLDERS | NOT_GRADING) & _folders(path)
    )


@cache
def engine() -> str:
    """Of the code that judges by whatever assignment."""
    not_engine = ASKING_FOLDERS | NOT_GRADING | {"assignments", "torchkit"}
    return of_code(path for path in shipped.PACKAGE.rglob("*.py") if not not_engine & _folders(path))


def _folders(path: Path) -> set[str]:
    """The folders below this package that a file lies in, and the file's own name."""
    return set(path.relative_to(shipped.PACKAGE).parts)


@cache
def package(name: str) -> str:
    """Of the package that a module lies in, of the toolkit that it computes with, and of the libraries."""
    spec = importlib.util.find_spec(name)
    folder = Path(spec.origin).parent if spec is not None and spec.origin is not None else shipped.PACKAGE
    toolkit = of_code((shipped.PACKAGE / "torchkit").rglob("*.py"))
    return hashlib.sha256((of_code(folder.glob("*.py")) + toolkit + environment()).encode()).hexdigest()[:16]


def of_code(paths: Iterable[Path]) -> str:
    """Of files, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def environment() -> str:
    """What arithmetic rests on."""
    versions = [f"{name} {_version(name)}" for name in ("torch", "torchvision", "pytorch-metric-learning", "numpy")]
    return "; ".join([f"Python {platform.python_version()}", *versions, platform.machine()])


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def fingerprint(found: Found) -> str:
    """Of a submission's files by name, size and time: cheap, and another when it is handed in again."""
    digest = hashlib.sha256(found.refused.encode("utf-8", "surrogateescape"))
    for name, path in files_of(found).items():
        try:
            status = path.stat()
        except OSError:  # a broken link; opening the submission will say so
            continue
        digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def content(found: Found) -> str:
    """Of a submission's files by name and content."""
    digest = hashlib.sha256(found.refused.encode("utf-8", "surrogateescape"))
    for name, path in files_of(found).items():
        digest.update(f"{name}\0".encode("utf-8", "surrogateescape"))
        try:
            with path.open("rb") as file:
                for _ in range(MAX_BLOCKS):
                    if not (block := file.read(BLOCK_BYTES)):
                        break
                    digest.update(block)
        except OSError:
            digest.update(b"unreadable")
    return digest.hexdigest()[:32]


def files_of(found: Found) -> dict[str, Path]:
    """A submission's files by the name that they have in it; links and pipes are nobody's."""
    if found.files:
        files = dict(found.files)
    elif found.path.is_dir():
        files = {path.relative_to(found.path).as_posix(): path for path in _inside(found.path)}
    else:
        beside = found.path.parent.iterdir() if found.path.suffix.lower() in (".ipynb", ".py") else [found.path]
        files = {path.name: path for path in beside}
    return {name: path for name, path in sorted(files.items()) if path.is_file() and not path.is_symlink()}


def _inside(top: Path) -> Iterator[Path]:
    """What intake would look at: ``.git`` may change and the submission is the same."""
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if not is_ignored(name)]
        yield from (Path(folder, name) for name in names if not is_ignored(name))
