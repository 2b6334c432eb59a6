"""What workers may read: the libraries under every name that they are reached by, and nothing of the project."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.sandbox.inside import confine
from grader.sandbox.outside import access
from grader.sandbox.outside.warm import WarmWorkers

PACKAGES = "lib/python3/site-packages"
TIERS = ["T1", "T2b"] if os.geteuid() == 0 else ["T3", "T4"]
Build = Callable[[Path, Path], Path]


def link_itself(real: Path, place: Path) -> Path:
    (place / "venv").symlink_to(real)
    return place / "venv"


def link_above(real: Path, place: Path) -> Path:
    (place / "home").symlink_to(real.parent)
    return place / "home" / real.name


def links_in_a_row(real: Path, place: Path) -> Path:
    (place / "folder").mkdir()
    (place / "folder/second").symlink_to(os.path.relpath(real, place / "folder"))
    (place / "first").symlink_to("folder/second")
    return place / "first"


def link_below_a_link(real: Path, place: Path) -> Path:
    (place / "behind/user").mkdir(parents=True)
    (place / "behind/user/venv").symlink_to("../../../" + real.parent.name + "/" + real.name)
    (place / "front").symlink_to("behind")
    return place / "front/user/venv"


@pytest.fixture(params=[link_itself, link_above, links_in_a_row, link_below_a_link], ids=lambda build: build.__name__)
def environment(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a package, known to the grader by a name that leads over links."""
    real, place = tmp_path / "real/environment", tmp_path / "place"
    (real / PACKAGES).mkdir(parents=True)
    (real / PACKAGES / "imported_late.py").write_text("VALUE = 1")
    (real / PACKAGES / "hidden").mkdir()
    (real / PACKAGES / "hidden/labels.py").write_text("")
    place.mkdir()
    named: Path = request.param(real, place)
    monkeypatch.setattr(sys, "prefix", str(named))
    monkeypatch.setattr(sys, "path", [*sys.path, str(named / PACKAGES)])
    return named


LATE = """
import os, sys
sys.path.append(PACKAGES)
import imported_late
print(imported_late.VALUE)
try:
    print("reached", open(os.path.join(PACKAGES, "hidden/labels.py")))
except OSError as error:
    print(type(error).__name__)
"""


@pytest.fixture(scope="module")
def workers() -> Iterator[WarmWorkers]:
    workers = WarmWorkers([], {}, libraries=["torch"])
    yield workers
    workers.close()


@pytest.mark.parametrize("tier", TIERS)
def test_a_library_behind_links_is_imported_late_and_what_is_hidden_there_stays_so(
    tier: str, environment: Path, workers: WarmWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = str((environment / PACKAGES / "hidden").resolve())
    monkeypatch.setattr(workers, "only", tier)
    monkeypatch.setattr(workers, "read", access.libraries())
    monkeypatch.setattr(workers, "hidden", (hidden,))
    seen = load(workers, f"PACKAGES = {str(environment / PACKAGES)!r}\n{LATE}")
    assert seen.output == "1\nPermissionError\n", seen


def load(workers: WarmWorkers, source: str) -> Any:
    program = {"main": [{"source": source, "file": "a.py", "cell": None, "line": 1}], "modules": {}, "names": {}}
    worker = workers.open(program, "")
    try:
        return worker.ask("load", {}, 60)
    finally:
        worker.close()


def test_every_name_of_a_link_is_listed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    named = links_in_a_row(tmp_path / "real", tmp_path)
    listed = [str(tmp_path / name) for name in ("first", "folder/second", "real")]
    assert list(access._names(str(named))) == listed


def test_the_project_is_not_among_the_libraries() -> None:
    root = Path(access.__file__).resolve().parents[3]
    readable = [Path(path) for path in access.libraries()]
    assert not any(root.is_relative_to(path) for path in readable)
    assert str(root / "grader") in access.project()


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ((), ["{}"]),
        (("{}/grader",), ["{}/numpy", "{}/torch"]),
        (("{}/torch/lib",), ["{}/grader", "{}/numpy", "{}/torch/nn"]),
        (("{}",), []),
    ],
)
def test_what_is_hidden_is_left_out(hidden: tuple[str, ...], shown: list[str], tmp_path: Path) -> None:
    for name in ("grader", "numpy", "torch/nn", "torch/lib"):
        (tmp_path / name).mkdir(parents=True)
    put = [str(tmp_path).join(each.split("{}")) for each in shown]
    assert confine.around(str(tmp_path), tuple(each.replace("{}", str(tmp_path)) for each in hidden)) == put
