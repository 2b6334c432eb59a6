"""What stands for workers and data while a grade is computed from what was kept: nothing is asked, little is read."""

from functools import cached_property
from typing import Any

from grader.data import DataSet
from grader.errors import GraderError
from grader.pipeline import Options
from grader.records import Observation


class NewQuestion(BaseException):
    """Something has not been observed yet: the submission must be run. No error, so no firewall holds it."""


class NobodyToAsk:
    """Workers that are never started: a question that was not asked before is an exception."""

    forks = False
    sandbox: dict[str, str] = {}  # noqa: RUF012 (none is ever used)

    def open(self, program: dict[str, Any], files: str) -> "NobodyToAsk":
        return self

    def ask(self, op: str, args: dict[str, Any], seconds: float) -> Observation:
        raise NewQuestion(op)

    def close(self) -> None:
        return None


class DataWhenNeeded:
    """The assignment's data, loaded when an expected value needs it; where they cannot be had, that is tried once."""

    def __init__(self, options: Options) -> None:
        self.options = options

    @property
    def loaded(self) -> DataSet:
        if isinstance(self._loaded, GraderError):
            raise self._loaded.with_traceback(None)
        return self._loaded

    @cached_property
    def _loaded(self) -> DataSet | GraderError:
        try:
            return self.options.load_data()
        except GraderError as error:
            return error

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loaded, name)
