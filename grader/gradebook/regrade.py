"""Grades from kept observations: no student code runs unless a probe is new."""

import contextlib
import dataclasses
import tempfile
from collections.abc import Collection, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from grader import firewall, rubric_reads, scoring
from grader.errors import GraderError, Outdated, Unreadable
from grader.evidence import UNASKED, Evidence, KeptAnswer, MeasuredScore, Probe, Question
from grader.firewall import Firewall
from grader.gradebook import digests, packing, sources
from grader.gradebook.adjusting import Adjuster
from grader.gradebook.digests import Digests
from grader.gradebook.packing import KeptVerdicts
from grader.gradebook.reuse import Reuse
from grader.gradebook.sources import Reach, Sources
from grader.gradebook.store import Gradebook, GradeRow, PackedGrade, SubmissionRow
from grader.gradebook.together import classlist
from grader.gradebook.unasked import DataWhenNeeded, NewQuestion, NobodyToAsk
from grader.intake import Found
from grader.pipeline import Grader, Options, open_grader
from grader.reading import Reading
from grader.records import Grade, Judgement, Submission
from grader.rubric_reads import Noted, RubricReads


class AskedOtherwise(Exception):
    """What was kept is not certain to be what would be asked and answered now, so that everything is judged again."""


class Regrader:
    """Computes grades again; opens workers only for what is new.

    Args:
        options: with the rubric to grade by.
        book: where observations are kept.
    """

    def __init__(self, options: Options, book: Gradebook) -> None:
        self.options, self.book = options, book
        self.rubric = options.load_rubric()
        self.data = DataWhenNeeded(options)
        self.judging = digests.judging(options)
        self._reaches: dict[str, Reach | None] = {}
        self._asking: Grader | None = None

    @cached_property
    def sources(self) -> Sources:
        """The code that judges."""
        return sources.of(self.options.assignment)

    def max_score(self, only: Collection[str] | None = None) -> float:
        """Of the rubric, narrowed to some criteria."""
        return self.rubric.narrowed(only).max_score

    def now(self, options: dict[str, Any]) -> Digests:
        """What a grade rests on today that was made with some options."""
        return digests.current(self._options(options), options.get("only"))

    def regrade(self, row: SubmissionRow, kept: GradeRow) -> PackedGrade | None:
        """Compute a grade again.

        Returns:
            the grade, and observations only where some are new; None where it needs the submission's files
            and they are gone, or others lie there.

        Raises:
            GraderError: what was kept cannot be read.
        """
        try:
            return self.from_kept(kept)
        except (NewQuestion, Outdated):
            return self.from_files(row, kept)

    def from_kept(self, kept: GradeRow) -> PackedGrade:
        """Compute a grade again without running anything.

        Raises:
            NewQuestion: something must be asked.
        """
        if kept.observations is None:
            if kept.grade.criteria:
                raise Unreadable("nothing was kept that it could be computed from")
            points = self.rubric.narrowed(kept.options.get("only")).max_score  # what was not judged is of these, too
            return PackedGrade(dataclasses.replace(kept.grade, max_score=points), kept.options)
        judged = self._judged(kept)
        if judged is not None and kept.digests.checks == self.judging:
            if (same := self._by_kept_verdicts(kept, judged)) is not None:
                return same
        elif judged is not None and (reach := self._reach(judged)) is not None:
            with contextlib.suppress(AskedOtherwise):
                return self._judged_again(kept, Reuse(judged, reach, self._not_wanted(kept)), judged.noted)
        return self._judged_again(kept, Reading())

    def _judged_again(self, kept: GradeRow, reading: Reading, noted: Noted | None = None) -> PackedGrade:
        """A grade from what was kept.

        Args:
            reading: may take over what the kept grade came to.
            noted: what that takes from the rubric.

        Raises:
            AskedOtherwise: something was taken over, and it is not certain that what was asked is the same.
        """
        assert kept.observations is not None
        with tempfile.TemporaryDirectory(prefix="vit-grade-") as folder:
            grader = self._grader(kept.options, NobodyToAsk())
            submission, packed = self.book.observed(kept.observations)
            frozen, answers = (
                _at_home(packing.unpack_submission(submission, Path(folder)), kept),
                self._answers(kept, packed),
            )
            only = kept.options.get("only")
            evidence = grader.observe(frozen, kept.seed, answers, self._scores(kept), only, reading=reading)
            if isinstance(reading, Reuse) and not _asked_the_same(evidence, answers):
                raise AskedOtherwise
            grade = scoring.grade(evidence, kept.grade.sandbox, kept.grade.timings)
        evidence.rubric.note_also(noted or [])
        scores = packing.pack_scores(evidence.measured)
        verdicts = packing.pack_verdicts(packing.verdicts_of(evidence, self.sources.digest))
        return PackedGrade(grade, kept.options, scores=scores, verdicts=verdicts, observations=kept.observations)

    def _judged(self, kept: GradeRow) -> KeptVerdicts | None:
        """The kept verdicts, as far as they hold by this rubric; None where they may not."""
        if kept.verdicts is None:
            return None
        if any(
            warning.code == firewall.WARNING_CODE for warning in kept.grade.warnings
        ):  # what raised then may not now
            return None
        judged, rubric = packing.unpack_verdicts(kept.verdicts), self.rubric.narrowed(kept.options.get("only"))
        return judged if judged is not None and rubric_reads.hold(judged.noted, rubric) else None

    def _reach(self, judged: KeptVerdicts) -> Reach | None:
        """What has changed since something was judged; None where everything may have."""
        if judged.given != self.options.given_files.digest:
            return None
        if judged.code not in self._reaches:
            then, assignment = self.book.sources(judged.code), self.options.assignment
            reach = None if then is None else Reach.between(assignment, sources.from_kept(then), self.sources)
            self._reaches[judged.code] = reach
        return self._reaches[judged.code]

    def _not_wanted(self, kept: GradeRow) -> set[str]:
        """The probes that are of no use to the criteria that were judged."""
        assignment = self.options.assignment
        wanted = assignment.probes_for(kept.options.get("only"))
        return {probe.id for probe in assignment.probes if probe not in wanted}

    def _by_kept_verdicts(self, kept: GradeRow, judged: KeptVerdicts) -> PackedGrade | None:
        """A grade of the same verdicts; None where the rubric judges other criteria."""
        rubric = self.rubric.narrowed(kept.options.get("only"))
        grade = scoring.same_verdicts(kept.grade, judged.verdicts, rubric, self.options.assignment)
        if grade is None:
            return None
        return PackedGrade(
            grade, kept.options, scores=kept.scores, verdicts=kept.verdicts, observations=kept.observations
        )

    def evidence(self, kept: GradeRow, folder: Path) -> Evidence | None:
        """What was observed; None where nothing was. Code files that were kept are written into ``folder``."""
        if kept.observations is None:
            return None
        grader = self._grader(kept.options, NobodyToAsk())
        submission, answers = self.book.observed(kept.observations)
        frozen = _at_home(packing.unpack_submission(submission, folder), kept)
        evidence = Evidence(
            frozen, kept.seed, RubricReads(grader.rubric), self.data, grader.assignment,
            options=grader.settings(kept.options.get("only")), given=self.options.given_files,
        )  # fmt: skip
        evidence.measured = self._scores(kept)
        not_judged = dict.fromkeys(grader.assignment.criteria, Judgement("error", "not judged", ()))
        judged = {each.id: Judgement(each.status, each.feedback, each.checks) for each in kept.grade.criteria}
        evidence.verdicts = {**not_judged, **judged}
        probes = {probe.id: probe for probe in grader.assignment.probes}
        for ident, each in self._answers(kept, answers).items():
            evidence.answers[ident] = each.again(ident, partial(_question, probes.get(ident), evidence))
        return evidence

    def _answers(self, kept: GradeRow, answers: bytes) -> dict[str, KeptAnswer]:
        """What was kept of a grade, by probe."""
        code_unchanged = kept.digests.checks == self.judging
        assignment = self.options.assignment
        declared = {probe.id: assignment.forms.get(probe.op) for probe in assignment.probes}
        return packing.unpack_answers(answers, self.book.frame, declared, code_unchanged)

    def _scores(self, kept: GradeRow) -> dict[str, MeasuredScore]:
        return packing.unpack_scores(kept.scores) if kept.scores else {}

    def from_files(self, row: SubmissionRow, kept: GradeRow) -> PackedGrade | None:
        """Ask what is new, in a worker; None where the files are gone."""
        found = Found(row.key, row.path, files=dict(row.files))
        if not row.path.exists() or digests.content(found) != row.content:
            return None
        assert kept.observations is not None
        if self._asking is None:
            self._asking = open_grader(self.options)
        grader = self._grader(kept.options, self._asking.workers)
        grader.known = self._asking.known
        _, answers = self.book.observed(kept.observations)
        with tempfile.TemporaryDirectory(prefix="vit-grade-") as folder:
            submission = grader.open(row.path, Path(folder), row.key, found.files or None)
            read = {probe: _current(each) for probe, each in self._answers(kept, answers).items()}
            current = {probe: each for probe, each in read.items() if each is not None}
            evidence = grader.observe(submission, kept.seed, current, only=kept.options.get("only"))
            grade = scoring.grade(evidence, grader.workers.sandbox, {})
            timings = {"total": round(sum(evidence.timings.values()), 3), **evidence.timings}
            grade = dataclasses.replace(grade, timings=timings)
            packed, frames = packing.pack_answers(evidence.answers)
            kept_submission = packing.pack_submission(submission)
        scores = packing.pack_scores(evidence.measured)
        verdicts = packing.pack_verdicts(packing.verdicts_of(evidence, self.sources.digest))
        return PackedGrade(grade, kept.options, kept_submission, packed, frames, scores, verdicts)

    def _grader(self, options: dict[str, Any], workers: Any) -> Grader:
        grader = Grader(self._options(options), workers, self.data, self.rubric)  # type: ignore[arg-type]
        grader.rubric = self.rubric.narrowed(options.get("only"))
        return grader

    def _options(self, kept: dict[str, Any]) -> Options:
        return dataclasses.replace(self.options, **{k: v for k, v in kept.items() if k != "only"})

    def close(self) -> None:
        if self._asking is not None:
            self._asking.close()


