"""The bar: shares of the usual time, shown on a terminal and nowhere else."""

import io
import sys

import pytest

from grader import asking
from grader.evidence import Probe, Question
from grader.reports.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def probe(ident: str, usual: float) -> Probe:
    return Probe(ident, ident, lambda seen, rng: Question({}), typical_seconds=usual)


def test_nothing_is_written_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Progress() as progress:
        progress.begin("ab12", 1, 1)
        progress.step("model", 0.5)
    assert sys.stderr.getvalue() == ""


def test_a_terminal_sees_who_is_graded_and_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with Progress() as progress:
        progress.begin("ab12", 2, 3)
        progress.step("the [model]", 0.5)
        assert progress.bar is not None
        progress.bar.refresh()
    assert "2 of 3, ab12: the [model]" in sys.stderr.getvalue()


def test_shares_are_of_the_usual_time_and_long_rare_probes_count_when_begun() -> None:
    probes = [probe("short", 1.0), probe("long", 3.0), probe("training", 96.0)]
    told: list[tuple[str, float]] = []
    began = asking.paced(lambda what, share: told.append((what, share)), probes)
    for each in probes:
        began(each)
    assert told == [("short", 0.0), ("long", 0.25), ("training", 0.04)]
