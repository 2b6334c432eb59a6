"""The audit: does every seeded fault cost what it should, and every correct variant nothing?

It grades an assignment's reference, its template, and its corpus, which are edits of the reference, and holds each
grade against what the case says. An instructor runs it after a change of the rubric or of a check.
"""

import ast
import copy
import importlib
import shutil
import tempfile
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grader import firewall, scoring, syntax
from grader.assignment import Assignment
from grader.errors import GraderError, Rejected
from grader.evidence import Evidence, KeptAnswer
from grader.mistakes import unfit_fields
from grader.pipeline import Grader, Options, open_grader
from grader.records import CriterionResult, Grade
from grader.sentences import did_you_mean, for_students, objections, sentence


@dataclass(frozen=True)
class Case:
    """An edit of the reference.

    Args:
        id: unique, and says what is wrong or how it is written: "model.mask_missing".
        edits: by file name: a new whole text (str or bytes), a list of (old, new) replacements in the
            reference's text, None to delete the file, or a function of the reference's bytes that
            gives new bytes.
        costs: criteria that lose points; empty for a correct variant.
        word: a key word that the message or hint of a criterion in ``costs`` must hold; of a correct variant, any remark.
        warns: warning codes that must be there.
        switches: of the rubric, where they are not as it has them: {"strict": True}.
    """

    id: str
    edits: dict[str, Any] = field(hash=False)
    costs: tuple[str, ...] = ()
    word: str = ""
    warns: tuple[str, ...] = ()
    switches: dict[str, bool] = field(default_factory=dict, hash=False)


def with_classes(new: Mapping[str, str], imports: str, reference: bytes) -> bytes:
    """Write some classes of a file another way.

    Args:
        new: by the name of a class, its new source; what stands before the class there goes with it.
        imports: statements that the new sources need, put before those of the file.
    """
    text = reference.decode()
    lines, body = text.splitlines(keepends=True), syntax.parse(text).body
    classes = [node for node in body if isinstance(node, ast.ClassDef) and node.name in new]
    assert len(classes) == len(new), f"the reference has not all of {', '.join(new)}"
    for node in reversed(classes):
        lines[node.lineno - 1 : node.end_lineno] = [textwrap.dedent(new[node.name]).strip() + "\n"]
    first = next(node.lineno for node in body if isinstance(node, ast.Import | ast.ImportFrom))
    return "".join((*lines[: first - 1], imports, *lines[first - 1 :])).encode()


@dataclass(frozen=True)
class AuditedCase:
    """One case and what became of it."""

    id: str
    kind: str  # reference, template, fault, variant
    costs: tuple[str, ...]  # criteria that it should cost
    lost: tuple[str, ...]  # criteria that it did cost
    checks: tuple[str, ...]  # checks that failed, "model.layers/count"
    named: bool  # the message holds the case's key word
    complaints: tuple[str, ...]  # what is wrong; empty when all is as it should be
    grade: Grade


OnCase = Callable[[AuditedCase], None]


def run(
    options: Options,
    jobs: int = 2,
    only: str | Collection[str] = "",
    told: OnCase = lambda line: None,
    parts: bool = False,
) -> list[AuditedCase]:
    """Grade every case.

    Args:
        options: how to grade; the seed is 1 where there is none.
        jobs: how many at the same time.
        only: part of the ids of the cases wanted, or all their ids.
        told: called with each line as it is there.
        parts: take from the reference what the modules that a case edits are not part of: quicker, and blind to what one
            module does to another behind its back.
    """
    seed = 1 if options.seed is None else options.seed
    cases = _cases(options.assignment, only)
    if not cases:
        raise GraderError(f"no case of the audit has {only!r} in its name; nothing was audited")
    sample = 500  # test images for accuracy and Precision@1: enough to tell a fault, an eighth of the time
    grader = open_grader(replace(options, sample=sample, seed=seed, train="never", threads=1))
    try:
        auditor = Auditor(grader, seed, parts)
        with ThreadPoolExecutor(jobs) as pool:
            lines = []
            for line in pool.map(lambda case: auditor.line(*case), cases):
                told(line)
                lines.append(line)
            return lines
    finally:
        grader.close()


def _cases(assignment: Assignment, only: str | Collection[str]) -> list[tuple[str, Any]]:
    faults, variants = corpus_of(assignment).load()
    everything: Iterable[tuple[str, Any]] = [
        ("reference", None), *([("template", None)] if assignment.template else []),
        *(("fault", case) for case in faults), *(("variant", case) for case in variants),
    ]  # fmt: skip
    for case in (*faults, *variants):
        for mistake in unfit_fields(case):
            raise GraderError(f"case {case.id}: {mistake}")
        for unknown in set(case.costs) - set(assignment.criteria):
            meant = did_you_mean(unknown, assignment.criteria)
            raise GraderError(f"case {case.id}: costs {unknown}: there is no such criterion{meant}")
    named = ((pair[1].id if pair[1] else pair[0], pair) for pair in everything)
    return [pair for ident, pair in named if (only in ident if isinstance(only, str) else ident in only)]


