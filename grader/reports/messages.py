"""Every sentence that an audit made the grader say, once each, to be read from the first to the last."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.records import Grade
from grader.reports.html.causes import gist


@dataclass(frozen=True)
class SaidSentence:
    """One sentence.

    Attributes:
        where: what it was said of: "training.run/steps", "warning miner.unused".
        status: of the check or of the criterion; empty for warnings and remarks.
        words: message and hint.
        case: the first case that it was said of.
    """

    where: str
    status: str
    words: str
    case: str


def said(cases: Iterable[tuple[str, Grade]]) -> list[SaidSentence]:
    """The sentences of some grades by what they are about; those that differ in numbers and places are said once."""
    found: dict[tuple[str, str, str], SaidSentence] = {}
    for case, grade in cases:
        for each in _of(case, grade):
            found.setdefault((each.where, each.status, gist(each.words)), each)
    return sorted(found.values(), key=lambda each: (each.where.startswith("warning"), each.where, each.status))


def _of(case: str, grade: Grade) -> Iterator[SaidSentence]:
    if grade.reason:
        yield SaidSentence("submission", grade.status, grade.reason, case)
    for criterion in grade.criteria:
        told = {check.message for check in criterion.checks}
        for check in criterion.checks:
            if check.status in ("failed", "error"):
                words = f"{check.message}  Hint: {check.hint}" if check.hint else check.message
                yield SaidSentence(f"{criterion.id}/{check.name}", check.status, words, case)
        remark = criterion.status == "passed" and criterion.feedback != "as it should be"
        if criterion.status in ("missing", "blocked") or (remark and criterion.feedback not in told):
            yield SaidSentence(criterion.id, criterion.status, criterion.feedback, case)
    for warning in grade.warnings:
        yield SaidSentence(f"warning {warning.code}", "", warning.message, case)


def listed(sentences: Iterable[SaidSentence]) -> Iterator[str]:
    """The same as lines of text."""
    heading = ""
    for each in sentences:
        if each.where != heading:
            heading = each.where
            yield ""
            yield heading
        status = f"{each.status}: " if each.status else ""
        yield f"  {status}{each.words}  [{each.case}]"
