"""Grades made by hand, for the tests of what becomes of them."""

from grader import rubric
from grader.assignments.vit.assignment import VIT
from grader.records import CheckResult, CriterionResult, CriterionStatus, Grade, GradeWarning, Origin

WALLS = {"filesystem": "a private root", "network": "none", "syscalls": "a filter", "limits": "memory, time"}
RUBRIC = rubric.tomllib.loads(VIT.rubric.read_text())["criteria"]
CHECK = {"passed": "passed", "partial": "failed", "failed": "failed", "error": "error"}


def criterion(entry: dict, status: CriterionStatus = "passed", feedback: str = "as it should be") -> CriterionResult:
    points = {"passed": entry["points"], "partial": entry["points"] / 2}.get(status, 0)
    result = CheckResult("shape", CHECK.get(status, "skipped"), feedback, "Look there." if status == "failed" else "")
    origin = None if status == "missing" else Origin("submission.ipynb", 3, 7, None)
    return CriterionResult(
        entry["id"], entry["part"], entry["title"], points, entry["points"], status, feedback, (result,), origin
    )


def grade(name: str = "ab12", **statuses: tuple[CriterionStatus, str]) -> Grade:
    """A grade in which all passed but ``vit_model=("failed", "why")`` for ``vit.model``, and so on."""
    changed = {key.replace("_", ".", 1): value for key, value in statuses.items()}
    criteria = tuple(criterion(entry, *changed.get(entry["id"], ())) for entry in RUBRIC)
    return Grade(
        submission={"name": name, "path": f"class/{name}.zip", "sha256": "0" * 64},
        status="graded",
        score=sum(result.points for result in criteria),
        undecided=sum(result.open for result in criteria),
        max_score=100.0,
        seed=1234,
        criteria=criteria,
        measured={"accuracy": 0.8912, "precision_at_1": 0.8123},
        warnings=(GradeWarning("log.stale", "the log is of another run"),),
        sandbox=WALLS,
        timings={"total": 6.21234},
        labels=VIT.shown_measures,
    )


def rejected(name: str = "ab12", reason: str = "not a notebook") -> Grade:
    return Grade(
        submission={"name": name, "path": f"{name}.ipynb", "sha256": ""},
        status="rejected", score=0.0, max_score=100.0, seed=1, criteria=(), reason=reason,
    )  # fmt: skip