def corpus_of(assignment: Assignment) -> Any:
    """The module with an assignment's faults and variants.

    It has ``load() -> (faults, variants)``, and may have ``fit_checkpoints(case, submission)``, which makes a variant's
    checkpoints fit and tells what it costs; ``same_answers(edits, submission, reference, parts)``, which names the probes
    whose answers are the reference's; ``styles.build(...)``, which writes the variants that look least like it.

    Raises:
        GraderError: the assignment has none, or this copy was installed without it.
    """
    if not assignment.corpus:
        raise GraderError(f"the assignment {assignment.name!r} has no corpus; nothing was audited")
    try:
        corpus = importlib.import_module(assignment.corpus)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == assignment.corpus:
            raise GraderError(f"the audit needs a checkout, this installed copy has no {assignment.corpus}") from None
        raise GraderError(f"{assignment.folder}: the corpus cannot be imported: {firewall.words(error)}") from error
    if not callable(getattr(corpus, "load", None)):
        raise GraderError(f"{corpus.__file__}: expected a function load, which gives (faults, variants)")
    return corpus


def styles(assignment: Assignment, folder: Path) -> dict[str, Path]:
    """Write the variants that look least like an assignment's reference, a folder each; none where it has no corpus."""
    corpus = corpus_of(assignment) if assignment.corpus else None
    if corpus is None or not hasattr(corpus, "styles"):
        return {}
    made: dict[str, Path] = corpus.styles.build(folder, corpus.load()[1], apply, assignment.reference)
    return made


class Auditor:
    """Grades cases. What the reference answers is taken for all that a case leaves alone."""

    def __init__(self, grader: Grader, seed: int, parts: bool) -> None:
        self.grader, self.seed, self.parts = grader, seed, parts
        self.corpus = corpus_of(grader.assignment)
        assert grader.assignment.reference is not None
        self.folder = grader.assignment.reference
        self.reference = self._seen(self.folder, {})[1]

    def line(self, kind: str, case: Any) -> AuditedCase:
        """Grade one case and hold the grade against what it says."""
        if case is None:
            return self._judged(kind, case, self._seen(self._whole(kind), {}))
        with tempfile.TemporaryDirectory(prefix="vit-grade-audit-") as folder:
            submission = Path(folder) / case.id
            self._apply(case, submission)
            if kind == "variant" or not case.costs:
                case = replace(case, costs=self._costs(case, submission))
            return self._judged(kind, case, self._seen(submission, self._kept(case.edits, submission), case.switches))

    def _apply(self, case: Case, submission: Path) -> None:
        try:
            apply(case.edits, self.folder, submission)
        except GraderError as error:
            raise GraderError(f"case {case.id}: {error}") from None

    def _judged(self, kind: str, case: Any, seen: tuple[Grade, Evidence | None]) -> AuditedCase:
        """Hold a grade against the case, and its sentences against what students should not read."""
        grade, evidence = seen
        line = judge(kind, case, grade)
        operations = {probe.op for probe in self.grader.assignment.probes if "." in probe.op}
        unfit = [
            f"{where} says {why}" for where, words in texts_for_students(grade) for why in objections(words, operations)
        ]
        if line.complaints and evidence is not None:
            answers = {probe: answer.observation for probe, answer in evidence.answers.items()}
            unfit += [
                f"the answer to {probe} does not fit: {each.misfit}" for probe, each in answers.items() if each.misfit
            ]
        return replace(line, complaints=(*line.complaints, *unfit))

    def _seen(
        self, path: Path, kept: dict[str, KeptAnswer], switches: dict[str, bool] | None = None
    ) -> tuple[Grade, Evidence | None]:
        grader = copy.copy(self.grader)
        grader.rubric = replace(grader.rubric, **(switches or {}))  # type: ignore[arg-type]
        with tempfile.TemporaryDirectory(prefix="vit-grade-audit-") as workspace:
            try:
                submission = grader.open(path, Path(workspace))
            except Rejected as reason:
                return grader.rejected(path, None, self.seed, str(reason), 0.0), None
            evidence = grader.observe(submission, self.seed, kept=kept)
            return scoring.grade(evidence, grader.workers.sandbox, {}), evidence

    def _costs(self, case: Case, submission: Path) -> tuple[str, ...]:
        """What a variant costs once its checkpoints are made to fit, where the assignment has some."""
        fit = getattr(self.corpus, "fit_checkpoints", lambda case, submission: case.costs)
        return tuple(fit(case, submission))

    def _kept(self, edits: dict[str, Any], submission: Path) -> dict[str, KeptAnswer]:
        """Answers of the reference that hold for a case: the same code, checkpoints and question."""
        if self.reference is None:
            return {}
        same_answers = getattr(self.corpus, "same_answers", lambda *_: ())
        probes = same_answers(edits, submission, self.folder, self.parts)
        return {probe: kept(self.reference, probe) for probe in probes}

    def _whole(self, kind: str) -> Path:
        """The folder of the reference or of the template."""
        template = self.grader.assignment.template
        return template if kind == "template" and template is not None else self.folder


