"""What is on the desk: a class as its gradebook has it now, and the decisions that a person makes about it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.desk import views
from grader.desk.alike import SimilarSearch
from grader.desk.attention import DeskRow, survey
from grader.desk.pieces import PieceMaker
from grader.desk.views import Typed
from grader.errors import GraderError
from grader.gradebook.deciding import Wish, decide
from grader.gradebook.ledger import WHOLE_SCORE
from grader.gradebook.looks import Looks
from grader.gradebook.reader import Attempts, GradebookReader, GradedSubmission
from grader.gradebook.requests import Requests
from grader.sentences import number_of


class NotOnDesk(Exception):
    """There is no such submission."""


@dataclass(frozen=True)
class DeskOptions:
    """Whose gradebook is on the desk, and who sits at it.

    Attributes:
        out: with the gradebook.
        by: whose decisions are made.
        attempts: which of a student's submissions counts.
        rubric, data: as for ``GradebookReader``.
    """

    out: Path
    by: str
    attempts: Attempts = "latest"
    rubric: Path | None = None
    data: Path | None = None

    def reader(self) -> GradebookReader:
        """The gradebook, opened for one answer: a grader may be at work in it."""
        return GradebookReader(self.out, self.attempts, self.rubric, self.data)


class Desk:
    """One desk.

    Args:
        options: whose gradebook, and who decides.
    """

    def __init__(self, options: DeskOptions) -> None:
        self.options = options
        self.pieces = PieceMaker(options.out, options.rubric, options.data)
        self.alike = SimilarSearch(options.reader)

    def rows(self, reader: GradebookReader, patience: float | None = 0.25) -> tuple[list[DeskRow], str]:
        """The submissions in the order in which a person should look at them, and what is missing there, in words.

        Args:
            patience: seconds to wait for the search for similar work.
        """
        entries = reader.entries()
        alike = self.alike.of(entries, patience)
        rows = survey(entries, Requests(reader.book).open(), alike.groups, Looks(reader.book).of())
        return rows, alike.missing

    def show(self, reader: GradebookReader, ident: int, url: str, hidden: bool, typed: Typed, said: str) -> str:
        """The page of a submission.

        Raises:
            NotOnDesk: there is no such submission.
        """
        rows, missing = self.rows(reader)
        row = _row(rows, ident)
        page = views.submission(
            row, rows, self.pieces.of(row.entry), marks(reader, row.entry), url, hidden, typed, said, missing
        )
        after = rows.index(row) + 1
        if after < len(rows):
            self.pieces.ahead(rows[after].entry)
        return page

    def looked_at(self, reader: GradebookReader, ident: int, shown: Collection[str]) -> str:
        """Note that a person has looked at a submission and leaves it as it is; returns what was done, in words.

        Args:
            shown: the reasons that were on the page, by their marks: what came since is not ended.

        Raises:
            NotOnDesk: there is no such submission.
        """
        ends = _row(self.rows(reader)[0], ident).ends_with_a_look
        Looks(reader.book).add(ident, [each.text for each in ends if each.mark in shown], self.options.by)
        return "Looked at."

    def decide(self, reader: GradebookReader, ident: int, form: Mapping[str, str]) -> str:
        """Take a decision into the ledger; returns what was done, in words.

        Raises:
            GraderError: it cannot be, or something has changed since the person looked.
            NotOnDesk: there is no such submission.
        """
        criterion = form.get("criterion", "")
        with reader.book.transaction():  # nobody grades or decides between looking and writing
            entry = next((entry for entry in reader.entries() if entry.row.id == ident), None)
            if entry is None:
                raise NotOnDesk
            if form.get("mark") != marks(reader, entry).get(criterion):
                raise GraderError(
                    "This has changed since you looked, and nothing was written: look again, then decide."
                )
            try:
                made = decide(reader, [_wish(entry, criterion, form)], self.options.by)
            except GraderError as problem:  # names may be hidden, and the page is the student's
                raise GraderError(str(problem).removeprefix(f"{entry.row.key}: ")) from None
        if not made:
            return "This stood already."
        points = made[0].points
        return f"{criterion}: " + (
            "taken back, what was computed counts" if points is None else number_of(points, "point")
        )


def _wish(entry: GradedSubmission, criterion: str, form: Mapping[str, str]) -> Wish:
    if "undo" in form:
        return Wish(entry.row.key, criterion, None, form.get("why", ""))
    try:
        points = float(form.get("points", "").replace(",", "."))
    except ValueError:
        raise GraderError(f"{criterion}: expected points, got {form.get('points', '')!r}") from None
    return Wish(entry.row.key, criterion, points, form.get("why", ""), form.get("comment", ""))


def marks(reader: GradebookReader, entry: GradedSubmission) -> dict[str, str]:
    """By criterion, which computed grade and which decision stand: what a person looks at when deciding."""
    latest: dict[str, int] = {}
    for key in entry.shared_by:
        for decision in reader.ledger.decisions(key):
            latest[decision.criterion] = max(decision.id, latest.get(decision.criterion, 0))
    ids = [WHOLE_SCORE, *(result.id for result in entry.kept.grade.criteria)]
    return {ident: f"{entry.kept.id}.{latest.get(ident, 0)}" for ident in ids}


def _row(rows: list[DeskRow], ident: int) -> DeskRow:
    found = next((row for row in rows if row.id == ident), None)
    if found is None:
        raise NotOnDesk
    return found
