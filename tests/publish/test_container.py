"""The image and the dev container: their steps, run as a script in a root of their own.

The installations find the libraries of this environment; ``make container`` has them come from the registries.
"""

import json
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.publish import container, running

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
STAGES = container.stages(DOCKERFILE)
OPENED = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
FULL = "VIT_GRADE_CONTAINER" in os.environ  # `make container`: install everything, as a builder of images does
SECONDS = 5000 if FULL else 250
pytestmark = pytest.mark.timeout(SECONDS + 50)

FOUND = """for site in $ROOT/opt/vit-grade/lib/python*/site-packages $ROOT/checkout/.venv/lib/python*/site-packages; do
    if [ -d $site ]; then echo /opt/libraries/site-packages > $site/libraries.pth; rm -rf $site/setuptools; fi
done"""  # an environment finds the libraries of this one; the setuptools that it begins with is too old to build with

REGISTRIES = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


def last(stage, word):
    return [step.text for step in STAGES[stage] if step.word == word][-1]


def test_nothing_in_them_runs_as_root_or_names_an_address():
    assert last("grader", "USER") == "grader" and last("development", "USER") == OPENED["remoteUser"]
    assert list(STAGES)[-1] == "grader"  # what is built where no stage is named
    assert "://" not in DOCKERFILE + json.dumps(OPENED)


def test_what_is_copied_is_kept_in_git_and_enough_to_install():
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    names = [name for step in STAGES["grader"] if step.word == "COPY" for name in step.text.split()[:-1]]
    assert {name.split("/")[0] for name in kept} >= set(names)
    assert set(names) >= set(re.findall(r'"([^"]+)"', re.search(r"FILES = (.*)", (ROOT / "setup.py").read_text())[1]))


def test_the_dev_container_opens_a_stage_and_a_target_that_are_there():
    assert OPENED["build"]["target"] in STAGES
    assert (ROOT / ".devcontainer" / OPENED["build"]["dockerfile"]).samefile(ROOT / "Dockerfile")
    target = OPENED["postCreateCommand"].split()[-1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def in_a_root(steps, more, mounted, arguments, disk):
    """Run steps, then more lines, with this environment's libraries unless they are to be installed, onto a disk."""
    if FULL:
        (disk / "environment").mkdir()
        (disk / "tmp").mkdir()
        (disk / "tmp").chmod(0o1777)
        mounted = {**mounted, "/tmp": disk / "tmp", "/opt/vit-grade": disk / "environment"}
        arguments = {**arguments, **REGISTRIES}
    else:
        mounted = {**mounted, "/opt/libraries/site-packages": Path(sysconfig.get_paths()["purelib"])}
        arguments = {**arguments, **running.OFFLINE}
        steps = [step for step in steps if "apt-get" not in step.text]
    lines = container.script(steps, ROOT, arguments, after_each="" if FULL else FOUND)
    done = container.run([*lines, *more], mounted, SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="a root of one's own needs root; the job `container` has Docker build the image"
)


@pytest.fixture
def shared(tmp_path):
    """A folder as a user mounts it: whoever is in the container can read it, and write into "grades"."""
    tmp_path.chmod(0o755)
    shutil.copytree(ROOT / "reference", tmp_path / "class" / "anna")
    shutil.copytree(ROOT / "student", tmp_path / "class" / "bela")
    (tmp_path / "grades").mkdir()
    (tmp_path / "grades").chmod(0o777)
    return tmp_path


@needs_root
def test_the_image_grades_a_class_as_an_ordinary_user_who_is_confined(shared):
    mounted = {"/data": Path(os.environ["FASHION_MNIST_ROOT"]), "/work": shared}
    grade = "run class --only vit.heads --seed 3 --out grades --json grades/all.json"
    said = in_a_root(STAGES["grader"], [grade], mounted, {"DATA": "volume"}, shared)
    grades = json.loads((shared / "grades" / "all.json").read_text())
    assert [each["score"] for each in grades] == [2, 0], said
    assert (shared / "grades" / "all.json").stat().st_uid == 10001
    assert not any("not enforced" in how for name, how in grades[0]["sandbox"].items()), grades[0]["sandbox"]


@needs_root
def test_the_dev_container_opens_ready_to_grade(shared, tmp_path):
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, checkout], check=True)
    variables = dict(pair.split("=") for pair in last("development", "ENV").split())
    variables |= {"PATH": container.PATH, **(REGISTRIES if FULL else running.OFFLINE)}

    def as_developer(command):
        return container.in_root(command, "developer", "/checkout", variables)

    created = [] if FULL else [as_developer("python3 -m venv .venv"), FOUND]
    lines = ['chroot "$ROOT" chown -R developer /checkout', *created, as_developer(OPENED["postCreateCommand"])]
    lines += [as_developer(".venv/bin/python grade.py --version")]
    said = in_a_root(STAGES["development"], lines, {"/checkout": checkout}, {}, tmp_path)
    assert said.splitlines()[-1].startswith("vit-grade 0.")
