"""Values of a module beside the notebook that the notebook sets by calling a function of that module."""

from pathlib import Path

import pytest

from tests.intake.building import from_cells, kept, opened, run, write_modules, write_notebook

pytestmark = pytest.mark.usefixtures("in_process")

CONFIG = """
cfg = {}
margin = None
unused = {}
def setup(**values):
    cfg.update(values)
    set_margin(values.get("margin"))
def set_margin(value):
    global margin
    margin = value
def other():
    unused.update(a=1)
def value():
    return cfg["margin"] + margin
"""
WAYS = {
    "a function": "from config import setup\nsetup(margin=0.2)",
    "a function that returns": "from config import setup\nmine = setup(margin=0.2)",
    "of the module": "import config as c\nc.setup(margin=0.2)",
    "in a condition": "from config import setup\nif True:\n    setup(margin=0.2)",
    "through another module": "from between import setup\nsetup(margin=0.2)",
    "added to the dict": 'from config import cfg, set_margin\ncfg |= {"margin": 0.2}\nset_margin(0.2)',
}


@pytest.mark.parametrize("cell", WAYS.values(), ids=WAYS)
def test_what_a_module_holds_is_set_as_the_notebook_sets_it(tmp_path: Path, cell: str) -> None:
    modules = {"config": CONFIG, "between": "from config import setup"}
    submission = from_cells(
        tmp_path, cell, "from config import other\nother()", "from config import value as lr", **modules
    )
    assert run(submission)["lr"]() == 0.4
    assert "other()" not in kept(submission)


MADE_ANEW = {
    "an item": ('from config import cfg\ncfg["rows"] = 5', 'cfg["rows"] = 5'),
    "a call": ("import config\nfrom config import setup\nsetup(rows=5)", "setup(rows=5)"),
}


@pytest.mark.parametrize("cell, line", MADE_ANEW.values(), ids=MADE_ANEW)
def test_what_is_made_anew_for_the_call_is_set_anew(tmp_path: Path, cell: str, line: str) -> None:
    """And imported anew by who sets it: it would hold what there was before."""
    write_modules(tmp_path, config="cfg = {}\ndef setup(**values):\n    cfg.update(values)")
    training = "def train_embedding_model(train, test):\n    import config\n    config.cfg['rows']\n    loss.backward()"
    cells = (cell, training, "import config\ntrain_embedding_model(config.cfg, None)")
    submission = opened(write_notebook(tmp_path / "a.ipynb", *cells), traced="train_embedding_model")
    call = [piece.source for _, piece in submission.program.call]
    assert call.index("cfg = {}") < call.index(line)
    assert "cfg[" not in line or "from config import cfg" in call
