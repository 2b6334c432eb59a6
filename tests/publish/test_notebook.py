"""``grader.check`` in a notebook: what its cells define so far, with a picture, confined where that can be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.records import CheckResult, CriterionResult
from grader.students import notebook
from tests import warm_commands

ROOT = Path(__file__).resolve().parents[2]
SESSION = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.load(sys.stdin):
    done = shell.run_cell(cell, store_history=True)
    done.raise_error()
    if done.result is not None:
        print(json.dumps([done.result.result.status, done.result.notes, done.result._repr_html_()]))
"""
RIGHT = (ROOT / "reference" / "vit_model.py").read_text()
WRONG = """
class LinearEmbeddingHead(nn.Module):
    def __init__(self, hidden_size, embed_size=64):
        super().__init__()
        self.fc = nn.Linear(hidden_size, embed_size)
    def forward(self, x):
        return self.fc(x).relu()
"""


def session(cells, folder, **variables):
    environment = warm_commands.environment({**os.environ, "PYTHONPATH": str(ROOT), **variables})
    done = subprocess.run(
        [sys.executable, "-c", SESSION], input=json.dumps(cells), cwd=folder, env=environment,
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


def test_the_cells_executed_so_far_are_checked_and_the_last_definition_counts(tmp_path):
    (tmp_path / "old.ipynb").write_text("not what is checked")
    ask = "import grader\ngrader.check('vit.heads')"
    first, second = session([RIGHT, ask, WRONG, "%time x = 1", ask], tmp_path)
    assert first[0] == "passed" and second[0] == "failed"
    assert "linear" in second[2]


def test_modules_beside_the_notebook_count_and_a_picture_is_shown(tmp_path):
    (tmp_path / "augmentation.py").write_text((ROOT / "reference" / "augmentation.py").read_text())
    (found,) = session(["import grader\ngrader.check('augmentation.variety')"], tmp_path)
    assert found[0] == "passed"
    assert '<img class="pixels"' in found[2] and "<script" not in found[2]


def test_where_nothing_confines_it_is_said(tmp_path):
    (tmp_path / "vit_model.py").write_text(RIGHT)
    (found,) = session(["import grader\ngrader.check('vit.heads')"], tmp_path, GRADER_TIER="T5")
    assert found[0] == "passed" and notebook.UNCONFINED in found[1]


def test_a_name_that_is_no_criterion_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"did you mean 'vit\.model'"):
        notebook.check("vit.modle")


def test_what_a_submission_said_is_shown_as_text():
    checks = (CheckResult("shape", "failed", "<script>alert(1)</script>\x1b[2J", "<b>hint</b>"),)
    result = CriterionResult("vit.heads", 2, "Heads", 0, 2, "failed", "no", checks)
    shown = notebook.NotebookVerdict(result, {"shape": "The sentence."}, notes=("A note.",))
    assert "<script" not in shown._repr_html_() and "&lt;script" in shown._repr_html_()
    assert "\x1b" not in repr(shown) and "The sentence." in repr(shown) and "A note." in repr(shown)
