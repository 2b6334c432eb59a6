"""When a student may see a grade: not before that student's own deadline has passed."""

from datetime import timedelta

from grader.gradebook.late import LatePolicy, when
from grader.gradebook.reader import GradedSubmission


def not_yet(entry: GradedSubmission, policy: LatePolicy, now: float) -> str:
    """Why a grade is held back from its student; empty where it is not.

    Args:
        policy: of the class.
        now: seconds since 1970.
    """
    extension = entry.student.extension if entry.student is not None else None
    deadline = policy.own_deadline(extension)
    if deadline is not None:
        return f"held back until {when(deadline)}, the student's own deadline" if now < deadline else ""
    if policy.deadline is not None:
        return "held back: the deadline has no time zone, write zone under [late] in the rubric"
    if isinstance(extension, timedelta):
        return "held back: it is not known when the extension ends, write deadline under [late] in the rubric"
    return ""
