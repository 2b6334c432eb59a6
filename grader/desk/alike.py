"""Who handed in nearly the same, looked for beside the desk's answers: a large class takes longer than a page may."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grader.errors import GraderError
from grader.firewall import Firewall
from grader.gradebook.reader import GradebookReader, GradedSubmission
from grader.gradebook.similarity import similar
from grader.records import SimilarGroup

NAME = "similar work"  # of a search's thread
Class = tuple[int, ...]  # the observations that a class's grades rest on: others mean another search


@dataclass(frozen=True)
class SimilarWork:
    """What is known of similar work now.

    Attributes:
        groups: submissions that are nearly the same; none while they are looked for.
        missing: why none may be known, in words; empty where all are.
    """

    groups: tuple[SimilarGroup, ...] = ()
    missing: str = ""


LOOKING = SimilarWork(
    missing="Who handed in nearly the same is still being looked for: load the page again in a while."
)


class SimilarSearch:
    """Searches once for each state of a class, one search at a time; safe to use from several threads.

    Args:
        reader: opens the gradebook; a search has one of its own.
    """

    def __init__(self, reader: Callable[[], GradebookReader]) -> None:
        self.reader, self.lock = reader, threading.Lock()
        self.known: tuple[Class, SimilarWork] | None = None
        self.searching: threading.Thread | None = None

    def of(self, entries: Sequence[GradedSubmission], patience: float | None = 0.25) -> SimilarWork:
        """The similar work of a class.

        Args:
            entries: its submissions.
            patience: seconds to wait for a search, which a small class does not need; to its end where it is None.
        """
        class_ = _class(entries)
        with self.lock:
            if self.known is not None and self.known[0] == class_:
                return self.known[1]
            if self.searching is None or not self.searching.is_alive():
                self.searching = threading.Thread(target=self._search, args=(class_, entries), name=NAME, daemon=True)
                self.searching.start()
            searching = self.searching
        searching.join(patience)
        known = self.known
        return known[1] if known is not None and known[0] == class_ else LOOKING

    def _search(self, class_: Class, entries: Sequence[GradedSubmission]) -> None:
        wall = Firewall()
        try:
            none: list[SimilarGroup] = []
            groups = wall.attempt("the search for similar work", lambda: self._found(entries), none)
            self.known = class_, SimilarWork(tuple(groups), " ".join(wall.lines))
        except GraderError as error:  # what was kept is damaged
            self.known = class_, SimilarWork(missing=f"Who handed in nearly the same is not known: {error}")

    def _found(self, entries: Sequence[GradedSubmission]) -> list[SimilarGroup]:
        with self.reader() as reader:
            return similar(reader.book, entries)


def _class(entries: Sequence[GradedSubmission]) -> Class:
    return tuple(entry.kept.observations or 0 for entry in entries)
