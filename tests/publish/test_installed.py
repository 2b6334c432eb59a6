"""An installed copy, far from any checkout."""

import json
import shutil
from pathlib import Path

import pytest

from grader.assignments.vit.assignment import VIT
from tests.publish import running, submissions

pytestmark = pytest.mark.timeout(600)  # a wheel is built and installed
ROOT = Path(__file__).resolve().parents[2]
KEPT = (
    "grader", "reference", "pyproject.toml", "setup.py", "README.md", "LICENSE", "check_vit.py", "conftest.py", "constraints.txt",
)  # fmt: skip
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
    (hostile,) = (folder for folder in folders if folder.name == "hostile")
    running.run([installed / "vit-grade", hostile, "--json", "grade.json", *submissions.OPTIONS], tmp_path)
    assert json.loads((tmp_path / "grade.json").read_text())["score"] == expected["hostile"]


def test_the_files_beside_the_package_are_in_it(installed, tmp_path):
    program = (
        "from grader import shipped; from grader.assignments.vit.assignment import VIT as v; "
        "print(shipped.HOME.name, v.rubric.is_file(), *(p.name for p in v.given))"
    )
    done = running.run([installed / "python", "-c", program], tmp_path)
    assert done.stdout.split() == ["_shipped", "True", *(path.name for path in VIT.given)]


@pytest.mark.parametrize("command", ["--audit", "release --out x"])
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


def test_a_new_assignment_works_in_every_command(installed, tmp_path):
    """In a fresh folder; what is made of it is used as its receivers use it."""

    def run(*command):
        return running.run([installed / "vit-grade", *command], tmp_path).stdout

    run("new", "demo")
    run("--assignment", "demo", "demo/reference", "--json", "grade.json", "--fail-under", "10")
    shutil.copytree(tmp_path / "demo" / "reference", tmp_path / "class" / "anna")
    shutil.copytree(tmp_path / "demo" / "student", tmp_path / "class" / "bela")
    run("class", "--assignment", "demo")
    assert "2 submissions, 0 with another score" in run("regrade")
    assert "| anna | 10 | graded |" in run("export", "md")
    pytest_ = [installed / "python", "-m", "pytest", "-p", "no:cacheprovider"]
    assert "2 passed" in running.run([*pytest_, "--submission=reference"], tmp_path / "demo").stdout
    run("release", "--assignment", "demo", "--out", "handout")
    shutil.copytree(tmp_path / "demo" / "reference", tmp_path / "handout" / "student", dirs_exist_ok=True)
    handout = running.run(pytest_, tmp_path / "handout", PYTHONPATH=str(tmp_path / "handout"))
    assert "10 of 10 points" in handout.stdout
    run("package", "source", "--assignment", "demo", "--out", "package")
    command = [installed / "python", "-P", "-m", "grader", tmp_path / "class" / "anna", "--fail-under", "10"]
    running.run(command, tmp_path, PYTHONPATH=str(tmp_path / "package"))
