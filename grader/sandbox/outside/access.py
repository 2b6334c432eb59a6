"""Who may read what: the libraries that workers see, the project that they must not, a submission's files."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import grader
from grader.errors import GraderError


def libraries() -> tuple[str, ...]:
    """The interpreter and its libraries, outermost folders only, without the project's own folder.

    What is reached through symbolic links is listed under every name on the way, the real one included.
    """
    system = (
        "/usr", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives",
        "/sys/devices/system/cpu", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
    )  # fmt: skip
    wanted = [*system, sys.prefix, sys.base_prefix, *package_folders()]
    names = [name for path in map(os.path.abspath, wanted) if os.path.exists(path) for name in _names(path)]
    return tuple(path for path in dict.fromkeys(names) if not any(path.startswith(other + "/") for other in names))


def package_folders() -> list[str]:
    """The folders of installed packages on the grader's own path, an account's own among them."""
    return [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]


def _names(path: str) -> Iterator[str]:
    """A path, and the paths that it stands for as its links are followed one by one."""
    yield path
    for part in (*reversed(Path(path).parents), Path(path)):
        if part.is_symlink():
            target = os.path.normpath(part.parent / part.readlink())
            yield from _names(os.path.join(target, Path(path).relative_to(part)).removesuffix("/."))
            return


def project() -> tuple[str, ...]:
    """The project's own folders, which may lie among the libraries."""
    package = Path(grader.__file__).resolve().parent
    beside = ("reference", "student", "tests", "bench")
    return (str(package), *(str(package.parent / name) for name in beside if (package.parent / name).is_dir()))


def user(slot: int) -> int:
    """A user id that nothing else has: one per worker of this grader."""
    first_user = 1_000_000_000  # far above any account's number
    users_per_grader = 64
    number = first_user + os.getpid() % 1_000_000 * users_per_grader + slot % users_per_grader
    first, last = _mapped_users()
    return number if number <= last else max(first, last - users_per_grader - slot)


def _mapped_users() -> tuple[int, int]:
    """The user ids that exist here: all of them, or those of a container's range."""
    try:
        first, _, count = map(int, Path("/proc/self/uid_map").read_text().split()[:3])
    except (OSError, ValueError):
        return 0, (1 << 32) - 2
    return first, first + count - 2


def let_in(folder: str, parents: bool) -> None:
    """Make a frozen submission readable for a worker's own user.

    Args:
        folder: the copy that intake made.
        parents: whether the folders above it count too, where the worker has no root of its own.

    Raises:
        GraderError: something there is not ours to open.
    """
    try:
        for path in (*_tree(folder), *(_parents(folder) if parents else ())):
            mode = os.lstat(path).st_mode
            wanted = mode | (0o055 if os.path.isdir(path) else 0o044)
            if mode != wanted and not os.path.islink(path):
                os.chmod(path, wanted)
    except OSError as error:
        raise GraderError(f"{folder}: a worker cannot be given access: {error}") from None


def _tree(folder: str) -> Iterator[str]:
    yield folder
    for place, folders, files in os.walk(folder):
        yield from (os.path.join(place, name) for name in (*folders, *files))


def _parents(folder: str) -> Iterator[str]:
    temporary = Path(tempfile.gettempdir()).resolve()
    for parent in Path(folder).resolve().parents:
        if temporary in parent.parents:
            yield str(parent)
        elif not os.stat(parent).st_mode & 0o001:
            raise GraderError(f"{parent}: closed to a worker's own user, who needs to pass to {folder}")
