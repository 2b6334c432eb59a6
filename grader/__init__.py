"""A grading harness for machine-learning assignments, each a folder in ``grader/assignments`` or elsewhere.

In a notebook, ``grader.check("CRITERION")`` shows the verdict on one criterion.
"""

import os
from typing import TYPE_CHECKING, Any

# Idle threads sleep instead of spinning beside the workers. Read when torch and numpy are imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # nothing of the grader's own is large: 0.1 s of 0.2 a submission

if TYPE_CHECKING:
    from grader.students.notebook import check as check


def __getattr__(name: str) -> Any:
    """``check`` is imported when it is asked for: a worker imports this package and nothing else of it."""
    if name == "check":
        from grader.students.notebook import check  # noqa: PLC0415  as the docstring says

        return check
    raise AttributeError(f"module 'grader' has no attribute {name!r}")
