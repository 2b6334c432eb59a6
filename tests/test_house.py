"""The house stays as it is drawn: the contracts in pyproject.toml speak of every room."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from grader import finding

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


def test_each_room_has_a_folder_of_tests_and_no_folder_is_of_no_room():
    rooms = {path.parent.name for path in (ROOT / "grader").glob("*/__init__.py")}
    of_several = {"attacks", "docs", "pages", "student"}  # promises of the whole, and the students' own suites
    assert {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")} | {"student"} == rooms | of_several


def tracked(*patterns: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


ENGINE = [path for path in tracked("grader") if path.split("/")[1] not in FLOORS and Path(path).suffix != ".png"]
ALLOWED = {
    "grader/settings.toml": {"vit"},  # the one line that says which is the default
    "grader/intake/reading/forbidden.py": {"FashionMNIST"},  # among the classes of torchvision that download
}


def names_of(assignment: str) -> set[str]:
    """The names that show that a file knows an assignment: its own, and those of classes that students write."""
    classes = {name for name in finding.find(assignment).wanted if re.search("[a-z].*[A-Z]|[A-Z]{2}", name)}
    return {assignment, *classes}


@pytest.mark.parametrize(
    "assignment", sorted(path.parent.name for path in finding.SHIPPED_ASSIGNMENTS.glob("*/assignment.py"))
)
def test_no_file_of_the_engine_names_an_assignment(assignment: str):
    words = "|".join(map(re.escape, sorted({*names_of(assignment), "Vision Transformer", "FashionMNIST"})))
    named = re.compile(rf"(?<![A-Za-z])({words})(?![a-z-]|_GRADE)", re.IGNORECASE)
    found = {path: {match[0] for match in named.finditer((ROOT / path).read_text())} for path in ENGINE}
    assert {path: those for path, those in found.items() if those - ALLOWED.get(path, set())} == {}


def test_no_file_is_longer_than_350_lines_and_no_function_than_60():
    paths, long = tracked("grader/*.py", "bench/*.py"), {}
    for path in paths:
        text = (ROOT / path).read_text(encoding="utf-8")
        functions = [
            node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        lines = {f"{path}: {node.name}": node.end_lineno - node.lineno + 1 for node in functions}
        long |= {name: count for name, count in lines.items() if count > 60}
        if text.count("\n") > 350:
            long[path] = text.count("\n")
    assert len(paths) > 300 and long == {}
