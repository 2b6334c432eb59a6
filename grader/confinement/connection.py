"""Asking a worker: one request, one reply before the deadline, or a named fault."""

import os
import re
import secrets
import selectors
import signal
import time
from collections.abc import Callable
from typing import Any, Protocol

from grader.records import Frame, Observation, Outcome, Raised
from grader.worker import protocol

MAX_OUTPUT = 64 << 10  # bytes of printed text kept of one request
MAX_FLOOD = 16 << 20  # bytes of printed text after which a worker is killed
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\S\n\t ]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Worker(Protocol):
    """A process that holds one submission and answers requests about it."""

    def ask(self, op: str, args: dict[str, Any], seconds: float) -> Observation:
        """Put one request; a worker that crashed or hung is started anew for the next one."""
        ...

    def close(self) -> None:
        """Kill the process and everything that it started."""
        ...


class Workers(Protocol):
    """Starts workers, all under the same confinement."""

    sandbox: dict[str, str]  # what is enforced, in words: filesystem, network, syscalls, limits

    def open(self, program: dict[str, Any], files: str) -> Worker:
        """Start a worker for a submission whose files lie in the folder ``files``."""
        ...

    def close(self) -> None: ...


class Lost(Exception):
    """The worker is of no more use; ``outcome`` and the message say why."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome: Outcome = outcome


class Connection:
    """The three descriptors of one worker process: requests, replies, printed text."""

    def __init__(self, requests: int, replies: int, printed: int, died: Callable[[], str | None]) -> None:
        self.requests, self.replies, self.printed, self.died = requests, replies, printed, died
        for descriptor in (requests, replies, printed):
            os.set_blocking(descriptor, False)
        self.flood = 0

    def exchange(self, op: str, args: dict[str, Any], seconds: float) -> tuple[Any, str]:
        """Send a request and wait for its reply.

        Returns:
            the reply's body, and what was printed meanwhile.

        Raises:
            Lost: no valid reply came in time; the worker must be killed.
        """
        ident = secrets.token_hex(16)
        todo = memoryview(b"".join(protocol.encode(ident, {"op": op, "args": args})))
        incoming, text = _Incoming(), bytearray()
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.requests, selectors.EVENT_WRITE)
            selector.register(self.replies, selectors.EVENT_READ)
            selector.register(self.printed, selectors.EVENT_READ)
            while not incoming.complete:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Lost("timeout", f"no answer after {seconds:.0f} s")
                for key, _ in selector.select(min(left, 0.5)):
                    if key.fd == self.printed:
                        if not self._drain(text):
                            selector.unregister(self.printed)
                    elif key.fd == self.replies:
                        self._read(incoming)
                    elif todo:
                        todo = self._write(todo)
                        if not todo:
                            selector.unregister(self.requests)
        self._drain(text)
        got, body = incoming.decoded()
        if got != ident:
            raise Lost("forged", "the reply does not repeat the request's id")
        return body, clean(text.decode("utf-8", "replace"))

    def _read(self, incoming: "_Incoming") -> None:
        try:
            chunk = os.read(self.replies, 1 << 20)
        except BlockingIOError:
            return
        if not chunk:
            raise Lost("crashed", self.died() or "the process ended without an answer")
        incoming.feed(chunk)

    def _write(self, todo: memoryview) -> memoryview:
        try:
            return todo[os.write(self.requests, todo[: 1 << 20]) :]
        except BlockingIOError:
            return todo
        except BrokenPipeError:
            raise Lost("crashed", self.died() or "the process ended without an answer") from None

    def _drain(self, text: bytearray) -> bool:
        while True:
            try:
                chunk = os.read(self.printed, 1 << 16)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self.flood += len(chunk)
            if self.flood > MAX_FLOOD:
                raise Lost("crashed", f"it printed more than {MAX_FLOOD >> 20} MiB")
            text += chunk[: MAX_OUTPUT - len(text)]

    def close(self) -> None:
        for descriptor in (self.requests, self.replies, self.printed):
            os.close(descriptor)


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
                raise Lost("forged", str(error)) from None
        if self.sizes is not None and len(self.data) > protocol.PREFIX.size + sum(self.sizes):
            raise Lost("forged", "more bytes came back than one reply has")

    def decoded(self) -> tuple[str, Any]:
        assert self.sizes is not None
        start = protocol.PREFIX.size
        middle = start + self.sizes[0]
        try:
            return protocol.decode(bytes(self.data[start:middle]), bytes(self.data[middle:]))
        except protocol.ProtocolError as error:
            raise Lost("forged", str(error)) from None


def observation(body: Any, output: str, seconds: float) -> Observation:
    """Turn a reply's body into an observation; a body of another form is a forged one."""
    if isinstance(body, dict) and len(body) == 1:
        ((kind, content),) = body.items()
        if kind == "value":
            return Observation("value", content, output=output, seconds=seconds)
        if kind == "undefined" and isinstance(content, str):
            return Observation("undefined", detail=clean(content[:200]), output=output, seconds=seconds)
        if kind == "raised" and (raised := raised_from(content)) is not None:
            return Observation("raised", raised=raised, output=output, seconds=seconds)
    return Observation("forged", detail="the reply has no form that the worker gives one", output=output, seconds=seconds)


def raised_from(content: Any) -> Raised | None:
    """Read a described exception; None when it is not one."""
    try:
        frames = tuple(
            Frame(clean(str(f["file"])), f["cell"], int(f["line"]), clean(str(f["function"])), clean(str(f["text"])))
            for f in content["frames"][:20]
        )
        bases = tuple(clean(str(base)) for base in content["bases"][:40])
        return Raised(clean(str(content["type"])), bases, clean(str(content["message"])[:4000]), frames)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def clean(text: str) -> str:
    """Remove control characters, terminal escapes and direction overrides."""
    return CONTROL.sub("", text)


def signal_name(code: int) -> str:
    """Name a negative exit status: -11 → "SIGSEGV"."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
