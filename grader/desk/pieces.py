"""What takes long to make of a submission for its page: pictures and coloured code, kept while the desk is open."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from grader.errors import GraderError
from grader.firewall import Firewall
from grader.gradebook.reader import GradebookReader, GradedSubmission
from grader.reports.html import figures
from grader.reports.html.figures import Figure
from grader.reports.html.sources import Excerpt, SourceLines
from grader.reports.html.story import sentences


@dataclass(frozen=True)
class Pieces:
    """What stands beside the verdicts.

    Attributes:
        sources: finds the lines that verdicts name.
        code: all lines, by file or cell.
        pictures: of what the submission does.
        demands: what each check demands, by criterion and name.
        parts: titles of the assignment's parts by number.
        trouble: what could not be made, a line each.
    """

    sources: SourceLines = field(default_factory=lambda: SourceLines(None))
    code: tuple[Excerpt, ...] = ()
    pictures: tuple[Figure, ...] = ()
    demands: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parts: Mapping[int, str] = field(default_factory=dict)
    trouble: tuple[str, ...] = ()


class PieceMaker:
    """Makes the pieces of one submission at a time; safe to use from several threads.

    Args:
        out: with the gradebook.
        rubric: as for ``GradebookReader``.
        data: the data set's root.
    """

    def __init__(self, out: Path, rubric: Path | None, data: Path | None) -> None:
        self.out, self.rubric, self.data = out, rubric, data
        self.lock = threading.Lock()  # matplotlib draws one picture at a time
        self.kept: OrderedDict[int, Pieces] = OrderedDict()  # by the row of the grade, which is never changed

    def of(self, entry: GradedSubmission) -> Pieces:
        """The pieces of a submission; what cannot be made is said in words, and costs no more than that."""
        max_kept = 60  # submissions
        with self.lock:
            if entry.kept.id not in self.kept:
                wall = Firewall()
                try:
                    made = wall.attempt("the evidence on the desk", partial(self._made, entry, wall), Pieces())
                    self.kept[entry.kept.id] = made if made.code else Pieces(trouble=tuple(wall.lines))
                except GraderError as error:  # what was kept is damaged
                    self.kept[entry.kept.id] = Pieces(trouble=(str(error),))
            self.kept.move_to_end(entry.kept.id)
            while len(self.kept) > max_kept:
                self.kept.popitem(last=False)
            return self.kept[entry.kept.id]

    def ahead(self, entry: GradedSubmission) -> None:
        """Make them while a person looks at another submission."""
        threading.Thread(target=self.of, args=(entry,), daemon=True).start()

    def _made(self, entry: GradedSubmission, wall: Firewall) -> Pieces:
        with (
            GradebookReader(self.out, rubric=self.rubric, data=self.data) as reader,
            reader.evidence(entry) as evidence,
        ):
            if evidence is None:
                return Pieces()
            pictures = tuple(figures.draw(evidence, wall))
            sources = SourceLines(evidence.submission)
            return Pieces(
                sources,
                tuple(sources.whole()),
                pictures,
                sentences(evidence),
                evidence.assignment.parts,
                tuple(wall.lines),
            )
