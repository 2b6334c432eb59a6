"""The process that renders notebooks: parsers of hostile text run here, each in a fork of its own under limits.

Reads a path a line from stdin; answers with a line that tells how many bytes follow, then JSON: a list of cells
under "cells", or "error" in words. Started by ``client.py``; imports nothing of the project.
"""

import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

MAX_SECONDS = 20.0  # for one notebook
MAX_MEMORY_BYTES = 2 << 30

sys.path.append(str(Path(__file__).parent))  # -P leaves out the script's own folder
import cells  # noqa: E402  only the path above finds it


def serve() -> None:
    """Render until stdin ends."""
    cells.warm_up()
    for line in sys.stdin.buffer:
        answer = _forked(Path(json.loads(line)))
        sys.stdout.buffer.write(f"{len(answer)}\n".encode() + answer)
        sys.stdout.buffer.flush()


def _forked(path: Path) -> bytes:
    """What a child made of a notebook; the reason where it came to no end."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _render_and_exit(path, theirs)
    os.close(theirs)
    answer = _read(ours, time.monotonic() + MAX_SECONDS)
    os.close(ours)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return answer


def _read(pipe: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    max_answer = 24_000_000  # bytes of what becomes of it
    while size <= max_answer:
        if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return _error("it takes too long to render")
        part = os.read(pipe, 1 << 20)
        if not part:
            return b"".join(parts) or _error("it could not be rendered within its limits of memory and time")
        parts.append(part)
        size += len(part)
    return _error("what it shows is too large for a page")


def _render_and_exit(path: Path, pipe: int) -> None:
    try:
        for kind, value in (
            (resource.RLIMIT_AS, MAX_MEMORY_BYTES), (resource.RLIMIT_CPU, int(MAX_SECONDS) + 1), (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):  # fmt: skip
            resource.setrlimit(kind, (value, value))
        answer = _rendered(path)
    except BaseException as error:
        answer = _error(f"it could not be rendered ({type(error).__name__})")
    view = memoryview(answer)
    while view:
        view = view[os.write(pipe, view) :]
    os._exit(0)


def _rendered(path: Path) -> bytes:
    max_read = 64_000_000  # bytes of a notebook file: four times a notebook full of plots
    if path.stat().st_size > max_read:
        return _error(f"it is larger than {max_read // 1_000_000} MB")
    found: list[dict[str, Any]] = cells.rendered(path.read_bytes())
    return json.dumps({"cells": found}).encode()


def _error(words: str) -> bytes:
    return json.dumps({"error": words}).encode()


if __name__ == "__main__":
    serve()
