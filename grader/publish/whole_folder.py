"""A folder that is written whole or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.errors import GraderError, writing


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder to fill, which becomes ``out`` where nothing was raised.

    Raises:
        GraderError: ``out`` is no new or empty folder, or cannot be made.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise GraderError(f"{out}: expected a new or empty folder; nothing was written")
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        holder = tempfile.TemporaryDirectory(prefix=".making-", dir=out.parent)
    with holder as folder:
        made = Path(folder, out.name)
        made.mkdir()
        yield made
        if out.exists():
            out.rmdir()
        made.rename(out)
