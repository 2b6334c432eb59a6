"""The same attacks in the tiers of other users: an ordinary one (T3, T4), and root in a container (T2).

The interpreter may lie in a home that other users cannot enter. So root makes a mount namespace first, in
which that home is passable, and starts the tests from there; nothing outside of it changes.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
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


OTHERS = {
    "an ordinary user with namespaces": (ORDINARY, "T3"),
    "an ordinary user": (ORDINARY, "T4"),
    "root in a container": (CONTAINED, "T2"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """The same tests as each of them, side by side: most of their time is waiting."""
    started = {who: _start(*how, tmp_path_factory.mktemp("other")) for who, how in OTHERS.items()}
    yield started
    for run in started.values():
        run.kill()
        run.communicate()


def _start(becoming: list[str], tier: str, folder: Path) -> "subprocess.Popen[str]":
    # what is judged, and how, is the same in all tiers
    points = [path.name for path in HERE.glob("test_points*.py")]
    left_out = [Path(__file__).name, "test_labels.py", "test_recorded.py", *points]
    command = [*without_closed_home(folder), *becoming, sys.executable, "-m", "pytest", str(HERE), "-q", "-x"]
    command += ["--tb=short", "-p", "no:cacheprovider", *(f"--ignore={HERE / name}" for name in left_out)]
    scratch = folder / "scratch"
    scratch.mkdir()
    for place in (folder, scratch):
        place.chmod(0o777)
    environment = os.environ | {"ATTACK_TIERS": tier, "HOME": str(scratch), "TMPDIR": "/tmp", "CONTROLS": "no"}
    return subprocess.Popen(
        command, cwd=HERE.parents[1], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.timeout(900)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs util-linux")
@pytest.mark.parametrize("who", OTHERS)
def test_attacks_are_contained_for_other_users(who: str, runs: dict[str, subprocess.Popen[str]]) -> None:
    out, err = runs[who].communicate()
    summary = out.strip().splitlines()[-1] if out.strip() else err
    assert runs[who].returncode == 0, out[-6000:] + err[-2000:]
    assert " passed" in summary and "skipped" not in summary.replace(" 1 skipped", "").replace(" 2 skipped", "")
