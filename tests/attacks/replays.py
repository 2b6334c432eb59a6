"""Answers of honest grades, given in another one: what code can do that replaces the worker's functions.

Nothing runs in a worker here: what was recorded is judged against the questions of another seed.
"""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from bench.answer_changes import as_sent
from grader import scoring
from grader.assignments.vit.assignment import VIT
from grader.evidence import Answer, Evidence, Probe, Question
from grader.given import NO_GIVEN_FILES, GivenFiles
from grader.observations import fit
from grader.pipeline import Grader
from grader.probing import ask_all
from grader.records import Grade, Observation, Submission
from grader.rubric_reads import RubricReads

Array = np.ndarray
Recording = Mapping[str, Answer]  # by probe
Attacker = Callable[[list[Recording], Probe, Question], Observation]
# What is asked of a checkpoint is the same in each grade; a template has none. A submission that carries answers
# about the test images is another matter (the warning leak.test).
CRITERIA = tuple(c for c in VIT.criteria if c not in ("vit.accuracy", "contrastive.precision", "contrastive.logs"))
RUNS = ("module.run", "vit.run")
NOT_RECORDED = Observation("undefined", detail="not recorded")


def record(grader: Grader, right: Submission, seed: int) -> Recording:
    """All answers of a grade of a right submission, the given blocks asked for as well."""
    asking = copy.copy(grader)
    asking.options = dataclasses.replace(grader.options, given=NO_GIVEN_FILES)
    return dict(asking.observe(right, seed, only=CRITERIA).answers)


def replay(
    grader: Grader, template: Submission, seed: int, recordings: list[Recording], attacker: Attacker,
    given: GivenFiles = NO_GIVEN_FILES,
) -> Grade:  # fmt: skip
    """The grade of a template that answers from recordings; without given files the given blocks are asked for."""
    seen = Evidence(
        template, seed, RubricReads(grader.rubric), grader.data, VIT, options=grader.settings(CRITERIA), given=given
    )

    def ask(probe: Probe, question: Question) -> Observation:
        return fit(attacker(recordings, probe, question), VIT.forms.get(probe.op), question.args)

    ask_all(grader._probes(CRITERIA), seen, ask)
    return scoring.grade(seen, {}, {})


def as_recorded(recordings: list[Recording], probe: Probe, question: Question) -> Observation:
    """The first recording's answer to the same request."""
    answer = _answer(recordings[0], probe, question)
    return NOT_RECORDED if answer is None else _as_sent(answer.observation)


def nearest(recordings: list[Recording], probe: Probe, question: Question) -> Observation:
    """The answer of the recording whose question is most like the one that is asked."""
    there = [answer for recording in recordings if (answer := _answer(recording, probe, question)) is not None]
    if not there:
        return NOT_RECORDED
    return _as_sent(min(there, key=lambda answer: _apart(answer.question.args, question.args)).observation)


def _as_sent(observation: Observation) -> Observation:
    """An observation before its value was converted to its type, as hostile code would repeat it."""
    if observation.outcome != "value":
        return observation
    return dataclasses.replace(observation, value=as_sent(observation.value))


def resized(recordings: list[Recording], probe: Probe, question: Question) -> Observation:
    """The recorded answer, its batches made as large as those that are asked about."""
    return _with_calls(recordings, probe, question, lambda out, given, asked: np.resize(out, _like(out, asked)))


def reordered(recordings: list[Recording], probe: Probe, question: Question) -> Observation:
    """The recorded answer, the rows of each batch in the order in which the asked rows are by their sums."""

    def order(out: Array, given: Array, asked: Array) -> Array:
        ranks = np.argsort(np.argsort(asked.reshape(len(asked), -1).sum(1)))
        return np.resize(out[np.argsort(given.reshape(len(given), -1).sum(1))], _like(out, asked))[ranks]

    return _with_calls(recordings, probe, question, order)


def by_row(recordings: list[Recording], probe: Probe, question: Question) -> Observation:
    """A recorded row for each row that is asked about, the same one wherever the same row is asked about again."""
    known: dict[Any, Array] = {}

    def look_up(out: Array, given: Array, asked: Array) -> Array:
        rows = np.resize(out, _like(out, asked))
        return np.stack(
            [known.setdefault((row.tobytes(), new.shape), new) for row, new in zip(asked, rows, strict=True)]
        )

    return _with_calls(recordings, probe, question, look_up)


ATTACKERS: dict[str, Attacker] = {
    each.__name__: each for each in (as_recorded, nearest, resized, reordered, by_row)
}  # fmt: skip


def _answer(recording: Recording, probe: Probe, question: Question) -> Answer | None:
    """The answer to the same probe, or to one that asks the same of the same class: on stand-ins, for instance."""
    name = question.args.get("name")
    same = [p.id for p in VIT.probes if p.op in _alike(probe.op) and p.id in recording and name is not None]
    like = [ident for ident in same if recording[ident].question.args.get("name") == name]
    return next((recording[ident] for ident in (probe.id, *like) if ident in recording), None)


def _alike(op: str) -> tuple[str, ...]:
    """The operations that build and call a class, with stand-ins or without; any other one alone."""
    return RUNS if op in RUNS else (op,)


def _with_calls(
    recordings: list[Recording], probe: Probe, question: Question, change: Callable[[Array, Array, Array], Array]
) -> Observation:
    """The first recording's answer, with what it gave for each batch changed to fit the batch that is asked about.

    Args:
        change: (recorded output, recorded batch, asked batch) → output.
    """
    answer = _answer(recordings[0], probe, question)
    if answer is None or probe.op not in (*RUNS, "shapes"):
        return as_recorded(recordings, probe, question)
    value = copy.deepcopy(as_sent(answer.observation.value))
    calls = _run_calls if probe.op in RUNS else _shape_calls
    for result, given, asked in calls(value, answer.question, question):
        for name in ("array", "values"):
            if isinstance(result.get(name), np.ndarray) and len(result[name]) == len(given):
                result[name] = change(result[name], given, asked)
        if isinstance(result.get("shape"), list):
            result["shape"][0] = len(asked)
    return Observation("value", value)


def _run_calls(value: Any, known: Question, question: Question) -> Iterator[tuple[dict[str, Any], Array, Array]]:
    for name, asked in question.args["builds"].items():
        for call, other in asked["calls"].items():
            yield value[name]["calls"][call], known.args["builds"][name]["calls"][call]["inputs"], other["inputs"]


def _shape_calls(value: Any, known: Question, question: Question) -> Iterator[tuple[dict[str, Any], Array, Array]]:
    for name, cases in question.args["cases"].items():
        yield value[name][-1], known.args["cases"][name][-1][1], cases[-1][1]


def _like(out: Array, asked: Array) -> tuple[int, ...]:
    return (len(asked), *out.shape[1:])


def _apart(one: Any, other: Any) -> float:
    """How far the arrays of two questions lie apart."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return float(np.abs(one.astype(float) - other).sum()) if one.shape == other.shape else 1e6
    if isinstance(one, dict) and isinstance(other, dict):
        return sum(_apart(value, other.get(name)) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return sum(_apart(*pair) for pair in zip(one, other, strict=False))
    return 0.0
