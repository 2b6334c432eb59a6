"""What attacks aim at: files, sockets and a process outside of the confinement, and whether they are as they were."""

import contextlib
import os
import resource
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]


class Targets:
    """A folder and a file open to every user, listening sockets, and a process of the grader's user."""

    def __init__(self) -> None:
        self.temporary = tempfile.TemporaryDirectory(prefix="vit-target-")
        self.folder = Path(self.temporary.name)
        self.folder.chmod(0o777)
        self.secret = f"secret-{uuid.uuid4().hex}"
        self.file = self.folder / "file"
        self.file.write_text(self.secret)
        self.file.chmod(0o666)
        self.submission = self.folder / "submission"
        self.submission.mkdir(mode=0o755)
        (self.submission / "own.txt").write_text("own")
        self.process = subprocess.Popen(["sleep", "600"], env={"TARGET": self.secret}, stdout=subprocess.DEVNULL)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(str(self.folder / "socket"))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0{self.secret}")
        for listener in (self.unix, self.abstract):
            listener.listen()
        for each in (self.tcp, self.udp, self.unix, self.abstract):
            each.setblocking(False)

    def constants(self) -> dict[str, Any]:
        """What an attacker is told, as if it had guessed everything."""
        return {
            "FILE": str(self.file),
            "FOLDER": str(self.folder),
            "SUBMISSION": str(self.submission),
            "PID": self.process.pid,
            "GRADER": os.getpid(),
            "PROJECT": str(PROJECT),
            "HOME": str(Path.home()),
            "TCP": self.tcp.getsockname()[1],
            "UDP": self.udp.getsockname()[1],
            "UNIX": str(self.folder / "socket"),
            "ABSTRACT": f"\0{self.secret}",
        }

    def state(self) -> dict[str, Any]:
        """Everything that an attack could have changed."""
        pid = self.process.pid
        return {
            "files": sorted(str(path) for path in self.folder.rglob("*")),
            "text": self.file.read_text() if self.file.exists() else None,
            "inode": _inode(self.file),
            "attributes": os.listxattr(self.file) if self.file.exists() else None,
            "submission": [_inode(self.submission), (self.submission / "own.txt").read_text()],
            "alive": self.process.poll() is None and Path(f"/proc/{pid}/stat").read_text().split()[2] in "RSD",
            "limits": [resource.prlimit(pid, kind) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)],
            "priority": (os.getpriority(os.PRIO_PROCESS, pid), os.sched_getaffinity(pid), os.sched_getscheduler(pid)),
            "reached": [self._reached(each) for each in (self.tcp, self.unix, self.abstract)],
            "received": self._received(),
        }

    def _reached(self, listener: socket.socket) -> bool:
        with contextlib.suppress(BlockingIOError):
            listener.accept()[0].close()
            return True
        return False

    def _received(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            return self.udp.recv(100)
        return b""

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for each in (self.tcp, self.udp, self.unix, self.abstract):
            each.close()
        self.temporary.cleanup()


def _inode(path: Path) -> Any:
    if not path.exists():
        return None
    seen = path.stat()
    return seen.st_ino, seen.st_mode, seen.st_uid, seen.st_size, seen.st_mtime_ns, seen.st_nlink
