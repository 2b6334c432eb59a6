"""The house stays as it is drawn: the contracts in pyproject.toml speak of every room."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
FLOORS = {"assignments", "torchkit"}  # above the engine
ROOMS = {
    path.stem
    for path in (ROOT / "grader").iterdir()
    if path.suffix == ".py" or (path / "__init__.py").is_file()
} - FLOORS - {"__init__", "__main__"}  # fmt: skip


def named(modules: list[str]) -> set[str]:
    return {module.split(".")[1] for module in modules}


def test_no_room_of_the_engine_may_import_the_floors_above_it():
    assert named(CONTRACTS["engine"]["source_modules"]) == ROOMS
    assert named(CONTRACTS["engine"]["forbidden_modules"]) == FLOORS


def test_what_runs_beside_student_code_may_import_no_room_of_the_engine():
    assert named(CONTRACTS["inside"]["forbidden_modules"]) >= ROOMS


@pytest.mark.parametrize(
    "inside", sorted((ROOT / "grader").rglob("inside")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_each_inside_is_among_those_that_share_a_process_with_student_code(inside: Path):
    name = ".".join(inside.relative_to(ROOT).parts)
    patterns = CONTRACTS["inside"]["source_modules"]
    assert any(Path(name.replace(".", "/")).match(pattern.replace(".", "/")) for pattern in patterns)
