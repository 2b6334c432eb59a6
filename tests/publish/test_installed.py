"""An installed copy, far from any checkout."""

import json
import shutil
from pathlib import Path

import pytest

from grader.assignments.vit.assignment import VIT
from tests.publish import running, submissions

pytestmark = pytest.mark.timeout(600)  # a wheel is built and installed
ROOT = Path(__file__).resolve().parents[2]
KEPT = ("grader", "reference", "pyproject.toml", "setup.py", "README.md", "LICENSE", "check_vit.py")
HIDDEN = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("nbconvert", "nh3", "matplotlib", "distributed", "hypothesis"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The programs of an environment into which a copy of the checkout was installed, and deleted since."""
    source = tmp_path_factory.mktemp("source")
    for name in KEPT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, source / name)
    place = running.environment(tmp_path_factory.mktemp("installed") / "env")
    running.run([place / "bin" / "python", "-m", "pip", "install", "--quiet", "."], source)
    shutil.rmtree(source)
    return place / "bin"


def test_it_grades_as_the_checkout_does(installed, folders, expected, tmp_path):
    (wrong,) = (folder for folder in folders if folder.name == "wrong")
    running.run([installed / "vit-grade", wrong, "--json", "grade.json", *submissions.OPTIONS], tmp_path)
    assert json.loads((tmp_path / "grade.json").read_text())["score"] == expected["wrong"]


def test_the_files_beside_the_package_are_in_it(installed, tmp_path):
    program = (
        "from grader import shipped; from grader.assignments.vit.assignment import VIT as v; "
        "print(shipped.HOME.name, v.rubric.is_file(), *(p.name for p in v.given))"
    )
    done = running.run([installed / "python", "-c", program], tmp_path)
    assert done.stdout.split() == ["_shipped", "True", *(path.name for path in VIT.given)]


@pytest.mark.parametrize("command", ["--audit", "release --out x", "package source --out x"])
def test_what_needs_a_checkout_says_so(installed, tmp_path, command):
    with pytest.raises(AssertionError, match="checkout"):
        running.run([installed / "vit-grade", *command.split()], tmp_path)


def test_extras_are_not_needed_for_a_grade(installed, folders, tmp_path):
    (right,) = (folder for folder in folders if folder.name == "right")
    command = [installed / "python", "-c", HIDDEN + "from grader.cli import main; sys.exit(main(sys.argv[1:]))", right]
    running.run([*command, "--json", "grade.json", *submissions.OPTIONS], tmp_path)
    assert json.loads((tmp_path / "grade.json").read_text())["score"] > 0
    with pytest.raises(AssertionError, match=r"vit-grade\[report\]"):
        running.run([*command, "--html", *submissions.OPTIONS], tmp_path)
