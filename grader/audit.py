"""The audit: does every seeded fault cost what it should, and every correct variant nothing?

It grades the reference, the template, and the corpus in ``tests/corpus/``, which are edits of the
reference, and holds each grade against what the case says. An instructor runs it after a change of the
rubric or of a check.
"""

import ast
import copy
import importlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader import scoring, syntax
from grader.errors import GraderError, Rejected
from grader.evidence import Evidence, Kept
from grader.grading import Grader, Options, open_grader
from grader.records import CriterionResult, Grade

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "corpus"
SAMPLE = 500  # test images for accuracy and Precision@1: enough to tell a fault, an eighth of the time


@dataclass(frozen=True)
class Line:
    """One case and what became of it."""

    id: str
    kind: str  # reference, template, fault, variant
    costs: tuple[str, ...]  # criteria that it should cost
    lost: tuple[str, ...]  # criteria that it did cost
    checks: tuple[str, ...]  # checks that failed, "vit.model/cls_token"
    named: bool  # the message holds the case's key word
    complaints: tuple[str, ...]  # what is wrong; empty when all is as it should be
    grade: Grade


Told = Callable[[Line], None]
SCORES = ("checkpoint.classifier", "checkpoint.embeddings")  # what takes longest
MODEL = {"vit_model.py", "hyperparameters.py", "vit_classifier.pt", "vit_embeds.pt"}
UNTRAINED = ("vit.accuracy", "contrastive.precision")  # what a variant loses whose checkpoints nobody has trained


def run(
    options: Options, jobs: int = 2, only: str | Collection[str] = "", told: Told = lambda line: None
) -> list[Line]:
    """Grade every case.

    Args:
        options: how to grade; the seed is 1 where there is none.
        jobs: how many at the same time.
        only: part of the ids of the cases wanted, or all their ids.
        told: called with each line as it is there.
    """
    seed = 1 if options.seed is None else options.seed
    cases = _cases(only)
    if not cases:
        raise GraderError(f"no case of the audit has {only!r} in its name; nothing was audited")
    grader = open_grader(replace(options, sample=SAMPLE, seed=seed, train="never", threads=1))
    try:
        auditor = Auditor(grader, seed)
        with ThreadPoolExecutor(jobs) as pool:
            lines = []
            for line in pool.map(lambda case: auditor.line(*case), cases):
                told(line)
                lines.append(line)
            return lines
    finally:
        grader.close()


def _cases(only: str | Collection[str]) -> list[tuple[str, Any]]:
    faults, variants = _corpus().load()
    everything: Iterable[tuple[str, Any]] = [
        ("reference", None), ("template", None),
        *(("fault", case) for case in faults), *(("variant", case) for case in variants),
    ]  # fmt: skip
    named = ((pair[1].id if pair[1] else pair[0], pair) for pair in everything)
    return [pair for ident, pair in named if (only in ident if isinstance(only, str) else ident in only)]


def _corpus() -> Any:
    if not CORPUS.is_dir():
        raise GraderError(f"{ROOT}: the audit needs a checkout with tests/corpus, an installed copy has none")
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    return importlib.import_module("tests.corpus")


def styles(folder: Path) -> dict[str, Path]:
    """Write the variants that look least like the reference, a folder each."""
    variants = _corpus().load()[1]
    made: dict[str, Path] = _corpus().styles.build(folder, variants, apply, ROOT / "reference")
    return made


