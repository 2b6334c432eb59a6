"""The self-test of a tier: a throw-away worker against a canary file, socket and process."""

import json
import os
import socket
import tempfile
import time
from typing import TYPE_CHECKING, Any

from grader.sandbox.outside.channels import Channels
from grader.sandbox.outside.connection import WorkerLost
from grader.sandbox.outside.opening import opened_worker
from grader.sandbox.outside.tiers import Tier

if TYPE_CHECKING:
    from grader.sandbox.outside.warm import WarmWorkers


def findings(workers: "WarmWorkers", tier: Tier) -> list[str]:
    """Confine a worker as this tier says: what it could do and must not, and what it could not and must."""
    slot = workers.take_slot()
    try:
        with Canaries() as canaries:
            plan = workers.plan(tier, slot)
            lost = WorkerLost("fault", "a self-test answers no requests")
            connection, failed = opened_worker(workers.zygote, plan, lambda: lost, canaries.described())
            try:
                return [failed] if failed else _answer(connection.channels)
            finally:
                connection.close()
                workers.zygote.tell("end", os.path.basename(plan.scratch), grace=0.0)
    finally:
        workers.slots.discard(slot)


def _answer(channels: Channels) -> list[str]:
    max_seconds = 60.0
    said, deadline = b"", time.monotonic() + max_seconds
    while (chunk := channels.read("replies", max(0.0, deadline - time.monotonic()))) is not None:
        if not chunk:
            return list(json.loads(said)) if said else ["the self-test ended without an answer"]
        said += chunk
    return [f"no answer to the self-test after {max_seconds:g} s"]


class Canaries:
    """Things outside of the confinement that nothing but the confinement protects."""

    def __enter__(self) -> "Canaries":
        self.folder = tempfile.TemporaryDirectory(prefix="vit-grade-canary-")
        os.chmod(self.folder.name, 0o777)
        self.file = f"{self.folder.name}/file"
        with open(self.file, "w") as file:
            file.write("canary")
        os.chmod(self.file, 0o666)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(f"{self.folder.name}/socket")
        self.unix.listen()
        return self

    def described(self) -> dict[str, Any]:
        needs = ["colorsys", "torch.utils.throughput_benchmark"]  # modules that no zygote imports
        return {
            "file": self.file,
            "folder": self.folder.name,
            "port": self.tcp.getsockname()[1],
            "socket": f"{self.folder.name}/socket",
            "process": os.getpid(),
            "needs": needs,
        }

    def __exit__(self, *raised: object) -> None:
        self.tcp.close()
        self.unix.close()
        self.folder.cleanup()
