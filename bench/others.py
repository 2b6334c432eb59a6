"""The Part 2 checks as an otter assignment and as an nbgrader assignment, beside the same checks here.

Both come from the package index, each in a virtual environment of its own under the cache folder; torch and
what else this project has is shared with them through a .pth file, which saves gigabytes and costs them
nothing. They are run as their documentation says: ``otter generate`` and ``otter run``; ``nbgrader
generate_assignment`` and ``nbgrader autograde``. No confinement is asked of them.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from bench import grades, measure, part2

PACKAGES = {"otter": "otter-grader", "nbgrader": "nbgrader"}
SET_UP = "import warnings\nwarnings.simplefilter('ignore')\nfrom bench import part2"
CONFIG = """c = get_config()
c.CourseDirectory.course_id = "bench"
c.ExecutePreprocessor.timeout = 600
"""


def compared(repeat: int, sizes: tuple[int, ...] = (1, 10)) -> dict[str, Any]:
    """Seconds a submission, by grader and number of submissions."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            for name, grade in (("ours", ours), ("otter", otter), ("nbgrader", nbgrader)):
                walls = [grade(Path(folder, f"{name}-{size}-{n}"), size) for n in range(repeat)]
                found[f"{name}, {size}"] = statistics.median(walls) / size
    most = max(sizes)
    more = (found[f"ours, {most}"] * most - found["ours, 1"]) / max(1, most - 1)
    found[f"ours, each more of {most}"] = more
    found["otter / ours"] = found[f"otter, {most}"] / found[f"ours, {most}"]
    found["nbgrader / ours"] = found[f"nbgrader, {most}"] / found[f"ours, {most}"]
    found["otter / ours, each more"] = found[f"otter, {most}"] / more
    found["promised"] = "otter / ours >= 20, nbgrader / ours >= 5"
    return found


def ours(folder: Path, size: int) -> float:
    """One command for all."""
    for student in range(size):
        write(folder / f"class/student{student:02}/part2.ipynb", [code(model(student))])
    command = [*grades.GRADE, str(folder / "class"), "--out", str(folder / "out"), "--only", *part2.CRITERIA]
    return measure.run(command).wall


def otter(folder: Path, size: int) -> float:
    """``otter run`` for each."""
    tests = folder / "tests"
    tests.mkdir(parents=True)
    for criterion in part2.CRITERIA:
        name = criterion.replace(".", "_")
        case = {"code": f">>> part2.passed({criterion!r}, In)\nTrue", "hidden": False, "locked": False}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        test = {"name": name, "points": 1, "suites": [suite]}
        (tests / f"{name}.py").write_text(f"OK_FORMAT = True\n\ntest = {test!r}\n", encoding="utf-8")
    tool = environment("otter") / "otter"
    measure.run([str(tool), "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"], folder)
    wall = 0.0
    for student in range(size):
        set_up = "import otter\ngrader = otter.Notebook()"
        write(folder / f"student{student:02}.ipynb", [code(SET_UP), code(set_up), code(model(student))])
        (folder / f"out{student}").mkdir()
        command = [str(tool), "run", f"student{student:02}.ipynb", "-a", "autograder.zip", "-o", f"out{student}"]
        wall += measure.run(command, folder, **_paths(tool)).wall
        _all_passed(json.loads((folder / f"out{student}" / "results.json").read_text(encoding="utf-8")))
    return wall


def _all_passed(results: dict[str, Any]) -> None:
    points = sum(test["score"] for test in results["tests"] if "score" in test)
    if points != len(part2.CRITERIA):
        raise RuntimeError(f"otter gives {points} of {len(part2.CRITERIA)} points: {json.dumps(results)[:2000]}")


def nbgrader(folder: Path, size: int) -> float:
    """``nbgrader autograde`` for all."""
    folder.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    tests = [
        cell(f"assert part2.passed({c!r}, In)", c.replace(".", "-"), grade=True, locked=True, points=1)
        for c in part2.CRITERIA
    ]
    write(folder / "source/part2/part2.ipynb", [code(SET_UP), cell("# yours", "model", solution=True), *tests])
    tool = environment("nbgrader") / "nbgrader"
    measure.run([str(tool), "generate_assignment", "part2"], folder, **_paths(tool))
    released = json.loads((folder / "release/part2/part2.ipynb").read_text(encoding="utf-8"))
    for student in range(size):
        mine = json.loads(json.dumps(released))
        for each in mine["cells"]:
            if each["metadata"].get("nbgrader", {}).get("grade_id") == "model":
                each["source"] = model(student)
        target = folder / f"submitted/student{student:02}/part2/part2.ipynb"
        target.parent.mkdir(parents=True)
        target.write_text(json.dumps(mine), encoding="utf-8")
    wall = measure.run([str(tool), "autograde", "part2"], folder, **_paths(tool)).wall
    graded = list(folder.glob("autograded/*/part2/part2.ipynb"))
    if len(graded) != size or any('"ename"' in file.read_text(encoding="utf-8") for file in graded):
        raise RuntimeError(f"nbgrader graded {len(graded)} of {size}, or a check failed")
    return wall


def environment(name: str) -> Path:
    """The folder of a grader's commands; installed where it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "vit-grade" / "bench" / name
    if not (cache / "bin" / name).exists():
        shutil.rmtree(cache, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(cache)], check=True)
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        own = cache / "lib" / version / "site-packages"
        (own / "shared.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
        pip = [str(cache / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, PACKAGES[name], "ipykernel"], check=True)
    return cache / "bin"


def _paths(tool: Path) -> dict[str, str]:
    """Kernels of the tool's own environment, and this project's code for the checks."""
    return {"PATH": f"{tool.parent}:{os.environ['PATH']}", "PYTHONPATH": str(grades.ROOT)}


def model(student: int) -> str:
    """The reference's classes, with a comment of the student's own."""
    text = (grades.REFERENCE / "vit_model.py").read_text(encoding="utf-8")
    return f"{text}\n# handed in by student {student}\n"


def code(source: str, **metadata: Any) -> dict[str, Any]:
    """A code cell."""
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}


def cell(source: str, ident: str, **settings: Any) -> dict[str, Any]:
    """A code cell with nbgrader's settings."""
    usual = {"schema_version": 3, "grade_id": ident, "grade": False, "solution": False, "locked": False, "task": False}
    return code(source, nbgrader=usual | settings)


def write(path: Path, cells: list[dict[str, Any]]) -> None:
    """Write a notebook."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
