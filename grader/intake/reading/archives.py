"""Zip and tar archives as lists of checked members; nothing is written here.

``tarfile.data_filter`` is missing from some Python 3.11 that are still in use (Debian's 3.11.2), and
``zipfile`` looks neither for overlaps nor for ratios, so each promise is checked by our own lines.
"""

import bz2
import calendar
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from .limits import MB, IntakeLimits
from .listing import Listing
from .members import Member, slashed
from .other_kinds import start_of, told_kind
from .refusal import RefusalError

# What the standard library raises over a damaged archive.
BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
    NotImplementedError, RuntimeError, OverflowError, IndexError, KeyError, AttributeError,
)  # fmt: skip


@contextmanager
def broken_is_refused() -> Iterator[None]:
    """Turn what the standard library raises over a damaged archive into one refusal."""
    try:
        yield
    except BROKEN as error:
        raise RefusalError(f"is no readable archive ({error or type(error).__name__})") from None


def archive_members(path: Path, limits: IntakeLimits) -> list[Member]:
    """List the files of an archive after checking every member; what lies in ignored folders is left out before.

    Raises:
        RefusalError: it is no archive, or some member is not safe to unpack.
    """
    return listed(path, Listing(limits)).checked(path.stat().st_size)


def class_members(path: Path, limits: IntakeLimits) -> tuple[list[Member], dict[str, str]]:
    """List the files in the archive of a class, and say which are refused and why: they are their owner's alone."""
    listing = listed(path, Listing(limits, of_class=True))
    return listing.checked_by_owner(path.stat().st_size), listing.refused


def listed(path: Path, listing: Listing) -> Listing:
    limits = listing.limits
    packed = path.stat().st_size
    if packed == 0:
        raise RefusalError("is an empty file")
    if not is_zip(path) and (told := told_kind(path.name, start_of(path))):
        raise RefusalError(told)
    if packed > limits.packed:
        raise RefusalError(f"is larger than {limits.packed // MB} MB")
    with broken_is_refused():
        read = zip_members if is_zip(path) else tar_members
        read(path, listing)
    return listing


def times_of(path: Path) -> dict[str, float]:
    """When the members of an archive were written, by name, in seconds since 1970; none where it cannot be read.

    A member whose time is not given, or no time at all, is left out.
    """
    latest = 1 << 33  # of a time: file systems refuse what is far beyond
    try:
        times = dict(zip_times(path) if is_zip(path) else tar_times(path))
    except BROKEN:
        return {}
    return {name: at for name, at in times.items() if 0 <= at < latest}  # and none that is NaN


def is_zip(path: Path) -> bool:
    """Whether an archive is a zip, and no tar whose last member is one, as every checkpoint of torch is."""
    return zipfile.is_zipfile(path) and not tarfile.is_tarfile(path)


def zip_times(path: Path) -> Iterator[tuple[str, float]]:
    """Yield what a clock showed, read as if in UTC on every machine: a zip does not say in which zone it was."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with suppress(ValueError):  # no date is the month 0
                yield slashed(member.filename), calendar.timegm((*member.date_time, 0, 0, 0))


def tar_times(path: Path) -> Iterator[tuple[str, float]]:
    """Yield the instants of a tar's members."""
    with tarfile.open(path) as archive:
        yield from ((member.name.removeprefix("./"), member.mtime) for member in archive)


def zip_members(path: Path, listing: Listing) -> None:
    check_directory(path, listing.limits)
    archive = zipfile.ZipFile(path)
    kept = [info for info in archive.infolist() if listing.looks_at(info.orig_filename)]
    check_overlaps(kept, path.stat().st_size)
    for info in kept:
        listing.add(info.orig_filename, lambda name, info=info: zip_member(name, info, archive))  # type: ignore[misc]


def zip_member(name: str, info: zipfile.ZipInfo, archive: zipfile.ZipFile) -> Member | None:
    """Return a checked member, None for a folder."""
    is_folder = info.orig_filename.endswith(("/", "\\"))
    check_zip_member(info, is_folder)
    opened = lambda: archive.open(info)  # noqa: E731
    return None if is_folder else Member(name, info.file_size, opened, info.compress_size)


