"""The files of a submission before they are copied: names made safe, sizes known."""

import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from .limits import IntakeLimits
from .refusal import RefusalError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
OTHER_ARCHIVES = (".rar", ".7z", ".zipx", ".gz")  # which nothing here opens
ANOTHER_KIND = "is an archive of another kind; expected .zip, .tar or .tar.gz"

MAX_NAME_BYTES = 255  # of a file or folder, on every usual file system


@dataclass(frozen=True)
class Member:
    """One regular file of what was handed in."""

    name: str  # relative, with forward slashes, checked
    size: int  # as declared; the copy stops when there is more
    open: Callable[[], IO[bytes]]
    packed: int | None = None  # bytes that it takes in a zip


def safe_name(raw: str, limits: IntakeLimits) -> str:
    """Return a member's name without ``.`` parts and doubled slashes, backslashes as slashes.

    Raises:
        RefusalError: the name leaves the archive or could mean another file elsewhere.
    """
    if not raw or any(unicodedata.category(char) in ("Cc", "Cs") for char in raw):
        raise RefusalError(f"member {raw!r} has no printable name")
    name = slashed(raw)
    if name.startswith("/") or (name[0].isalpha() and name[1:2] == ":"):
        raise RefusalError(f"member {raw!r} has an absolute path")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise RefusalError(f"member {raw!r} leaves the archive")
    if len(parts) > limits.depth or any(len(part.encode()) > MAX_NAME_BYTES for part in parts) or len(raw) > 1000:
        raise RefusalError(f"member {raw[:80]!r} has a name too long or more than {limits.depth} folders deep")
    return "/".join(parts)


def slashed(name: str) -> str:
    """Return a name with forward slashes: some tools of Windows write backslashes into a zip."""
    return name.replace("\\", "/")


def check_clashes(files: Iterable[str], folders: Iterable[str]) -> None:
    """Refuse names that would be one file on some system, and a file where a folder must be."""
    seen: dict[str, str] = {}
    for name in files:
        key = folded(name)
        if key in seen:
            raise RefusalError(f"members {seen[key]!r} and {name!r} would be the same file")
        seen[key] = name
    inner = {folded(str(parent)) for name in files for parent in PurePosixPath(name).parents}
    for key in sorted((inner | {folded(name) for name in folders}) & seen.keys()):
        raise RefusalError(f"member {seen[key]!r} is a file and a folder at once")


def without_clashes(members: list[Member]) -> list[Member]:
    """Leave out files that grading does not need and that clash with another: ``readme.md`` beside ``README.md``.

    Raises:
        RefusalError: two files that grading needs clash.
    """
    needed = [member.name for member in members if is_needed(member.name)]
    check_clashes(needed, [])
    taken = {folded(name) for name in needed}
    folders = {folded(str(parent)) for name in needed for parent in PurePosixPath(name).parents}
    kept = []
    for member in members:
        key, parents = folded(member.name), {folded(str(parent)) for parent in PurePosixPath(member.name).parents}
        if is_needed(member.name) or not (key in taken | folders or parents & taken):
            kept.append(member)
            taken.add(key)
            folders |= parents
    return kept


def folded(name: str) -> str:
    """Return what a system that ignores case and Unicode forms takes the name for."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def is_ignored(name: str) -> bool:
    """Tell left-overs of systems and tools: ``__MACOSX``, ``.git``, ``.ipynb_checkpoints``, ``._x``.

    A name that climbs with ``..`` never passes for one.
    """
    parts = [part for part in slashed(name).split("/") if part != "."]
    if ".." in parts or not parts:
        return False
    ignored_folders = {"__MACOSX", "__pycache__", "node_modules", "site-packages", "venv"}
    hidden = any(part.startswith(".") or part in ignored_folders for part in parts)
    ignored_files = {"thumbs.db", "desktop.ini", "icon\r"}  # macOS names the picture of a folder "Icon\r"
    return hidden or parts[-1].lower() in ignored_files


def is_archive(name: str) -> bool:
    return name.lower().endswith(ARCHIVES)


def is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def may_be_notebook(name: str) -> bool:
    """Tell the names that browsers give a notebook that they take for text: its content decides."""
    return name.lower().endswith((".txt", ".json"))


def holds_notebook_text(start: bytes) -> bool:
    """Tell the text of a notebook by its JSON's keys."""
    is_object = start.lstrip(b" \t\r\n\xef\xbb\xbf").startswith(b"{")
    return is_object and b'"nbformat"' in start and (b'"cells"' in start or b'"worksheets"' in start)


def is_code(name: str) -> bool:
    return name.lower().endswith((".ipynb", ".py"))


def original_name(name: str) -> str:
    """Return the name that a file had before a browser or a system made a copy: ``weights (1).pt``."""
    stem, _, suffix = name.lower().rpartition(".")
    before = ""
    while before != stem:
        before = stem = stem.strip().removeprefix("copy of ").removesuffix(" - copy").removesuffix(" copy")
        number = len(stem.rstrip("0123456789"))
        if stem.endswith(")") and (opened := stem.rfind("(")) > 0 and stem[opened + 1 : -1].isdigit():
            stem = stem[:opened].rstrip()
        elif len(stem) - 2 <= number < len(stem) and stem[:number].endswith(("-copy", " copy", "-", " ")):
            stem = stem[:number].removesuffix("-").removesuffix("-copy").rstrip()
    return f"{stem}.{suffix}"


def is_needed(name: str) -> bool:
    """Tell notebooks, modules and checkpoints."""
    return name.lower().endswith((".ipynb", ".py", ".pt", ".pth"))


def is_kept(member: Member, limits: IntakeLimits) -> bool:
    """Tell what grading needs: notebooks, modules, checkpoints and small text."""
    name = member.name.lower()
    most = limits.notebook if ".ipynb" in name and may_be_notebook(name) else limits.text
    texts = (".txt", ".md", ".json", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".csv", ".log")
    return is_needed(name) or (name.endswith(texts) and member.size <= most)


def without_common_folder(members: list[Member]) -> list[Member]:
    """Strip the folders that all members share, so that zipped with or without a folder is one.

    A package stays one: where its modules import each other by ``from .model import Net``, they need its name.
    """
    while members and len({member.name.split("/")[0] for member in members}) == 1:
        if any("/" not in member.name for member in members) or is_package(members):
            break
        members = [Member(m.name.split("/", 1)[1], m.size, m.open) for m in members]
    return members


def is_package(members: list[Member]) -> bool:
    """Whether the folder that all members share holds a package whose modules import each other relatively."""
    modules = [member for member in members if member.name.count("/") == 1 and member.name.endswith(".py")]
    return any(member.name.endswith("/__init__.py") for member in modules) and any(map(imports_relatively, modules))


def imports_relatively(module: Member) -> bool:
    max_read = 1_000_000  # bytes of a module
    with module.open() as file:
        lines = (line.split(maxsplit=2) for line in file.read(max_read).splitlines())
        return any(len(words) > 1 and words[0] == b"from" and words[1].startswith(b".") for words in lines)


def without_code(names: Collection[str]) -> str:
    """Why files are no submission among which is no notebook and no .py file."""
    if names and all(name.lower().endswith(OTHER_ARCHIVES) for name in names):
        return ANOTHER_KIND
    named = [repr(name if len(name) <= 60 else f"{name[:60]}…") for name in sorted(names) if not is_ignored(name)]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    held = f"; it holds {', '.join(named[:3])}{more}" if named else ""
    return f"holds no notebook and no .py file{held}"
