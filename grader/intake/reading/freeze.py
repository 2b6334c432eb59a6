"""Copy what grading needs into the workspace, byte by byte, and compute the digest."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from .folders import flags, folder_members, loose_member, neighbours
from .limits import MB, IntakeLimits
from .members import (
    ANOTHER_KIND,
    ARCHIVES,
    OTHER_ARCHIVES,
    Member,
    holds_notebook_text,
    is_archive,
    is_code,
    is_ignored,
    is_kept,
    is_notebook,
    may_be_notebook,
    without_clashes,
    without_code,
    without_common_folder,
)
from .other_kinds import start_of, told_kind
from .refusal import RefusalError


def archive_members(path: Path, limits: IntakeLimits) -> list[Member]:
    from .archives import archive_members  # noqa: PLC0415  zipfile and tarfile take 20 ms to import

    return archive_members(path, limits)


def class_members(path: Path, limits: IntakeLimits) -> tuple[list[Member], dict[str, str]]:
    from .archives import class_members  # noqa: PLC0415  as above

    return class_members(path, limits)


def members_of(path: Path, limits: IntakeLimits) -> tuple[list[Member], list[str]]:
    """List the files that belong to what was handed in, and what was passed over."""
    if path.is_dir():
        return folder_members(path, limits)
    if is_archive(path.name):
        return archive_members(path, limits), []
    if path.suffix.lower() in OTHER_ARCHIVES:
        raise RefusalError(ANOTHER_KIND)
    if path.suffix.lower() not in (".ipynb", ".py") and not is_notebook_text(loose_member(path.name, path, limits)):
        expected = "is not a submission; expected a notebook, a folder, a .zip or a .tar.gz"
        raise RefusalError(told_kind(path.name, start_of(path)) or expected)
    if path.stat().st_size == 0:
        raise RefusalError("is an empty file; expected a notebook")
    return neighbours(path, limits), []


def freeze(path: Path, root: Path, files: dict[str, Path], limits: IntakeLimits) -> tuple[dict[str, str], list[str]]:
    """Copy a submission into ``root``.

    Args:
        path: what was handed in.
        root: an empty folder.
        files: original name -> file, where a submission is some of many files in one folder.
        limits: sizes and counts.

    Returns:
        the SHA-256 of each file by name, and what was passed over, in words.

    Raises:
        RefusalError: it is no submission, or not a safe one.
    """
    if files:
        members, problems = loose_members(files, limits)
    else:
        members, problems = members_of(path, limits)
    wanted = select(members, limits)
    level = 1 if is_archive(path.name) else 0  # how many archives lie around what is looked at
    while inner := only_archive(members, wanted):
        level += 1
        if level > limits.nested:
            raise RefusalError(f"has archives inside archives, more than {limits.nested - 1} deep")
        members = inner_members(inner, root, limits)
        wanted = unique(select(members, limits) + wanted)
    check_content(wanted, [member.name for member in members if not is_ignored(member.name)], limits, problems)
    if files or level > 1:
        wanted = without_clashes(wanted)
    return {member.name: write(member, root) for member in wanted}, problems


def loose_members(files: dict[str, Path], limits: IntakeLimits) -> tuple[list[Member], list[str]]:
    """List loose files under their original names; archives among them give their members."""
    members: list[Member] = []
    for name, path in sorted(files.items()):
        if is_archive(name):
            members += without_common_folder(archive_members(path, limits))
        else:
            members.insert(0, loose_member(name, path, limits))
    return unique(members), []


def unique(members: list[Member]) -> list[Member]:
    return list({member.name: member for member in reversed(members)}.values())[::-1]


def select(members: list[Member], limits: IntakeLimits) -> list[Member]:
    visible = [member for member in members if not is_ignored(member.name)]
    return [member for member in without_common_folder(visible) if is_kept(member, limits)]


def only_archive(members: list[Member], wanted: list[Member]) -> Member | None:
    """Return the one archive that holds the submission when there is no code beside it."""
    inner = [member for member in members if is_archive(member.name) and not is_ignored(member.name)]
    has_code = any(is_code(member.name) for member in wanted)
    return inner[0] if len(inner) == 1 and not has_code else None


def inner_members(member: Member, root: Path, limits: IntakeLimits) -> list[Member]:
    """List the members of an archive inside an archive or a folder."""
    packed = root / ".inner"  # of which kind it is, its bytes say
    try:
        copy(member, packed)
        return archive_members(packed, limits)
    finally:
        packed.unlink(missing_ok=True)  # its members are read through the handle that is open


def check_content(members: list[Member], names: list[str], limits: IntakeLimits, problems: list[str]) -> None:
    """See that files hold code and no more than the limits allow.

    Args:
        members: what is graded.
        names: those of all that was handed in.
        limits: sizes and counts.
        problems: what was left out before, and why, in words.

    Raises:
        RefusalError: they do not.
    """
    code = [member for member in members if is_code(member.name)]
    if not code and not any(is_notebook_text(member) for member in members):
        raise RefusalError("; ".join([without_code(names), *problems[:1]]))
    if len(members) > limits.members:
        raise RefusalError(f"has more than {limits.members} files")
    if sum(member.size for member in members) > limits.unpacked:
        raise RefusalError(f"holds more than {limits.unpacked // MB} MB")
    for member in code:
        limit = limits.notebook if is_notebook(member.name) else limits.module
        if member.size > limit:
            raise RefusalError(f"file {member.name!r} is larger than {limit // MB} MB")


def is_notebook_text(member: Member) -> bool:
    """Tell a notebook that a browser saved as text."""
    if not may_be_notebook(member.name):
        return False
    with member.open() as file:
        return holds_notebook_text(file.read(member.size))


def write(member: Member, root: Path) -> str:
    target = root / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    return copy(member, target)


def copy(member: Member, target: Path) -> str:
    """Copy one member to a new file, read-only, and return its SHA-256."""
    digest = hashlib.sha256()
    handle = os.open(target, flags("O_WRONLY", "O_CREAT", "O_EXCL", "O_NOFOLLOW"), 0o444)
    with os.fdopen(handle, "wb") as sink:
        for chunk in chunks(member):
            digest.update(chunk)
            sink.write(chunk)
    return digest.hexdigest()


def chunks(member: Member) -> Iterator[bytes]:
    """Yield a member's bytes, as many as it declares.

    Raises:
        RefusalError: there are more or fewer, or reading fails, as damaged archives do in many ways.
    """
    left = member.size
    try:
        with member.open() as source:
            while chunk := source.read(1 << 20):
                left -= len(chunk)
                if left < 0:
                    break
                yield chunk
    except (RefusalError, MemoryError):
        raise
    except Exception as error:
        raise RefusalError(f"member {member.name!r} cannot be read ({error or type(error).__name__})") from None
    if left:
        raise RefusalError(f"member {member.name!r} is {'longer' if left < 0 else 'shorter'} than it says")


def digest_of(digests: dict[str, str]) -> str:
    """Return one digest over names and bytes: SHA-256 of what ``sha256sum`` prints, sorted by name."""
    lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def clear(root: Path) -> None:
    """Remove what was written for a submission that was refused."""
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def unpack(path: Path, root: Path, limits: IntakeLimits) -> dict[str, str]:
    """Copy everything that may belong to a submission out of the archive of a whole class.

    Returns:
        the members that were refused, and why.
    """
    members, refused = class_members(path, limits)
    for member in members:
        (root / member.name).parent.mkdir(parents=True, exist_ok=True)  # also of who handed in no code
    for member in members:
        if is_kept(member, limits) or member.name.lower().endswith((*ARCHIVES, *OTHER_ARCHIVES)):
            try:
                write(member, root)
            except RefusalError as error:
                (root / member.name).unlink(missing_ok=True)
                refused[member.name] = str(error)
    return refused
