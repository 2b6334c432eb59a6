"""Judge a submission in this process, without intake, confinement or data: for the tests of checks.

The tests' own submissions are trusted; whoever grades others' uses ``grader.pipeline``.
"""

import ast
import contextlib
import dataclasses
import importlib
import io
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from grader import given as given_files
from grader import rubric
from grader.asking import program_to_load
from grader.assignment import Assignment, Topic
from grader.assignments.vit.assignment import VIT
from grader.evidence import Evidence, Probe, Question
from grader.given import GivenFiles
from grader.observations import fit
from grader.probing import ask_all
from grader.records import CellLog, Judgement, Observation, Origin, Piece, Program, Submission
from grader.rubric_reads import RubricReads
from grader.sandbox.inside import protocol
from grader.sandbox.inside.student import Student
from grader.students import in_process
from grader.verdicts import judge_in_order


class _Everything(dict):
    """Knows every criterion and every check by name: the rubric itself is tested elsewhere."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> "_Everything":
        return self


EVERYTHING = _Everything()


def evidence(
    sources: dict[str, str], topics: Collection[Topic], seed: int = 1, data: Any = None, cells: tuple[CellLog, ...] = (),
    files: dict[str, Path] | None = None, given: GivenFiles | None = None, of: Assignment = VIT, **options: Any,
) -> Evidence:  # fmt: skip
    """Ask a submission the probes of some topics.

    Args:
        sources: module name → text, as ``{"vit_model": "class ViT…"}``.
        topics: as ``grader.assignments.vit.model.patches.TOPIC``.
        data: what ``seen.data`` is; its images are the shared arrays where it has any.
        given: the course's given files; the project's own where there are none.
        of: the assignment that the topics belong to.
    """
    probes = tuple(probe for topic in topics for probe in topic.probes)
    criteria = {criterion.id: criterion for topic in topics for criterion in topic.criteria}
    known = tuple({probe.id: probe for probe in (*of.probes, *probes)}.values())  # the others are not asked
    assignment = Assignment("test", of.rubric, (), (), (), (), known, criteria)
    program = _program(sources, of.wanted)
    folder = Path()
    submission = Submission("test", folder, folder, "", None, program, cells, files or {})
    rubric_ = rubric.load(of.rubric, EVERYTHING)
    handed_out = given_files.own(of) if given is None else given
    seen = Evidence(submission, seed, RubricReads(rubric_), data, assignment, options=options, given=handed_out)
    with loaded(submission, of.ops) as student:
        load = Probe("load", "load", lambda s, rng: Question({}))
        shared = {n: getattr(data, n) for n in ("train_images", "train_labels", "test_images") if hasattr(data, n)}
        ask_all([load, *probes], seen, lambda probe, question: _ask(student, probe, question, shared, of))
    return seen


def verdicts(sources: dict[str, str], topics: Collection[Topic], **more: Any) -> dict[str, Judgement]:
    """Judge a submission by all criteria of some topics."""
    seen = evidence(sources, topics, **more)
    return {ident: judged(seen, ident) for ident in seen.assignment.criteria}


def judged(seen: Evidence, criterion: str) -> Judgement:
    """The verdict on one criterion."""
    judge_in_order((criterion,), seen)
    return seen.verdicts[criterion]


def fresh(seen: Evidence, **changes: Any) -> Evidence:
    """The same answers, with the scores that take a while, and nothing judged yet."""
    return dataclasses.replace(seen, **{"verdicts": {}, "measured": dict(seen.measured), **changes})


@contextlib.contextmanager
def loaded(submission: Submission, ops: Collection[str] = VIT.ops) -> Iterator[Student]:
    """Execute a submission's program here, and forget it afterwards."""
    for module in ops:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(module)
    with in_process.loaded(program_to_load(submission)) as student:
        yield student


def _ask(
    student: Student, probe: Probe, question: Question, shared: dict[str, np.ndarray], of: Assignment
) -> Observation:  # fmt: skip
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        body = in_process.answer(student, probe.op, _through(question.args, shared))
    from grader.sandbox.outside.replies import observation

    frame = b"".join(protocol.encode("id", body))
    seen = dataclasses.replace(observation(_through(body, None), printed.getvalue(), 0.0, frame), seconds=0.0)
    return fit(seen, of.forms.get(probe.op), question.args)


def _through(body: Any, shared: dict[str, np.ndarray] | None) -> Any:
    """What arrives when a body is sent."""
    parts = protocol.encode("id", body)
    return protocol.decode(parts[1], b"".join(parts[2:]), shared)[1]


def _program(sources: dict[str, str], wanted: Collection[str]) -> Program:
    modules, names = {}, {}
    for module, source in sources.items():
        pieces = []
        for node in ast.parse(source).body:
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            text = "\n".join(source.splitlines()[first - 1 : node.end_lineno])
            pieces.append(Piece(text, f"{module}.py", None, first))
            for name in _bound(node):
                names[name] = Origin(f"{module}.py", None, first, module)
        modules[module] = tuple(pieces)
    return Program((), modules, {name: origin for name, origin in names.items() if name in wanted})


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.ImportFrom | ast.Import):
        return [(alias.asname or alias.name) for alias in node.names]
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
