"""What a Dask worker does: unpack a submission, grade it as anywhere else, send the packed grade back."""

import atexit
import dataclasses
import json
import platform
import tempfile
import threading
from pathlib import Path
from typing import Any

from grader import finding
from grader.errors import GraderError
from grader.given import GivenFiles
from grader.gradebook import digests
from grader.gradebook.digests import files_of
from grader.gradebook.store import PackedGrade
from grader.gradebook.task import Task, grade_task
from grader.intake import Found
from grader.pipeline import Grader, Options, open_grader
from grader.sharing import Shared

LOCK = threading.Lock()
GRADERS: dict[str, Grader] = {}  # of this process, by how they grade


class TooLarge(Exception):
    """A submission that is not sent."""


def pack(found: Found, seed: int, most: int) -> dict[str, Any]:
    """A submission as it travels: files by name, and how they lie.

    Raises:
        TooLarge: there is more than ``most`` bytes.
    """
    files = files_of(found)
    size = sum(path.stat().st_size for path in files.values())
    if size > most:
        raise TooLarge(f"{size >> 20} MiB are too much to send; grade it on this machine, without --scheduler")
    return {
        "key": found.key,
        "seed": seed,
        "path": str(found.path),
        "name": found.path.resolve().name,
        "folder": found.path.is_dir(),
        "loose": bool(found.files),
        "refused": found.refused,
        "files": {name: path.read_bytes() for name, path in files.items()},
    }


def grade(how: dict[str, Any], job: dict[str, Any]) -> PackedGrade:
    """Grade one submission on a worker.

    Args:
        how: options, rubric, given files, criteria, and the version of the code that asks.
        job: as packed.
    """
    _same_version(how["version"])
    grader = _grader(json.dumps(how))
    with tempfile.TemporaryDirectory(prefix="vit-grade-") as folder:
        found = _unpack(job, Path(folder))
        packed = grade_task(grader, Task(0, found, job["seed"]), how["only"])
    reason = packed.grade.reason.replace(str(found.path), job["path"])
    submission = {**packed.grade.submission, "path": job["path"]}
    return dataclasses.replace(packed, grade=dataclasses.replace(packed.grade, submission=submission, reason=reason))


def _same_version(theirs: tuple[str, str, str]) -> None:
    ours = (digests.asking(), digests.checks(), digests.environment())
    if tuple(theirs) != ours:
        what = ours[2] if theirs[2] != ours[2] else "other code of the grader"
        raise GraderError(f"{platform.node()}: this Dask worker has {what}; install the same there as here")


def _unpack(job: dict[str, Any], folder: Path) -> Found:
    """Write the files as they lie at home; loose ones under numbers, since two may differ in their case alone."""
    if job["loose"]:
        files = {name: folder / f"{number}-file" for number, name in enumerate(job["files"])}
        path = next(iter(files.values()))
    else:
        path = folder / job["name"]
        files = {name: (path if job["folder"] else folder) / name for name in job["files"]}
        (path if job["folder"] else folder).mkdir(exist_ok=True)
    for name, target in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(job["files"][name])
    return Found(job["key"], path, files=files if job["loose"] else {}, refused=job["refused"])


def _grader(how: str) -> Grader:
    """The grader of this process, its workers warm; another one only where it grades in another way."""
    with LOCK:
        if how not in GRADERS:
            GRADERS[how] = _opened(json.loads(how))
        return GRADERS[how]


def _opened(how: dict[str, Any]) -> Grader:
    with tempfile.TemporaryDirectory(prefix="vit-grade-") as folder:
        rubric = Path(folder) / "rubric.toml"
        rubric.write_text(how["rubric"], encoding="utf-8")
        data = Path(how["data"]) if how["data"] is not None else None
        given = GivenFiles(how["given"], replaced=True)
        assignment = finding.find(how["assignment"])
        grader = open_grader(Options(data=data, rubric=rubric, given=given, assignment=assignment, **how["options"]))
    grader.rubric = grader.rubric.narrowed(how["only"])
    grader.shared = Shared()
    atexit.register(grader.close)
    return grader
