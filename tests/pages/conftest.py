"""One grade with faults for all tests of pages: grading takes longer than they do."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest

from grader.grading import Graded, Options, open_grader
from grader.reports.html.pages import Pages
from tests.pages.one_notebook import inlined
from tests.picture import NAME, SEED, seeded


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Graded, Path]]:
    """The grade of the reference with three faults, and the folder with its pages."""
    out = tmp_path_factory.mktemp("pages")
    pages = Pages(out)
    grader = open_grader(Options(seed=SEED, train="never", sample=2_000))
    try:
        with tempfile.TemporaryDirectory() as folder:
            submission = seeded(Path(folder))
            inlined(submission)
            graded = grader.graded(submission, SEED, NAME, look=pages.look)
    finally:
        grader.close()
    pages.add(graded)
    pages.close()
    yield graded, out