def texts_for_students(grade: Grade) -> Iterator[tuple[str, str]]:
    """Where each text of a grade stands that its student reads, and the text."""
    for criterion in grade.criteria:
        yield criterion.id, criterion.feedback
        for check in criterion.checks:
            yield f"{criterion.id}/{check.name}", sentence(check.message, check.hint)
    yield from ((warning.code, warning.message) for warning in for_students(grade.warnings))


def kept(evidence: Evidence, probe: str) -> KeptAnswer:
    """The answer to a probe, for another grade in which the same is asked."""
    observation = evidence[probe].observation
    return KeptAnswer(lambda: observation, evidence[probe].asked, code_unchanged=False, seconds=0.0)


def apply(edits: dict[str, Any], reference: Path, target: Path) -> None:
    """Make a copy of the reference with edits.

    Raises:
        GraderError: the reference has not the file, or a text to replace not exactly once.
    """
    shutil.copytree(reference, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name, edit in edits.items():
        path = target / name
        if not isinstance(edit, str | bytes) and not path.exists():
            raise GraderError(f"{name}: the reference has no such file to edit")
        if edit is None:
            path.unlink()
        elif callable(edit):
            path.write_bytes(edit((reference / name).read_bytes()))
        elif isinstance(edit, str | bytes):
            path.write_bytes(edit.encode() if isinstance(edit, str) else edit)
        else:
            path.write_text(_replaced(path, edit), encoding="utf-8")


def _replaced(path: Path, edit: list[tuple[str, str]]) -> str:
    text = path.read_text(encoding="utf-8")
    for old, new in edit:
        if text.count(old) != 1:
            raise GraderError(f"{path.name}: {old.strip()[:60]!r} stands there {text.count(old)} times, expected once")
        text = text.replace(old, new)
    return text


def judge(kind: str, case: Any, grade: Grade) -> AuditedCase:
    """Hold a grade against what the case says."""
    costs = tuple(case.costs) if case else tuple(c.id for c in grade.criteria) if kind == "template" else ()
    lost = tuple(c.id for c in grade.criteria if c.lost and not _follows(c, costs))
    failed = tuple(f"{c.id}/{r.name}" for c in grade.criteria for r in c.checks if r.status == "failed")
    said = " ".join(
        [*(c.feedback for c in grade.criteria if c.id in costs or not costs), *(w.message for w in grade.warnings)]
    ).lower()
    named = not case or case.word.lower() in said
    complaints = [f"does not cost {c}" for c in costs if c not in lost]
    complaints += [f"costs {c} as well: {_feedback(grade, c)}" for c in lost if c not in costs]
    codes, expected = {warning.code for warning in grade.warnings}, set(case.warns if case else ())
    complaints += [f"no warning {code}" for code in sorted(expected - codes)]
    complaints += [f"warns {w.code} as well: {w.message}" for w in grade.warnings if w.code not in expected]
    complaints += [f"{c.id} is in error: {c.feedback}" for c in grade.criteria if c.status == "error"]
    if grade.status == "rejected":
        complaints.append(f"rejected: {grade.reason}")
    if kind == "template":
        complaints += [f"{c.id} is {c.status}" for c in grade.criteria if c.status not in ("missing", "blocked")]
    if not named:
        complaints.append(f"the message does not hold {case.word!r}: {said[:300]}")
    ident = case.id if case else kind
    return AuditedCase(ident, kind, costs, lost, failed, named, tuple(complaints), grade)


def _follows(found: CriterionResult, costs: tuple[str, ...]) -> bool:
    """Whether a criterion only waits for one that the fault costs, and says so."""
    return found.id not in costs and found.status == "blocked" and any(f"of {c}:" in found.feedback for c in costs)


def _feedback(grade: Grade, criterion: str) -> str:
    return next(f"{c.status}: {c.feedback[:200]}" for c in grade.criteria if c.id == criterion)


def unneeded(lines: list[AuditedCase], checks: Iterable[str]) -> list[str]:
    """Checks that no fault needs: nothing but them failed nowhere, and they failed nowhere."""
    failed = {check for line in lines if line.kind == "fault" for check in line.checks}
    return [check for check in checks if check not in failed]


def matrix(lines: list[AuditedCase], checks: list[str]) -> str:
    """Checks against faults as CSV: 1 where the check failed on the fault."""
    rows = [",".join(["case", *checks])]
    rows += [",".join([line.id, *("1" if check in line.checks else "" for check in checks)]) for line in lines]
    return "\n".join(rows) + "\n"
