"""What Gradescope tells an autograder of a submission: ``submission_metadata.json``."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from grader.errors import GraderError
from grader.gradebook.late import Lateness, LatePolicy, when


class User(msgspec.Struct):
    """One of those who handed in together."""

    email: str = ""
    name: str = ""


class GradescopeAssignment(msgspec.Struct):
    due_date: datetime | None = None
    late_due_date: datetime | None = None


class EarlierSubmission(msgspec.Struct):
    """What was handed in before, and what this grader said of it then."""

    submission_time: datetime
    score: float | None = None
    autograder_error: bool = False
    results: dict[str, Any] | None = None

    @property
    def points(self) -> dict[str, float]:
        """Points by criterion, as far as they can be read."""
        tests = (self.results or {}).get("tests")
        found = {}
        for test in tests if isinstance(tests, list) else []:
            tags, score = (test.get("tags"), test.get("score")) if isinstance(test, dict) else (None, None)
            if isinstance(tags, list) and tags and isinstance(score, int | float):
                found[str(tags[0])] = float(score)
        return found


class HandedIn(msgspec.Struct):
    """A submission as Gradescope took it in.

    Attributes:
        created_at: when it was handed in.
        users: who handed it in, several for a group.
        previous_submissions: of the same users.
    """

    created_at: datetime
    assignment: GradescopeAssignment
    users: list[User] = []
    previous_submissions: list[EarlierSubmission] = []

    @property
    def who(self) -> str:
        """Those who handed it in, by name."""
        return ", ".join(user.name or user.email for user in self.users)

    def lateness(self, policy: LatePolicy, max_score: float) -> Lateness:
        """What lateness costs by the rubric; Gradescope's deadline holds, the rubric's where there is none."""
        days = policy.days(None, self.created_at.timestamp(), extension=self.assignment.due_date)
        return policy.lateness(days, None, max_score)

    def told(self, lateness: Lateness) -> list[str]:
        """Who handed in, and when, a line each."""
        due, late = self.assignment.due_date, self.assignment.late_due_date
        lines = [f"Handed in by {self.who}, {when(self.created_at.timestamp())}"] if self.who else []
        if lateness.days and due is not None:
            until = f", late submissions until {when(late.timestamp())}" if late is not None else ""
            lines.append(f"Due {when(due.timestamp())}{until}")
        return lines

    def latest_before(self) -> EarlierSubmission | None:
        """The latest earlier submission that was graded."""
        graded = [e for e in self.previous_submissions if e.score is not None and not e.autograder_error]
        return max(graded, key=lambda each: each.submission_time.timestamp(), default=None)


def read(path: Path) -> HandedIn:
    """Read the file.

    Raises:
        GraderError: it is not there, or not as Gradescope writes it.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=HandedIn, strict=False)
    except OSError as error:
        raise GraderError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise GraderError(f"{path}: expected Gradescope's submission_metadata.json: {error}") from None
