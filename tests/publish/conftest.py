"""One released folder for the tests that only look at it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.publish import release
from tests import warm_commands
from tests.publish import running, submissions


@pytest.fixture(scope="session")
def released(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("course") / "assignment"
    release.release(out, checked=lambda: None)
    return out


@pytest.fixture
def run(released):
    """Run Python in the released folder with its own grader, whatever is installed."""

    def run(*arguments: str, folder: Path = released, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "100"}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command,
            cwd=cwd or folder,
            env=warm_commands.environment(variables),
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> list[Path]:
    return submissions.make(tmp_path_factory.mktemp("submissions"))


@pytest.fixture(scope="session")
def expected(folders, tmp_path_factory) -> dict[str, float]:
    scores = submissions.scores(folders, tmp_path_factory.mktemp("scores"))
    assert 0 == scores["template"] < scores["hostile"] < scores["notebook"] < scores["right"], scores
    return scores


@pytest.fixture(scope="session")
def environment(tmp_path_factory) -> Path:
    """Gradescope's, which its setup.sh fills."""
    return running.environment(tmp_path_factory.mktemp("environment") / "env")