def _at_home(submission: Submission, kept: GradeRow) -> Submission:
    """The same with the path that the grade names: it may have been opened on another machine."""
    return dataclasses.replace(submission, path=Path(kept.grade.submission["path"]))


def _asked_the_same(evidence: Evidence, kept: Mapping[str, KeptAnswer]) -> bool:
    """Whether the same was asked as when answers were kept, and the same could not be asked, for the same reason."""
    return evidence.answers.keys() == kept.keys() and all(
        answer.asked == kept[probe].asked and (answer.asked or answer.observation == kept[probe].read())
        for probe, answer in evidence.answers.items()
    )


def _current(kept: KeptAnswer) -> KeptAnswer | None:
    """An answer, read once; None where it has not the form that this version reads."""
    try:
        observation = kept.read()
    except Outdated:
        return None
    return dataclasses.replace(kept, read=lambda: observation)


def _question(probe: Probe | None, evidence: Evidence) -> Question:
    return UNASKED if probe is None else probe.build(evidence, evidence.rng(probe.id))


@dataclasses.dataclass(frozen=True)
class RegradedSubmission:
    """What a regrade did to one submission."""

    key: str
    before: Grade
    after: Grade | None  # None where its files are needed
    why: str = ""  # … or where what was kept cannot be read
    digests: Digests | None = None  # of what the new grade rests on
    packed: PackedGrade | None = None  # to be committed; None where nothing is new

    @property
    def by(self) -> float:
        return self.after.score - self.before.score if self.after else 0.0

    @property
    def changed(self) -> list[str]:
        """Criteria whose points or status are others, those included that are not judged any more."""
        old, new = (
            {result.id: (result.points, result.status) for result in grade.criteria}
            for grade in (self.before, self.after or self.before)
        )
        return [criterion for criterion in {**old, **new} if old.get(criterion) != new.get(criterion)]


