"""One grade with faults for all tests of pages: grading takes longer than they do."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest

from grader.pipeline import Graded, Options, open_grader
from grader.reports.html.notebooks.client import Rendered
from grader.reports.html.pages import Pages
from tests.pages.browser import browser  # noqa: F401
from tests.pages.one_notebook import inlined
from tests.picture import NAME, SEED, seeded


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Graded, Path, Rendered]:
    """The grade of the reference with three faults, the folder with its pages, its notebook's cells."""
    out = tmp_path_factory.mktemp("pages")
    pages = Pages(out)
    grader = open_grader(Options(seed=SEED, train="never", sample=2_000, pictures=True))
    try:
        with tempfile.TemporaryDirectory() as folder:
            submission = seeded(Path(folder))
            inlined(submission)
            graded = grader.graded(submission, SEED, NAME, look=pages.look)
    finally:
        grader.close()
    cells = pages.notebooks[id(graded.evidence)]
    pages.add(graded)
    pages.close()
    assert cells is not None
    return graded, out, cells


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test that needs the grade waits for it: on a busy machine longer than a test may take."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(600))
