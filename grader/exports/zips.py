"""Zips of what goes to students: the same content makes the same bytes, and none is larger than a platform takes."""

import contextlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import patterns
from grader.errors import writing

END_RECORD_BYTES = 22  # that end a zip


@dataclass(frozen=True)
class Parcel:
    """What one student gets.

    Attributes:
        key: the student's.
        files: content by name in the zip; they stay together in one zip.
    """

    key: str
    files: Mapping[str, bytes]

    @property
    def size(self) -> int:
        """Bytes in a zip."""
        bytes_of_entry = 30 + 46  # bytes that a zip spends on a file, beside its name, twice, and its content
        return sum(bytes_of_entry + 2 * len(name.encode()) + _deflated(content) for name, content in self.files.items())


def _deflated(content: bytes) -> int:
    compressor = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
    return len(compressor.compress(content)) + len(compressor.flush())


def write(target: Path, parcels: Iterable[Parcel], most: float) -> tuple[list[Path], list[Parcel]]:
    """Write parcels into one zip, or into several, target-1.zip and so on, where they do not fit.

    Args:
        most: bytes of a zip.

    Returns:
        the zips, and the parcels that are too large for any. Nothing is written where there is no parcel.

    Raises:
        GraderError: nothing can be written there.
    """
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        parts, too_large = _written(target, parcels, most)
        names = [target.with_name(f"{target.stem}-{number}{target.suffix}") for number in range(1, len(parts) + 1)]
        names = [target] if len(parts) == 1 else names
        stale = [path for path in existing(target) if parts and path not in names]
        for part, name in zip(parts, names, strict=True):
            part.replace(name)
        for path in stale:  # of an earlier export that was divided otherwise
            path.unlink()
    return names, too_large


def _written(target: Path, parcels: Iterable[Parcel], most: float) -> tuple[list[Path], list[Parcel]]:
    """The zips under names that nobody reads yet."""
    parts: list[Path] = []
    too_large: list[Parcel] = []
    free = 0.0
    with contextlib.ExitStack() as undone, contextlib.ExitStack() as archives:
        undone.callback(_remove, parts)
        for parcel in parcels:
            size = parcel.size
            if size + END_RECORD_BYTES > most:
                too_large.append(parcel)
                continue
            if size > free:
                archives.close()
                parts.append(target.with_name(f".{target.name}.{os.getpid()}.{len(parts)}"))
                archive = archives.enter_context(zipfile.ZipFile(parts[-1], "w"))
                free = most - END_RECORD_BYTES
            for name, content in parcel.files.items():
                archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
            free -= size
        archives.close()
        undone.pop_all()
    return parts, too_large


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def existing(target: Path) -> list[Path]:
    """The zips of an earlier export to the same place."""
    numbered = patterns.compile(rf"{patterns.escape(target.stem)}-[1-9][0-9]*{patterns.escape(target.suffix)}")
    beside = sorted(target.parent.iterdir()) if target.parent.is_dir() else []
    return [path for path in beside if path == target or numbered.fullmatch(path.name)]


class EarlierZips:
    """What an earlier export packed: a page of the same grade need not be made again."""

    def __init__(self, target: Path) -> None:
        self.archives: dict[str, zipfile.ZipFile] = {}  # by the name of a file
        self.opened: list[zipfile.ZipFile] = []
        for path in existing(target):
            with contextlib.suppress(OSError, zipfile.BadZipFile):
                archive = zipfile.ZipFile(path)
                self.opened.append(archive)
                self.archives |= dict.fromkeys(archive.namelist(), archive)

    def read(self, name: str) -> bytes:
        """The content of a file; empty where there is none that can be read."""
        try:
            return self.archives[name].read(name)
        except (KeyError, OSError, zipfile.BadZipFile, zlib.error, EOFError):
            return b""

    def __enter__(self) -> "EarlierZips":
        return self

    def __exit__(self, *_: object) -> None:
        for archive in self.opened:
            archive.close()

    def __iter__(self) -> Iterator[str]:
        return iter(self.archives)
