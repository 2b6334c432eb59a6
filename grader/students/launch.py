"""Finding the root although ``--submission PATH`` names another place.

pytest looks for its settings before it knows this plugin's options, and takes the PATH of ``--submission PATH``
for a test folder: with a submission from elsewhere the settings of this project are not found. So pytest is
started once more, with the root said aloud.
"""

import subprocess
import sys
from pathlib import Path

import pytest


def again(config: pytest.Config, suite: Path) -> int | None:
    """Run pytest with the right root; None when it has it."""
    root = config.invocation_params.dir
    settings = root / "pyproject.toml"
    named = config.option.submission or config.option.given or config.option.assignment
    if not named or config.rootpath == root or not (root / suite).is_dir() or not settings.is_file():
        return None
    arguments = _joined([str(argument) for argument in config.invocation_params.args])
    # a process of its own: in this one, modules are loaded that the other settings have a say about
    return subprocess.call([sys.executable, "-m", "pytest", "--rootdir", root, "-c", settings, *arguments])


def _joined(arguments: list[str]) -> list[str]:
    """Write ``--submission PATH`` and its like as one argument."""
    names = ("submission", "given", "assignment")  # of options whose values pytest takes for test folders
    options = {f"--{prefix}{name}" for prefix in ("", "grade-") for name in names}
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        joined.append(f"{argument}={next(rest, '')}" if argument in options else argument)
    return joined
