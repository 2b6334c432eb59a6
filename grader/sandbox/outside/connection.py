"""Asking a worker: one request, one reply before the deadline, or a named fault."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from grader.records import Observation, Outcome
from grader.sandbox.inside import protocol
from grader.sandbox.inside.faults import PROGRESS_SIGN
from grader.sandbox.outside.channels import Channels
from grader.sandbox.outside.clock import SECONDS_BETWEEN_LOOKS, Clock, Patience
from grader.sandbox.outside.replies import clean, innermost

SECONDS_FOR_STACK = 1.0  # a hung worker tells where it is at once, or not at all


class Worker(Protocol):
    """A process that holds one submission and answers requests about it."""

    def ask(self, op: str, args: dict[str, Any], patience: float | Patience) -> Observation:
        """Put one request; a worker that crashed or hung is started anew for the next one.

        Args:
            patience: how long to wait for the answer; a number of seconds with or without a sign of progress.
        """
        ...

    def close(self) -> None:
        """Kill the process and everything that it started."""
        ...


class Workers(Protocol):
    """Starts workers, all under the same confinement."""

    forks: bool  # from a warm parent: one more worker costs next to nothing

    @property
    def sandbox(self) -> dict[str, str]:
        """What is enforced, in words: tier, filesystem, network, syscalls, limits."""
        ...

    def open(self, program: dict[str, Any], files: str) -> Worker:
        """Give a worker for a submission whose files lie in the folder ``files``; it starts when it is asked."""
        ...

    def close(self) -> None: ...


class WorkerLost(Exception):
    """The worker is of no more use; ``outcome`` and the message say why."""

    def __init__(self, outcome: Outcome, message: str, remark: str = "") -> None:
        super().__init__(message)
        self.outcome: Outcome = outcome
        self.remark = remark  # on the place where it was lost
        self.output = ""  # what it had printed before
        self.spent = 0.0  # seconds of a ``Clock`` that it was waited for


class Unsendable(Exception):
    """A request that cannot be sent: the grader's own fault."""


class RequestTooLong(Unsendable):
    """A request over the protocol's caps."""


@dataclass(frozen=True)
class Reply:
    """What came back for one request.

    Attributes:
        body: decoded; its arrays are views of the frame.
        frame: the bytes as they came.
        printed: by the submission meanwhile.
    """

    body: Any
    frame: bytearray
    printed: str


