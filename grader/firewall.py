"""A firewall around each piece of the grader's own: what it raises costs that piece alone.

A piece is a probe's question, a check, a warning, a measure, a picture, an export, a page. When one raises, a default
takes its place, the piece and what it raised are noted, and everything else goes on. ``VIT_GRADE_TRACEBACK=1`` shows
where the exception came from.
"""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from grader.errors import Unreadable

T = TypeVar("T")
TRACEBACK_VARIABLE = "VIT_GRADE_TRACEBACK"  # set it to see where an error of the grader's own comes from
WARNING_CODE = "grader.error"  # of the warning that names a piece


class Firewall:
    """Notes which pieces raised.

    Attributes:
        faults: by piece, what it raised, in words.
    """

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}

    def attempt(self, piece: str, work: Callable[[], T], otherwise: T) -> T:
        """What a piece returns, or a default where it raises.

        Raises:
            Unreadable: kept evidence is damaged; the earlier grade stays as it is then.
        """
        try:
            return work()
        except Unreadable:
            raise
        except (Exception, SystemExit) as error:
            self.note(piece, error)
            return otherwise

    def note(self, piece: str, error: BaseException) -> None:
        """Remember that a piece raised; the first exception of each is kept."""
        self.faults.setdefault(piece, words(error))
        if os.environ.get(TRACEBACK_VARIABLE):
            traceback.print_exception(error, file=sys.stderr)

    @property
    def lines(self) -> list[str]:
        """A sentence for each piece that raised."""
        return [sentence(piece, raised) for piece, raised in self.faults.items()]


def sentence(piece: str, raised: str) -> str:
    """Say which piece failed, and that nothing was lost by it."""
    return f"{piece} failed, an error of the grader's own: {raised}; no points were lost by it"


def words(error: BaseException) -> str:
    """An exception in one line, with the line that raised it, of the grader or of a library."""
    max_characters = 300  # characters of what was raised
    try:
        said = " ".join(str(error).split())[:max_characters]
    except Exception:  # whatever went wrong, it must be possible to say so
        said = ""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith("<frozen")]
    tells_where = isinstance(error, SyntaxError)  # that of the file that cannot be read
    where = "" if tells_where or not frames else f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
    return f"{type(error).__name__}{': ' if said else ''}{said}{where}"
