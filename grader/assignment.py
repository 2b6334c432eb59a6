"""Another assignment than this project's: a Python file that defines ``ASSIGNMENT``, its rubric beside it."""

import importlib.util
import sys
from pathlib import Path

from grader.errors import GraderError
from grader.judging import Assignment

RUBRIC = "rubric.toml"


def load(path: Path) -> Assignment:
    """Import an assignment from its file.

    Raises:
        GraderError: there is none.
    """
    spec = importlib.util.spec_from_file_location(f"assignment_{path.resolve().parent.name}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise GraderError(f"{path}: expected the Python file of an assignment")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found = getattr(module, "ASSIGNMENT", None)
    if not isinstance(found, Assignment):
        raise GraderError(f"{path}: expected it to define ASSIGNMENT, a grader.judging.Assignment")
    return found
