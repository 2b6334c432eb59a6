"""Forking one worker from the warm parent of all."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

from grader.sandbox.inside.plan import Plan
from grader.sandbox.outside.channels import PipeChannels
from grader.sandbox.outside.connection import Connection
from grader.sandbox.outside.process import pipes
from grader.sandbox.outside.zygote_connection import ZygoteConnection


def opened_worker(
    zygote: ZygoteConnection,
    plan: Plan,
    died: Callable[[], Any],
    canaries: dict[str, Any] | None = None,
    libraries: Sequence[str] = (),
) -> tuple[Connection, str]:
    """Fork a worker; the connection to it, and why it could not be confined if it could not."""
    theirs, ours = pipes()
    connection = Connection(PipeChannels(*ours), died)
    do, more = ("open", {"libraries": libraries}) if canaries is None else ("check", {"canaries": canaries})
    try:
        answer = zygote.tell(do, os.path.basename(plan.scratch), theirs, plan=dataclasses.asdict(plan), **more)
    except BaseException:
        connection.close()
        raise
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    connection.pid = answer.get("pid")
    return connection, answer.get("failed", "")
