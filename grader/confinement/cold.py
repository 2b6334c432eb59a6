"""Workers of their own process each: for platforms without fork, and the plainest form of the seam."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from grader.confinement.connection import Connection, Lost, observation, signal_name
from grader.records import Observation

SCRIPT = Path(__file__).resolve().parents[1] / "worker" / "__main__.py"
LOAD_SECONDS = 60.0  # importing torch on a busy machine, and the submission's own definitions


def environment(scratch: str) -> dict[str, str]:
    """The hand-written environment of a worker: nothing of the grader's own."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": scratch,
        "TMPDIR": scratch,
        "TORCH_HOME": scratch,
        "XDG_CACHE_HOME": scratch,
        "MPLCONFIGDIR": scratch,
        "LANG": "C.UTF-8",
        "USER": "student",
        "LOGNAME": "student",
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "LOKY_MAX_CPU_COUNT": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
        "TQDM_DISABLE": "1",
        "MPLBACKEND": "Agg",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class ColdWorkers:
    """Starts a fresh interpreter for every submission, unconfined."""

    sandbox = {
        "filesystem": "not enforced",
        "network": "not enforced",
        "syscalls": "not enforced",
        "limits": "wall-clock time of every request",
    }

    def __init__(self, ops: list[str], shared: dict[str, str]) -> None:
        self.settings = json.dumps({"ops": ops, "shared": shared})

    def open(self, program: dict[str, Any], files: str) -> "ColdWorker":
        return ColdWorker(self.settings, program, files)

    def close(self) -> None:
        return None


class ColdWorker:
    """One submission in one process, started when it is first asked and again after it was lost."""

    def __init__(self, settings: str, program: dict[str, Any], files: str) -> None:
        self.settings, self.program, self.files = settings, program, files
        self.process: subprocess.Popen[bytes] | None = None
        self.connection: Connection | None = None
        self.loaded: Observation | None = None

    def ask(self, op: str, args: dict[str, Any], seconds: float) -> Observation:
        if self.connection is None:
            self._start()
            self.loaded = self._exchange("load", {"program": self.program, "files": self.files}, LOAD_SECONDS)
        if op == "load":
            assert self.loaded is not None
            return self.loaded
        if self.connection is None:  # loading lost the worker
            assert self.loaded is not None
            return self.loaded
        return self._exchange(op, args, seconds)

    def _exchange(self, op: str, args: dict[str, Any], seconds: float) -> Observation:
        assert self.connection is not None
        start = time.monotonic()
        try:
            body, output = self.connection.exchange(op, args, seconds)
        except Lost as lost:
            self.close()
            return Observation(lost.outcome, detail=str(lost), seconds=time.monotonic() - start)
        return observation(body, output, time.monotonic() - start)

    def _start(self) -> None:
        self.scratch = tempfile.TemporaryDirectory(prefix="vit-grade-")
        ask_read, ask_write = os.pipe()
        reply_read, reply_write = os.pipe()
        print_read, print_write = os.pipe()
        # the child's descriptors 3 and 4, whatever numbers the pipes have here
        wire = f"exec 3<&{ask_read} 4>&{reply_write}; exec \"$@\""
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", wire, "worker", sys.executable, "-I", str(SCRIPT), self.settings],
            stdin=subprocess.DEVNULL,
            stdout=print_write,
            stderr=print_write,
            pass_fds=(ask_read, reply_write),
            env=environment(self.scratch.name),
            cwd=self.scratch.name,
            start_new_session=True,
        )
        for descriptor in (ask_read, reply_write, print_write):
            os.close(descriptor)
        self.connection = Connection(ask_write, reply_read, print_read, self._died)

    def _died(self) -> str | None:
        assert self.process is not None
        code = self.process.wait(5)
        return f"crashed ({signal_name(code)})" if code < 0 else f"the process ended with exit status {code}"

    def close(self) -> None:
        if self.process is None or self.connection is None:
            return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.connection.close()
        self.connection = None
        self.scratch.cleanup()
