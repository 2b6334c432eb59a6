"""Running what others run, without a network and without the checkout on the path."""

import os
import subprocess
import sysconfig
import venv
from pathlib import Path

from tests import warm_commands
from tests.publish import submissions

OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def environment(place: Path) -> Path:
    """An environment that sees this one's libraries, and nothing of the project until it is installed."""
    venv.create(place)
    site = next(place.glob("lib/python*/site-packages"))
    # the folder's own .pth files, with the checkout's among them, are not read
    (site / "libraries.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n{warm_commands.line()}\n")
    return place


def run(command, cwd, **more):
    """Run a command that must succeed."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables = {**inherited, **OFFLINE, "VIT_GRADE_OPTIONS": " ".join(submissions.OPTIONS), **more}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=warm_commands.environment(variables),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done
