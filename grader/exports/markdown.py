"""Markdown for the summary of a job on GitHub or GitLab; what others wrote stays text."""

from collections.abc import Iterator, Sequence

from grader import patterns
from grader.exports.result import ExportedGrade
from grader.records import CriterionResult
from grader.reports.text import SIGNS, printable


def summary(results: Sequence[ExportedGrade]) -> str:
    """One submission with its criteria, several as a table."""
    lines = _one(results[0]) if len(results) == 1 else _class(results)
    return _within(lines, most=1_000_000)  # bytes: GitHub refuses a summary of more than 1 MiB


def _within(lines: Iterator[str], most: int) -> str:
    kept, size = [], 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > most - 100:
            kept += ["", "_The rest did not fit._"]
            break
        kept.append(line)
    return "\n".join(kept) + "\n"


def _one(result: ExportedGrade) -> Iterator[str]:
    grade = result.grade
    if result.excused:
        yield f"## {escaped(result.key)}: excused"
        return
    yield f"## {escaped(result.key)}: {result.total} of {grade.max_score:g} points"
    yield ""
    for said in (f"{grade.status.replace('_', ' ')}: {grade.told_reason}" if grade.reason else "", result.note):
        if said:
            yield from (f"**{escaped(said)}**", "")
    if grade.criteria:
        yield from ("| | Criterion | Points | What was seen |", "|---|---|---:|---|")
        yield from map(_criterion, grade.criteria)
    if grade.measured:
        yield from ("", ", ".join(f"{escaped(name)} {value:.4f}" for name, value in grade.measured.items()))
    for warning in grade.warnings:
        yield from ("", f"⚠️ {escaped(warning.code)} {escaped(warning.message)}")


def _criterion(result: CriterionResult) -> str:
    where = f" ({escaped(str(result.origin))})" if result.origin and result.status in ("failed", "partial") else ""
    points = f"open/{result.max_points:g}" if result.open else f"{result.points:g}/{result.max_points:g}"
    said = "" if result.status == "passed" else escaped(result.feedback) + where
    return f"| {SIGNS[result.status].emoji} {result.status} | {escaped(result.title)} | {points} | {said} |"


def _class(results: Sequence[ExportedGrade]) -> Iterator[str]:
    yield f"## {len(results)} submissions"
    yield ""
    yield from ("| Submission | Points | Status | Lost |", "|---|---:|---|---|")
    for result in results:
        grade = result.grade
        if result.excused:
            yield f"| {escaped(result.key)} | | excused | |"
            continue
        lost = ", ".join(escaped(each.id) for each in grade.criteria if each.lost)
        status = "; ".join(filter(None, [grade.status.replace("_", " "), grade.told_reason, result.note]))
        yield f"| {escaped(result.key)} | {result.total} | {escaped(status)} | {lost} |"


def escaped(raw: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    text = printable(raw)
    # every sign that starts a link, a tag, a table cell, code, emphasis, a mention, a formula or an emoji
    syntax = patterns.compile(r"[\\`*_{}\[\]<>()#+!|~@&$]|:|www\.", ignore_case=True)
    return syntax.sub(lambda sign: _entity(sign[0], text[sign.end() : sign.end() + 1]), text)


def _entity(sign: str, following: str) -> str:
    """A sign as text; a colon before a space or the end is text as it is."""
    return sign if sign == ":" and not following.strip() else f"&#{ord(sign[0])};{sign[1:]}"
