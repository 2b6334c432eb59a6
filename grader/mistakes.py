"""What the author of an assignment has overlooked, found when it is loaded: a line for each mistake."""

import graphlib
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from grader.assignment import Assignment
from grader.evidence import Probe
from grader.judging import Criterion
from grader.sentences import did_you_mean

OF_CRITERIA = ("trained", "official", "reading", "cells")  # attributes of an assignment that name criteria


def mistakes(assignment: Assignment) -> Iterator[str]:
    """All of them, in an order in which each may rely on what was looked at before."""
    yield from unfit_fields(assignment)
    yield from _unknown_names(assignment)
    yield from _circles(assignment)
    for ident, criterion in assignment.criteria.items():
        if criterion.id != ident:
            yield f"criteria: {ident!r} is the criterion {criterion.id!r}: give both the same name"
    for number, probe in enumerate(assignment.probes):
        if probe.op not in assignment.forms:
            yield f"the operation {probe.op!r} needs the type of its answer in forms"
        if any(probe.id == earlier.id for earlier in assignment.probes[:number]):
            yield f"there are two probes {probe.id!r}: give each a name of its own"
    for check in (check for criterion in assignment.criteria.values() for check in criterion.checks):
        if check.sentence == check.name:
            yield f"the check {check.name} has no docstring: it is the sentence that students read"


def unfit_fields(record: Any) -> Iterator[str]:
    """What in a dataclass, or in those that it holds, is of another type than its annotation says."""
    hints = typing.get_type_hints(type(record))
    for field in fields(record):
        value = getattr(record, field.name)
        yield from (f"{field.name}: {why}" for why in _unfit(value, hints[field.name]))
        held = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple | list) else ()
        for each in held:
            if isinstance(each, Probe | Criterion):
                yield from (f"the {type(each).__name__.lower()} {each.id!r}: {why}" for why in unfit_fields(each))


def _unfit(value: Any, hint: Any) -> Iterator[str]:
    """What was expected of a value, and what came; nothing where it fits."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return
    if origin in (types.UnionType, typing.Union):
        if all(next(_unfit(value, each), "") for each in arguments):
            yield from _unfit(value, arguments[0])
    elif origin is tuple and isinstance(value, tuple | list):
        yield from (why for item in value for why in _unfit(item, arguments[0]))
    elif origin in (dict, Mapping) and isinstance(value, Mapping):
        yield from (why for item in value for why in _unfit(item, arguments[0]))
        yield from (f"{key!r}: {why}" for key, item in value.items() for why in _unfit(item, arguments[1]))
    elif not isinstance(value, int | float if hint is float else origin or hint):
        yield _expected(value, origin or hint)


def _expected(value: Any, kind: type) -> str:
    """That something else than a value was expected, and what its author may have meant."""
    kinds: dict[Any, str] = {str: "text", Callable: "function", Mapping: "dict"}
    name = kinds.get(kind, kind.__name__)
    what = f"{'an' if name[0] in 'Aai' else 'a'} {name}"
    if isinstance(value, str):
        comma = f": is a comma missing, as in ({value!r},)?" if kind is tuple else ""
        return f"expected {what}, got the text {value!r}{comma}"
    if isinstance(value, type):
        return f"expected {what}, got the class {value.__name__}: write {kind.__name__}({value.__name__})"
    return f"expected {what}, got {'None' if value is None else type(value).__name__}"


def _unknown_names(assignment: Assignment) -> Iterator[str]:
    """Names of what is not there, with the one that may be meant."""
    criteria = assignment.criteria
    needing: list[Probe | Criterion] = [*assignment.probes, *criteria.values()]
    for each in needing:
        for unknown in sorted(set(each.needs) - set(criteria)):
            yield f"{each.id!r} needs {unknown!r}: there is no such criterion{did_you_mean(unknown, criteria)}"
    for probe in assignment.probes:
        for unknown in sorted(set(probe.serves) - set(criteria)):  # one that serves pages alone may name none
            if meant := did_you_mean(unknown, criteria):
                yield f"{probe.id!r} serves {unknown!r}: there is no such criterion{meant}"
    for attribute in OF_CRITERIA:
        for unknown in sorted(set(getattr(assignment, attribute)) - set(criteria)):
            yield f"{attribute}: {unknown!r}: there is no such criterion{did_you_mean(unknown, criteria)}"
    for criterion in criteria.values():
        for unknown in sorted(set(criterion.names) - set(assignment.wanted)):
            meant = did_you_mean(unknown, assignment.wanted)
            yield f"the criterion {criterion.id!r} names {unknown!r}, which is not among the names in wanted{meant}"
    for unknown in sorted(set(assignment.labels) - set(assignment.measures)):
        yield f"labels: {unknown!r}: there is no such measure{did_you_mean(unknown, assignment.measures)}"


def _circles(assignment: Assignment) -> Iterator[str]:
    """Needs that come back to where they begin: nothing among them could be the first."""
    probes, criteria = assignment.probes, assignment.criteria
    needs: dict[tuple[str, str], list[tuple[str, str]]] = {
        **{("probe", probe.id): [("criterion", ident) for ident in probe.needs] for probe in probes},
        **{("criterion", ident): [("criterion", each) for each in criteria[ident].needs] for ident in criteria},
    }
    for probe in probes:
        for ident in probe.serves:
            needs.setdefault(("criterion", ident), []).append(("probe", probe.id))
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        first, *others = (f"the {kind} {ident!r}" for kind, ident in reversed(error.args[1]))
        yield f"{first} needs {', which needs '.join(others)}: take one of these needs out"
