"""Four submissions, one of them hostile, and what the command line says about them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nbformat import v4
from nbformat import write as write_notebook

from tests import warm_commands

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ("--seed", "1", "--train", "never")
HOSTILE = """
import glob, json, os, sys
for place in [*glob.glob("/tmp/**/results*", recursive=True)[:50], os.environ.get("GITHUB_STEP_SUMMARY", ""), "result.json"]:
    try:
        target = os.path.join(place, "results.json") if os.path.isdir(place) else place
        open(target, "w").write(json.dumps({"score": 100, "max-score": 100, "tests": []}))
    except OSError:
        pass
print("::error file=grade.py::forged")
print("::add-mask::100")
"""


def make(folder: Path) -> list[Path]:
    """Write them, a folder each: a whole one with one checkpoint, and three of part 2, a hostile one with a fault."""
    left_out = shutil.ignore_patterns("__pycache__", "vit_embeds.pt")  # one shows that checkpoints arrive
    shutil.copytree(ROOT / "reference", folder / "right", ignore=left_out)
    right = (folder / "right" / "vit_model.py").read_text()
    start = right.index("class LinearEmbeddingHead")
    wrong = right[:start] + right[start:].replace("return self.fc(x)", "return self.fc(x).relu()")
    modules = {"template": (ROOT / "student" / "vit_model.py").read_text(), "hostile": HOSTILE + wrong}
    for name, text in modules.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "vit_model.py").write_text(text)
    (folder / "notebook").mkdir()
    notebook = v4.new_notebook(cells=[v4.new_code_cell(right)])
    write_notebook(notebook, folder / "notebook" / "Assignment 3.ipynb")
    return sorted(folder.iterdir())


def scores(folders: list[Path], work: Path) -> dict[str, float]:
    """By name, the score that grade.py gives."""
    target = work / "grades.json"
    command = [sys.executable, str(ROOT / "grade.py"), *map(str, folders), "--json", str(target), *OPTIONS]
    variables = warm_commands.environment(os.environ)
    subprocess.run(command, cwd=work, env=variables, timeout=500, check=True, capture_output=True)
    return {grade["submission"]["name"]: grade["score"] for grade in json.loads(target.read_text())}


def each(folders: list[Path], ask: Callable[[Path], float]) -> dict[str, float]:
    """By name, the score that another way gives, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip([folder.name for folder in folders], pool.map(ask, folders), strict=True))
