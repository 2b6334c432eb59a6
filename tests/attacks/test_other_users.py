"""The same attacks in the tiers of other users: an ordinary one (T3, T4), and root in a container (T2).

The interpreter may lie in a home that other users cannot enter. So root makes a mount namespace first, in
which that home is passable, and starts the tests from there; nothing outside of it changes.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ORDINARY = ["setpriv", "--reuid=20001", "--regid=20001", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
CONTAINED = ["setpriv", "--inh-caps=-sys_admin", "--bounding-set=-sys_admin"]
OPEN_HOME = """
set -e
mkdir -p "$1/python"
mount --bind "$2" "$1/python"
mount -t tmpfs -o mode=755 none "$3"
mkdir -p "$2"
mount --move "$1/python" "$2"
shift 3
exec "$@"
"""


def without_closed_home(folder: Path) -> list[str]:
    """The start of a command that runs where the interpreter's home lets everybody pass."""
    python = Path(sys.base_prefix).resolve()
    closed = [parent for parent in python.parents if not parent.stat().st_mode & 0o001]
    if not closed:
        return []
    return ["unshare", "--mount", "sh", "-c", OPEN_HOME, "sh", str(folder), str(python), str(closed[-1])]


@pytest.mark.timeout(600)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs util-linux")
@pytest.mark.parametrize(
    ("becoming", "tier"),
    [
        pytest.param(ORDINARY, "T3", id="ordinary user with namespaces"),
        pytest.param(ORDINARY, "T4", id="ordinary user"),
        pytest.param(CONTAINED, "T2", id="root in a container"),
    ],
)
def test_attacks_are_contained_for_other_users(becoming: list[str], tier: str, tmp_path: Path) -> None:
    command = [*without_closed_home(tmp_path), *becoming, sys.executable, "-m", "pytest", str(HERE), "-q", "-x"]
    left_out = [Path(__file__).name, "test_points.py"]  # what is judged, and how, is the same in all tiers
    command += ["--tb=short", "-p", "no:cacheprovider", *(f"--ignore={HERE / name}" for name in left_out)]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for folder in (tmp_path, scratch):
        folder.chmod(0o777)
    environment = os.environ | {"ATTACK_TIERS": tier, "HOME": str(scratch), "TMPDIR": "/tmp", "CONTROLS": "no"}
    done = subprocess.run(command, cwd=HERE.parents[1], env=environment, capture_output=True, text=True)
    summary = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in summary and "skipped" not in summary.replace(" 1 skipped", "").replace(" 2 skipped", "")
