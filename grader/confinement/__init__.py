"""The wall between the grader and a submission: workers are started, asked, timed and killed from here."""

from grader.confinement.choose import choose_workers
from grader.confinement.cold import ColdWorkers
from grader.confinement.connection import Worker, Workers
from grader.confinement.warm import WarmWorkers

__all__ = ["ColdWorkers", "WarmWorkers", "Worker", "Workers", "choose_workers"]
