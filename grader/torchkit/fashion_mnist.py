"""FashionMNIST: found, verified, decoded once and kept, so that later runs map it in milliseconds.

Sources, in this order: a given folder, ``$FASHION_MNIST_ROOT``, the user's cache, a download into that
cache. A folder is a torchvision root and may be read-only: ``<root>/FashionMNIST/raw`` with raw or .gz files.
"""

import contextlib
import gzip
import hashlib
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from grader.errors import GraderError

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
VARIABLE = "FASHION_MNIST_ROOT"
DATA_HINT = f"give a torchvision root with --data or ${VARIABLE}, or run once with a network to have it downloaded"

Progress = Callable[[str], None]  # told what is being done when it takes a while


@dataclass(frozen=True)
class DataFile:
    """One of the four files: its name, the MD5 of the .gz that torchvision publishes and of its content."""

    name: str
    packed: str
    content: str
    shape: tuple[int, ...]


PARTS = {
    name: DataFile(file, packed, content, shape)
    for name, file, shape, packed, content in (
        ("train_images", "train-images-idx3-ubyte", (60_000, 28, 28), "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
        ("train_labels", "train-labels-idx1-ubyte", (60_000,), "25c81989df183df01b3e8a0aad5dffbe", "9018921c3c673c538a1fc5bad174d6f9"),
        ("test_images", "t10k-images-idx3-ubyte", (10_000, 28, 28), "bef4ecab320f06d8554ea6380940ec79", "8181f5470baa50b63fa0f6fddb340f0a"),
        ("test_labels", "t10k-labels-idx1-ubyte", (10_000,), "bb300cfdad3c16e7a12a480ee83cd310", "15d484375f8d13e6eb1aabb0c3f46965"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class FashionMNIST:
    """The data set, read-only.

    Attributes:
        train_images: (60000, 28, 28) uint8.
        train_labels: (60000,) uint8.
        test_images: (10000, 28, 28) uint8.
        test_labels: (10000,) uint8.
        paths: the .npy file behind each of the four.
        raw: the folder that they were made from.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    paths: dict[str, str] = field(default_factory=dict)
    raw: str = ""

    @cached_property
    def easy_test_images(self) -> np.ndarray:
        """(10000,) bool: test images whose six nearest training images, of 6,000 at 7x7 pixels, all have their class.

        They are half of all, and hardly any model gets one of them wrong.
        """
        import faiss  # noqa: PLC0415  0.1 s, and not every grade needs it

        faiss.omp_set_num_threads(1)  # 0.2 s
        _, nearest = faiss.knn(_coarse(self.test_images), _coarse(self.train_images[:6_000]), 6)  # (10000, 6)
        easy: np.ndarray = (self.train_labels[nearest] == self.test_labels[:, None]).all(1)
        return easy

    def shared_paths(self) -> dict[str, str]:
        """The .npy files that workers map read-only."""
        shared = ("train_images", "train_labels", "test_images")  # what workers may see: never the test labels
        return {name: self.paths[name] for name in shared if name in self.paths}

    def hidden_folders(self) -> list[str]:
        """Where labels of the test images lie: no worker may read there, wherever that is."""
        return [os.path.realpath(folder) for folder in (self.raw, *map(os.path.dirname, self.paths.values())) if folder]


def _coarse(images: np.ndarray) -> np.ndarray:
    """(n, 49) mean grey levels of the cells of a 7x7 grid."""
    cells = np.asarray(images).reshape(-1, 7, 4, 7, 4).mean((2, 4), dtype=np.float32)
    return np.ascontiguousarray(cells.reshape(len(images), 49))


def load(data: Path | None = None, progress: Progress = lambda text: None) -> FashionMNIST:
    """Find the data set, verify it and map it.

    Args:
        data: a torchvision root; None looks further, as above.
        progress: told what is being done when it takes a while.

    Raises:
        GraderError: it is not there, not what torchvision publishes, or cannot be downloaded.
    """
    cache = _cache()
    raw = _source(data, cache, progress)
    paths = {name: _decoded(raw, part, cache) for name, part in PARTS.items()}
    return FashionMNIST(
        **{name: np.load(path, mmap_mode="r") for name, path in paths.items()}, paths=paths, raw=str(raw)
    )


def _cache() -> Path:
    """The user's cache, or a folder that lasts as long as this process where there can be none."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        cache = Path(base).expanduser() / "vit-grade"
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache):
            return cache
    except (OSError, RuntimeError):  # read-only, full, or no home at all
        _FLEETING.append(tempfile.TemporaryDirectory(prefix="vit-grade-data-"))
        return Path(_FLEETING[-1].name)


_FLEETING: list[tempfile.TemporaryDirectory[str]] = []


def _source(data: Path | None, cache: Path, progress: Progress) -> Path:
    """The folder that holds the four files."""
    given = data or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if given is not None:
        for folder in (given / "FashionMNIST" / "raw", given / "raw", given):
            if all(_file(folder, part) for part in PARTS.values()):
                return folder
        raise GraderError(
            f"{given}: expected FashionMNIST/raw with {_absent(given / 'FashionMNIST' / 'raw')}; {DATA_HINT}"
        )
    folder = cache / "FashionMNIST" / "raw"
    if not all(_file(folder, part) for part in PARTS.values()):
        _download(folder, progress)
    return folder


def _file(folder: Path, part: DataFile) -> Path | None:
    candidates = (folder / part.name, folder / f"{part.name}.gz")
    return next((path for path in candidates if path.is_file()), None)


def _absent(folder: Path) -> str:
    return ", ".join(f"{part.name}[.gz]" for part in PARTS.values() if not _file(folder, part))


def _decoded(raw: Path, part: DataFile, cache: Path) -> str:
    """The .npy file of one part, made on the first run; a torn or foreign one is made anew."""
    source = _file(raw, part)
    assert source is not None
    kept = cache / "decoded" / f"{part.content}.npy"
    seen = cache / "verified" / _stamp(source, part)
    if not (seen.exists() and _whole(kept, part)):
        values = _verified(source, part)
        if not _whole(kept, part):
            buffer = io.BytesIO()
            np.save(buffer, values)
            _put(kept, buffer.getvalue())
        _put(seen, b"")
    return str(kept)


def _stamp(source: Path, part: DataFile) -> str:
    """Names a file as it is now: a changed one gets another stamp, and is verified again."""
    stat = source.stat()
    facts = f"{source.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{part.content}"
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def _whole(path: Path, part: DataFile) -> bool:
    try:
        array = np.load(path, mmap_mode="r")  # refuses a file that is shorter than its header says
    except (OSError, ValueError, EOFError):
        return False
    return array.shape == part.shape and array.dtype == np.uint8


def _verified(source: Path, part: DataFile) -> np.ndarray:
    """Read one file and hold it against its checksum."""
    content = source.read_bytes()
    expected = part.packed if source.suffix == ".gz" else part.content
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise GraderError(f"{source}: MD5 {found}, expected {expected}: damaged, or not FashionMNIST's; {DATA_HINT}")
    if source.suffix == ".gz":
        content = gzip.decompress(content)
    header_bytes = {3: 16, 1: 8}  # bytes before the values of an IDX file, by rank
    return np.frombuffer(content, np.uint8, offset=header_bytes[len(part.shape)]).reshape(part.shape)


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, whoever else is writing it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _download(folder: Path, progress: Progress) -> None:
    """Fetch the .gz files with torchvision, which shows a bar; each appears when it is whole."""
    progress("downloading FashionMNIST (30 MB)")
    from torchvision.datasets import FashionMNIST as Published  # noqa: PLC0415  it imports torch
    from torchvision.datasets.utils import download_url  # noqa: PLC0415  as above

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as fresh, _quiet():
        for part in PARTS.values():
            if not _file(folder, part):
                _fetch(download_url, Published.mirrors, f"{part.name}.gz", part.packed, fresh)
                (Path(fresh) / f"{part.name}.gz").replace(folder / f"{part.name}.gz")


def _fetch(download: Callable[..., None], mirrors: list[str], name: str, md5: str, folder: str) -> None:
    trouble = "no mirror is known"
    for mirror in mirrors:
        try:
            return download(f"{mirror}{name}", folder, name, md5)
        except (OSError, RuntimeError) as error:  # no network, or a file that is not what it should be
            trouble = " ".join(str(error).split())[:200]
    raise GraderError(f"FashionMNIST is not on this machine and could not be downloaded ({trouble}); {DATA_HINT}")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the download's bar from a log file."""
    if sys.stderr.isatty():
        yield
    else:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
