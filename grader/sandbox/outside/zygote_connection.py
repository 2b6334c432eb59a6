"""The grader's end of the zygote, the parent of warm workers."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from typing import Any

from grader.errors import GraderError, not_installed
from grader.sandbox.outside import access
from grader.sandbox.outside.cold import ROOT, environment
from grader.sandbox.outside.process import Operations

LAUNCH = """
import sys
root = sys.argv.pop(1)
sys.path[:] = [root, *(path for path in sys.path if path)]
import grader.sandbox.inside.start as start
start.main(root)
"""


class ZygoteLost(Exception):
    """The zygote is gone, or answers no more."""


class ZygoteConnection:
    """A process that has imported everything and forks workers; it starts in the background."""

    answer_seconds = 60.0

    def __init__(self, ops: list[str], shared: dict[str, str], libraries: Sequence[str] = ()) -> None:
        self.folder = tempfile.mkdtemp(prefix="vit-grade-workers-")  # scratches, and the place for new roots
        os.chmod(self.folder, 0o711)
        for name in ("root", "home"):
            os.mkdir(f"{self.folder}/{name}", 0o755)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        told = {"ops": ops, "shared": shared, "libraries": list(libraries), "folder": self.folder}
        told["path"] = access.package_folders()
        settings = json.dumps({**told, "control": theirs.fileno()})
        with open(f"{self.folder}/said", "wb") as said:  # why it cannot start; workers print elsewhere
            self.process = subprocess.Popen(
                [sys.executable, "-s", "-c", LAUNCH, str(ROOT), settings],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                pass_fds=(theirs.fileno(),),
                env=environment(f"{self.folder}/home"),
                cwd="/",
                start_new_session=True,
            )
        theirs.close()
        self.lock = threading.Lock()
        self.known: Operations | None = None

    def operations(self) -> Operations:
        """What workers can be asked; waits until the zygote has started.

        Raises:
            GraderError: it could not import what workers need.
            ZygoteLost: it died.
        """
        start_seconds = 180.0  # importing torch on a very busy machine
        with self.lock:
            if self.known is None:
                ready = self._receive(start_seconds)
                if "missing" in ready:
                    raise not_installed(ready["missing"], ready.get("at", ""))
                if "failed" in ready:
                    raise GraderError(f"{ready.get('at', 'workers could not start')}: {ready['failed']}")
                self.known = ready["ops"]
            return self.known

    def tell(self, do: str, name: str, descriptors: Sequence[int] = (), **more: Any) -> dict[str, Any]:
        """Send a message and wait for the answer; raises ZygoteLost."""
        self.operations()
        message = json.dumps({"do": do, "name": name, **more}).encode()
        with self.lock:
            try:
                socket.send_fds(self.control, [message], list(descriptors))
            except OSError as error:
                raise ZygoteLost(self._end(error)) from None
            return self._receive(self.answer_seconds)

    def _receive(self, seconds: float) -> dict[str, Any]:
        self.control.settimeout(seconds)
        max_message = 1 << 20
        try:
            answer = self.control.recv(max_message)
        except OSError as error:
            raise ZygoteLost(self._end(error)) from None
        if not answer:
            raise ZygoteLost(self._end("it is gone"))
        return dict(json.loads(answer))

    def _end(self, why: object) -> str:
        """How it ended, with its last words; or why it is lost though it did not."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            why = f"exit status {self.process.wait(1.0)}"
        with contextlib.suppress(OSError), open(f"{self.folder}/said", errors="replace") as said:
            why = ": ".join([str(why), *said.read().strip().splitlines()[-1:]])
        return f"the parent of the workers was lost ({str(why)[:500]})"

    def close(self) -> None:
        """End the zygote and, with it, every worker; remove what they wrote."""
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.answer_seconds if self.known is not None else 0.01)
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
