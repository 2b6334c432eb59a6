"""What can go wrong on the grader's side, as opposed to a student's mistake, which is a verdict."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class GraderError(Exception):
    """One line for stderr: the path first, what was expected, what was seen, what was done about it."""


class GraderErrors(GraderError):
    """Several lines, as of a file in which several rows are wrong."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


class Rejected(GraderError):
    """A submission that cannot be opened: it gets 0 points, and this line is the reason."""


class ReadingFailed(GraderError):
    """The process that reads a submission failed over it: that is one submission's, whatever becomes of others."""


class Unreadable(GraderError):
    """Kept evidence that cannot be read: a grade is not computed from half of it."""


class Outdated(Unreadable):
    """Kept evidence of another form than this version reads: the submission has to be graded again."""


@contextmanager
def writing(place: Path | str) -> Iterator[None]:
    """Make what a file system refuses one line.

    Raises:
        GraderError: it cannot be written there.
    """
    try:
        yield
    except OSError as error:
        raise GraderError(f"{place}: cannot be written: {error.strerror or error}") from None


def not_installed(module: str, at: str = "") -> GraderError:
    """Say that a package is missing, for which interpreter, and what to do.

    Args:
        at: the line of an assignment that imports it; empty where the grader needs it.
    """
    if at:
        return GraderError(
            f"{at}: {module} is not installed for {sys.executable}; mend the import, or install it there"
        )
    top = module.partition(".")[0]
    distributions = {
        "PIL": "pillow",
        "faiss": "faiss-cpu",
        "re2": "google-re2",
    }  # modules that are installed under another name
    package = distributions.get(top, top.replace("_", "-"))
    return GraderError(
        f"{package} is not installed for {sys.executable}; install what the grader needs "
        f"({sys.executable} -m pip install .) or start it with the interpreter that has it"
    )
