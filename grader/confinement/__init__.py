"""The wall between the grader and a submission: workers are started, asked, timed and killed from here."""

from grader.confinement.cold import ColdWorkers
from grader.confinement.connection import Worker, Workers

__all__ = ["ColdWorkers", "Worker", "Workers"]
