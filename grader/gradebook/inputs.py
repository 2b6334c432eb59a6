"""Whose submissions lie at the given paths: several folders, archives of whole classes, single files."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePosixPath

from grader.errors import GraderError, Rejected
from grader.gradebook.digests import BLOCK_BYTES, files_of
from grader.intake import Found, find_submissions
from grader.intake.classes import found_in_unpacked
from grader.intake.opening import key_of
from grader.intake.reading.archives import times_of
from grader.intake.reading.members import is_archive
from grader.reports.text import printable

UNPACKED = "unpacked"  # in the output folder: the archives of whole classes


def find(paths: Sequence[Path], out: Path) -> list[Found]:
    """List what is to be graded.

    A student of one name and one id in two places handed in twice; of one name alone there are two students.

    Args:
        paths: as given on the command line.
        out: where archives of whole classes are unpacked, once.

    Raises:
        GraderError: there is nothing at a path.
    """
    found: list[Found] = []
    ids: dict[str, str | None] = {}
    for path in paths:
        for each in _at(path, out):
            if any(each.path == other.path and each.files == other.files for other in found):
                continue
            if each.key in ids and (each.id is None or ids[each.key] != each.id):
                each = replace(each, key=_other_key(path, each.key, ids))
            ids[each.key] = each.id
            found.append(each)
    return found


def _other_key(path: Path, key: str, taken: dict[str, str | None]) -> str:
    above = path.resolve() if path.is_dir() else path.resolve().parent
    names = [f"{above.name}/{key}", *(f"{key} ({number})" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _at(path: Path, out: Path) -> list[Found]:
    if not path.is_file() or not is_archive(path.name):
        return find_submissions(path)
    final = out / UNPACKED / f"{path.name}-{_digest(path)}"
    if final.is_dir():
        _restore_times(path, final)  # whoever copied the folder may have left them behind
        return found_in_unpacked(final)
    fresh = final.with_name(f".{final.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        found = find_submissions(path, fresh)
        if not any(each.path.is_relative_to(fresh) for each in found):
            return found  # one submission, opened as it is
        _restore_times(path, fresh)
        fresh.replace(final)
        return found_in_unpacked(final)
    except Rejected:  # an archive that cannot be read: grading it says why
        return [Found(key_of(path), path)]
    except OSError as error:
        raise GraderError(f"{final}: {path} could not be unpacked there: {error}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()[:16]


def _restore_times(archive: Path, folder: Path) -> None:
    """Give unpacked files the times of the archive, for which a late policy may ask; one that is not known is 0."""
    times = {PurePosixPath(name).as_posix(): at for name, at in times_of(archive).items()}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            at = times.get(path.relative_to(folder).as_posix(), 0.0)
            os.utime(path, (at, at))


def documents_beside(found: list[Found]) -> list[str]:
    """A line on documents and links to nothing among a class's submissions: somebody may have meant to hand one in."""
    documents = (".docx", ".doc", ".odt", ".rtf", ".pages", ".pdf", ".html", ".htm", ".py")
    taken = {file for each in found for file in (each.path, *each.files.values())}
    folders = sorted({each.path.parent for each in found}) if len(found) > 1 else []
    beside = [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir()) if file not in taken]
    named = [
        f"{printable(file.name, 60)}{'' if file.exists() else ' (a link to nothing)'}"
        for file in beside
        if not file.exists() or (file.suffix.lower() in documents and file.is_file())
    ]
    if not named:
        return []
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    return [f"Not graded, for it is no notebook, folder or archive: {', '.join(named[:5])}{more}"]


def archive_of(path: Path) -> str:
    """Return the name of the class's archive that a submission was unpacked from, "" where there is none."""
    parts = path.parts
    inside = [after for before, after in pairwise(parts) if before == UNPACKED]
    return inside[-1].rpartition("-")[0] if inside else ""


def has_zone(path: Path) -> bool:
    """Tell whether a submission's time is that of an instant, as a file's is: in the zip of a class it is not."""
    return not archive_of(path).lower().endswith(".zip")


def handed_in(found: Found) -> float | None:
    """When the newest file was written, in seconds since 1970; None where that is not known of any."""
    return max((path.stat().st_mtime for path in files_of(found).values()), default=0.0) or None
