"""Whose fault an exception is: what the libraries lack is the grader's, whatever a submission says is not."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.records import Observation, Raised
from grader.sandbox.outside import access, control
from grader.sandbox.outside.warm import WarmWorkers

PACKAGES = "lib/python3/site-packages"


@pytest.fixture(scope="module")
def workers() -> Iterator[WarmWorkers]:
    workers = WarmWorkers([], {}, libraries=["torch"])
    yield workers
    workers.close()


@pytest.fixture
def lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Installed packages of the grader's that its workers cannot read."""
    folder = tmp_path / PACKAGES
    (folder / "lost/inner").mkdir(parents=True)
    for name in ("lost/__init__.py", "lost/inner/__init__.py", "lost/inner/late.py"):
        (folder / name).write_text("")
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return folder


def raised(kind: str, message: str) -> Observation:
    return Observation("raised", raised=Raised(kind, (kind, "ImportError" if "Module" in kind else "OSError"), message))


def test_a_library_that_no_worker_can_read_is_the_graders_fault(workers: WarmWorkers, lost: Path) -> None:
    late = lost / "lost/inner/late.py"
    assert control.fault(workers, raised("PermissionError", f"[Errno 13] Permission denied: '{late}'"))
    assert control.fault(workers, raised("PermissionError", f"[Errno 13] Permission denied: '{late.parent}'"))
    assert control.fault(workers, raised("ModuleNotFoundError", "No module named 'lost'"))


def test_a_statement_that_failed_over_it_counts_as_well(workers: WarmWorkers, lost: Path) -> None:
    problem = {"type": "ModuleNotFoundError", "bases": ["ModuleNotFoundError", "ImportError"], "frames": []}
    problems = [problem | {"message": "No module named 'lost'"}]
    assert control.fault(workers, Observation("value", {"defined": [], "problems": problems}))


CLAIMS = {
    "no such module": ("ModuleNotFoundError", "No module named 'umap_learn'"),
    "no such part of a package": ("ModuleNotFoundError", "No module named 'torch.nothing'"),
    "a module that is there": ("ModuleNotFoundError", "No module named 'torch'"),
    "a module that fails by itself": ("ModuleNotFoundError", "No module named 'msilib'"),
    "a module of the grader": ("ModuleNotFoundError", "No module named 'grader.judging'"),
    "a file of the system": ("PermissionError", "[Errno 13] Permission denied: '/etc/shadow'"),
    "a file of the grader": ("PermissionError", f"[Errno 13] Permission denied: '{access.project()[0]}/checking.py'"),
    "a library that is readable": ("PermissionError", f"[Errno 13] Permission denied: '{shutil.__file__}'"),
    "a library's folder": ("PermissionError", f"[Errno 13] Permission denied: '{Path(shutil.__file__).parent}'"),
    "a way out of the libraries": (
        "PermissionError", f"[Errno 13] Permission denied: '{Path(shutil.__file__).parent}{'/..' * 9}/etc/shadow'",
    ),
    "no file": ("FileNotFoundError", f"[Errno 2] No such file: '{Path(shutil.__file__).parent}/nothing.py'"),
    "another kind": ("ValueError", "No module named 'lost'"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "message"), CLAIMS.values(), ids=CLAIMS)
def test_a_claim_that_does_not_hold_stays_the_submissions(
    kind: str, message: str, workers: WarmWorkers, lost: Path
) -> None:
    seen = raised(kind, message)
    if kind == "ValueError":
        seen = Observation("raised", raised=Raised(kind, (kind,), message))
    assert control.fault(workers, seen) == ""


def test_what_is_hidden_on_purpose_is_nobodys_fault(workers: WarmWorkers, lost: Path) -> None:
    seen = raised("PermissionError", f"[Errno 13] Permission denied: '{lost}/lost/inner/late.py'")
    assert control.fault(workers, seen, (str(lost.resolve()),)) == ""
