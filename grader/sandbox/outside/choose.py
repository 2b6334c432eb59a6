"""Which workers a grade runs in."""

import os
import platform
import sys
from collections.abc import Sequence

from grader.errors import GraderError
from grader.sandbox.inside import syscalls
from grader.sandbox.inside.plan import Limits
from grader.sandbox.outside.cold import ColdWorkers
from grader.sandbox.outside.connection import Workers


def choose_workers(
    ops: list[str], shared: dict[str, str], unconfined: bool = False, hide: Sequence[str] = (),
    limits: Limits | None = None,
) -> Workers:  # fmt: skip
    """The most confined workers that this system offers; they start in the background.

    Args:
        ops: modules that register the assignment's operations.
        shared: by name, .npy files that every worker may read in memory.
        unconfined: run student code even where too little can be enforced; ``sandbox`` says what is not.
        hide: folders that no worker may read wherever they lie, such as the data set's.
        limits: what one worker may use.

    Raises:
        GraderError: here or at the first use: too little can be enforced.
    """
    lacking = _lacking()
    if lacking and not unconfined:
        raise GraderError(
            f"student code cannot be confined on this system ({lacking}); --unconfined runs it all the same"
        )
    shared = {name: os.path.abspath(path) for name, path in shared.items()}  # workers start in another folder
    if _cannot_fork():
        return ColdWorkers(ops, shared)
    from grader.sandbox.outside.warm import WarmWorkers  # noqa: PLC0415  it imports what only Linux has

    forced = os.environ.get("GRADER_TIER")  # for tests
    return WarmWorkers(ops, shared, unconfined=unconfined, hide=hide, limits=limits, tier=forced or None)


def _lacking() -> str:
    if lacking := _cannot_fork():
        return lacking
    from grader.sandbox.inside import landlock  # noqa: PLC0415  it imports what only Linux has

    return "" if landlock.version() else "its kernel lacks Landlock"


def _cannot_fork() -> str:
    """Why no worker can be forked and confined here; empty where one can."""
    if sys.platform != "linux" or not hasattr(os, "fork"):
        return f"{platform.system()} offers none of what is needed"
    if platform.machine() not in syscalls.ARCHES:
        return f"its system calls are not known for {platform.machine()}"
    return ""
