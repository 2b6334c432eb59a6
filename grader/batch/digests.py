"""Digests of what a grade rests on."""

import hashlib
import importlib.metadata
import os
import platform
from functools import cache
from pathlib import Path

from grader.batch.gradebook import Digests
from grader.intake import Found

CODE = Path(__file__).resolve().parent.parent


def current(rubric: Path) -> Digests:
    """The digests of the checks, the rubric and the environment as they are now."""
    return Digests(checks(), hashlib.sha256(rubric.read_bytes()).hexdigest()[:16], environment())


@cache
def checks() -> str:
    """Of all the grader's code: probes, checks, workers."""
    digest = hashlib.sha256()
    for path in sorted(CODE.rglob("*.py")):
        digest.update(path.relative_to(CODE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def environment() -> str:
    """What arithmetic rests on: interpreter, libraries, machine."""
    versions = [f"{name} {_version(name)}" for name in ("torch", "torchvision", "pytorch-metric-learning", "numpy")]
    return "; ".join([f"Python {platform.python_version()}", *versions, platform.machine()])


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def fingerprint(found: Found) -> str:
    """Of a submission's files by name, size and time: cheap, and changes when it is handed in again."""
    digest = hashlib.sha256()
    for path in _files(found):
        try:
            status = path.stat()
        except OSError:  # a broken link; opening the submission will say so
            continue
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _files(found: Found) -> list[Path]:
    if found.files:
        return sorted(found.files.values())
    if found.path.is_file():
        beside = found.path.parent.iterdir() if found.path.suffix == ".ipynb" else [found.path]
        return sorted(path for path in beside if path.is_file())
    return sorted(Path(folder, name) for folder, _, names in os.walk(found.path) for name in names)


def seed(class_seed: int, key: str) -> int:
    """A student's seed: fixed by the class's, whatever the order in which submissions are graded."""
    return int.from_bytes(hashlib.sha256(f"{class_seed} {key}".encode("utf-8", "surrogateescape")).digest()[:4]) >> 1
