"""Intake: open a submission, freeze it, and gather the definitions that are graded.

Parsing happens in a short-lived process with limits (``reading``); nothing of a submission is executed.
"""

from grader.errors import Rejected
from grader.intake.classes import Found, find_submissions
from grader.intake.opening import open_submission
from grader.intake.reading.limits import IntakeLimits

__all__ = ["Found", "IntakeLimits", "Rejected", "find_submissions", "open_submission"]
