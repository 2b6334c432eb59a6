"""Files that steer Python or pytest, handed in with a submission, change no verdict."""

import shutil
from pathlib import Path

import pytest

from grader.pipeline import Options, open_grader

ROOT = Path(__file__).resolve().parents[2]
HOOK = """
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = pytest.TestReport.from_item_and_call(item, call)
    report.outcome = "passed"
    return report
"""
PATCHED = "import sys\nsys.exit(0)\n"
STEERING = {
    "conftest.py": HOOK,
    "pytest.ini": "[pytest]\naddopts = -p torch --collect-only\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--collect-only'\n",
    "setup.cfg": "[tool:pytest]\naddopts = --collect-only\n",
    "sitecustomize.py": PATCHED,
    "usercustomize.py": PATCHED,
    "torch.py": PATCHED,
    "pytest.py": "def main(*a, **k):\n    return 0\n",
    "_pytest.py": PATCHED,
    "grader.py": "def check(*a):\n    return 'passed'\n",
    "check_vit.py": "def check(namespace):\n    return [(n, True, '') for n in namespace]\n",
    "rubric.toml": "[[criteria]]\nid = 'vit.heads'\npart = 2\ntitle = 'all'\npoints = 100\n",
    "evil.pth": "import sys; sys.exit(0)\n",
}
ONLY = ("vit.heads", "vit.shapes", "vit.patch_embeddings")


@pytest.fixture(scope="module")
def grader():
    grader = open_grader(Options(seed=1, train="never"))
    yield grader
    grader.close()


def handed_in(folder) -> Path:
    """A submission whose embedding head is wrong."""
    text = (ROOT / "reference" / "vit_model.py").read_text()
    start = text.index("class LinearEmbeddingHead")
    (folder / "ab12").mkdir()
    own = text[:start] + text[start:].replace("return self.fc(x)", "return self.fc(x).relu()")
    (folder / "ab12" / "vit_model.py").write_text(own)
    return folder / "ab12"


@pytest.fixture
def wrong(tmp_path) -> Path:
    return handed_in(tmp_path)


@pytest.fixture(scope="module")
def clean(grader, tmp_path_factory):
    """What is said of it as it is."""
    found = verdicts(grader.grade(handed_in(tmp_path_factory.mktemp("clean")), only=ONLY))
    assert found["vit.heads"] == ("failed", 0.0) and found["vit.shapes"][0] == "passed"
    return found


def verdicts(grade):
    return {criterion.id: (criterion.status, criterion.points) for criterion in grade.criteria if criterion.id in ONLY}


@pytest.mark.parametrize("name", STEERING)
def test_the_official_grade_is_the_same(grader, wrong, clean, name):
    (wrong / name).write_text(STEERING[name])
    assert verdicts(grader.grade(wrong, only=ONLY)) == clean


def test_the_released_suites_say_the_same(released, run, wrong, tmp_path):
    folder = shutil.copytree(released, tmp_path / "own")
    shutil.copyfile(wrong / "vit_model.py", folder / "student" / "vit_model.py")
    for name, text in STEERING.items():
        (folder / "student" / name).write_text(text)
    done = run("-m", "pytest", "-p", "no:cacheprovider", "-k", "vit.heads", folder=folder)
    assert done.returncode == 1 and "✗ vit.heads::" in done.stdout, done.stdout + done.stderr
