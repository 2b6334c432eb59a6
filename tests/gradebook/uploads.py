"""What Moodle and Canvas do with an uploaded zip of feedback, written from the description of the formats alone."""

import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

Received = dict[int, dict[str, bytes]]  # by participant or user, the files that they find


def moodle(zips: Iterable[Path], participants: Mapping[int, str]) -> Received:
    """Upload to Moodle: a folder a student, called as in the bulk download; files in it are the student's.

    Args:
        participants: full names by participant number.
    """
    received: Received = {}
    for path in zips:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                folder, slash, file = name.partition("/")
                found = re.fullmatch(r"(.*)_(\d+)_assignsubmission_file_?", folder)
                assert slash and file and "/" not in file and found, name
                assert participants[int(found[2])] == found[1], name
                received.setdefault(int(found[2]), {})[file] = archive.read(name)
    return received


def canvas(zips: Iterable[Path], attachments: Mapping[int, int]) -> tuple[Received, list[str]]:
    """Upload to Canvas: the first two all-digit parts between underscores are the user's id and the attachment's.

    Args:
        attachments: by user id, the attachment id of the bulk download.

    Returns:
        what became a comment's attachment, and the names that Canvas ignores.
    """
    received: Received = {}
    ignored = []
    for path in zips:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                numbers = [int(part) for part in name.split("_") if re.fullmatch(r"[0-9]+", part)]
                if name.startswith("._") or len(numbers) < 2 or attachments.get(numbers[0]) != numbers[1]:
                    ignored.append(name)
                    continue
                received.setdefault(numbers[0], {})[name] = archive.read(name)
    return received, ignored
