"""What one assignment brings, and where the engine finds it.

The engine names no assignment. Which one is graded where nothing else is said stands in ``settings.toml``.
"""

import importlib.util
import pkgutil
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from grader.data import DataSet, no_data
from grader.errors import GraderError
from grader.evidence import Evidence, Probe
from grader.judging import Criterion
from grader.records import GradeWarning, Submission

RUBRIC = "rubric.toml"  # beside the file of an assignment
SETTINGS = Path(__file__).resolve().parent / "settings.toml"


@dataclass(frozen=True)
class Assignment:
    """All that belongs to one assignment; the engine knows nothing else of it.

    Attributes:
        name: short, for file names and digests.
        rubric: points and thresholds, where no other file is named.
        wanted: names that a submission defines.
        provided: names that the worker supplies, as set-up cells of a notebook do.
        never_called: functions whose top-level calls are never executed at intake.
        ops: modules, or files, that register the operations its probes ask for; they run beside student code.
        probes: in the order in which they are asked.
        criteria: by id.
        warnings: functions that give warnings for the instructor.
        measures: numbers that are shown with a grade, by name; each may be None.
        forms: by operation, the type of its answer, an ``observations.Answered``.
        data: loads the data that its probes use, from the folder that ``--data`` names.
        traced: the function whose call in the notebook is looked for, with what makes its arguments.
        reference: a right submission, which tells slow code from a slow machine.
        template: the folder that students begin with.
        given: the files that the course hands out and students leave as they are.
        check_given: refuses given files that an instructor brings, with a GraderError.
        generated: further files made from the template's texts: by path, their content.
        figures: modules whose ``figure(evidence)`` draws a picture for the pages; imported when pages are made.
        cells: for a criterion, the cells of a submission's notebook that it is about, if any.
        trained: criteria that rest on what the student trained; pytest marks their checks "thresholds".
        official: for a criterion that only the official grade decides, what students are told of it.
        reading: for a criterion, where to read about what it asks for.
        corpus: the module with the seeded faults and correct variants of the audit; "" where there is none.
    """

    name: str
    rubric: Path
    wanted: tuple[str, ...]
    provided: tuple[str, ...]
    never_called: tuple[str, ...]
    ops: tuple[str, ...]
    probes: tuple[Probe, ...]
    criteria: dict[str, Criterion]
    warnings: tuple[Callable[[Evidence], Sequence[GradeWarning]], ...] = ()
    measures: dict[str, Callable[[Evidence], float | None]] = field(default_factory=dict)
    forms: Mapping[str, Any] = field(default_factory=dict)
    data: Callable[[Path | None], DataSet] = no_data
    traced: str = ""
    reference: Path | None = None
    template: Path | None = None
    given: tuple[Path, ...] = ()
    check_given: Callable[[Mapping[str, str], str], None] | None = None
    generated: Callable[[Mapping[str, str]], dict[Path, str]] = lambda template: {}
    figures: tuple[str, ...] = ()
    cells: Mapping[str, Callable[[Submission], Iterable[int]]] = field(default_factory=dict)
    trained: tuple[str, ...] = ()
    official: Mapping[str, str] = field(default_factory=dict)
    reading: Mapping[str, str] = field(default_factory=dict)
    corpus: str = ""

    @property
    def check_names(self) -> dict[str, list[str]]:
        """The names of the checks by criterion."""
        return {ident: [check.name for check in criterion.checks] for ident, criterion in self.criteria.items()}


@dataclass(frozen=True)
class Topic:
    """What one topic of an assignment asks and judges; the attributes are those of ``Assignment``."""

    probes: tuple[Probe, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    warnings: tuple[Callable[[Evidence], Sequence[GradeWarning]], ...] = ()
    measures: dict[str, Callable[[Evidence], float | None]] = field(default_factory=dict)
    forms: Mapping[str, Any] = field(default_factory=dict)


def joined(*topics: Topic, forms: Mapping[str, Any] | None = None) -> Topic:
    """Make one topic of several; ``forms`` are of operations that they share."""
    return Topic(
        tuple(probe for topic in topics for probe in topic.probes),
        tuple(criterion for topic in topics for criterion in topic.criteria),
        tuple(warning for topic in topics for warning in topic.warnings),
        {name: measure for topic in topics for name, measure in topic.measures.items()},
        {**(forms or {}), **{op: form for topic in topics for op, form in topic.forms.items()}},
    )


def default_name() -> str:
    """Where the assignment is that is graded where no other is named, as "module:name"."""
    name: str = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))["default_assignment"]
    return name


@cache
def default() -> Assignment:
    """The assignment that is graded where no other is named."""
    found = pkgutil.resolve_name(default_name())
    assert isinstance(found, Assignment)
    return found


def load(path: Path) -> Assignment:
    """Import an assignment from its file.

    Raises:
        GraderError: there is none.
    """
    spec = importlib.util.spec_from_file_location(f"assignment_{path.resolve().parent.name}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise GraderError(f"{path}: expected the Python file of an assignment")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found = getattr(module, "ASSIGNMENT", None)
    if not isinstance(found, Assignment):
        raise GraderError(f"{path}: expected it to define ASSIGNMENT, a grader.assignment.Assignment")
    return found
