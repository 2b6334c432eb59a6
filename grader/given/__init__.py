"""The files that a course hands out and that students leave as they are: the text of each, and a digest of all."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import GraderError

if TYPE_CHECKING:
    from grader.assignment import Assignment


@dataclass(frozen=True)
class GivenFiles:
    """Given files by name.

    Attributes:
        texts: what they hold.
        replaced: whether an instructor gave them, in place of the assignment's own.
    """

    texts: Mapping[str, str] = field(default_factory=dict, hash=False)
    replaced: bool = False

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and texts; empty where there is no file."""
        if not self.texts:
            return ""
        ordered = [[name, self.texts[name]] for name in sorted(self.texts)]
        return hashlib.sha256(json.dumps(ordered).encode()).hexdigest()

    def kept(self) -> str:
        """As one text, for a gradebook; empty where the assignment's own are used."""
        return json.dumps(dict(self.texts)) if self.replaced else ""


NO_GIVEN_FILES = GivenFiles()


def own(assignment: "Assignment") -> GivenFiles:
    """The given files that belong to an assignment."""
    return _read(assignment.given)


@cache
def _read(paths: tuple[Path, ...]) -> GivenFiles:
    return GivenFiles({path.name: path.read_text(encoding="utf-8") for path in paths})


def replaced(folder: Path, assignment: "Assignment") -> GivenFiles:
    """The given files in an instructor's folder.

    Raises:
        GraderError: they cannot be read, or the assignment knows none of what they hold.
    """
    if not folder.is_dir():
        raise GraderError(f"--given {folder}: expected a folder with the course's given files, found none there")
    read = (".py", ".ipynb", ".sha256")  # the last hold digests of blocks whose text is not published
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in read and path.is_file())
        found = GivenFiles({path.name: _text(path) for path in paths if not path.name.startswith(".")}, replaced=True)
    except OSError as error:
        raise GraderError(f"--given {folder}: cannot be read: {error.strerror or error}") from None
    return _known(found, assignment, f"--given {folder}")


def from_kept(text: str, assignment: "Assignment") -> GivenFiles | None:
    """Those that ``GivenFiles.kept`` wrote; None for the assignment's own."""
    return _known(GivenFiles(json.loads(text), replaced=True), assignment, "the kept given files") if text else None


def _known(found: GivenFiles, assignment: "Assignment", where: str) -> GivenFiles:
    if assignment.check_given is None:
        raise GraderError(f"{where}: the assignment {assignment.name!r} has no given files")
    assignment.check_given(found.texts, where)
    return found


def _text(path: Path) -> str:
    max_bytes = 8 << 20  # of one given file: a notebook may hold its outputs
    if path.stat().st_size > max_bytes:
        raise GraderError(f"--given {path}: larger than {max_bytes >> 20} MiB; nothing was graded")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise GraderError(f"--given {path}: expected text in UTF-8; nothing was graded") from None
