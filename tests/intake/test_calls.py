"""What makes the arguments of the notebook's last call of one function: kept, in order, and nothing else."""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from grader.records import Submission
from tests.intake.building import opened, write_modules, write_notebook

pytestmark = pytest.mark.usefixtures("in_process")

DEFINED = """
import torch
from torchvision.datasets import FashionMNIST
from torch.utils.data import Subset


def train_embedding_model(train_dataset, test_dataset):
    for x, y in train_dataset:
        loss(x, y).backward()
"""
SETS = 'full = FashionMNIST("data", train=True, download=True)\ntest = FashionMNIST("data", train=False)'
SAMPLED = "rows = [i for i, y in enumerate(full.targets) if i < 500]\nsubset = Subset(full, rows)"
CALL = "train_embedding_model(subset, test)"
WITHOUT_THE_REST = ["full = ", "test = ", "rows = ", "subset = ", CALL]


def found(folder: Path, *cells: str | dict[str, Any], **modules: str) -> Submission:
    write_modules(folder, **modules)
    return opened(write_notebook(folder / "submission.ipynb", DEFINED, *cells), traced="train_embedding_model")


def text(submission: Submission) -> str:
    return "\n".join(piece.source for _, piece in submission.program.call)


@pytest.mark.parametrize(
    "cells",
    [
        (SETS, SAMPLED, CALL),
        (SETS, "import matplotlib.pyplot as plt\nplt.plot([1])", SAMPLED, f"history = {CALL}\nplt.plot(history)"),
        (SETS, SAMPLED, f'if __name__ == "__main__":\n    {CALL}'),
        (SETS, SAMPLED, f"try:\n    {CALL}\nexcept KeyboardInterrupt:\n    print('stopped')"),
        (SETS, SAMPLED, f"%time {CALL}"),
        (SETS, SAMPLED, CALL, "subset = full\nrows = []"),
    ],
    ids=["plain", "plots", "guard", "try", "magic", "rebound_later"],
)
def test_the_statements_that_make_the_arguments_are_kept_in_order(tmp_path: Path, cells: tuple[str, ...]) -> None:
    kept = text(found(tmp_path / "a", *cells))
    places = [kept.index(part) for part in WITHOUT_THE_REST]
    assert places == sorted(places)
    assert "plot" not in kept and "subset = full" not in kept


def test_an_import_for_the_call_alone_is_kept_though_others_on_its_line_are_there(tmp_path: Path) -> None:
    imports = "from torch.utils.data import ConcatDataset, random_split"
    uses_one = "def train_embedding_model(train_dataset, test_dataset):\n    ConcatDataset([train_dataset])"
    made = "subset, rest = random_split(full, [5000, len(full) - 5000])"
    kept = text(found(tmp_path, imports, uses_one, SETS, made, CALL))
    assert "import random_split" in kept and "import ConcatDataset" not in kept


def test_of_a_function_only_what_the_call_needs_is_kept(tmp_path: Path) -> None:
    body = f"{SETS}\nfor x, y in full:\n    loss(x, y).backward()\n{SAMPLED}\nbest = {CALL}\nprint(best)"
    main = "def main():\n" + "\n".join(f"    {line}" for line in body.splitlines())
    kept = text(found(tmp_path / "a", main, "main()"))
    assert all(part in kept for part in (*WITHOUT_THE_REST, "main()"))
    assert "backward" not in kept and "print" not in kept


def test_what_a_module_makes_is_kept_before_what_uses_it(tmp_path: Path) -> None:
    data = "from torchvision.datasets import FashionMNIST\nfull = FashionMNIST('data')\nother = FashionMNIST('other')"
    kept = found(tmp_path / "a", f"import data\ntest = None\n{CALL.replace('subset', 'data.full')}", data=data)
    steps = [(module, piece.source) for module, piece in kept.program.call]
    assert ("data", "full = FashionMNIST('data')") in steps
    assert steps.index(("data", "full = FashionMNIST('data')")) < steps.index((None, "import data"))
    assert not any("other" in source for _, source in steps)


def test_a_star_in_a_block_brings_what_the_call_needs(tmp_path: Path) -> None:
    cells = "try:\n    from data import *\nexcept ImportError:\n    pass", "train_embedding_model(train_set, None)"
    sets = 'from torchvision.datasets import FashionMNIST\ntrain_set = FashionMNIST("a")\nother = FashionMNIST("b")'
    kept = [(module, piece.source) for module, piece in found(tmp_path, *cells, data=sets).program.call]
    assert ("data", 'train_set = FashionMNIST("a")') in kept and kept[-1] == (None, cells[1])


def test_what_an_earlier_statement_takes_of_a_module_that_the_call_names_too_is_kept(tmp_path: Path) -> None:
    data = 'from torchvision.datasets import FashionMNIST\ntrain_set = FashionMNIST("a")\ntest_set = FashionMNIST("b")'
    picked = "picked = Subset(data.train_set, rows)\nrows = range(5)\npicked = Subset(picked, rows)"
    call = "train_embedding_model(picked, data.test_set)"
    kept = text(found(tmp_path, "import data", picked, call, data=data))
    assert "train_set = FashionMNIST" in kept and "test_set = FashionMNIST" in kept


