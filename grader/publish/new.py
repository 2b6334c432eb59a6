"""A new assignment, small and whole: its files come from ``skeleton/``, and each is there to be changed."""

import re
from pathlib import Path

from grader import finding
from grader.errors import GraderError, writing
from grader.publish import release, template

SKELETON = Path(__file__).resolve().parent / "skeleton"


def write(folder: Path) -> list[Path]:
    """Write an assignment that is named as its folder, whole or not at all; returns its files.

    Raises:
        GraderError: the name is none that a module can have, or is taken, or the folder cannot be written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", folder.name):
        raise GraderError(f"{folder.name}: expected a name of small letters, digits and _, as that of a Python module")
    if folder.name in finding.names():
        raise GraderError(f"{folder.name}: an installed assignment has that name; choose another")
    if folder.exists():
        raise GraderError(f"{folder}: there is something already; nothing was written")
    texts = {path.relative_to(SKELETON): path.read_text(encoding="utf-8") for path in _files()}
    texts = {path: text.replace("skeleton", folder.name) for path, text in texts.items()}
    texts |= {Path("student", name): text for name, text in template.generate(SKELETON / "reference").items()}
    texts[Path("tests", "student", "part1.md")] = release.SUITE.format(part=1, title="Softmax")
    with writing(folder):
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    return sorted(folder / path for path in texts)


def _files() -> list[Path]:
    return [path for path in sorted(SKELETON.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
