"""What one assignment brings. The engine names none; ``finding`` finds them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from grader import rubric as rubrics
from grader.data import DataSet, no_data
from grader.evidence import Evidence, Probe
from grader.judging import Criterion
from grader.observations import Answered
from grader.records import GradeWarning, Submission
from grader.sandbox.inside.plan import Limits


@dataclass(frozen=True)
class Assignment:
    """All that belongs to one assignment; the engine knows nothing else of it.

    Attributes:
        name: short, for file names and digests.
        rubric: points and thresholds, where no other file is named; it lies in the assignment's folder.
        parts: the title of each part, by its number in the rubric.
        wanted: names that a submission defines.
        provided: names that the worker supplies, as set-up cells of a notebook do; definitions may build a data set whose
            class is among them.
        never_called: functions whose top-level calls are never executed at intake.
        ops: modules, or files, that register the operations its probes ask for; they run beside student code.
        probes: in the order in which they are asked; one whose answer is looked at earlier is asked then.
        criteria: by id.
        warnings: functions that give warnings for the instructor.
        measures: shares from 0 to 1 that are shown with a grade, by name; each may be None. A threshold of the rubric
            with the same name is shown beside it, and pages of a class draw the first two against each other.
        labels: what pages call a measure; its name where there is none.
        forms: by operation, the type of its answer.
        data: loads the data that its probes use, from the folder that ``--data`` names.
        modules: the modules that the template consists of, where a name that several define is looked for first.
        worker_memory: bytes that the process with one submission may use.
        libraries: distributions that students write in: a release asks for them.
        traced: the function whose call in the notebook is looked for, with what makes its arguments.
        reference: a right submission, which tells slow code from a slow machine.
        template: the folder that students begin with; generated from the reference.
        readme: what students get as the README of a release.
        given: the files that the course hands out and students leave as they are; students get those with a release that
            lie elsewhere than in the assignment's folder.
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
    forms: Mapping[str, Answered] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[int, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ("torch",)
    worker_memory: int = Limits.memory
    data: Callable[[Path | None], DataSet] = no_data
    traced: str = ""
    reference: Path | None = None
    template: Path | None = None
    readme: Path | None = None
    given: tuple[Path, ...] = ()
    check_given: Callable[[Mapping[str, str], str], None] | None = None
    generated: Callable[[Mapping[str, str]], dict[Path, str]] = lambda template: {}
    figures: tuple[str, ...] = ()
    cells: Mapping[str, Callable[[Submission], Iterable[int]]] = field(default_factory=dict)
    trained: tuple[str, ...] = ()
    official: Mapping[str, str] = field(default_factory=dict)
    reading: Mapping[str, str] = field(default_factory=dict)
    corpus: str = ""

    @cached_property
    def probe_ids(self) -> frozenset[str]:
        """The names by which checks look at answers; loading the submission is the engine's own question."""
        return frozenset({"load", *(probe.id for probe in self.probes)})

    @property
    def shown_measures(self) -> dict[str, str]:
        """By measure, what pages call it."""
        return {name: self.labels.get(name, name.replace("_", " ")) for name in self.measures}

    @property
    def folder(self) -> Path:
        """Where its code and its rubric lie."""
        return self.rubric.parent

    @property
    def check_names(self) -> dict[str, list[str]]:
        """The names of the checks by criterion."""
        return {ident: [check.name for check in criterion.checks] for ident, criterion in self.criteria.items()}

    def probes_for(self, only: Collection[str] | None) -> tuple[Probe, ...]:
        """The probes that judging some criteria takes, those of the criteria that they need included; all for None."""
        if only is None:
            return self.probes
        wanted = set(only)
        while True:
            probes = tuple(probe for probe in self.probes if probe.wanted(wanted))
            needing: list[Probe | Criterion] = [*probes]
            needing += [self.criteria[ident] for ident in wanted & self.criteria.keys()]
            needed = {ident for each in needing for ident in each.needs}
            if needed <= wanted:
                return probes
            wanted |= needed

    @property
    def thresholds(self) -> dict[str, str]:
        """By criterion that has a score, the threshold of the rubric that it is held against."""
        return {ident: criterion.threshold for ident, criterion in self.criteria.items() if criterion.threshold}

    @property
    def threshold_names(self) -> set[str]:
        """The thresholds that a rubric may have: those of its own rubric, which checks read, and of scores and measures."""
        own = rubrics.read(self.rubric).get("thresholds")
        return {*(own if isinstance(own, dict) else ()), *self.thresholds.values(), *self.measures}


@dataclass(frozen=True)
class Topic:
    """What one topic of an assignment asks and judges; the attributes are those of ``Assignment``."""

    probes: tuple[Probe, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    warnings: tuple[Callable[[Evidence], Sequence[GradeWarning]], ...] = ()
    measures: dict[str, Callable[[Evidence], float | None]] = field(default_factory=dict)
    forms: Mapping[str, Answered] = field(default_factory=dict)


def joined(*topics: Topic, forms: Mapping[str, Answered] | None = None) -> Topic:
    """Make one topic of several; ``forms`` are of operations that they share."""
    return Topic(
        tuple(probe for topic in topics for probe in topic.probes),
        tuple(criterion for topic in topics for criterion in topic.criteria),
        tuple(warning for topic in topics for warning in topic.warnings),
        {name: measure for topic in topics for name, measure in topic.measures.items()},
        {**(forms or {}), **{op: form for topic in topics for op, form in topic.forms.items()}},
    )
