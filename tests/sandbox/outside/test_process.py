"""Workers whose process is lost, or was never started."""

from typing import Any

import pytest

from grader.errors import GraderError
from grader.sandbox.inside.plan import Limits
from grader.sandbox.outside.cold import ColdWorkers
from grader.sandbox.outside.connection import Connection, WorkerLost
from grader.sandbox.outside.process import Operations, ProcessWorker


class BusyConnection(Connection):
    """The machine is too busy for any answer."""

    def __init__(self) -> None:
        return None

    def exchange(self, *args: Any) -> Any:
        raise WorkerLost("fault", "this machine is too busy")

    def close(self) -> None:
        return None


class BusyWorker(ProcessWorker):
    """A worker that is lost while it loads."""

    def start(self) -> Connection:
        return BusyConnection()

    def operations(self) -> Operations:
        return {"x": {}}

    def interrupt(self) -> None:
        return None

    def end(self, grace: float) -> tuple[int | None, str]:
        return None, ""


def test_what_is_asked_of_a_worker_that_a_busy_machine_did_not_let_load_is_a_fault() -> None:
    worker = BusyWorker({"main": [], "modules": {}, "names": {}}, "", Limits(), 1.0)
    assert [worker.ask(op, {}, 1.0).outcome for op in ("load", "x", "x")] == ["fault"] * 3


def test_a_worker_that_was_never_asked_is_closed_without_a_word() -> None:
    ColdWorkers([], {}).open({}, "").close()


def test_a_worker_that_cannot_be_started_says_so_when_it_is_closed_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = ColdWorkers([], {}).open({}, "")
    monkeypatch.setattr("subprocess.Popen", lambda *args, **kwargs: (_ for _ in ()).throw(GraderError("no process")))
    with pytest.raises(GraderError, match="no process"):
        try:
            worker.ask("load", {}, 1.0)
        finally:
            worker.close()
