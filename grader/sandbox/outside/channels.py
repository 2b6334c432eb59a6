"""The wires of one worker: requests go in; replies, printed text and what it tells of itself come out.

Nothing here waits longer than it is asked to. Workers that are forked have four pipes. A worker of its own
interpreter, on any system, has its standard streams and two files: not every system can wait for several pipes, or
hand a process more than three.
"""

import os
import queue
import selectors
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, Literal, Protocol

Incoming = Literal["replies", "printed", "told"]
CHUNK = 1 << 20  # bytes taken at once


class Channels(Protocol):
    """Where bytes go to a worker and come from it."""

    def ready(self, seconds: float, *, writing: bool) -> list[str]:
        """The channels on which something can be done now, after waiting for one of them.

        Args:
            seconds: how long to wait at most.
            writing: whether "requests" counts as well.
        """
        ...

    def read(self, name: Incoming, seconds: float = 0.0) -> bytes | None:
        """What has come, after waiting for it: b"" at the end of the channel, None where nothing has come."""
        ...

    def write(self, data: memoryview) -> int:
        """Send the beginning of a request; how many bytes of it were taken.

        Raises:
            BrokenPipeError: the worker is gone.
        """
        ...

    def close(self) -> None: ...


class PipeChannels:
    """Four pipes, for a worker that was forked; the descriptors are closed with the channels."""

    def __init__(self, requests: int, replies: int, printed: int, told: int) -> None:
        self.requests = requests
        self.incoming: dict[str, int] = {"replies": replies, "printed": printed, "told": told}
        self.selector = selectors.DefaultSelector()
        self.writing = False
        for name, descriptor in self.incoming.items():
            os.set_blocking(descriptor, False)
            self.selector.register(descriptor, selectors.EVENT_READ, name)
        os.set_blocking(requests, False)

    def ready(self, seconds: float, *, writing: bool) -> list[str]:
        if writing and not self.writing:
            self.selector.register(self.requests, selectors.EVENT_WRITE, "requests")
        elif self.writing and not writing:
            self.selector.unregister(self.requests)
        self.writing = writing
        return [key.data for key, _ in self.selector.select(seconds)]

    def read(self, name: Incoming, seconds: float = 0.0) -> bytes | None:
        descriptor = self.incoming[name]
        if seconds:
            with selectors.DefaultSelector() as alone:
                alone.register(descriptor, selectors.EVENT_READ)
                alone.select(seconds)
        try:
            chunk = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return None
        if not chunk and descriptor in self.selector.get_map():
            self.selector.unregister(descriptor)  # a channel that has ended would always be ready
        return chunk

    def write(self, data: memoryview) -> int:
        try:
            return os.write(self.requests, data[:CHUNK])
        except BlockingIOError:
            return 0

    def close(self) -> None:
        self.selector.close()
        for descriptor in (self.requests, *self.incoming.values()):
            os.close(descriptor)


class PortableChannels:
    """The standard streams of a worker and two files that it writes, on any system.

    Threads move requests and replies. A file holds all that was written before the reply came, so that printed text
    belongs to its request.

    Args:
        requests: the unbuffered standard input of the worker.
        replies: its unbuffered standard output.
        printed: the file that its printed text goes to.
        told: the file in which it tells of itself.
    """

    def __init__(self, requests: IO[bytes], replies: IO[bytes], printed: Path, told: Path) -> None:
        self.files = {"printed": printed.open("rb"), "told": told.open("rb")}
        self.arrived: deque[bytes] = deque()
        self.changed = threading.Condition()
        self.closed = False
        self.outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._receive, args=(replies,), daemon=True).start()
        threading.Thread(target=self._send, args=(requests,), daemon=True).start()

    def _receive(self, replies: IO[bytes]) -> None:
        max_waiting = 64  # chunks that wait to be taken, before the worker has to wait
        with replies:
            while True:
                try:
                    chunk = replies.read(CHUNK)
                except OSError:
                    chunk = b""
                with self.changed:
                    self.changed.wait_for(lambda: self.closed or len(self.arrived) < max_waiting)
                    self.arrived.append(chunk)
                    self.changed.notify_all()
                if not chunk:
                    return

    def _send(self, requests: IO[bytes]) -> None:
        try:
            with requests:
                while (data := self.outgoing.get()) is not None:
                    rest = memoryview(data)
                    while rest:
                        rest = rest[requests.write(rest) :]
        except OSError:
            return  # the worker is gone, as the end of its replies tells

    def ready(self, seconds: float, *, writing: bool) -> list[str]:
        if not (names := self._ready(writing)):
            with self.changed:
                self.changed.wait_for(lambda: self.arrived, seconds)
            names = self._ready(writing)
        return names

    def _ready(self, writing: bool) -> list[str]:
        grown = [name for name, file in self.files.items() if os.fstat(file.fileno()).st_size > file.tell()]
        return [*(["requests"] if writing else []), *(["replies"] if self.arrived else []), *grown]

    def read(self, name: Incoming, seconds: float = 0.0) -> bytes | None:
        if name == "replies":
            return self._reply(seconds)
        deadline = time.monotonic() + seconds
        while not (chunk := self.files[name].read(CHUNK)) and time.monotonic() < deadline:
            time.sleep(0.01)
        return chunk or None

    def _reply(self, seconds: float) -> bytes | None:
        with self.changed:
            if not self.changed.wait_for(lambda: self.arrived, seconds):
                return None
            if self.arrived[0]:  # the end stays there, to be read as often as one likes
                self.changed.notify_all()
                return self.arrived.popleft()
            return b""

    def write(self, data: memoryview) -> int:
        self.outgoing.put(bytes(data))
        return len(data)

    def close(self) -> None:
        self.outgoing.put(None)
        with self.changed:
            self.closed = True
            self.changed.notify_all()
        for file in self.files.values():
            file.close()
