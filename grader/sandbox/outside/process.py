"""One submission in one process: started when it is first asked, and again after it was lost."""

import abc
import dataclasses
import os
import signal
import time
from typing import Any

from grader.records import Frame, Observation
from grader.sandbox.inside import protocol
from grader.sandbox.inside.plan import Limits
from grader.sandbox.outside import replies
from grader.sandbox.outside.clock import Patience
from grader.sandbox.outside.connection import SECONDS_FOR_STACK, Connection, RequestTooLong, Unsendable, WorkerLost
from grader.sandbox.outside.hung_statements import without_statement

Operations = dict[str, dict[str, bool]]  # by name, the arguments of each and whether they may be left out


class ProcessWorker(abc.ABC):
    """A worker behind a connection; subclasses say how a process starts and how it is ended."""

    statement_seconds = 12.0  # for one statement of a submission while it is loaded

    def __init__(self, program: dict[str, Any], files: str, limits: Limits, load_seconds: float) -> None:
        self.program, self.files, self.limits, self.load_seconds = program, files, limits, load_seconds
        self.connection: Connection | None = None
        self.loaded: Observation | None = None
        self.hung_at: Frame | None = None  # the statement of the submission that was executed when it did not end

    @abc.abstractmethod
    def start(self) -> Connection:
        """Start a process that has not loaded anything yet."""

    @abc.abstractmethod
    def operations(self) -> Operations:
        """What the running process can be asked, as known before it loaded a submission."""

    @abc.abstractmethod
    def interrupt(self) -> None:
        """Let the process write its stack, if it still can."""

    @abc.abstractmethod
    def end(self, grace: float) -> tuple[int | None, str]:
        """Kill the process and remove what is left of it.

        Args:
            grace: seconds that it may still take to end by itself.

        Returns:
            the status it ended with, None when it had to be killed, and the limit it was killed for before.
        """

    def ask(self, op: str, args: dict[str, Any], patience: float | Patience) -> Observation:
        """Put one request. A submission that could not be loaded at all is not tried again."""
        if not isinstance(patience, Patience):
            patience = Patience(patience, patience)
        if self.connection is None and not self._is_unloadable():
            observation = self._load(patience)
            if observation.outcome == "value" and not replies.is_loading(observation.value):
                self.close()
                observation = replies.forged(replies.NO_FORM, observation.output, observation.seconds)
            self.loaded = observation
        if self.loaded is not None and (op == "load" or self.connection is None or self._is_unloadable()):
            return self.loaded
        if wrong := self._wrong(op, args):
            return Observation("fault", detail=wrong)
        return self._exchange(op, args, patience)

    def _load(self, patience: Patience) -> Observation:
        """Start a process and load the submission; where a statement does not end, once more without it."""
        max_left_out = 2  # each has been waited for
        observation = self._load_program(patience)
        for _ in range(max_left_out):
            rest = without_statement(self.program, self.hung_at, self.statement_seconds) if self.hung_at else None
            if observation.outcome != "timeout" or rest is None:
                break
            self.program = rest
            observation = self._load_program(patience)
        return observation

    def _load_program(self, patience: Patience) -> Observation:
        """Start a process and load the program; loading it again is time that a hang has cost."""
        self.connection, self.hung_at = self.start(), None
        self.connection.interrupt = self.interrupt
        limits = Patience(self.load_seconds, min(self.load_seconds, self.statement_seconds), patience.hangs)
        observation = self._exchange("load", {"program": self.program, "files": self.files}, limits)
        if self.loaded is not None:
            patience.hangs.seconds += observation.seconds
        return observation

    def close(self) -> None:
        """Kill the process and everything that it started."""
        if self.connection is not None:
            self._bury()

    def _is_unloadable(self) -> bool:
        return self.loaded is not None and self.loaded.outcome in ("crashed", "timeout", "memory", "forged")

    def _wrong(self, op: str, args: dict[str, Any]) -> str:
        """Why an operation cannot be asked so; a submission has no say in this."""
        known = self.operations().get(op)
        if known is None:
            return f"workers know no operation {op!r}"
        missing = [name for name, optional in known.items() if not optional and name not in args]
        if missing or (args.keys() - known.keys() and "**" not in known):
            return f"operation {op!r} takes {', '.join(known)}; got {', '.join(args)}"
        return ""

    def _exchange(self, op: str, args: dict[str, Any], patience: Patience) -> Observation:
        assert self.connection is not None
        start = time.monotonic()
        try:
            reply = self.connection.exchange(op, args, patience)
        except RequestTooLong as error:
            return self._too_long(op, error)
        except Unsendable as error:
            return Observation("fault", detail=str(error))
        except WorkerLost as lost:
            return self._lost(lost, start, patience)
        observation = replies.observation(reply.body, reply.printed, time.monotonic() - start, reply.frame)
        if observation.outcome == "forged":
            self.close()  # what else it has written would be taken for later replies
        if observation.raised is not None and replies.lacked_memory(observation.raised):
            return dataclasses.replace(observation, outcome="memory", detail=self._memory())
        return observation

    def _too_long(self, op: str, error: RequestTooLong) -> Observation:
        """A request over the caps: the submission's own doing where it is the submission that is sent."""
        if op == "load":
            most = f"{protocol.LIMITS.header >> 20} MiB at most"
            return Observation("crashed", detail=f"the code handed in is too long: {most}, data in it included")
        return Observation("fault", detail=str(error))

    def _lost(self, lost: WorkerLost, start: float, patience: Patience) -> Observation:
        seconds = time.monotonic() - start
        where = ""
        if self.connection is not None and lost.outcome == "timeout":
            self.interrupt()
            stack = self.connection.stack(SECONDS_FOR_STACK)
            where = replies.place(stack)
            patience.hangs.add(replies.innermost(stack), lost.spent)
            self.hung_at = replies.innermost(stack, "<module>")
        self.close()
        if lost.outcome == "forged":
            return replies.forged(str(lost), lost.output, seconds)
        remark = f", {lost.remark}" if lost.remark else ""
        return Observation(lost.outcome, detail=f"{lost}{where}{remark}", output=lost.output, seconds=seconds)

    def died(self) -> WorkerLost:
        """Say why there is no process at the other end any more."""
        assert self.connection is not None
        stack = self.connection.stack()
        seconds_to_die = 0.5  # a process that dies closes its pipes a moment before it is dead
        status, reason = self._bury(seconds_to_die)
        if reason == "memory":
            return WorkerLost("memory", self._memory())
        if reason == "scratch":
            most = f"{self.limits.scratch_bytes >> 20} MiB or {self.limits.scratch_files} files"
            return WorkerLost("crashed", f"it wrote more than {most}")
        if status == -signal.SIGKILL:  # by itself or by the system: a second opinion tells
            return WorkerLost("memory", "the process was killed (SIGKILL), as systems do that run out of memory")
        if status is None:
            return WorkerLost("crashed", "the process closed its connection without an answer")
        return WorkerLost("crashed", replies.death(status, stack))

    def _memory(self) -> str:
        return f"out of memory at {self.limits.memory / (1 << 30):.1f} GiB"

    def _bury(self, grace: float = 0.0) -> tuple[int | None, str]:
        assert self.connection is not None
        connection, self.connection = self.connection, None
        try:
            return self.end(grace)
        finally:
            connection.close()


def pipes() -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """The four pipes of a worker: its ends (requests, replies, printed, told), and the grader's."""
    (ask_read, ask_write), (reply_read, reply_write) = os.pipe(), os.pipe()
    (print_read, print_write), (told_read, told_write) = os.pipe(), os.pipe()
    return (ask_read, reply_write, print_write, told_write), (ask_write, reply_read, print_read, told_read)
