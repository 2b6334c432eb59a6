"""Classroom 50's entry point: grades the checkout that it is run in and writes ``result.json`` there.

Lies in CLASSROOM/autograders/ASSIGNMENT/ with the folder ``source`` beside it. Everything beside it can be read
by whoever finds its address, so there is no solution among it. Exits with 0 when a grade was made, however low, and
with another status when the infrastructure failed, which the runner reports as such.
"""

import datetime
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path


def main() -> int:
    """Grade, stamp, and put the result where the runner looks for it."""
    checkout = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="vit-grade-") as folder:
        python = environment(Path(folder))
        grade(python, checkout, Path(folder))
        graded = Path(folder, "result.json")
        if not graded.is_file():
            print("::error::the grader made no result, its own words stand above", file=sys.stderr)
            return 1
        result = stamped(json.loads(graded.read_text(encoding="utf-8")), os.environ)
    put(checkout / "result.json", json.dumps(result, indent=2))
    return 0


def environment(folder: Path) -> Path:
    """The interpreter of an environment with the grader in it, made anew unless one is given.

    pip reads ``PIP_EXTRA_INDEX_URL`` itself: the index that pytorch.org names for "CPU" saves 3 GB of CUDA.
    """
    given = os.environ.get("VIT_GRADE_ENVIRONMENT")
    place = Path(given) if given else folder / "environment"
    python = place / "bin" / "python"
    source = Path(__file__).resolve().parent / "source"
    if not python.exists():
        venv.create(place, with_pip=True)
        options = ["--constraint", str(source / "constraints.txt"), str(source)]
        subprocess.run([python, "-P", "-m", "pip", "install", "--quiet", *options], check=True, cwd=folder)
    return python


def grade(python: Path, checkout: Path, folder: Path) -> None:
    """Run the grader from a folder that is not the student's."""
    options = shlex.split(os.environ.get("VIT_GRADE_OPTIONS", ""))
    format_ = f"classroom50={folder / 'result.json'}"
    command: list[str | Path] = [
        python,
        "-P",
        "-m",
        "grader",
        checkout,
        "--out",
        folder / "out",
        "--format",
        format_,
        *options,
    ]
    subprocess.run(command, check=False, cwd=folder)


def stamped(result: dict, runner: "os._Environ[str] | dict[str, str]") -> dict:
    """The grade with what only the runner knows."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    stamped_fields = {  # fields of result.json and the runner's variables; owner and assignment_type are the runner's own
        "classroom": "CLASSROOM",
        "assignment": "ASSIGNMENT",
        "submission": "SUBMISSION_TAG",
        "commit": "COMMIT_URL",
        "release": "RELEASE_URL",
        "review": "REVIEW_URL",
    }
    known = {field: runner[name] for field, name in stamped_fields.items() if runner.get(name)}
    known.setdefault("review", known.get("commit", ""))
    return {**result, **known, "datetime": now}


def put(path: Path, text: str) -> None:
    """Write a file in a folder of the student's, whatever lies there under its name."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    descriptor, fresh = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    Path(fresh).replace(path)


if __name__ == "__main__":
    sys.exit(main())
