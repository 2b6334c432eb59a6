"""The end of a student's run: what is wrong and what is to do, in part order, then the points and the next step."""

import shlex
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

from _pytest.terminal import TerminalReporter

from grader.raised import met
from grader.records import CriterionResult
from grader.reports.text import SIGNS, printable
from grader.sentences import for_students
from grader.students import last_run
from grader.students.items import CheckItem, Session


class Summary:
    """Prints what is left, in place of pytest's list of failures."""

    def __init__(self, items: list[CheckItem]) -> None:
        self.items = items

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        done = [item for item in self.items if item.outcome]
        if not done:
            return
        writer = _Writer(terminalreporter)
        terminalreporter.write_sep("=", printable(_name(done[0])))
        for part, items in groupby(done, lambda item: item.part):
            _part(writer, part, list(items))
        for note in _notes(done):
            writer.line(note, 0, 2)
        if not Session.of(done[0].config).inside:
            writer.line(_all_points(done), bold=True)
            last_run.keep(done[0].config, _results(done))
        _next(writer, done)


class _Writer:
    """Wrapped lines of the terminal."""

    def __init__(self, reporter: TerminalReporter) -> None:
        self.reporter = reporter
        self.width = min(shutil.get_terminal_size().columns, 100)
        self.encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"

    def _shown(self, text: str) -> str:
        """The text with plain letters for signs that this terminal does not have, as some of Windows."""
        try:
            text.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            for sign in SIGNS.values():
                text = text.replace(sign.text, sign.ascii)
            return text.replace("…", "...")
        return text

    def line(self, text: str, first: int = 0, rest: int = 0, **markup: bool) -> None:
        for line in textwrap.wrap(
            self._shown(text), self.width, initial_indent=" " * first, subsequent_indent=" " * rest
        ):
            self.reporter.write_line(line, **markup)


def _name(item: CheckItem) -> str:
    return str(Session.of(item.config).submission.name)


def _part(writer: _Writer, part: int, items: list[CheckItem]) -> None:
    passed = sum(item.outcome == "passed" for item in items)
    told = f"Part {part}: {passed} of {len(items)} checks passed"
    if not Session.of(items[0].config).inside:
        earned, possible, later = points(_results(items), _decided_later(items))
        told += f", {earned:g} of {possible:g} points" + (f" (and {later:g} in the official grade)" if later else "")
    writer.line(told, bold=True)
    for _, checks in groupby(items, lambda item: item.criterion.id):
        _criterion(writer, list(checks))


def _criterion(writer: _Writer, items: list[CheckItem]) -> None:
    failed = [item for item in items if item.outcome == "failed"]
    for first, *others in _by_cause(failed):
        sentence, *rest = first.words.splitlines()
        writer.line(f"{SIGNS['failed'].text} {first.criterion.id}::{first.name}: {sentence}", 2, 4, red=True)
        for line in rest:
            writer.line(line, 4, 4)
        if others:
            writer.line(f"The same fails {', '.join(other.name for other in others)}.", 4, 4)
    waiting = next((item for item in items if item.outcome in ("to do", "waits", "not trained")), None)
    if waiting is not None and not failed:  # true of the criterion as a whole: said once
        if waiting.is_lost:
            writer.line(f"{SIGNS['failed'].text} {waiting.criterion.id} not found: {waiting.words}", 2, 4, red=True)
            return
        sign = SIGNS["blocked" if waiting.outcome == "waits" else "missing"].text
        line = f"{sign} {waiting.criterion.id} {waiting.line}"
        writer.line(line, 2, 4, cyan=waiting.outcome != "waits")


def _by_cause(failed: list[CheckItem]) -> Iterable[list[CheckItem]]:
    """The checks of a criterion that failed, together where they met the same."""
    causes: dict[str, list[CheckItem]] = {}
    for item in failed:
        _, *told = item.words.splitlines()
        causes.setdefault(met(told[0]) if told else item.words, []).append(item)
    return causes.values()


def _notes(items: list[CheckItem]) -> Iterator[str]:
    """What is to be looked at beside the checks: where the submission ran, warnings, what the official grade decides."""
    session = Session.of(items[0].config)
    if session.inside:
        yield "Run inside pytest for debugging, without confinement or time limits: run again without for verdicts."
    elif session.grade is not None and session.grade.not_enforced:
        yield "This system cannot confine your code: it ran with your account's rights, as when you run it yourself."
    told = () if session.grade is None else session.grade.warnings
    yield from (f"Look at this: {printable(each.message)}" for each in for_students(told))
    later = _decided_later(items)
    yield from (words for criterion, words in session.assignment.official.items() if criterion in later)
    yield "The official grade uses random inputs of its own, and decides whether slow code is too slow."


def _decided_later(items: list[CheckItem]) -> set[str]:
    """The criteria that wait for a model which the official grade trains where there is none."""
    official = Session.of(items[0].config).assignment.official
    return {item.criterion.id for item in items if item.outcome == "not trained" and item.criterion.id in official}


def _results(items: list[CheckItem]) -> list[CriterionResult]:
    """The result of each criterion that one of the items belongs to."""
    session = Session.of(items[0].config)
    return [session.result(criterion) for criterion in dict.fromkeys(item.criterion.id for item in items)]


def points(results: Collection[CriterionResult], official: Collection[str]) -> tuple[float, float, float]:
    """The points so far, the most that there could be of them, and those that the official grade decides."""
    later = sum(result.max_points if result.id in official else result.open for result in results)
    return sum(result.points for result in results), sum(result.max_points for result in results) - later, later


def _all_points(items: list[CheckItem]) -> str:
    earned, possible, later = points(_results(items), _decided_later(items))
    decided = f", {later:g} {'is' if later == 1 else 'are'} decided in the official grade" if later else ""
    return f"{earned:g} of {possible:g} points so far{decided}"


def _next(writer: _Writer, items: list[CheckItem]) -> None:
    left = [item for item in items if item.outcome in ("failed", "to do", "not trained")]
    code = [set(item.criterion.names) for item in left if item.outcome != "not trained"]

    def comes_late(item: CheckItem) -> tuple[bool, bool]:
        """Code before training, and what is about one name before what is about it among others."""
        return item.outcome == "not trained", any(names < set(item.criterion.names) for names in code if names)

    step = min(left, key=comes_late, default=None)
    if step is not None and step.outcome == "not trained":
        writer.line(f"Next: {step.criterion.id}: run your training", bold=True)
    elif step is not None:
        given = Session.of(step.config).config.option.submission
        named = f"--submission={shlex.quote(given)} " if given else ""
        writer.line(f"Next: {step.criterion.id}, alone with: pytest {named}-k {step.criterion.id}", bold=True)
    elif all(item.outcome == "passed" for item in items):
        writer.line("Nothing left to do here.", bold=True)
