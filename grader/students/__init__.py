"""The student-facing suites: a pytest plugin that shows one grade as one test a check.

``pytest`` collects ``tests/student/part*.md``; what those files say is for readers, the tests come from the
assignment's checks. The submission is graded once, before the first test runs, in the same confined workers as
``grade.py``, and no further than the selected tests need. Nothing of a submission is imported here, unless
``--pdb`` or ``--in-process`` asks for that.
"""

import importlib
from pathlib import Path

import pytest

SUITE = Path("tests", "student")  # below the root


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Take part where pytest is started in a course's folder; other projects of the environment notice nothing."""
    here = Path.cwd()
    if any(any((folder / SUITE).glob("part*.md")) for folder in (here, *here.parents)):
        pluginmanager.register(importlib.import_module("grader.students.plugin"), "grader.students.plugin")
