"""A class on the review desk, of grades written by hand, and a browser's way of asking for its pages."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from grader.desk.app import make
from grader.desk.desk import DeskOptions
from grader.gradebook.reader import GradebookReader
from grader.records import Grade
from tests import grades
from tests.gradebook.handmade import hand_in

PORT = 8123
TOKEN = "a-token"


def graded(out: Path, by_key: Mapping[str, Grade]) -> Path:
    """Keep grades in a gradebook; returns the folder that it is in."""
    for key, grade in by_key.items():
        hand_in(out, key, grade)
    return out


def undecided(name: str) -> Grade:
    """A grade in which two criteria could not be judged."""
    why = ("error", "the worker ended three times")
    grade = grades.grade(name, vit_model=why, application_knn=why)
    return dataclasses.replace(
        grade, status="needs_review", reason="not decided: vit.model, application.knn", warnings=()
    )


def plain(name: str, **statuses) -> Grade:
    """A grade that no person need look at."""
    return dataclasses.replace(grades.grade(name, **statuses), warnings=())


class Client:
    """A browser at the desk."""

    def __init__(self, out: Path, by: str = "Ada") -> None:
        app, self.guard = make(DeskOptions(out, by), PORT, TOKEN)
        self.client, self.out = app.test_client(), out
        self.host, self.origin = f"127.0.0.1:{PORT}", f"http://127.0.0.1:{PORT}"

    def get(self, path: str = "", **headers: str):
        return self.client.get(f"/{TOKEN}/{path}", headers={"Host": self.host, **headers})

    def post(self, path: str, data: Mapping[str, str] | None = None, **headers: str):
        return self.client.post(
            f"/{TOKEN}/{path}", data=data or {}, headers={"Host": self.host, "Origin": self.origin, **headers}
        )

    def row(self, key: str) -> int:
        """The number of a student's submission."""
        with GradebookReader(self.out) as reader:
            entry = reader.entry(key)
            assert entry is not None
            return entry.row.id

    def mark(self, key: str, criterion: str) -> str:
        """What the form of a criterion gives back."""
        page = self.get(f"submissions/{self.row(key)}").text
        return page.partition(f'name="criterion" value="{criterion}"><input type="hidden" name="mark" value="')[
            2
        ].partition('"')[0]

    def decide(
        self, key: str, criterion: str, points: object, why: str = "as I see it", mark: str | None = None, **more: str
    ):
        mark = self.mark(key, criterion) if mark is None else mark
        data = {"criterion": criterion, "points": str(points), "why": why, "mark": mark, **more}
        return self.post(f"submissions/{self.row(key)}/decisions", data)


def decisions(out: Path) -> list[tuple[str, str, float | None, str]]:
    """All that was decided: student, criterion, points, by whom."""
    with GradebookReader(out) as reader:
        return [(each.key, each.criterion, each.points, each.by) for each in reader.ledger.decisions()]
