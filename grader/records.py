"""The records that pass from stage to stage: intake, observation, verdict, grade.

All are frozen, and all but ``Submission`` survive a round trip through JSON (plus arrays), so that a
grade can be computed again from what was kept.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["value", "raised", "undefined", "crashed", "timeout", "memory", "forged", "unasked", "fault"]
CheckStatus = Literal["passed", "failed", "error", "skipped"]
CriterionStatus = Literal["passed", "partial", "failed", "missing", "blocked", "error"]
GradeStatus = Literal["graded", "needs_review", "rejected"]


@dataclass(frozen=True)
class Piece:
    """One top-level statement of a submission, with the place where its author finds it."""

    source: str  # the statement's text, magics removed
    file: str  # path inside the submission, "submission.ipynb" or "model.py"
    cell: int | None  # 1-based number among all cells of the notebook, None in a module
    line: int  # 1-based first line within the cell or the file
    postponed: bool = False  # its annotations are texts: the file says ``from __future__ import annotations``


@dataclass(frozen=True)
class Origin:
    """Where the definition of a name that counts was found."""

    file: str
    cell: int | None
    line: int
    module: str | None  # name of the submission's module, None for the notebook itself

    def __str__(self) -> str:
        place = f"{self.file}, cell {self.cell}" if self.cell is not None else self.file
        return f"{place}, line {self.line}"


@dataclass(frozen=True)
class Program:
    """What a worker executes: definitions and the values that they need, nothing else."""

    main: tuple[Piece, ...]  # from the notebook, in order
    modules: dict[str, tuple[Piece, ...]]  # by import name, from the .py files beside it
    names: dict[str, Origin]  # the assignment's names that are defined, and where
    # Module (None: the notebook) and statement: what makes the arguments of one call, in order, ending with the call.
    call: tuple[tuple[str | None, Piece], ...] = ()
    # By name that only statements would define which are never executed: which, and why, as the end of a sentence.
    undefined: dict[str, str] = field(default_factory=dict)
    # By name, cell and line of the notebook's last statement that comes to call it.
    called: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class CellLog:
    """The saved outputs of one code cell."""

    cell: int  # 1-based number among all cells
    source: str
    text: str  # what it printed, streams and text results joined, ANSI escapes removed
    errors: tuple[str, ...]  # "KeyboardInterrupt: " for every saved error output


@dataclass(frozen=True)
class SyntaxProblem:
    """A statement that the grader's Python cannot parse."""

    file: str
    cell: int | None
    line: int
    message: str  # what Python says of it
    names: tuple[str, ...]  # that it seems to define
    python: str = ""  # the version that can parse it, where it is a newer one

    def __str__(self) -> str:
        place = f"{self.file}, cell {self.cell}" if self.cell is not None else self.file
        if self.python:
            return f"{place}, line {self.line} needs Python {self.python} or newer, which this grader does not have"
        return f"{place}, line {self.line} cannot be parsed: {self.message}"


@dataclass(frozen=True)
class Submission:
    """A submission as it was frozen at intake."""

    name: str  # the student's key, from the file or folder name, never from inside
    path: Path  # what was handed in
    root: Path  # folder with the files of the submission, unpacked and size-limited
    sha256: str  # digest over names and bytes of all files
    notebook: str | None  # its path inside root
    program: Program
    cells: tuple[CellLog, ...]
    files: dict[str, Path]  # by file name: weights.pt, and the given files
    problems: tuple[str, ...] = ()  # what intake left out and why, a line each
    left_out: tuple[str, ...] = ()  # the files among it that hold names of the assignment, a line each
    syntax_errors: tuple[SyntaxProblem, ...] = ()


@dataclass(frozen=True)
class Frame:
    """One line of a traceback, in the student's code only."""

    file: str
    cell: int | None
    line: int
    function: str
    text: str


@dataclass(frozen=True)
class Raised:
    """An exception as the worker described it."""

    type: str
    bases: tuple[str, ...]  # names along the method resolution order, the type itself first
    message: str
    frames: tuple[Frame, ...] = ()
    at: str = ""  # the operation's line that it came from, where the operation did not describe it itself

    @property
    def is_to_do(self) -> bool:
        """Whether it says that something is still to be written.

        Student code raises NotImplementedError itself then, or lacks a method that torch asks for. torch raises the
        same where it cannot do what it is asked, as ``mean`` of whole numbers: that is a mistake like any other.
        """
        if "NotImplementedError" not in self.bases:
            return False
        by_torch = self.message.startswith(("Cannot copy out of meta tensor", "Could not run 'aten"))
        line = self.frames[-1].text if self.frames else ""
        # called as if it were a layer
        container = self.message.startswith(("Module [ModuleList]", "Module [ModuleDict]"))
        lacks_forward = "is missing the required" in self.message and not container
        return (not line and not by_torch and not container) or line.startswith("raise") or lacks_forward


NOT_OURS = "what came back from running your code was not written by the grader's own code, so it could not be judged"


@dataclass(frozen=True)
class Observation:
    """What a submission did when it was asked one thing: facts only."""

    outcome: Outcome
    value: Any = None  # nested dicts, lists, numbers, strings and numpy arrays
    raised: Raised | None = None
    detail: str = ""  # for the other outcomes, in words: "SIGSEGV in Model.forward"
    output: str = ""  # what it printed meanwhile, truncated, control characters removed
    seconds: float = 0.0
    frame: bytes | bytearray = b""  # the reply as it came over the wire: what is kept
    misfit: str = ""  # of a forged answer: what was expected, what came, and where in it; for instructors
    slip: str = ""  # of a fault: what is wrong with the operation or with the type of its answer; for instructors
    content: str = ""  # digest of all that it rests on, where it holds for every submission with the same