def check_directory(path: Path, limits: IntakeLimits) -> None:
    """Refuse a table of contents too long to be read before ``zipfile`` reads it whole."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 22 - 65_535))
        tail = file.read()
    end = tail.rfind(b"PK\5\6")
    length = int.from_bytes(tail[end + 12 : end + 16], "little")
    if length > limits.entries * 1500 and length != 0xFFFFFFFF:
        raise RefusalError(f"has more than {limits.entries} members")


def check_zip_member(info: zipfile.ZipInfo, is_folder: bool) -> None:
    if info.flag_bits & 0x1:
        raise RefusalError(f"member {info.filename!r} is encrypted")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise RefusalError(f"member {info.filename!r} is a link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RefusalError(f"member {info.filename!r} is a device, a pipe or a socket")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        raise RefusalError(f"member {info.filename!r} is packed by an unknown method")
    if is_folder and info.file_size:
        raise RefusalError(f"member {info.filename!r} is a folder with content")
    if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
        raise RefusalError(f"member {info.filename!r} lies about its size")


def check_overlaps(infos: list[zipfile.ZipInfo], length: int) -> None:
    """Refuse members that share packed bytes: a few kilobytes would unpack to terabytes."""
    end, previous = 0, ""
    local_header = 30  # bytes before the name of each zip member
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < 0:
            raise RefusalError(f"member {info.filename!r} begins before the archive")
        if info.header_offset < end:
            raise RefusalError(f"members {previous!r} and {info.filename!r} overlap")
        end = info.header_offset + local_header + info.compress_size
        previous = info.filename
    if end > length:
        raise RefusalError(f"member {previous!r} ends behind the archive")


class Bounded:
    """A stream that refuses to be read or skipped beyond a limit: a bomb stops early."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self.stream, self.limit = stream, limit

    def _check(self, position: int) -> None:
        if position > self.limit:
            raise RefusalError(f"unpacks to more than {self.limit // MB} MB")

    def read(self, size: int = -1) -> bytes:
        self._check(self.tell() + max(size, 0))
        return self.stream.read(self.limit + 1 if size < 0 else size)

    def seek(self, position: int, whence: int = 0) -> int:
        self._check(position)
        return self.stream.seek(position, whence)

    def tell(self) -> int:
        return self.stream.tell()


def tar_stream(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        head = file.read(6)
    openers = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ", lzma.open))
    for magic, opener in openers:
        if head.startswith(magic):
            return cast(IO[bytes], opener(path))
    return path.open("rb")


def tar_members(path: Path, listing: Listing) -> None:
    limits = listing.limits
    headers = 2048 * limits.entries + 64 * 1024
    streamed = 4  # times the size allowed: what a tar may hold, ignored folders included, which are gone through
    stream = cast(IO[bytes], Bounded(tar_stream(path), streamed * limits.unpacked + headers))
    archive = tarfile.open(fileobj=stream, mode="r:")  # noqa: SIM115 - members are read later
    for info in archive:
        is_top = info.isdir() and not info.name.strip("./")
        if not is_top and listing.looks_at(info.name):
            listing.add(info.name, lambda name, info=info: tar_member(name, info, archive))  # type: ignore[misc]


def tar_member(name: str, info: tarfile.TarInfo, archive: tarfile.TarFile) -> Member | None:
    """Return a checked member, None for a folder."""
    check_tar_member(info)
    opened = lambda: cast(IO[bytes], archive.extractfile(info))  # noqa: E731
    return None if info.isdir() else Member(name, info.size, opened)


def check_tar_member(info: tarfile.TarInfo) -> None:
    if info.issym() or info.islnk():
        raise RefusalError(f"member {info.name!r} is a link")
    if info.issparse() or info.size < 0:
        raise RefusalError(f"member {info.name!r} lies about its size")
    if not (info.isreg() or info.isdir()):
        raise RefusalError(f"member {info.name!r} is a device, a pipe or of an unknown kind")