class Connection:
    """Requests to one worker process, and what comes back of them."""

    max_output = 64 << 10  # bytes of printed text kept of one request
    max_flood = 16 << 20  # bytes of printed text after which a worker is killed

    def __init__(self, channels: Channels, died: Callable[[], WorkerLost]) -> None:
        self.channels = channels
        self.died = died
        self.pid: int | None = None  # of the process at the other end, where it can be looked at
        self.interrupt: Callable[[], None] = lambda: None  # lets it write its stack
        self.heard = b""  # of what it told: signs of progress and stacks
        self.flood = 0

    def exchange(self, op: str, args: dict[str, Any], patience: Patience) -> "Reply":
        """Send a request and wait for its reply.

        Returns:
            the reply, and what was printed meanwhile.

        Raises:
            WorkerLost: no valid reply came in time; the worker must be killed.
            Unsendable: the request has no form that can be sent; the worker was not asked.
        """
        ident = secrets.token_hex(16)
        try:
            todo = memoryview(b"".join(protocol.encode(ident, {"op": op, "args": args})))
        except protocol.ProtocolError as error:
            raise RequestTooLong(str(error)) from None
        except Exception as error:
            raise Unsendable(f"the request {op!r} cannot be sent: {error}") from None
        incoming, text = _Incoming(), bytearray()
        try:
            self._refuse_early_bytes()
            self._until_answered(todo, incoming, text, patience)
            got, body = incoming.decoded()
            if got != ident:
                raise WorkerLost("forged", "the reply does not repeat the request's id")
        except WorkerLost as lost:
            lost.output = clean(text.decode("utf-8", "replace"))
            raise
        return Reply(body, incoming.data, clean(text.decode("utf-8", "replace")))

    def _until_answered(self, todo: memoryview, incoming: "_Incoming", text: bytearray, patience: Patience) -> None:
        clock = Clock(self.pid)
        while not incoming.complete:
            for name in self.channels.ready(min(SECONDS_BETWEEN_LOOKS, patience.step), writing=bool(todo)):
                if name == "printed":
                    self._drain(text)
                elif name == "told":
                    self._hear()
                    clock.step()
                elif name == "replies":
                    self._read(incoming, text)
                else:
                    todo = self._write(todo)
            if clock.due and not incoming.complete:
                clock.look()
                self._wait_on(clock, patience)
        self._drain(text)
        if todo:
            raise WorkerLost("forged", "the reply came before the request was read")

    def _wait_on(self, clock: Clock, patience: Patience) -> None:
        """Go on waiting, or say why not."""
        lost = None
        peek = 2.0  # seconds without a step after which a worker is asked where it is, if it hung before
        if clock.over(patience):
            limit = patience.seconds if clock.spent >= patience.seconds else patience.step
            lost = WorkerLost("timeout", f"no answer after {limit:g} s")
        elif clock.starved(patience):
            had = f"{clock.spent:.1f} s of a processor in {clock.passed:.0f} s"
            lost = WorkerLost("fault", f"this machine is too busy: the submission's process had {had}")
        elif patience.hangs.places and not clock.peeked and clock.without_step >= peek:
            clock.peeked = True
            self.interrupt()
            if patience.hangs.knows(innermost(self.stack(SECONDS_FOR_STACK))):
                lost = WorkerLost("timeout", f"no answer after {peek:g} s", "where an earlier call did not end either")
        if lost is not None:
            lost.spent = clock.spent
            raise lost

    def _hear(self) -> None:
        """Take what the worker told, keep its end."""
        chunk = self.channels.read("told") or b""
        self.heard = (self.heard + chunk.replace(PROGRESS_SIGN, b""))[-self.max_output :]

    def _refuse_early_bytes(self) -> None:
        if self.channels.read("replies"):
            raise WorkerLost("forged", "more came back than one reply to each request")

    def _read(self, incoming: "_Incoming", text: bytearray) -> None:
        chunk = self.channels.read("replies")
        if chunk is None:
            return
        if not chunk:
            self._drain(text)
            raise self.died()
        incoming.feed(chunk)

    def _write(self, todo: memoryview) -> memoryview:
        try:
            return todo[self.channels.write(todo) :]
        except BrokenPipeError:
            raise self.died() from None

    def _drain(self, text: bytearray) -> None:
        """Take what was printed, keep its beginning."""
        while chunk := self.channels.read("printed"):
            self.flood += len(chunk)
            if self.flood > self.max_flood:
                raise WorkerLost("crashed", f"it printed more than {self.max_flood >> 20} MiB")
            text += chunk[: self.max_output - len(text)]

    def stack(self, seconds: float = 0.0) -> str:
        """What the worker's fault handler wrote, line by line, after waiting for it a little."""
        told, self.heard = self.heard, b""
        pause = 0.05  # seconds without another line after which a stack is complete
        while len(told) < self.max_output and (chunk := self.channels.read("told", seconds)):
            told += chunk.replace(PROGRESS_SIGN, b"")
            seconds = min(seconds, pause)
        return told.decode("utf-8", "replace")

    def close(self) -> None:
        self.channels.close()


class _Incoming:
    """The bytes of one reply as they come; lengths are checked before anything else is kept."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.sizes: tuple[int, int] | None = None

    @property
    def complete(self) -> bool:
        return self.sizes is not None and len(self.data) >= protocol.PREFIX.size + sum(self.sizes)

    def feed(self, chunk: bytes) -> None:
        self.data += chunk
        if self.sizes is None and len(self.data) >= protocol.PREFIX.size:
            try:
                self.sizes = protocol.lengths(bytes(self.data[: protocol.PREFIX.size]))
            except protocol.ProtocolError as error:
                raise WorkerLost("forged", str(error)) from None
        if self.sizes is not None and len(self.data) > protocol.PREFIX.size + sum(self.sizes):
            raise WorkerLost("forged", "more bytes came back than one reply has")

    def decoded(self) -> tuple[str, Any]:
        assert self.sizes is not None
        start = protocol.PREFIX.size
        middle = start + self.sizes[0]
        frame = memoryview(self.data)
        try:
            return protocol.decode(bytes(frame[start:middle]), frame[middle:])
        except protocol.ProtocolError as error:
            raise WorkerLost("forged", str(error)) from None