@dataclass(frozen=True)
class Measurement:
    """A score that was held against a threshold.

    Attributes:
        value: as it was measured.
        plus_minus: half the width of its 95 % interval.
        needed: the threshold.
    """

    value: float
    plus_minus: float
    needed: float

    @classmethod
    def of_share(cls, share: float, count: int, needed: float) -> "Measurement":
        """That of a share of some images: the normal interval of a proportion, ± 0.6 points for 88 % of 10,000."""
        return cls(share, round(1.96 * math.sqrt(share * (1 - share) / count), 6), needed)

    @property
    def near(self) -> bool:
        """Whether it is below the threshold by no more than chance may explain."""
        return self.value < self.needed <= self.value + self.plus_minus


@dataclass(frozen=True)
class CheckResult:
    name: str
    status: CheckStatus
    message: str = ""  # what was expected and what was seen
    hint: str = ""  # the likely cause and where to look
    measurement: Measurement | None = None  # of a check that holds a score against a threshold


@dataclass(frozen=True)
class Judgement:
    """The verdict on one criterion, before points; ``by`` is the criterion that blocks it."""

    status: CriterionStatus
    feedback: str
    results: tuple[CheckResult, ...]
    by: str = ""


@dataclass(frozen=True)
class CriterionResult:
    id: str
    part: int
    title: str
    points: float
    max_points: float
    status: CriterionStatus
    feedback: str
    checks: tuple[CheckResult, ...] = ()
    origin: Origin | None = None
    computed: "CriterionResult | None" = None  # where a person decided: what was computed beneath

    @property
    def near(self) -> str:
        """What a person should know of a score just below its threshold; empty where there is nothing."""
        if self.computed is not None or self.status not in ("failed", "partial"):
            return ""
        close = [check.measurement for check in self.checks if check.measurement and check.measurement.near]
        return "".join(
            f"{self.id}: {each.value:.2%} ± {100 * each.plus_minus:.1f} points, {each.needed:.0%} are needed"
            for each in close[:1]
        )

    @property
    def open(self) -> float:
        """Points that nobody has decided yet."""
        return self.max_points - self.points if self.status == "error" else 0.0

    @property
    def lost(self) -> float:
        """Points that are decided, and not earned."""
        return self.max_points - self.points - self.open


@dataclass(frozen=True)
class GradeWarning:
    code: str
    message: str


@dataclass(frozen=True)
class SimilarGroup:
    """Submissions each of which is nearly the same as another one of them.

    Attributes:
        keys: who, in alphabetical order.
        what: what they have in common: "code", names of checkpoints.
        least: the lowest score among the pairs that make the group.
    """

    keys: tuple[str, ...]
    what: tuple[str, ...]
    least: float

    @property
    def claim(self) -> str:
        """What they have in common, as the end of a sentence."""
        named = " and ".join(self.what)
        if self.least == 1:
            return f"share {named}"
        return f"have nearly the same {named} ({self.least:.2f}{' and more' * (len(self.keys) > 2)})"

    def __str__(self) -> str:
        if len(self.keys) == 2:
            return f"{self.keys[0]} and {self.keys[1]} {self.claim}"
        return f"these {len(self.keys)} {self.claim}: {', '.join(self.keys)}"


@dataclass(frozen=True)
class Adjustment:
    """Points that a person gave in place of those that were computed.

    Attributes:
        criterion: its id; "score" for the whole score of a submission that could not be graded.
        points: that count.
        was: points that were computed.
        why: the reason.
        by: who decided.
        at: when, in ISO 8601.
        comment: what the student reads instead of the reason, where it is given.
    """

    criterion: str
    points: float
    was: float
    why: str
    by: str
    at: str
    comment: str = ""


@dataclass(frozen=True)
class Grade:
    """One grade, of which ``grader.reports.written`` says what ``--json`` writes."""

    submission: dict[str, str]
    status: GradeStatus
    score: float
    max_score: float
    seed: int
    criteria: tuple[CriterionResult, ...]
    measured: dict[str, float] = field(default_factory=dict)
    warnings: tuple[GradeWarning, ...] = ()
    sandbox: dict[str, str] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    reason: str = ""  # why it was rejected or needs review
    given: str = ""  # SHA-256 of the given files that it was held against
    assignment: str = ""  # its name
    # In the assignment's words, and not in the JSON: titles of parts by number, and what measures are called.
    parts: Mapping[int, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    undecided: float = 0.0  # points of criteria in error: neither in the score nor lost
    adjustments: tuple[Adjustment, ...] = ()  # what people decided; the score holds it
    look_again: tuple[str, ...] = ()  # decisions beneath which something has changed since, a sentence each

    @property
    def to_look_at(self) -> tuple[str, ...]:
        """Why a person should look at it, a line for each reason."""
        undecided = (self.reason or self.status,) if self.status != "graded" else ()
        return (*undecided, *self.look_again, *(each.near for each in self.criteria if each.near))

    @property
    def told_reason(self) -> str:
        """The reason for its student: without the folders in which the grader found the submission."""
        return self.reason.replace(f"{self.submission['path']}: ", f"{Path(self.submission['path']).name}: ")

    @property
    def not_enforced(self) -> list[str]:
        """What nothing kept the submission's code from: "filesystem", "network" and so on."""
        return [wall for wall, how in self.sandbox.items() if how.startswith("not enforced")]

    @property
    def total(self) -> str:
        """The score in words: "78", or "78 + 10 open"."""
        return f"{self.score:g} + {self.undecided:g} open" if self.undecided else f"{self.score:g}"

    def _repr_html_(self) -> str:
        """What a notebook shows for it."""
        from grader.reports.html.inline import fragment  # noqa: PLC0415  slow to import, and only a notebook asks

        return fragment(self)
