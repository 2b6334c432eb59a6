"""Answers that no honest worker gives: an honest one, changed in one place."""

import copy
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.answer_changes import as_sent
from grader.assignments.vit.assignment import VIT
from grader.evidence import Answer, Evidence
from grader.observations import fit
from grader.records import Observation

RAISED = {"type": "RuntimeError", "bases": ["RuntimeError"], "message": "no", "frames": []}
JUNK: dict[str, Any] = {
    "nothing": None, "a string": "float32", "a number": 1e308, "not a number": float("nan"), "a huge integer": 10**30,
    "negative": -1, "an empty list": [], "an empty dict": {}, "nested lists": [[[[]]]],
    "a dict of arrays": {"kind": np.zeros(3)}, "an empty array": np.zeros((0, 3), np.float32),
    "a number in an array": np.array(1.0, np.float32), "integers": np.zeros((3, 16, 24), np.int64),
    "double": np.zeros((3, 16, 24)), "bytes": np.zeros(7, np.uint8), "truths": np.ones((2, 2), bool),
    "a long array": np.zeros(10_000, np.float32), "infinite": np.full((3, 16, 24), np.inf, np.float32),
    "rank 8": np.zeros((1,) * 8, np.float32), "true": True, "a list of everything": [None, "a", 1, {}, np.zeros(2)],
    "half an exception": {"raised": {"type": 3}}, "an exception": {"raised": RAISED},
}  # fmt: skip


def changed(seen: Evidence, probe: str, observation: Observation) -> Evidence:
    """The same evidence with another answer to one probe, held against its form as where answers arrive."""
    question = seen.answers[probe].question
    op = next(each.op for each in VIT.probes if each.id == probe)
    answers = {**seen.answers, probe: Answer(probe, question, fit(observation, VIT.forms[op], question.args))}
    return dataclasses.replace(seen, answers=answers, verdicts={}, measured={})


def with_value(seen: Evidence, probe: str, path: tuple[Any, ...], value: Any) -> Evidence:
    """The same evidence with something else at one place of an answer."""
    whole_value = copy.deepcopy(as_sent(seen.answers[probe].observation.value))
    if not path:
        return changed(seen, probe, Observation("value", value))
    place = whole_value
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed(seen, probe, Observation("value", whole_value))


def without(seen: Evidence, probe: str, path: tuple[Any, ...]) -> Evidence:
    """The same evidence with something missing from an answer."""
    whole_value = copy.deepcopy(as_sent(seen.answers[probe].observation.value))
    place = whole_value
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed(seen, probe, Observation("value", whole_value))


def paths(value: Any, deep: int, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a nested value, down to a depth."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if deep:
        for key, item in items:
            yield from paths(item, deep - 1, (*path, key))
