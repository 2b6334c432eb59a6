"""Workers of their own process each: for platforms without fork, and the plainest form of the seam."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from grader.errors import GraderError
from grader.sandbox.inside import faults
from grader.sandbox.inside.plan import Limits
from grader.sandbox.outside.channels import PortableChannels
from grader.sandbox.outside.clock import Patience
from grader.sandbox.outside.connection import Connection, WorkerLost
from grader.sandbox.outside.process import Operations, ProcessWorker
from grader.sandbox.outside.tiers import enforced_by

ROOT = Path(__file__).resolve().parents[3]


def environment(scratch: str) -> dict[str, str]:
    """The hand-written environment of a worker: nothing of the grader's own."""
    return {
        **_of_windows(scratch),
        "PATH": "/usr/bin:/bin",
        "HOME": scratch,
        "TMPDIR": scratch,
        "TORCH_HOME": scratch,
        "TORCHINDUCTOR_CACHE_DIR": scratch,
        "XDG_CACHE_HOME": scratch,
        "MPLCONFIGDIR": scratch,
        "LANG": "C.UTF-8",
        "USER": "student",
        "LOGNAME": "student",
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_TRIM_THRESHOLD_": "1000000000",  # freed activations stay mapped: 14 % of a training step else
        "MALLOC_MMAP_THRESHOLD_": "1000000000",
        "LOKY_MAX_CPU_COUNT": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
        "TQDM_DISABLE": "1",
        "MPLBACKEND": "Agg",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONSAFEPATH": "1",
    }


def _of_windows(scratch: str) -> dict[str, str]:
    """What every program needs on Windows: where the system lies, and its names for home and temporary files."""
    system = {name: os.environ[name] for name in ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR") if name in os.environ}
    return {**system, "USERPROFILE": scratch, "TEMP": scratch, "TMP": scratch} if system else {}


class ColdWorkers:
    """Starts a fresh interpreter for every submission, unconfined."""

    sandbox: dict[str, str] = {  # noqa: RUF012 (the same for all)
        "tier": "none",
        **enforced_by(()),
        "limits": "wall-clock time of every request; memory, files written and processes are not limited",
    }

    forks = False

    def __init__(self, ops: list[str], shared: dict[str, str]) -> None:
        self.settings = json.dumps({"ops": ops, "shared": shared})

    def open(self, program: dict[str, Any], files: str) -> "ColdWorker":
        return ColdWorker(self.settings, program, files)

    def close(self) -> None:
        return None


class ColdWorker(ProcessWorker):
    """One submission in an interpreter of its own."""

    def __init__(self, settings: str, program: dict[str, Any], files: str) -> None:
        super().__init__(program, files, Limits(), 60.0)
        self.settings = settings
        self.folders: list[tempfile.TemporaryDirectory[str]] = []  # scratch, what it prints and what it tells

    def start(self) -> Connection:
        self._remove_folders()
        for _ in range(2):
            self.folders.append(tempfile.TemporaryDirectory(prefix="vit-grade-", ignore_cleanup_errors=True))
        scratch, notes = (folder.name for folder in self.folders)
        script = ROOT / "grader" / "sandbox" / "inside" / "__main__.py"
        printed, told = Path(notes, "printed"), Path(notes, "told")
        told.touch()
        with printed.open("wb") as text:
            self.process = subprocess.Popen(
                [sys.executable, "-s", str(script), str(ROOT), self.settings, str(told)],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=text,
                env=environment(scratch),
                cwd=scratch,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Ctrl-C is the grader's alone
            )
        assert self.process.stdin is not None and self.process.stdout is not None
        channels = PortableChannels(self.process.stdin, self.process.stdout, printed, told)
        connection = Connection(channels, self.died)
        connection.pid = self.process.pid
        self._learn_operations(connection)
        return connection

    def _learn_operations(self, connection: Connection) -> None:
        """Ask what can be asked, while nothing of the submission is there to answer instead."""
        self.connection = connection
        start_seconds = 120.0  # importing torch on a busy machine
        try:
            body = connection.exchange("signatures", {}, Patience(start_seconds, start_seconds)).body
        except WorkerLost as lost:
            self.close()
            raise GraderError(f"worker could not start: {lost} {lost.output[-1000:]}".strip()) from None
        self.known: Operations = body["value"]

    def operations(self) -> Operations:
        return self.known

    def interrupt(self) -> None:
        if faults.STACK_SIGNAL is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, faults.STACK_SIGNAL)

    def end(self, grace: float) -> tuple[int | None, str]:
        status = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self.process.wait(grace) if grace else self.process.poll()
        if hasattr(os, "killpg"):  # what it started goes with it
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.folders[0].cleanup()
        return status, ""

    def close(self) -> None:
        super().close()
        self._remove_folders()

    def _remove_folders(self) -> None:
        while self.folders:
            self.folders.pop().cleanup()
