"""The suites where nothing of Linux is at hand: no fork, fcntl, resource or Landlock (see ``elsewhere.py``)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.publish import release

pytestmark = pytest.mark.timeout(600)  # pytest is started three times, on a machine that may be busy
ROOT = Path(__file__).resolve().parents[2]
NOT_CONFINED = "This system cannot confine your code: it ran with your account's rights"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What students get."""
    made = tmp_path_factory.mktemp("elsewhere") / "assignment"
    release.release(made, lambda: None)
    return made


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A Python that lacks what Windows lacks, and starts others that lack it too."""
    program = tmp_path_factory.mktemp("bin") / "python"
    program.write_text(f"#!{sys.executable}\n{Path(__file__).with_name('elsewhere.py').read_text()}")
    program.chmod(0o755)
    return program


def suite(python, folder, **files):
    """What pytest prints in the folder with these files of the reference in it; line ends are those of Windows."""
    for name, text in files.items():
        (folder / "student" / f"{name}.py").write_bytes(text.replace("\n", "\r\n").encode())
    done = subprocess.run(
        [python, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not thresholds"],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "COLUMNS": "200", "PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done.stdout


def solution(name):
    return (ROOT / "reference" / f"{name}.py").read_text()


def test_template_half_done_and_finished_work_are_told_apart(python, folder):
    said = suite(python, folder)
    assert "\n0 of 81 points so far" in said and "  - augmentation.variety to do" in said
    assert NOT_CONFINED in " ".join(said.split())

    broken = solution("vit_model").replace("torch.cat([cls_token, x], dim=1)", "torch.cat([x, cls_token], dim=1)")
    said = suite(python, folder, augmentation=solution("augmentation"), vit_model=broken)
    assert "Part 1: 7 of 7 checks passed, 12 of 12 points" in said
    assert "vit.position_embedding::" in said and "contrastive.training to do" in said

    for name in ("hyperparameters", "contrastive", "application"):
        shutil.copy(ROOT / "reference" / f"{name}.py", folder / "student")
    said = suite(python, folder, vit_model=solution("vit_model"))
    assert "81 of 81 points so far" in said


def test_pack_and_explain_work_there(python, folder):
    for command, word in ((["pack", "--skip-models"], "SHA-256"), (["explain", "vit.heads"], "What is checked")):
        done = subprocess.run(
            [python, "-m", "grader", *command], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0 and word in done.stdout, done.stdout + done.stderr
