"""What a call of student code gives: its result, or its exception, as ``grader.observations.ResultOrRaised`` reads it."""

from collections.abc import Callable
from typing import Any

from grader.sandbox.inside import describe, faults


def result_of(call: Callable[[], Any]) -> dict[str, Any]:
    """Call something, and describe what it returns or raises.

    Raises:
        NotImplementedError: it is still to be written.
    """
    faults.step()
    try:
        described: dict[str, Any] = describe.result(call())
        return described
    except NotImplementedError:
        raise
    except Exception as error:
        return raised(error)


def raised(error: BaseException) -> dict[str, Any]:
    """An exception in the place of a result."""
    return {"kind": "raised", "exception": describe.exception(error)}