def regrade_all(options: Options, book: Gradebook) -> list[RegradedSubmission]:
    """Compute the grades of a class again, and commit those whose foundation has changed; history stays as it is.

    Returns:
        what became of each, with what people decided about it.
    """
    regrader = Regrader(options, book)
    try:
        class_ = classlist(book)
        rows = [row for keys in class_.groups for row in class_.handed_in(keys)]
        kept = [(row, found) for row in sorted(rows, key=lambda row: row.key) if (found := book.latest(row.id))]
        computed = [_regraded(regrader, row, found, ask=False) for row, found in kept]
        with book.transaction():  # a commit each would cost a wait for the disk each
            for (row, _), each in zip(kept, computed, strict=True):
                _commit(book, row, each)
        for number, (row, found) in enumerate(kept):
            if computed[number] is None:
                computed[number] = _regraded(regrader, row, found, ask=True)
                _commit(book, row, computed[number])
    finally:
        regrader.close()
    decided = Adjuster(book)
    return [_with_decisions(each, row, decided) for (row, _), each in zip(kept, computed, strict=True) if each]


def _commit(book: Gradebook, row: SubmissionRow, regraded: RegradedSubmission | None) -> None:
    if regraded is not None and regraded.packed is not None and regraded.digests is not None:
        book.finish(row.id, regraded.digests, regraded.packed)


def _with_decisions(regraded: RegradedSubmission, row: SubmissionRow, decided: Adjuster) -> RegradedSubmission:
    after = regraded.after and decided.grade(row, regraded.after)
    return dataclasses.replace(regraded, before=decided.grade(row, regraded.before), after=after)


def _regraded(regrader: Regrader, row: SubmissionRow, kept: GradeRow, ask: bool) -> RegradedSubmission | None:
    """One of them; None where something is new and must not be asked yet."""
    now = regrader.now(kept.options)
    now = dataclasses.replace(now, asks=kept.digests.asks, environment=kept.digests.environment)
    if now == kept.digests:
        return RegradedSubmission(row.key, kept.grade, kept.grade)
    try:
        packed = regrader.from_files(row, kept) if ask else regrader.from_kept(kept)
    except (NewQuestion, Outdated):
        return None
    except GraderError as error:
        return RegradedSubmission(row.key, kept.grade, None, str(error))
    except Exception as error:
        wall = Firewall()
        wall.note("computing it again", error)
        return RegradedSubmission(row.key, kept.grade, None, wall.lines[0])
    if packed is None:
        return RegradedSubmission(
            row.key, kept.grade, None, "needs its files: a question is new, and they are gone or others"
        )
    return RegradedSubmission(row.key, kept.grade, packed.grade, digests=now, packed=packed)
