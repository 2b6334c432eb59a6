"""Asks the rendering process, and makes harmless what it answers."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from markupsafe import Markup

from grader.reports.html.notebooks.sanitising import harmless


@dataclass(frozen=True)
class RenderedCell:
    """One cell as it may stand in a page."""

    number: int
    kind: str  # "code", "markdown" or "raw"
    html: Markup


@dataclass(frozen=True)
class Rendered:
    """A notebook's cells, or why there are none."""

    cells: tuple[RenderedCell, ...] = ()
    problem: str = ""


class Renderer:
    """Started before the first notebook is there: nbconvert takes a second to import."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process = _start()

    def render(self, notebook: Path) -> Rendered:
        """Render a notebook; whatever goes wrong is said in words."""
        seconds = 90.0
        with self.lock:
            if self.process.poll() is not None:
                self.close()
                self.process = _start()
            late = threading.Timer(seconds, self.process.kill)  # it has limits of its own: this is for when they fail
            late.start()
            try:
                answer = self._ask(notebook)
            except (OSError, ValueError):
                return Rendered(problem="the process that renders notebooks ended")
            finally:
                late.cancel()
        try:
            if "error" in answer:
                return Rendered(problem=str(answer["error"])[:200])
            return Rendered(tuple(_cell(cell) for cell in answer["cells"]))
        except (KeyError, TypeError, ValueError):
            return Rendered(problem="what became of it is not of the agreed form")

    def _ask(self, notebook: Path) -> dict[str, Any]:
        to, back = cast(IO[bytes], self.process.stdin), cast(IO[bytes], self.process.stdout)
        to.write(json.dumps(str(notebook)).encode() + b"\n")
        to.flush()
        return dict(json.loads(back.read(int(back.readline()))))

    def close(self) -> None:
        """End the process."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was not sent is not wanted any more
                    stream.close()
        self.process.kill()
        self.process.wait()


def _start() -> "subprocess.Popen[bytes]":
    variables = {"OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8", "JUPYTER_PLATFORM_DIRS": "1"}
    return subprocess.Popen(
        [sys.executable, "-E", "-P", str(Path(__file__).with_name("server.py"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, cwd="/", env={**variables, "HOME": os.environ.get("HOME", "/")},
    )  # fmt: skip


def _cell(cell: dict[str, Any]) -> RenderedCell:
    kind = cell["kind"] if cell["kind"] in ("code", "markdown", "raw") else "raw"
    return RenderedCell(int(cell["number"]), kind, harmless(str(cell["html"]), dict(cell["pictures"])))