@pytest.mark.parametrize("imported", ["import amounts, data", "import data, amounts"])
@pytest.mark.parametrize(
    "used",
    [
        "import amounts\nsubset = Subset(full, range(amounts.rows))",
        "from amounts import rows\nsubset = Subset(full, range(rows))",
    ],
)
def test_modules_run_before_those_that_use_them(tmp_path: Path, imported: str, used: str) -> None:
    data = f"from torch.utils.data import Subset\nfrom torchvision.datasets import FashionMNIST\nfull = FashionMNIST('a')\n{used}"
    call = "train_embedding_model(data.subset, amounts.rows)"
    kept = text(found(tmp_path, f"{imported}\n{call}", data=data, amounts="rows = 5"))
    assert kept.index("rows = 5") < kept.index("subset = Subset") < kept.index(call)


@pytest.mark.parametrize(
    "cells",
    [
        "import sizes\nsizes.rows = 500\nimport data",
        "import whole_run, data",
        "import sizes, data_first, whole_run, data",
    ],
    ids=["in the notebook", "by a module", "first of all by another"],
)
def test_what_changes_a_module_runs_where_it_is_imported(tmp_path: Path, cells: str) -> None:
    whole_run = "import sizes\nsizes.rows = 500"
    data = f"import sizes\n{SETS}\nsubset = Subset(full, range(sizes.rows))".replace(
        "FashionMNIST(", "sets.FashionMNIST("
    )
    data = f"from torch.utils.data import Subset\nfrom torchvision import datasets as sets\n{data}"
    modules = {"sizes": "rows = 50", "whole_run": whole_run, "data": data, "data_first": "import sizes"}
    kept = text(found(tmp_path, f"{cells}\ntrain_embedding_model(data.subset, data.test)", **modules))
    assert kept.index("rows = 50\n") < kept.index("sizes.rows = 500") < kept.index("subset = Subset")


def test_the_last_call_counts(tmp_path: Path) -> None:
    kept = text(found(tmp_path / "a", SETS, "train_embedding_model(full, test)", SAMPLED, CALL))
    assert CALL in kept and "train_embedding_model(full, test)" not in kept


def test_a_call_that_was_never_run_does_not_count_beside_one_that_was(tmp_path: Path) -> None:
    ran = nbformat.v4.new_code_cell(CALL, outputs=[nbformat.v4.new_output("stream", text="Best Precision@1: 0.7")])
    kept = text(
        found(tmp_path / "a", SETS, SAMPLED, ran, "for n in (50, 100):\n    train_embedding_model(rows[:n], test)")
    )
    assert CALL in kept and "rows[:n]" not in kept


def test_models_that_are_built_before_the_call_are_those_of_that_moment(tmp_path: Path) -> None:
    built = "model = torch.nn.Linear(1, 1)\noptimizer = torch.optim.SGD(model.parameters())"
    uses = "def train_embedding_model(train_dataset, test_dataset):\n    model.train()\n    optimizer.step()"
    again = "model = torch.nn.Linear(2, 2)"
    kept = text(found(tmp_path / "a", built, uses, f"{SETS}\n{SAMPLED}\n{CALL}", again))
    assert "Linear(1, 1)" in kept and "optimizer = " in kept and "Linear(2, 2)" not in kept


@pytest.mark.parametrize("cells", [(SETS, SAMPLED), (SETS, f"# {CALL}")], ids=["no_call", "comment"])
def test_without_a_call_there_is_nothing(tmp_path: Path, cells: tuple[str, ...]) -> None:
    assert not found(tmp_path / "a", *cells).program.call


@pytest.mark.parametrize(
    "calling",
    ["run = train_embedding_model\nrun(1, 2)", "TASKS = {'part 3': train_embedding_model}\nTASKS['part 3'](1, 2)",
     "globals()['train_embedding_model'](1, 2)", "for part in (print, train_embedding_model):\n    part(1, 2)",
     "def part3(train, *data):\n    return train(*data)\npart3(train_embedding_model, 1, 2)",
     "from functools import partial\nrun = partial(train_embedding_model, 1)\nrun(2)"],
)  # fmt: skip
def test_a_function_that_is_called_by_another_name_is_called_there(tmp_path: Path, calling: str) -> None:
    cells = (
        "lr = 1\ndef train_embedding_model(train, test):\n    return lr",
        calling,
        "print(train_embedding_model)\nlr = 2",
    )
    called = found(tmp_path, *cells).program.called["train_embedding_model"]
    assert called == (3, calling.count("\n") + 1 if not calling.startswith("for") else 1)


def test_where_each_function_is_called_last_is_told_whoever_calls_it(tmp_path: Path) -> None:
    cells = ("def run():\n    train_embedding_model(1, 2)", "run()\nrun()", "print('done')", "again = run")
    assert found(tmp_path, *cells).program.called == {"train_embedding_model": (3, 2)}


@pytest.mark.parametrize("made", ["dict()", "{}"])
def test_a_registry_that_definitions_fill_is_not_made_anew_for_the_call(tmp_path: Path, made: str) -> None:
    registry = f"HOOKS = {made}\ndef on(event):\n    def register(hook):\n        HOOKS[event] = hook\n        return hook\n    return register"
    hook = "@on('end')\ndef step():\n    return 1"
    training = "def train_embedding_model(train_dataset, test_dataset):\n    return HOOKS['end']()"
    submission = found(tmp_path, registry, hook, training, SETS, SAMPLED, CALL)
    assert f"HOOKS = {made}" not in text(submission) and "def step" not in text(submission)
    assert f"HOOKS = {made}" in "\n".join(piece.source for piece in submission.program.main)
