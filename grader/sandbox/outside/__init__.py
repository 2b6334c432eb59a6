"""The wall between the grader and a submission: workers are started, asked, timed and killed from here."""

from grader.sandbox.outside.choose import choose_workers
from grader.sandbox.outside.cold import ColdWorkers
from grader.sandbox.outside.connection import Worker, Workers

__all__ = ["ColdWorkers", "Worker", "Workers", "choose_workers"]
