"""Scores and comments to Canvas through its API, with ``canvasapi``; what is there already is not sent again.

Canvas itself is asked what it has before anything is sent, a student at a time, and score and comment of a student
travel in one request. So an interrupted run is repeated without harm, and nobody reads a comment twice.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from grader.errors import GraderError
from grader.exports.canvas import ASSIGNMENT
from grader.exports.result import ExportedGrade, words
from grader.exports.sheets import number
from grader.reports.text import printable


@dataclass(frozen=True)
class CanvasPlace:
    """Where grades go.

    Attributes:
        url: of the Canvas, "https://canvas.example.edu".
        course, assignment: their ids.
        token: of an instructor's account.
    """

    url: str
    course: str
    assignment: str
    token: str


def place(url: str | None, course: str | None, column: str | None, environment: Mapping[str, str] = os.environ
          ) -> CanvasPlace:  # fmt: skip
    """Where to send, by the command and by the variables CANVAS_API_URL and CANVAS_API_TOKEN.

    Args:
        column: the assignment's number, or its column's name, "Assignment 3 (12345)".

    Raises:
        GraderError: something is missing, or the token would travel in the clear.
    """
    url, token = url or environment.get("CANVAS_API_URL", ""), environment.get("CANVAS_API_TOKEN", "")
    named = ASSIGNMENT.fullmatch(column or "")
    assignment = named["id"] if named else column
    if not all(number and number.isascii() and number.isdigit() for number in (course, assignment)):
        raise GraderError("canvas --push: give --course and --column by their numbers, as in Canvas's addresses")
    if not url or not token.strip():
        missing = "CANVAS_API_TOKEN (a token of your account's)" if url else "CANVAS_API_URL, or --url"
        raise GraderError(f"canvas --push: set {missing}")
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")):
        raise GraderError(f"{url}: expected an https address: the token would travel in the clear")
    return CanvasPlace(url, str(course), str(assignment), token)


@dataclass(frozen=True)
class CanvasChange:
    """What is to be sent for one student; None where it is there already.

    Attributes:
        key: the student's.
        was: the score that Canvas has, in words; empty where it has none.
    """

    key: str
    was: str
    score: str | None
    comment: str | None
    submission: Any

    def __str__(self) -> str:
        score = f"score {self.was or 'none'} → {self.score}" if self.score is not None else ""
        return f"{self.key}: {', '.join(filter(None, [score, 'a comment' if self.comment is not None else '']))}"

    def send(self) -> None:
        """Send it, in one request.

        Raises:
            GraderError: Canvas refuses.
        """
        data: dict[str, Any] = {}
        if self.score is not None:
            data["submission"] = {"posted_grade": self.score}
        if self.comment is not None:
            data["comment"] = {"text_comment": self.comment}
        with _one_line(self.key):
            self.submission.edit(**data)


def plan(
    where: CanvasPlace, results: Sequence[ExportedGrade], comments: bool
) -> tuple[list[CanvasChange], dict[str, str]]:
    """Ask Canvas what it has, and say what is to be sent.

    Args:
        comments: whether students are told in a comment what was seen.

    Returns:
        what would change, and by student why nothing is sent.

    Raises:
        GraderError: Canvas cannot be asked, or the assignment there is worth another number of points.
    """
    with _one_line(where.url):
        course = _canvas(where).get_course(where.course)
        assignment = course.get_assignment(where.assignment)
        _expect_points(where, assignment, results)
        there = {str(each.user_id): each for each in assignment.get_submissions(include=["submission_comments"])}
    made, left = [], {}
    for result in results:
        submission = there.get(result.student or "")
        if submission is None:
            left[result.key] = "not among the students of this assignment in Canvas"
        elif result.excused or getattr(submission, "excused", False):
            left[result.key] = "excused, left as it was"
        elif not result.may_be_handed_on:
            left[result.key] = "left as it was: needs review (no score until a person has decided)"
        elif change := _change(result, submission, comments):
            made.append(change)
    return made, left


def _canvas(where: CanvasPlace) -> Any:
    try:
        from canvasapi import Canvas  # noqa: PLC0415  of an extra
    except ModuleNotFoundError:
        raise GraderError("canvas --push needs canvasapi: pip install 'vit-grade[canvas]'") from None
    return Canvas(where.url, where.token)


def _expect_points(where: CanvasPlace, assignment: Any, results: Sequence[ExportedGrade]) -> None:
    worth = getattr(assignment, "points_possible", None)
    most = max((result.grade.max_score for result in results), default=worth)
    if worth != most:
        raise GraderError(
            f"{where.url}: assignment {where.assignment} is worth {worth} points there, the grades are of {most:g}; "
            "nothing was sent"
        )


def _change(result: ExportedGrade, submission: Any, comments: bool) -> CanvasChange | None:
    entered = getattr(submission, "entered_score", None)  # before a late policy of Canvas's own
    was = entered if entered is not None else getattr(submission, "score", None)
    new, comment = number(result.points), _comment(result) if comments else None
    score = None if was is not None and number(was) == new else new
    said = {_plain(each.get("comment", "")) for each in getattr(submission, "submission_comments", [])}
    if comment is not None and _plain(comment) in said:
        comment = None
    if score is None and comment is None:
        return None
    return CanvasChange(result.key, "" if was is None else number(was), score, comment, submission)


def _comment(result: ExportedGrade) -> str:
    """What a student reads beside the score; a comment of Canvas's is plain text."""
    lines = [f"{result.total} of {result.grade.max_score:g} points", *words(result)]
    max_characters = 5_000
    return "\n".join(printable(line) for line in lines)[:max_characters]


def _plain(text: str) -> str:
    return " ".join(text.split())


@contextmanager
def _one_line(subject: str) -> Iterator[None]:
    """Turn what the library and the network raise into one line.

    Raises:
        GraderError: that line; the token is never in it.
    """
    try:
        yield
    except GraderError:
        raise
    except OSError as error:  # requests' own are
        raise GraderError(f"{subject}: Canvas cannot be reached: {type(error).__name__}") from None
    except Exception as error:  # canvasapi's, and what an answer that is none of Canvas's raises
        raise GraderError(f"{subject}: Canvas refused: {printable(f'{type(error).__name__}: {error}', 300)}") from None