class Auditor:
    """Grades cases. What the reference's checkpoints score is computed once for all that leave its models alone."""

    def __init__(self, grader: Grader, seed: int) -> None:
        self.grader, self.seed = grader, seed
        self.reference = self._seen(ROOT / "reference", {})[1]

    def line(self, kind: str, case: Any) -> Line:
        """Grade one case and hold the grade against what it says."""
        if case is None:
            return judge(kind, case, self._seen(ROOT / ("student" if kind == "template" else "reference"), {})[0])
        with tempfile.TemporaryDirectory(prefix="vit-audit-") as folder:
            submission = Path(folder) / case.id
            apply(case.edits, ROOT / "reference", submission)
            if (
                (kind == "variant" or not case.costs)
                and "vit_model.py" in case.edits
                and not _corpus().transplant(submission)
            ):
                case = replace(case, costs=UNTRAINED)
            return judge(kind, case, self._seen(submission, self._kept(case.edits, submission), case.switches)[0])

    def _seen(
        self, path: Path, kept: dict[str, Kept], switches: dict[str, bool] | None = None
    ) -> tuple[Grade, Evidence | None]:
        grader = copy.copy(self.grader)
        grader.rubric = replace(grader.rubric, **(switches or {}))  # type: ignore[arg-type]
        with tempfile.TemporaryDirectory(prefix="vit-audit-") as workspace:
            try:
                submission = grader.open(path, Path(workspace))
            except Rejected as reason:
                return grader.rejected(path, None, self.seed, str(reason), 0.0), None
            seen = grader.observe(submission, self.seed, kept=kept)
            return scoring.grade(seen, grader.workers.sandbox, {}), seen

    def _kept(self, edits: dict[str, Any], submission: Path) -> dict[str, Kept]:
        """Answers of the reference that hold for a case: same models, same checkpoints, and the same question."""
        if MODEL & set(edits) or self.reference is None:
            return {}
        own = "get_embeddings"
        same = _definition(submission, own) == _definition(ROOT / "reference", own)
        return {probe: kept(self.reference, probe) for probe in SCORES if same or probe != "checkpoint.embeddings"}


def kept(seen: Evidence, probe: str) -> Kept:
    """The answer to a probe, for another grade in which the same is asked."""
    observation = seen[probe].observation
    return Kept(lambda: observation, seen.asked.get(probe, ""), sure=False, seconds=0.0)


def _definition(folder: Path, name: str) -> str:
    """The text of all definitions of a name, and of what else runs when their module is imported."""
    tree = syntax.parse((folder / "contrastive.py").read_bytes())
    others = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name != name]
    return "\n".join(ast.dump(node) for node in tree.body if node not in others)


def apply(edits: dict[str, Any], reference: Path, target: Path) -> None:
    """Make a copy of the reference with edits.

    Raises:
        GraderError: a text to replace does not stand in the reference exactly once.
    """
    shutil.copytree(reference, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name, edit in edits.items():
        path = target / name
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


def judge(kind: str, case: Any, grade: Grade) -> Line:
    """Hold a grade against what the case says."""
    costs = tuple(case.costs) if case else tuple(c.id for c in grade.criteria) if kind == "template" else ()
    lost = tuple(c.id for c in grade.criteria if c.lost and not _follows(c, costs))
    failed = tuple(f"{c.id}/{r.name}" for c in grade.criteria for r in c.checks if r.status == "failed")
    said = " ".join(
        [*(c.feedback for c in grade.criteria if c.id in costs), *(w.message for w in grade.warnings)]
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
    return Line(ident, kind, costs, lost, failed, named, tuple(complaints), grade)


def _follows(found: CriterionResult, costs: tuple[str, ...]) -> bool:
    """Whether a criterion only waits for one that the fault costs, and says so."""
    return found.id not in costs and found.status == "blocked" and any(f"of {c}:" in found.feedback for c in costs)


def _feedback(grade: Grade, criterion: str) -> str:
    return next(f"{c.status}: {c.feedback[:200]}" for c in grade.criteria if c.id == criterion)


def unneeded(lines: list[Line], checks: Iterable[str]) -> list[str]:
    """Checks that no fault needs: nothing but them failed nowhere, and they failed nowhere."""
    failed = {check for line in lines if line.kind == "fault" for check in line.checks}
    return [check for check in checks if check not in failed]


def matrix(lines: list[Line], checks: list[str]) -> str:
    """Checks against faults as CSV: 1 where the check failed on the fault."""
    rows = [",".join(["case", *checks])]
    rows += [",".join([line.id, *("1" if check in line.checks else "" for check in checks)]) for line in lines]
    return "\n".join(rows) + "\n"
