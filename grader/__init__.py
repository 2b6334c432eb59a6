"""A grading harness for one assignment: Vision Transformers on FashionMNIST.

In a notebook, ``grader.check("vit.patch_embeddings")`` shows the verdict on one criterion.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.notebook import check as check


def __getattr__(name: str) -> Any:
    """``check`` is imported when it is asked for: a worker imports this package and nothing else of it."""
    if name == "check":
        from grader.notebook import check

        return check
    raise AttributeError(f"module 'grader' has no attribute {name!r}")
